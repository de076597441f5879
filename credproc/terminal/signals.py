"""The signals that arrive while a prompt is up: read from a pipe, so that the terminal is restored before they act."""

import sys

assert sys.platform != "win32"  # by this mypy knows that the module is not for Windows

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from credproc.errors import SignalError
from credproc.terminal.device import unusable

_CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP)
_IGNORED = (signal.SIGTTIN, signal.SIGTTOU)


@contextmanager
def catch_signals() -> Iterator[int]:
    """Yield a descriptor from which the number of each caught signal can be read, one byte each.

    A signal that the caller ignores (nohup) stays ignored; one that the caller has blocked is unblocked meanwhile.
    Raises PersonNeededError if no pipe can be opened, SignalError if a signal arrives at the very end.
    """
    try:
        reader, writer = os.pipe()
    except OSError as error:
        raise unusable(error) from None
    try:
        os.set_blocking(writer, False)
        wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    except OSError as error:
        os.close(reader)
        os.close(writer)
        raise unusable(error) from None
    try:
        with _handlers_installed():
            yield reader
    finally:
        signal.set_wakeup_fd(wakeup)
        os.close(writer)
        # A stop that arrives here is dropped: a person who wants it presses the key again
        missed = os.read(reader, 64).replace(bytes([signal.SIGTSTP]), b"")
        os.close(reader)
        if missed:  # it arrived after the last key
            raise ending(missed[0])


@contextmanager
def _handlers_installed() -> Iterator[None]:
    previous = {}
    blocked: set[int] = set()
    try:
        for number in _CAUGHT:
            if signal.getsignal(number) is not signal.SIG_IGN:
                previous[number] = signal.signal(number, _do_nothing)
        for number in _IGNORED:
            previous[number] = signal.signal(number, signal.SIG_IGN)
        blocked = signal.pthread_sigmask(signal.SIG_UNBLOCK, _CAUGHT)
        yield
    finally:
        if blocked:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for number, handler in previous.items():
            signal.signal(number, handler)


def stop_here() -> None:
    """Stop this process as Ctrl-Z does; return when it is continued."""
    caught = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)  # to this thread, which stops before the next line
    signal.signal(signal.SIGTSTP, caught)


def ending(number: int) -> SignalError:
    """Return the error that ends the process by this signal."""
    if number in (signal.SIGINT, signal.SIGQUIT):
        return SignalError(number, "cancelled", "cancelled")
    return SignalError(number)


def _do_nothing(_number: int, _frame: object) -> None:
    """Replace the signal's default effect: Python has already written its number to the pipe."""
