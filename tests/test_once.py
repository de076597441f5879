"""Asked once, seen by everyone: many processes, several terminals, killed holders, refusals that are shared."""

import json
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import crowd
from tests.mfa import PROMPT, World, profile, user_profile, world
from tests.program import PROGRAM
from tests.root import OPEN_FILES
from tests.sts import Trust
from tests.terminal import Terminal
from tests.wording import assert_names

if sys.platform != "linux":
    pytest.skip("reads /proc", allow_module_level=True)

ROLES = [f"role{number}" for number in range(5)]


@pytest.fixture(name="w")
def _world(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home", ROLES) as found:
        yield found


@pytest.mark.crowd
@pytest.mark.root(OPEN_FILES)
def test_two_hundred_processes_and_five_roles_behind_one_user_cost_one_code(w: World, tmp_path: Path) -> None:
    crowd.behind_one_user(w, tmp_path / "crowd", 200, 5)


@pytest.mark.crowd
@pytest.mark.root(OPEN_FILES)
def test_all_wait_at_the_barrier_while_one_is_at_work(w: World, tmp_path: Path) -> None:
    crowd.at_the_barrier(w, tmp_path / "crowd", 200)


@pytest.mark.parametrize("number", range(4))
def test_a_killed_holder_is_taken_over(w: World, tmp_path: Path, number: int) -> None:
    crowd.with_a_killed_holder(w, tmp_path / "crowd", 10, random.Random(number).uniform(0, 1.5))  # noqa: S311


@pytest.mark.crowd
@pytest.mark.measure  # compares two times, between which the load must not change
@pytest.mark.root(OPEN_FILES)
def test_fifty_that_wait_end_with_the_one_whose_prompt_is_cancelled(w: World, tmp_path: Path) -> None:
    began = time.monotonic()
    waiting = crowd.Crowd(w, tmp_path / "crowd", ["role0"] * 51)
    w.terminal.expect(PROMPT, 30)
    crowd.until(lambda: waiting.at_the_lock() == 51)
    all_wait = time.monotonic()
    w.terminal.send("\x04")
    ended = waiting.ended(10)
    assert time.monotonic() - all_wait < (all_wait - began) / 2  # they go sooner than they have come
    assert ended.statuses == [3] * 51
    (said,) = ended.errors
    assert_names(said, "credproc: error: ~/.aws/config:22: MFA code: ", "cancelled", "credproc login --profile role0")
    assert w.terminal.transcript.count(PROMPT.encode()) == 1
    assert w.sts.count() == 0


@pytest.mark.root(OPEN_FILES)
def test_a_cancelled_prompt_ends_the_other_roles_behind_the_user_too(w: World, tmp_path: Path) -> None:
    waiting = crowd.Crowd(w, tmp_path / "crowd", ROLES * 2)
    w.terminal.expect(PROMPT, 30)
    crowd.until(lambda: waiting.at_the_lock() == 10)
    w.terminal.send("\x04")
    ended = waiting.ended(10)
    assert ended.statuses == [3] * 10
    assert w.terminal.transcript.count(PROMPT.encode()) == 1


def test_ctrl_c_at_the_prompt_ends_those_who_wait_in_another_group(w: World) -> None:
    waiter = w.ask("role0")
    other = w.start("--profile", "role0", foreground=False)
    crowd.until_waiting([other.pid])
    w.terminal.send("\x03")
    assert waiter.wait() == -signal.SIGINT
    assert other.outcome().status == 3
    assert "MFA code: cancelled" in other.stderr


@pytest.mark.parametrize(("number", "is_shared"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_only_a_signal_from_the_keyboard_declines_for_others(w: World, number: int, is_shared: bool) -> None:  # noqa: FBT001
    job = w.ask("role0")
    job.signal(number)
    assert job.wait() == -number
    assert bool(list(w.home.cache.glob("*.declined"))) is is_shared


def test_an_sdk_that_tries_again_at_once_is_refused_and_a_new_command_asks(w: World) -> None:
    script = '"$0" --profile role0; echo "$?"; "$0" --profile role0; echo "$?"'
    job = w.terminal.start(["sh", "-c", script, PROGRAM], w.home.environ, stdout="pipe", stderr="pipe")
    w.terminal.expect(PROMPT)
    w.terminal.send("\x04")
    assert job.outcome().stdout == "3\n3\n"
    assert job.stderr.count("MFA code: cancelled") == 2
    assert w.terminal.transcript.count(PROMPT.encode()) == 1
    w.answered("role0")


def test_a_refusal_is_not_made_younger_by_those_who_heed_it(w: World) -> None:
    script = '"$0" --profile role0; cp "$1"/*.declined "$2"; sleep 1; "$0" --profile role0'
    kept = w.home.path / "kept"
    kept.mkdir()
    job = w.terminal.start(["sh", "-c", script, PROGRAM, str(w.home.cache), str(kept)], w.home.environ, stdout="pipe")
    w.terminal.expect(PROMPT)
    w.terminal.send("\x04")
    assert job.wait() == 3
    for path in kept.iterdir():
        assert json.loads((w.home.cache / path.name).read_bytes())["at"] <= json.loads(path.read_bytes())["at"]
    assert len(list(kept.iterdir())) == 2


def test_login_asks_whoever_has_refused_before(w: World) -> None:
    script = '"$0" --profile role0; "$0" login --profile role0'
    job = w.terminal.start(["sh", "-c", script, PROGRAM], w.home.environ, stdout="pipe", stderr="pipe")
    w.terminal.expect(PROMPT)
    w.terminal.send("\x04")
    w.terminal.expect(PROMPT)
    w.type_code()
    assert job.outcome().status == 0


def test_those_without_a_terminal_wait_for_the_one_who_has_one(w: World) -> None:
    asked = w.ask("role0")
    without = [w.home.start("--profile", name, start_new_session=True) for name in ("role0", "role1")]
    crowd.until_waiting(one.pid for one in without)
    assert [one.poll() for one in without] == [None, None]
    w.type_code()
    assert asked.wait() == 0
    for one in without:
        stdout, stderr = one.communicate(timeout=30)
        assert (one.returncode, stderr) == (0, "")
        assert '"Version":1' in stdout
    assert w.sts.count("GetSessionToken") == 1


def test_that_there_is_no_terminal_is_shared_by_those_who_have_none(w: World) -> None:
    runs = [w.home.start("--profile", "role0", start_new_session=True) for _ in range(20)]
    for run in runs:
        stdout, stderr = run.communicate(timeout=30)
        assert (run.returncode, stdout) == (3, "")
        assert "no terminal" in stderr
    w.answered("role0")


def test_two_terminals_and_one_user_cost_one_code_and_the_other_terminal_is_told(w: World) -> None:
    asked = w.ask("role0")
    with Terminal() as other:
        waiters = [
            other.start([PROGRAM, "--profile", "role0"], w.home.environ, stdout="pipe", stderr="pipe", stdin="null")
        ]
        waiters.append(
            other.start(
                [PROGRAM, "--profile", "role0"],
                w.home.environ,
                stdout="pipe",
                stderr="pipe",
                stdin="null",
                group=waiters[0],
            )
        )
        other.expect(f"process {asked.pid} ")
        other.expect("MFA code in another terminal\r")
        time.sleep(0.7)  # the second one would have spoken by now
        assert other.unseen.strip() == ""
        w.type_code()
        assert asked.wait() == 0
        assert [waiter.outcome().status for waiter in waiters] == [0, 0]
        assert other.column() == 0
    assert w.sts.count() == 2


def test_two_serials_on_one_terminal_are_asked_for_one_after_the_other(w: World) -> None:
    second = w.sts.user("user2", mfa=True)
    arn = w.role("two")
    w.sts.role(arn, Trust((second.arn,), mfa_required=True))
    w.home.config(
        profile("role0", w.role("role0"))
        + user_profile(w.user)
        + profile("two", arn, "user2")
        + f"[profile user2]\nmfa_serial = {second.mfa_serial}\n"
    )
    w.home.credentials(
        "".join(
            f"[{user.name}]\naws_access_key_id = {user.access_key_id}\n"
            f"aws_secret_access_key = {user.secret_access_key}\n"
            for user in (w.user, second)
        )
    )
    script = '"$0" --profile role0 & "$0" --profile two & wait'
    job = w.terminal.start(["sh", "-c", script, PROGRAM], w.home.environ, stdout="pipe", stderr="pipe")
    users = {w.user.mfa_serial: w.user, second.mfa_serial: second}
    w.terminal.expect(PROMPT)
    time.sleep(1)  # the other one has its turn to wait for by now
    first = w.terminal.unseen.split()[0]
    assert PROMPT not in w.terminal.unseen
    w.terminal.send(f"{users[first].unused_code()}\n")
    w.terminal.expect(PROMPT)
    other = w.terminal.unseen.split()[0]
    assert {first, other} == set(users)
    w.terminal.send(f"{users[other].unused_code()}\n")
    assert job.outcome(30).stdout.count('"Version":1') == 2
    assert job.stderr == ""
