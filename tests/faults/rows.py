"""What a row of FAULTS.md is: faults of one kind, each with its set-up, its run, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.faults.scene import Result, Scene

Step: TypeAlias = "Callable[[Scene], object]"
Check: TypeAlias = "Callable[[Scene, Result], object]"
Run: TypeAlias = "Callable[[Scene], Result | list[Result]]"

INVARIANTS = {
    "I1": "stdout is empty, or one valid document and a newline with exit 0",
    "I2": "the kind is the row's, within the row's time",
    "I3": "no secret in stderr, terminal, argv, environment, log or file",
    "I4": "credproc's own files are absent, or whole and private; their number is bounded",
    "I5": "the home directory outside credproc's own is unchanged",
    "I6": "terminal settings as before, input queue empty, cursor at column 0",
    "I7": "no child left, no lock held, at most one temporary file",
    "I8": "the next run without the fault succeeds, with at most one prompt",
    "I9": "a typed code reached STS at most once; a session that STS gave is not lost",
    "I10": "STS was called as often as the row allows",
    "row": "what the row requires besides",
}


class Kind(Enum):
    """The kinds of an end, as FAULTS.md, "Kinds" has them, and the exit statuses that each may have."""

    DOCUMENT = 0, (0,)
    TEXT = 1, (0,)  # --help, --version: not a document
    USAGE = 2, (2,)
    CONFIG = 3, (1,)
    PROFILE = 4, (1,)
    NO_TERMINAL = 5, (3,)
    CANCELLED = 6, (3,)
    TIMEOUT = 7, (1, 3)  # 3 where a person let a prompt pass
    MFA = 8, (1, 3)  # 3 where a person was asked, 1 where mfa_process failed
    DENIED = 9, (1,)
    NETWORK = 10, (1,)
    SOURCE = 11, (1,)
    UNSAFE = 12, (1,)
    OUTPUT = 13, (1,)
    INTERNAL = 14, (1,)
    SIGNAL = 128, ()  # by the signals that the case names

    @property
    def statuses(self) -> tuple[int, ...]:
        """The exit statuses that a run of this kind may end with."""
        found: tuple[int, ...] = self.value[1]
        return found

    @property
    def prints(self) -> bool:
        """Whether something is on stdout."""
        return self in {Kind.DOCUMENT, Kind.TEXT}


def nothing(*_: object) -> None:
    """Do nothing."""


def each(*parts: Callable[..., object]) -> Callable[..., None]:
    """Return one step, or one check, that is all of these in order."""

    def together(*given: object) -> None:
        for part in parts:
            part(*given)

    return together


class NotInjectedError(AssertionError):
    """The run has gone by without the fault."""


@dataclass(frozen=True)
class Case:
    """One injection.

    The scene is made, `before` puts the fault into it, credproc runs, `undo` takes the fault away; then all is checked,
    and credproc is run once more.
    """

    name: str = ""
    kind: Kind | tuple[Kind, ...] = Kind.DOCUMENT
    signals: tuple[int, ...] = ()  # that may end it, with Kind.SIGNAL
    before: Step = nothing
    run: Run | None = None  # Scene.run where it is None
    undo: Step = nothing
    check: Check = nothing  # raises AssertionError
    says: str = ""  # a regular expression that stderr must match; needed where nothing is printed
    logs: str = ""  # one that the log must match
    arguments: tuple[str, ...] = ("--profile", "admin")
    environ: Mapping[str, str] = field(default_factory=dict)
    wrapper: tuple[str, ...] = ()  # what the program is started by
    mfa: bool = False  # the role asks for MFA, credproc runs on a terminal, and somebody types the code
    nobody: bool = False  # run as the user nobody, whose home it is
    frozen: bool = False  # the frozen program, whatever else is tried
    seconds: float = 0  # 10, or 50 with a prompt, where it is 0
    calls: int = 2  # to STS, at most
    loses: bool = False  # it may cost the session that STS has just given, before it was kept: one more prompt then
    again: bool = True  # False: the row has run credproc again by itself
    excused: Mapping[str, str] = field(default_factory=dict)  # invariants that cannot hold here, each with the reason
    deep: bool = False  # with --deep only
    by_chance: bool = False  # whether its fault finds its place is chance, and three runs without it are no injection

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of end that are right."""
        return self.kind if isinstance(self.kind, tuple) else (self.kind,)

    @property
    def limit(self) -> float:
        """Seconds that the run may take."""
        return self.seconds or (50 if self.mfa else 10)


@dataclass(frozen=True)
class Amount:
    """How much of a sweep is wanted: a sample, or with `deep` the whole of this part of so many."""

    deep: bool = False
    part: int = 1
    parts: int = 1
    seed: int = 0


Cases: TypeAlias = tuple[Case, ...] | Callable[[Amount], Iterable[Case]]


@dataclass(frozen=True)
class Row:
    """A row of FAULTS.md. `cases` is a function for sweeps, which make theirs by looking at a run."""

    id: str
    fault: str
    cases: Cases
    sweep: bool = False  # its cases are shared among the parts of a deep run
    waits: bool = False  # it mostly waits for a deadline, and is played beside the others

    def chosen(self, amount: Amount) -> Iterable[Case]:
        """Return the cases of the row that are wanted."""
        found = self.cases(amount) if callable(self.cases) else self.cases
        return (case for case in found if amount.deep or not case.deep)


def row(identifier: str, fault: str, *cases: Case, waits: bool = False) -> Row:
    """Make a row of single cases."""
    return Row(identifier, fault, cases, waits=waits)


def sweep(identifier: str, fault: str, cases: Callable[[Amount], Iterable[Case]]) -> Row:
    """Make a row whose cases are found by looking at a run."""
    return Row(identifier, fault, cases, sweep=True)
