"""Credproc's own directory as a refresh uses it: a stuck disk must not keep the credentials from the caller."""

import errno
import os
import time

from credproc.errors import DeadlineError
from credproc.files import PrivateDirectory

_WRITING = 3  # seconds


class TimedDirectory(PrivateDirectory):
    """A private directory whose writes are given up where they take too long; after one, no other is begun."""

    _is_stuck = False

    def write(self, name: str, data: bytes) -> None:
        """Put ``data`` in the place of the file ``name``. Raises OSError if it cannot, in time or at all."""
        from credproc.process.deadline import within  # noqa: PLC0415 - those who only wait write nothing

        if self._is_stuck:
            raise _timed_out()
        try:
            within(time.monotonic() + _WRITING, lambda: PrivateDirectory.write(self, name, data))
        except DeadlineError:
            self._is_stuck = True
            raise _timed_out() from None


def _timed_out() -> OSError:
    return OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
