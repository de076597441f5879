"""credproc exec: what the program gets, what passes through it, and what is said when it cannot be run."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mfa import PROMPT, world
from tests.program import FROZEN, PROGRAM, ROLE, Home, role_home
from tests.sts import Sts, Trust

pytestmark = pytest.mark.hands_out

if sys.platform == "win32":
    pytest.skip("the program takes our place on POSIX only", allow_module_level=True)

DUMP = [sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"]


@pytest.fixture(name="home_of_admin")
def _home_of_admin(tmp_path: Path) -> Iterator[Home]:
    with Sts() as sts:
        user = sts.user("user1")
        sts.role(ROLE, Trust((user.arn,)))
        home = role_home(tmp_path / "home", sts, user)
        config = (home.path / ".aws" / "config").read_text()
        alias = "[profile people]\nregion = eu-west-1\ncredential_process = /usr/bin/credproc --profile admin\n"
        home.config(config + alias)
        yield home


def _environ(home: Home, profile: str = "admin", **environ: str) -> dict[str, str]:
    ran = home.run("exec", profile, "--", *DUMP, environ=environ)
    assert (ran.status, ran.stderr) == (0, "")
    found: dict[str, str] = json.loads(ran.stdout)
    return found


def test_the_program_has_the_credentials_and_nothing_that_leads_elsewhere(home_of_admin: Home) -> None:
    misleading = {
        "AWS_PROFILE": "nobody",
        "AWS_DEFAULT_PROFILE": "nobody",
        "AWS_SECURITY_TOKEN": "old",
        "AWS_SESSION_TOKEN": "old",
        "AWS_ACCOUNT_ID": "999999999999",
        "AWS_SECRET_KEY": "old",
        "EC2_SECRET_KEY": "old",
        "AWS_BEARER_TOKEN_BEDROCK": "another's",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/token",
        "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/pod",
        "AWS_ROLE_SESSION_NAME": "pod",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/var/run/secrets/pod",
    }
    found = _environ(home_of_admin, **misleading, KEPT="as it is")
    document = home_of_admin.run("--profile", "admin", environ=misleading).document
    assert {name: value for name, value in found.items() if name.startswith(("AWS_", "EC2_"))} == {
        "AWS_ACCESS_KEY_ID": document["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": document["SecretAccessKey"],
        "AWS_SESSION_TOKEN": document["SessionToken"],
        "AWS_CREDENTIAL_EXPIRATION": document["Expiration"],
        "AWS_ACCOUNT_ID": "123456789012",
        "AWS_REGION": "us-west-2",
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_ENDPOINT_URL_STS": home_of_admin.environ["AWS_ENDPOINT_URL_STS"],
    }
    assert found["KEPT"] == "as it is"


def test_the_region_is_that_of_the_profile_that_people_know_and_a_variable_comes_first(home_of_admin: Home) -> None:
    assert _environ(home_of_admin, "people")["AWS_REGION"] == "eu-west-1"
    found = _environ(home_of_admin, "people", AWS_REGION="us-east-2", AWS_DEFAULT_REGION="us-east-1")
    assert (found["AWS_REGION"], found["AWS_DEFAULT_REGION"]) == ("us-east-2", "us-east-2")


def test_where_no_region_is_known_none_is_set(home_of_admin: Home) -> None:
    config = (home_of_admin.path / ".aws" / "config").read_text()
    home_of_admin.config(config.replace("region = us-west-2\n", ""))
    assert not {"AWS_REGION", "AWS_DEFAULT_REGION"} & set(_environ(home_of_admin))


@pytest.mark.parametrize("arguments", [["--profile", "x", "--help"], ["--", "a", "--"], ["exec", "", "-h"]])
def test_what_the_command_takes_is_not_ours_though_it_looks_so(home_of_admin: Home, arguments: list[str]) -> None:
    echo = [sys.executable, "-c", "import json, sys; print(json.dumps(sys.argv[1:]))", *arguments]
    assert json.loads(home_of_admin.run("exec", "admin", "--", *echo).stdout) == arguments


def test_the_exit_status_and_the_streams_are_the_commands(home_of_admin: Home) -> None:
    ran = home_of_admin.run("exec", "admin", "--", "sh", "-c", "cat; echo no >&2; exit 42", stdin=subprocess.DEVNULL)
    assert ran == (42, "", "no\n")
    with home_of_admin.start("exec", "admin", "--", "cat", stdin=subprocess.PIPE) as child:
        assert child.communicate("from stdin", timeout=30) == ("from stdin", "")


def test_the_command_takes_our_place_and_a_signal_ends_it(home_of_admin: Home) -> None:
    with home_of_admin.start("exec", "admin", "--", "sh", "-c", "echo $$; exec sleep 60") as child:
        assert child.stdout is not None
        assert int(child.stdout.readline()) == child.pid
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == -signal.SIGTERM


def test_umask_core_limit_and_signals_are_as_they_were(home_of_admin: Home) -> None:
    code = (
        "import json, os, resource, signal\n"
        "status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
        "print(json.dumps([oct(os.umask(0)), resource.getrlimit(resource.RLIMIT_CORE)[0], status['SigIgn'].strip()]))"
    )
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    wanted = min(4096, hard) if hard >= 0 else 4096

    def prepare() -> None:
        os.umask(0o027)
        resource.setrlimit(resource.RLIMIT_CORE, (wanted, hard))

    command = ["exec", "admin", "--", sys.executable, "-c", code]
    umask, core, ignored = json.loads(home_of_admin.run(*command, preexec_fn=prepare).stdout)
    assert (umask, core) == ("0o27", wanted)
    # What is ignored here too (SIGINT in the background, SIGCANCEL behind posix_spawn), and SIGPIPE (13) and SIGXFSZ
    # (25), which Python ignores: those of the program that looks
    here = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())["SigIgn"]
    assert int(ignored, 16) & ~(int(here, 16) | (1 << 12) | (1 << 24)) == 0
    assert soft <= hard or hard < 0


def test_sigpipe_ends_the_command_as_it_would_without_us(home_of_admin: Home) -> None:
    line = f"{PROGRAM} exec admin -- sh -c 'trap' ; {PROGRAM} exec admin -- sh -c 'yes; echo $? >&2' | head -n 1"
    ran = subprocess.run(
        ["/bin/sh", "-c", line], env=home_of_admin.environ, capture_output=True, text=True, check=False
    )
    assert (ran.stdout, ran.stderr.strip()) == ("y\n", "141")


@pytest.mark.parametrize(("command", "status"), [("nosuch", 127), ("/no/such", 127), ("/etc/passwd", 126)])
def test_a_command_that_cannot_be_run_is_said_before_anything_is_asked(
    home_of_admin: Home, command: str, status: int
) -> None:
    ran = home_of_admin.run("exec", "nobody", "--", command)
    assert (ran.status, ran.stdout) == (status, "")
    assert ran.stderr.startswith(f"credproc: error: exec: '{command}': ")


def test_a_script_without_its_first_line_is_said_too(home_of_admin: Home) -> None:
    script = home_of_admin.path / "script"
    script.write_text("echo hello\n")
    script.chmod(0o755)
    # By a short path, as a long one is cut in the middle
    ran = home_of_admin.run("exec", "admin", "--", "./script", cwd=home_of_admin.path)
    assert ran.status == 126
    assert re.match(r"credproc: error: exec: './script': .*\ncredproc: hint: .*#!/bin/sh\n", ran.stderr)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["admin"], ["exec: the command", "credproc exec NAME -- COMMAND"]),
        (["admin", "--"], ["exec: the command", "credproc exec NAME -- COMMAND"]),
        (["admin", "ls"], ["exec: -- is missing", "credproc exec NAME -- COMMAND"]),
        (["", "--", "ls"], ["argument NAME: ", "credproc exec --help"]),
    ],
)
def test_a_line_that_is_not_understood_runs_nothing(
    home_of_admin: Home, arguments: list[str], words: list[str]
) -> None:
    ran = home_of_admin.run("exec", *arguments)
    assert (ran.status, ran.stdout) == (2, "")
    assert ran.stderr.startswith("credproc: error: usage: ")
    assert [word for word in words if word not in ran.stderr] == [], ran.stderr


def test_help_may_stand_behind_the_name(home_of_admin: Home) -> None:
    assert home_of_admin.run("exec", "admin", "--help").stdout.startswith("usage: credproc exec [--help] ")


def test_the_other_commands_take_no_program(home_of_admin: Home) -> None:
    ran = home_of_admin.run("status", "--", "ls")
    assert ran[:2] == (2, "")
    assert ran.stderr.startswith("credproc: error: usage: unrecognized arguments: --\n")


def test_a_failure_runs_nothing(home_of_admin: Home) -> None:
    ran = home_of_admin.run("exec", "nobody", "--", "touch", str(home_of_admin.path / "touched"))
    assert ran.status == 1
    assert ran.stderr.startswith("credproc: error: ~/.aws/config and ~/.aws/credentials: ")
    assert not (home_of_admin.path / "touched").exists()


def test_the_code_is_asked_for_once_and_the_second_run_is_served_from_the_cache(tmp_path: Path) -> None:
    with world(tmp_path / "home") as w:
        job = w.start("exec", "admin", "--", "printenv", "AWS_ACCESS_KEY_ID")
        w.terminal.expect(PROMPT)
        w.type_code()
        first = job.outcome(30)
        assert first.status == 0
        again = w.start("exec", "admin", "--", "printenv", "AWS_ACCESS_KEY_ID").outcome(30)
        assert (again.stdout, w.actions) == (first.stdout, ["GetSessionToken", "AssumeRole"])


def test_a_program_on_the_terminal_has_it_as_without_us(tmp_path: Path) -> None:
    with world(tmp_path / "home") as w:
        w.answered("admin")
        job = w.start("exec", "admin", "--", "sh", "-c", "read line; echo got $line", stdin="terminal")
        w.terminal.send("typed\n")
        assert job.outcome(30).stdout == "got typed\n"


@pytest.mark.skipif(FROZEN, reason="it ignores PYTHON… variables")
def test_a_hit_loads_nothing_slow(home_of_admin: Home) -> None:
    home_of_admin.run("--profile", "admin")
    home_of_admin.settle()
    home_of_admin.run("--profile", "admin")
    ran = home_of_admin.run("exec", "admin", "--", "true", environ={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in ran.stderr.splitlines()}
    assert "credproc" in imported
    assert not imported & {"botocore", "boto3", "keyring", "ssl", "urllib3"}


def _shell(home: Home, text: str) -> str:
    path = home.path / "shell"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_without_a_command_the_users_shell_has_the_credentials_and_says_whose(tmp_path: Path) -> None:
    with world(tmp_path / "home") as w:
        shell = _shell(w.home, 'echo "$# $CREDPROC_SHELL $AWS_ACCESS_KEY_ID $AWS_REGION"; exit 3')
        job = w.start("exec", "admin", "--region", "eu-west-1", environ={"SHELL": shell}, stdin="terminal")
        w.terminal.expect(PROMPT)
        w.type_code()
        assert "credproc: shell with the credentials of profile 'admin' until " in w.terminal.expect("; exit leaves it")
        ran = job.outcome(30)
        access_key_id = w.home.run("--profile", "admin").document["AccessKeyId"]
        assert ran == (3, f"0 admin {access_key_id} eu-west-1\n", "")


def test_a_shell_within_such_a_shell_is_refused_and_a_command_is_not(tmp_path: Path) -> None:
    with world(tmp_path / "home") as w:
        variables = {"CREDPROC_SHELL": "other", "SHELL": _shell(w.home, "exit 0")}
        ran = w.start("exec", "admin", environ=variables, stdin="terminal").outcome(30)
        assert (ran.status, ran.stdout) == (1, "")
        assert "profile 'other'" in ran.stderr
        job = w.start("exec", "admin", "--", "true", environ=variables, stdin="terminal")
        w.terminal.expect(PROMPT)
        w.type_code()
        assert job.outcome(30).status == 0


def test_a_script_that_lost_its_command_gets_no_shell(home_of_admin: Home) -> None:
    ran = home_of_admin.run("exec", "admin", environ={"SHELL": _shell(home_of_admin, "echo shell")})
    assert (ran.status, ran.stdout) == (2, "")


def test_the_region_of_the_command_line_comes_first(home_of_admin: Home) -> None:
    ran = home_of_admin.run("exec", "admin", "--region", "eu-west-1", "--", *DUMP, environ={"AWS_REGION": "us-east-2"})
    found = json.loads(ran.stdout)
    assert (found["AWS_REGION"], found["AWS_DEFAULT_REGION"]) == ("eu-west-1", "eu-west-1")
    ran = home_of_admin.run("exec", "admin", "--region", "eu west", "--", *DUMP)
    assert (ran.status, ran.stdout) == (1, "")
    assert ran.stderr.startswith("credproc: error: --region: ")
