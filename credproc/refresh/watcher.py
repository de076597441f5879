"""A small process that restores the terminal when its parent dies without having done so, by SIGKILL."""

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

    def __init__(self, fd: int, saved: Attributes, hidden: Attributes) -> None:
        """Start it, for the terminal ``fd``; to be done before any thread is started, as it is a fork.

        It restores ``saved``, and only if the settings are ``hidden``, those of the prompt: a shell's line editor may
        have set its own by then.
        """
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
                _watch(fd, reader, saved, hidden)
        os.close(reader)

    def dismiss(self, *, restored: bool) -> None:
        """End the watcher: all is done, or where it is not ``restored``, the terminal's settings are left to it."""
        if self._pipe is None:
            return
        if restored:
            try:
                os.write(self._pipe, b".")
            except OSError:  # it has gone
                pass
        os.close(self._pipe)
        if self._pid:
            try:
                os.waitpid(self._pid, 0)
            except ChildProcessError:  # SIGCHLD is ignored here, by inheritance
                pass


def _watch(fd: int, reader: int, saved: Attributes, hidden: Attributes) -> None:
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
        told = os.read(reader, 1)
        if not told and termios.tcgetattr(fd) == hidden:
            termios.tcsetattr(fd, termios.TCSANOW, saved)
            termios.tcflush(fd, termios.TCIFLUSH)
            os.write(fd, b"\n")  # what comes next stands on a line of its own
    finally:
        os._exit(0)
