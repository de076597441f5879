"""The prompt on a console of Windows: what a person sees, and when it goes away."""

import time

from tests.windows.world import PROMPT, START, World
from tests.windows_console import PYTHON, windows_path

CLOSED_AFTER = 40  # seconds from the start of a run
# A caller that starts the helper and reads what it prints, or stops reading when a file is there
_CALLER = """
import os, subprocess, sys, time
child = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.05)
child.stdout.close()
child.stderr.close()
os._exit(child.wait())
"""


def test_a_wrong_code_is_asked_again_and_none_is_shown(with_mfa: World) -> None:
    w = with_mfa
    job = w.asked()
    w.console.send("12345\n")
    w.console.until(lambda: w.console.screen().count(PROMPT) == 2, "the prompt again", START)
    code = w.type_code()
    assert job.outcome(START).document["Version"] == 1
    screen = w.console.screen()
    assert code not in screen
    assert "12345\n" not in screen
    assert w.helped == ["GetSessionToken", "AssumeRole"]


def test_a_prompt_that_nobody_answers_closes_and_says_so(with_mfa: World) -> None:
    w = with_mfa
    began = time.monotonic()
    ended = w.asked().outcome(START)
    assert time.monotonic() - began < 2 * CLOSED_AFTER
    assert (ended.status, ended.stdout) == (3, "")
    assert "no code" in ended.stderr
    assert w.sts.calls == []


def _gone(w: World) -> None:
    """Wait for the line that a prompt leaves which is withdrawn."""
    w.console.wait_for("the program that asked has gone; nothing was sent", CLOSED_AFTER / 2)
    assert w.sts.calls == []


def test_the_prompt_goes_when_its_caller_is_killed(with_mfa: World) -> None:
    w = with_mfa
    never = windows_path(w.home.path / "never")
    caller = w.asked(PYTHON, "-c", _CALLER, never, "cmd.exe", "/c", w.helper, "--profile", "admin")
    w.kill(caller)
    _gone(w)


def test_the_prompt_goes_when_its_caller_stops_reading(with_mfa: World) -> None:
    w = with_mfa
    stop = w.home.path / "stop"
    caller = w.asked(PYTHON, "-c", _CALLER, windows_path(stop), w.helper, "--profile", "admin")
    stop.touch()
    _gone(w)
    assert caller.outcome(START).status != 0
