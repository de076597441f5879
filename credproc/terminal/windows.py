"""The terminal on Windows, with the functions of ``posix``. Tested with doubles; untried on Windows itself.

It is ``CONIN$`` and ``CONOUT$``, whatever the standard streams are, and ``msvcrt`` reads it key by key. A key that is
read so is not shown, and no setting is changed, so nothing needs to be restored.
"""

import importlib
import os
import time
from collections.abc import Callable
from io import RawIOBase
from typing import Any, Protocol

from credproc.errors import PersonNeededError, SignalError
from credproc.terminal import screen

_KEY_POLL_SECONDS = 0.02
_POLL_SECONDS = 0.25  # between checks whether the caller still waits
_OUTPUT, _INPUT = "CONOUT$", "CONIN$"
_CTRL_C, _CTRL_Z, _ESCAPE, _BACKSPACE = "\x03", "\x1a", "\x1b", "\b"
_PREFIXES = ("\x00", "\xe0")  # the first half of a function or cursor key
_SIGINT = 2


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
            raise PersonNeededError("there is no terminal to ask for it on") from None
        self._keys: Keys = msvcrt if keys is None else keys

    def close(self) -> None:
        """Close it."""
        self._output.close()

    def say(self, line: str) -> None:
        """Write one line."""
        screen.write_lines(self._write, (line,))

    def ask(self, prompt: str, deadline: float, withdrawal: Callable[[], str | None], *, shown: bool = False) -> str:
        """Write the prompt and return the line that a person types; arguments and errors as in ``posix``."""
        self._flush_input()
        screen.show_prompt(self._write, prompt)
        last_words: tuple[str, ...] = ()
        try:
            return self._read_line(deadline, withdrawal, shown=shown)
        except PersonNeededError as error:
            if error.was_shown and not os.isatty(2):
                last_words = (f"credproc: {error}",)
            raise
        finally:
            screen.end_prompt()
            self._flush_input()
            self._write("\r\n")
            screen.write_lines(self._write, last_words)

    def _read_line(self, deadline: float, withdrawal: Callable[[], str | None], *, shown: bool) -> str:
        line = ""
        checked = time.monotonic()
        while time.monotonic() < deadline:
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
                raise SignalError(_SIGINT, "cancelled", "cancelled")
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


def open_for_child() -> int:
    """Return a new descriptor of the terminal for a child process. Raises PersonNeededError if there is none."""
    try:
        return os.open(_INPUT, os.O_RDWR)
    except OSError:
        raise PersonNeededError("there is no terminal to ask for it on") from None


def unavailable_reason() -> str | None:
    """Return why this process has no terminal to ask on, or None if it has one."""
    try:
        os.close(os.open(_INPUT, os.O_RDWR))
    except OSError:
        return "there is no terminal to ask for it on"
    return None


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
        screen.write_lines(lambda text: _write_to(output, text), lines)


def _write_to(output: RawIOBase, text: str) -> None:
    try:
        output.write(text.encode("utf-8", "replace"))
    except OSError:  # a failed write does not fail the run
        pass


def session_id() -> int:
    """Return the same id for every terminal: a process has one at most, and its children share it."""
    return 0
