"""`python -m tests.recording DIRECTORY`: what a newcomer sees, recorded in tmux, as pictures for README and docs.

The commands are run, in a throwaway home with the STS on the loopback and a keyring of its own; nothing on the pictures
is written by hand. What is drawn by lot in a run is shown as something fixed of the same length: see ``_fixed``.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.keyrings import SecretService
from tests.program import PROGRAM, Home
from tests.sts import Sts, Trust
from tests.svg import picture
from tests.tmux import Tmux

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sts import User

ROOT = Path(__file__).parent.parent
AWS = ROOT / "build" / "work" / "awscli" / "bin" / "aws"
ACCOUNT = "123456789012"
COLUMNS = 96
PROMPT = "$ "
_CODE = "(the code that the device shows)"
_ASKED = (f"Enter MFA code for arn:aws:iam::{ACCOUNT}:mfa/user1", _CODE)
_SECONDS = 60
CONFIG = """\
[profile marketingadmin]
role_arn          = arn:aws:iam::{account}:role/marketingadmin
role_session_name = user1
source_profile    = user1
region            = us-west-2

[profile readonly]
role_arn          = arn:aws:iam::{account}:role/readonly
source_profile    = user1
region            = us-west-2

[profile user1]
mfa_serial = arn:aws:iam::{account}:mfa/user1
"""


class Typed(NamedTuple):
    """A command line, and what is answered to its questions."""

    line: str
    answers: tuple[tuple[str, str], ...] = ()


class Scene(NamedTuple):
    """What one picture shows."""

    name: str
    title: str
    typed: tuple[Typed, ...]
    is_next_day: bool = False  # nothing is signed in or cached any more


SCENES = (
    Scene(
        "setup",
        "credproc setup shows what it changes, asks, writes it and tries it",
        (Typed("credproc setup marketingadmin", (("write this? [y/N]", "y"), _ASKED)),),
    ),
    Scene(
        "use",
        "The AWS CLI asks for the code once; boto3, and whatever comes after it, does not",
        (
            Typed("export AWS_PROFILE=marketingadmin"),
            Typed("aws sts get-caller-identity --query Arn", (_ASKED,)),
            Typed("aws sts get-caller-identity --query Arn"),
            Typed("""python -c "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])\""""),
        ),
        is_next_day=True,
    ),
    Scene("list", "credproc list shows the state of each profile", (Typed("credproc list"),)),
    Scene(
        "explain",
        "credproc explain shows how a profile is resolved, step by step",
        (Typed("credproc explain marketingadmin"),),
    ),
    Scene("doctor", "credproc doctor checks the setup", (Typed("credproc doctor"),)),
)


class World(NamedTuple):
    """Where it is recorded."""

    home: Home
    user: User
    port: int
    programs: str  # the directory of credproc, of the length of /usr/local/bin

    def fixed(self, screen: str) -> str:
        """Return the screen with what is drawn by lot replaced by what is fixed, each of the same length."""
        for drawn, shown in (
            (self.programs, "/usr/local/bin"),
            (self.user.access_key_id, "AKIAIOSFODNN7EXAMPLE"),
            (f"127.0.0.1:{self.port}", "127.0.0.1:54321"),
        ):
            assert len(drawn) == len(shown), f"{drawn} would move what stands behind it"
            screen = screen.replace(drawn, shown)
        return screen


@contextmanager
def world() -> Iterator[World]:
    """Give a home with a user, who has a device, and two roles."""
    with ExitStack() as stack:
        sts = stack.enter_context(Sts())
        user = sts.user("user1", mfa=True)
        for name in ("marketingadmin", "readonly"):
            sts.role(f"arn:aws:iam::{ACCOUNT}:role/{name}", Trust((user.arn,), mfa_required=True))
        programs = tempfile.mkdtemp(prefix="d", dir="/tmp")  # its length counts
        stack.callback(shutil.rmtree, programs)
        for name, path in (("credproc", PROGRAM), ("aws", str(AWS))):
            os.symlink(path, os.path.join(programs, name))
        home = Home(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "home", AWS_ENDPOINT_URL_STS=sts.url)
        home.config(CONFIG.format(account=ACCOUNT))
        home.keys("user1", user)
        (home.path / ".aws" / "credentials").chmod(0o600)
        keyring = stack.enter_context(SecretService(home.path))
        home.environ |= {
            **keyring.environ,
            "PATH": f"{programs}:{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
            "PS1": PROMPT,
            "HISTFILE": "",
        }
        yield World(home, user, sts.port, programs)


def record(directory: Path) -> None:
    """Run all scenes and write a picture of each into the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    with world() as found:
        for scene in SCENES:
            if scene.is_next_day:
                shutil.rmtree(found.home.cache)
            screen = found.fixed(_played(scene, found))
            (directory / f"{scene.name}.svg").write_text(picture(screen, scene.title, COLUMNS, PROMPT))


def _played(scene: Scene, found: World) -> str:
    """Return what is on the screen at the end of the scene."""
    found.home.settle()
    with Tmux(["bash", "--noprofile", "--norc", "-i"], found.home.environ, columns=COLUMNS, rows=48) as pane:
        for number, typed in enumerate(scene.typed):
            _wait_for_prompts(pane, number + 1)
            pane.send(f"{typed.line}\n")
            for question, answer in typed.answers:
                pane.wait_for(question, _SECONDS)
                pane.send(f"{found.user.unused_code() if answer == _CODE else answer}\n")
        _wait_for_prompts(pane, len(scene.typed) + 1)
        return pane.captured().rstrip().rpartition("\n")[0]  # without the last prompt


def _wait_for_prompts(pane: Tmux, count: int) -> None:
    """Wait until the shell has asked for so many command lines, and waits for the last of them."""
    pane.until(
        lambda: (
            len(re.findall(f"^{re.escape(PROMPT)}", pane.screen(), re.MULTILINE)) == count
            and pane.cursor[0] == len(PROMPT)
        ),
        "the shell",
        _SECONDS,
    )


if __name__ == "__main__":
    record(Path(sys.argv[1]))
