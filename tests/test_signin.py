"""Signing in with MFA, end to end: each row of the decision table, what is shared, and that nothing is lost."""

import calendar
import json
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from credproc.commands.inventory import mfa_sessions
from credproc.files import open_directory
from tests.mfa import PROMPT, World, profile, user_profile, world
from tests.sts import Trust, delay, fail, hang_up
from tests.wording import assert_names


@pytest.fixture(name="w")
def _world(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home", ("admin", "other")) as found:
        yield found


def _durations(w: World) -> list[tuple[str, str | None, bool]]:
    """Return each call's action, duration and whether it carried a code."""
    return [
        (call.action, call.parameters.get("DurationSeconds"), "TokenCode" in call.parameters) for call in w.sts.calls
    ]


def test_one_role_is_assumed_through_a_session_that_another_role_shares(w: World) -> None:
    first = w.answered("admin")
    assert w.unasked("other")["AccessKeyId"] != first["AccessKeyId"]
    assert _durations(w) == [
        ("GetSessionToken", "43200", True),
        ("AssumeRole", None, False),
        ("AssumeRole", None, False),
    ]
    assert w.sts.calls[1].access_key_id == w.sts.calls[2].access_key_id


def test_a_profile_without_a_role_gives_the_shared_session_itself(w: World) -> None:
    document = w.answered("user1")
    assert document["AccessKeyId"]
    w.unasked("admin")
    assert _durations(w) == [("GetSessionToken", "43200", True), ("AssumeRole", None, False)]
    assert w.sts.calls[1].access_key_id == document["AccessKeyId"]


def test_a_role_for_more_than_an_hour_is_assumed_with_the_code_straight_from_the_keys(w: World) -> None:
    w.home.config(profile("long", w.role("long"), "user1", "duration_seconds = 7200") + user_profile(w.user))
    document = w.answered("long")
    assert _durations(w) == [("AssumeRole", "7200", True)]
    assert w.sts.calls[0].access_key_id == w.user.access_key_id
    assert _seconds_left(document) > 7000


def test_a_long_role_with_nobody_to_ask_goes_through_a_valid_session_for_an_hour(w: World) -> None:
    w.home.config(
        profile("long", w.role("long"), "user1", "duration_seconds = 7200")
        + profile("admin", w.role("admin"))
        + user_profile(w.user)
    )
    w.answered("admin")
    document = w.home.run("--profile", "long", start_new_session=True).document
    assert _durations(w)[2:] == [("AssumeRole", "3600", False)]
    assert _seconds_left(document) < 3700


def test_a_chain_goes_through_the_session_and_each_role_is_capped_at_an_hour(w: World) -> None:
    last = w.role("last", Trust((w.role("middle"),)))
    w.home.config(
        profile("last", last, "middle", "duration_seconds = 7200")
        + profile("middle", w.role("middle"), "user1", "duration_seconds = 7200")
        + user_profile(w.user)
    )
    w.answered("last")
    assert _durations(w) == [
        ("GetSessionToken", "43200", True),
        ("AssumeRole", "3600", False),
        ("AssumeRole", "3600", False),
    ]


@pytest.mark.parametrize("store", ["none", "keyring"])
def test_where_no_session_can_be_kept_the_first_role_is_assumed_with_the_code(w: World, store: str) -> None:
    last = w.role("last", Trust((w.role("middle"),)))
    w.home.config(profile("last", last, "middle") + profile("middle", w.role("middle")) + user_profile(w.user))
    w.answered("middle", CREDPROC_SESSION_STORE=store)  # there is no keyring: no bus is named
    w.answered("last", CREDPROC_SESSION_STORE=store)
    assert [(action, with_code) for action, _, with_code in _durations(w)] == [
        ("AssumeRole", True),
        ("AssumeRole", True),
        ("AssumeRole", False),
    ]
    assert ("no MFA session can be stored: " in w.home.log) is True
    assert not list(w.home.cache.glob("*.session"))


def test_where_no_session_can_be_kept_one_without_a_role_is_kept_as_the_entry(w: World) -> None:
    first = w.answered("user1", CREDPROC_SESSION_STORE="none")
    assert w.start("--profile", "user1", environ={"CREDPROC_SESSION_STORE": "none"}).outcome().document == first
    assert _durations(w) == [("GetSessionToken", "43200", True)]


def test_a_serial_on_a_role_whose_source_is_temporary_is_explained(w: World) -> None:
    keys = w.sts.temporary(w.user)
    w.home.credentials(
        f"[user1]\naws_access_key_id = {keys.access_key_id}\naws_secret_access_key = {keys.secret_access_key}\n"
        f"aws_session_token = {keys.session_token}\n"
    )
    w.home.config(profile("admin", w.role("admin"), "user1", f"mfa_serial = {w.user.mfa_serial}"))
    status, stdout, stderr = w.start("--profile", "admin").outcome()
    assert (status, stdout) == (1, "")
    error, hint = stderr.splitlines()
    assert_names(error, "credproc: error: ~/.aws/config:4: mfa_serial", "temporary")
    assert_names(hint, "credproc: hint: ", "mfa_serial", "source_profile")


def test_a_serial_beside_temporary_keys_is_ignored(w: World) -> None:
    keys = w.sts.temporary(w.user)
    w.home.credentials(
        f"[user1]\naws_access_key_id = {keys.access_key_id}\naws_secret_access_key = {keys.secret_access_key}\n"
        f"aws_session_token = {keys.session_token}\n"
    )
    w.home.config(profile("admin", w.role("admin", Trust((w.user.arn,)))) + user_profile(w.user))
    assert w.unasked("admin")["Version"] == 1
    assert _durations(w) == [("AssumeRole", None, False)]
    assert "ignored: ~/.aws/config:5: mfa_serial: " in w.home.log


def test_a_serial_with_keys_from_the_environment_asks_too(w: World) -> None:
    w.home.config(
        f"[profile admin]\nrole_arn = {w.role('admin')}\ncredential_source = Environment\n"
        f"mfa_serial = {w.user.mfa_serial}\n"
    )
    w.answered("admin", **w.user.credentials.environment())
    assert _durations(w) == [("GetSessionToken", "43200", True), ("AssumeRole", None, False)]


def test_two_roles_in_two_regions_behind_one_user_cost_one_code(w: World) -> None:
    w.home.config(
        profile("west", w.role("west"), "user1", "region = us-west-2")
        + profile("east", w.role("east"), "user1", "region = eu-central-1")
        + user_profile(w.user)
    )
    w.answered("west")
    w.unasked("east")
    assert w.actions == ["GetSessionToken", "AssumeRole", "AssumeRole"]
    assert [call.region for call in w.sts.calls] == ["us-west-2", "us-west-2", "eu-central-1"]


def test_another_endpoint_is_another_session(w: World) -> None:
    w.answered("admin")
    local = w.sts.url.replace("127.0.0.1", "localhost")
    w.answered("admin", AWS_ENDPOINT_URL_STS=local)
    assert w.actions == ["GetSessionToken", "AssumeRole"] * 2


def test_the_sessions_lifetime_is_the_setting_of_the_source_profile_then_of_the_selected_one(w: World) -> None:
    setting = "credproc_mfa_session_duration_seconds = {}"
    admin = profile("admin", w.role("admin"), "user1", setting.format(1000))
    w.home.config(admin + user_profile(w.user, setting.format(900)))
    w.answered("admin")
    assert _durations(w)[0] == ("GetSessionToken", "900", True)
    w.home.run("logout", "--all")
    w.home.config(admin + user_profile(w.user))
    w.answered("admin")
    assert _durations(w)[2] == ("GetSessionToken", "1000", True)


# The session's end


def test_a_session_that_sts_calls_expired_is_dropped_and_fetched_anew_once(w: World) -> None:
    w.answered("admin")
    w.sts.expire(w.sts.calls[1].access_key_id or "")
    w.answered("other")
    assert [(call.action, call.outcome) for call in w.sts.calls[2:]] == [
        ("AssumeRole", "ExpiredToken"),
        ("GetSessionToken", "OK"),
        ("AssumeRole", "OK"),
    ]


def test_a_session_that_sts_does_not_know_is_dropped_and_not_asked_for_where_nobody_is(w: World) -> None:
    w.answered("admin")
    w.sts.revoke(w.sts.calls[1].access_key_id or "")
    ran = w.home.run("--profile", "other", start_new_session=True)
    assert ran.status == 3
    assert not list(w.home.cache.glob("*.session"))
    assert not list(w.home.cache.glob("*.credentials"))


def test_an_old_session_is_named_where_the_role_refuses_it(w: World) -> None:
    w.role("other", Trust((w.user.arn,), mfa_max_age=60))
    w.answered("admin")
    _age_session(w, 600)
    w.role("other", Trust(("nobody",)))
    ran = w.start("--profile", "other").outcome()
    assert ran.status == 1
    hint = ran.stderr.splitlines()[1]
    assert_names(hint, "credproc: hint: ", "10 minutes", "credproc login --renew --profile other")
    assert "credproc_session_store = none" in hint


def test_explain_remembers_the_age_of_a_session_that_the_role_refused_and_what_asks_each_time_instead(w: World) -> None:
    w.role("other", Trust((w.user.arn,), mfa_max_age=0))
    assert "remark: " not in w.home.run("explain", "other").stdout
    w.answered("admin")
    _age_session(w, 600)
    assert w.start("--profile", "other").outcome().status == 1
    said = w.home.run("explain", "other", environ={"COLUMNS": "1000"}).stdout
    (remark,) = re.findall("^remark: (.*)$", said, re.MULTILINE)
    assert_names(remark, "AWS denied ", "10 min", "credproc_session_store = none")
    assert "remark: " not in w.home.run("explain", "admin").stdout
    w.home.config(
        profile(
            "other", w.role("other", Trust((w.user.arn,), mfa_max_age=60)), "user1", "credproc_session_store = none"
        )
        + user_profile(w.user, "credproc_session_store = file")
    )
    w.answered("other")  # CREDPROC_SESSION_STORE is set too
    assert w.actions == ["GetSessionToken", "AssumeRole", "AssumeRole", "AssumeRole"]
    assert "AWS denied" not in w.home.run("explain", "other").stdout
    assert len(list(w.home.cache.glob("*.session"))) == 1


def test_a_session_with_less_than_a_minute_left_is_none(w: World) -> None:
    w.answered("admin")
    _age_session(w, 43200 - 50)
    w.answered("other")
    assert w.sts.count("GetSessionToken") == 2


# Nothing is lost


def test_a_denied_role_does_not_cost_the_session(w: World) -> None:
    w.role("admin", Trust(("nobody",)))
    job = w.ask("admin")
    w.type_code()
    assert job.wait() == 1
    w.unasked("other")
    assert w.actions == ["GetSessionToken", "AssumeRole", "AssumeRole"]


@pytest.mark.parametrize("fault", [hang_up(reset=True), fail(503, "ServiceUnavailable", "later")])
def test_a_network_that_dies_behind_the_code_does_not_cost_the_session(w: World, fault: Any) -> None:
    w.sts.always(fault, action="AssumeRole")
    job = w.ask("admin")
    w.type_code()
    assert job.wait(30) == 1
    w.sts.heal()
    w.unasked("admin")
    assert w.sts.count("GetSessionToken") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_killed_behind_the_code_does_not_cost_the_session(w: World, number: int) -> None:
    w.sts.hold(lambda: False, "AssumeRole")
    job = w.ask("admin")
    w.type_code()
    assert w.sts.wait_for(1, "AssumeRole", timeout=30)
    w.terminal.until(lambda: _has_session(w), "the session to be stored")
    job.signal(number)
    assert job.wait() == -number
    w.sts.heal()
    w.unasked("admin")
    assert w.sts.count("GetSessionToken") == 1


def _has_session(w: World) -> bool:
    """Whether a session is stored: an index that has expired is written before it, and the right one after."""
    return any(index.expiration > time.time() for index in mfa_sessions(open_directory(str(w.home.cache))))


def test_others_have_their_turn_as_soon_as_the_session_is_stored(w: World) -> None:
    w.home.config(
        profile("long", w.role("long"), "user1", "duration_seconds = 7200")
        + profile("admin", w.role("admin"))
        + user_profile(w.user)
    )
    answer = threading.Event()
    w.sts.hold(answer, "AssumeRole")
    first = w.ask("admin")
    w.type_code()
    assert w.sts.wait_for(1, "AssumeRole", timeout=30)
    second = w.ask("long")  # which needs a code of its own
    w.type_code()
    assert w.sts.wait_for(2, "AssumeRole", timeout=30)
    answer.set()
    assert first.outcome(30).document["AccessKeyId"] != second.outcome(30).document["AccessKeyId"]
    assert w.actions == ["GetSessionToken", "AssumeRole", "AssumeRole"]


def test_a_caller_that_goes_behind_the_code_finds_the_credentials_in_the_cache(w: World) -> None:
    w.sts.once(delay(0.5), action="AssumeRole")
    job = w.ask("admin")
    w.type_code()
    assert w.sts.wait_for(1, "AssumeRole", timeout=30)
    job.close("stdout")
    assert job.wait() == 1
    w.unasked("admin")
    assert w.actions == ["GetSessionToken", "AssumeRole"]


def test_a_code_whose_answer_is_lost_is_not_sent_again(w: World) -> None:
    w.sts.once(hang_up(reset=True, decided=True))
    job = w.ask("admin")
    w.type_code()
    ran = job.outcome(30)
    assert ran.status == 1
    assert_names(ran.stderr.splitlines()[1], "credproc: hint: ", "MFA code", "next one")
    assert w.actions == ["GetSessionToken"]
    w.answered("admin")


def test_a_wrong_code_is_asked_for_again_and_three_end_it(w: World) -> None:
    job = w.ask("admin")
    for _ in range(2):
        w.terminal.send(f"{_wrong(w)}\n")
        w.terminal.expect("credproc: AWS rejected that code")
        w.terminal.expect(PROMPT)
    w.terminal.send(f"{_wrong(w)}\n")
    status, stdout, stderr = job.outcome()
    assert (status, stdout) == (3, "")
    error, hint = stderr.splitlines()
    assert_names(error, "credproc: error: ~/.aws/config:10: MFA code: ", "three tries", "AWS rejected that code")
    assert_names(hint, "credproc: hint: ", "credproc login --profile admin")
    assert w.sts.count("GetSessionToken") == 3


def test_a_device_of_another_user_is_explained_and_nobody_is_asked_again(w: World) -> None:
    other = w.sts.user("user2", mfa=True)
    w.home.config(profile("admin", w.role("admin")) + user_profile(other))
    job = w.ask("admin")
    w.type_code()
    ran = job.outcome()
    assert ran.status == 1
    assert "mfa_serial must be a device of the user whose keys the chain starts with" in ran.stderr


# How soon a person is asked (C7)


@pytest.mark.parametrize(("left", "asks"), [(330, False), (299, True), (70, True)])
def test_while_credentials_have_five_minutes_nobody_is_asked(w: World, left: int, asks: bool) -> None:  # noqa: FBT001
    old = w.answered("admin")
    _forget_session(w)
    w.home.age_entry(left)
    job = w.start("--profile", "admin")
    if asks:
        w.terminal.expect(PROMPT)
        w.terminal.send("\x04")
    assert job.outcome().document == old
    assert w.sts.count() == 2
    assert (PROMPT in w.terminal.unseen) is False


def test_a_refusal_serves_the_old_credentials_and_the_next_run_does_not_ask(w: World) -> None:
    w.home.settle()
    old = w.answered("admin")
    _forget_session(w)
    w.home.age_entry(200)
    job = w.ask("admin")
    w.terminal.send("\x04")
    assert job.outcome().document == old
    assert w.unasked("admin") == old
    assert PROMPT not in w.terminal.unseen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_the_prompt_serves_no_old_credentials(w: World, number: signal.Signals) -> None:
    w.home.settle()
    old = w.answered("admin")
    _forget_session(w)
    w.home.age_entry(200)
    (entry,) = w.home.entries
    before = entry.read_bytes()
    job = w.ask("admin")
    job.signal(number)
    assert job.outcome() == (-number, "", "")
    assert entry.read_bytes() == before  # a refusal would have let the next runs hit for a minute
    assert w.answered("admin") != old


def test_a_session_that_is_printed_itself_is_renewed_in_its_last_five_minutes(w: World) -> None:
    w.sts.lifetime = 250
    old = w.answered("user1")
    w.sts.lifetime = None
    w.home.age_entry(250)
    new = w.answered("user1")
    assert new["AccessKeyId"] != old["AccessKeyId"]
    assert w.actions == ["GetSessionToken"] * 2


def _wrong(w: World) -> str:
    right = {w.user.code(time.time() + step * 30) for step in range(-2, 3)}
    return next(code for code in (f"{number:06d}" for number in range(_tried(w), 999)) if code not in right)


def _tried(w: World) -> int:
    return len(w.sts.codes) + 1


def _seconds_left(document: dict[str, Any]) -> float:
    moment = time.strptime(str(document["Expiration"]), "%Y-%m-%dT%H:%M:%SZ")
    return calendar.timegm(moment) - time.time()


def _age_session(w: World, seconds: int) -> None:
    """Let the noted session, and the kept one, be older by so many seconds."""
    (index,) = w.home.cache.glob("*.session")
    about = json.loads(index.read_bytes())
    about["issued"] -= seconds
    about["expiration"] -= seconds
    index.write_text(json.dumps(about))
    (secret,) = w.home.cache.glob("*.credentials")
    kept = json.loads(secret.read_bytes())
    kept["expiration"] -= seconds
    secret.write_text(json.dumps(kept))


def _forget_session(w: World) -> None:
    """Leave the entry alone in the cache."""
    for suffix in (".session", ".credentials"):
        for path in w.home.cache.glob(f"*{suffix}"):
            path.unlink()
