"""Questions that a command asks at the terminal."""

import time
from collections.abc import Sequence

from credproc import terminal
from credproc.errors import PersonNeededError, SignalError
from credproc.process import caller
from credproc.request import FOR_PEOPLE, Request


class Prompter:
    """Asks the user of a command; opens the terminal at the first question.

    Ask before any thread is started, because the terminal's watchdog is started by a fork.
    """

    def __init__(self, command: str, request: Request, hint: str, *, abort_note: str = "nothing was changed") -> None:
        """Create a prompter whose errors start with ``command`` and end with ``abort_note``.

        ``hint`` is the hint of those errors: what to do if no question can be asked.
        """
        self._command = command
        self._request = request
        self._hint = hint
        self._abort_note = abort_note
        self._terminal: terminal.Terminal | None = None

    def close(self) -> None:
        """Close the terminal."""
        if self._terminal is not None:
            self._terminal.close()

    def open(self) -> None:
        """Open the terminal, before a thread of the command's own starts. Raises PersonNeededError if that fails."""
        try:
            self._open_terminal()
        except PersonNeededError as error:
            raise self._failure(str(error), error) from None

    def ask(self, prompt: str, *, lines: Sequence[str] = (), shown: bool = True, hint: str | None = None) -> str:
        """Print the lines and the prompt, and return what is typed, without white space around it.

        ``shown``: whether the terminal echoes what is typed. ``hint`` replaces the prompter's hint for this question.
        Raises PersonNeededError if the question cannot be asked or is not answered, and SignalError.
        """
        try:
            opened = self._open_terminal()
            opened.say(*lines, seconds=FOR_PEOPLE.prompt)  # of a long difference a person may stop the output
            deadline = time.monotonic() + FOR_PEOPLE.prompt
            return opened.ask(prompt, deadline, self._withdrawal, shown=shown).strip()
        except SignalError as error:
            message = f"{self._command}: {error}; {self._abort_note}"
            raise SignalError(error.number, message, error.declined.kind) from None
        except PersonNeededError as error:
            reason = "nothing was typed in time" if error.kind == "late" else str(error)
            raise self._failure(reason, error, hint) from None

    def confirm(self, question: str, *, lines: Sequence[str] = ()) -> None:
        """Print the lines and ask a yes-or-no question. Raises PersonNeededError unless the answer is yes."""
        if self.ask(f"{question} [y/N] ", lines=lines).lower() not in ("y", "yes"):
            raise declined(f"{self._command}: declined; {self._abort_note}")

    def _failure(self, reason: str, error: PersonNeededError, hint: str | None = None) -> PersonNeededError:
        return PersonNeededError(f"{self._command}: {reason}; {self._abort_note}", hint or self._hint, error.kind)

    def _withdrawal(self) -> str | None:
        return None if caller.is_waiting(self._request.caller) else caller.GONE

    def _open_terminal(self) -> terminal.Terminal:
        terminal.check_interactive(self._request.environ)
        if self._terminal is None:
            self._terminal = terminal.Terminal()
        return self._terminal


def declined(message: str, hint: str | None = None) -> PersonNeededError:
    """Return what a command ends with where a person has answered no: nothing has failed."""
    answer = PersonNeededError(message, hint, "cancelled")
    answer.is_answer = True
    return answer
