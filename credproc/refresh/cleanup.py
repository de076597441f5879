"""Remove credproc's own old files, at most fifty at a time: what dead processes left, and entries long expired.

A run does this after it has stored an entry. The note of an MFA session stays, as ``logout`` finds the session by it.
What is not of credproc's own (own_files.py) stays, whatever its age.
"""

import os
import sys

from credproc import cache, notes
from credproc.files import PrivateDirectory
from credproc.locking import lock
from credproc.own_files import TRIAL, OwnFile, own_file
from credproc.refresh.entry import entry_metadata

_MIN_AGE = 24 * 3600  # seconds
_MAX_EXAMINED = 1000  # files; a directory with more must not slow a refresh down
_MAX_REMOVED = 50  # files


def clean_up(directory: PrivateDirectory, now: float) -> int:
    """Remove at most fifty files that are old at ``now`` (epoch seconds); return how many were removed."""
    removed = 0
    for name in directory.some_names(_MAX_EXAMINED):
        if removed == _MAX_REMOVED:
            break
        file = own_file(directory, name)
        removed += file is not None and _remove_if_old(directory, file, now)
    return removed


def _remove_if_old(directory: PrivateDirectory, file: OwnFile, now: float) -> bool:
    name, status, writer = file
    is_old = abs(now - status.st_mtime) >= _MIN_AGE
    if writer is not None:  # its process id may be another process's by now, but no run lasts a day
        return (is_old or _is_dead(writer)) and directory.remove(name)
    if not is_old:
        return False
    kind = notes.kind_of(name)
    if kind is not None:
        return kind.is_ephemeral and directory.remove(name)
    if name.endswith(cache.SUFFIX):
        return _has_long_expired(directory, name, now) and _remove_under_lock(directory, name, name, status)
    if name.endswith(lock.SUFFIX):
        return _remove_under_lock(directory, name.removesuffix(lock.SUFFIX), name, status)
    return name.startswith(TRIAL) and directory.remove(name)


def _has_long_expired(directory: PrivateDirectory, name: str, now: float) -> bool:
    """Return whether the entry is damaged, or its credentials expired more than a day ago."""
    entry = cache.load(directory, name)
    expiration = None if entry is None else entry_metadata(entry).get("expiration")
    return not isinstance(expiration, int) or now - expiration > _MIN_AGE


def _remove_under_lock(directory: PrivateDirectory, locked: str, name: str, status: os.stat_result) -> bool:
    """Remove the file if it is still the one that ``status`` describes and no run holds the lock; return whether.

    A run that has opened the removed lock file notices, as Lock compares the file with its name once it is locked.
    Windows removes no file that is open: there the lock file is closed first, and stays if a run has opened it again.
    """
    held = lock.Lock(directory, locked)
    try:
        if not held.try_acquire():
            return False
        current = directory.status(name)
        if current is None or not os.path.samestat(current, status):
            return False
        if sys.platform == "win32" and name.endswith(lock.SUFFIX):  # pragma: no cover - Windows
            held.close()
        return directory.remove(name)
    finally:
        held.close()


if sys.platform == "win32":  # pragma: no cover - Windows
    import _winapi

    _QUERY_LIMITED_INFORMATION = 0x1000
    _NO_SUCH_PROCESS = 87  # ERROR_INVALID_PARAMETER, as OpenProcess says it

    def _is_dead(pid: int) -> bool:
        try:
            handle = _winapi.OpenProcess(_QUERY_LIMITED_INFORMATION, False, pid)
        except OSError as error:
            return error.winerror == _NO_SUCH_PROCESS
        except OverflowError:
            return False
        status = _winapi.GetExitCodeProcess(handle)  # an ended process stays while somebody has a handle of it
        _winapi.CloseHandle(handle)
        return status != _winapi.STILL_ACTIVE

else:

    def _is_dead(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):  # another user's process, or a number too large for a process id
            return False
        return False
