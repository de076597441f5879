"""What a person reads when it fails, word for word, and that it ends in time."""

import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from credproc import cli
from credproc.errors import CLOCK_HINT
from credproc.paths import cache_directory
from tests.program import ROLE, Home, role_home
from tests.sts import HTML, Fault, Sts, Trust, User, drip, expired, fail, hang, hang_up, say, truncated, without
from tests.wording import assert_names

MALFORMED = "something between here and AWS answers in its place: check the proxy, the portal and the endpoint"


class World(NamedTuple):
    """A home, the STS that it reaches and the user whose keys are in it."""

    home: Home
    sts: Sts
    user: User


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> Iterator[World]:
    with Sts() as sts:
        user = sts.user("user1")
        sts.role(ROLE, Trust((user.arn,)))
        yield World(role_home(tmp_path / "home", sts, user), sts, user)


def _said(home: Home, profile: str = "admin", **environ: str) -> list[str]:
    """Run, and return the two lines without their beginning."""
    ran = home.run("--profile", profile, environ=environ)
    assert (ran.status, ran.stdout) == (1, ""), ran
    assert "Traceback" not in ran.stderr
    lines = ran.stderr.splitlines()
    assert lines[0].startswith("credproc: error: ")
    assert all(line.startswith("credproc: hint: ") for line in lines[1:])
    assert all(not line.endswith(".") for line in lines)
    return [line.split(": ", 2)[2] for line in lines]


REFUSALS = [
    (
        403,
        "ExpiredToken",
        "The security token included in the request is expired",
        "the source's own credentials have expired: sign in there anew",
    ),
    (
        403,
        "InvalidClientTokenId",
        "The security token included in the request is invalid",
        "AWS does not know the access key (any more): check the source profile's keys",
    ),
    (
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match",
        "the secret does not belong to the access key: check aws_secret_access_key",
    ),
    (
        403,
        "RegionDisabledException",
        "STS is not activated in this region",
        "activate STS for this region in the account's IAM settings, or choose another region",
    ),
    (
        400,
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role",
        "lower duration_seconds, or raise the role's maximum session duration",
    ),
    (
        400,
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles",
        "set duration_seconds to 3600 or less: the caller's credentials are temporary",
    ),
    (
        400,
        "PackedPolicyTooLarge",
        "Packed policy consumes 130% of allotted space",
        "shorten credproc_policy, credproc_policy_arns or credproc_session_tags",
    ),
    (
        400,
        "MalformedPolicyDocument",
        "The policy is not in the valid JSON format",
        "credproc_policy is no valid policy",
    ),
    (400, "SomethingNew", "new words", None),
]


