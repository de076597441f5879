"""The two AWS files as files: opened, checked and decoded. ``parser`` reads what they say."""

import os
import stat
import sys
from collections.abc import Mapping
from typing import NamedTuple

from credproc import paths
from credproc.errors import ConfigError, by_platform

_SIZE_LIMIT = 8 * 1024 * 1024  # bytes
_LINES_LIMIT = 100_000  # about ten thousand profiles; the parsed form takes a hundred times the memory of the text
ACCESS_HINT = by_platform(
    posix="check the owner and mode of the file", windows="check in its properties, Security, who may read the file"
)
NOT_REGULAR_HINT = "set AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE to regular files"
_PATH_HINT = "check that the path is the right one"


class FileContent(NamedTuple):
    """The text of a file, empty if there is none; its status when it was opened; why it could not be read."""

    text: str = ""
    status: os.stat_result | None = None
    read_error: str | None = None


def read_file(path: str | None, environ: Mapping[str, str]) -> FileContent:
    """Return the content of a UTF-8 file; empty without a path or a file. Raises ConfigError.

    A missing read permission is no exception: ``read_error`` says it, and the caller decides.
    """
    if path is None:
        return FileContent()
    shown = paths.shown(path, environ)
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (FileNotFoundError, NotADirectoryError):
        return FileContent()
    except PermissionError as error:
        return FileContent(read_error=_read_error(shown, error))
    except (OSError, ValueError) as error:
        raise ConfigError(_read_error(shown, error), ACCESS_HINT) from None
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        if os.path.exists(os.devnull) and os.path.samestat(status, os.stat(os.devnull)):
            return FileContent()
        raise ConfigError(f"{shown}: is not a regular file", NOT_REGULAR_HINT)
    try:
        with os.fdopen(fd, "rb") as file:
            data = file.read(_SIZE_LIMIT + 1)
    except OSError as error:
        raise ConfigError(_read_error(shown, error), ACCESS_HINT) from None
    if len(data) > _SIZE_LIMIT:
        raise ConfigError(f"{shown}: is larger than 8 MiB", _PATH_HINT)
    if max(data.count(b"\n"), data.count(b"\r")) > _LINES_LIMIT:
        raise ConfigError(f"{shown}: has more than {_LINES_LIMIT} lines", _PATH_HINT)
    return FileContent(decode(data, shown), status)


def _read_error(shown: str, error: OSError | ValueError) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "is not a valid path"
    return f"{shown}: cannot be read: {reason.lower()}"


def readable_by_others(status: os.stat_result | None, shown: str) -> list[str]:
    """Return a warning if other users can read the file, which contains keys; otherwise nothing."""
    if sys.platform != "win32" and status is not None and status.st_mode & 0o044:
        return [f"{shown}: contains keys and is readable by others (mode {stat.S_IMODE(status.st_mode):o})"]
    return []


def decode(data: bytes, shown: str) -> str:
    """Return the text of UTF-8, without a byte order mark. Raises ConfigError, with file and line."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ConfigError(f"{shown}:1: is UTF-16", "save it as UTF-8")
    zero = data.find(b"\0")
    if zero >= 0:
        raise ConfigError(f"{shown}:{line_of(data, zero)}: contains a NUL byte", "save it as UTF-8 text")
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")  # the codec for it is another module
    except UnicodeDecodeError as error:
        line = line_of(error.object, error.start)  # error.object is data without the byte order mark
        raise ConfigError(f"{shown}:{line}: is not UTF-8", "save it as UTF-8") from None


def line_of(data: bytes, position: int) -> int:
    """Return the number of the line that contains the byte; lines end with LF, CR or both."""
    before = data[:position]
    return before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n") + 1
