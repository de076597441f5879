"""The terminal of this process, whichever kind the platform has; both kinds offer the same."""

import sys
from collections.abc import Mapping

if sys.platform == "win32":  # pragma: no cover - Windows
    from credproc.terminal.windows import Terminal, is_there, notify, open_for_child, session_number, why_not
else:
    from credproc.terminal.posix import Terminal, is_there, notify, open_for_child, session_number, why_not

from credproc.errors import PersonNeededError

__all__ = [
    "Terminal",
    "check_interactive",
    "is_there",
    "notify",
    "open_for_child",
    "session_number",
    "why_not",
    "why_not_interactive",
]


def why_not_interactive(environ: Mapping[str, str]) -> str | None:
    """Return why nobody can be asked here, or None: there is a terminal, and this process may ask on it."""
    if environ.get("CREDPROC_INTERACTIVE") == "never":
        return "CREDPROC_INTERACTIVE=never forbids asking"
    return why_not()


def check_interactive(environ: Mapping[str, str]) -> None:
    """Raise PersonNeededError, whose message is the reason, where nobody can be asked here."""
    reason = why_not_interactive(environ)
    if reason is not None:
        raise PersonNeededError(reason)
