"""The person who has typed a command, asked at the terminal."""

import time
from collections.abc import Sequence

from credproc import terminal
from credproc.errors import PersonNeededError, SignalError
from credproc.process import caller
from credproc.request import FOR_PEOPLE, Request


class Person:
    """Whoever sits at the terminal, which is opened when it is first needed.

    To be asked before any thread is started, as the terminal's watchdog is a fork.
    """

    def __init__(self, command: str, request: Request, hint: str, *, undone: str = "nothing was changed") -> None:
        """Take what errors begin and end with, and what to do where nobody can be asked."""
        self._command = command
        self._request = request
        self._hint = hint
        self._undone = undone
        self._terminal: terminal.Terminal | None = None

    def close(self) -> None:
        """Let go of the terminal."""
        if self._terminal is not None:
            self._terminal.close()

    def say(self, line: str) -> None:
        """Write one line to who has been asked."""
        if self._terminal is not None:
            self._terminal.say(line)

    def ask(self, prompt: str, *, lines: Sequence[str] = (), shown: bool = True, hint: str | None = None) -> str:
        """Return what is typed behind the prompt, below the lines; ``hint`` is one of this question's own.

        Raises PersonNeededError, SignalError.
        """
        try:
            opened = self._opened()
            for line in lines:
                opened.say(line)
            deadline = time.monotonic() + FOR_PEOPLE.prompt
            return opened.ask(prompt, deadline, lambda: caller.is_waiting(self._request.caller), shown=shown).strip()
        except SignalError as error:
            message = f"{self._command}: {error}; {self._undone}"
            raise SignalError(error.number, message, error.declined.kind) from None
        except PersonNeededError as error:
            reason = "nothing was typed in time" if error.kind == "late" else str(error)
            raise PersonNeededError(
                f"{self._command}: {reason}; {self._undone}", hint or self._hint, error.kind
            ) from None

    def confirm(self, question: str, *, lines: Sequence[str] = ()) -> None:
        """Ask whether to go on, below the lines; raises PersonNeededError unless the answer is yes."""
        if self.ask(f"{question} [y/N] ", lines=lines).lower() not in ("y", "yes"):
            raise PersonNeededError(f"{self._command}: declined; {self._undone}", kind="cancelled")

    def _opened(self) -> terminal.Terminal:
        terminal.check_interactive(self._request.environ)
        if self._terminal is None:
            self._terminal = terminal.Terminal()
        return self._terminal
