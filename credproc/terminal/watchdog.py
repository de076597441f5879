"""A small process that restores the terminal if credproc is killed during a prompt, by SIGKILL for example."""

import sys

assert sys.platform != "win32"  # by this mypy knows that the module is not for Windows

import marshal
import os
import signal
import termios
from typing import Any

Attributes = list[Any]  # the settings of a terminal, as termios.tcgetattr returns them

# What ends the prompt must not end the watchdog, and touching the terminal from the background must not stop it
_IGNORED = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
    *(signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU),
)


class Watchdog:
    """A child process that restores the terminal's settings if this process dies without restoring them."""

    def __init__(self, fd: int) -> None:
        """Start it for the terminal ``fd``. Call this before any thread starts, because the watchdog is a fork."""
        self._pid = 0
        self._pipe: int | None = None
        try:
            reader, self._pipe = os.pipe()
        except OSError:  # no descriptor or process is left: only after a SIGKILL the settings stay changed
            return
        try:
            self._pid = os.fork()
        except OSError:
            pass
        else:
            if self._pid == 0:
                _run(fd, reader)
        os.close(reader)

    def watch(self, saved: Attributes, prompting: Attributes) -> None:
        """From now on restore ``saved`` when this process ends, if the settings are then still ``prompting``.

        If they are not, they are no longer ours: the shell's line editor may have set its own.
        """
        self._send((saved, prompting))

    def pause(self) -> None:
        """From now on restore nothing: settings equal to our prompt's may be another credproc's prompt."""
        self._send(None)

    def stop(self) -> None:
        """End the watchdog; unless it is paused, it restores the settings first."""
        if self._pipe is None:
            return
        os.close(self._pipe)
        if self._pid:
            try:
                os.waitpid(self._pid, 0)
            except ChildProcessError:  # the caller ignores SIGCHLD, and we inherit that
                pass

    def _send(self, settings: tuple[Attributes, Attributes] | None) -> None:
        if self._pipe is None:
            return
        try:
            os.write(self._pipe, marshal.dumps(settings))
        except OSError:  # the watchdog has ended
            pass


def _run(fd: int, reader: int) -> None:
    """In the child: wait for the end of the pipe, restore the settings, exit."""
    try:
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        os.setsid()
        # A fork inherits the locks and the caller's stdout, and would keep them open until it ends
        for other in map(int, os.listdir("/dev/fd")):
            if other not in (fd, reader):
                try:
                    os.close(other)
                except OSError:  # the descriptor by which they were listed
                    pass
        settings = _last_received(reader)
        if settings is not None and termios.tcgetattr(fd) == settings[1]:
            termios.tcsetattr(fd, termios.TCSANOW, settings[0])
            termios.tcflush(fd, termios.TCIFLUSH)
            os.write(fd, b"\n")  # the next output starts on a line of its own
    finally:
        os._exit(0)


def _last_received(reader: int) -> tuple[Attributes, Attributes] | None:
    """Return the last settings received before the end of the pipe; None if nothing is to be restored."""
    settings = None
    with os.fdopen(reader, "rb") as pipe:
        while True:
            try:
                settings = marshal.load(pipe)  # noqa: S302 - our parent process writes it
            except EOFError:
                return settings
