"""Remove old files of credproc's own, a few at a time: what dead processes left, and what nobody asks for any more.

A run does it that has just stored an entry. The note of an MFA session stays: ``logout`` finds the session by it.
"""

import os

from credproc import cache, notes
from credproc.files import TEMPORARY, PrivateDirectory
from credproc.locking import lock
from credproc.refresh.entry import about_entry

_OLD = 24 * 3600  # seconds
_LOOKED_AT = 1000  # files; a directory that others have filled must not cost a refresh its time
_REMOVED = 50  # files


def clean_up(directory: PrivateDirectory, now: float) -> int:
    """Remove at most fifty old files at ``now`` (epoch seconds); return how many. What cannot be removed stays."""
    removed = 0
    for name in directory.some_names(_LOOKED_AT):
        if removed == _REMOVED:
            break
        removed += _is_removed(directory, name, now)
    return removed


def _is_removed(directory: PrivateDirectory, name: str, now: float) -> bool:
    if name.endswith(TEMPORARY):
        return _writer_is_dead(name) and directory.remove(name)
    status = directory.status(name)
    if status is None or abs(now - status.st_mtime) < _OLD:
        return False
    kind = notes.kind_of(name)
    if kind is not None:
        return kind.is_ephemeral and directory.remove(name)
    if name.endswith(cache.SUFFIX):
        return _is_over(directory, name, now) and _removed_under_lock(directory, name, name, status)
    if name.endswith(lock.SUFFIX):
        return _removed_under_lock(directory, name.removesuffix(lock.SUFFIX), name, status)
    return False


def _is_over(directory: PrivateDirectory, name: str, now: float) -> bool:
    """Whether the entry's credentials ended a day ago, or it is damaged and nobody has healed it since."""
    entry = cache.load(directory, name)
    expiration = None if entry is None else about_entry(entry).get("expiration")
    return not isinstance(expiration, int) or now - expiration > _OLD


def _removed_under_lock(directory: PrivateDirectory, locked: str, name: str, status: os.stat_result) -> bool:
    """Remove the file if it is still the one that was looked at, and nobody is at work under this lock.

    Who has opened a lock file that is removed here finds out, and opens another: Lock looks again once it is locked.
    """
    held = lock.Lock(directory, locked)
    try:
        if not held.try_acquire():
            return False
        there = directory.status(name)
        return there is not None and os.path.samestat(there, status) and directory.remove(name)
    finally:
        held.close()


def _writer_is_dead(name: str) -> bool:
    pid = name.removesuffix(TEMPORARY).rpartition(".")[2].partition("-")[0]
    if not pid.isdigit() or os.name != "posix":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # another user's, or no number of a process
        return False
    return False
