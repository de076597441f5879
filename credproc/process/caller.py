"""The program that started credproc: whether it still waits for the answer, and which it is."""

import os
import select
import stat
from typing import NamedTuple

GONE = "the program that asked has gone"
_SHELLS = frozenset(("sh", "bash", "dash", "zsh", "fish", "ksh", "ash", "busybox"))
_MAX_ANCESTORS = 3  # a shell may run the credential_process line, and another shell that one


class Program(NamedTuple):
    """A program that needs the credentials."""

    name: str
    process: int


def is_waiting(caller: int | None) -> bool:
    """Return whether the process ``caller`` is still our parent and the reader of our stdout has not closed it."""
    if caller is not None and os.getppid() != caller:
        return False
    try:
        mode = os.fstat(1).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
            return True
        poll = select.poll()  # type: ignore[attr-defined,unused-ignore]  # Windows raises AttributeError
        poll.register(1, 0)  # POLLERR and POLLHUP are always reported
        return not poll.poll(0)
    except (OSError, AttributeError):  # stdout was closed from the start, or the platform has no poll
        return True


def program_of(caller: int | None) -> Program | None:
    """Return the program that needs the credentials; None if a person's shell does, or if it is unknown.

    The name comes from /proc; arguments are never shown, as they may hold secrets. For a shell that runs a command
    (``sh -c``) the program that started the shell is named.
    """
    process = caller
    for _ in range(_MAX_ANCESTORS):
        if process is None or process <= 1:
            return None
        try:
            with open(f"/proc/{process}/comm", "rb") as file:
                name = file.read(64).strip().decode("utf-8", "replace")
            with open(f"/proc/{process}/cmdline", "rb") as file:
                runs_command = _runs_command(file.read(4096).split(b"\0")[1:])
            with open(f"/proc/{process}/stat", "rb") as file:
                # the name is in parentheses and may itself contain parentheses and spaces
                fields = file.read(4096).rpartition(b")")[2].split()
            parent, session = int(fields[1]), int(fields[3])
        except (OSError, ValueError, IndexError):  # no /proc (macOS), or the process has ended
            return None
        if session != os.getsid(0):  # type: ignore[attr-defined,unused-ignore]  # tmux, sshd or cron started the session; it needs no credentials
            return None
        if name not in _SHELLS:
            return Program(name, process)
        if not runs_command:
            return None
        process = parent
    return None


def _runs_command(arguments: list[bytes]) -> bool:
    """Return whether a shell with these arguments runs a command (``-c``, ``-lc``) and is not interactive."""
    for argument in arguments:
        if not argument.startswith(b"-") or argument.startswith(b"--"):
            return False
        if argument.endswith(b"c"):
            return True
    return False
