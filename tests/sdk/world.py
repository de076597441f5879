"""A home with the two profiles, the STS and S3 that it reaches, and one SDK that finds its way about there."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from tests.program import Home, Outcome
from tests.sdk.s3 import S3
from tests.sts import Sts, Trust, User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.sdk.sdks import Sdk
    from tests.terminal import Job, Terminal

ACCOUNT = "123456789012"
START = 60.0  # seconds; SDKs take their time to start, more so on a busy machine
REGIONS = {"aws": "us-west-2", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


class World(NamedTuple):
    """Profile ``sdk`` has a credential_process line for profile ``admin``, a role that ``user1`` may assume."""

    home: Home
    sts: Sts
    s3: S3
    user: User
    sdk: Sdk
    program: str

    # The two profiles

    @property
    def line(self) -> str:
        """The credential_process line; it notes each run."""
        return f"{self.home.path / 'helper'} --profile admin"

    @property
    def runs(self) -> int:
        """How often the SDK has run the helper."""
        path = self.home.path / "runs"
        return path.read_text().count("\n") if path.exists() else 0

    def role(self, name: str = "admin", trust: Trust | None = None) -> str:
        """Make a role that the user may assume, with MFA if there is a device, and return its ARN."""
        arn = f"arn:{self.partition}:iam::{ACCOUNT}:role/{name}"
        with_mfa = self.user.mfa_serial is not None
        return self.sts.role(arn, trust or Trust((self.user.arn,), mfa_required=with_mfa)).arn

    @property
    def partition(self) -> str:
        """The partition that the user is of."""
        return self.user.arn.split(":")[1]

    @property
    def region(self) -> str:
        """The region that profiles name."""
        return REGIONS[self.partition]

    def admin(self, *lines: str, name: str = "profile admin") -> str:
        """Return the lines of the role profile."""
        return section(name, f"region = {self.region}", f"role_arn = {self.role()}", "source_profile = user1", *lines)

    def consumer(self, *lines: str, name: str = "profile sdk", line: str | None = None) -> str:
        """Return the lines of the profile that the SDK reads."""
        return section(name, f"region = {self.region}", f"credential_process = {line or self.line}", *lines)

    def add_credentials(self, text: str) -> None:
        """Append to the credentials file."""
        self.home.credentials((self.home.path / ".aws" / "credentials").read_text() + text)

    # The SDK

    @property
    def endpoint(self) -> str:
        """Where its calls go."""
        return self.s3.url if self.sdk.service == "s3" else self.sts.url

    @property
    def argv(self) -> list[str]:
        """The words that start it for one call."""
        return self.sdk.argv(self.endpoint)

    def start(self, argv: Sequence[str] | None = None, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start it in a session of its own, where there is no terminal."""
        return subprocess.Popen(
            self.argv if argv is None else argv,
            env=self.home.environ,
            cwd="/",
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @contextmanager
    def started(
        self, argv: Sequence[str] | None = None, stdin: int = subprocess.DEVNULL
    ) -> Iterator[subprocess.Popen[str]]:
        """Start it likewise; what is overdue, or in the way when a test has failed, is killed with its children."""
        with self.start(argv, stdin) as child:
            overdue = threading.Timer(2 * START, _kill, (child,))
            overdue.start()
            try:
                yield child
            except BaseException:
                _kill(child)
                raise
            finally:
                overdue.cancel()

    def run(self, argv: Sequence[str] | None = None) -> Outcome:
        """Make one call in a process without a terminal."""
        with self.started(argv) as child:
            stdout, stderr = child.communicate()
        return Outcome(child.returncode, stdout, stderr)

    def on(self, terminal: Terminal) -> Job:
        """Start it for one call on a terminal; what it prints is captured."""
        return terminal.start(self.argv, self.home.environ, stdout="pipe", stderr="pipe")

    def helper(self) -> Outcome:
        """Run the helper as the SDK does, without the SDK and without a terminal."""
        return self.run([self.program, "--profile", "admin"])

    def caller(self, ended: Outcome) -> str:
        """Return the ARN that a run has learned, which must have ended well and in silence."""
        assert (ended.status, ended.stderr) == (0, ""), ended
        return self.arn(json.loads(ended.stdout))

    def arn(self, reply: dict[str, str]) -> str:
        """Return the ARN in a reply, or of whom the key in it is."""
        if "arn" in reply:
            return reply["arn"]
        caller = self.sts.iam.credentials(reply["access_key_id"])
        assert caller is not None
        return caller.arn

    def assert_without_credentials(self) -> None:
        """Hold that the SDK, as it is, finds no line to run, and reaches nobody with credentials."""
        runs, signers = self.runs, self.signers
        assert self.run().status != 0
        assert (self.runs, self.signers) == (runs, signers)

    def assert_fails(self, message: str) -> None:
        """Hold that the SDK ends with the helper's message, having signed nothing."""
        ended = self.run()
        assert ended.status != 0
        assert ended.stdout == ""
        assert self.signers == []
        assert self.runs == self.sdk.failing
        assert any(call.access_key_id is None for call in self.s3.calls) is self.sdk.unsigned
        self.assert_message(ended, message)

    def assert_message(self, ended: Outcome, message: str) -> None:
        """Hold that a run has shown the helper's message where its SDK does, and that the log has it in any case."""
        assert (message in ended.stderr) is (self.sdk.message in {"quoted", "shown"}), ended.stderr
        said = message.splitlines()[0].removeprefix("credproc: error: ")
        kind = "declined" if said.endswith(": cancelled") else "failed"
        assert f" {kind}: {said}" in self.home.log

    @contextmanager
    def process(self) -> Iterator[Callable[[], object]]:
        """Start one process, and give a function that has it make one more call."""
        with (_paged if self.sdk.lines is None else _fed)(self) as call:
            yield call

    # What the endpoint has seen

    @property
    def signers(self) -> list[str | None]:
        """Whose keys have signed the SDK's own calls that went well, in order."""
        if self.s3.calls:
            return [call.access_key_id for call in self.s3.calls if call.outcome == "OK"]
        calls = [call for call in self.sts.calls if (call.action, call.outcome) == ("GetCallerIdentity", "OK")]
        return [call.access_key_id for call in calls]

    @property
    def version(self) -> str | None:
        """The SDK's version, as its requests say; None where there were none."""
        agents = [*(call.user_agent for call in self.s3.calls), *(call.user_agent for call in self.sts.calls)]
        # The last one: within an SDK, what assumes roles may be of another version
        found = re.findall(rf"(?<!\S){re.escape(self.sdk.user_agent)}(\S+)", "\n".join(agents))
        return found[-1] if found else None

    def session(self, name: str = "admin") -> str:
        """Return a session's ARN without the session's name."""
        return f"arn:{self.partition}:sts::{ACCOUNT}:assumed-role/{name}/"


def section(name: str, *lines: str) -> str:
    """Return the lines of a section."""
    return "\n".join([f"[{name}]", *lines, ""])


@contextmanager
def world(path: Path, sdk: Sdk, program: str, partition: str = "aws", *, mfa: bool = False) -> Iterator[World]:
    """Give a world in which profile ``sdk`` works; with ``mfa`` the role demands it."""
    with Sts() as sts, S3(sts) as s3:
        user = sts.user("user1", mfa=mfa, partition=partition)
        home = Home(
            path,
            AWS_PROFILE="sdk",
            AWS_ENDPOINT_URL_STS=sts.url,
            AWS_ENDPOINT_URL_S3=s3.url,
            AWS_EC2_METADATA_DISABLED="true",  # where SDKs look next, which costs seconds
            CREDPROC_SESSION_STORE="file",  # there is no keyring
        )
        found = World(home, sts, s3, user, sdk, program)
        helper = path / "helper"
        helper.write_text(f'#!/bin/sh\necho >>"$HOME/runs"\nexec {program} "$@"\n')
        helper.chmod(0o755)
        device = [f"mfa_serial = {user.mfa_serial}"] if mfa else []
        home.config(found.admin(*device) + found.consumer())
        home.keys("user1", user)
        yield found


def _kill(child: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _last_words(child: subprocess.Popen[str]) -> str:
    _kill(child)
    return child.communicate()[1]


@contextmanager
def _fed(w: World) -> Iterator[Callable[[], object]]:
    """A program that makes a call for each line of its stdin."""
    with w.started([*w.argv, *(w.sdk.lines or ())], stdin=subprocess.PIPE) as child:

        def call() -> None:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write("\n")
            child.stdin.flush()
            line = child.stdout.readline()
            assert line, _last_words(child)
            assert w.arn(json.loads(line)).startswith(w.session())

        yield call
        assert child.communicate() == ("", "")
    assert child.returncode == 0


@contextmanager
def _paged(w: World) -> Iterator[Callable[[], object]]:
    """A program that makes a call for each page of a listing: the answers are held back until the next is wanted."""
    w.s3.pages, w.s3.released = 1000, 0
    with w.started(w.sdk.listing(w.s3.url)) as child:

        def call() -> None:
            wanted = len(w.s3.calls) + 1
            w.s3.released = wanted - 1
            assert w.s3.wait_for(wanted, START), _last_words(child)
            assert w.s3.calls[-1].outcome == "OK"

        yield call
        w.s3.pages, w.s3.released = 0, None
        stdout, stderr = child.communicate()
    assert (child.returncode, stderr) == (0, "")
    assert len(json.loads(stdout)) == len(w.signers) - (w.sdk.requests - 1)
