"""What a program prints: drained to its end, so that the program is never blocked by us, and kept to a limit."""

import os
import threading
from collections.abc import Iterator
from typing import IO

from credproc.errors import by_platform

NO_THREAD_HINT = by_platform(posix="end some, or raise their limit (ulimit -u)", windows="end some")
_PIECE = 64 * 1024  # bytes that are read at once; a pipe of Linux holds as many


class Output:
    """The output of a program's pipe, which a thread drains."""

    def __init__(self, pipe: IO[bytes] | None, limit: int) -> None:
        """Start to drain the pipe, a Popen's; keep its first ``limit`` bytes.

        Raises RuntimeError if no thread can be started; the pipe is closed then.
        """
        self._pieces = pieces(pipe)
        self._limit = limit
        self._kept = bytearray()
        self._thread = threading.Thread(target=self._drain, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            if pipe is not None:
                pipe.close()
            raise

    def text(self, seconds: float) -> str:
        """Return what was kept, decoded; wait at most so many seconds for the pipe's end.

        Call this after the program has exited: a child of the program may hold the pipe open for ever.
        """
        self._thread.join(seconds)
        return self._kept.decode("utf-8", "replace")

    def _drain(self) -> None:
        for data in self._pieces:
            self._kept += data[: self._limit - len(self._kept)]


def pieces(pipe: IO[bytes] | None) -> Iterator[bytes]:
    """Yield what comes out of a Popen's pipe, each piece as soon as it comes; close the pipe behind the last one."""
    assert pipe is not None  # noqa: S101 - the program was started with one
    with pipe:
        while data := os.read(pipe.fileno(), _PIECE):
            yield data
