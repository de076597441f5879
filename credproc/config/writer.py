"""Replace an AWS file as a whole, atomically: links are followed; mode, owner and attributes stay as they were.

Where the links lead is decided once, when the file is read; it is compared and replaced in the directory that was
opened there. Root writes in no other user's directory, and follows no other user's link.
"""

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from credproc.config import attributes
from credproc.config.files import NOT_REGULAR_HINT
from credproc.errors import ConfigError, by_platform, inert
from credproc.trust import walk

BACKUP = ".credproc-backup"
_PRIVATE = 0o600
_BINARY = getattr(os, "O_BINARY", 0)
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _CLOEXEC | _BINARY
_OLD = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _CLOEXEC | _BINARY  # opening a FIFO must not block
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NOFOLLOW | _CLOEXEC


class ConfigFile(NamedTuple):
    """A file as it was read; ``shown`` is its path for messages, ``target`` where the links of ``path`` lead."""

    path: str
    shown: str
    target: str
    data: bytes = b""
    status: os.stat_result | None = None  # None: there was no file
    attributes: Mapping[str, bytes] = {}

    @property
    def text(self) -> str:
        """The data as text. Raises ConfigError if it is not UTF-8."""
        try:
            return self.data.decode()
        except UnicodeDecodeError:
            raise ConfigError(f"{self.shown}: is not UTF-8", "save it as UTF-8") from None


class _Place(NamedTuple):
    """An open directory and the name of a file in it; on Windows no directory and the whole path."""

    directory: int | None
    name: str

    def open(self, flags: int) -> int:
        return os.open(self.name, flags, _PRIVATE, dir_fd=self.directory)

    def put(self, temporary: str) -> None:
        """Put the temporary file in the file's place, so that a power loss does not undo or reorder that."""
        os.replace(temporary, self.name, src_dir_fd=self.directory, dst_dir_fd=self.directory)
        if self.directory is not None:
            os.fsync(self.directory)


def check_owner(path: str, shown: str) -> None:
    """Raise ConfigError if this is root, and another user's directory or link is on the way to the file.

    That user could choose the file that is written; and ``sudo credproc`` must not leave files of root in a home.
    """
    if sys.platform != "win32" and os.geteuid() == 0:
        try:
            for part, status in walk(path):
                if status.st_uid != 0 and not stat.S_ISREG(status.st_mode):
                    raise ConfigError(
                        f"{shown}: {inert(part)} belongs to another user ({status.st_uid}),"
                        " and root writes nothing there",
                        "run the command as that user, without sudo",
                    )
        except (OSError, ValueError):  # what is missing is made, and opening the file says why that fails
            pass


def read(path: str, shown: str) -> ConfigFile:
    """Read the file; a missing file counts as empty. Raises ConfigError, also if root may not edit it."""
    check_owner(path, shown)
    file = ConfigFile(path, shown, os.path.realpath(path))
    try:
        fd = os.open(path, _OLD)
    except FileNotFoundError:
        return file
    except OSError as error:
        raise _failed(shown, "cannot be read", error) from None
    with os.fdopen(fd, "rb") as opened:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):  # /dev/null means "no file", and must not be replaced by one
            raise ConfigError(f"{shown}: is not a regular file", NOT_REGULAR_HINT)
        try:
            return file._replace(data=opened.read(), status=status, attributes=attributes.read(fd))
        except OSError as error:
            raise _failed(shown, "cannot be read", error) from None


