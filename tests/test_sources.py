"""Every source that a role can stand on, and every one that passes through."""

import json
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from credproc.errors import SourceError, for_shell
from credproc.refresh import FOR_SDKS, Request, refresh
from tests.metadata import Container, Imds, Sso
from tests.posix import WINDOWS
from tests.program import PROGRAM, ROLE, Home, Outcome
from tests.root import TRACED
from tests.sts import Credentials, Sts, Trust
from tests.wording import assert_names

MACHINE = "arn:aws:iam::123456789012:role/machine"
ISSUER = "https://oidc.example.com"


class World(NamedTuple):
    """A home without any keys, an STS, and a machine's temporary credentials that may assume the role."""

    home: Home
    sts: Sts
    machine: Credentials


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> Iterator[World]:
    with Sts() as sts:
        machine = sts.role(MACHINE, Trust(("*",), federated=ISSUER))
        sts.role(ROLE, Trust((MACHINE,), federated=ISSUER), max_session_duration=43200)
        home = Home(tmp_path / "home", AWS_ENDPOINT_URL_STS=sts.url, AWS_EC2_METADATA_DISABLED="true")
        home.give_time_to_sources()
        yield World(home, sts, sts.temporary(machine))


def _profile(source: str) -> str:
    return f"[profile admin]\nregion = us-west-2\nrole_arn = {ROLE}\n{source}\n"


def _signers(sts: Sts) -> list[tuple[str, str | None]]:
    return [(call.action, call.access_key_id) for call in sts.calls]


def _failed(ran: Outcome) -> tuple[str, str]:
    assert ran.status == 1, ran
    assert ran.stdout == ""
    error, hint = ran.stderr.splitlines()
    return error.removeprefix("credproc: error: "), hint.removeprefix("credproc: hint: ")


@pytest.mark.parametrize("file", ["config", "credentials"])
def test_keys_in_either_file(world: World, file: str) -> None:
    user = world.sts.user("user1")
    world.sts.role(ROLE, Trust((user.arn,)))
    keys = f"aws_access_key_id = {user.access_key_id}\naws_secret_access_key = {user.secret_access_key}\n"
    config = _profile("source_profile = user1")
    world.home.config(config + (f"[profile user1]\n{keys}" if file == "config" else ""))
    world.home.credentials(f"[user1]\n{keys}" if file == "credentials" else "")
    assert world.home.run("--profile", "admin").document["AccountId"] == "123456789012"
    assert _signers(world.sts) == [("AssumeRole", user.access_key_id)]


def test_the_environment(world: World) -> None:
    world.home.config(_profile("credential_source = Environment"))
    assert world.home.run("--profile", "admin", environ=world.machine.environment()).document["Version"] == 1
    assert _signers(world.sts) == [("AssumeRole", world.machine.access_key_id)]


