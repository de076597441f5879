"""explain, list, status and doctor say what a refresh then does: none of them decides anything by itself."""

import json
import re
import sys
import time
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path

import pytest

from tests.mfa import World, world
from tests.program import PROGRAM, Home

if sys.platform != "linux":
    pytest.skip("the terminal is made for Linux", allow_module_level=True)


@pytest.fixture(name="w")
def _world(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home", ("admin", "other")) as found:
        yield found


def _explained(w: World, profile: str, **environ: str) -> str:
    """Return the operation that carries the code, by what explain says."""
    steps = json.loads(w.home.run("explain", profile, "--json", environ=environ).stdout)["steps"]
    (found,) = [str(step["operation"]) for step in steps if "the code of" in step["words"]]
    return found


def _state(w: Home, profile: str, **environ: str) -> str:
    rows = json.loads(w.run("list", "--json", environ=environ).stdout)
    (found,) = [row["state"] for row in rows if row["profile"] == profile]
    assert isinstance(found, str)
    return found


def _carrying_the_code(w: World) -> str:
    (call,) = [call for call in w.sts.calls if call.parameters.get("TokenCode")]
    return str(call.action)


@pytest.mark.parametrize("store", ["file", "none", "keyring"])
def test_the_call_that_explain_gives_the_code_to_is_the_one_that_carries_it(w: World, store: str) -> None:
    # there is no keyring here: nothing is kept in it, and explain promises no session in it
    explained = _explained(w, "admin", CREDPROC_SESSION_STORE=store)
    assert _state(w.home, "admin", CREDPROC_SESSION_STORE=store) == "needs a code"
    w.answered("admin", CREDPROC_SESSION_STORE=store)
    assert _carrying_the_code(w) == explained
    assert explained == ("GetSessionToken" if store == "file" else "AssumeRole")


def test_a_session_is_found_in_the_store_that_it_was_put_into(w: World) -> None:
    w.answered("admin", CREDPROC_SESSION_STORE="file")
    assert _state(w.home, "other", CREDPROC_SESSION_STORE="keyring") == "signed in"
    said = w.home.run("explain", "other", environ={"CREDPROC_SESSION_STORE": "keyring"}).stdout
    assert "use the MFA session in a private file" in said
    w.unasked("other", CREDPROC_SESSION_STORE="keyring")


def test_a_store_that_is_none_finds_no_session(w: World) -> None:
    w.answered("admin", CREDPROC_SESSION_STORE="file")
    assert _state(w.home, "other", CREDPROC_SESSION_STORE="none") == "needs a code"
    assert _explained(w, "other", CREDPROC_SESSION_STORE="none") == "AssumeRole"
    w.answered("other", CREDPROC_SESSION_STORE="none")
    assert [call.action for call in w.sts.calls if call.parameters.get("TokenCode")] == [
        "GetSessionToken",
        "AssumeRole",
    ]


def test_a_profile_whose_program_prints_the_code_is_ready(w: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    program = tmp_path_factory.mktemp("program") / "code"
    program.write_text(f"#!/bin/sh\necho {w.user.unused_code()}\n")
    program.chmod(0o700)
    config = w.home.path / ".aws" / "config"
    config.write_text(config.read_text().replace("[profile user1]\n", f"[profile user1]\nmfa_process = {program}\n"))
    assert _state(w.home, "admin") == "ready"
    assert f"{program} prints the MFA code" in w.home.run("explain", "admin").stdout
    assert w.home.run("--profile", "admin").status == 0


@pytest.mark.parametrize("setting", ["login_session = arn:aws:iam::123456789012:user/me", "role_arn = x"])
def test_a_profile_that_sdks_resolve_themselves_is_bypassed_where_doctor_says_fail(w: World, setting: str) -> None:
    config = w.home.path / ".aws" / "config"
    config.write_text(f"{config.read_text()}[profile p]\ncredential_process = {PROGRAM} --profile admin\n{setting}\n")
    rows = {row["profile"]: row for row in json.loads(w.home.run("list", "--json").stdout)}
    assert rows["p"]["through_credproc"] is None
    assert rows["p"]["state"] in ("bypassed", "error")
    doctor = w.home.run("doctor", "p", "--offline")
    assert doctor.status == 1
    assert re.search(rf"^FAIL .*{setting.partition(' ')[0]} wins over", doctor.stdout, re.MULTILINE)


CENTER = """\
[profile reader]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = reader
[sso-session corp]
sso_region = us-east-1
sso_start_url = https://corp.awsapps.com/start
"""


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


@pytest.mark.parametrize(
    ("token", "state"),
    [
        (None, "signed out"),
        ({"accessToken": "t", "expiresAt": 3600}, "ready"),
        ({"accessToken": "t", "expiresAt": -60}, "signed out"),
        ({"accessToken": "t", "expiresAt": -60, "refreshToken": "r", "registrationExpiresAt": 3600}, "signed out"),
        (
            {
                "accessToken": "t",
                "expiresAt": -60,
                "refreshToken": "r",
                "clientId": "c",
                "clientSecret": "s",
                "registrationExpiresAt": 3600,
            },
            "ready",
        ),
        ("", "signed out"),
        ([], "signed out"),
    ],
)
def test_an_identity_center_profile_is_ready_with_a_token_and_signed_out_without(
    tmp_path: Path, token: object, state: str
) -> None:
    home = Home(tmp_path / "home")
    home.config(CENTER)
    if token is not None:
        cache = home.path / ".aws" / "sso" / "cache"
        cache.mkdir(parents=True)
        text = token if isinstance(token, str) else json.dumps(token)
        if isinstance(token, dict):
            times = ("expiresAt", "registrationExpiresAt")
            text = json.dumps({key: _moment(value) if key in times else value for key, value in token.items()})
        (cache / f"{sha1(b'corp', usedforsecurity=False).hexdigest()}.json").write_text(text)
    assert _state(home, "reader") == state
