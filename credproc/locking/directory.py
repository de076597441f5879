"""Credproc's own directory with a time limit on writes: a stuck disk must not cost the caller the credentials."""

import errno
import os
import time
from collections.abc import Mapping

from credproc import paths
from credproc.errors import DeadlineError
from credproc.files import PrivateDirectory, make_directory

_WRITE_SECONDS = 3


def own_directory(environ: Mapping[str, str]) -> PrivateDirectory | None:
    """Return credproc's own directory, which is created if it is missing; None if it cannot be created or used.

    Without it a run stores nothing. A missing home directory is not created: that is for the administrator to decide.
    """
    path, home = paths.cache_directory(environ), paths.home_directory(environ)
    if path is None or (home is not None and path.startswith(home + os.sep) and not os.path.isdir(home)):
        return None
    try:
        return make_directory(path, TimedDirectory)
    except OSError:
        return None


class TimedDirectory(PrivateDirectory):
    """A private directory that gives up a write after 3 s, and fails every later write at once."""

    _is_stuck = False

    def write(self, name: str, data: bytes) -> None:
        """Replace the file ``name`` with ``data``. Raises OSError if that fails or takes longer than 3 s."""
        from credproc.process.deadline import within  # noqa: PLC0415 - runs that only wait write nothing

        if self._is_stuck:
            raise _timed_out()
        try:
            within(time.monotonic() + _WRITE_SECONDS, lambda: PrivateDirectory.write(self, name, data))
        except DeadlineError:
            self._is_stuck = True
            raise _timed_out() from None


def _timed_out() -> OSError:
    return OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
