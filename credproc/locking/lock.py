"""One at a time: kernel locks on files that are never truncated, released by any death.

A file that has not been locked for a day may be removed by whoever holds its lock: see refresh/cleanup.py.
"""

import os
import time
from collections.abc import Callable
from typing import TypeVar

from credproc import log
from credproc.errors import CredprocError, DeadlineError
from credproc.files import PrivateDirectory, close_file

if os.name == "posix":
    import fcntl
else:  # pragma: no cover - Windows
    import msvcrt

T = TypeVar("T")
SUFFIX = ".lock"
_FIRST_POLL, _LAST_POLL = 0.05, 0.25  # seconds between looks
_POLL_SHARE = 20  # of the time waited
RECORD_BYTES = 128  # overwritten in place, not replaced as a note is: those who wait have this very file open
_WINDOWS_OFFSET = 1024  # the locked byte; a locked one cannot be read, and the record should be


class Lock:
    """The lock of one name in credproc's directory.

    Where there is no directory, or its file system knows no locks, the lock is always free: credentials matter more
    than a second STS call.
    """

    def __init__(self, directory: PrivateDirectory | None, name: str) -> None:
        """Name the lock; nothing is opened yet."""
        self._directory = directory
        self._name = name + SUFFIX
        self._fd: int | None = None

    def wait(
        self, look: Callable[[], T | None], deadline: float, while_waiting: Callable[[float], None] = lambda _: None
    ) -> T | None:
        """Wait until the lock is ours (None is returned), or until ``look`` returns the answer that was waited for.

        ``deadline`` is in seconds of ``time.monotonic()``. ``while_waiting`` is called between looks, with the seconds
        waited. Raises DeadlineError when the deadline has passed, and what ``look`` raises; the lock is not ours then.
        """
        began = time.monotonic()
        seen: int | None = None
        try:
            while True:
                # A thousand that wait must not slow the one they wait for: nothing new in there, nothing to look at
                stamp = None if self._directory is None else self._directory.stamp()
                has_changed = stamp is None or stamp != seen
                if self._take(again=has_changed):
                    return None
                answer = look() if has_changed else None
                if answer is not None:
                    self.close()
                    return answer
                seen = stamp
                waited = time.monotonic() - began
                if began + waited >= deadline:
                    raise DeadlineError(f"{self.holder()} is still at it")
                while_waiting(waited)
                time.sleep(pause(waited))
        except CredprocError:
            self.close()
            raise

    def try_acquire(self) -> bool:
        """Take the lock if it is free; return whether it is ours now."""
        return self._take(again=True)

    def _take(self, *, again: bool) -> bool:
        """Take the lock if it is free; ``again``: look also whether one that is held is still the one that counts."""
        directory = self._directory
        if directory is None:
            return True
        try:
            fd = directory.open(self._name, os.O_RDWR | os.O_CREAT) if self._fd is None else self._fd
        except OSError as error:  # it cannot be opened
            self._warn(error)
            return True
        self._fd = fd
        try:
            _lock(fd)
        except BlockingIOError:
            if again and self._is_replaced(directory, fd):
                self.close()  # somebody removed the file: the lock that counts is on the new one
            return False
        except OSError as error:  # no locks on this file system
            self._warn(error)
            return True
        if self._is_replaced(directory, fd):
            self.close()
            return False
        _sign(fd)
        return True

    def close(self) -> None:
        """Let the lock go, if it is ours."""
        if self._fd is not None:
            close_file(self._fd)
            self._fd = None

    def holder(self) -> str:
        """Return who holds the lock, in words."""
        data = self._directory.read(self._name, RECORD_BYTES) if self._directory is not None else None
        fields = (data or b"").decode("ascii", "replace").split()
        if len(fields) != 3 or not all(field.lstrip("-").isdigit() for field in fields):
            return "another credproc"
        seconds = max(0, int(time.time()) - int(fields[2]))
        return f"another credproc (process {fields[0]}, for {seconds} s)"

    def _is_replaced(self, directory: PrivateDirectory, fd: int) -> bool:
        """Whether the file that we hold open is not the one that others would open."""
        there = directory.status(self._name)
        try:
            return there is None or not os.path.samestat(there, os.fstat(fd))
        except OSError:  # a stuck network file system: what cannot be seen is taken for what was opened
            return False

    def _warn(self, error: OSError) -> None:
        log.write(self._directory, f"not locked: {self._name}: {(error.strerror or str(error)).lower()}")


def pause(waited: float) -> float:
    """Return the seconds until the next look: the longer one has waited, the longer, from 0.05 to 0.25."""
    return min(max(_FIRST_POLL, waited / _POLL_SHARE), _LAST_POLL)


def _sign(fd: int) -> None:
    """Say who holds the lock."""
    session = os.getsid(0) if hasattr(os, "getsid") else 0
    record = f"{os.getpid()} {session} {int(time.time())}".ljust(RECORD_BYTES - 1) + "\n"
    try:
        os.lseek(fd, 0, os.SEEK_SET)
        os.write(fd, record.encode("ascii"))
    except OSError:  # a full disk; the record only informs
        pass


def _lock(fd: int) -> None:
    """Lock or raise BlockingIOError; other OSErrors mean that there are no locks here."""
    if os.name == "posix":
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    os.lseek(fd, _WINDOWS_OFFSET, os.SEEK_SET)  # pragma: no cover - Windows
    try:  # pragma: no cover - Windows
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    except PermissionError:  # pragma: no cover - Windows
        raise BlockingIOError from None
