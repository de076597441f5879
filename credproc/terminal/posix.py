"""The controlling terminal. All that credproc does to a terminal is in this folder; this is the whole policy:

- The terminal is ``/dev/tty``, never a standard stream: those are the caller's, who may pipe, drop or never close them.
- credproc uses it only from the foreground process group; a background process has no terminal to ask on. SIGTTIN and
  SIGTTOU are ignored during a prompt, so that a change of the foreground group does not stop us in between.
- A typed code is not shown, as with the AWS CLI; other answers are. The line end is always shown, so that the cursor
  goes back to the left.
- The settings are restored on every way out: return, deadline, INT, TERM, HUP, QUIT, TSTP (and set again when the
  process is continued), and by a watchdog process even after KILL. Typed characters that nobody has read are flushed:
  the shell would get them.
- A prompt that is withdrawn says so, even in the background: who types on would type for the shell. Where stderr is a
  terminal, the error on it says so.
- A text does nothing to the terminal: what is written passes ``inert`` in ``screen``. It starts at the left, is broken
  between words, and ends with a line end or a prompt. A line that comes while a prompt is up goes below it, and the
  prompt is written anew.
- Waiting is ``select``: poll and kqueue do not work on a terminal on macOS.
"""

import sys

assert sys.platform != "win32"  # by this mypy knows that the module is not for Windows

import os
import select
import signal
import termios
import time
from collections.abc import Callable
from contextlib import suppress

from credproc.errors import PersonNeededError, SignalError
from credproc.terminal import device, screen
from credproc.terminal.signals import catch_signals, ending, stop_here
from credproc.terminal.watchdog import Attributes, Watchdog

_HANGUP_SECONDS = 0.5  # within which a shell whose window was closed sends SIGHUP to its jobs
_POLL_SECONDS = 0.25  # between checks whether the caller still waits
_LINE_LIMIT = 4096  # bytes; a terminal in canonical mode returns no longer line


