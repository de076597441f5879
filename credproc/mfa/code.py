"""An MFA code: what it looks like, what a run needs it for, and the interface of what provides it."""

import re
import time
from typing import NamedTuple, Protocol

from credproc.config.settings import PROMPT_PLACES, PromptPlace
from credproc.errors import PersonNeededError, for_shell, inert
from credproc.request import Request

_MAX_PROFILE = 80  # characters of a profile name in a hint
MIN_PROMPT_SECONDS = 15  # with less left a run does not prompt: the user needs that long to find the device and type
_CODE = re.compile(r"[0-9]{6}")
_PASTED = re.compile(r"\x1b\[20[01]~")  # the marks that a terminal puts around pasted text


class CodeRequest(NamedTuple):
    """What a run needs a code for."""

    serial: str
    where: str  # file and line of mfa_serial
    process: str | None  # the profile's mfa_process
    request: Request
    is_inherited: bool = False  # whether the role's own profile does not ask for MFA
    prompt: PromptPlace = PROMPT_PLACES[0]

    @property
    def deadline(self) -> float:
        """Until when a code can be used, in seconds of ``time.monotonic()``."""
        return self.request.started + self.request.deadlines.prompt

    def check_time(self) -> None:
        """Raise PersonNeededError if too little time is left for a prompt."""
        if self.deadline - time.monotonic() < MIN_PROMPT_SECONDS:
            raise PersonNeededError(
                f"{self.where}: MFA code: too little time is left to ask for it", self.hint, "no time"
            )

    @property
    def hint(self) -> str:
        """What the user can do if this run could not prompt."""
        profile = self.request.profile
        if profile is None:
            return "run credproc login in a terminal"
        if len(profile) > _MAX_PROFILE or inert(profile) != profile:  # the name as shown could not be typed
            return "run credproc login in a terminal, with the same --profile"
        return f"run credproc login --profile {for_shell(profile)} in a terminal"


class CodeProvider(Protocol):
    """Provides codes one after the other, until AWS accepts one."""

    def next_code(self, remark: str | None) -> str:
        """Return the next code: six digits that no run has sent yet. ``remark`` says why another code is needed.

        Raises PersonNeededError if there is no further code, SourceError or ConfigError if the ``mfa_process`` fails,
        SignalError if a signal ends the prompt.
        """

    def notify(self, line: str) -> None:
        """Tell the user what this run waits for."""

    def close(self) -> None:
        """Close the terminal."""


def parse_code(text: str) -> str | None:
    """Return the six digits of ``text``, without spaces and paste marks, or None if it is not an MFA code."""
    stripped = "".join(_PASTED.sub("", text).split())
    return stripped if _CODE.fullmatch(stripped) else None
