"""A helper that asks a person, on a terminal where nobody answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from tests.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.terminal import Job

_ASKS = 20.0  # seconds in which the question is there; a helper has its modules to import


class Asked(NamedTuple):
    """What came of the run."""

    asked: bool  # something was shown on the terminal
    times: int  # it was shown, to the end
    captured: bytes  # stdout and stderr at the time of the question
    left: int  # processes that still ran after the limit
    seconds: float  # from what was done to the end
    settings_kept: bool  # of the terminal


def ask(
    argv: Sequence[str],
    environ: Mapping[str, str],
    then: Callable[[Terminal, Job], None],
    limit: float,
    *,
    script: str = 'exec "$@"',
) -> Asked:
    """Start it, wait for the question, do what ``then`` does, and wait for the end, ``limit`` seconds at most.

    Its stdin is a pipe that stays empty and open. ``script`` is how a shell, which is the job, runs it.
    """
    with Terminal() as terminal:
        before = terminal.attributes()
        job = terminal.start(["sh", "-c", script, "sh", *argv], environ, stdin="open", stdout="pipe", stderr="pipe")
        _wait(terminal, lambda: bool(terminal.transcript or job.stdout or job.stderr) or job.status is not None, _ASKS)
        time.sleep(0.1)  # the settings are changed by now, and what else it says has been said
        terminal.drain()
        asked = bool(terminal.transcript) and job.status is None
        question = terminal.transcript.strip()
        captured = (job.stdout + job.stderr).encode()
        began = time.monotonic()
        if asked:
            then(terminal, job)
        _wait(terminal, lambda: not terminal.survivors(), limit)
        seconds = time.monotonic() - began
        terminal.drain()
        times = terminal.transcript.count(question) if asked else 0
        return Asked(asked, times, captured, len(terminal.survivors()), seconds, terminal.attributes() == before)


def _wait(terminal: Terminal, condition: Callable[[], bool], limit: float) -> None:
    try:
        terminal.until(condition, timeout=limit)
    except AssertionError:  # the limit; who called looks at what there is
        return
