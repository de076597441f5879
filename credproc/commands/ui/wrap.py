"""Lines wrapped at word boundaries to the width of the terminal; output to a pipe or file is never wrapped."""

import os
import textwrap

_MIN_COLUMNS = 40  # in a narrower window the terminal may break lines anywhere


def terminal_columns(fd: int) -> int | None:
    """Return the width of the terminal behind a file descriptor; None if it is no terminal or does not know."""
    try:
        return os.get_terminal_size(fd).columns or None
    except OSError:
        return None


def wrap_line(line: str, width: int | None, indent: int) -> str:
    """Return the line wrapped to ``width`` columns (None: not wrapped), later lines indented by ``indent`` spaces."""
    if width is None or width < _MIN_COLUMNS or len(line) <= width:
        return line
    return textwrap.fill(line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
