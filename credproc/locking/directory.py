"""Credproc's own directory: where it is, and a time limit on writes.

``CREDPROC_CACHE_DIR`` may name a directory in which other programs keep files. Then credproc's own is ``credproc``
below it. The first run decides that once for all: it makes ``credproc`` a directory, or a file, which keeps it from
being one. As only one run can make it, all find the same place, and it stays the same whatever else comes there.
"""

import errno
import os
import sys
import time
from collections.abc import Mapping

from credproc import log, paths
from credproc.errors import DeadlineError
from credproc.files import PrivateDirectory, close_file, is_private

_WRITE_SECONDS = 3


def own_directory(environ: Mapping[str, str]) -> PrivateDirectory | None:
    """Return credproc's own directory, which is created if it is missing; None if it cannot be created or used.

    Without it a run stores nothing. A missing home directory is not created: that is for the administrator to decide.
    """
    path, home = paths.cache_directory(environ), paths.home_directory(environ)
    if path is None or (home is not None and path.startswith(home + os.sep) and not os.path.isdir(home)):
        return None
    try:
        return make_own_directory(environ)
    except OSError:
        return None


def make_own_directory(environ: Mapping[str, str]) -> PrivateDirectory:
    """Return credproc's own directory, which is created if it is missing. Raises OSError."""
    path = paths.cache_directory(environ)
    if path is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    directory = make_directory(path, TimedDirectory)
    below = next((below for below in paths.cache_directories(environ)[1:] if below != path), None)
    if below is None or directory.status(os.path.basename(below)) is not None:
        return directory
    try:
        _decide(directory, below)
    finally:
        directory.close()
    return make_directory(paths.cache_directory(environ) or path, TimedDirectory)


def make_directory(path: str, kind: "type[PrivateDirectory]" = PrivateDirectory) -> PrivateDirectory:
    """Return the directory at ``path``; create it and its missing parents with mode 0700.

    Raises OSError if it cannot be created or may not be used. Root creates nothing in another user's directory:
    ``sudo credproc`` must not leave files of root in the caller's home.
    """
    try:
        return kind(path)
    except FileNotFoundError:
        pass
    above, missing = os.path.dirname(path), [path]
    while not os.path.isdir(above) and above != os.path.dirname(above):
        missing.append(above)
        above = os.path.dirname(above)
    if sys.platform != "win32" and os.geteuid() == 0 and os.stat(above).st_uid != 0:
        raise PermissionError(f"{above}: belongs to another user")
    for directory in reversed(missing):  # one by one: os.makedirs applies its mode only to the last one
        try:
            os.mkdir(directory, mode=0o700)
        except FileExistsError:  # a parallel run has created it
            pass
    return kind(path)


def _decide(directory: PrivateDirectory, below: str) -> None:
    """Make ``below`` a directory if the one that it is in holds other things, else a file. Raises OSError."""
    log_status = directory.status(log.NAME)
    is_own = (log_status is not None and is_private(log_status)) or not directory.some_names(1)
    try:
        if is_own:
            close_file(directory.open(os.path.basename(below), os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        else:
            os.mkdir(below, mode=0o700)
    except FileExistsError:  # a parallel run has decided
        pass
    except OSError:
        if not is_own:
            raise  # else it can be read at least


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
