"""The person who has typed a command, asked at the terminal."""

import time
from collections.abc import Mapping

from credproc.errors import PersonNeededError, SignalError
from credproc.refresh import terminal

_SECONDS = 300  # nobody kills what a person has started


class Person:
    """Whoever sits at the terminal; to be made before any thread is started, as the terminal's watcher is a fork."""

    def __init__(self, command: str, environ: Mapping[str, str], hint: str) -> None:
        """Open the terminal. Raises PersonNeededError, named after the command, with the hint, where there is none."""
        self._command = command
        self._hint = hint
        if environ.get("CREDPROC_INTERACTIVE") == "never":
            raise PersonNeededError(f"{command}: CREDPROC_INTERACTIVE=never forbids asking", hint)
        try:
            self._terminal = terminal.Terminal()
        except PersonNeededError as error:
            raise PersonNeededError(f"{command}: {error}", hint) from None

    def close(self) -> None:
        """Let go of the terminal."""
        self._terminal.close()

    def say(self, line: str) -> None:
        """Write one line."""
        self._terminal.say(line)

    def ask(self, prompt: str, *, shown: bool) -> str:
        """Return what is typed behind the prompt. Raises PersonNeededError, SignalError."""
        try:
            return self._terminal.ask(prompt, time.monotonic() + _SECONDS, lambda: True, shown=shown).strip()
        except SignalError as error:
            raise SignalError(error.number, f"{self._command}: {error}", error.kind) from None
        except PersonNeededError as error:
            what = "nothing was typed in time" if error.kind == "late" else str(error)
            raise PersonNeededError(f"{self._command}: {what}", self._hint, error.kind) from None

    def confirm(self, question: str) -> None:
        """Ask whether to go on; raises PersonNeededError unless the answer is yes."""
        if self.ask(f"{question} [y/N] ", shown=True).lower() not in ("y", "yes"):
            raise PersonNeededError(f"{self._command}: declined; nothing was changed", kind="cancelled")
