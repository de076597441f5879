"""O. Signals, kill, dumps."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests import crowd
from tests.faults.inject import SCENARIOS, TRACER, Point, Scenario, at, chosen, first_of_gap, recorded, traced, wanted
from tests.faults.rows import Case, Kind, row, sweep
from tests.faults.scene import NOBODY, Result
from tests.terminal import process_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.faults.rows import Amount, Run
    from tests.faults.scene import Scene
    from tests.terminal import Job

_ENDS = (Kind.SIGNAL, Kind.DOCUMENT)

# Signals

_OTHERS = (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGQUIT)
_SIGNALS = 48, 48, 64  # cases of F139, F140 and F148 that are played where not all are


def _signalled(scenario: Scenario, point: Point, number: signal.Signals) -> Case:
    return at(scenario, point, f"signal={number:d}", _ENDS, signals=(number,))


def _killed(amount: Amount) -> Iterable[Case]:
    cases = [
        _signalled(scenario, point, signal.SIGKILL)
        for scenario in SCENARIOS
        for point in first_of_gap(chosen(scenario))
    ]
    return wanted(cases, amount, _SIGNALS[0])


def _ended(amount: Amount) -> Iterable[Case]:
    """SIGTERM everywhere; the others everywhere where a terminal is open, and each at every fourth call elsewhere."""
    cases = []
    for scenario in SCENARIOS:
        points = first_of_gap(chosen(scenario))
        before = _before_main(scenario)
        for place, point in enumerate(points):
            cases.append(_signalled(scenario, point, signal.SIGTERM))
            others = set(_OTHERS if "/dev/tty" in point.about else _OTHERS[place % 4 :][:1])
            if (point.call, point.about) in before:
                others.discard(signal.SIGINT)
            cases += [_signalled(scenario, point, other) for other in sorted(others)]
    return wanted(cases, amount, _SIGNALS[1])


def _before_main(scenario: Scenario) -> set[tuple[str, str]]:
    """Return what calls before main are about, which opens the cache first: there an error meets Python's start."""
    points = recorded(scenario)
    first = next(place for place, point in enumerate(points) if point.about == "/home/.cache/credproc")
    return {(point.call, point.about) for point in points[:first]}


# Errors

_FILES = {
    "openat": (errno.EACCES, errno.EMFILE, errno.EIO),
    "newfstatat": (errno.EIO, errno.EACCES),
    "read": (errno.EIO, errno.EINTR),
    "write": (errno.EIO, errno.ENOSPC, errno.EINTR),
    "lseek": (errno.EIO,),
    "close": (errno.EIO,),
    "fsync": (errno.EIO, errno.ENOSPC),
    "flock": (errno.ENOLCK, errno.EIO),
    "ioctl": (errno.EIO,),
    "fcntl": (errno.EPERM,),
    "getdents64": (errno.EIO,),
    "mkdir": (errno.EACCES, errno.ENOSPC),
    "renameat": (errno.EACCES, errno.EIO),
    "readlink": (errno.EIO,),
}
_ERRORS = _FILES | {
    "socket": (errno.EMFILE, errno.ENOMEM),
    "connect": (errno.ECONNREFUSED, errno.ENETUNREACH),
    "bind": (errno.EADDRNOTAVAIL,),
    "sendto": (errno.EPIPE, errno.ECONNRESET),
    "sendmsg": (errno.EPIPE, errno.ENOMEM),
    "recvfrom": (errno.ECONNRESET, errno.EINTR),
    "recvmsg": (errno.ECONNRESET, errno.EINTR),
    "setsockopt": (errno.ENOMEM,),
    "getsockopt": (errno.ENOMEM,),
    "poll": (errno.ENOMEM, errno.EINTR),
    "pselect6": (errno.ENOMEM, errno.EINTR),
    "clone": (errno.EAGAIN, errno.ENOMEM),
    "clone3": (errno.EAGAIN, errno.ENOMEM),
    "pipe2": (errno.EMFILE,),
    "prlimit64": (errno.EPERM,),
    "setsid": (errno.EPERM,),
    "wait4": (errno.ECHILD, errno.EINTR),
}
_SAID = r"\Acredproc: error: (?!internal)[^\n]+: [^\n]+\n(credproc: hint: [^\n]+\n)?\Z"
_SAID_OF_A_BUG = r"\Acredproc: error: [^\n]+: [^\n]+\n(credproc: hint: [^\n]+\n)?\Z"


