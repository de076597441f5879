"""Faults at system calls: a run is recorded, and played again with a signal or an error at one of its calls.

tracer.py does both, and says why that is not strace. A call is named by what it is about, so the one that is hit is the
one that was meant; a case whose call does not come is broken, unless it receives a later piece of an answer, as in how
many pieces that comes is chance.

Played whole are the calls that touch what is credproc's or the person's: its files and locks, the two AWS files, the
terminal, sockets (STS, the keyring's bus), pipes, stdout, processes and threads. Between two of them stand the some
ten thousand by which Python imports; they change nothing that the next run could see. Of those one is played for each
gap between two others of the same thread, and for errors one of each kind. In the scenarios that begin as another one
does, those that look only (stat, seek, ioctl) are not listed either: the terminal's are in the other.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import credproc
from tests.faults.rows import Case, Kind, NotInjectedError, nothing
from tests.faults.scene import PATIENCE, Result, Scene
from tests.keyrings import SecretService
from tests.mfa import PROMPT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.faults.rows import Amount, Step
    from tests.terminal import Job

TRACER = str(Path(__file__).with_name("tracer.py"))
RECORDINGS = Path(__file__).parent.parent.parent / "build" / "work" / "calls"
_RECORDINGS = 3  # tries; on a busy machine a run that stops at each call does not end in time
SETTLE = 2.0  # seconds in which all that a run has left must have ended
_FINDING, _DYING = 0.05, 1.0  # seconds in which the device is found; in which a signal ends or stops who asks
_OURS = re.compile(r"^/(home|dev|etc/passwd|proc|keyring)\b|^(socket|pipe):|stdout$")
_DOING = frozenset(
    "clone clone3 fork vfork execve wait4 setsid prctl prlimit64 umask rt_sigaction kill tgkill exit exit_group"
    " pselect6 poll socket pipe2 getsid getpgrp getppid".split()
)
_LOOKING = tuple("newfstatat lseek ioctl mmap munmap mprotect brk madvise futex rt_sigprocmask".split())


@dataclass(frozen=True)
class Scenario:
    """A run, and what it starts from."""

    name: str
    mfa: bool = False
    before: Step = nothing
    but: tuple[str, ...] = ()  # calls that are not listed


def _hit(scene: Scene) -> None:
    scene.home.settle()
    scene.warm()


def _expired(scene: Scene) -> None:
    scene.warm()
    scene.expire()


def _signed_out(scene: Scene) -> None:
    _expired(scene)
    for path in (*scene.cache.glob("*.session"), *scene.cache.glob("*.credentials")):
        path.unlink()


def with_keyring(scene: Scene) -> None:
    """Let sessions be kept in a keyring."""
    service = scene._stack.enter_context(SecretService(scene.path / "keyring"))
    scene.home.environ.update(service.environ)
    scene.home.environ["CREDPROC_SESSION_STORE"] = "keyring"


def _signed_in_by_keyring(scene: Scene) -> None:
    with_keyring(scene)
    _expired(scene)


HIT = Scenario("hit", before=_hit)
PROMPT_FROM_NOTHING = Scenario("prompt, from nothing", mfa=True)
SCENARIOS = (
    HIT,
    Scenario("refresh, from nothing"),
    Scenario("refresh, expired entry", before=_expired, but=_LOOKING),
    PROMPT_FROM_NOTHING,
    Scenario("prompt, expired entry", mfa=True, before=_signed_out, but=_LOOKING),
    Scenario("valid session", mfa=True, before=_expired, but=_LOOKING),
    Scenario("prompt, keyring", mfa=True, before=with_keyring, but=_LOOKING),
    Scenario("valid session, keyring", mfa=True, before=_signed_in_by_keyring, but=_LOOKING),
)


@dataclass(frozen=True)
class Point:
    """A system call of a run: the thread's name, how many of the same it has made before, and what it is about."""

    thread: str
    number: str
    call: str
    about: str
    gap: int = 0  # how many calls of ours the thread has made before
    place: str = ""  # the thread that made it when it was recorded, where any may

    @property
    def words(self) -> tuple[str, str, str, str]:
        """The point as the tracer knows it."""
        return self.thread, self.number, self.call, self.about

    @property
    def by_chance(self) -> bool:
        """Whether a run may go by without the call: it receives a piece, and not the first, of what a socket says."""
        return self.call in {"recvfrom", "recvmsg"} and self.number != "0"

    @property
    def ours(self) -> bool:
        """Whether it touches what is credproc's or the person's, or makes a process or thread."""
        return self.call in _DOING or bool(_OURS.search(self.about))

    def __str__(self) -> str:
        return f"{self.call} {self.about} ({self.thread}.{self.number})"


@lru_cache
def recorded(scenario: Scenario) -> tuple[Point, ...]:
    """Return the calls of a run from the opening of the main module.

    The recording is kept, as it takes its time: until credproc, or what stands beside it, is installed anew.
    """
    installed = Path(credproc.__file__).parent
    stamp = "".join(f"{path.stat().st_mtime_ns}\n" for path in (installed, installed.parent, Path(TRACER)))
    kept = RECORDINGS / re.sub(r"\W+", "-", scenario.name)
    text = kept.read_text(encoding="utf-8") if kept.exists() else ""
    if not text.startswith(stamp):
        text = stamp + _recording(scenario)
        RECORDINGS.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(f".{os.getpid()}")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(kept)
    points, gaps = [], Counter[str]()
    for line in text.removeprefix(stamp).splitlines():
        thread, number, call, about = line.split("\t")
        points.append(Point(thread, number, call, about, gaps[thread]))
        gaps[thread] += points[-1].ours
    return tuple(points)


