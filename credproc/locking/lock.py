"""Run one at a time: kernel locks on files, which the kernel releases when the process ends.

A lock file is never truncated. refresh/cleanup.py removes one that no run has locked for a day.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from credproc import log
from credproc.errors import CredprocError, DeadlineError
from credproc.files import PrivateDirectory, close_file

if sys.platform == "win32":  # pragma: no cover - Windows
    import msvcrt
else:
    import fcntl

T = TypeVar("T")
SUFFIX = ".lock"
_MIN_INTERVAL, _MAX_INTERVAL = 0.05, 0.25  # seconds between two polls
_INTERVAL_DIVISOR = 20  # of the time waited so far
RECORD_BYTES = 128  # overwritten in place, not replaced as a note is: runs that wait have this very file open
_ERROR_LOCK_VIOLATION = 33  # Windows': another process has locked a part of the file
_WINDOWS_OFFSET = 1024  # the locked byte, outside the record: Windows lets nobody read a locked byte


class Lock:
    """The lock with one name in credproc's directory.

    Without a directory, or on a file system without locks, every run gets the lock: credentials matter more than a
    second STS call.
    """

    def __init__(self, directory: PrivateDirectory | None, name: str) -> None:
        """Take the directory and the lock's name; open nothing yet."""
        self._directory = directory
        self._name = name + SUFFIX
        self._fd: int | None = None

    def wait(
        self, poll: Callable[[], T | None], deadline: float, while_waiting: Callable[[float], None] = lambda _: None
    ) -> T | None:
        """Acquire the lock and return None, or return what ``poll`` returns before that, without the lock.

        ``deadline`` is in seconds of ``time.monotonic()``. Between two polls ``while_waiting`` is called with the
        seconds waited so far. Raises DeadlineError when the deadline has passed, and what ``poll`` raises; in both
        cases this run does not hold the lock.
        """
        began = time.monotonic()
        seen: int | None = None
        try:
            while True:
                # A thousand waiting runs must not slow the holder down: they poll only if the directory has changed
                stamp = None if self._directory is None else self._directory.stamp()
                has_changed = stamp is None or stamp != seen
                if self._try_lock(check_replaced=has_changed):
                    return None
                found = poll() if has_changed else None
                if found is not None:
                    self.close()
                    return found
                seen = stamp
                waited = time.monotonic() - began
                if began + waited >= deadline:
                    raise DeadlineError(self.describe_holder())
                while_waiting(waited)
                time.sleep(poll_interval(waited))
        except CredprocError:
            self.close()
            raise

    def try_acquire(self) -> bool:
        """Acquire the lock if it is free; return whether this run holds it."""
        return self._try_lock(check_replaced=True)

    def _try_lock(self, *, check_replaced: bool) -> bool:
        """Acquire the lock if it is free; with ``check_replaced``, close a locked file that has been replaced."""
        directory = self._directory
        if directory is None:
            return True
        try:
            fd = directory.open(self._name, os.O_RDWR | os.O_CREAT) if self._fd is None else self._fd
        except OSError as error:  # the file cannot be opened
            self._warn(error)
            return True
        self._fd = fd
        try:
            _lock_file(fd)
        except BlockingIOError:
            if check_replaced and self._is_replaced(directory, fd):
                self.close()  # another run removed the file: the lock is on the new one
            return False
        except OSError as error:  # this file system has no locks
            self._warn(error)
            return True
        if self._is_replaced(directory, fd):
            self.close()
            return False
        _write_holder(fd)
        return True

    def close(self) -> None:
        """Release the lock, if this run holds it."""
        if self._fd is not None:
            close_file(self._fd)
            self._fd = None

    def describe_holder(self) -> str:
        """Return which process holds the lock and for how many seconds, as a clause for a message."""
        data = self._directory.read(self._name, RECORD_BYTES) if self._directory is not None else None
        fields = (data or b"").decode("ascii", "replace").split()
        if len(fields) != 3 or not all(field.lstrip("-").isdigit() for field in fields):
            return "another credproc process holds the lock"
        seconds = max(0, int(time.time()) - int(fields[2]))
        return f"process {fields[0]} (credproc) has held the lock for {seconds} s"

    def _is_replaced(self, directory: PrivateDirectory, fd: int) -> bool:
        """Return whether another file now has the name of the one that is open."""
        current = directory.status(self._name)
        try:
            return current is None or not os.path.samestat(current, os.fstat(fd))
        except OSError:  # a stuck network file system: assume that the file is the same
            return False

    def _warn(self, error: OSError) -> None:
        log.write(self._directory, f"not locked: {self._name}: {(error.strerror or str(error)).lower()}")


def poll_interval(waited: float) -> float:
    """Return the seconds until the next poll: from 0.05 to 0.25, rising with the seconds ``waited`` so far."""
    return min(max(_MIN_INTERVAL, waited / _INTERVAL_DIVISOR), _MAX_INTERVAL)


def _write_holder(fd: int) -> None:
    """Write this process's id, its terminal session and the time into the lock file, for the runs that wait."""
    session = os.getsid(0) if hasattr(os, "getsid") else 0
    record = f"{os.getpid()} {session} {int(time.time())}".ljust(RECORD_BYTES - 1) + "\n"
    try:
        os.lseek(fd, 0, os.SEEK_SET)
        os.write(fd, record.encode("ascii"))
    except OSError:  # a full disk; the record is only for messages
        pass


def _lock_file(fd: int) -> None:
    """Lock the file. Raises BlockingIOError if another process has; any other OSError means no locks here."""
    if sys.platform == "win32":  # pragma: no cover - Windows
        os.lseek(fd, _WINDOWS_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            import _winapi  # noqa: PLC0415 - Windows only

            is_locked = isinstance(error, PermissionError) or _winapi.GetLastError() == _ERROR_LOCK_VIOLATION
            raise BlockingIOError if is_locked else error from None  # where errno is stale, as Wine's
    else:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
