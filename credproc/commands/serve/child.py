"""A command as a child of this process, which serves it: its signals, and how it ends."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType

from credproc import terminal
from credproc.errors import SignalError

_PASSED_ON = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
_FROM_TERMINAL = ("SIGINT", "SIGQUIT")  # a terminal sends them to the command too
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGPIPE", "SIGALRM")


def run_child(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the command and return its exit status; a signal that is sent to this process reaches it.

    Raises OSError if it cannot be started, SignalError if one of the usual signals has ended it: this process is to end
    by the same, as shells look at that.
    """
    started: list[subprocess.Popen[bytes]] = []
    early: list[int] = []  # signals that came before the command was there

    def pass_on(number: int, _frame: FrameType | None = None) -> None:
        if number in _numbers(_FROM_TERMINAL) and terminal.is_available():
            return
        if started:
            started[0].send_signal(number)
        else:
            early.append(number)

    for number in _numbers((*_PASSED_ON, *_FROM_TERMINAL)):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, pass_on)  # a new program has it as it was by default
    started.append(subprocess.Popen(list(command), env=dict(environ)))  # noqa: S603 - the user's own command
    for number in early:
        pass_on(number)
    return _status(started[0].wait())


def _status(status: int) -> int:
    """Return the exit status of a command that has ended with this one of Popen. Raises SignalError."""
    if status >= 0:
        return status
    if -status in _numbers(_ENDING):
        raise SignalError(-status, "the command was ended by a signal")
    return 128 - status


def _numbers(names: Sequence[str]) -> list[int]:
    """Return the signals of these names that the platform has."""
    return [getattr(signal, name) for name in names if hasattr(signal, name)]
