"""A small process that starts the programs of windows, and kills the one that is up when credproc ends, by SIGKILL too.

It is the parent of those programs, so that the process which it kills is no other that has got the same number. What
is typed goes past it, by a pipe from the program to credproc.
"""

import sys

assert sys.platform != "win32"  # by this mypy knows that the module is not for Windows

import marshal
import os
import select
import signal
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from credproc.errors import PersonNeededError

_SIZE_BYTES = 4  # before each order, and of each event
_NOT_STARTED = 127
# What ends credproc must not end the keeper before the window
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP, signal.SIGPIPE)


class Order(NamedTuple):
    """A program to be started: its absolute path, its arguments, its whole environment, and what it reads."""

    path: str
    arguments: Sequence[str]
    environ: Mapping[str, str]
    stdin: bytes


class Keeper:
    """A child process that starts one program after the other, each of which shows a window."""

    def __init__(self) -> None:
        """Start it. Call this before any thread starts, because it is a fork.

        Raises PersonNeededError if there are too many processes or open files.
        """
        opened: list[int] = []
        try:
            for _ in range(3):
                opened += os.pipe()
            self._pid = os.fork()
        except OSError as error:
            for fd in opened:
                os.close(fd)
            reason = (error.strerror or "error").lower()
            raise PersonNeededError(f"a window cannot be shown: {reason}") from None
        orders, self._orders, self.events, events, self.typed, typed = opened
        if self._pid == 0:
            _run(orders, events, typed)
        for fd in (orders, events, typed):
            os.close(fd)
        os.set_blocking(self.typed, False)

    def start(self, order: Order) -> None:
        """Start the program. ``events`` is readable once it has ended, ``typed`` when it has printed something."""
        _send(self._orders, (order.path, list(order.arguments), dict(order.environ), order.stdin))

    def kill(self) -> None:
        """Kill the program that was started last, unless it has ended; ``status`` then returns that."""
        _send(self._orders, None)

    def status(self) -> int:
        """Wait until the program has ended and return its exit status, negative for a signal."""
        try:
            return int.from_bytes(_read(self.events, _SIZE_BYTES), "big", signed=True)
        except EOFError:  # the keeper was killed
            return _NOT_STARTED

    def close(self) -> None:
        """End it, and the program that is up."""
        os.close(self._orders)
        try:
            os.waitpid(self._pid, 0)
        except ChildProcessError:  # the caller ignores SIGCHLD, and we inherit that
            pass
        os.close(self.events)
        os.close(self.typed)


def _run(orders: int, events: int, typed: int) -> None:
    """In the child: start what is ordered until the orders end, which they do with credproc; exit."""
    try:
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        os.setsid()  # no terminal: what is started cannot ask on one, and no key ends or stops it
        _close_others(orders, events, typed)
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        while True:
            order = _receive(orders)
            if order is not None:  # else the program that is to be killed has ended by itself
                status = _supervise(_spawn(Order(*order), typed), orders, woken)
                os.write(events, status.to_bytes(_SIZE_BYTES, "big", signed=True))
    finally:
        os._exit(0)


def _close_others(*kept: int) -> None:
    """Close what a fork inherits, such as locks and the caller's stdout, and would keep open until it ends."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)
    for other in map(int, os.listdir("/dev/fd")):
        if other > 2 and other not in kept:
            try:
                os.close(other)
            except OSError:  # the descriptor by which they were listed
                pass


def _spawn(order: Order, typed: int) -> int | None:
    """Start the program and return its process id, or None if that fails."""
    reader, writer = os.pipe()
    os.write(writer, order.stdin)  # less than a pipe holds
    os.close(writer)
    actions = [
        (os.POSIX_SPAWN_DUP2, reader, 0),
        (os.POSIX_SPAWN_DUP2, typed, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    try:
        return os.posix_spawn(
            order.path,
            [order.path, *order.arguments],
            order.environ,
            file_actions=actions,
            setsigdef=(*_IGNORED, signal.SIGCHLD),
        )
    except OSError:
        return None
    finally:
        os.close(reader)


def _supervise(child: int | None, orders: int, woken: int) -> int:
    """Wait until the child ends, or kill it as soon as an order or the end of the orders arrives; return its status."""
    while child is not None:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if orders in select.select([orders, woken], [], [])[0]:
            os.kill(child, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.read(woken, _SIZE_BYTES)
    return _NOT_STARTED


def _send(fd: int, order: tuple[str, list[str], dict[str, str], bytes] | None) -> None:
    data = marshal.dumps(order)
    data = len(data).to_bytes(_SIZE_BYTES, "big") + data
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError:  # the keeper was killed
        pass


def _receive(fd: int) -> tuple[str, list[str], dict[str, str], bytes] | None:
    size = int.from_bytes(_read(fd, _SIZE_BYTES), "big")
    order: tuple[str, list[str], dict[str, str], bytes] | None = marshal.loads(_read(fd, size))  # noqa: S302 - our parent process writes it
    return order


def _read(fd: int, size: int) -> bytes:
    """Return so many bytes. Raises EOFError if the other end is closed before."""
    data = b""
    while len(data) < size:
        read = os.read(fd, size - len(data))
        if not read:
            raise EOFError
        data += read
    return data
