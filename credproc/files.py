"""Private files: a directory that only we may change, and the small files in it.

The one place that opens, creates and replaces files of credproc's own. A directory or file that others may write,
or that is not ours, is not used; links, FIFOs and devices are not followed and not read. All files are created 0600
by O_EXCL in the same directory, synced and renamed into place, so that a reader sees the old one or the new one.
"""

import os
import stat
import time

try:
    from _blake2 import blake2b  # hashlib, which wraps it, costs ten times as much to import
except ImportError:  # an interpreter that builds it under another name
    from hashlib import blake2b

_POSIX = os.name == "posix"
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # a FIFO in the place of a file must not hold us up
_BINARY = getattr(os, "O_BINARY", 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _CLOEXEC
_REPLACE_TRIES = 20
_COARSEST_NS = 2_000_000_000
TEMPORARY = ".tmp"  # how a file's name ends while it is written: NAME.PID-RANDOM.tmp


class PrivateDirectory:
    """An open directory of ours (0700); the files in it are named relative to it, whatever its path becomes."""

    def __init__(self, path: str) -> None:
        """Open the directory at ``path``, or the one that a link there leads to, if we have made that link.

        Raises OSError if it is absent, is not ours, or may be written by others.
        """
        self.path = path
        self._fd: int | None = None
        if not _POSIX:
            if not os.path.isdir(path):
                raise FileNotFoundError(path)
            return
        try:
            fd = os.open(path, _DIRECTORY | _NOFOLLOW)
        except OSError:
            if not os.path.islink(path):
                raise
            fd = os.open(_target(path), _DIRECTORY)
        status = os.fstat(fd)
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            close_file(fd)
            message = "belongs to another user" if status.st_uid != os.geteuid() else "others may write to it"
            raise PermissionError(f"{path}: {message}")
        self._fd = fd

    def close(self) -> None:
        """Close the directory; its files cannot be reached through this object any more."""
        if self._fd is not None:
            close_file(self._fd)
            self._fd = None

    def open(self, name: str, flags: int) -> int:
        """Open the file ``name`` and return its descriptor (not inherited by children), created 0600 if flags say so.

        Raises OSError if that fails, or if the file is not a plain file of ours that nobody else may write.
        """
        fd = self._open(name, flags)
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or (_POSIX and (status.st_uid != os.geteuid() or status.st_mode & 0o077)):
            close_file(fd)
            raise PermissionError(f"{self.path}/{name}: not a private file of ours")
        return fd

    def read(self, name: str, limit: int) -> bytes | None:
        """Return the whole file, or None where there is none that can be used, or it is longer than limit bytes."""
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
        """Put ``data`` in the place of the file ``name``, at once or not at all.

        Raises OSError if it cannot; then the old file stands and no part of the new one is left.
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
        """Remove the file; return whether there was one that could be removed."""
        try:
            if self._fd is None:
                os.unlink(os.path.join(self.path, name))
            else:
                os.unlink(name, dir_fd=self._fd)
        except OSError:
            return False
        return True

    def stamp(self) -> int | None:
        """Return a number that changes when a file is made, replaced or removed; None while it may without a trace.

        That is so for two seconds after a change (the coarsest time stamps of a file system), and where a directory
        has no such time.
        """
        if self._fd is None:
            return None
        try:
            changed = os.fstat(self._fd).st_mtime_ns
        except OSError:  # a network file system that has gone
            return None
        return changed if abs(time.time_ns() - changed) > _COARSEST_NS else None

    def names(self) -> list[str]:
        """Return the names of all files in the directory, sorted."""
        return sorted(os.listdir(self.path if self._fd is None else self._fd))

    def some_names(self, limit: int) -> list[str]:
        """Return the names of at most ``limit`` files, in no order; none where they cannot be listed."""
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
        """Return what stands under ``name`` now (links not followed), or None where nothing does."""
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
        # Windows: a reader that holds the old file makes the rename fail for a moment
        for attempt in range(_REPLACE_TRIES):
            try:
                os.replace(os.path.join(self.path, old), os.path.join(self.path, new))
            except PermissionError:
                if attempt == _REPLACE_TRIES - 1:
                    raise
                time.sleep(0.01)
            else:
                return


def _target(path: str) -> str:
    """Return where the link at ``path`` leads; raises OSError if it is another user's.

    In a directory that all may write, a link of somebody else's would lead us into any private directory of ours.
    """
    link = os.lstat(path)
    if link.st_uid not in (os.geteuid(), 0):
        raise PermissionError(f"{path}: a link that another user has made")
    target = os.readlink(path)
    now = os.lstat(path)
    if (now.st_ino, now.st_ctime_ns) != (link.st_ino, link.st_ctime_ns):
        raise PermissionError(f"{path}: has just been replaced")
    return os.path.join(os.path.dirname(path), target)


def open_directory(path: str | None) -> PrivateDirectory | None:
    """Return the directory, or None where there is none that may be used."""
    if path is None:
        return None
    try:
        return PrivateDirectory(path)
    except OSError:
        return None


def make_directory(path: str, kind: "type[PrivateDirectory]" = PrivateDirectory) -> PrivateDirectory:
    """Return the directory at ``path``, made 0700 together with what is missing above it.

    Raises OSError if it cannot be made or may not be used. As root nothing is made in another user's directory:
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
    if _POSIX and os.geteuid() == 0 and os.stat(above).st_uid != 0:
        raise PermissionError(f"{above}: belongs to another user")
    for directory in reversed(missing):  # one by one, as os.makedirs gives its mode to the last one only
        try:
            os.mkdir(directory, mode=0o700)
        except FileExistsError:  # a parallel run was faster
            pass
    return kind(path)


def digest(data: "str | bytes", *, size: int = 16, key: bytes = b"", person: bytes = b"") -> str:
    """Return the BLAKE2b digest of so many bytes, in hexadecimal: a file's name, or a text that is only compared.

    ``key`` (64 bytes at most) and ``person`` (16 at most) keep digests of different uses apart. Text may hold what
    Python has decoded with "surrogateescape".
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    return blake2b(data, digest_size=size, key=key, person=person).hexdigest()


def close_file(fd: int) -> None:
    """Close a descriptor; a failure is no news: what was read is read, and what was written was synced before."""
    try:
        os.close(fd)
    except OSError:
        pass
