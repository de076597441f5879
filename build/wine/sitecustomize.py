"""What Wine 8.0 of Debian 12 lacks, made good for the Python of build/windows, which imports this at its start.

- `msvcrt.locking`: where another process has the lock, Wine sets no errno and the one from before stays; Windows sets
  EACCES. `GetLastError` is ERROR_LOCK_VIOLATION on both.
- `CopyFile2`, which `shutil.copy2` calls: Wine ends the process as it has no such function. `shutil` falls back.

Two lacks cannot be made good here: see build/windows. This file does not reach a frozen program.
"""

import sys

if sys.platform == "win32":
    import _winapi
    import errno
    import msvcrt

    _LOCK_VIOLATION = 33  # ERROR_LOCK_VIOLATION, winerror.h
    _locking = msvcrt.locking

    def locking(fd: int, mode: int, nbytes: int, /) -> None:
        """Lock or unlock as `msvcrt.locking` does; raise PermissionError where another process has the lock."""
        try:
            _locking(fd, mode, nbytes)
        except OSError:
            if _winapi.GetLastError() == _LOCK_VIOLATION:
                raise PermissionError(errno.EACCES, "Permission denied") from None
            raise

    msvcrt.locking = locking
    if hasattr(_winapi, "CopyFile2"):
        del _winapi.CopyFile2
