"""The terminal of this process: POSIX or Windows, with the same functions; and whether it may be used to ask."""

import sys
from collections.abc import Mapping

if sys.platform == "win32":  # pragma: no cover - Windows
    from credproc.terminal.windows import (
        Terminal,
        is_available,
        notify,
        open_for_child,
        session_id,
        unavailable_reason,
    )
else:
    from credproc.terminal.posix import Terminal, is_available, notify, open_for_child, session_id, unavailable_reason

from credproc.errors import PersonNeededError

__all__ = [
    "Terminal",
    "check_allowed",
    "check_interactive",
    "is_available",
    "noninteractive_reason",
    "notify",
    "open_for_child",
    "session_id",
    "unavailable_reason",
]


_FORBIDDEN = "CREDPROC_INTERACTIVE=never forbids asking"


def noninteractive_reason(environ: Mapping[str, str]) -> str | None:
    """Return why this process cannot or must not prompt, or None if it may."""
    return _FORBIDDEN if environ.get("CREDPROC_INTERACTIVE") == "never" else unavailable_reason()


def check_allowed(environ: Mapping[str, str]) -> None:
    """Raise PersonNeededError, whose message is the reason, if nobody may be asked, in whatever place."""
    if environ.get("CREDPROC_INTERACTIVE") == "never":
        raise PersonNeededError(_FORBIDDEN)


def check_interactive(environ: Mapping[str, str]) -> None:
    """Raise PersonNeededError, whose message is the reason, if this process cannot or must not prompt."""
    reason = noninteractive_reason(environ)
    if reason is not None:
        raise PersonNeededError(reason)
