"""Private files: a directory that only this user can change, and the small files in it.

All files of credproc's own are opened, created and replaced here. A directory or file that belongs to another user or
that others can write is not used; links are not followed, FIFOs and devices not read. A file is created with mode 0600
and O_EXCL in the same directory, synced, and renamed into place, so that a reader sees the old file or the new one.
"""

import os
import stat
import sys
import time

try:
    from _blake2 import blake2b  # hashlib, which wraps it, costs ten times as much to import
except ImportError:  # an interpreter that names it differently
    from hashlib import blake2b

_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # opening a FIFO must not block
_BINARY = getattr(os, "O_BINARY", 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _CLOEXEC
_REPLACE_TRIES = 20
_COARSEST_NS = 2_000_000_000  # the coarsest time stamps of a file system (FAT)
TEMPORARY = ".tmp"  # suffix of a file that is being written: NAME.PID-RANDOM.tmp


class PrivateDirectory:
    """An open directory with mode 0700; its files are opened relative to it, even if its path changes."""

    def __init__(self, path: str) -> None:
        """Open the directory at ``path``, or the target of a link there that this user or root has made.

        Raises OSError if it is missing, belongs to another user, or can be written by others.
        """
        self.path = path
        self._fd: int | None = None
        if sys.platform != "win32":
            self._fd = _open_private(path)
        elif not os.path.isdir(path):
            raise FileNotFoundError(path)

    def close(self) -> None:
        """Close the directory; its files can no longer be opened through this object."""
        if self._fd is not None:
            close_file(self._fd)
            self._fd = None

    __del__ = close  # ``exec --serve`` lives for days, and a refresh does not say when its threads have no more use

    def open(self, name: str, flags: int) -> int:
        """Open the file ``name`` and return its descriptor, which children do not inherit; O_CREAT creates it 0600.

        Raises OSError if that fails, or if it is not a regular file that only this user can read and write.
        """
        fd = self._open(name, flags)
        if not is_private(os.fstat(fd)):
            close_file(fd)
            raise PermissionError(f"{os.path.join(self.path, name)}: is not a private file of this user")
        return fd

    def read(self, name: str, limit: int) -> bytes | None:
        """Return the whole file; None if it is missing, may not be used, or is longer than ``limit`` bytes."""
        try:
            fd = self.open(name, os.O_RDONLY)
        except OSError:
            return None
        try:
            data = os.read(fd, limit + 1)
        except OSError:
            return None
        finally:
            close_file(fd)
        return data if len(data) <= limit else None

    def write(self, name: str, data: bytes) -> None:
        """Replace the file ``name`` by ``data``, atomically.

        Raises OSError if that fails; then the old file is unchanged and the temporary file is removed.
        """
        temporary = f"{name}.{os.getpid()}-{os.urandom(4).hex()}{TEMPORARY}"
        fd = self._open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(fd, view) :]
                os.fsync(fd)
            finally:
                close_file(fd)
            self._replace(temporary, name)
        except OSError:
            self.remove(temporary)
            raise

    def remove(self, name: str) -> bool:
        """Remove the file; return whether that succeeded."""
        try:
            if self._fd is None:
                os.unlink(os.path.join(self.path, name))
            else:
                os.unlink(name, dir_fd=self._fd)
        except OSError:
            return False
        return True

    def stamp(self) -> int | None:
        """Return a number that changes when a file is created, replaced or removed; None if it might not change.

        It might not in the two seconds after a change, as time stamps can be that coarse, and on Windows.
        """
        if self._fd is None:
            return None
        try:
            changed = os.fstat(self._fd).st_mtime_ns
        except OSError:  # a network file system that is no longer mounted
            return None
        return changed if abs(time.time_ns() - changed) > _COARSEST_NS else None

    def names(self) -> list[str]:
        """Return the names of all files in the directory, sorted."""
        return sorted(os.listdir(self.path if self._fd is None else self._fd))

    def some_names(self, limit: int) -> list[str]:
        """Return the names of at most ``limit`` files, in no order; none if the directory cannot be listed."""
        found: list[str] = []
        try:
            with os.scandir(self.path if self._fd is None else self._fd) as entries:
                for entry in entries:
                    if len(found) == limit:
                        break
                    found.append(entry.name)
        except OSError:
            pass
        return found

    def status(self, name: str) -> os.stat_result | None:
        """Return the status of ``name``, links not followed, or None if there is no such file."""
        try:
            if self._fd is None:
                return os.lstat(os.path.join(self.path, name))
            return os.stat(name, dir_fd=self._fd, follow_symlinks=False)
        except OSError:
            return None

    def _open(self, name: str, flags: int) -> int:
        flags |= _CLOEXEC | _NOFOLLOW | _NONBLOCK | _BINARY
        if self._fd is None:
            return os.open(os.path.join(self.path, name), flags, 0o600)
        return os.open(name, flags, 0o600, dir_fd=self._fd)

    def _replace(self, old: str, new: str) -> None:
        if self._fd is not None:
            os.rename(old, new, src_dir_fd=self._fd, dst_dir_fd=self._fd)
            return
        # Windows: the rename fails while another process has the old file open
        for attempt in range(_REPLACE_TRIES):
            try:
                os.replace(os.path.join(self.path, old), os.path.join(self.path, new))
            except PermissionError:
                if attempt == _REPLACE_TRIES - 1:
                    raise
                time.sleep(0.01)
            else:
                return