class Terminal:
    """The open terminal of this process, with a watchdog that restores its settings if the process is killed."""

    def __init__(self) -> None:
        """Open it. Call this before any thread starts, because the watchdog is a fork.

        Raises PersonNeededError, whose message is the reason, if there is no terminal or we are in its background.
        """
        self._fd = device.open_device(os.O_NONBLOCK)
        self._saved: Attributes = []  # the settings before the prompt
        self._prompting: Attributes = []  # the settings during the prompt
        self._is_changed = False  # whether the settings during the prompt are set
        self._watchdog = Watchdog(self._fd)

    def close(self) -> None:
        """Close it. The watchdog ends; if ``ask`` could not restore the settings, the watchdog does so first."""
        self._watchdog.stop()
        os.close(self._fd)

    def say(self, *lines: str, seconds: float = device.WRITE_SECONDS) -> None:
        """Write lines; those that the terminal does not take for so many seconds are not written."""
        screen.write_lines(lambda text: device.write(self._fd, text, seconds), lines, self._fd)

    def ask(self, prompt: str, deadline: float, withdrawal: Callable[[], str | None], *, shown: bool = False) -> str:
        """Write the prompt and return the line that a person types, without its end; ``shown`` echoes it.

        ``deadline`` is in seconds of ``time.monotonic()``; ``withdrawal``, which returns why the prompt is withdrawn or
        None, is called four times a second. Raises PersonNeededError if no line is typed (kinds ``cancelled``,
        ``late``, ``withdrawn``, ``no terminal``), SignalError if a signal arrives.
        """
        # Saved now, not in __init__: another credproc's prompt may have been up then
        self._saved = device.settled_attributes(self._fd)
        self._prompting = device.without_echo(self._saved)
        if shown:
            self._prompting[3] |= termios.ECHO
        self._watchdog.watch(self._saved, self._prompting)
        with catch_signals() as signals:
            try:
                self._change_settings()
                screen.show_prompt(self._write, prompt, self._fd)
                typed = self._read_line(prompt, deadline, withdrawal, signals)
                screen.end_prompt()
                if not typed.endswith(b"\n"):  # ended by Ctrl-D, which shows nothing
                    self._write("\n")
            except (PersonNeededError, SignalError) as error:
                screen.end_prompt()
                if self._is_changed or shown:
                    self._write("\n")
                self._restore_settings()  # before the line: what is typed after it is the shell's
                if isinstance(error, PersonNeededError) and error.was_shown and not os.isatty(2):
                    self.say(f"credproc: {error}")
                raise
            finally:
                self._restore_settings()
                if not self._is_changed:  # otherwise the watchdog restores them
                    self._watchdog.pause()
        return typed.decode("utf-8", "replace").rstrip("\r\n")

    def _read_line(self, prompt: str, deadline: float, withdrawal: Callable[[], str | None], signals: int) -> bytes:
        line = b""
        while True:
            left = deadline - time.monotonic()
            try:
                ready = select.select([self._fd, signals], [], [], max(0.0, min(left, _POLL_SECONDS)))[0]
            except OSError as error:
                raise device.unusable(error) from None
            if signals in ready:
                self._handle_signal(os.read(signals, 1)[0], prompt)
            elif self._fd in ready:
                read = self._read(signals)
                if read == b"" and not line:
                    raise PersonNeededError("cancelled", kind="cancelled")
                line += read or b""
                if read == b"" or line.endswith(b"\n") or len(line) >= _LINE_LIMIT:
                    return line
            elif left <= 0:
                raise PersonNeededError("no code was typed in time", kind="late")
            elif (reason := withdrawal()) is not None:
                raise PersonNeededError(reason, kind="withdrawn")

    def _read(self, signals: int) -> bytes | None:
        """Return the bytes that were typed; ``b""`` is the end of input, None that another reader took them."""
        try:
            read = os.read(self._fd, _LINE_LIMIT)
        except BlockingIOError:
            return None
        except OSError:
            read = b""
        if not read and device.is_hung_up(self._fd):
            if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
                # The shell sends its SIGHUP on a moment later, and that signal is to end the run
                with suppress(OSError):
                    select.select([signals], [], [], _HANGUP_SECONDS)
            raise device.hung_up()
        if not read and not device.is_foreground(self._fd):
            raise PersonNeededError(device.BACKGROUND)
        return read

    def _handle_signal(self, number: int, prompt: str) -> None:
        """Stop on SIGTSTP and prompt again when continued; raise SignalError for any other signal."""
        if number != signal.SIGTSTP:
            raise ending(number)
        self._restore_settings()
        screen.end_prompt()
        self._write("\n")
        stop_here()
        if not device.is_foreground(self._fd):
            raise PersonNeededError(device.BACKGROUND)
        self._change_settings()
        screen.show_prompt(self._write, prompt, self._fd)

    def _write(self, text: str) -> None:
        device.write(self._fd, text)

    def _change_settings(self) -> None:
        """Set the settings of the prompt, and flush what was typed before the prompt was there."""
        try:
            self._is_changed = True
            termios.tcsetattr(self._fd, termios.TCSANOW, self._prompting)
            termios.tcflush(self._fd, termios.TCIFLUSH)
        except termios.error:
            raise device.hung_up() from None

    def _restore_settings(self) -> None:
        """Restore the saved settings, and flush what was typed and not read.

        TCSANOW and a flush, not TCSAFLUSH, which waits for the output to drain, and Ctrl-S prevents that. In the
        background only if the settings are still those of the prompt: the shell may have set its own by then.
        """
        if not self._is_changed:
            return
        try:
            if device.is_foreground(self._fd) or termios.tcgetattr(self._fd) == self._prompting:
                termios.tcsetattr(self._fd, termios.TCSANOW, self._saved)
                self._is_changed = False
                termios.tcflush(self._fd, termios.TCIFLUSH)
            self._is_changed = False
        except termios.error:  # hung up, and nothing is left to restore; otherwise the watchdog does it
            pass


def open_for_child() -> tuple[int, int]:
    """Return two descriptors of the terminal for a program that we start: it reads the first and writes the second.

    New ones: that of Terminal does not block, and a child that shares it would not block either. Raises
    PersonNeededError as Terminal does.
    """
    fd = device.open_device(0)
    return fd, os.dup(fd)


def unavailable_reason() -> str | None:
    """Return why this process has no terminal to ask on, or None if it has one."""
    try:
        os.close(device.open_device(0))
    except PersonNeededError as error:
        return str(error)
    return None


def is_available() -> bool:
    """Return whether this process has a terminal to ask on."""
    return unavailable_reason() is None


def notify(*lines: str) -> None:
    """Write lines to the terminal, if there is one and we are in its foreground."""
    try:
        fd = device.open_device(os.O_NONBLOCK)
    except PersonNeededError:
        return
    screen.write_lines(lambda text: device.write(fd, text), lines, fd)
    os.close(fd)


def session_id() -> int:
    """Return the id of the terminal's session, which names the terminal: every /dev/tty has the same device number."""
    return os.getsid(0)
