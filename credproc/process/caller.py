"""The program that has started us: whether it still waits for the answer, and what it is called."""

import os
import select
import stat

_SHELLS = frozenset(("sh", "bash", "dash", "zsh", "fish", "ksh", "ash", "busybox"))
_STEPS = 3  # a credential_process line may be run by a shell, and that by another


def is_waiting(caller: int | None) -> bool:
    """Whether the process ``caller`` is still our parent, and whoever reads our stdout has not closed it."""
    if caller is not None and os.getppid() != caller:
        return False
    try:
        mode = os.fstat(1).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
            return True
        poll = select.poll()
        poll.register(1, 0)  # POLLERR and POLLHUP are told without being asked for
        return not poll.poll(0)
    except (OSError, AttributeError):  # closed from the start, or no poll here
        return True


def program_name(caller: int | None) -> str | None:
    """Return the name of the program that asks, or None: a person's shell, or not to be known.

    Read from /proc, by name only: arguments may hold secrets. A shell that runs a line (``sh -c``) asks for another.
    """
    process = caller
    for _ in range(_STEPS):
        if process is None or process <= 1:
            return None
        try:
            with open(f"/proc/{process}/comm", "rb") as file:
                name = file.read(64).strip().decode("utf-8", "replace")
            with open(f"/proc/{process}/cmdline", "rb") as file:
                runs_a_line = _runs_a_line(file.read(4096).split(b"\0")[1:])
            with open(f"/proc/{process}/stat", "rb") as file:
                # the name stands in brackets and may hold any character, brackets too
                fields = file.read(4096).rpartition(b")")[2].split()
            parent, session = int(fields[1]), int(fields[3])
        except (OSError, ValueError, IndexError):  # no /proc (macOS), or it has just gone
            return None
        if session != os.getsid(0):  # it has opened the window (tmux, sshd, cron), and asks for nothing
            return None
        if name not in _SHELLS:
            return name
        if not runs_a_line:
            return None
        process = parent
    return None


def _runs_a_line(arguments: list[bytes]) -> bool:
    """Whether a shell with these arguments runs a line (``-c``, ``-lc``) for somebody, and is no person's."""
    for argument in arguments:
        if not argument.startswith(b"-") or argument.startswith(b"--"):
            return False
        if argument.endswith(b"c"):
            return True
    return False
