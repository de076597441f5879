"""What a person reads and types on a terminal of 80 columns, word for word: the transcripts in tests/talks.

A transcript begins with the config file (``-- config --``), variables (``-- environ --``) and what the home has
besides (``-- with --``): ``keyring``, ``aws`` (an AWS CLI), ``forty`` (profiles). Then each ``$ `` is a command line,
the lines below it what is on the screen, and ``[1]`` the exit status. What is typed stands between ``«`` and ``»``,
with a star where nobody sees it: ``«*code»`` is what the device shows, ``«*secret»`` the secret access key, ``«Enter»``
an empty line, ``«^C»`` the key.
"""

import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("terminals and paths are Linux's", allow_module_level=True)

from tests.keyrings import AVAILABLE, SecretService
from tests.manyprofiles import KEYS, config
from tests.mfa import World, world
from tests.program import PROGRAM, Home
from tests.terminal import column_after, unbroken
from tests.test_login_session import aws
from tests.test_messages import _SECONDS, files

TALKS = sorted((Path(__file__).parent / "talks").glob("*.txt"))
LEADER = os.path.basename(sys.executable)[:15]  # the terminal's "shell", as the kernel shortens its name
KEY = "AKIAIOSFODNN7EXAMPLE"
_RUN = re.compile(r"^\$ (.*)\n((?:(?!\$ |\[\d+\]$).*\n)*)\[(\d+)\]\n", re.MULTILINE)
_TYPED = re.compile(r"«([^»]*)»")
_TIME = re.compile(r"(?:\d{4}-\d\d-\d\d )?\d\d:\d\d(Z| here)")
_KEYS = {"^C": "\x03", "^D": "\x04"}
_PORT = re.compile(r"127\.0\.0\.1:\d{5}")
_DOCUMENT = re.compile(r'^\{"Version".*\}$', re.MULTILINE)
_PASTED = re.compile(r"^[-+@ ]|credproc |/")  # lines that may be wider: of a file, or of one thing to be copied


def _typed(word: str, w: World) -> str:
    """Return what is sent for what stands between the marks."""
    if word in _KEYS:
        return _KEYS[word]
    if word == "*code":
        return f"{w.user.unused_code()}\n"
    values = {"*secret": w.user.secret_access_key, "Enter": ""}
    return values.get(word, word.lstrip("*").replace(KEY, w.user.access_key_id)) + "\n"


def _shown(said: str) -> str:
    """Return what is on the screen of a transcript: what is typed, where it is seen."""
    return _TYPED.sub(lambda found: "" if found[1][0] in "*^" or found[1] == "Enter" else found[1], said)


def _played(line: str, said: str, w: World) -> tuple[str, int]:
    """Run the command line on the terminal and type what the transcript says; return the screen and exit status."""
    words = shlex.split(line)
    at = words.index("credproc")
    environ = {**w.home.environ, **dict(word.split("=", 1) for word in words[:at])}
    before = len(w.terminal.transcript)
    job = w.terminal.start([PROGRAM, *words[at + 1 :]], environ)
    names = {PROGRAM: "/usr/bin/credproc", w.user.access_key_id: KEY, f", for {LEADER})": ", for make)"}
    for found in _TYPED.finditer(said):
        prompt = _shown(said[: found.start()]).rpartition("\n")[2]
        for real, shown in names.items():
            prompt = prompt.replace(shown, real)
        w.terminal.expect(prompt)
        w.terminal.send(_typed(found[1], w))
    status = job.wait(30)
    status = 128 - status if status < 0 else status  # as a shell has it
    w.terminal.drain()
    screen = w.terminal.transcript[before:].decode().replace("\r", "")
    for real, shown in names.items():
        screen = screen.replace(real, shown)
    screen = _PORT.sub("127.0.0.1:40000", _SECONDS.sub("0.00 s", screen))
    screen = re.sub(r"here\) \d+ '", "here) 1 '", screen)  # the process of a failure in the log
    screen = _DOCUMENT.sub('{"Version":1,...}', screen)
    return re.sub(r".*\x1b\[K", "", screen), status  # without what a progress line has shown and erased


def _comparable(screen: str) -> str:
    """Return the text; where it has times, whose length depends on the day, without line breaks between words."""
    return _TIME.sub(r"00:00\1", unbroken(screen)) if _TIME.search(screen) else screen


def _sign_in_by_aws_cli(home: Home) -> None:
    """Put an AWS CLI first in PATH, whose sign-in works."""
    aws(home)
    credentials = {"AccessKeyId": KEY, "SecretAccessKey": "s" * 40, "SessionToken": "t" * 40}
    document = {"Version": 1, **credentials, "Expiration": "2100-01-01T00:00:00Z"}
    (home.path / "document").write_text(json.dumps(document))


@pytest.fixture(name="w")
def _world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    parts = files(request.getfixturevalue("path").read_text())
    if "keyring" in parts.get("with", "") and not AVAILABLE:
        pytest.skip("needs dbus-daemon and gnome-keyring-daemon")
    environ = dict(line.split("=", 1) for line in parts.get("environ", "").splitlines())
    found = tmp_path / "home" / "bin"  # without an AWS CLI of this machine
    variables = {"PATH": str(found), "PS1": "shell> ", "SHELL": "/bin/sh", "TERM": "dumb", **environ}
    with ExitStack() as stack:
        w = stack.enter_context(world(tmp_path / "home", ("admin", "other"), **variables))
        found.mkdir()
        (found / "credproc").symlink_to(PROGRAM)
        w.home.environ["AWS_ENDPOINT_URL_IAM"] = w.sts.url
        (w.home.path / ".aws" / "credentials").chmod(0o600)
        if "aws" in parts.get("with", ""):
            _sign_in_by_aws_cli(w.home)
        if "forty" in parts.get("with", ""):
            w.home.config(config(40))
            w.home.credentials(KEYS)
        if "config" in parts:
            for name in set(re.findall(r"role/([\w-]+)", parts["config"])) - {"denied"}:
                w.role(name)
            w.home.config(parts["config"])
        if "keyring" in parts.get("with", ""):
            w.home.environ |= stack.enter_context(SecretService(w.home.path)).environ
            del w.home.environ["CREDPROC_SESSION_STORE"]
        yield w


@pytest.mark.hands_out
@pytest.mark.parametrize("path", TALKS, ids=lambda path: path.stem)
def test_a_person_reads_what_the_transcript_says(path: Path, w: World) -> None:
    transcript = path.read_text()
    played = _RUN.findall(transcript)
    assert len(played) == len(re.findall(r"^\$ ", transcript, re.MULTILINE)), "a run is written in another form"
    for line, said, wanted in played:
        screen, status = _played(line, said, w)
        assert (_comparable(screen), status) == (_comparable(_shown(said)), int(wanted)), (
            f"$ {line}\n{screen}[{status}]"
        )
        asked = {_shown(one) for one in said.splitlines() if _TYPED.search(one)}
        wide = [one for one in screen.splitlines() if column_after(one, 1000) > 80 and one not in asked]
        assert all(_PASTED.search(one) for one in wide), wide
