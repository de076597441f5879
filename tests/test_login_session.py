"""Sources whose sign-in is the AWS CLI's: ``aws login`` through it, and what ``credproc login`` starts.

The AWS CLI is a stand-in that does what its documentation says; tests/sdk has the real one.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

import pytest

from tests.program import ROLE, Home
from tests.sts import Sts, Trust

if sys.platform == "win32":
    pytest.skip("the stand-in is a script of POSIX", allow_module_level=True)

LOGIN = "arn:aws:iam::123456789012:user/alice"
AWS = """#!{python}
import hashlib, json, os, sys
words = sys.argv[1:]
home = os.environ["HOME"]
with open(home + "/aws-calls", "a") as file:
    file.write(json.dumps([words, dict(os.environ)]) + "\\n")
token = home + "/.aws/login/cache/" + hashlib.sha256({login!r}.encode()).hexdigest() + ".json"
if words == ["--version"]:
    print("aws-cli/{version} Python/3.13.7 Linux/6.1 exe/x86_64.debian.12")
elif words[:2] == ["configure", "export-credentials"]:
    assert words[2:] == ["--profile", words[3], "--format", "process"]
    if words[3] in os.environ.get("_AWS_CLI_PROFILE_CHAIN", "").split(","):
        sys.exit("aws: [ERROR]: cyclic profile")
    if not os.path.exists(token):
        print("aws: [ERROR]: Your session has expired. Please reauthenticate using 'aws login'.", file=sys.stderr)
        sys.exit(255)
    print(open(home + "/document").read())
elif words[0] == "login":
    os.makedirs(os.path.dirname(token), exist_ok=True)
    with open(token, "w") as file:
        json.dump({{"refreshToken": "x"}}, file)
    print("opening the browser")
elif words[:2] == ["sso", "login"]:
    print("opening the browser")
    sys.exit({status})
