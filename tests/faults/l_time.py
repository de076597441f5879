"""L. Time."""

from __future__ import annotations

import calendar
import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from credproc.credentials import epoch_seconds
from tests import crowd
from tests.faults.h_disk import failing
from tests.faults.rows import Case, Kind, each, row
from tests.faults.scene import Result
from tests.sts import fail, hold, with_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.rows import Run, Step
    from tests.faults.scene import Scene
    from tests.terminal import Job

_DAY = 86400
_NIGHT = 8 * 3600
_SKEW = r"the clock here is 9[56]\d s {} the one of http://127\.0\.0\.1:\d+"
_SIGNATURE = fail(403, "SignatureDoesNotMatch", "Signature expired")
_EXPIRED = fail(400, "RequestExpired", "Request has expired")


# The wall clock alone, by libfaketime: the offset is in a file, and read anew at each look at the clock


def _offset(scene: Scene) -> Path:
    return scene.path / "offset"


def _jump(scene: Scene, seconds: float) -> None:
    """Let the wall clock that credproc sees be off by so much from now on; monotonic time goes on as it was."""
    path = _offset(scene)
    new = path.with_suffix(".new")
    new.write_text(f"{seconds:+.0f}\n")
    new.rename(path)


def _clock(scene: Scene) -> dict[str, str]:
    """Return the variables that give credproc a clock of its own."""
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    only_wall = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
    fresh = {"FAKETIME_NO_CACHE": "1", "FAKETIME_TIMESTAMP_FILE": str(_offset(scene))}
    return {"LD_PRELOAD": str(library), **only_wall, **fresh}


def _by_that_clock(scene: Scene, person: Callable[[Job], object] | None = None) -> Result:
    """Run credproc with the clock as it was last set."""
    environ = scene.environ(_clock(scene))
    try:
        if scene.case.mfa:
            return scene.on_terminal(environ=environ, person=person)
        return scene.process(scene.argv(), environ)
    finally:
        _sweep_up()


def _sweep_up() -> None:
    """Remove what libfaketime leaves of programs that end by _exit."""
    for path in Path("/dev/shm").glob("*faketime_s*_*"):  # noqa: S108 - its place
        if not Path("/proc", path.name.rpartition("_")[2]).exists():
            path.unlink(missing_ok=True)


def _then(seconds: float, *, sts: bool = True) -> Step:
    """Return the step that sets the clock, and that of STS unless told, to another time."""

    def step(scene: Scene) -> None:
        _jump(scene, seconds)
        scene.sts.clock_offset = seconds if sts else 0

    return step


def _corrected(scene: Scene) -> None:
    scene.sts.heal()
    scene.sts.clock_offset = 0


def _skewed(seconds: float) -> Step:
    """Return the step that lets STS's clock be ahead by so much."""

    def step(scene: Scene) -> None:
        scene.sts.clock_offset = seconds

    return step


def _written(seconds: float) -> Step:
    """Return the step that leaves an entry (and a session) of a time when both clocks were off by so much."""

    def step(scene: Scene) -> None:
        _then(seconds)(scene)
        result = _by_that_clock(scene)
        assert result.status == 0, result
        scene.before = result.stdout
        _corrected(scene)
        scene.home.settle()

    return step


def _jumps_at_prompt(seconds: float, *, sts: bool, types: bool = True) -> Run:
    """Return the run in which the clock jumps while a person is asked, who then types the code or declines."""

    def run(scene: Scene) -> Result:
        def person(_: Job) -> None:
            _then(seconds, sts=sts)(scene)
            if types:
                scene.type_code()
            else:
                scene.terminal.send("\x04")

        return _by_that_clock(scene, person)

    return run


def _jumps_while_sts_answers(seconds: float, *, sts: bool) -> Run:
    """Return the run in which the clock jumps when AssumeRole has been decided, and its answer is under way."""

    def run(scene: Scene) -> Result:
        _jump(scene, 0)
        answer = threading.Event()
        scene.sts.once(hold(answer, decided=True), action="AssumeRole")
        waker = threading.Thread(target=_wake, args=(scene, answer, seconds), kwargs={"sts": sts})
        waker.start()
        result = _by_that_clock(scene)
        waker.join()
        return result

    return run


def _wake(scene: Scene, answer: threading.Event, seconds: float, *, sts: bool) -> None:
    assert scene.sts.wait_for(1, "AssumeRole", timeout=30)
    _then(seconds, sts=sts)(scene)
    answer.set()


def _sleeps_while_storing(scene: Scene) -> Result:
    """Let the machine sleep when the credentials are there, and the entry is being written to the disk."""
    _jump(scene, 0)
    threading.Thread(target=_sleep_once_stored, args=(scene,)).start()
    argv = scene.argv(wrapper=failing("fsync", "delay_enter=1500000"))
    try:
        return scene.process(argv, scene.environ(_clock(scene)))
    finally:
        _sweep_up()


