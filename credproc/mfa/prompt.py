"""CodeProvider that a person types at the terminal."""

from credproc import terminal
from credproc.errors import PersonNeededError, SignalError, inert
from credproc.mfa.code import CodeRequest, code_in
from credproc.mfa.used_codes import UsedCodes, seconds_to_next_step
from credproc.process import caller

TRIES = 3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credproc.errors import PersonNeededKind


class TypedCodes:
    """CodeProvider that a person types."""

    def __init__(self, wanted: CodeRequest, console: terminal.Terminal, used: UsedCodes) -> None:
        """Take the open terminal."""
        self._wanted = wanted
        self._console = console
        self._used = used
        self._tries = 0
        self._prompt = _prompt(wanted)

    def next_code(self, remark: str | None) -> str:
        """Return the next code that a person types; see ``CodeProvider``."""
        while self._tries < TRIES:
            self._tries += 1
            if remark is not None:
                self._console.say(f"credproc: {remark}")
            try:
                typed = self._console.ask(self._prompt, self._wanted.deadline, self._is_wanted)
            except SignalError as error:
                raise SignalError(error.number, self._said(str(error)), error.declined.kind) from None
            except PersonNeededError as error:
                raise self._none(str(error), error.kind) from None
            code = code_in(typed)
            now = self._wanted.request.clock()
            if code is None:
                remark = "an MFA code has six digits"
            elif self._used.holds(code, now):
                seconds = seconds_to_next_step(now)
                remark = f"that code has been used; the device shows another one in {seconds:.0f} s at the latest"
            else:
                return code
        raise self._none("none in three tries" if remark is None else f"none in three tries: {remark}", "wrong")

    def notice(self, line: str) -> None:
        """Tell the person something that they wait for."""
        self._console.say(f"credproc: {line}")

    def close(self) -> None:
        """Let go of the terminal."""
        self._console.close()

    def _is_wanted(self) -> bool:
        return caller.is_waiting(self._wanted.request.caller)

    def _none(self, what: str, kind: "PersonNeededKind") -> PersonNeededError:
        return PersonNeededError(self._said(what), self._wanted.hint, kind)

    def _said(self, what: str) -> str:
        return f"{self._wanted.where}: MFA code: {what}"


def _prompt(wanted: CodeRequest) -> str:
    """Return the one line that asks: for which device, which profile, and which program."""
    profile = wanted.request.profile
    program = caller.program_name(wanted.request.caller)
    about = [] if profile is None else [f"profile {inert(profile, 60)}"]
    about += [] if program is None else [f"for {inert(program, 30)}"]
    behind = f" ({', '.join(about)})" if about else ""
    return f"Enter MFA code for {inert(wanted.serial)}{behind}: "
