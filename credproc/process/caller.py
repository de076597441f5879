"""The program that started credproc: whether it still waits for the answer, and which it is."""

import os
import select
import stat
import sys
from typing import NamedTuple

from credproc.request import Caller

if sys.platform == "win32":  # pragma: no cover - Windows
    from credproc.process import windows_caller

GONE = "the program that asked has gone"
_SHELLS = frozenset(("sh", "bash", "dash", "zsh", "fish", "ksh", "ash", "busybox"))
_MAX_ANCESTORS = 3  # a shell may run the credential_process line, and another shell that one


class Program(NamedTuple):
    """A program that needs the credentials."""

    name: str
    process: int


def find(program: str) -> Caller | None:
    """Return what started credproc, whose own path is ``program``; None if it is unknown. Call it early: it may end."""
    if sys.platform == "win32":  # pragma: no cover - Windows
        found = windows_caller.find(program)
    else:
        found = Caller(os.getppid())
    return found


def retry_group(caller: Caller | None) -> int:
    """Return a number that the runs of one command have in common, so that an SDK which tries again is recognised.

    It is the process group. Windows has none, and starts a new cmd.exe for each run: there it is the calling program.
    """
    if sys.platform == "win32":  # pragma: no cover - Windows
        group = os.getpid() if caller is None else caller.created << 32 | caller.process
    else:
        group = os.getpgrp()
    return group


def is_waiting(caller: Caller | None) -> bool:
    """Return whether the program ``caller`` still runs and the reader of our stdout has not closed it."""
    if sys.platform == "win32":  # pragma: no cover - Windows
        has_ended = caller is not None and windows_caller.has_ended(caller)
        is_read = windows_caller.is_read()
    else:
        has_ended = caller is not None and os.getppid() != caller.process
        is_read = has_ended or _is_read()
    return is_read and not has_ended


def program_of(caller: Caller | None) -> Program | None:
    """Return the program that needs the credentials; None if a person's shell does, or if it is unknown.

    On Windows it is always unknown: /proc, from which the name comes, would be a directory there that anybody can make.
    """
    if sys.platform == "win32":  # pragma: no cover - Windows
        program = None
    else:
        program = None if caller is None else _program_of(caller.process)
    return program


def _runs_command(arguments: list[bytes]) -> bool:
    """Return whether a shell with these arguments runs a command (``-c``, ``-lc``) and is not interactive."""
    for argument in arguments:
        if not argument.startswith(b"-") or argument.startswith(b"--"):
            return False
        if argument.endswith(b"c"):
            return True
    return False


if sys.platform != "win32":

    def _is_read() -> bool:
        """Return False if stdout is a pipe or a socket whose reader has closed it."""
        try:
            mode = os.fstat(1).st_mode
            if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
                return True
            poll = select.poll()
            poll.register(1, 0)  # POLLERR and POLLHUP are always reported
            return not poll.poll(0)
        except OSError:  # closed from the start
            return True

    def _program_of(process: int) -> Program | None:
        """Return the program of this process; for a shell that runs a command (``sh -c``) the one that started it.

        Arguments are never shown, as they may hold secrets.
        """
        for _ in range(_MAX_ANCESTORS):
            if process <= 1:
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
            if session != os.getsid(0):  # tmux, sshd or cron started the session; it needs no credentials
                return None
            if name not in _SHELLS:
                return Program(name, process)
            if not runs_command:
                return None
            process = parent
        return None


def user_name() -> str:
    """Return the name of the operating system's user; empty if it is unknown."""
    if sys.platform == "win32":
        return os.environ.get("USERNAME", "")
    else:  # noqa: RET505 - by this mypy knows that it is not for Windows
        import pwd  # noqa: PLC0415 - POSIX only

        try:
            return pwd.getpwuid(os.getuid()).pw_name
        except KeyError:  # a container that runs as a user without an entry
            return f"uid-{os.getuid()}"
