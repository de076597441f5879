"""MFA codes that the user types, at the terminal or in a window."""

import time
from collections.abc import Callable
from typing import Protocol

from credproc.errors import PersonNeededError, SignalError, inert
from credproc.mfa.code import CodeRequest, parse_code
from credproc.mfa.used_codes import UsedCodes, seconds_to_next_step
from credproc.process import caller
from credproc.process.patience import patience_of

MAX_PROMPTS = 3
_MAX_PROGRAM = 30  # characters of a program's name
_WITHDRAWN_HINT = "before you start it: AWS's SDK for Rust waits for 22 s, before mid-2026 for 5"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credproc.errors import PersonNeededKind


class Asker(Protocol):
    """Where the user is asked: the terminal, or a window."""

    def say(self, line: str, /) -> None:
        """Show the line, at once or with the next prompt."""

    def ask(self, prompt: str, deadline: float, withdrawal: Callable[[], str | None]) -> str:
        """Show the prompt and return what the user types; as ``terminal.Terminal`` does."""

    def close(self) -> None:
        """Close it."""


class PromptCodeProvider:
    """A ``CodeProvider`` that prompts the user for each code, at most three times."""

    def __init__(self, code_request: CodeRequest, prompt_terminal: Asker, used: UsedCodes) -> None:
        """Take what the code is for, the open terminal or window, and the codes that have been used."""
        self._code_request = code_request
        self._terminal = prompt_terminal
        self._used = used
        self._prompts = 0
        self._has_given = False  # a code, which AWS has rejected if there is another prompt
        self._program = caller.program_of(code_request.request.caller)
        self._prompt = _prompt_text(code_request, self._program)

    def next_code(self, remark: str | None) -> str:
        """Return the next code that the user types; see ``CodeProvider``."""
        if not self._prompts:
            self._announce_end()
        while self._prompts < MAX_PROMPTS:
            self._prompts += 1
            if remark is not None:
                count = f" (try {self._prompts} of {MAX_PROMPTS})" if self._prompts > 1 else ""
                self._say(f"{remark}{count}")
            code = parse_code(self._typed())
            now = self._code_request.request.clock()
            if code is None:
                remark = "an MFA code has six digits"
            elif self._used.contains(code, now):
                seconds = seconds_to_next_step(now)
                remark = f"that code has been used already; the device shows the next one within {seconds:.0f} s"
            else:
                self._has_given = True
                return code
        reason = "" if remark is None else f": {remark}"
        raise self._failure(f"no valid code in three tries{reason}", "wrong")

    def _typed(self) -> str:
        """Return what the user types; an empty line is no try."""
        while True:
            try:
                typed = self._terminal.ask(self._prompt, self._code_request.deadline, self._withdrawal)
            except SignalError as error:
                raise SignalError(error.number, self._message(str(error)), error.declined.kind) from None
            except PersonNeededError as error:
                raise self._failure(str(error), error.kind) from None
            if typed.strip():
                return typed

    def notify(self, line: str) -> None:
        """Tell the user what this run waits for."""
        self._say(line)

    def close(self) -> None:
        """Close the terminal."""
        self._terminal.close()

    def _say(self, line: str) -> None:
        self._terminal.say(f"credproc: {line}")

    def _announce_end(self) -> None:
        """Say when the program gives up, where it is known to wait for less than the prompt is up."""
        seconds = None if self._program is None else patience_of(self._program.process)
        if self._program is None or seconds is None:
            return
        left = seconds - (time.monotonic() - self._code_request.request.started)
        name = inert(self._program.name, _MAX_PROGRAM)
        self._say(f"{name} may give up in {max(1, int(left))} s; credproc login asks for 5 minutes")

    def _withdrawal(self) -> str | None:
        if caller.is_waiting(self._code_request.request.caller):
            return None
        return caller.GONE if self._has_given else f"{caller.GONE}; nothing was sent"

    def _failure(self, what: str, kind: "PersonNeededKind") -> PersonNeededError:
        hint = self._code_request.hint
        return PersonNeededError(
            self._message(what), f"{hint} {_WITHDRAWN_HINT}" if kind == "withdrawn" else hint, kind
        )

    def _message(self, what: str) -> str:
        return f"{self._code_request.where}: MFA code: {what}"


def _prompt_text(code_request: CodeRequest, program: caller.Program | None) -> str:
    """Return the prompt: one line that names the device, the profile and the program that runs credproc."""
    profile = code_request.request.profile
    details = [] if profile is None else [f"profile {inert(profile, 60)}"]
    details += [] if program is None else [f"for {inert(program.name, _MAX_PROGRAM)}"]
    suffix = f" ({', '.join(details)})" if details else ""
    return f"Enter MFA code for {code_request.serial}{suffix}: "
