"""The result of one check of credproc doctor."""

from typing import Literal, NamedTuple

from credproc.errors import CredprocError

Level = Literal["ok", "warn", "FAIL"]


class Check(NamedTuple):
    """One result: its level, what was found, what to do about it, and lines of detail."""

    level: Level
    message: str
    hint: str | None = None
    details: tuple[str, ...] = ()


def ok(message: str) -> Check:
    """Return a check that passed."""
    return Check("ok", message)


def warn(message: str, hint: str | None = None) -> Check:
    """Return a check that found something that may be intended."""
    return Check("warn", message, hint)


def fail(message: str, hint: str | None = None) -> Check:
    """Return a check that found something wrong."""
    return Check("FAIL", message, hint)


def from_error(error: CredprocError, prefix: str = "") -> Check:
    """Return a failed check from an error, with its message behind ``prefix``, and its hint."""
    return fail(f"{prefix}{error}", error.hint)
