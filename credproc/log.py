"""The log: refreshes and failures, one line each, redacted by being given nothing secret; hits write nothing."""

import os
import time

from credproc.errors import CredprocError, inert
from credproc.files import PrivateDirectory, close_file

NAME = "credproc.log"
_LIMIT = 256 * 1024  # bytes; above it the older half goes
_LINE_LIMIT = 2000  # characters
_FAILED, _BUG = " failed: ", " bug: "


def write(directory: PrivateDirectory | None, text: str, *, profile: str | None = None) -> None:
    """Append a line with time, process and profile; a log that cannot be written is no failure."""
    if directory is None:
        return
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    subject = "-" if profile is None else ascii(profile[:80])
    _append(directory, f"{moment} {os.getpid()} {subject} {inert(text, _LINE_LIMIT)}\n")


def write_failure(directory: PrivateDirectory | None, error: CredprocError, *, profile: str | None) -> None:
    """Append what has failed and what to do about it: some SDKs drop what we say on stderr."""
    write(directory, f"failed: {error}" + (f" ({error.hint})" if error.hint else ""), profile=profile)


def write_traceback(directory: PrivateDirectory | None, error: BaseException) -> bool:
    """Append a bug's traceback, without the values in it; return whether there is a log to look into.

    The exception's own text is left out but for its type: a foreign message may quote what it was given.
    """
    import traceback  # noqa: PLC0415 - a bug is rare

    if directory is None:
        return False
    frames = "".join(traceback.format_tb(error.__traceback__))
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return _append(directory, f"{moment} {os.getpid()} bug: {type(error).__name__}\n{frames}")


def _append(directory: PrivateDirectory, text: str) -> bool:
    data = text.encode("utf-8", "backslashreplace")
    try:
        fd = directory.open(NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            os.write(fd, data)
            size = os.fstat(fd).st_size
        finally:
            close_file(fd)
        if size > _LIMIT:
            kept = (directory.read(NAME, 2 * _LIMIT) or b"")[-_LIMIT // 2 :]
            directory.write(NAME, kept[kept.find(b"\n") + 1 :])
    except OSError:
        return False
    return True


def failures(directory: PrivateDirectory | None, count: int) -> list[str]:
    """Return the last lines that tell of a failure or a bug, oldest first, at most ``count``."""
    data = (directory.read(NAME, 2 * _LIMIT) if directory is not None else None) or b""
    lines = data.decode("utf-8", "replace").splitlines()
    return [line for line in lines if _FAILED in line or _BUG in line][-count:]