def _failing(amount: Amount) -> Iterable[Case]:
    """Each call once with each error; what is the same in two scenarios is played in the first of them."""
    cases, seen = [], set()
    for scenario in SCENARIOS:
        before = _before_main(scenario)
        for point in chosen(scenario):
            if (point.call, point.about) in before or point.words[1:] in seen:
                continue
            seen.add(point.words[1:])
            if point.call in {"close", "newfstatat"} and point.about.startswith(("pipe:", "socket:", "/dev/")):
                continue  # where nothing is stored, nothing fails
            cases += [_failed(scenario, point, number) for number in _ERRORS.get(point.call, ())]
    return wanted(cases, amount, _SIGNALS[2])


def _failed(scenario: Scenario, point: Point, number: int) -> Case:
    """What is credproc's own to lose costs nobody the credentials; without the rest it says why there are none."""
    if point.about.startswith("/home/.cache"):
        kind: tuple[Kind, ...] = (Kind.DOCUMENT,)
    elif point.about == "stdout":
        kind = (Kind.DOCUMENT, Kind.OUTPUT)
    elif scenario.mfa:
        kind = (Kind.DOCUMENT, Kind.NO_TERMINAL, Kind.NETWORK)
    else:
        kind = (Kind.DOCUMENT, Kind.NETWORK)
    return at(scenario, point, f"error={number}", kind, says=_SAID if point.ours else _SAID_OF_A_BUG)


# Single faults

_AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


def _unlimited(_scene: Scene) -> None:
    pattern = Path("/proc/sys/kernel/core_pattern").read_text(encoding="ascii")
    assert not pattern.startswith("|"), "cores go to a program here, and none would be seen"


def _while_calling(number: int) -> Run:
    def run(scene: Scene) -> Result:
        answered = threading.Event()
        scene.sts.hold(answered)
        began = time.monotonic()
        child = scene.start(scene.argv(), scene.environ())
        assert scene.sts.wait_for(1, timeout=20)
        child.send_signal(number)
        stdout, stderr = child.communicate(timeout=20)
        answered.set()
        return Result(child.returncode, stdout, stderr, time.monotonic() - began)

    return run


def _while_asking(act: Callable[[Scene, Job], object]) -> Run:
    return lambda scene: scene.on_terminal(person=lambda job: act(scene, job))


def _no_core(scene: Scene, _result: Result) -> None:
    left = [path.name for path in scene.work.iterdir()]
    assert not left, f"in the working directory: {left}"


def _looked_into(scene: Scene, job: Job) -> None:
    """Look into the process as its own user; and into another one, where that must succeed."""
    with subprocess.Popen([*_AS_NOBODY, "sleep", "60"]) as other:
        crowd.until(lambda: process_name(other.pid) == "sleep")
        for pid, refused in ((other.pid, False), (job.pid, True)):
            for name in ("mem", "environ", "maps"):
                opening = [*_AS_NOBODY, "dd", f"if=/proc/{pid}/{name}", "count=0", "status=none"]
                status = subprocess.run(opening, check=False, capture_output=True).returncode
                assert (status != 0) is refused, f"{name}: dd ended with {status}"
            gdb = [*_AS_NOBODY, "gdb", "-nx", "-batch", "-p", str(pid), "-ex", "info proc"]
            environ = {"PATH": os.environ["PATH"], "HOME": "/"}
            said = subprocess.run(gdb, check=False, capture_output=True, text=True, env=environ).stderr
            assert ("not permitted" in said) is refused, said[-300:]
        other.kill()
    scene.type_code()


def _stopped(scene: Scene, point: tuple[str, ...]) -> Result:
    """Stop the run at this call, for longer than anything waits for a disk, and let it go on."""
    log = scene.path / "calls"
    wrapper = (sys.executable, "-I", "-S", TRACER, str(log), f"signal={signal.SIGSTOP:d}", *point, "--")
    began = time.monotonic()
    child = scene.start(scene.argv(wrapper=wrapper), scene.environ())
    while not log.exists() and child.poll() is None:
        time.sleep(0.01)
    time.sleep(120 if scene.deep else _STOPPED)
    child.send_signal(signal.SIGCONT)
    stdout, stderr = child.communicate(timeout=30)
    assert log.exists(), f"the call did not come: {point}; {stderr!r}"
    return Result(child.returncode, stdout, stderr, time.monotonic() - began)


_STOPPED = 4  # seconds; storing is given three


def _stop_cases() -> Iterator[Case]:
    for call, about in (
        ("write", "/home/.cache/credproc/#.entry.#.tmp"),
        ("renameat", "/home/.cache/credproc/#.entry.#.tmp"),
        ("write", "stdout"),
    ):
        thread = "0" if about == "stdout" else "3"
        run = partial(_stopped, point=(thread, "0", call, about))
        yield Case(f"at {call} {about}", run=run, seconds=150)