def _recording(scenario: Scenario) -> str:
    case = Case(before=scenario.before, mfa=scenario.mfa)
    for _ in range(_RECORDINGS):
        with tempfile.TemporaryDirectory(prefix="fault-") as directory, Scene(case, Path(directory)) as scene:
            case.before(scene)
            result = traced(scene, "list", *scenario.but)
            if result.status == 0 and not (scene.cache / "keyring.unresponsive").exists():
                return (scene.path / "calls").read_text(encoding="utf-8")
    raise AssertionError(f"no recording of {scenario.name} ended well")


def chosen(scenario: Scenario) -> list[Point]:
    """Return the points of a scenario: all of ours, and of the others one of a kind for each gap between those.

    Which of two threads imports a module is chance: the others are such that no thread has made before, and any may.
    """
    found: dict[tuple[object, ...], Point] = {}
    seen: set[tuple[str, str]] = set()
    for point in recorded(scenario):
        if _is_chance(point):
            continue
        subject = point.call, point.about
        is_first = subject not in seen and point.number == "0" and bool(point.about)
        seen.add(subject)
        looks_again = point.call == "newfstatat" and "/.aws/" in point.about and point.number != "0"
        if point.ours and not looks_again:  # at files that are two seconds old
            found[point.words] = point
        elif is_first and not point.ours:
            found.setdefault((point.thread, point.gap, point.call), replace(point, thread="*", place=point.thread))
    return list(found.values())


def _is_chance(point: Point) -> bool:
    """Whether the machine's load decides if the call comes: how often a prompt looks round while it waits."""
    again = point.call in {"pselect6", "getppid"} and point.number != "0"
    return point.thread == "0" and (again or point.call == "poll")


def first_of_gap(points: Iterable[Point]) -> list[Point]:
    """Return the same with one point alone for each gap: a signal finds all of a gap alike."""
    found = {point.words if point.ours else (point.place, point.gap): point for point in points}
    return list(found.values())


def wanted(cases: Sequence[Case], amount: Amount, sample: int) -> Sequence[Case]:
    """Return the cases of a sweep that are wanted: so many of them by chance, or the whole of a part.

    Chance goes by their names: that a recording has a call more or less does not choose others.
    """
    if amount.deep:
        return cases[amount.part - 1 :: amount.parts]
    return sorted(cases, key=lambda case: hashlib.blake2b(f"{amount.seed} {case.name}".encode()).digest())[:sample]


def at(scenario: Scenario, point: Point, action: str, kind: Kind | tuple[Kind, ...], **more: object) -> Case:
    """Return the case in which this happens at this point: `signal=N` or `error=N`."""
    name = f"{scenario.name}: {_told(action)} at {point}"
    run = partial(_hit_at, action=action, point=point)
    return Case(
        name,
        kind,
        before=scenario.before,
        run=run,
        mfa=scenario.mfa,
        loses=True,
        by_chance=point.by_chance,
        **more,  # type: ignore[arg-type]
    )


def _told(action: str) -> str:
    kind, _, number = action.partition("=")
    return signal.Signals(int(number)).name if kind == "signal" else errno.errorcode[int(number)]


def _hit_at(scene: Scene, action: str, point: Point) -> Result:
    result = traced(scene, action, *point.words)
    log = scene.path / "calls"
    met = log.read_text(encoding="utf-8") if log.exists() else ""
    if met.rstrip("\n").split("\t") != list(point.words):
        raise NotInjectedError(f"the call did not come, but {met!r}; {result}")
    return result


def traced(scene: Scene, *words: str) -> Result:
    """Run credproc below the tracer, and wait until all that came of it has ended."""
    wrapper = (sys.executable, "-I", "-S", TRACER, str(scene.path / "calls"), *words, "--")
    argv = scene.argv(wrapper=wrapper)
    if not scene.case.mfa:
        return scene.process(argv, scene.environ())
    began = time.monotonic()
    job = scene.job(argv)
    ends = words[0].startswith("signal") or words[-2:-1] == ("pselect6",)
    prompts = _attended(scene, job, lambda: _DYING if ends and (scene.path / "calls").exists() else _FINDING)
    result = scene.result(job, began, prompts)
    while PROMPT in scene.terminal.unseen:  # which nobody saw before it ended; the next run has prompts of its own
        scene.terminal.expect(PROMPT)
    end = time.monotonic() + SETTLE
    while scene.terminal.survivors() and time.monotonic() < end:
        time.sleep(0.01)
    return result


def _attended(scene: Scene, job: Job, hesitation: Callable[[], float]) -> int:
    """Sit at the terminal until the job ends: type codes for it, and let it go on when it is stopped.

    A person hesitates: who dies at a prompt is not given a code, which the next program would read.
    """
    prompts = 0
    settings = scene.terminal.attributes()
    end = time.monotonic() + scene.case.limit + PATIENCE
    while _runs(job) and time.monotonic() < end:
        if job.stopped is not None:
            assert scene.terminal.attributes() == settings, "stopped, and the terminal's settings are changed"
            job.resume()
        if PROMPT in scene.terminal.unseen:
            scene.terminal.expect(PROMPT)
            prompts += 1
            began = time.monotonic()
            while _runs(job) and job.stopped is None and time.monotonic() < min(end, began + hesitation()):
                if _prepares(job):
                    began = time.monotonic()
                time.sleep(0.01)
            if _runs(job) and job.stopped is None:
                scene.type_code()
        time.sleep(0.01)
    return prompts


def _runs(job: Job) -> bool:
    return job.status is None


def _prepares(job: Job) -> bool:
    """Whether threads are at work in the background of its prompt, which may come to the call that is looked for."""
    try:
        return len(os.listdir(f"/proc/{job.pid}/task")) > 1
    except OSError:  # it has ended
        return False
