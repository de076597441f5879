"""Credproc's own directory as a refresh uses it: a stuck disk must not keep the credentials from the caller."""

import errno
import os
import time
from collections.abc import Mapping

from credproc import paths
from credproc.errors import DeadlineError
from credproc.files import PrivateDirectory, make_directory

_WRITING = 3  # seconds


def own_directory(environ: Mapping[str, str]) -> PrivateDirectory | None:
    """Return credproc's own directory, made if need be, or None where it cannot be had: then nothing is kept.

    A home directory is not made: where it is missing it is not ours to say that there should be one.
    """
    path, home = paths.cache_directory(environ), paths.home_directory(environ)
    if path is None or (home is not None and path.startswith(home + os.sep) and not os.path.isdir(home)):
        return None
    try:
        return make_directory(path, TimedDirectory)
    except OSError:
        return None


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
