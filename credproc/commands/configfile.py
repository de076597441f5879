"""The config file, replaced whole: the old bytes kept beside, a link followed, mode and owner as they were."""

import os
import stat

from credproc.errors import ConfigError

BACKUP = ".credproc-backup"
_BINARY = getattr(os, "O_BINARY", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | _BINARY


def contents(path: str, shown: str) -> bytes:
    """Return the file's bytes. Raises ConfigError."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise _failed(shown, "cannot be read", error) from None


def replace(path: str, shown: str, old: bytes, new: bytes) -> None:
    """Put ``new`` in the place of the file, which holds ``old``; that is kept in ``path`` + BACKUP, 0600.

    A link stays one, and what it leads to is replaced; the backup lies beside the link. Raises ConfigError, and then
    the file is as it was.
    """
    try:
        status = os.stat(path)
        target = os.path.realpath(path)
        _written(path + BACKUP, old, None)
        if contents(path, shown) != old:
            raise ConfigError(f"{shown}: was changed meanwhile; nothing was written", "run the command again")
        _written(target, new, status)
    except OSError as error:
        raise _failed(shown, "cannot be written", error) from None


def _written(path: str, data: bytes, like: os.stat_result | None) -> None:
    """Write a file of that content in one move; 0600, or with mode and owner of another one."""
    temporary = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    fd = os.open(temporary, _NEW, 0o600)
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            if like is not None and os.name == "posix":
                made = os.fstat(fd)
                if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
                    os.fchown(fd, like.st_uid, like.st_gid)
                os.fchmod(fd, stat.S_IMODE(like.st_mode))
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def _failed(shown: str, what: str, error: OSError) -> ConfigError:
    reason = (error.strerror or type(error).__name__).lower()
    return ConfigError(f"{shown}: {what}: {reason}", "check owner and mode of the file and of its directory")
