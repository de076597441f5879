"""The terminal on Windows, with the functions of ``posix``. Tried with doubles and under Wine, not on Windows itself.

It is ``CONIN$`` and ``CONOUT$``, whatever the standard streams are, and ``msvcrt`` reads it key by key. A key that is
read so is not shown, and no setting is changed, so nothing needs to be restored. Ctrl-C is a signal there, and a key
where the calling program has made the console raw: both end the prompt and then, by the same status, the process.
"""

import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import RawIOBase
from typing import Any, Protocol

from credproc.errors import PersonNeededError, SignalError
from credproc.terminal import screen

_KEY_POLL_SECONDS = 0.02
_POLL_SECONDS = 0.25  # between checks whether the caller still waits
_OUTPUT, _INPUT = "CONOUT$", "CONIN$"
_NO_TERMINAL = "there is no terminal to ask for it on"
_CTRL_C, _CTRL_Z, _ESCAPE, _BACKSPACE = "\x03", "\x1a", "\x1b", "\b"
_PREFIXES = ("\x00", "\xe0")  # the first half of a function or cursor key


class Keys(Protocol):
    """The part of ``msvcrt`` that reads keys."""

    def kbhit(self) -> bool:
        """Return whether a key has been pressed and not read."""

    def getwch(self) -> str:
        """Wait for a key and return it, without showing it."""


class Terminal:
    """The open terminal of this process."""

    def __init__(self, keys: Keys | None = None, output: str = _OUTPUT) -> None:
        """Open it. Raises PersonNeededError if there is none."""
        msvcrt: Any = None
        try:
            msvcrt = importlib.import_module("msvcrt") if keys is None else None
            # unbuffered, so that a prompt appears at once
            self._output = open(output, "wb", buffering=0)  # noqa: SIM115 - closed by close()
        except (OSError, ImportError):
            raise PersonNeededError(_NO_TERMINAL) from None
        self._keys: Keys = msvcrt if keys is None else keys

    def close(self) -> None:
        """Close it."""
        self._output.close()

    def say(self, *lines: str, seconds: float = 0) -> None:  # noqa: ARG002 - a console takes all at once
        """Write lines."""
        screen.write_lines(self._write, lines, self._output.fileno())

    def ask(self, prompt: str, deadline: float, withdrawal: Callable[[], str | None], *, shown: bool = False) -> str:
        """Write the prompt and return the line that a person types; arguments and errors as in ``posix``."""
        self._flush_input()
        screen.show_prompt(self._write, prompt, self._output.fileno())
        last_words: tuple[str, ...] = ()
        try:
            with _interrupts() as interrupts:
                return self._read_line(deadline, withdrawal, interrupts, shown=shown)
        except PersonNeededError as error:
            if error.was_shown and not os.isatty(2):
                last_words = (f"credproc: {error}",)
            raise
        finally:
            screen.end_prompt()
            self._flush_input()
            self._write("\r\n")
            screen.write_lines(self._write, last_words, self._output.fileno())

    def _read_line(
        self, deadline: float, withdrawal: Callable[[], str | None], interrupts: list[int], *, shown: bool
    ) -> str:
        line = ""
        checked = time.monotonic()
        while time.monotonic() < deadline:
            if interrupts:
                raise _cancelled()
            if not self._keys.kbhit():
                time.sleep(_KEY_POLL_SECONDS)
                if time.monotonic() - checked > _POLL_SECONDS:
                    checked = time.monotonic()
                    if (reason := withdrawal()) is not None:
                        raise PersonNeededError(reason, kind="withdrawn")
                continue
            key = self._keys.getwch()
            if key in _PREFIXES:
                self._keys.getwch()
            elif key == _CTRL_C:
                raise _cancelled()
            elif key in (_CTRL_Z, _ESCAPE):
                raise PersonNeededError("cancelled", kind="cancelled")
            elif key in "\r\n":
                return line
            else:
                if shown and (line or key != _BACKSPACE):
                    screen.echo(self._write, "\b \b" if key == _BACKSPACE else key)
                line = line[:-1] if key == _BACKSPACE else line + key
        raise PersonNeededError("no code was typed in time", kind="late")

    def _flush_input(self) -> None:
        while self._keys.kbhit():
            self._keys.getwch()

    def _write(self, text: str) -> None:
        _write_to(self._output, text)


def open_for_child() -> tuple[int, int]:
    """Return two descriptors of the terminal for a child process: it reads the first and writes the second.

    Raises PersonNeededError if there is no terminal.
    """
    try:
        keys = os.open(_INPUT, os.O_RDWR)
        try:
            return keys, os.open(_OUTPUT, os.O_RDWR)
        except OSError:
            os.close(keys)
            raise
    except OSError:
        raise PersonNeededError(_NO_TERMINAL) from None


def unavailable_reason() -> str | None:
    """Return why this process has no terminal to ask on, or None if it has one."""
    try:
        os.close(os.open(_INPUT, os.O_RDWR))
    except OSError:
        return _NO_TERMINAL
    return None if _has_window() else "its console has no window, in which a person would see the question"


def _has_window() -> bool:
    """Return whether the console has a window: one that was made with CREATE_NO_WINDOW has none, and nobody sees it.

    Whether the window is visible says nothing: those of a pseudoconsole (Windows Terminal, ssh) are hidden.
    """
    found: int | None = 0
    if sys.platform == "win32":  # pragma: no cover - Windows
        import ctypes  # noqa: PLC0415 - for a run that may ask

        window = ctypes.WinDLL("kernel32").GetConsoleWindow
        window.restype = ctypes.c_void_p
        found = window()
    return found is not None


def is_available() -> bool:
    """Return whether this process has a terminal to ask on."""
    return unavailable_reason() is None


def notify(*lines: str) -> None:
    """Write lines to the terminal, if there is one."""
    try:
        output = open(_OUTPUT, "wb", buffering=0)  # noqa: SIM115 - closed below
    except OSError:
        return
    with output:
        screen.write_lines(lambda text: _write_to(output, text), lines, output.fileno())


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Collect the signals of Ctrl-C and Ctrl-Break, which would end the process at once and without a word."""
    caught: list[int] = []
    previous = {}
    for name in ("SIGINT", "SIGBREAK"):
        number = getattr(signal, name, None)  # SIGBREAK is of Windows
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            previous[number] = signal.signal(number, lambda number, _frame: caught.append(number))
    try:
        yield caught
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _cancelled() -> SignalError:
    return SignalError(signal.SIGINT, "cancelled", "cancelled")


def _write_to(output: RawIOBase, text: str) -> None:
    try:
        output.write(text.encode("utf-8", "replace"))
    except OSError:  # a failed write does not fail the run
        pass


def session_id() -> int:
    """Return the same id for every terminal: a process has one at most, and its children share it."""
    return 0
