"""A user with an MFA device, roles that ask for it, and a person at a terminal who types its codes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.program import PROGRAM, Home
from tests.sts import Sts, Trust, User
from tests.terminal import Job, Terminal

ACCOUNT = "123456789012"
PROMPT = "Enter MFA code for "


class World(NamedTuple):
    """A home, the STS that it reaches, the user whose keys are in it, and a terminal."""

    home: Home
    sts: Sts
    user: User
    terminal: Terminal

    @property
    def actions(self) -> list[str]:
        """What STS has been asked, in order."""
        return [call.action for call in self.sts.calls]

    def start(self, *arguments: str, environ: Mapping[str, str] | None = None, **options: object) -> Job:
        """Start credproc on the terminal; its output is captured."""
        streams: dict[str, object] = {"stdout": "pipe", "stderr": "pipe", "stdin": "null"}
        command = [PROGRAM, *arguments]
        return self.terminal.start(command, {**self.home.environ, **(environ or {})}, **{**streams, **options})  # type: ignore[arg-type]

    def ask(self, profile: str, **environ: str) -> Job:
        """Start credproc for a profile and wait for its prompt."""
        job = self.start("--profile", profile, environ=environ)
        self.terminal.expect(PROMPT)
        return job

    def type_code(self) -> str:
        """Type the code that the device shows, and return it."""
        code = self.user.unused_code()
        self.terminal.send(f"{code}\n")
        return code

    def answered(self, profile: str, **environ: str) -> dict[str, object]:
        """Start credproc for a profile, type the code that it asks for, and return the document."""
        job = self.ask(profile, **environ)
        self.type_code()
        return job.outcome(30).document

    def unasked(self, profile: str, **environ: str) -> dict[str, object]:
        """Start credproc for a profile, which must not ask, and return the document."""
        document = self.start("--profile", profile, environ=environ).outcome(30).document
        assert PROMPT not in self.terminal.unseen
        return document

    def role(self, name: str, trust: Trust | None = None, *, hours: int = 12) -> str:
        """Make a role that asks for MFA, and return its ARN."""
        arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        admitted = Trust((self.user.arn,), mfa_required=True) if trust is None else trust
        return self.sts.role(arn, admitted, max_session_duration=hours * 3600).arn


def profile(name: str, role_arn: str, source: str = "user1", *lines: str) -> str:
    """Return the lines of a role profile."""
    return "\n".join([f"[profile {name}]", f"role_arn = {role_arn}", f"source_profile = {source}", *lines, ""])


def user_profile(user: User, *lines: str) -> str:
    """Return the lines of the profile with the user's device; the keys are in the credentials file."""
    return "\n".join(["[profile user1]", f"mfa_serial = {user.mfa_serial}", *lines, ""])


@contextmanager
def world(path: Path, names: Sequence[str] = ("admin",), **environ: str) -> Iterator[World]:
    """Give a world in which the user may assume these roles with MFA; sessions are kept in a file unless told."""
    with Sts() as sts, Terminal() as terminal:
        user = sts.user("user1", mfa=True)
        home = Home(path, **{"AWS_ENDPOINT_URL_STS": sts.url, "CREDPROC_SESSION_STORE": "file", **environ})
        found = World(home, sts, user, terminal)
        roles = "".join(profile(name, found.role(name), "user1", "region = us-west-2") for name in names)
        home.config(roles + user_profile(user, "region = us-west-2"))
        home.keys("user1", user)
        yield found
