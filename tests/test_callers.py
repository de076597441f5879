"""Who starts credproc: boto3, the AWS CLI and Node, at a terminal and without one."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

if sys.platform != "linux":
    pytest.skip("the rigs are made for Linux", allow_module_level=True)

from tests.program import PROGRAM, ROLE, Home, Outcome, role_home
from tests.sts import Sts, Trust, User
from tests.terminal import Job, Terminal

SERIAL = "arn:aws:iam::123456789012:mfa/user1"
ERROR = "credproc: error: ~/.aws/config:5: an MFA code is needed, and there is no terminal to ask for it on"
CANCELLED = "credproc: error: ~/.aws/config:5: MFA code: cancelled"
HINT = "credproc: hint: run credproc login --profile admin in a terminal"
NO_TERMINAL_HINT = f"{HINT}, or set credproc_prompt = dialog to be asked in a window"
LINE = f"{PROGRAM} --profile admin"
ROOT = Path(__file__).parent.parent
AWS = ROOT / "build" / "work" / "awscli" / "bin" / "aws"
START = 30.0  # seconds; SDKs take their time to start, more so on a busy machine

needs_aws = pytest.mark.skipif(not AWS.exists(), reason="needs the AWS CLI, which build/test installs")
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")

BOTO3 = f"""#!{sys.executable}
import sys
import boto3, botocore.exceptions
try:
    sts = boto3.Session(profile_name="sdk").client("sts")
    for _ in range(int(sys.argv[1])):
        print(sts.get_caller_identity()["Arn"])
except botocore.exceptions.CredentialRetrievalError as error:
    print(error)
"""

# As @aws-sdk/credential-provider-process does it: promisify(exec), nothing written to stdin and nothing ended
NODE = """
const { exec } = require("child_process");
const [line, times] = process.argv.slice(1);
const run = (left) => exec(line, (error, stdout, stderr) => {
  console.log(JSON.stringify({ code: error ? error.code : 0, stdout, stderr }));
  if (left > 1) run(left - 1);
});
run(Number(times));
"""


class World(NamedTuple):
    """A home whose profile ``sdk`` has a credential_process line, the STS behind it, the user and a terminal."""

    home: Home
    sts: Sts
    user: User
    terminal: Terminal

    def asked(self, argv: Sequence[str], program: str) -> Job:
        """Start a caller on the terminal and wait until credproc asks for it."""
        job = self.terminal.start(argv, self.home.environ, stdout="pipe", stderr="pipe")
        self.terminal.expect(f"\rEnter MFA code for {SERIAL} (profile admin, for {program}): ", START)
        assert not self.terminal.echo
        return job

    def answered(self, argv: Sequence[str], program: str) -> Outcome:
        """Start a caller, and type the code that credproc asks for."""
        job = self.asked(argv, program)
        self.terminal.send(f"{self.user.unused_code()}\n")
        return job.outcome(START)

    def unasked(self, argv: Sequence[str]) -> Outcome:
        """Start a caller on the terminal and see it end without a question."""
        seen = self.terminal.transcript
        ended = self.terminal.start(argv, self.home.environ, stdout="pipe", stderr="pipe").outcome(START)
        assert self.terminal.transcript == seen
        return ended

    def alone(self, argv: Sequence[str]) -> Outcome:
        """Run a caller in a session of its own, which has no terminal."""
        ran = subprocess.run(
            argv,
            env=self.home.environ,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            check=False,
            timeout=START,
        )
        return Outcome(ran.returncode, ran.stdout, ran.stderr)

    def assert_signed_in_once(self) -> None:
        """Hold that one code has bought all: the role demands MFA, and the last call was signed with its session."""
        assert self.sts.count("GetSessionToken", "OK") == self.sts.count("GetSessionToken") == 1
        assert self.sts.count("AssumeRole", "OK") == self.sts.count("AssumeRole") == 1


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> Iterator[World]:
    with Sts() as sts, Terminal() as terminal:
        user = sts.user("user1", mfa=True)
        sts.role(ROLE, Trust((user.arn,), mfa_required=True))
        sdk = f"mfa_serial = {SERIAL}\n[profile sdk]\nregion = us-west-2\ncredential_process = {LINE}\n"
        home = role_home(tmp_path / "home", sts, user, sdk, CREDPROC_SESSION_STORE="file")
        before = terminal.attributes()
        yield World(home, sts, user, terminal)
        terminal.until(lambda: terminal.survivors() == [], "the end of all processes")
        assert terminal.attributes() == before
        assert terminal.pending() == 0
        assert terminal.column() == 0


def arn(session: str = "[^/]+") -> str:
    """Return what the role's session is called by GetCallerIdentity, as a pattern."""
    return f"arn:aws:sts::123456789012:assumed-role/marketingadmin/{session}"


# boto3


def boto3_script(tmp_path: Path, calls: int = 1) -> list[str]:
    """Return the words that start a person's script, which calls AWS so many times."""
    path = tmp_path / "deploy"
    path.write_text(BOTO3)
    path.chmod(0o755)
    return [str(path), str(calls)]


