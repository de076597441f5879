"""The prompt on a console of Windows, under Wine: what build/windows installs, and tmux for the person."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the rigs are made for Linux", allow_module_level=True)

from tests import tmux, windows_console
from tests.program import ROLE, Home
from tests.sts import Sts, Trust, User
from tests.windows_console import CREDPROC, WindowsConsole, WindowsJob, windows_environ

if not (windows_console.AVAILABLE and tmux.AVAILABLE):
    pytest.skip("build/windows installs what it needs", allow_module_level=True)

SERIAL = "arn:aws:iam::123456789012:mfa/user1"
PROMPT = f"Enter MFA code for {SERIAL} (profile admin):"


class World:
    """A home whose profile ``admin`` asks for a code, the STS behind it, and a console."""

    def __init__(self, path: Path, sts: Sts, console: WindowsConsole) -> None:
        self.sts, self.console = sts, console
        self.user: User = sts.user("user1", mfa=True)
        sts.role(ROLE, Trust((self.user.arn,), mfa_required=True), max_session_duration=43200)
        self.home = Home(path, AWS_ENDPOINT_URL_STS=sts.url, CREDPROC_SESSION_STORE="file")
        self.configure()
        self.home.keys("user1", self.user)

    def configure(self, *lines: str) -> None:
        """Write the config file, with these lines in the profile."""
        settings = ["region = us-west-2", f"role_arn = {ROLE}", "source_profile = user1", f"mfa_serial = {SERIAL}"]
        self.home.config("\n".join(["[profile admin]", *settings, *lines, ""]))

    @property
    def cache(self) -> Path:
        """Credproc's own directory."""
        return self.home.path / "AppData" / "Local" / "credproc" / "Cache"

    def start(self, *command: str, flags: int = 0, **environ: str) -> WindowsJob:
        """Start credproc, or the command."""
        words = command or (CREDPROC, "--profile", "admin")
        return self.console.start(words, windows_environ(self.home, **environ), flags=flags)

    def asked(self, *command: str) -> WindowsJob:
        """Start it and wait for the prompt."""
        job = self.start(*command)
        self.console.wait_for(PROMPT, windows_console.TIMEOUT)
        return job

    def type_code(self) -> str:
        """Type a code that the device shows."""
        code = self.user.unused_code()
        self.console.send(f"{code}\n")
        return code


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> Iterator[World]:
    with Sts() as sts, WindowsConsole() as console:
        yield World(tmp_path / "home", sts, console)


def test_a_code_is_asked_for_and_not_shown(world: World) -> None:
    job = world.asked()
    code = world.type_code()
    assert job.outcome().document["Version"] == 1
    assert code not in world.console.screen()
    assert [call.action for call in world.sts.calls] == ["GetSessionToken", "AssumeRole"]
