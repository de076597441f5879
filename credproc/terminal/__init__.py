"""The terminal of this process, whichever kind the platform has; both kinds offer the same."""

import sys

if sys.platform == "win32":  # pragma: no cover - Windows
    from credproc.terminal.windows import Terminal, is_there, notify, open_for_child, session_number, why_not
else:
    from credproc.terminal.posix import Terminal, is_there, notify, open_for_child, session_number, why_not

__all__ = ["Terminal", "is_there", "notify", "open_for_child", "session_number", "why_not"]