def test_boto3_is_asked_once_whatever_it_calls(world: World, tmp_path: Path) -> None:
    ended = world.answered(boto3_script(tmp_path, calls=3), "deploy")
    assert (ended.status, ended.stderr) == (0, "")
    assert re.fullmatch(f"({arn()}\n){{3}}", ended.stdout)
    assert world.unasked(boto3_script(tmp_path)).stdout == ended.stdout.splitlines(keepends=True)[0]
    world.assert_signed_in_once()


def test_boto3_shows_what_a_person_has_declined(world: World, tmp_path: Path) -> None:
    job = world.asked(boto3_script(tmp_path), "deploy")
    world.terminal.send("\x04")
    said = f"Error when retrieving credentials from custom-process: {CANCELLED}\n{HINT}\n"
    assert job.outcome(START) == Outcome(0, f"{said}\n", "")


def test_boto3_without_a_terminal_shows_what_to_do(world: World, tmp_path: Path) -> None:
    said = f"Error when retrieving credentials from custom-process: {ERROR}\n{NO_TERMINAL_HINT}\n"
    assert world.alone(boto3_script(tmp_path)) == Outcome(0, f"{said}\n", "")
    assert world.sts.count() == 0


def test_ctrl_c_ends_boto3_and_leaves_the_terminal_as_it_was(world: World, tmp_path: Path) -> None:
    job = world.asked(boto3_script(tmp_path), "deploy")
    world.terminal.send("12\x03")
    assert job.wait(START) != 0
    assert "KeyboardInterrupt" in job.stderr
    assert world.sts.count() == 0


# The AWS CLI


CLI = [str(AWS), "sts", "get-caller-identity", "--profile", "sdk", "--query", "Arn", "--output", "text"]


@needs_aws
def test_the_aws_cli_is_asked_once(world: World) -> None:
    command = [*CLI, "--endpoint-url", world.sts.url]
    ended = world.answered(command, "aws")
    assert (ended.status, ended.stderr) == (0, "")
    assert re.fullmatch(f"{arn()}\n", ended.stdout)
    assert world.unasked(command) == ended
    world.assert_signed_in_once()


@needs_aws
def test_the_aws_cli_without_a_terminal_shows_what_to_do(world: World) -> None:
    ended = world.alone([*CLI, "--endpoint-url", world.sts.url])
    assert (ended.status, ended.stdout) == (255, "")
    assert f"Error when retrieving credentials from custom-process: {ERROR}\n{NO_TERMINAL_HINT}\n" in ended.stderr
    assert world.sts.count() == 0


# Node


def node(times: int = 1) -> list[str]:
    """Return the words that start a Node program which runs the credential_process line so many times, in turn."""
    return ["node", "-e", NODE, "--", LINE, str(times)]


def replies(ended: Outcome) -> list[Outcome]:
    """Return what the program's callbacks were called with."""
    assert (ended.status, ended.stderr) == (0, "")
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    return [Outcome(reply["code"], reply["stdout"], reply["stderr"]) for reply in found]


@needs_node
def test_node_is_asked_once(world: World) -> None:
    first, second = replies(world.answered(node(times=2), "node"))
    assert first.document["AccountId"] == "123456789012"
    assert second == first
    assert replies(world.unasked(node())) == [first]
    world.assert_signed_in_once()
    issued = world.sts.iam.credentials(first.document["AccessKeyId"])
    assert issued is not None
    assert (issued.kind, issued.role_arn) == ("role session", ROLE)


@needs_node
def test_node_that_tries_again_after_a_refusal_asks_nobody(world: World) -> None:
    job = world.asked(node(times=2), "node")
    world.terminal.send("\x04")
    refused = Outcome(3, "", f"{CANCELLED}\n{HINT}\n")
    assert replies(job.outcome(START)) == [refused, refused]
    assert world.terminal.transcript.decode().count("Enter MFA code") == 1


@needs_node
def test_node_without_a_terminal_shows_what_to_do(world: World) -> None:
    assert replies(world.alone(node())) == [Outcome(3, "", f"{ERROR}\n{NO_TERMINAL_HINT}\n")]


@needs_node
def test_node_that_is_killed_withdraws_the_prompt(world: World) -> None:
    job = world.asked(node(), "node")
    world.terminal.send("123")
    os.kill(job.pid, 9)
    job.wait(START)
    world.terminal.until(lambda: world.terminal.survivors() == [], "the end of credproc")
    assert world.terminal.echo
    assert world.sts.count() == 0


# Shells, as a person's scripts use them


def test_a_pipeline_of_a_shell_is_asked_and_goes_on(world: World) -> None:
    name = os.path.basename(sys.executable)
    ended = world.answered(["sh", "-c", f"{LINE} | wc -l; true"], name)
    assert ended == Outcome(0, "1\n", "")


def test_a_command_substitution_is_asked_and_goes_on(world: World) -> None:
    name = os.path.basename(sys.executable)
    ended = world.answered(["sh", "-c", f'x=$({LINE}); echo "${{#x}}"'], name)
    assert (ended.status, ended.stderr) == (0, "")
    assert int(ended.stdout) > 100
