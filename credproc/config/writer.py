"""The two AWS files, replaced whole: a link followed, mode and owner as they were, at once or not at all."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from credproc.errors import ConfigError

BACKUP = ".credproc-backup"
_PRIVATE = 0o600
_BINARY = getattr(os, "O_BINARY", 0)
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | _CLOEXEC | _BINARY
_OLD = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _CLOEXEC | _BINARY  # a FIFO in its place must not hold us up


class ConfigFile(NamedTuple):
    """A file as it was read; ``shown`` is its name for messages."""

    path: str
    shown: str
    data: bytes
    status: os.stat_result | None  # None: there was none

    @property
    def text(self) -> str:
        """What it holds. Raises ConfigError."""
        try:
            return self.data.decode()
        except UnicodeDecodeError:
            raise ConfigError(f"{self.shown}: is not UTF-8", "save it as UTF-8") from None


def read(path: str, shown: str) -> ConfigFile:
    """Return the file; an absent one is empty. Raises ConfigError."""
    try:
        fd = os.open(path, _OLD)
    except FileNotFoundError:
        return ConfigFile(path, shown, b"", None)
    except OSError as error:
        raise _failed(shown, "cannot be read", error) from None
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):  # /dev/null, which stands for no file, must not become one
            raise ConfigError(f"{shown}: is no regular file", "name a file in AWS_CONFIG_FILE and its like")
        return ConfigFile(path, shown, file.read(), status)


def replace(file: ConfigFile, text: str, *, keep_old: bool = False) -> None:
    """Put the text in the place of what the file holds; ``keep_old``: that is kept in its path + BACKUP, 0600.

    A link stays one, and what it leads to is replaced; the backup lies beside the link. Raises ConfigError, and then
    the file is as it was, which it is not if somebody else has changed it since it was read.
    """
    try:
        target = os.path.realpath(file.path)
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        mode = _PRIVATE if file.status is None else stat.S_IMODE(file.status.st_mode)
        with _beside(target, text.encode(), file.status, mode) as temporary:
            if read(file.path, file.shown).data != file.data:
                raise ConfigError(f"{file.shown}: was changed meanwhile; nothing was written", "run the command again")
            if keep_old:
                with _beside(file.path + BACKUP, file.data, file.status, _PRIVATE) as backup:
                    os.replace(backup, file.path + BACKUP)
            os.replace(temporary, target)
        _sync(os.path.dirname(target))
    except OSError as error:
        raise _failed(file.shown, "cannot be written", error) from None


def edit(path: str, shown: str, change: Callable[[str], str]) -> None:
    """Change the file's text; no copy of the old one is left. Raises ConfigError; then the file is as it was."""
    file = read(path, shown)
    changed = change(file.text)
    if changed != file.text:
        replace(file, changed)


@contextmanager
def _beside(path: str, data: bytes, like: os.stat_result | None, mode: int) -> Iterator[str]:
    """Give the path of a new file beside ``path``, with these bytes and the owner of another; removed on failure."""
    temporary = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    fd = os.open(temporary, _NEW, _PRIVATE)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            if os.name == "posix":
                made = os.fstat(fd)
                if like is not None and (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
                    os.fchown(fd, like.st_uid, like.st_gid)
                os.fchmod(fd, mode)  # behind chown, which may take bits from it
            os.fsync(fd)
        yield temporary
    except (OSError, ConfigError):
        os.unlink(temporary)
        raise


def _sync(directory: str) -> None:
    """See to it that the order of two replacements holds after a power loss too."""
    if os.name == "posix":
        fd = os.open(directory, os.O_RDONLY | _CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _failed(shown: str, what: str, error: OSError) -> ConfigError:
    reason = (error.strerror or type(error).__name__).lower()
    return ConfigError(f"{shown}: {what}: {reason}", "check owner and mode of the file and of its directory")