def _sleep_once_stored(scene: Scene) -> None:
    assert scene.sts.wait_for(1, "AssumeRole", "OK", timeout=30)
    end = time.monotonic() + 10
    while not list(scene.cache.glob("*.tmp")) and time.monotonic() < end:
        time.sleep(0.01)
    _then(_NIGHT)(scene)


def _jumps_while_one_waits(scene: Scene) -> list[Result]:
    """Let the clock of one run jump while another waits for it, whose clock stands: libfaketime breaks sleep()."""
    _jump(scene, 0)
    answer = threading.Event()
    scene.sts.once(hold(answer, decided=True), action="AssumeRole")
    began = time.monotonic()
    first = scene.start(scene.argv(), scene.environ(_clock(scene)))
    assert scene.sts.wait_for(1, "AssumeRole", timeout=30)
    second = scene.start(scene.argv(), scene.environ())
    crowd.until_waiting([second.pid])
    _jump(scene, -7200)
    answer.set()
    outputs = [child.communicate(timeout=30) for child in (first, second)]
    _sweep_up()
    seconds = time.monotonic() - began
    assert outputs[0] == outputs[1], "two answers"
    return [Result(child.returncode, *output, seconds) for child, output in zip((first, second), outputs, strict=True)]


# What must come of it


def _ends_when_sts_says(scene: Scene, result: Result) -> None:
    """What is printed ends when STS says, in UTC, and has not ended by STS's clock."""
    if result.status == 0:
        document = json.loads(result.stdout)
        issued = scene.sts.iam.credentials(document["AccessKeyId"])
        assert issued is not None
        assert document["Expiration"] == issued.expiration_text
        assert (issued.expiration or 0) > scene.sts.now(), "what is printed has expired"


def _is_new(scene: Scene, result: Result) -> None:
    assert result.stdout != scene.before, "the old document is served"
    _ends_when_sts_says(scene, result)


def _is_old(scene: Scene, result: Result) -> None:
    assert result.stdout == scene.before, "another document"
    assert result.prompts == 0


def _without_a_prompt(_: Scene, result: Result) -> None:
    assert result.prompts == 0, "somebody was asked"


def _left(seconds: int, *, session: bool = True) -> Step:
    """Return the step that leaves an entry whose credentials last so long, and perhaps no session."""

    def step(scene: Scene) -> None:
        scene.before = scene.warm().stdout
        scene.home.age_entry(seconds)
        scene.home.settle()
        if not session:
            for path in [*scene.cache.glob("*.session"), *scene.cache.glob("*.credentials")]:
                path.unlink()
        _jump(scene, 0)

    return step


def _fold(scene: Scene) -> None:
    """Set both clocks to an hour that the clocks on the walls of Berlin show twice."""
    _then(calendar.timegm((2027, 10, 31, 1, 30, 0)) - time.time())(scene)


def _ends(text: str) -> Step:
    return lambda scene: scene.sts.once(with_text("Expiration", text))


def _prints_end(text: str) -> Callable[[Scene, Result], None]:
    def check(_: Scene, result: Result) -> None:
        assert result.status or json.loads(result.stdout)["Expiration"] == text

    return check


def _ends_within_twelve_hours(_: Scene, result: Result) -> None:
    """What is printed ends when a role's credentials end at the latest, whatever STS says."""
    left = epoch_seconds(json.loads(result.stdout)["Expiration"]) - time.time()
    assert 11 * 3600 < left <= 12 * 3600


def _other_monotonic(scene: Scene) -> list[Result]:
    """Let a run whose boot was at another time wait for one that asks STS."""
    answer = threading.Event()
    scene.sts.once(hold(answer), action="AssumeRole")
    first = scene.start(scene.argv(wrapper=()), scene.environ())
    assert scene.sts.wait_for(1, "AssumeRole", timeout=30)
    threading.Timer(1.5, answer.set).start()
    second = scene.process(scene.argv(), scene.environ())
    stdout, stderr = first.communicate(timeout=30)
    assert stdout == second.stdout, "two documents"
    return [second, Result(first.returncode, stdout, stderr, second.seconds)]


_OTHER_BOOT = ("unshare", "--time", "--fork", "--monotonic", "31536000", "--boottime", "31536000", "--")

