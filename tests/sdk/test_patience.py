"""How long an SDK waits for the person, and what is left when it has gone: no prompt, and nothing lost."""

import signal
import threading
import time

from tests.mfa import PROMPT
from tests.sdk.world import START, World
from tests.terminal import Job, Terminal

LATE = 6.0  # seconds; the least patient has gone by then


def test_a_code_that_is_typed_late_is_still_waited_for(with_mfa: World, terminal: Terminal) -> None:
    w = with_mfa
    job = w.on(terminal)
    terminal.expect(PROMPT, START)
    assert (b"may give up in " in terminal.transcript) == (w.sdk.patience is not None)
    time.sleep(LATE if w.sdk.patience is None else w.sdk.patience / 2)  # the person looks for the telephone
    terminal.send(f"{w.user.unused_code()}\n")
    assert w.caller(job.outcome(START)).startswith(w.session())
    assert w.runs == w.sdk.starts


def test_the_prompt_goes_with_the_sdk(with_mfa: World, terminal: Terminal) -> None:
    w = with_mfa
    started = time.monotonic()
    job = w.on(terminal)
    terminal.expect(PROMPT, START)
    _leave(w, job, started)
    terminal.until(lambda: terminal.survivors() == [], "the end of the helper", START)
    assert w.runs == 1
    assert w.sts.count() == 0


def test_a_code_that_was_sent_before_the_sdk_has_gone_is_not_lost(with_mfa: World, terminal: Terminal) -> None:
    w = with_mfa
    answered = threading.Event()
    w.sts.hold(answered, "GetSessionToken")
    started = time.monotonic()
    job = w.on(terminal)
    terminal.expect(PROMPT, START)
    time.sleep(0 if w.sdk.patience is None else w.sdk.patience - 3)  # credproc itself waits 5 seconds for an answer
    terminal.send(f"{w.user.unused_code()}\n")
    assert w.sts.wait_for(1, "GetSessionToken", timeout=START)
    _leave(w, job, started)
    answered.set()
    terminal.until(lambda: terminal.survivors() == [], "the end of the helper", START)
    asked = terminal.transcript
    assert w.caller(w.on(terminal).outcome(START)).startswith(w.session())
    assert terminal.transcript == asked
    assert (w.sts.count("GetSessionToken"), w.sts.count("AssumeRole")) == (1, 1)


def _leave(w: World, job: Job, started: float) -> None:
    """Wait until the SDK gives up; one that waits for longer than the prompt is killed."""
    if w.sdk.patience is None:
        job.signal(signal.SIGKILL)
    assert job.wait(START) != 0
    assert w.sdk.patience is None or time.monotonic() - started >= w.sdk.patience
