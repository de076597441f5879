"""The user's shell, in which ``exec`` without a command puts the credentials; not one within another."""

import os
import sys
from collections.abc import Mapping

from credproc import terminal
from credproc.errors import CredprocError, quoted

VARIABLE = "CREDPROC_SHELL"  # in such a shell: the profile whose credentials it has


def check_not_nested(environ: Mapping[str, str]) -> None:
    """Raise CredprocError in a shell that ``exec`` has started: who leaves an inner one is still in the outer one."""
    profile = environ.get(VARIABLE)
    if profile:
        raise CredprocError(
            f"exec: this shell has the credentials of profile {quoted(profile)}, and another in it would hide them",
            "leave it with exit first, or name a command: credproc exec NAME -- COMMAND",
        )


def users_shell(environ: Mapping[str, str]) -> str:
    """Return the program of the user's shell: what SHELL (on Windows COMSPEC) names, or else the system."""
    if sys.platform == "win32":
        return environ.get("COMSPEC") or "cmd.exe"
    else:  # noqa: RET505 - by this mypy knows that it is not for Windows
        import pwd  # noqa: PLC0415 - POSIX only

        try:
            return environ.get("SHELL") or pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh"
        except KeyError:  # a container that runs as a user without an entry
            return "/bin/sh"


def announce(shell: str, subject: str, lasting: str) -> None:
    """Say on the terminal whose credentials the shell has; ``lasting``, behind them, is how long."""
    terminal.notify(f"credproc: {os.path.basename(shell)} with the credentials of {subject}{lasting}; exit leaves it")
