"""The log: one line for each refresh and failure. Callers pass no secrets; a hit writes nothing."""

import os
import time

from credproc.errors import CredprocError, PersonNeededError, inert
from credproc.files import PrivateDirectory, close_file

NAME = "credproc.log"
_LIMIT = 256 * 1024  # bytes; above that the older half is dropped
_LINE_LIMIT = 2000  # characters
# What a line begins with: a refresh that failed, one that was declined, and two that succeeded
FAILED, DECLINED, REFRESHED, CONFIRMED = "failed: ", "declined: ", "refreshed: ", "confirmed: "
BUG = "bug: "


def write(directory: PrivateDirectory | None, text: str, *, profile: str | None = None) -> None:
    """Append a line with time, process id and profile; ignore it if the log cannot be written."""
    if directory is None:
        return
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    _append(directory, f"{moment} {os.getpid()} {subject(profile)} {inert(text, _LINE_LIMIT)}\n")


def subject(profile: str | None) -> str:
    """Return the profile as a line names it."""
    return "-" if profile is None else ascii(profile[:80])


def write_failure(directory: PrivateDirectory | None, error: CredprocError, *, profile: str | None) -> None:
    """Append the error and its hint, because some SDKs discard stderr; what a person has declined is no failure."""
    kind = DECLINED if isinstance(error, PersonNeededError) and error.is_declined else FAILED
    write(directory, f"{kind}{error}" + (f" ({error.hint})" if error.hint else ""), profile=profile)


def write_traceback(directory: PrivateDirectory | None, error: BaseException) -> bool:
    """Append the traceback of a bug; return whether it could be written.

    Of the exception only the type is written: the message of another library may quote a secret.
    """
    import traceback  # noqa: PLC0415 - only for a bug

    if directory is None:
        return False
    frames = "".join(traceback.format_tb(error.__traceback__))
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return _append(directory, f"{moment} {os.getpid()} {BUG}{type(error).__name__}\n{frames}")


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


def lines(directory: PrivateDirectory | None) -> list[str]:
    """Return the lines of the log, oldest first; none if it cannot be read."""
    data = (directory.read(NAME, 2 * _LIMIT) if directory is not None else None) or b""
    return data.decode("utf-8", "replace").splitlines()