def _prints_code(scene: Scene) -> None:
    file = scene.path / "code"
    file.write_text(scene.user.unused_code() + "\n", encoding="ascii")
    scene.config(user=[f"mfa_process = cat {file}"])


def _storm(scene: Scene) -> Result:
    return traced(scene, f"storm={errno.EINTR}")


def _resized(scene: Scene, job: Job) -> None:
    """Change the window's size a thousand times a second while the code is typed and what follows is done."""
    sent = 0

    def send() -> None:
        nonlocal sent
        with contextlib.suppress(ProcessLookupError):
            while job.status is None:
                os.kill(job.pid, signal.SIGWINCH)
                sent += 1
                time.sleep(0.001)

    threading.Thread(target=send, daemon=True).start()
    crowd.until(lambda: sent >= 100)
    scene.type_code()


_PYTHONS = {
    "PYTHONFAULTHANDLER": "1",
    "PYTHONDEVMODE": "1",
    "PYTHONINSPECT": "1",
    "PYTHONSTARTUP": "/nonexistent/startup.py",
    "PYTHONBREAKPOINT": "os.abort",
    "PYTHONHASHSEED": "nonsense",
    "PYTHONHOME": "/nonexistent",
    "PYTHONTRACEMALLOC": "nonsense",
}
_SHORT_OF_MEMORY = (Kind.DOCUMENT, Kind.INTERNAL, Kind.SIGNAL)
_MIB = 1 << 20


ROWS = (
    sweep("F139", "SIGKILL at every system call", _killed),
    sweep(
        "F140",
        "SIGTERM, INT, HUP, PIPE and QUIT at every system call",
        _ended,
    ),
    row(
        "F141",
        "abort, where cores are unlimited",
        *(
            Case(
                f"{number.name}, {when}",
                Kind.SIGNAL,
                signals=(number,),
                before=_unlimited,
                run=run,
                wrapper=("prlimit", "--core=unlimited:unlimited"),
                mfa=mfa,
                check=_no_core,
            )
            for number in (signal.SIGABRT, signal.SIGSEGV)
            for when, run, mfa in (
                ("while STS is called", _while_calling(number), False),
                ("while a code is asked for", _while_asking(lambda _, job, number=number: job.signal(number)), True),  # type: ignore[misc]
            )
        ),
    ),
    row(
        "F142",
        "gdb and /proc/PID/mem of the same user",
        Case("while a code is asked for", run=_while_asking(_looked_into), mfa=True, nobody=True),
    ),
    row(
        "F144",
        "SIGSTOP mid-write, and SIGCONT",
        *_stop_cases(),
    ),
    row(
        "F145",
        "signals ignored, blocked or defaulted by who starts it",
        Case("SIGPIPE ignored", wrapper=("env", "--ignore-signal=PIPE")),
        Case("SIGPIPE defaulted", wrapper=("env", "--default-signal=PIPE")),
        Case("SIGCHLD ignored, a prompt", wrapper=("env", "--ignore-signal=CHLD"), mfa=True),
        Case("SIGCHLD ignored, mfa_process", before=_prints_code, wrapper=("env", "--ignore-signal=CHLD"), mfa=True),
        Case("all blocked", wrapper=("env", "--block-signal")),
        Case("all blocked, a prompt", wrapper=("env", "--block-signal"), mfa=True),
        Case(
            "all blocked, Ctrl-C",
            Kind.SIGNAL,
            signals=(signal.SIGINT,),
            run=_while_asking(lambda scene, _: scene.terminal.send("\x03")),
            wrapper=("env", "--block-signal"),
            mfa=True,
        ),
    ),
    row(
        "F146",
        "too little memory",
        *(
            Case(
                f"{size} MiB",
                _SHORT_OF_MEMORY,
                signals=(signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS),
                wrapper=("prlimit", f"--as={size * _MIB}"),
                says=_SAID_OF_A_BUG,
            )
            for size in (24, 32, 40, 48, 56, 64, 80, 96, 128)
        ),
    ),
    row(
        "F147",
        "signals a thousand times a second",
        Case("each call that a signal may interrupt is interrupted, refresh", run=_storm),
        Case("each call that a signal may interrupt is interrupted, prompt", run=_storm, mfa=True),
        Case("SIGWINCH while a code is typed", run=_while_asking(_resized), mfa=True),
    ),
    sweep("F148", "every system call fails once", _failing),
    row(
        "F149",
        "Python's variables",
        *(Case(name, environ={name: value}, frozen=True) for name, value in _PYTHONS.items()),
    ),
)