def test_an_environment_without_keys_says_so(world: World) -> None:
    world.home.config(_profile("credential_source = Environment"))
    error, hint = _failed(world.home.run("--profile", "admin"))
    assert_names(error, "~/.aws/config:4: ", "Environment", "AWS_ACCESS_KEY_ID")
    assert_names(hint, "", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def test_half_an_environment_says_so(world: World) -> None:
    world.home.config(_profile("credential_source = Environment"))
    error, _ = _failed(world.home.run("--profile", "admin", environ={"AWS_ACCESS_KEY_ID": "AKIA"}))
    assert_names(error, "~/.aws/config:4: Environment", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def test_instance_metadata_by_version_two(world: World) -> None:
    with Imds(world.sts, MACHINE) as imds:
        world.home.environ.update(AWS_EC2_METADATA_DISABLED="false", **imds.environment())
        world.home.config(_profile("credential_source = Ec2InstanceMetadata"))
        assert world.home.run("--profile", "admin").document["Version"] == 1
        assert imds.requests == ["token", "role", "credentials"]
        assert _signers(world.sts) == [("AssumeRole", imds.credentials().access_key_id)]
        passed = world.home.run().document  # with no profile named and none there the machine's role passes through
        assert passed["AccessKeyId"] == imds.credentials().access_key_id


def test_no_instance_metadata_says_so_within_ten_seconds(world: World) -> None:
    world.home.program = [PROGRAM]
    world.home.config(_profile("credential_source = Ec2InstanceMetadata"))
    with socket.create_server(("127.0.0.1", 0), backlog=1) as black_hole:
        endpoint = f"http://127.0.0.1:{black_hole.getsockname()[1]}"
        world.home.environ.update(AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=endpoint)
        began = time.monotonic()
        error, hint = _failed(world.home.run("--profile", "admin"))
        assert time.monotonic() - began < 10
    assert_names(error, "~/.aws/config:4: ", "instance metadata")
    assert_names(hint, "", "AWS_EC2_METADATA_DISABLED")


@pytest.mark.parametrize("how", ["none", "variable", "file"])
def test_a_container_with_its_token(world: World, tmp_path: Path, how: str) -> None:
    with Container(world.sts, MACHINE, authorization=None if how == "none" else "Bearer eks") as agent:
        world.home.environ.update(agent.environment())
        if how == "file":  # which wins over the variable: EKS Pod Identity rotates it
            token = tmp_path / "token"
            token.write_text("Bearer eks")
            world.home.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = str(token)
            world.home.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "stale"
        world.home.config(_profile("credential_source = EcsContainer"))
        assert world.home.run("--profile", "admin").document["Version"] == 1
        assert agent.requests == ["credentials"]
        assert _signers(world.sts) == [("AssumeRole", agent.credentials().access_key_id)]
        assert world.home.run().document["AccessKeyId"] == agent.credentials().access_key_id


@pytest.mark.posix("strace")
def test_a_container_endpoint_on_a_foreign_host_is_never_asked(world: World, tmp_path: Path) -> None:
    world.home.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://192.0.2.1/credentials"
    world.home.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "precious"
    world.home.config(_profile("credential_source = EcsContainer"))
    began = time.monotonic()
    error, _ = _failed(world.home.run("--profile", "admin"))
    assert time.monotonic() - began < 5
    assert_names(error, "AWS_CONTAINER_CREDENTIALS_FULL_URI: ", "container endpoint", "http", "192.0.2.1")
    strace = shutil.which("strace")
    assert strace is not None, "build/test installs strace"
    trace = tmp_path / "trace"
    command = [strace, "-f", "-e", "trace=connect,sendto", "-o", str(trace), PROGRAM, "--profile", "admin"]
    subprocess.run(command, env=world.home.environ, check=False, capture_output=True)
    assert "exited with 1" in trace.read_text()
    assert "AF_INET" not in trace.read_text()


def test_no_container_says_so(world: World) -> None:
    world.home.config(_profile("credential_source = EcsContainer"))
    assert_names(_failed(world.home.run("--profile", "admin"))[0], "~/.aws/config:4: ", "EcsContainer", "endpoint")


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_web_identity_from_the_profile_is_unsigned_and_without_the_newline(
    world: World, tmp_path: Path, ending: str
) -> None:
    token = world.sts.web_identity_token(ISSUER)
    (tmp_path / "token").write_text(token + ending, newline="")
    ignored = "external_id = x\nduration_seconds = 7200\nmfa_serial = arn:aws:iam::123456789012:mfa/user1\n"
    world.home.config(
        _profile(f"web_identity_token_file = {tmp_path}/token\nrole_session_name = app\nsource_profile = no\n{ignored}")
    )
    assert world.home.run("--profile", "admin").document["AccountId"] == "123456789012"
    (call,) = world.sts.calls
    assert not call.signed
    assert call.parameters == {"RoleArn": ROLE, "RoleSessionName": "app", "WebIdentityToken": token}


def test_web_identity_from_the_variables_where_no_profile_is_named(world: World, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(world.sts.web_identity_token(ISSUER))
    world.home.environ["AWS_WEB_IDENTITY_TOKEN_FILE"] = str(tmp_path / "token")
    assert_names(_failed(world.home.run())[0], "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN")
    world.home.environ |= {"AWS_ROLE_ARN": MACHINE, "AWS_ROLE_SESSION_NAME": "pod"}
    assert world.home.run().document["Version"] == 1
    assert world.sts.calls[0].parameters["RoleSessionName"] == "pod"
    world.home.config("[profile admin]\nregion = us-east-1\n")
    assert world.home.run("--profile", "admin").status == 1  # a named profile is not answered by the variables


def test_a_web_identity_is_a_source_of_a_chain_capped_at_an_hour(world: World, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(world.sts.web_identity_token(ISSUER))
    world.home.config(
        _profile("source_profile = pod\nduration_seconds = 7200")
        + f"[profile pod]\nrole_arn = {MACHINE}\nweb_identity_token_file = {tmp_path}/token\n"
    )
    assert world.home.run("--profile", "admin").document["Version"] == 1
    assert [call.action for call in world.sts.calls] == ["AssumeRoleWithWebIdentity", "AssumeRole"]
    assert world.sts.calls[1].parameters["DurationSeconds"] == "3600"


@pytest.mark.parametrize("content", [None, "", "x" * 70_000, "two\nlines"])
def test_a_token_file_that_holds_none_is_named(world: World, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    world.home.config(_profile(f"web_identity_token_file = {path}"))
    error, hint = _failed(world.home.run("--profile", "admin"))
    assert error.startswith(f"{path}: ")
    assert_names(hint, "", "web_identity_token_file", "~/.aws/config:3")
    assert world.sts.count() == 0


IDENTITY = "sso_account_id = 123456789012\nsso_role_name = machine\n"
SESSION = f"sso_start_url = {Sso.START_URL}\nsso_region = us-east-1\n"


@pytest.mark.parametrize("style", ["session", "legacy"])
def test_identity_center_with_a_cached_token(world: World, style: str) -> None:
    session = style == "session"
    profile = f"[profile sso]\n{IDENTITY}" + ("sso_session = corp\n" if session else SESSION)
    world.home.config(f"{profile}[sso-session corp]\n{SESSION}" + _profile("source_profile = sso"))
    with Sso(world.sts, MACHINE) as portal:
        portal.sign_in(world.home.path, sso_session="corp" if session else None)
        world.home.environ.update(portal.environment())
        passed = world.home.run("--profile", "sso").document
        assert passed["AccessKeyId"] == portal.credentials().access_key_id
        assert world.home.run("--profile", "sso").document == passed
        assert portal.requests == ["GetRoleCredentials"]
        assert world.home.run("--profile", "admin").document["Version"] == 1
        assert _signers(world.sts) == [("AssumeRole", portal.credentials().access_key_id)]
        config = world.home.path / ".aws" / "config"
        world.home.config(config.read_text().replace("sso_role_name = machine", "sso_role_name = another"))
        error, _ = _failed(world.home.run("--profile", "sso"))  # and not the old role's credentials
        assert_names(error, "", "IAM Identity Center", "GetRoleCredentials", "ForbiddenException")


def test_a_sign_in_that_can_be_renewed_is_renewed_by_botocore(world: World) -> None:
    world.home.config(f"[profile sso]\n{IDENTITY}sso_session = corp\n[sso-session corp]\n{SESSION}")
    with Sso(world.sts, MACHINE) as portal:
        portal.sign_in(world.home.path, 60, sso_session="corp", refreshable=True)
        world.home.environ.update(portal.environment())
        assert world.home.run("--profile", "sso").document["Version"] == 1
        assert portal.requests == ["CreateToken", "GetRoleCredentials"]


BROKEN_PROXIES = [
    ("http://me:pre/cious@127.0.0.1:9", "holds a / that is not escaped"),
    ("http://me:precioüs@127.0.0.1:9", "not plain ASCII"),
    ("http://127.0.0.1:port", "no URL of a proxy"),
]


@pytest.mark.parametrize(("proxy", "said"), BROKEN_PROXIES)
def test_a_proxy_that_is_set_wrongly_is_named_before_identity_center(world: World, proxy: str, said: str) -> None:
    world.home.config(f"[profile sso]\n{IDENTITY}sso_session = corp\n[sso-session corp]\n{SESSION}")
    with Sso(world.sts, MACHINE) as portal:
        portal.sign_in(world.home.path, sso_session="corp")
        world.home.environ.update(portal.environment(), HTTP_PROXY=proxy)
        error, _ = _failed(world.home.run("--profile", "sso"))
        assert portal.requests == []
    assert_names(error, "HTTP_PROXY: ", said)
    assert "cious" not in error


@pytest.mark.parametrize(("proxy", "said"), BROKEN_PROXIES)
def test_a_proxy_that_is_set_wrongly_is_named_before_the_instance(world: World, proxy: str, said: str) -> None:
    world.home.config(_profile("credential_source = Ec2InstanceMetadata"))
    with Imds(world.sts, MACHINE) as imds:
        world.home.environ.update(AWS_EC2_METADATA_DISABLED="false", HTTP_PROXY=proxy, **imds.environment())
        error, _ = _failed(world.home.run("--profile", "admin"))
        assert imds.requests == []
    assert_names(error, "HTTP_PROXY: ", said)
    assert "cious" not in error


@pytest.mark.parametrize("state", ["never", "expired", "revoked"])
def test_an_expired_sign_in_names_the_command(world: World, state: str) -> None:
    world.home.config(f"[profile sso]\n{IDENTITY}sso_session = corp\n[sso-session corp]\n{SESSION}")
    with Sso(world.sts, MACHINE) as portal:
        if state != "never":
            portal.sign_in(world.home.path, -60 if state == "expired" else 3600, sso_session="corp")
        portal.sign_out()
        world.home.environ.update(portal.environment())
        error, hint = _failed(world.home.run("--profile", "sso"))
        assert_names(error, "~/.aws/config:2: ", "IAM Identity Center")
        assert_names(hint, "", "aws sso login --sso-session corp")


@pytest.mark.parametrize(
    "content", ["", "{", '{"accessToken": "t', "[]", "null", "{}", "\xff", '{"accessToken": 1, "expiresAt": 2}']
)
@pytest.mark.parametrize("session", [True, False])
def test_a_sign_in_file_that_is_empty_or_cut_is_no_sign_in(world: World, content: str, session: bool) -> None:  # noqa: FBT001
    name = "my corp"
    words = f"sso_session = {name}\n[sso-session '{name}']\n{SESSION}" if session else SESSION
    world.home.config(f"[profile 'an sso']\n{IDENTITY}{words}")
    with Sso(world.sts, MACHINE) as portal:
        file = portal.sign_in(world.home.path, sso_session=name if session else None)
        file.write_text(content, encoding="latin-1")
        world.home.environ.update(portal.environment())
        error, hint = _failed(world.home.run("--profile", "an sso"))
    assert_names(error, "~/.aws/config:2: ", "sign-in to IAM Identity Center")
    option = f"--sso-session {for_shell(name)}" if session else f"--profile {for_shell('an sso')}"
    assert hint == f"run aws sso login {option}"
    assert portal.requests == []


def _program(path: Path, body: str) -> str:
    """Write a program that runs this Python, and return its path."""
    path.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{body}\n")
    path.chmod(0o755)
    return str(path)


def _wait_for_the_end_of(pid: int) -> None:
    """Wait until the process is gone, or only waits to be reaped; fail if it lives on."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} lives on")


def _document(keys: Credentials, seconds: float = 3600) -> str:
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    return json.dumps({**keys.document(), "Expiration": expires})


@pytest.mark.posix("a program that is a script of a shell")
def test_another_program_runs_once_with_no_stdin_and_both_chains(world: World, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    program = _program(
        tmp_path / "other",
        f"names = ('CREDPROC_PROFILE_CHAIN', '_AWS_CLI_PROFILE_CHAIN')\n"
        f"line = json.dumps([sys.stdin.read(), *[os.environ.get(name) for name in names]])\n"
        f"open({str(seen)!r}, 'a').write(line + '\\n')\n"
        f"print({_document(world.machine, 600)!r})",
    )
    world.home.config(
        _profile("source_profile = other") + f"[profile other]\ncredential_process = {program} --x 'y z'\n"
    )
    world.home.environ["_AWS_CLI_PROFILE_CHAIN"] = "cli"
    assert world.home.run("--profile", "admin", stdin=subprocess.PIPE).document["Version"] == 1
    assert [json.loads(line) for line in seen.read_text().splitlines()] == [["", "other", "cli,other"]]
    assert _signers(world.sts) == [("AssumeRole", world.machine.access_key_id)]


@pytest.mark.posix("a program that is a script of a shell")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.stderr.write('no luck\\n\\x1b[31mtoday'); sys.exit(3)", "no luck \\x1b[31mtoday"),
        ("print('precious garbage')", "Version 1"),
        ("print('{}')", "has no Version"),
        ("""print('{"Version": "precious"}')""", "has another Version"),
    ],
)
def test_a_program_that_fails_is_quoted_but_its_output_is_not(
    world: World, tmp_path: Path, body: str, said: str
) -> None:
    program = _program(tmp_path / "other", body)
    world.home.config(f"[profile other]\ncredential_process = {program}\n")
    error, hint = _failed(world.home.run("--profile", "other"))
    assert_names(error, "~/.aws/config:2: credential_process of 'other': ", said)
    assert "precious" not in error
    assert_names(hint, "", "run the program")
    assert "credential_process of 'other'" in world.home.log
    assert "luck" not in world.home.log


@pytest.mark.posix("a program that is a script of a shell")
@pytest.mark.parametrize("seconds", [-60, 0])
@pytest.mark.parametrize("profile", ["other", "admin"])
def test_expired_credentials_of_a_program_are_neither_printed_nor_used(
    world: World, tmp_path: Path, profile: str, seconds: int
) -> None:
    program = _program(tmp_path / "other", f"print({_document(world.machine, seconds)!r})")
    world.home.config(_profile("source_profile = other") + f"[profile other]\ncredential_process = {program}\n")
    error, _ = _failed(world.home.run("--profile", profile))
    assert_names(error, "", "credential_process of 'other'", "expired")
    assert world.sts.count() == 0


@pytest.mark.posix("a program that is a script of a shell")
@pytest.mark.parametrize("ends", [True, False])
def test_what_a_program_gives_passes_through_and_is_not_stored(
    world: World,
    tmp_path: Path,
    ends: bool,  # noqa: FBT001
) -> None:
    given = json.loads(_document(world.machine))
    if not ends:
        del given["Expiration"]
    runs = tmp_path / "runs"
    program = _program(tmp_path / "other", f"open({str(runs)!r}, 'a').write('x')\nprint({json.dumps(given)!r})")
    world.home.config(f"[profile other]\ncredential_process = {program}\n")
    assert world.home.run("--profile", "other").document == given
    assert world.home.run("--profile", "other").document == given
    assert runs.read_text() == "xx"
    assert world.sts.count() == 0
    world.home.config(f"[profile other]\ncredential_process = {program} --another\n")
    assert world.home.run("--profile", "other").document == given
    assert runs.read_text() == "xxx"
    assert not world.home.entries


@pytest.mark.posix("a program that is a script of a shell")
def test_a_program_that_hangs_is_ended_by_the_deadline(world: World, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    program = _program(tmp_path / "other", f"open({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)")
    world.home.config(f"[profile other]\ncredential_process = {program}\n")
    started = time.monotonic() - FOR_SDKS.work + 2  # as if two seconds of the run were left
    with pytest.raises(SourceError) as raised:
        refresh(Request("other", world.home.environ, started))
    assert_names(str(raised.value), "~/.aws/config:2: Process", "time")
    assert time.monotonic() - started < FOR_SDKS.work + 2
    _wait_for_the_end_of(int(pid.read_text()))


@pytest.mark.anybody
def test_a_program_that_is_not_there_is_named(world: World, tmp_path: Path) -> None:
    world.home.config(f"[profile other]\ncredential_process = {tmp_path}/missing/helper\n")
    error, _ = _failed(world.home.run("--profile", "other"))
    missing = "cannot be started: " if WINDOWS else "no such file or directory"  # Windows speaks its user's language
    assert_names(error, "~/.aws/config:2: credential_process of 'other': ", missing)


@pytest.mark.posix("a program that is a script of a shell")
def test_a_program_that_asks_credproc_for_the_same_profile_is_stopped(world: World, tmp_path: Path) -> None:
    program = tmp_path / "wrapper"
    program.write_text(f'#!/bin/sh\necho x >> {tmp_path}/runs\nexec {shlex.quote(PROGRAM)} --profile loop "$@"\n')
    program.chmod(0o755)
    world.home.config(f"[profile loop]\ncredential_process = {program}\n")
    error, _ = _failed(world.home.run("--profile", "loop"))
    assert "cycle: loop -> loop" in error
    assert (tmp_path / "runs").read_text() == "x\n"


def test_a_line_that_starts_credproc_is_followed_without_a_process(world: World) -> None:
    user = world.sts.user("user1")
    world.sts.role(ROLE, Trust((user.arn,)))
    world.home.keys("user1", user)
    world.home.config(
        "[profile people]\ncredential_process = /nonexistent/credproc --profile admin\n"
        + _profile("source_profile = user1")
        + f"[profile further]\nrole_arn = {MACHINE}\nsource_profile = people\n"
    )
    assert world.home.run("--profile", "people").document["Version"] == 1
    assert world.home.run("--profile", "further").document["Version"] == 1
    assert [call.action for call in world.sts.calls] == ["AssumeRole"] * 3


def test_a_line_that_asks_for_its_own_profile_is_a_circle(world: World) -> None:
    world.home.config("[profile me]\ncredential_process = credproc --profile me\n")
    assert_names(_failed(world.home.run("--profile", "me"))[0], "~/.aws/config:2: ", "cycle: me -> me")


def test_a_chain_of_three_roles_is_walked_from_the_user_outwards(world: World) -> None:
    user = world.sts.user("user1")
    names = [f"arn:aws:iam::12345678901{n}:role/r{n}" for n in range(3)]
    for arn, principal in zip(names, [user.arn, *names], strict=False):
        world.sts.role(arn, Trust((principal,)))
    world.home.keys("user1", user)
    world.home.config(
        f"[profile top]\nrole_arn = {names[2]}\nsource_profile = b\nregion = eu-west-1\nduration_seconds = 7200\n"
        f"[profile b]\nrole_arn = {names[1]}\nsource_profile = a\nregion = us-east-1\n"
        f"[profile a]\nrole_arn = {names[0]}\nsource_profile = user1\n"
    )
    assert world.home.run("--profile", "top").document["AccountId"] == "123456789012"
    assert [call.parameters["RoleArn"] for call in world.sts.calls] == names
    assert {call.region for call in world.sts.calls} == {"eu-west-1"}
    assert [call.parameters.get("DurationSeconds") for call in world.sts.calls] == [None, None, "3600"]


def test_with_nothing_named_the_default_comes_first_then_web_identity_the_container_and_the_instance(
    world: World, tmp_path: Path
) -> None:
    user = world.sts.user("user1")
    (tmp_path / "token").write_text(world.sts.web_identity_token(ISSUER))
    web_identity = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": MACHINE}
    with Imds(world.sts, MACHINE) as imds, Container(world.sts, MACHINE) as agent:
        instance = {"AWS_EC2_METADATA_DISABLED": "false", **imds.environment()}
        container = instance | agent.environment()
        assert world.home.run(environ=instance).document["AccessKeyId"] == imds.credentials().access_key_id
        assert world.home.run(environ=container).document["AccessKeyId"] == agent.credentials().access_key_id
        assert world.sts.count() == 0
        assert world.home.run(environ=container | web_identity).status == 0
        assert _signers(world.sts) == [("AssumeRoleWithWebIdentity", None)]
        assert imds.requests == ["token", "role", "credentials"]
        assert agent.requests == ["credentials"]
        world.home.keys("default", user)
        assert world.home.run(environ=container).status == 0
        assert _signers(world.sts)[1:] == [("GetSessionToken", user.access_key_id)]


def test_with_nothing_named_and_nothing_there_the_option_is_named(world: World) -> None:
    error, hint = _failed(world.home.run())
    assert_names(error, "no profile is named")
    assert_names(hint, "", "--profile", "AWS_PROFILE")


@pytest.mark.parametrize(
    ("config", "named", "where"),
    [
        ("", (), "no profile is named"),
        ("[default]\nregion = eu-west-1\n", (), "no profile is named"),
        ("[profile admin]\nregion = eu-west-1\n", ("--profile", "admin"), "~/.aws/config:1: "),
        (_profile(""), ("--profile", "admin"), "~/.aws/config:3: role_arn without"),
        (_profile("source_profile = base") + "[profile base]\n", ("--profile", "admin"), "~/.aws/config:5: "),
    ],
)
def test_keys_in_the_environment_alone_are_no_source(
    world: World, config: str, named: tuple[str, ...], where: str
) -> None:
    keys = world.sts.user("alone").credentials
    environ = {"AWS_ACCESS_KEY_ID": keys.access_key_id, "AWS_SECRET_ACCESS_KEY": keys.secret_access_key}
    world.home.config(config)
    error, hint = _failed(world.home.run(*named, environ=environ))
    assert_names(error, where)
    assert_names(hint, "", "environment alone", "credential_source = Environment")
    assert world.sts.count() == 0
    assert "Environment" not in _failed(world.home.run(*named))[1]


def _opened(world: World, directory: Path) -> list[str]:
    """Return what a refresh opens, as strace tells, with variables that would have botocore open other files."""
    user = world.sts.user("user1")
    world.sts.role(ROLE, Trust((user.arn,)))
    world.home.keys("user1", user)
    world.home.config(_profile("source_profile = user1") + "[profile admin]\nregion = eu-west-1\n")
    strace = shutil.which("strace")
    assert strace is not None, "build/test installs strace"
    trace = directory / "trace"
    environ = {**world.home.environ, "AWS_PROFILE": "people", "AWS_DATA_PATH": str(directory)}
    command = [strace, "-f", "-e", "trace=open,openat", "-o", str(trace), PROGRAM, "--profile", "admin"]
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)
    assert world.sts.calls[0].region == "eu-west-1"
    return [line.split('"')[1] for line in trace.read_text().splitlines() if '"' in line]


@pytest.mark.root(TRACED)
def test_a_config_that_botocore_refuses_works_and_botocore_opens_neither_file(world: World, tmp_path: Path) -> None:
    files = world.home.path / ".aws"
    assert [path for path in _opened(world, tmp_path) if path.startswith(f"{files}/")] == [
        str(files / "config"),
        str(files / "credentials"),
    ]


@pytest.mark.root(TRACED)
def test_nothing_of_botocores_is_opened_for_a_source_that_is_ours(world: World, tmp_path: Path) -> None:
    assert not [path for path in _opened(world, tmp_path) if "/botocore/" in path]


def test_models_that_a_person_has_added_do_not_choose_where_sts_is(world: World) -> None:
    user = world.sts.user("user1")
    world.sts.role(ROLE, Trust((user.arn,)))
    world.home.keys("user1", user)
    world.home.config(_profile("source_profile = user1"))
    types = {"Region": "String", "UseDualStack": "Boolean", "UseFIPS": "Boolean", "Endpoint": "String"}
    builtin = {"Region": "AWS::Region", "UseDualStack": "AWS::UseDualStack", "UseFIPS": "AWS::UseFIPS"}
    names = {**types, "UseGlobalEndpoint": "Boolean"}
    builtin |= {"Endpoint": "SDK::Endpoint", "UseGlobalEndpoint": "AWS::STS::UseGlobalEndpoint"}
    with Sts(permissive=True) as other:
        rules = {
            "version": "1.0",
            "parameters": {
                name: {"builtIn": builtin[name], "required": False, "type": kind} for name, kind in names.items()
            },
            "rules": [{"conditions": [], "endpoint": {"url": other.url}, "type": "endpoint"}],
        }
        models = world.home.path / ".aws" / "models" / "sts" / "2011-06-15"
        models.mkdir(parents=True)
        (models / "endpoint-rule-set-1.json").write_text(json.dumps(rules))
        assert world.home.run("--profile", "admin").document["Version"] == 1
        assert (world.sts.count(), other.count()) == (1, 0)
