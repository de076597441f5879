"""credproc console: what the federation endpoint is asked, what the browser gets, and what is said when it fails."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from credproc.aws.federation import Console, console_for
from credproc.config.parser import parse
from credproc.errors import ConfigError
from credproc.plan import Plan, plan_for
from credproc.request import Request
from tests.federation import TOKEN, Federation
from tests.mfa import PROMPT, world
from tests.program import ROLE, Home, Outcome, role_home
from tests.sts import Sts, Trust

if sys.platform == "win32":
    pytest.skip("the stand-in for the browser is a shell script", allow_module_level=True)

MALFORMED = ["cannot be understood", "proxy"]


def _expect_failure(ran: Outcome, *words: str) -> None:
    """Assert that it failed with these words, the first of which begin the error; messages/ has the sentences."""
    assert (ran.status, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"credproc: error: {words[0]}")
    assert [word for word in words if word not in ran.stderr] == [], ran.stderr


@pytest.fixture(name="federation")
def _federation() -> Iterator[Federation]:
    with Federation() as federation:
        yield federation


@pytest.fixture(name="home_of_admin")
def _home_of_admin(tmp_path: Path, federation: Federation) -> Iterator[Home]:
    with Sts() as sts:
        user = sts.user("user1")
        sts.role(ROLE, Trust((user.arn,)))
        home = role_home(tmp_path / "home", sts, user, CREDPROC_FEDERATION_ENDPOINT=federation.url)
        opener = home.path / "bin" / "xdg-open"
        opener.parent.mkdir()
        script = f'for argument; do echo "$argument"; done >{home.path}/opened\nenv >{home.path}/seen\nexit $STATUS'
        opener.write_text(f"#!/bin/sh\n{script}\n")
        opener.chmod(0o755)
        home.environ |= {"PATH": f"{opener.parent}:{home.environ['PATH']}", "STATUS": "0"}
        yield home


def _query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_the_credentials_are_exchanged_for_a_url_that_holds_none_of_them(
    home_of_admin: Home, federation: Federation
) -> None:
    ran = home_of_admin.run("console", "admin", "--print")
    assert (ran.status, ran.stderr, ran.stdout.count("\n")) == (0, "", 1)
    document = home_of_admin.run("--profile", "admin").document
    (asked,) = federation.asked
    assert sorted(asked) == ["Action", "Session"]
    assert asked["Action"] == "getSigninToken"
    assert json.loads(asked["Session"]) == {
        "sessionId": document["AccessKeyId"],
        "sessionKey": document["SecretAccessKey"],
        "sessionToken": document["SessionToken"],
    }
    assert ran.stdout.startswith(f"{federation.url}?Action=login&")
    assert _query(ran.stdout.strip()) == {
        "Action": "login",
        "Issuer": "credproc",
        "Destination": "https://console.aws.amazon.com/console/home?region=us-west-2",
        "SigninToken": TOKEN,
    }
    for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"):
        assert document[name] not in ran.stdout


def test_a_service_is_where_one_begins(home_of_admin: Home) -> None:
    url = home_of_admin.run("console", "admin", "--service", "s3", "--print").stdout.strip()
    assert _query(url)["Destination"] == "https://console.aws.amazon.com/s3/home?region=us-west-2"


def test_the_region_of_the_command_line_is_the_one_that_opens(home_of_admin: Home) -> None:
    url = home_of_admin.run("console", "admin", "--region", "eu-west-1", "--print").stdout.strip()
    assert _query(url)["Destination"] == "https://console.aws.amazon.com/console/home?region=eu-west-1"


def test_the_browser_is_given_the_url_and_nothing_is_printed(home_of_admin: Home) -> None:
    assert home_of_admin.run("console", "admin") == (0, "", "")
    (url,) = (home_of_admin.path / "opened").read_text().splitlines()
    assert _query(url)["SigninToken"] == TOKEN
    assert TOKEN not in home_of_admin.log


def test_the_browser_gets_no_credentials_of_the_callers(home_of_admin: Home) -> None:
    given = {"AWS_SECRET_KEY": "canary", "AWS_BEARER_TOKEN_BEDROCK": "canary", "AWS_ROLE_ARN": "canary", "KEPT": "1"}
    assert home_of_admin.run("console", "admin", environ=given) == (0, "", "")
    seen = (home_of_admin.path / "seen").read_text()
    assert "KEPT=1\n" in seen
    assert "canary" not in seen


def test_a_browser_that_cannot_be_opened_is_said(home_of_admin: Home) -> None:
    ran = home_of_admin.run("console", "admin", environ={"STATUS": "3"})
    _expect_failure(ran, "console: xdg-open", "--print")


NO_OPENER = ("console: no xdg-open or wslview", "--print")


@pytest.mark.parametrize("entry", [".", "", "bin", "./bin/"])
def test_an_opener_in_the_working_directory_is_not_started(home_of_admin: Home, entry: str) -> None:
    opener = home_of_admin.path / "bin" / "xdg-open"
    shutil.copy2(opener, home_of_admin.path)
    ran = home_of_admin.run("console", "admin", environ={"PATH": f"{entry}:/nowhere"}, cwd=home_of_admin.path)
    _expect_failure(ran, *NO_OPENER)
    assert not (home_of_admin.path / "opened").exists()


def test_an_opener_that_others_can_replace_is_passed_over(home_of_admin: Home, tmp_path: Path) -> None:
    planted = tmp_path / "open" / "xdg-open"
    planted.parent.mkdir()
    planted.write_text(f"#!/bin/sh\ntouch {tmp_path}/planted\n")
    planted.chmod(0o755)
    planted.parent.chmod(0o777)
    path = f"{planted.parent}:{home_of_admin.environ['PATH']}"
    assert home_of_admin.run("console", "admin", environ={"PATH": path}) == (0, "", "")
    assert (home_of_admin.path / "opened").exists()
    assert not (tmp_path / "planted").exists()
    _expect_failure(home_of_admin.run("console", "admin", environ={"PATH": str(planted.parent)}), *NO_OPENER)
    assert not (tmp_path / "planted").exists()


def test_a_person_is_asked_for_the_code_and_the_console_opens(tmp_path: Path, federation: Federation) -> None:
    with world(tmp_path / "home", CREDPROC_FEDERATION_ENDPOINT=federation.url) as w:
        job = w.start("console", "admin", "--print")
        w.terminal.expect(PROMPT)
        w.type_code()
        ran = job.outcome(30)
        assert (ran.status, ran.stderr) == (0, "")
        assert _query(ran.stdout.strip())["SigninToken"] == TOKEN


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, b"secret", ["refused with 400", "role"]),
        (503, b"secret", ["503", "proxy"]),
        (302, b"secret", ["302", "proxy"]),
        (200, b"<html>secret", MALFORMED),
        (200, b"[]", MALFORMED),
        (200, b"{}", MALFORMED),
        (200, b'{"SigninToken": 1}', MALFORMED),
        (200, b'{"SigninToken": "a b"}', MALFORMED),
        (200, b"\xff", MALFORMED),
    ],
)
def test_an_answer_that_is_no_token_is_said_and_not_quoted(
    home_of_admin: Home, federation: Federation, status: int, body: bytes, words: list[str]
) -> None:
    federation.status, federation.body = status, body
    ran = home_of_admin.run("console", "admin")
    _expect_failure(ran, f"{urlsplit(federation.url).netloc}: getSigninToken: ", *words)
    assert "secret" not in ran.stderr
    assert not (home_of_admin.path / "opened").exists()


def test_an_endpoint_that_cannot_be_reached_is_said_without_the_query(home_of_admin: Home) -> None:
    environ = {"CREDPROC_FEDERATION_ENDPOINT": "http://127.0.0.1:1/federation"}
    ran = home_of_admin.run("console", "admin", environ=environ)
    _expect_failure(ran, "http://127.0.0.1:1: getSigninToken: ", "connection refused", "proxy")


def test_a_users_own_session_cannot_sign_in_and_sts_is_not_asked_for_it(
    home_of_admin: Home, federation: Federation
) -> None:
    _expect_failure(home_of_admin.run("console", "user1"), "console: profile 'user1': ", "role_arn")
    assert federation.asked == []
    assert home_of_admin.entries == []


@pytest.mark.parametrize("service", ["", "S3", "s3/home?x", "../x", "s3 "])
def test_a_service_that_is_none_is_refused(home_of_admin: Home, service: str) -> None:
    _expect_failure(home_of_admin.run("console", "admin", f"--service={service}"), "console: ", repr(service), "s3")


def _plan(arn: str = ROLE, region: str = "") -> Plan:
    lines = f"region = {region}\n" if region else ""
    config = f"[profile a]\nrole_arn = {arn}\nsource_profile = k\n{lines}"
    return plan_for(parse(config, "[k]\naws_access_key_id=A\naws_secret_access_key=s\n"), Request("a", {}, 0.0))


@pytest.mark.parametrize(
    ("arn", "region", "signin", "destination"),
    [
        ("arn:aws:iam::123456789012:role/r", "", "signin.aws.amazon.com", "https://console.aws.amazon.com/s3/home"),
        (
            "arn:aws-cn:iam::123456789012:role/r",
            "cn-north-1",
            "signin.amazonaws.cn",
            "https://console.amazonaws.cn/s3/home?region=cn-north-1",
        ),
        (
            "arn:aws-us-gov:iam::123456789012:role/r",
            "us-gov-west-1",
            "signin.amazonaws-us-gov.com",
            "https://console.amazonaws-us-gov.com/s3/home?region=us-gov-west-1",
        ),
    ],
)
def test_each_partition_has_a_console_of_its_own(arn: str, region: str, signin: str, destination: str) -> None:
    assert console_for(_plan(arn, region), "s3", {}) == Console(f"https://{signin}/federation", destination)


def test_a_partition_whose_console_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^console: .*aws-iso"):
        console_for(_plan("arn:aws-iso:iam::123456789012:role/r"), None, {})


def test_temporary_keys_in_a_file_may_be_a_roles() -> None:
    keys = "[t]\naws_access_key_id=A\naws_secret_access_key=s\naws_session_token=t\n"
    plan = plan_for(parse("", keys), Request("t", {}, 0.0))
    assert console_for(plan, None, {}).destination == "https://console.aws.amazon.com/console/home"


def test_keys_in_the_keyring_are_a_users_own() -> None:
    plan = plan_for(parse("[profile k]\ncredproc_access_key_id = AKIAEXAMPLEEXAMPLE12\n", ""), Request("k", {}, 0.0))
    with pytest.raises(ConfigError, match="only a role can sign in"):
        console_for(plan, None, {})


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/f", "https://localhost/federation", "http://[::1]:8080"])
def test_a_stand_in_is_this_machines_own(url: str) -> None:
    assert console_for(_plan(), None, {"CREDPROC_FEDERATION_ENDPOINT": url}).federation == url


@pytest.mark.parametrize(
    "url",
    [
        "https://signin.aws.amazon.com.example/federation",
        "http://127.0.0.1@example.com/",
        "http://127.0.0.1.example.com/",
        "http://localhost/?x=",
        "http://localhost/#x",
        "http://example.com\\@localhost/",
        "ftp://localhost/",
        "localhost",
        "http://localhost :80/",
        "http://localhost:x/",
        "http://",
    ],
)
def test_nobody_elses_machine_gets_the_credentials(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        console_for(_plan(), None, {"CREDPROC_FEDERATION_ENDPOINT": url})
    assert str(caught.value).startswith("CREDPROC_FEDERATION_ENDPOINT: ")
