"""What a slow command is doing, and what it has done so far, while it goes on.

A line of progress is written where stderr is a terminal alone; what was done is part of the command's output elsewhere.
"""

import os
from collections.abc import Sequence

from credproc import terminal
from credproc.errors import inert
from credproc.glyphs import cut

_ERASE = b"\r\x1b[K"
_WIDTH = 79  # columns; a longer line would wrap and could not be erased


def show_now(lines: Sequence[str]) -> list[str]:
    """Write the lines on the terminal, where stdout is one; return those that are still to be printed."""
    if not os.isatty(1) or not terminal.is_available():
        return list(lines)
    terminal.notify(*lines)
    return []


class Progress:
    """One line on stderr; each message replaces the one before, and ``end`` erases the last."""

    def __init__(self) -> None:
        """Check whether stdout and stderr are a terminal that can erase a line."""
        self._is_visible = os.isatty(1) and os.isatty(2) and os.environ.get("TERM") not in (None, "", "dumb")

    def show(self, message: str) -> None:
        """Replace the line with this message."""
        self._write(_ERASE + cut(inert(message), _WIDTH, "...").encode("utf-8", "backslashreplace"))

    def end(self) -> None:
        """Erase the line and leave the cursor at its start."""
        self._write(_ERASE)

    def _write(self, data: bytes) -> None:
        if self._is_visible:
            try:
                os.write(2, data)
            except OSError:  # the terminal was closed; the command goes on without progress
                self._is_visible = False
