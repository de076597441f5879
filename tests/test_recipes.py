"""The recipes of docs/recipes.md: what can be run here is run, and the others say that they are untried."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the rigs are made for Linux", allow_module_level=True)

from tests.program import PROGRAM, ROLE, Home, role_home
from tests.sts import Sts, Trust

ROOT = Path(__file__).parent.parent
AWS = ROOT / "build" / "work" / "awscli" / "bin" / "aws"
PAGE = (ROOT / "docs" / "recipes.md").read_text()
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)+)", PAGE, re.MULTILINE))
JOB = 60.0  # seconds for a job, which starts the AWS CLI


@pytest.fixture(name="w")
def _w(tmp_path: Path) -> Iterator[Home]:
    with Sts() as sts:
        user = sts.user("user1")
        sts.role(ROLE, Trust((user.arn,)))
        home = role_home(tmp_path / "home", sts, user)
        config = home.path / ".aws" / "config"
        line = f"credential_process = {PROGRAM} --profile admin"
        config.write_text(f"{config.read_text()}[profile marketingadmin]\nregion = us-west-2\n{line}\n")
        yield home


def _run(home: Home, command: list[str], **environ: str) -> str:
    """Run a job as cron and systemd do: in a session without a terminal, with a home and these variables alone."""
    kept = {name: home.environ[name] for name in ("HOME", "PATH", "AWS_ENDPOINT_URL_STS")}
    ran = subprocess.run(
        command,
        env={**kept, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=JOB,
        check=False,
        start_new_session=True,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


# What is said of "Programs that …" stands in CONTRACT.md, with the run that showed it
@pytest.mark.parametrize(
    "title", [title for title, text in SECTIONS.items() if "```" in text and not title.startswith("Programs that ")]
)
def test_a_recipe_says_whether_it_was_tried(title: str) -> None:
    assert re.search(r"\*(?:Tried|Untried)\b", SECTIONS[title])


def test_the_command_of_a_kubeconfig_gets_a_token(w: Home) -> None:
    (command,) = re.findall(r"^\$ aws (eks .*)$", SECTIONS["kubectl and EKS"], re.MULTILINE)
    credential = json.loads(_run(w, [str(AWS), *command.split()]))
    assert credential["kind"] == "ExecCredential"
    prefix, _, url = credential["status"]["token"].partition(".")[0], "", credential["status"]["token"][11:]
    assert prefix == "k8s-aws-v1"
    assert b"X-Amz-Credential=ASIA" in base64.urlsafe_b64decode(url + "=" * (-len(url) % 4))


def test_a_job_needs_a_home_a_profile_and_the_whole_path(w: Home) -> None:
    arn = _run(
        w,
        [str(AWS), "sts", "get-caller-identity", "--output", "text", "--query", "Arn"],
        AWS_PROFILE="marketingadmin",
    )
    assert ":assumed-role/" in arn


def test_the_prompt_of_a_shell_shows_the_minutes_that_are_left(w: Home) -> None:
    (command,) = re.findall(r"```sh\n(.*)\n```", SECTIONS["A prompt of the shell"])
    path = f"{Path(PROGRAM).parent}:{w.environ['PATH']}"
    assert _run(w, ["sh", "-c", command], AWS_PROFILE="admin", PATH=path) == ""
    assert w.run("--profile", "admin").document
    assert re.fullmatch(r"5\d min\n", _run(w, ["sh", "-c", command], AWS_PROFILE="admin", PATH=path))
    assert _run(w, ["sh", "-c", command], AWS_PROFILE="other", PATH=path) == ""