ROWS = (
    row(
        "F120",
        "an entry that was written while the clock was wrong",
        Case("a day ahead", before=_written(_DAY), check=_is_new, calls=1),
        Case("a day ahead, MFA", before=_written(_DAY), check=_is_new, mfa=True, calls=2),
        Case("a day behind", before=_written(-_DAY), check=_is_new, calls=1),
        Case(
            "the clock is set to the epoch",
            before=each(_left(0), lambda s: _jump(s, 60 - time.time())),
            run=_by_that_clock,
            calls=2,
        ),
    ),
    row(
        "F121",
        "the clock jumps back two hours while credproc runs",
        Case(
            "at the prompt",
            before=_then(7200),
            run=_jumps_at_prompt(0, sts=True),
            check=_ends_when_sts_says,
            mfa=True,
            seconds=12,
        ),
        Case(
            "while STS answers",
            before=lambda s: _jump(s, 0),
            run=_jumps_while_sts_answers(-7200, sts=False),
            check=_ends_when_sts_says,
        ),
        Case("while another waits", run=_jumps_while_one_waits, calls=1),
    ),
    row(
        "F122",
        "the clock is sixteen minutes ahead of STS's, or behind it",
        *(
            Case(
                f"{words}, {name}{', MFA' * mfa}",
                Kind.DENIED,
                before=each(_skewed(offset), lambda s, fault=fault: fault and s.sts.always(fault)),
                undo=_corrected,
                says=_SKEW.format(words),
                mfa=mfa,
                deep=deep,
            )
            for words, offset in (("behind", 960), ("ahead of", -960))
            for name, fault, mfa, deep in (
                ("SignatureDoesNotMatch", _SIGNATURE, False, False),
                ("RequestExpired", _EXPIRED, False, True),
                ("with a code", None, True, False),
            )
        ),
        Case("ten minutes", before=_skewed(600), undo=_corrected, check=_ends_when_sts_says),
    ),
    row(
        "F123",
        "the machine sleeps for eight hours",
        Case(
            "while a person is asked",
            before=_then(0),
            run=_jumps_at_prompt(_NIGHT, sts=True),
            undo=_corrected,
            check=_ends_when_sts_says,
            mfa=True,
        ),
        Case(
            "while a person is asked who declines, with four minutes left",
            Kind.CANCELLED,
            before=_left(240, session=False),
            run=_jumps_at_prompt(_NIGHT, sts=True, types=False),
            undo=_corrected,
            says="MFA code: cancelled",
            mfa=True,
            loses=True,  # there is none: it was removed before
        ),
        Case(
            "while STS answers",
            (Kind.TIMEOUT, Kind.DOCUMENT),
            run=_jumps_while_sts_answers(_NIGHT, sts=True),
            undo=_corrected,
            says="expired",
            check=_ends_when_sts_says,
        ),
        Case(
            "while the entry is written",
            (Kind.TIMEOUT, Kind.DOCUMENT),
            run=_sleeps_while_storing,
            undo=_corrected,
            says="expired",
            check=_ends_when_sts_says,
        ),
        Case("one waits whose boot was a year before", run=_other_monotonic, wrapper=_OTHER_BOOT, calls=1),
    ),
    row(
        "F124",
        "time zones",
        Case("Kathmandu", environ={"TZ": "Asia/Kathmandu"}, check=_ends_when_sts_says),
        Case(
            "the hour that comes twice",
            before=_fold,
            run=_by_that_clock,
            undo=_corrected,
            environ={"TZ": "CET-1CEST,M3.5.0,M10.5.0/3"},
            check=_ends_when_sts_says,
        ),
        Case("a file that is none", environ={"TZ": ":/etc/passwd"}, check=_ends_when_sts_says),
        Case("10 KiB", environ={"TZ": "X" * 10240}, check=_ends_when_sts_says),
    ),
    row(
        "F125",
        "times at the borders",
        Case("ends in 1970", Kind.NETWORK, before=_ends("1970-01-01T00:00:00Z"), says="have expired"),
        Case("ends in 2040", before=_ends("2040-01-01T00:00:00Z"), check=_ends_within_twelve_hours),
        Case("ends in 9999", before=_ends("9999-12-31T23:59:59Z"), check=_ends_within_twelve_hours),
        Case("ends in 10000", (Kind.NETWORK,), before=_ends("10000-01-01T00:00:00Z"), says="AssumeRole: the answer"),
        Case(
            "ends in a leap second",
            (Kind.NETWORK, Kind.DOCUMENT),
            before=_ends("2028-12-31T23:59:60Z"),
            says="AssumeRole: the answer",
            check=_prints_end("2029-01-01T00:00:00Z"),
        ),
        Case(
            "it is 2039",
            before=_then(13 * 365 * _DAY),
            run=_by_that_clock,
            undo=_corrected,
            check=_ends_when_sts_says,
        ),
    ),
    row(
        "F126",
        "credentials with 14 minutes left",
        Case("nobody need be asked", before=_left(840), check=_is_new, calls=1),
        Case("a session is there", before=_left(840), check=each(_is_new, _without_a_prompt), mfa=True, calls=1),
        Case("a person would be asked", before=_left(840, session=False), check=_is_old, mfa=True, calls=0),
    ),
)
