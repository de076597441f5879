"""O. Signals, kill, dumps."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from tests.faults.inject import SCENARIOS, Point, Scenario, at, chosen, first_of_gap, recorded, traced, wanted
from tests.faults.rows import Case, Kind, row, sweep
from tests.faults.scene import NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.faults.rows import Amount
    from tests.faults.scene import Result, Scene
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
        begun = _begun(scenario)
        for place, point in enumerate(points):
            cases.append(_signalled(scenario, point, signal.SIGTERM))
            others = _OTHERS if "/dev/tty" in point.about else _OTHERS[place % 4 :][:1]
            cases += [_signalled(scenario, point, other) for other in others if other != signal.SIGINT or point in begun]
    return wanted(cases, amount, _SIGNALS[1])


def _begun(scenario: Scenario) -> set[Point]:
    """Return the points behind main's first call, which is about SIGINT; before it a Ctrl-C meets Python's start."""
    points = recorded(scenario)
    first = next(place for place, point in enumerate(points) if point.call == "rt_sigaction")
    return set(points[first + 1 :])


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
    "epoll_create1": (errno.EMFILE,),
}
_SAID = r"\Acredproc: error: (?!internal)[^\n]+: [^\n]+\n(credproc: hint: [^\n]+\n)?\Z"
_SAID_OF_A_BUG = r"\Acredproc: error: [^\n]+: [^\n]+\n(credproc: hint: [^\n]+\n)?\Z"


def _failing(amount: Amount) -> Iterable[Case]:
    """Each call once with each error; what is the same in two scenarios is played in the first of them."""
    cases, seen = [], set()
    for scenario in SCENARIOS:
        begun = _begun(scenario)
        for point in chosen(scenario):
            if point not in begun or point.words[1:] in seen:
                continue
            seen.add(point.words[1:])
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


ROWS = (
    sweep("F139", "SIGKILL at every system call", _killed),
    sweep("F140", "SIGTERM, INT, HUP, PIPE and QUIT at every system call", _ended),
    sweep("F148", "every system call fails once", _failing),
)
