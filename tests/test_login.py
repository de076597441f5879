"""The commands for people who sign in and out: login, logout, status; their words, and what they leave."""

import calendar
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mfa import PROMPT, World, profile, user_profile, world
from tests.program import FROZEN
from tests.sts import Trust

UNTIL = r"until (?:\d{4}-\d\d-\d\d )?\d\d:\d\dZ \(in %s\)"


@pytest.fixture(name="w")
def _world(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home", ("admin", "other")) as found:
        yield found


def _login(w: World, *arguments: str, code: bool = True) -> str:
    job = w.start("login", *arguments)
    if code:
        w.terminal.expect(PROMPT)
        w.type_code()
    ran = job.outcome(30)
    assert (ran.status, ran.stderr) == (0, "")
    assert PROMPT not in w.terminal.unseen
    return ran.stdout


def test_login_asks_ahead_of_time_and_says_until_when_one_is_signed_in(w: World) -> None:
    said = _login(w, "--profile", "admin")
    assert re.fullmatch(
        rf"signed in with mfa/user1 {UNTIL % '11 h 59 min'}, with a session in a private file\n"
        rf"profile 'admin' has credentials {UNTIL % '59 min'}\n",
        said,
    )
    assert w.home.run("--profile", "admin", start_new_session=True).document["Version"] == 1
    assert w.home.run("--profile", "other", start_new_session=True).document["Version"] == 1
    assert w.actions == ["GetSessionToken", "AssumeRole", "AssumeRole"]


def test_login_takes_the_profile_from_the_environment_too(w: World) -> None:
    job = w.start("login", environ={"AWS_PROFILE": "other"})
    w.terminal.expect(f"{PROMPT}{w.user.mfa_serial} (profile other, for ")
    w.type_code()
    assert "profile 'other' has credentials" in job.outcome(30).stdout


def test_login_works_on_the_profile_that_people_know(w: World) -> None:
    config = (w.home.path / ".aws" / "config").read_text()
    w.home.config(config + "[profile people]\ncredential_process = /usr/local/bin/credproc --profile admin\n")
    assert "profile 'people' has credentials" in _login(w, "--profile", "people")
    assert w.home.run("--profile", "admin", start_new_session=True).document["Version"] == 1
    assert w.sts.count("GetSessionToken") == 1


def test_login_keeps_a_session_with_more_than_two_hours_left_and_renews_one_with_less(w: World) -> None:
    w.sts.lifetime = 7300
    _login(w, "--profile", "admin")
    _login(w, "--profile", "admin", code=False)
    assert w.sts.count("GetSessionToken") == 1
    w.sts.lifetime = None
    _age_session(w, 120)
    _login(w, "--profile", "admin")
    assert w.sts.count("GetSessionToken") == 2


def test_login_renew_always_asks(w: World) -> None:
    _login(w, "--profile", "admin")
    _login(w, "--profile", "admin", "--renew")
    assert w.sts.count("GetSessionToken") == 2


def test_login_for_a_long_role_asks_for_the_role_itself_when_less_than_two_hours_are_left(w: World) -> None:
    w.home.config(profile("long", w.role("long"), "user1", "duration_seconds = 14400") + user_profile(w.user))
    said = _login(w, "--profile", "long")
    assert re.fullmatch(
        rf"signed in for one role: profile 'long' has credentials {UNTIL % '3 h 59 min'}\n"
        r"the next role asks for a code again, because a role for more than 1 h takes a code of its own\n",
        said,
    )
    _login(w, "--profile", "long", code=False)
    _login(w, "--profile", "long", "--renew")
    assert w.actions == ["AssumeRole", "AssumeRole"]


def test_login_where_no_device_is_needed_only_fills_the_cache(w: World) -> None:
    w.home.config(profile("plain", w.role("plain", Trust((w.user.arn,)))))
    said = _login(w, "--profile", "plain", code=False)
    assert re.fullmatch(rf"profile 'plain' has credentials {UNTIL % '59 min'}\n", said)
    assert _login(w, "--profile", "plain", code=False).startswith("profile 'plain' has credentials until")
    assert w.actions == ["AssumeRole"]


def test_login_without_a_terminal_ends_with_three(w: World) -> None:
    ran = w.home.run("login", "--profile", "admin", start_new_session=True)
    assert (ran.status, ran.stdout) == (3, "")
    assert ran.stderr.startswith("credproc: error: ~/.aws/config:10: an MFA code is needed, and there is no terminal")


def test_login_for_a_denied_role_says_so_and_the_session_is_there(w: World) -> None:
    w.role("admin", Trust(("nobody",)))
    job = w.start("login", "--profile", "admin")
    w.terminal.expect(PROMPT)
    w.type_code()
    ran = job.outcome(30)
    assert ran.status == 1
    assert ran.stderr.startswith("credproc: error: arn:aws:iam::123456789012:role/admin: AssumeRole: AccessDenied: ")
    assert w.home.run("status").stdout.startswith("MFA sessions in a file:\n")


def test_login_all_asks_each_user_once_and_goes_on_after_one_that_fails(w: World) -> None:
    others = [w.sts.user(name, mfa=True) for name in ("user2", "user3")]
    arn = w.role("two", Trust((others[1].arn,), mfa_required=True))
    long = profile("long", w.role("long"), "user1", "duration_seconds = 14400")
    config = (w.home.path / ".aws" / "config").read_text()
    sections = "".join(
        profile(f"of-{user.name}", arn, user.name) + f"[profile {user.name}]\nmfa_serial = {user.mfa_serial}\n"
        for user in others
    )
    w.home.config(long + config + sections)
    w.home.credentials(
        "".join(
            f"[{user.name}]\naws_access_key_id = {user.access_key_id}\n"
            f"aws_secret_access_key = {user.secret_access_key}\n"
            for user in (w.user, *others)
        )
    )
    job = w.start("login", "--all")
    for user in (w.user, *others):
        w.terminal.expect(f"{PROMPT}{user.mfa_serial} ")
        w.terminal.send(f"{user.unused_code()}\n")
    ran = job.outcome(60)
    assert (ran.status, ran.stderr) == (1, "")
    assert re.search(r"^signed in with mfa/user1 until ", ran.stdout, re.MULTILINE)
    assert re.search(r"^mfa/user2: not signed in with profile 'of-user2': .*AccessDenied", ran.stdout, re.MULTILINE)
    assert re.search(r"^signed in with mfa/user3 until ", ran.stdout, re.MULTILINE)
    assert w.sts.count("GetSessionToken") == 3
    ran = w.home.run("login", "--all", start_new_session=True)
    assert re.findall(r"^(mfa/user\d): signed in until ", ran.stdout, re.MULTILINE) == [
        "mfa/user1",
        "mfa/user2",
        "mfa/user3",
    ]
    assert (ran.status, w.sts.count("GetSessionToken")) == (0, 3)


def test_login_all_without_a_terminal_ends_with_three_and_without_users_says_so(w: World) -> None:
    assert w.home.run("login", "--all", start_new_session=True).status == 3
    w.home.config("[profile plain]\nregion = us-west-2\n")
    ran = w.home.run("login", "--all", start_new_session=True)
    assert (ran.status, ran.stdout) == (0, "no profile signs in with MFA, IAM Identity Center or aws login\n")


def test_login_all_tells_of_a_session_of_identity_center_that_is_signed_out(w: World) -> None:
    center = "sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = {}\n"
    w.home.config(
        "".join(f"[profile {name}]\n{center.format(name)}" for name in ("reader", "writer"))
        + "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = http://127.0.0.1:1/start\n"
    )
    ran = w.home.run("login", "--all", start_new_session=True)
    assert ran.status != 0
    assert "Identity Center" in ran.stdout + ran.stderr
    assert "writer" not in ran.stdout + ran.stderr


def test_logout_of_one_profile_signs_out_its_user_from_every_role_and_nobody_else(w: World) -> None:
    other = w.sts.user("user2", mfa=True)
    arn = w.role("two", Trust((other.arn,), mfa_required=True))
    config = (w.home.path / ".aws" / "config").read_text()
    w.home.config(config + profile("two", arn, "user2") + f"[profile user2]\nmfa_serial = {other.mfa_serial}\n")
    w.home.credentials(
        "".join(
            f"[{user.name}]\naws_access_key_id = {user.access_key_id}\n"
            f"aws_secret_access_key = {user.secret_access_key}\n"
            for user in (w.user, other)
        )
    )
    w.answered("admin")
    w.unasked("other")
    job = w.ask("two")
    w.terminal.send(f"{other.unused_code()}\n")
    assert job.outcome(30).status == 0
    said = w.home.run("logout", "--profile", "other").stdout.splitlines()
    assert said[0] == f"signed out: {w.user.mfa_serial}"
    assert sorted(
        re.findall(r"^deleted: cached credentials of profile '(\w+)'", "\n".join(said[1:]), re.MULTILINE)
    ) == [
        "admin",
        "other",
    ]
    assert len(w.home.entries) == 1
    assert len(list(w.home.cache.glob("*.session"))) == 1
    assert w.home.run("logout", "--profile", "admin").stdout == "nobody is signed in for profile 'admin'\n"
    assert w.home.run("logout", "--all").stdout.startswith(f"signed out: {other.mfa_serial}\n")
    assert w.home.run("logout", "--all").stdout == "nobody is signed in\n"
    assert not list(w.home.cache.glob("*.credentials"))


def test_logout_leaves_credentials_that_need_no_device(w: World) -> None:
    config = (w.home.path / ".aws" / "config").read_text()
    plain = profile("plain", w.role("plain", Trust((w.user.arn,))), "keys")
    w.home.config(config.replace(f"mfa_serial = {w.user.mfa_serial}\n", "") + plain)
    w.home.credentials((w.home.path / ".aws" / "credentials").read_text().replace("user1", "keys"))
    w.unasked("plain")
    assert w.home.run("logout", "--all").stdout == "nobody is signed in\n"
    assert w.home.run("logout", "--profile", "plain").stdout == "nobody is signed in for profile 'plain'\n"
    assert len(w.home.entries) == 1


def test_after_logout_the_next_run_asks(w: World) -> None:
    w.answered("admin")
    w.home.run("logout", "--profile", "admin")
    w.answered("admin")
    assert w.sts.count("GetSessionToken") == 2


def test_status_says_the_same_in_words_and_in_json(w: World) -> None:
    assert w.home.run("status").stdout == "not signed in with MFA\nno credentials are cached\n"
    w.answered("other")
    w.unasked("admin")
    words = w.home.run("status").stdout
    assert re.fullmatch(
        rf"MFA sessions in a file:\n  {re.escape(w.user.mfa_serial or '')}  {UNTIL % '11 h 59 min'}\n"
        rf"cached credentials:\n  admin  admin in 123456789012  {UNTIL % '59 min'}\n"
        rf"  other  other in 123456789012  {UNTIL % '59 min'}\n",
        words,
    )
    about = json.loads(w.home.run("status", "--json").stdout)
    (session,) = about["sessions"]
    assert (session["mfa_serial"], session["source_profile"], session["store"]) == (w.user.mfa_serial, "user1", "file")
    assert _epoch(session["expiration"]) - _epoch(session["issued"]) in (43199, 43200)
    assert sorted(entry["profile"] for entry in about["credentials"]) == ["admin", "other"]
    for entry in about["credentials"]:
        assert entry["role_arn"] == f"arn:aws:iam::123456789012:role/{entry['profile']}"
        assert entry["mfa_serial"] == w.user.mfa_serial
        assert entry["expiration"][11:16] + "Z" in words


@pytest.mark.skipif(FROZEN, reason="it ignores PYTHON… variables; test_frozen counts the files that it opens")
@pytest.mark.parametrize("command", [["status"], ["logout", "--all"], ["export", "--help"], ["login", "--help"]])
def test_commands_that_look_import_nothing_slow(w: World, command: list[str]) -> None:
    ran = w.home.run(*command, environ={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in ran.stderr.splitlines()}
    assert "credproc" in imported
    assert not imported & {"botocore", "boto3", "keyring", "ssl", "urllib3"}


def _epoch(moment: str) -> int:
    return calendar.timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%SZ"))


def _age_session(w: World, seconds: int) -> None:
    for suffix in ("session", "credentials"):
        (path,) = w.home.cache.glob(f"*.{suffix}")
        about = json.loads(path.read_bytes())
        about["expiration"] -= seconds
        path.write_text(json.dumps(about))
