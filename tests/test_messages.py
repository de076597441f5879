"""What the program says, word for word: the transcripts in tests/messages, run against it without a terminal.

A transcript begins with the two AWS files (``-- config --``, ``-- credentials --``). Then each ``$ `` is a command
line, the lines below it what came on stdout, those behind ``2> `` what came on stderr, and ``[1]`` the exit status.
"""

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

if sys.platform != "linux":
    pytest.skip("terminals and paths are Linux's", allow_module_level=True)

from tests.keyrings import SecretService
from tests.program import PROGRAM, Home
from tests.terminal import Terminal

TRANSCRIPTS = sorted((Path(__file__).parent / "messages").glob("*.txt"))
_FILE = re.compile(r"^-- (\w+) --\n(.*?)(?=^-- |^\$ )", re.MULTILINE | re.DOTALL)
_RUN = re.compile(r"^\$ (.*)\n((?:(?!\$ |\[\d+\]$).*\n)*)\[(\d+)\]\n", re.MULTILINE)

_END = r"(?:[^.\n]|\.\.\.)\n"  # no full stop; three may stand for what one types
_FAILURE = re.compile(rf"credproc: error: [^\n]*{_END}(?:credproc: hint: [^\n]+{_END})?")
_SECONDS = re.compile(r"\b\d+\.\d\d s\b")


class Run(NamedTuple):
    """A command line, and what comes of it."""

    line: str
    status: int
    stdout: str
    stderr: str


def runs(transcript: str) -> Iterator[Run]:
    """Yield what a transcript consists of."""
    for line, said, status in _RUN.findall(transcript):
        lines = said.splitlines(keepends=True)
        stdout = "".join(one for one in lines if not one.startswith("2> "))
        stderr = "".join(one.removeprefix("2> ") for one in lines if one.startswith("2> "))
        yield Run(line, int(status), stdout, stderr)


def files(transcript: str) -> dict[str, str]:
    """Return the AWS files that stand at its beginning."""
    return dict(_FILE.findall(transcript))


def _ran(line: str, home: Home) -> Run:
    words = shlex.split(line)
    at = words.index("credproc")
    environ = dict(word.split("=", 1) for word in words[:at])
    ran = home.run(*words[at + 1 :], environ=environ, start_new_session=True)
    stdout = _SECONDS.sub("0.00 s", ran.stdout.replace(PROGRAM, "/usr/bin/credproc"))
    return Run(line, ran.status, stdout, ran.stderr)


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_it_says_what_the_transcript_says(path: Path, tmp_path: Path) -> None:
    transcript = path.read_text()
    wanted = list(runs(transcript))
    assert len(wanted) == len(re.findall(r"^\$ ", transcript, re.MULTILINE)), "a run is written in another form"
    # No instance metadata, whose absence takes a second to find out; and no width of whoever runs the tests
    home = Home(tmp_path / "home", AWS_EC2_METADATA_DISABLED="true", COLUMNS="80", LC_ALL="C.UTF-8")
    for name, text in files(transcript).items():
        path_of_file = home.path / ".aws" / name
        path_of_file.write_text(text)
        path_of_file.chmod(0o600)
    assert [_ran(run.line, home) for run in wanted] == wanted


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_failure_is_an_error_and_a_hint_on_stderr_alone_and_an_answer_leaves_that_empty(path: Path) -> None:
    for run in runs(path.read_text()):
        is_answer = run.status == 0 or "exit 7" in run.line or ("credproc doctor" in run.line and run.status == 1)
        if not is_answer:
            assert run.stdout == "", run
            assert _FAILURE.fullmatch(run.stderr), run
        else:
            assert run.stderr == "", run


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            ["AKIA"] * 3,
            (
                "credproc: error: keys add: not an access key id\n"
                "credproc: hint: an access key id looks like AKIAIOSFODNN7EXAMPLE\n"
            ),
        ),
        (
            ["ASIAIOSFODNN7EXAMPLE"] * 3,
            (
                "credproc: error: keys add: this is the id of temporary credentials, which expire\n"
                "credproc: hint: enter the access key of an IAM user\n"
            ),
        ),
        (
            ["AKIAIOSFODNN7EXAMPLE", "a b", "a b", "a b"],
            (
                "credproc: error: keys add: not a secret access key\n"
                "credproc: hint: a secret access key has 40 characters and no spaces\n"
            ),
        ),
    ],
)
def test_what_is_no_access_key_is_not_taken_in_three_tries(typed: list[str], said: str, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with Terminal() as terminal, SecretService(home.path) as service:
        home.environ.update(service.environ)
        job = terminal.start(
            [PROGRAM, "keys", "add", "user1"], home.environ, stdout="pipe", stderr="pipe", stdin="null"
        )
        for answer in typed:
            terminal.expect("secret access key for" if answer == "a b" else "access key id for")
            terminal.send(f"{answer}\n")
        assert job.outcome() == (1, "", said)