def replace(file: ConfigFile, text: str, *, keep_old: bool = False) -> None:
    """Replace the content of the file by ``text``; ``keep_old`` keeps the old content in path + BACKUP, mode 0600.

    If the path is a link, the file that it points to is replaced and the backup is beside the link. Raises
    ConfigError, also if the file has changed since it was read; then nothing is written.
    """
    mode = _PRIVATE if file.status is None else stat.S_IMODE(file.status.st_mode)
    try:
        os.makedirs(os.path.dirname(file.target), mode=0o700, exist_ok=True)
        with _place(file.target) as place, _new_file(place, text.encode(), file, mode) as temporary:
            if os.path.realpath(file.path) != file.target or not _is_unchanged(file, place):
                raise ConfigError(
                    f"{file.shown}: was changed by another program; nothing was written", "run the command again"
                )
            if keep_old:
                directory, name = os.path.split(file.path)
                old = file._replace(target=os.path.join(os.path.realpath(directory), name + BACKUP))
                # Private by its mode; on Windows, which has none, as private as the old file
                old = old if sys.platform == "win32" else old._replace(attributes={})
                with _place(old.target) as copy, _new_file(copy, old.data, old, _PRIVATE) as backup:
                    copy.put(backup)
            place.put(temporary)
    except OSError as error:
        raise _failed(file.shown, "cannot be written", error) from None


def edit(path: str, shown: str, change: Callable[[str], str]) -> None:
    """Replace the file's text by ``change(text)``, without a backup. Raises ConfigError; then nothing is written."""
    file = read(path, shown)
    changed = change(file.text)
    if changed != file.text:
        replace(file, changed)


@contextmanager
def _place(path: str) -> Iterator[_Place]:
    """Open the directory of the path, which has no links; root opens no other user's."""
    if sys.platform == "win32":
        yield _Place(None, path)
    else:
        directory = os.open(os.path.dirname(path), _DIRECTORY)
        try:
            if os.geteuid() == 0 and os.fstat(directory).st_uid != 0:
                raise PermissionError(errno.EPERM, "the directory belongs to another user")
            yield _Place(directory, os.path.basename(path))
        finally:
            os.close(directory)


def _is_unchanged(file: ConfigFile, place: _Place) -> bool:
    """Return whether the file in its place is the one that was read: its content, owner, mode and attributes."""
    try:
        fd = place.open(_OLD | _NOFOLLOW)
    except FileNotFoundError:
        return file.status is None
    with os.fdopen(fd, "rb") as opened:
        now, then = os.fstat(fd), file.status
        return (
            then is not None
            and (now.st_dev, now.st_ino, now.st_ctime_ns) == (then.st_dev, then.st_ino, then.st_ctime_ns)
            and opened.read() == file.data
        )


@contextmanager
def _new_file(place: _Place, data: bytes, like: ConfigFile, mode: int) -> Iterator[str]:
    """Write a temporary file in the place, with the mode, and owner and attributes of ``like``; yield its name.

    It is removed on failure. At no moment can anybody read it who could not read ``like``.
    """
    temporary = place._replace(name=f"{place.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    fd = temporary.open(_NEW)
    try:
        with os.fdopen(fd, "wb") as file:
            if sys.platform == "win32":  # where no mode hides it until then
                attributes.give(fd, temporary.name, like.attributes)
            file.write(data)
            file.flush()
            if sys.platform != "win32":
                made, owner = os.fstat(fd), like.status
                if owner is not None and (made.st_uid, made.st_gid) != (owner.st_uid, owner.st_gid):
                    os.fchown(fd, owner.st_uid, owner.st_gid)
                attributes.give(fd, temporary.name, like.attributes)
                # After fchown, which may clear bits, and the ACL, without which the mask in the mode is the group's
                if stat.S_IMODE(os.fstat(fd).st_mode) != mode:
                    os.fchmod(fd, mode)
            os.fsync(fd)
        yield temporary.name
    except (OSError, ConfigError):
        os.unlink(temporary.name, dir_fd=place.directory)
        raise


def _failed(shown: str, what: str, error: OSError) -> ConfigError:
    reason = (error.strerror or type(error).__name__).lower()
    hint = by_platform(
        posix="check owner and mode of the file and of its directory",
        windows="check that no other program has the file open, and in its properties, Security, who may write to it",
    )
    return ConfigError(f"{shown}: {what}: {reason}", hint)