"""


def aws(home: Home, version: str = "2.38.5", directory: str = "bin", status: int = 0) -> Path:
    """Write a stand-in of the AWS CLI of that version and put it first in PATH."""
    path = home.path / directory / "aws"
    path.parent.mkdir(exist_ok=True)
    path.write_text(AWS.format(python=sys.executable, login=LOGIN, version=version, status=status))
    path.chmod(0o755)
    home.environ["PATH"] = f"{path.parent}:{home.environ['PATH']}"
    return path


def calls(home: Home, *, versions: bool = False) -> list[list[str]]:
    """Return the words that the AWS CLI was started with."""
    path = home.path / "aws-calls"
    lines = path.read_text().splitlines() if path.exists() else []
    found = [json.loads(line)[0] for line in lines]
    return [words for words in found if versions or words != ["--version"]]


@pytest.fixture(name="alice")
def _alice(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home", CREDPROC_SESSION_STORE="none")
    home.config(f"[profile alice]\nlogin_session = {LOGIN}\nregion = us-west-2\n")
    (home.path / "document").write_text(
        json.dumps(
            {
                "Version": 1,
                "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
                "SecretAccessKey": "s" * 40,
                "SessionToken": "t" * 40,
                "Expiration": "2100-01-01T00:00:00Z",
            }
        )
    )
    return home


def signed_in(home: Home) -> None:
    """Leave the file that ``aws login`` leaves."""
    path = home.path / ".aws" / "login" / "cache" / f"{hashlib.sha256(LOGIN.encode()).hexdigest()}.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"refreshToken": "x"}')


# login_session as a source


def test_credentials_of_a_login_session_come_from_the_aws_cli(alice: Home) -> None:
    aws(alice)
    signed_in(alice)
    assert alice.run("--profile", "alice").document["AccessKeyId"] == "ASIAIOSFODNN7EXAMPLE"
    assert calls(alice, versions=True) == [
        ["--version"],
        ["configure", "export-credentials", "--profile", "alice", "--format", "process"],
    ]
    assert alice.entries == []  # they are passed on, and the AWS CLI keeps them


def test_a_role_is_assumed_with_them_and_kept(alice: Home) -> None:
    aws(alice)
    signed_in(alice)
    with Sts() as sts:
        user = sts.user("alice")
        sts.role(ROLE, Trust((user.arn,)))
        alice.environ["AWS_ENDPOINT_URL_STS"] = sts.url
        exported = {"Version": 1, "AccessKeyId": user.access_key_id, "SecretAccessKey": user.secret_access_key}
        (alice.path / "document").write_text(json.dumps(exported))
        config = (alice.path / ".aws" / "config").read_text()
        alice.config(f"{config}[profile admin]\nrole_arn = {ROLE}\nsource_profile = alice\nregion = us-west-2\n")
        first = alice.run("--profile", "admin").document
        assert alice.run("--profile", "admin").document == first
        assert sts.count("AssumeRole") == 1
    assert len(calls(alice)) == 1


def test_the_first_aws_cli_that_is_new_enough_is_taken(alice: Home) -> None:
    signed_in(alice)
    aws(alice, "2.38.5", "new")
    aws(alice, "2.31.9", "older")
    aws(alice, "1.46.3", "old")
    assert alice.run("--profile", "alice").status == 0
    assert calls(alice, versions=True).count(["--version"]) == 3


@pytest.mark.parametrize("version", ["2.31.99", "1.46.3"])
def test_without_a_new_enough_aws_cli_the_version_is_named_and_what_to_write_by_hand(alice: Home, version: str) -> None:
    signed_in(alice)
    path = aws(alice, version)
    alice.environ["PATH"] = str(path.parent)
    ran = alice.run("--profile", "alice")
    assert (ran.status, ran.stdout) == (1, "")
    assert ran.stderr.startswith("credproc: error: ~/.aws/config:2: login_session: the AWS CLI 2.32 or newer is needed")
    assert f"{path} is {version.rpartition('.')[0]}" in ran.stderr
    assert "credential_process = /PATH/TO/aws configure export-credentials --profile alice" in ran.stderr
    assert calls(alice) == []


def test_without_any_aws_cli_that_is_said(alice: Home) -> None:
    alice.environ["PATH"] = "relative:/nowhere"
    ran = alice.run("--profile", "alice")
    assert "there is no aws in PATH" in ran.stderr


def test_an_aws_cli_that_another_user_can_replace_is_not_run(alice: Home) -> None:
    path = aws(alice)
    path.chmod(0o777)
    alice.environ["PATH"] = str(path.parent)
    assert f"{path} cannot be used" in alice.run("--profile", "alice").stderr
    assert calls(alice, versions=True) == []


def test_a_sign_in_that_has_ended_says_how_to_sign_in(alice: Home) -> None:
    aws(alice)
    ran = alice.run("--profile", "alice")
    assert ran.status == 1
    assert "session has expired" in ran.stderr
    assert "run credproc login alice" in ran.stderr


def test_a_profile_that_leads_back_to_itself_through_the_aws_cli_is_a_cycle(alice: Home) -> None:
    aws(alice)
    signed_in(alice)
    ran = alice.run("--profile", "alice", environ={"CREDPROC_PROFILE_CHAIN": "alice"})
    assert "cycle" in ran.stderr
    assert calls(alice) == []


# credproc login


def test_login_signs_in_by_the_aws_cli_and_resolves_the_profile(alice: Home) -> None:
    aws(alice)
    ran = alice.run("login", "alice")
    assert ran.status == 0, ran
    assert "opening the browser" in ran.stderr
    assert ran.stdout == "profile 'alice' is signed in; the AWS CLI keeps the credentials\n"
    assert calls(alice) == [
        ["login", "--profile", "alice"],
        ["configure", "export-credentials", "--profile", "alice", "--format", "process"],
    ]
    alice.run("login", "alice")
    assert calls(alice).count(["login", "--profile", "alice"]) == 1  # who is signed in is not asked again
    alice.run("login", "alice", "--renew")
    assert calls(alice).count(["login", "--profile", "alice"]) == 2


def test_login_all_signs_in_to_each_aws_login_once(alice: Home) -> None:
    aws(alice)
    alice.config(
        f"[profile alice]\nlogin_session = {LOGIN}\nregion = us-west-2\n"
        f"[profile again]\nlogin_session = {LOGIN}\nregion = eu-west-1\n"
    )
    ran = alice.run("login", "--all")
    assert ran.status == 0, ran
    assert calls(alice)[0] == ["login", "--profile", "alice"]
    assert ran.stdout == "profile 'alice' is signed in; the AWS CLI keeps the credentials\n"
    ran = alice.run("login", "--all")
    assert ran.stdout == "aws login of user/alice: signed in\n"
    assert [words for words in calls(alice) if words[0] == "login"] == [["login", "--profile", "alice"]]
    alice.run("login", "--all", "--renew")
    assert [words for words in calls(alice) if words[0] == "login"] == [["login", "--profile", "alice"]] * 2


def test_login_without_an_aws_cli_says_what_to_install(alice: Home) -> None:
    alice.environ["PATH"] = "/nowhere"
    ran = alice.run("login", "alice")
    assert (ran.status, ran.stdout) == (1, "")
    assert "login: aws login --profile alice: the AWS CLI 2.32 or newer is needed" in ran.stderr
    assert "install" in ran.stderr


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("sso_session = corp\n", ["sso", "login", "--sso-session", "corp"]),
        ("sso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\n", ["sso", "login", "--profile", "me"]),
    ],
)
def test_login_to_identity_center_starts_aws_sso_login(tmp_path: Path, lines: str, words: list[str]) -> None:
    home = Home(tmp_path / "home", CREDPROC_SESSION_STORE="none")
    home.config(
        f"[profile me]\nsso_account_id = 123456789012\nsso_role_name = Dev\nregion = us-east-1\n{lines}"
        "[sso-session corp]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\n"
    )
    aws(home, status=7)
    ran = home.run("login", "me")
    assert ran.status == 1
    assert f"login: aws {' '.join(words)} has ended with status 7" in ran.stderr
    assert calls(home) == [words]
    for command in (["explain", "me"], ["list"], ["doctor", "me", "--offline"]):
        assert "signed out" in re.sub(r"\s+", " ", home.run(*command).stdout), command


def test_signed_out_is_said_before_a_call_has_to_fail(alice: Home) -> None:
    for command in (["explain", "alice"], ["list"], ["doctor", "alice", "--offline"]):
        assert "signed out" in re.sub(r"\s+", " ", alice.run(*command).stdout), command
    signed_in(alice)
    for command in (["explain", "alice"], ["list"], ["doctor", "alice", "--offline"]):
        assert "signed out" not in re.sub(r"\s+", " ", alice.run(*command).stdout), command
    assert calls(alice, versions=True) == []
