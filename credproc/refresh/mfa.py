"""A token code, typed by a person at the terminal or printed by the profile's ``mfa_process``."""

import re
import shlex
import time
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from credproc import terminal
from credproc.errors import PersonNeededError, SignalError, inert
from credproc.process import caller
from credproc.refresh.usedcodes import UsedCodes, seconds_to_next_step
from credproc.request import Request

TRIES = 3
_SHOWN = 80  # characters of a profile's name
LEAST_SECONDS = 15  # with less left no prompt is opened: nobody finds the device, reads and types in that time
_CODE = re.compile(r"[0-9]{6}")
_PASTED = re.compile(r"\x1b\[20[01]~")  # what a terminal puts around a paste


class Wanted(NamedTuple):
    """What a code is wanted for."""

    serial: str
    where: str  # the line that says mfa_serial
    process: str | None  # the profile's mfa_process
    request: Request

    @property
    def deadline(self) -> float:
        """Until when a code is of use, in seconds of ``time.monotonic()``."""
        return self.request.started + self.request.deadlines.prompt

    def check_time(self) -> None:
        """Raise PersonNeededError if too little time is left to ask a person."""
        if self.deadline - time.monotonic() < LEAST_SECONDS:
            raise PersonNeededError(f"{self.where}: MFA code: too little time is left to ask", self.hint, "no time")

    @property
    def hint(self) -> str:
        """What to do where no person could be asked."""
        profile = self.request.profile
        if profile is None:
            return "run credproc login in a terminal"
        if len(profile) > _SHOWN or inert(profile) != profile:  # what is shown could not be typed
            return "run credproc login in a terminal, with the same --profile"
        return f"run credproc login --profile {shlex.quote(profile)} in a terminal"


class Codes(Protocol):
    """Where codes come from, one after the other until one is taken."""

    def next(self, remark: str | None) -> str:
        """Return the next code, six digits that have not been sent yet; ``remark`` says why another one is needed.

        Raises PersonNeededError when there will be none, SourceError or ConfigError if a program fails, SignalError.
        """

    def notice(self, line: str) -> None:
        """Tell the person something that they wait for."""

    def close(self) -> None:
        """Let go of the terminal."""


def codes(wanted: Wanted, used: UsedCodes) -> Codes:
    """Return where codes come from; to be called before any thread is started.

    Raises PersonNeededError, with what to do, where there is neither a program nor a person.
    """
    request = wanted.request
    if wanted.process is not None:
        from credproc.refresh.mfaprocess import ProgramCodes  # noqa: PLC0415 - subprocess, for those who have one

        return ProgramCodes(wanted, wanted.process, used)
    if request.environ.get("CREDPROC_INTERACTIVE") == "never":
        raise PersonNeededError(
            f"{wanted.where}: an MFA code is needed, and CREDPROC_INTERACTIVE=never forbids asking", wanted.hint
        )
    try:
        return TypedCodes(wanted, terminal.Terminal(), used)
    except PersonNeededError as error:
        raise PersonNeededError(f"{wanted.where}: an MFA code is needed, and {error}", wanted.hint) from None


def can_ask(environ: Mapping[str, str]) -> bool:
    """Whether this process has a person at a terminal whom it may ask."""
    return environ.get("CREDPROC_INTERACTIVE") != "never" and terminal.is_there()


class TypedCodes:
    """Codes that a person types."""

    def __init__(self, wanted: Wanted, console: "terminal.Terminal", used: UsedCodes) -> None:
        """Take the open terminal."""
        self._wanted = wanted
        self._console = console
        self._used = used
        self._tries = 0
        self._prompt = _prompt(wanted)

    def next(self, remark: str | None) -> str:
        """Return the next code that a person types; see ``Codes``."""
        while self._tries < TRIES:
            self._tries += 1
            if remark is not None:
                self._console.say(f"credproc: {remark}")
            try:
                typed = self._console.ask(self._prompt, self._wanted.deadline, self._is_wanted)
            except SignalError as error:
                raise SignalError(error.number, self._said(str(error)), error.kind) from None
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

    def _none(self, what: str, kind: str) -> PersonNeededError:
        return PersonNeededError(self._said(what), self._wanted.hint, kind)

    def _said(self, what: str) -> str:
        return f"{self._wanted.where}: MFA code: {what}"


def code_in(text: str) -> str | None:
    """Return the code that the text is, but for spaces and the marks around a paste; None if it is none."""
    stripped = "".join(_PASTED.sub("", text).split())
    return stripped if _CODE.fullmatch(stripped) else None


def _prompt(wanted: Wanted) -> str:
    """Return the one line that asks: for which device, which profile, and which program."""
    profile = wanted.request.profile
    program = caller.program_name(wanted.request.caller)
    about = [] if profile is None else [f"profile {inert(profile, 60)}"]
    about += [] if program is None else [f"for {inert(program, 30)}"]
    behind = f" ({', '.join(about)})" if about else ""
    return f"Enter MFA code for {inert(wanted.serial)}{behind}: "