def is_private(status: os.stat_result) -> bool:
    """Return whether it is a regular file of this user, which no other user can read or write."""
    if sys.platform != "win32" and (status.st_uid != os.geteuid() or status.st_mode & 0o077):
        return False
    return stat.S_ISREG(status.st_mode)


def _open_private(path: str) -> int:
    """Return a descriptor of the directory, or of the target of a link there. Raises OSError, as PrivateDirectory."""
    try:
        fd = os.open(path, _DIRECTORY | _NOFOLLOW)
    except OSError:
        if not os.path.islink(path):
            raise
        fd = os.open(_target(path), _DIRECTORY)
    status = os.fstat(fd)
    is_anothers = sys.platform != "win32" and status.st_uid != os.geteuid()
    if is_anothers or status.st_mode & 0o022:
        close_file(fd)
        raise PermissionError(f"{path}: {'belongs to another user' if is_anothers else 'others may write to it'}")
    return fd


def _target(path: str) -> str:
    """Return the target of the link at ``path``. Raises OSError if another user has made the link.

    In a directory that all can write, another user's link could point to any private directory of this user.
    """
    link = os.lstat(path)
    if sys.platform != "win32" and link.st_uid not in (os.geteuid(), 0):
        raise PermissionError(f"{path}: is a link that another user has made")
    target = os.readlink(path)
    now = os.lstat(path)
    if (now.st_ino, now.st_ctime_ns) != (link.st_ino, link.st_ctime_ns):
        raise PermissionError(f"{path}: was replaced while it was read")
    return os.path.join(os.path.dirname(path), target)


def open_directory(path: str | None) -> PrivateDirectory | None:
    """Return the directory at ``path``, or None if it is missing or may not be used."""
    if path is None:
        return None
    try:
        return PrivateDirectory(path)
    except OSError:
        return None


def digest(data: "str | bytes", *, size: int = 16, key: bytes = b"", person: bytes = b"") -> str:
    """Return the BLAKE2b digest of ``size`` bytes, in hexadecimal, for a file's name or for a comparison.

    ``key`` (64 bytes at most) and ``person`` (16 at most) keep digests for different uses apart. Text is encoded as
    UTF-8, with what Python has decoded by "surrogateescape".
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    return blake2b(data, digest_size=size, key=key, person=person).hexdigest()


def close_file(fd: int) -> None:
    """Close a descriptor and ignore a failure: the data has been read, or written and synced, before."""
    try:
        os.close(fd)
    except OSError:
        pass
