"""Where a failure is seen: on stderr, and on the terminal where an SDK drops stderr; by us never twice on a screen."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mfa import PROMPT, World, world
from tests.program import PROGRAM

if sys.platform != "linux":
    pytest.skip("the terminal is made for Linux", allow_module_level=True)

ERROR = "credproc: error: ~/.aws/config:6: MFA code: cancelled"
HINT = "credproc: hint: run credproc login --profile admin in a terminal"
UNKNOWN = "credproc: error: ~/.aws/config and ~/.aws/credentials: no profile named 'missing'"


@pytest.fixture(name="w")
def _world(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home") as found:
        yield found


def _shown(w: World) -> list[str]:
    """Return the lines on the terminal behind the prompt."""
    w.terminal.drain()
    return [line for line in w.terminal.transcript.decode().replace("\r", "\n").split("\n") if "credproc: " in line]


def test_behind_a_prompt_the_reason_is_seen_though_the_sdk_may_drop_stderr(w: World) -> None:
    job = w.ask("admin")
    w.terminal.send("\x04")
    assert job.outcome() == (3, "", f"{ERROR}\n{HINT}\n")
    assert _shown(w) == [ERROR]
    assert w.terminal.column() == 0


def test_a_refusal_by_aws_behind_a_prompt_is_seen_too(w: World) -> None:
    job = w.ask("admin")
    w.sts.revoke(w.user)
    w.type_code()
    assert job.wait() == 1
    assert _shown(w) == [job.stderr.splitlines()[0]]


@pytest.mark.parametrize("stderr", ["null", "closed"])
def test_where_stderr_is_lost_the_terminal_has_both_lines(w: World, stderr: str) -> None:
    job = w.start("--profile", "missing", stderr=stderr)
    assert job.wait() == 1
    assert _shown(w) == [UNKNOWN, "credproc: hint: check the spelling: credproc list shows the profiles"]


def test_where_stderr_is_mixed_into_stdout_the_terminal_has_both_lines(w: World) -> None:
    line = f"{PROGRAM} --profile missing 2>&1"
    job = w.terminal.start(["sh", "-c", line], w.home.environ, stdout="pipe", stdin="null")
    assert job.wait() == 1
    assert _shown(w)[0] == UNKNOWN


def test_an_sdk_that_runs_a_failing_helper_again_and_again_makes_one_screen_of_it(w: World) -> None:
    line = f"for i in 1 2 3; do {PROGRAM} --profile missing; done; {PROGRAM} --profile other"
    job = w.terminal.start(["sh", "-c", line], w.home.environ, stdout="pipe", stderr="null")
    assert job.wait() == 1
    assert [line for line in _shown(w) if "error" in line] == [UNKNOWN, UNKNOWN.replace("missing", "other")]
    job = w.terminal.start(["sh", "-c", line], w.home.environ, stdout="pipe", stderr="null")
    job.wait()
    assert len([line for line in _shown(w) if "error" in line]) == 4, "a new command says it anew"


def test_what_is_written_to_the_terminal_by_stderr_is_not_written_twice(w: World) -> None:
    job = w.start("--profile", "admin", stderr="terminal")
    w.terminal.expect(PROMPT)
    w.terminal.send("\x04")
    assert job.wait() == 3
    assert _shown(w) == [ERROR, HINT]


def test_where_stderr_is_taken_and_nobody_was_asked_the_terminal_stays_as_it_is(w: World) -> None:
    assert w.start("--profile", "missing").outcome().stderr.startswith(UNKNOWN)
    assert w.terminal.transcript == b""


def test_never_means_never(w: World) -> None:
    job = w.start("--profile", "missing", stderr="null", environ={"CREDPROC_INTERACTIVE": "never"})
    assert job.wait() == 1
    assert w.terminal.transcript == b""


def test_whose_caller_has_gone_is_told_so_once_and_no_error(w: World) -> None:
    job = w.ask("admin")
    job.close("stdout")
    assert job.wait() == 3
    assert _shown(w) == ["credproc: the program that asked has gone; nothing was sent"]


def test_doctor_shows_the_last_failures_with_what_to_do(w: World) -> None:
    before = w.home.run("doctor", "--offline").stdout
    assert before.endswith("\nok    no failures in ~/.cache/credproc/credproc.log\n")
    for number in range(12):
        w.home.run("--profile", f"missing{number}", stderr=subprocess.DEVNULL)
    w.ask("admin")
    w.terminal.send("\x04")
    w.terminal.jobs[-1].wait()
    said = w.home.run("doctor", "--offline").stdout.splitlines()[-11:]
    assert said[0] == "warn  the last failures in ~/.cache/credproc/credproc.log (time, process, profile):"
    assert said[1].endswith(
        " 'missing3' failed: ~/.aws/config and ~/.aws/credentials: no profile named 'missing3'"
        " (check the spelling: credproc list shows the profiles)"
    )
    assert said[-1].endswith(f" 'admin' failed: {ERROR.partition('error: ')[2]} ({HINT.partition('hint: ')[2]})")
