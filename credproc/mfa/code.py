"""A token code: what counts as one, what it is wanted for, and who gives it."""

import re
import shlex
import time
from typing import NamedTuple, Protocol

from credproc.errors import PersonNeededError, inert
from credproc.request import Request

_SHOWN = 80  # characters of a profile's name
LEAST_SECONDS = 15  # with less left no prompt is opened: nobody finds the device, reads and types in that time
_CODE = re.compile(r"[0-9]{6}")
_PASTED = re.compile(r"\x1b\[20[01]~")  # what a terminal puts around a paste


class CodeRequest(NamedTuple):
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


class CodeProvider(Protocol):
    """Where codes come from, one after the other until one is taken."""

    def next_code(self, remark: str | None) -> str:
        """Return the next code, six digits that have not been sent yet; ``remark`` says why another one is needed.

        Raises PersonNeededError when there will be none, SourceError or ConfigError if a program fails, SignalError.
        """

    def notice(self, line: str) -> None:
        """Tell the person something that they wait for."""

    def close(self) -> None:
        """Let go of the terminal."""


def code_in(text: str) -> str | None:
    """Return the code that the text is, but for spaces and the marks around a paste; None if it is none."""
    stripped = "".join(_PASTED.sub("", text).split())
    return stripped if _CODE.fullmatch(stripped) else None
