"""The end of this process by a signal, as whoever started it sees it."""

import os
import signal
import sys

_CONTROL_C_EXIT = 0xC000013A - (1 << 32)  # STATUS_CONTROL_C_EXIT, by which Windows ends what Ctrl-C ends, as a C int


def end_by_signal(number: int) -> int | None:
    """End this process as the signal does by default, so that a shell sees which it was.

    It may go on: process 1 of a container is not ended by its own signals, and then this returns None. On Windows no
    signal ends a process (there os.kill is TerminateProcess); return the exit status that says the same.
    """
    status = None
    if sys.platform == "win32":  # pragma: no cover - Windows
        status = _CONTROL_C_EXIT
    else:
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (number,))  # the caller may have blocked it, and we inherit that
        os.kill(os.getpid(), number)
    return status
