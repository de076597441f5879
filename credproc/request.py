"""The request that a refresh answers, and how long it may take."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from credproc.errors import quoted
from credproc.files import PrivateDirectory


class Deadlines(NamedTuple):
    """Seconds from the start of the process until prompts close, the work after them ends, and waiting ends."""

    prompt: float
    work: float
    waiting: float


FOR_SDKS = Deadlines(40, 48, 50)  # Go's SDKs kill their helper at 60 (CONTRACT.md, 1.1)
FOR_PEOPLE = Deadlines(300, 308, 310)  # no SDK waits for a command that a person has started


class ProcessState(NamedTuple):
    """What credproc changes of its own process, as it was before; ``exec`` restores it for the program it becomes."""

    umask: int
    core_limit: int | None = None  # bytes, the soft limit; None if the platform has none


class Caller(NamedTuple):
    """The program that started credproc, or on Windows the one that started the programs in between."""

    process: int  # its id
    created: int = 0  # on Windows: its creation, in units of 100 ns since 1601; with it the id is unambiguous
    handle: int | None = None  # on Windows: an open handle, by which its end is seen


class Request(NamedTuple):
    """What is requested, by whom, and when."""

    profile: str | None  # None: no profile is named
    environ: Mapping[str, str]
    started: float  # of the process, in seconds of time.monotonic()
    clock: Callable[[], float] = time.time
    program: str | None = None  # path of this credproc, to recognise it in a credential_process line
    user: str = "user"  # name of the operating system's user, for the session name
    caller: Caller | None = None  # None: unknown
    deadlines: Deadlines = FOR_SDKS
    min_session_seconds: float | None = None  # for a login: an MFA session with less time left is renewed
    process_state: ProcessState | None = None  # for ``exec``

    @property
    def is_login(self) -> bool:
        """Whether this is a login, which runs even if a prompt was declined a moment ago."""
        return self.min_session_seconds is not None

    @property
    def started_at(self) -> float:
        """The start of the process in epoch seconds."""
        return self.clock() - (time.monotonic() - self.started)

    @property
    def subject(self) -> str:
        """The name of what is requested, for a message."""
        return "the environment" if self.profile is None else f"profile {quoted(self.profile)}"


class Attempt(NamedTuple):
    """One attempt to carry out a plan, by the run that holds the entry's lock."""

    request: Request
    directory: PrivateDirectory | None
    began: float  # seconds of time.monotonic()
    may_ask: bool  # whether this is worth a person's time
