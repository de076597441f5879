"""What a long command is doing, on a terminal; nothing where its output goes elsewhere."""

import os

_ERASE = b"\r\x1b[K"
_WIDTH = 79  # characters; a longer line would wrap, and stay


class Progress:
    """One line that gives way to the next, and to the answer; on stderr, as stdout is for that."""

    def __init__(self) -> None:
        """Look whether a person watches: both streams are a terminal that can erase a line."""
        self._is_seen = os.isatty(1) and os.isatty(2) and os.environ.get("TERM") not in (None, "", "dumb")

    def say(self, doing: str) -> None:
        """Show what is being done now."""
        self._write(_ERASE + doing[:_WIDTH].encode("ascii", "replace"))

    def end(self) -> None:
        """Leave an empty line behind, with the cursor at its left."""
        self._write(_ERASE)

    def _write(self, data: bytes) -> None:
        if self._is_seen:
            try:
                os.write(2, data)
            except OSError:  # it has gone; nobody waits for this
                self._is_seen = False