@pytest.mark.parametrize(
    ("code", "variable"),
    [
        ("ExpiredToken", "AWS_SESSION_TOKEN"),
        ("InvalidClientTokenId", "AWS_ACCESS_KEY_ID"),
        ("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_what_is_wrong_with_keys_of_the_environment_is_said_of_their_variable(
    world: World, code: str, variable: str
) -> None:
    world.sts.always(fail(403, code, "so it is"))
    world.home.config(f"[profile admin]\nrole_arn = {ROLE}\ncredential_source = Environment\n")
    keys = {"AWS_ACCESS_KEY_ID": "ASIAX", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}
    assert variable in _said(world.home, **keys)[1]


@pytest.mark.parametrize(("status", "code", "message", "hint"), REFUSALS)
def test_each_refusal_of_sts_has_its_sentence(
    world: World, status: int, code: str, message: str, hint: str | None
) -> None:
    world.sts.always(fail(status, code, message))
    assert _said(world.home) == [f"{ROLE}: AssumeRole: {code}: {message}", *([hint] if hint else [])]


def test_a_refusal_in_hostile_words_is_shown_inert(world: World) -> None:
    world.sts.always(fail(400, "Odd", "red \x85[31m and \u202e back"))
    assert _said(world.home) == [f"{ROLE}: AssumeRole: Odd: red \\x85[31m and \\u202e back"]


def test_access_denied_names_who_asked_and_that_mfa_may_be_missing(world: World) -> None:
    world.sts.role(ROLE, Trust((world.user.arn,), mfa_required=True))
    who = "arn:aws:iam::123456789012:user/user1"
    assert _said(world.home) == [
        (
            f"{ROLE}: AssumeRole: AccessDenied: User: {who} is not authorized to perform: sts:AssumeRole"
            f" on resource: {ROLE}"
        ),
        (
            f"the role's trust policy must allow {who}, whose own policy must allow sts:AssumeRole on the role;"
            " if the trust policy asks for MFA, mfa_serial is missing in the profile or its source_profile;"
            " credproc policy admin prints both policies"
        ),
    ]


@pytest.mark.parametrize(("offset", "words"), [(660, "behind"), (-660, "ahead of")])
def test_a_wrong_clock_is_named_with_its_offset(world: World, offset: int, words: str) -> None:
    world.sts.clock_offset = offset
    world.sts.always(fail(403, "SignatureDoesNotMatch", "Signature expired"))  # also after botocore's own correction
    error, hint = _said(world.home)
    assert error.startswith(f"{ROLE}: AssumeRole: SignatureDoesNotMatch: the clock here is 6")
    assert error.endswith(f" s {words} the one of {world.sts.url}")
    assert hint == CLOCK_HINT


ANSWERS: dict[str, Fault] = {
    "HTML": say(HTML, content_type="text/html"),
    "nothing": say(b""),
    "no XML": say(b"\x00\xff{}"),
    "half of it": truncated(),
    "no session token": without("SessionToken"),
    "no credentials": without("Credentials"),
    "no expiration": without("Expiration"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_none_is_not_believed(world: World, name: str) -> None:
    world.sts.always(ANSWERS[name])
    error, hint = _said(world.home)
    assert "AssumeRole: the answer " in error
    assert hint == MALFORMED
    assert not world.home.entries


def test_credentials_that_have_expired_already_are_not_printed(world: World) -> None:
    world.sts.always(expired())
    assert _said(world.home) == ["AssumeRole: the credentials in the answer have expired", "check the clock"]


def test_a_connection_that_is_hung_up_names_the_endpoint(world: World) -> None:
    world.sts.always(hang_up())
    assert _said(world.home)[0] == f"{world.sts.url}: AssumeRole: closed the connection before it answered"


@pytest.mark.posix("a limit of ten seconds, of which a start under Wine takes some")
def test_a_dead_network_ends_within_ten_seconds_and_names_the_endpoint(world: World) -> None:
    """Side by side, as each takes its nine seconds; one after the other begins, so that the imports do not compete."""
    with ExitStack() as stack:
        silent, dripping = stack.enter_context(Sts()), stack.enter_context(Sts())
        silent.always(hang())
        dripping.role(ROLE, Trust(("*",)))
        dripping.always(drip(1.0))
        never_answers = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        never_connects = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # its queue is full, and the kernel drops who comes next
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(never_connects.getsockname())
        with socket.create_server(("127.0.0.1", 0)) as closed:
            refuses = closed.getsockname()[1]
        ports = [silent.port, dripping.port, never_answers.getsockname()[1], never_connects.getsockname()[1], refuses]
        urls = [*(f"http://127.0.0.1:{port}" for port in ports), "https://sts.invalid"]
        with ThreadPoolExecutor(len(urls)) as pool:
            timed = pool.map(partial(_timed, world.home), urls, range(len(urls)))
            for url, (error, seconds) in zip(urls, timed, strict=True):
                assert error.startswith(f"{url}: AssumeRole: ")
                assert seconds < 10, url


def _timed(home: Home, url: str, turn: int) -> tuple[str, float]:
    """Return what is said of an endpoint, and after how many seconds."""
    time.sleep(1.5 * turn)
    began = time.monotonic()
    error = _said(home, AWS_ENDPOINT_URL_STS=url)[0]
    return error, time.monotonic() - began


def test_a_misspelt_source_profile_is_said_with_file_line_and_the_nearest_name(world: World) -> None:
    world.home.config(f"[profile admin]\nrole_arn = {ROLE}\nsource_profile = user\n")
    error, hint = _said(world.home)
    assert_names(error, "~/.aws/config:3: ", "source_profile", "'user'")
    assert_names(hint, "", "'user1'")


def test_a_misspelt_key_is_named(world: World) -> None:
    world.home.config(f"[profile admin]\nrole_arn = {ROLE}\nsource_profle = user1\n")
    error, hint = _said(world.home)
    assert_names(error, "~/.aws/config:2: ", "role_arn", "source_profile")
    assert_names(hint, "~/.aws/config:3: ", "source_profle", "[admin]")


def test_a_profile_that_does_not_exist_suggests_the_nearest(world: World) -> None:
    error, hint = _said(world.home, "amdin")
    assert_names(error, "~/.aws/config and ~/.aws/credentials: ", "'amdin'")
    assert_names(hint, "", "'admin'")


@pytest.mark.parametrize("name", ["x" * 10_000, "\udcff\udcfe", "../../etc", "é\x1b[2J", "~"])
def test_an_odd_profile_name_is_shown_short_and_without_what_controls_a_terminal(world: World, name: str) -> None:
    error, _ = _said(world.home, name)
    assert error.isprintable()
    assert len(error) < 200


def test_failures_reach_the_log_and_no_secret_reaches_either(world: World) -> None:
    world.sts.always(fail(403, "AccessDenied", "no"))
    ran = world.home.run("--profile", "admin")
    world.sts.heal()
    done = world.home.run("--profile", "admin").document
    assert "failed: " + ran.stderr.splitlines()[0].removeprefix("credproc: error: ") in world.home.log
    assert "refreshed: " in world.home.log
    for secret in (world.user.secret_access_key, done["SecretAccessKey"], done["SessionToken"]):
        assert secret not in world.home.log + ran.stderr


def test_a_bug_is_one_line_on_stderr_and_a_traceback_without_values_in_the_log(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = f"{home}"  # in no line of the source, as a traceback shows those

    def broken(*_: Any) -> bytes:
        raise RuntimeError(secret)

    monkeypatch.setattr(cli, "_refreshed", broken)
    assert cli.run(["--profile", "admin"], time.monotonic()) == 1
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err == (
        "credproc: error: internal: RuntimeError: this is a bug in credproc, please report it;"
        " the traceback is in credproc.log in the cache directory\n"
    )
    log = (Path(cache_directory(os.environ) or "") / "credproc.log").read_text()
    assert "in broken" in log
    assert secret not in log


def test_what_sts_quotes_of_an_external_id_is_not_shown(world: World) -> None:
    config = world.home.path / ".aws" / "config"
    world.home.config(config.read_text() + 'external_id = "precious"\n')
    (error,) = _said(world.home)
    assert "ValidationError: 1 validation error detected: Value '\"***\"' at 'externalId' failed" in error
    assert "precious" not in world.home.log


def test_a_failure_that_cannot_be_told_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def out_of_memory(_error: Exception) -> int:
        raise MemoryError

    monkeypatch.setattr(cli, "_report", out_of_memory)
    assert cli.run(["--nonsense"], time.monotonic()) == 1
    assert capfd.readouterr() == (
        "",
        "credproc: error: internal: the error cannot be reported: no memory is left, or a file is missing\n",
    )
