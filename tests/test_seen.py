"""Where a failure is seen: on stderr, and on the terminal where an SDK drops stderr; by us never twice on a screen."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mfa import PROMPT, World, world
from tests.program import PROGRAM, Home

if sys.platform != "linux":
    pytest.skip("the terminal is made for Linux", allow_module_level=True)

ERROR = "credproc: error: ~/.aws/config:6: MFA code: cancelled"
HINT = "credproc: hint: run credproc login --profile admin in a terminal"
LOG = "~/.cache/credproc/credproc.log"
UNKNOWN = "credproc: error: ~/.aws/config and ~/.aws/credentials: no profile named 'missing'"


@pytest.fixture(name="w")
def _world(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home") as found:
        yield found


def _shown(w: World) -> list[str]:
    """Return the lines on the terminal behind the prompt."""
    w.terminal.drain()
    seen = re.sub(r"[\r\n]+  ", " ", w.terminal.transcript.decode())  # each line whole that was broken between words
    return [line for line in re.split(r"[\r\n]", seen) if "credproc: " in line]


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


def _failures(home: Home, *arguments: str) -> list[str]:
    """Return the failures that doctor shows, each without its time and process."""
    lines = home.run("doctor", *arguments, "--offline").stdout.splitlines()
    start = next(number for number, line in enumerate(lines) if f"failures within 24 h in {LOG}" in line)
    assert lines[start].startswith("warn  the last" if lines[start + 1 :] else "ok    no ")
    return [line.split(maxsplit=2)[2] for line in lines[start + 1 :]]


def test_doctor_shows_the_last_failures_with_what_to_do(w: World) -> None:
    assert _failures(w.home) == []
    config = w.home.path / ".aws" / "config"
    text = config.read_text()
    names = [f"broken{number}" for number in range(5)]
    config.write_text(text + "".join(f"[profile {name}]\nregion = us-west-2\n" for name in names))
    for name in (*names, "mistyped"):
        w.home.run("--profile", name, stderr=subprocess.DEVNULL)
    found = _failures(w.home)
    assert [line.partition(" failed: ")[0] for line in found] == ["'broken2'", "'broken3'", "'broken4'"]
    assert found[0].endswith(")"), "the hint"
    assert len(_failures(w.home, "broken0")) == 1
    assert _failures(w.home, "admin") == []
    config.write_text(text + "[profile alias]\ncredential_process = credproc --profile admin\n")
    assert _failures(w.home) == [], "profiles that are no more"


def test_a_prompt_that_was_cancelled_or_mistyped_is_no_failure(w: World) -> None:
    w.ask("admin")
    w.terminal.send("\x04")
    w.terminal.jobs[-1].wait()
    w.ask("admin")
    for typed in ("1\n", "2\n"):
        w.terminal.send(typed)
        w.terminal.expect(PROMPT)
    w.terminal.send("3\n")
    w.terminal.jobs[-1].wait(30)
    assert w.home.log.count(" 'admin' declined: ") == 2
    assert _failures(w.home) == []


def test_what_has_succeeded_since_is_no_failure_and_what_is_a_day_old(w: World) -> None:
    assert w.home.run("--profile", "admin").status == 3  # without a terminal
    (failure,) = _failures(w.home)
    assert failure.startswith("'admin' failed: ")
    config = w.home.path / ".aws" / "config"
    config.write_text(config.read_text() + "[profile alias]\ncredential_process = credproc --profile admin\n")
    assert _failures(w.home, "alias") == [failure]
    log = w.home.cache / "credproc.log"
    kept = log.read_text()
    now = time.time()
    for age, count in ((24 * 3600 - 60, 1), (24 * 3600 + 1, 0), (-60, 0)):
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - age))
        log.write_text("damaged\n" + re.sub(r"^\S+Z ", f"{moment} ", kept, flags=re.MULTILINE))
        assert len(_failures(w.home)) == count
    log.write_text(kept)
    w.answered("admin")
    assert _failures(w.home) == []
    text = config.read_text()
    config.write_text(text.replace("role_arn", "rolle_arn", 1))
    assert w.home.run("--profile", "admin").status == 1
    assert len(_failures(w.home)) == 1
    config.write_text(text)
    w.unasked("admin")  # from the cache
    assert _failures(w.home) == []
