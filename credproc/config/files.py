"""The two AWS files as files: opened, looked at and decoded; what they say is parser's."""

import os
import stat
from collections.abc import Mapping
from typing import NamedTuple

from credproc import paths
from credproc.errors import ConfigError

_SIZE_LIMIT = 8 * 1024 * 1024  # bytes
_LINES_LIMIT = 100_000  # ten thousand profiles; what is read takes a hundred times as much memory as its text
ACCESS_HINT = "check the owner and mode of the file"


class Doubt(NamedTuple):
    """Why what a file says may be somebody else's word, and what to do about it."""

    what: str
    hint: str


class Content(NamedTuple):
    """A file's text, empty if there is none, what it looked like when it was opened, and why it could not be read."""

    text: str = ""
    status: os.stat_result | None = None
    unread: str | None = None


def content(path: str | None, environ: Mapping[str, str]) -> Content:
    """Return what a file of UTF-8 holds. Raises ConfigError."""
    if path is None:
        return Content()
    shown = paths.shown(path, environ)
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (FileNotFoundError, NotADirectoryError):
        return Content()
    except PermissionError as error:
        return Content(unread=_unread(shown, error))
    except (OSError, ValueError) as error:
        raise ConfigError(_unread(shown, error), ACCESS_HINT) from None
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        if os.path.exists(os.devnull) and os.path.samestat(status, os.stat(os.devnull)):
            return Content()
        raise ConfigError(f"{shown}: is no regular file", "name a file in AWS_CONFIG_FILE and its like")
    try:
        with os.fdopen(fd, "rb") as file:
            data = file.read(_SIZE_LIMIT + 1)
    except OSError as error:
        raise ConfigError(_unread(shown, error), ACCESS_HINT) from None
    if len(data) > _SIZE_LIMIT:
        raise ConfigError(f"{shown}: is larger than 8 MiB", "is this the right file?")
    if max(data.count(b"\n"), data.count(b"\r")) > _LINES_LIMIT:
        raise ConfigError(f"{shown}: has more than {_LINES_LIMIT} lines", "is this the right file?")
    return Content(decoded(data, shown), status)


def _unread(shown: str, error: OSError | ValueError) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "is no path"
    return f"{shown}: cannot be read: {reason.lower()}"


def doubt_about(status: os.stat_result | None, shown: str) -> Doubt | None:
    """Return how others may change the file, or None if only its user, or root, may."""
    if status is None or os.name != "posix":
        return None
    if status.st_uid not in (os.geteuid(), 0):
        return Doubt(f"belongs to another user ({status.st_uid})", f"sudo chown $USER {shown}")
    if status.st_mode & 0o002:  # a group may be the user's own, as where the umask is 002
        return Doubt(f"may be written by others (mode {stat.S_IMODE(status.st_mode):o})", f"chmod go-w {shown}")
    return None


def readable_by_others(status: os.stat_result | None, shown: str) -> list[str]:
    """Return a warning if others may read the file, which holds keys; else nothing."""
    if status is None or os.name != "posix" or not status.st_mode & 0o044:
        return []
    return [f"{shown}: others may read the keys in it (mode {stat.S_IMODE(status.st_mode):o})"]


def decoded(data: bytes, shown: str) -> str:
    """Return the text of UTF-8, with a byte order mark or without. Raises ConfigError, with file and line."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ConfigError(f"{shown}:1: is UTF-16", "save it as UTF-8")
    zero = data.find(b"\0")
    if zero >= 0:
        raise ConfigError(f"{shown}:{_line_of(data, zero)}: holds a NUL byte", "save it as UTF-8 text")
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")  # the codec for it is another module
    except UnicodeDecodeError as error:
        line = _line_of(error.object, error.start)  # behind a byte order mark, that is not data
        raise ConfigError(f"{shown}:{line}: is not UTF-8", "save it as UTF-8") from None


def _line_of(data: bytes, position: int) -> int:
    """Return the number of the line that holds the byte; lines end in LF, CR or both."""
    before = data[:position]
    return before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n") + 1
