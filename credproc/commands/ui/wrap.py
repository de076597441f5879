"""Lines broken between words where they are wider than the terminal; elsewhere, for programs, a line stays one."""

import os
import textwrap

_LEAST = 40  # columns; in a narrower window nothing reads well, and the terminal may break lines where it likes


def columns(fd: int) -> int | None:
    """Return the width of the terminal that this is, or None where it is none, or does not know."""
    try:
        return os.get_terminal_size(fd).columns or None
    except OSError:
        return None


def wrapped(line: str, width: int | None, indent: int) -> str:
    """Return the line, broken to this width; what goes below it stands behind ``indent`` spaces."""
    if width is None or width < _LEAST or len(line) <= width:
        return line
    return textwrap.fill(line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
