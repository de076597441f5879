"""Lines wrapped at word boundaries to the width of the terminal; output to a pipe or file is never wrapped."""

import os
import textwrap

from credproc.errors import inert

_MIN_COLUMNS = 40  # in a narrower window the terminal may break lines anywhere


def terminal_columns(fd: int) -> int | None:
    """Return the width of the terminal behind a file descriptor; None if it is no terminal or does not know."""
    try:
        return os.get_terminal_size(fd).columns or None
    except OSError:
        return None


def wrapped(line: str, width: int | None, indent: int) -> list[str]:
    """Return the line as lines of ``width`` columns (None: as one), the later ones indented by ``indent`` spaces."""
    line = inert(line)  # whose width is that on the screen
    if width is None or width < _MIN_COLUMNS or len(line) <= width:
        return [line]
    return textwrap.wrap(line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
