"""A small process that restores the terminal when its parent dies without having done so, by SIGKILL."""

import marshal
import os
import signal
import termios
from typing import Any

Attributes = list[Any]  # of termios

# Whatever ends a prompt must not end who restores behind it, nor stop it for touching a terminal that is not its own
_IGNORED = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
    *(signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU),
)


class Watcher:
    """A small process that restores the terminal when we die without having done so."""

    def __init__(self, fd: int) -> None:
        """Start it, for the terminal ``fd``; to be done before any thread is started, as it is a fork."""
        self._pid = 0
        self._pipe: int | None = None
        try:
            reader, self._pipe = os.pipe()
        except OSError:  # none to be had, or no process: then only a SIGKILL leaves the terminal as it is
            return
        try:
            self._pid = os.fork()
        except OSError:
            pass
        else:
            if self._pid == 0:
                _watch(fd, reader)
        os.close(reader)

    def watch(self, saved: Attributes, asking: Attributes) -> None:
        """Have it restore ``saved`` from now on.

        Only if the settings are ``asking``, those of the prompt: a shell's line editor may have set its own by then.
        """
        self._tell((saved, asking))

    def rest(self) -> None:
        """Have it restore nothing: what looks like our prompt is another credproc's now."""
        self._tell(None)

    def dismiss(self) -> None:
        """End the watcher, which restores what it was told last, if that was not to rest."""
        if self._pipe is None:
            return
        os.close(self._pipe)
        if self._pid:
            try:
                os.waitpid(self._pid, 0)
            except ChildProcessError:  # SIGCHLD is ignored here, by inheritance
                pass

    def _tell(self, what: tuple[Attributes, Attributes] | None) -> None:
        if self._pipe is None:
            return
        try:
            os.write(self._pipe, marshal.dumps(what))
        except OSError:  # it has gone
            pass


def _watch(fd: int, reader: int) -> None:
    """Be the watcher: wait for the end of the pipe, restore, and exit."""
    try:
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        os.setsid()
        # A fork keeps the locks and the caller's stdout, and would keep them for as long as it waits
        for other in map(int, os.listdir("/dev/fd")):
            if other not in (fd, reader):
                try:
                    os.close(other)
                except OSError:  # the one that listed them
                    pass
        told = _told(reader)
        if told is not None and termios.tcgetattr(fd) == told[1]:
            termios.tcsetattr(fd, termios.TCSANOW, told[0])
            termios.tcflush(fd, termios.TCIFLUSH)
            os.write(fd, b"\n")  # what comes next stands on a line of its own
    finally:
        os._exit(0)


def _told(reader: int) -> tuple[Attributes, Attributes] | None:
    """Return what was told last before the pipe's end; None where there is nothing to restore."""
    told = None
    with os.fdopen(reader, "rb") as pipe:
        while True:
            try:
                told = marshal.load(pipe)  # noqa: S302 - our parent's words
            except EOFError:
                return told
