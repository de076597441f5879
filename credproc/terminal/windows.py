"""The console of Windows, for the same questions as a POSIX terminal. Tested with doubles; untried on Windows itself.

``CONIN$`` and ``CONOUT$`` by way of ``msvcrt``, whatever the standard streams are. There is nothing to restore: nothing
is shown of what is typed because each key is read by itself.
"""

import importlib
import os
import time
from collections.abc import Callable
from typing import Any, Protocol

from credproc.errors import PersonNeededError, SignalError

_POLL_SECONDS = 0.02
_LOOK_SECONDS = 0.25  # between looks whether the caller still lives
_OUTPUT, _INPUT = "CONOUT$", "CONIN$"
_CTRL_C, _CTRL_Z, _ESCAPE, _BACKSPACE = "\x03", "\x1a", "\x1b", "\b"
_PREFIXES = ("\x00", "\xe0")  # of a function or cursor key, whose second half follows
_SIGINT = 2


class Keys(Protocol):
    """The part of ``msvcrt`` that reads keys."""

    def kbhit(self) -> bool:
        """Return whether a key waits."""

    def getwch(self) -> str:
        """Return the next key, unseen."""


class Terminal:
    """The console, open."""

    def __init__(self, keys: Keys | None = None, output: str = _OUTPUT) -> None:
        """Open it. Raises PersonNeededError where there is none."""
        msvcrt: Any = None
        try:
            msvcrt = importlib.import_module("msvcrt") if keys is None else None
            # unbuffered, so that a prompt is there at once
            self._output = open(output, "wb", buffering=0)  # noqa: SIM115 - closed by close()
        except (OSError, ImportError):
            raise PersonNeededError("there is no console to ask for it on") from None
        self._keys: Keys = msvcrt if keys is None else keys

    def close(self) -> None:
        """Let go of it."""
        self._output.close()

    def say(self, line: str) -> None:
        """Write one line."""
        self._write(f"\r{line}\r\n")

    def ask(self, prompt: str, deadline: float, is_wanted: Callable[[], bool], *, shown: bool = False) -> str:
        """Return the line that a person types behind the prompt, unseen unless ``shown``; as on a POSIX terminal."""
        self._drop_typed()
        self._write(f"\r{prompt}")
        try:
            return self._typed(deadline, is_wanted, shown=shown)
        finally:
            self._drop_typed()
            self._write("\r\n")

    def _typed(self, deadline: float, is_wanted: Callable[[], bool], *, shown: bool) -> str:
        line = ""
        looked = time.monotonic()
        while time.monotonic() < deadline:
            if not self._keys.kbhit():
                time.sleep(_POLL_SECONDS)
                if time.monotonic() - looked > _LOOK_SECONDS:
                    looked = time.monotonic()
                    if not is_wanted():
                        raise PersonNeededError("the program that asked has gone", kind="withdrawn")
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
                    self._write("\b \b" if key == _BACKSPACE else key)
                line = line[:-1] if key == _BACKSPACE else line + key
        raise PersonNeededError("no code was typed in time", kind="late")

    def _drop_typed(self) -> None:
        while self._keys.kbhit():
            self._keys.getwch()

    def _write(self, text: str) -> None:
        try:
            self._output.write(text.encode("utf-8", "replace"))
        except OSError:  # the answer counts, not the words
            pass


def open_for_child() -> int:
    """Return a descriptor of the console for a program of the user's, or raise PersonNeededError."""
    try:
        return os.open(_INPUT, os.O_RDWR)
    except OSError:
        raise PersonNeededError("there is no console") from None


def why_not() -> str | None:
    """Return why there is no console on which this process could ask, or None: there is one."""
    try:
        os.close(os.open(_INPUT, os.O_RDWR))
    except OSError:
        return "there is no terminal to ask for it on"
    return None


def is_there() -> bool:
    """Whether there is a console on which this process could ask."""
    return why_not() is None


def notify(line: str) -> None:
    """Write one line to the console, if there is one."""
    try:
        with open(_OUTPUT, "wb", buffering=0) as output:
            output.write(f"\r{line}\r\n".encode("utf-8", "replace"))
    except OSError:
        return


def session_number() -> int:
    """Return a number for the console; a process has one at most, and its children share it."""
    return 0
