"""Replace an AWS file as a whole, atomically: links are followed, mode and owner stay as they were."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from credproc.config.files import NOT_REGULAR_HINT
from credproc.errors import ConfigError

BACKUP = ".credproc-backup"
_PRIVATE = 0o600
_BINARY = getattr(os, "O_BINARY", 0)
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | _CLOEXEC | _BINARY
_OLD = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _CLOEXEC | _BINARY  # opening a FIFO must not block


class ConfigFile(NamedTuple):
    """A file as it was read; ``shown`` is its path for messages."""

    path: str
    shown: str
    data: bytes
    status: os.stat_result | None  # None: there was no file

    @property
    def text(self) -> str:
        """The data as text. Raises ConfigError if it is not UTF-8."""
        try:
            return self.data.decode()
        except UnicodeDecodeError:
            raise ConfigError(f"{self.shown}: is not UTF-8", "save it as UTF-8") from None


def read(path: str, shown: str) -> ConfigFile:
    """Read the file; a missing file counts as empty. Raises ConfigError."""
    try:
        fd = os.open(path, _OLD)
    except FileNotFoundError:
        return ConfigFile(path, shown, b"", None)
    except OSError as error:
        raise _failed(shown, "cannot be read", error) from None
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):  # /dev/null means "no file", and must not be replaced by one
            raise ConfigError(f"{shown}: is not a regular file", NOT_REGULAR_HINT)
        return ConfigFile(path, shown, file.read(), status)


def replace(file: ConfigFile, text: str, *, keep_old: bool = False) -> None:
    """Replace the content of the file by ``text``; ``keep_old`` keeps the old content in path + BACKUP, mode 0600.

    If the path is a link, the file that it points to is replaced and the backup is beside the link. Raises
    ConfigError, also if the file has changed since it was read; then nothing is written.
    """
    try:
        target = os.path.realpath(file.path)
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        mode = _PRIVATE if file.status is None else stat.S_IMODE(file.status.st_mode)
        with _new_file(target, text.encode(), file.status, mode) as temporary:
            if read(file.path, file.shown).data != file.data:
                raise ConfigError(
                    f"{file.shown}: was changed by another program; nothing was written", "run the command again"
                )
            if keep_old:
                with _new_file(file.path + BACKUP, file.data, file.status, _PRIVATE) as backup:
                    os.replace(backup, file.path + BACKUP)
            os.replace(temporary, target)
        _sync(os.path.dirname(target))
    except OSError as error:
        raise _failed(file.shown, "cannot be written", error) from None


def edit(path: str, shown: str, change: Callable[[str], str]) -> None:
    """Replace the file's text by ``change(text)``, without a backup. Raises ConfigError; then nothing is written."""
    file = read(path, shown)
    changed = change(file.text)
    if changed != file.text:
        replace(file, changed)


@contextmanager
def _new_file(path: str, data: bytes, owner: os.stat_result | None, mode: int) -> Iterator[str]:
    """Write a temporary file beside ``path``, with the data, owner and mode; yield its path; remove it on failure."""
    temporary = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    fd = os.open(temporary, _NEW, _PRIVATE)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            if os.name == "posix":
                made = os.fstat(fd)
                if owner is not None and (made.st_uid, made.st_gid) != (owner.st_uid, owner.st_gid):
                    os.fchown(fd, owner.st_uid, owner.st_gid)
                os.fchmod(fd, mode)  # after fchown, which may clear mode bits
            os.fsync(fd)
        yield temporary
    except (OSError, ConfigError):
        os.unlink(temporary)
        raise


def _sync(directory: str) -> None:
    """Sync the directory, so that a power loss does not undo or reorder the replacements."""
    if os.name == "posix":
        fd = os.open(directory, os.O_RDONLY | _CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _failed(shown: str, what: str, error: OSError) -> ConfigError:
    reason = (error.strerror or type(error).__name__).lower()
    return ConfigError(f"{shown}: {what}: {reason}", "check owner and mode of the file and of its directory")
