"""What a person reads and types on a terminal of 80 columns, word for word: the transcripts in tests/talks.

A transcript begins with the config file (``-- config --``), variables (``-- environ --``) and what the world has
besides (``-- with --``), the names in ``PREPARED``. Then each ``$ `` is a command line, the lines below it what is on
the screen, and ``[1]`` the exit status. What is typed stands between ``«`` and ``»``, with a star where nobody sees it:
``«*code»`` is what the device of user1 shows, ``«*code user2»`` another user's, ``«*secret»`` the secret access key,
``«Enter»`` an empty line, ``«^C»`` the key.
"""

import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("terminals and paths are Linux's", allow_module_level=True)

from credproc.commands.completion import SHELLS, script
from tests import kernel_keys
from tests.dialogs import NOWHERE
from tests.federation import TOKEN, Federation
from tests.keyrings import AVAILABLE, SecretService
from tests.manyprofiles import KEYS, config
from tests.mfa import ACCOUNT, World, world
from tests.program import PROGRAM
from tests.sts import Trust
from tests.terminal import column_after
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
    if word.startswith("*code"):
        name = word.removeprefix("*code").strip() or w.user.name
        user = w.sts.iam.user(f"arn:aws:iam::{ACCOUNT}:user/{name}")
        assert user is not None
        return f"{user.unused_code()}\n"
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
    screen = re.sub("AKIA(?!.{9}EXAMPLE)[A-Z0-9]{16}", "AKIANEWACCESSKEYXMPL", screen)
    screen = _DOCUMENT.sub('{"Version":1,...}', screen).replace(TOKEN, "...")
    for text in map(script, SHELLS):
        screen = screen.replace(text, "(the script)\n")
    return re.sub(r".*\x1b\[K", "", screen), status  # without what a progress line has shown and erased


def _comparable(screen: str) -> str:
    """Return the text; where it has times, whose length depends on the day, without line breaks between words."""
    return _TIME.sub(r"00:00\1", re.sub(r"\n {2,}", " ", screen)) if _TIME.search(screen) else screen


def _program(w: World, name: str, text: str) -> None:
    """Put a program into the only directory of PATH."""
    path = w.home.path / "bin" / name
    path.write_text(text)
    path.chmod(0o755)


# What a world has besides, by the words behind -- with --

# Answers as a window does, and shows on the terminal what it was asked
_WINDOW = """#!/bin/sh
exec 3<>{terminal}
show() {{ printf 'window| %s\\n' "$1" >&3; }}
ask() {{
    /bin/stty -echo echonl <&3
    printf 'typed into the window: ' >&3
    read -r did <&3
    /bin/stty echo -echonl <&3
}}
"""
_PINENTRY = """
echo 'OK Pleased to meet you'
while read -r line; do
    show "$line"
    case $line in
    GETPIN)
        ask
        case $did in
        cancel) echo 'ERR 83886179 Operation cancelled <Pinentry>' ;;
        fail) echo 'ERR 83918950 Inappropriate ioctl for device <Pinentry>' ;;
        *) echo "D $did"; echo OK ;;
        esac ;;
    *) echo OK ;;
    esac
done
"""
_BY_ARGUMENTS = """
for argument; do show "$argument"; done
ask
case $did in
cancel) exit "${ZENITY_ESC:-1}" ;;
fail) exit 9 ;;
*) echo "$did" ;;
esac
"""
_OSASCRIPT = """
for argument; do show "$argument"; done
while read -r line; do :; done
ask
case $did in
cancel) echo closed ;;
fail) exit 1 ;;
*) echo "typed $did" ;;
esac
"""
# Asks the endpoint until it has no credentials
_CLIENT = f"""#!{sys.executable}
import os, time
from urllib.error import HTTPError
from urllib.request import Request, urlopen
token = os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
asked = Request(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], headers={{"Authorization": token}})
seen, status = 0, 0
while status != 503:
    try:
        status = urlopen(asked).status
    except HTTPError as error:
        status = error.code
        time.sleep(0.5)  # for the line of who serves
    if status != seen:
        print("an SDK is answered", status, flush=True)
    seen = status
    time.sleep(0.1)
"""


def _aws_cli(w: World, _: ExitStack) -> None:
    """Give an AWS CLI, whose sign-in works."""
    path = w.home.environ["PATH"]
    aws(w.home)
    w.home.environ["PATH"] = path
    credentials = {"AccessKeyId": KEY, "SecretAccessKey": "s" * 40, "SessionToken": "t" * 40}
    document = {"Version": 1, **credentials, "Expiration": "2100-01-01T00:00:00Z"}
    (w.home.path / "document").write_text(json.dumps(document))


def _forty(w: World, _: ExitStack) -> None:
    """Give forty profiles."""
    w.home.config(config(40))
    w.home.credentials(KEYS)


def _keyring(w: World, stack: ExitStack) -> None:
    """Give a keyring, which no setting names."""
    if not AVAILABLE:
        pytest.skip("needs dbus-daemon and gnome-keyring-daemon")
    w.home.environ |= stack.enter_context(SecretService(w.home.path)).environ
    del w.home.environ["CREDPROC_SESSION_STORE"]


def _kernel(_w: World, _: ExitStack) -> None:
    """Leave out the transcript where the kernel keeps nothing: what could be set is said otherwise there."""
    if not kernel_keys.WORKS:
        pytest.skip("this kernel lets nobody keep keys")


def _user2(w: World, _: ExitStack) -> None:
    """Give a second user, who may assume the role ``second``."""
    user = w.sts.user("user2", mfa=True)
    w.role("second", Trust((user.arn,), mfa_required=True))
    credentials = w.home.path / ".aws" / "credentials"
    keys = f"aws_access_key_id = {user.access_key_id}\naws_secret_access_key = {user.secret_access_key}\n"
    w.home.credentials(f"{credentials.read_text()}[user2]\n{keys}")


def _browser(w: World, stack: ExitStack) -> None:
    """Give the endpoint that signs in to the AWS console, and a browser."""
    w.home.environ["CREDPROC_FEDERATION_ENDPOINT"] = stack.enter_context(Federation()).url
    _program(w, "xdg-open", "#!/bin/sh\nexit 0\n")


def _windows(w: World, _: ExitStack) -> None:
    """Give a display, and what shows windows there."""
    w.home.environ |= NOWHERE
    beginning = _WINDOW.format(terminal=w.terminal.name)
    programs = {"pinentry-qt": _PINENTRY, "zenity": _BY_ARGUMENTS, "kdialog": _BY_ARGUMENTS, "osascript": _OSASCRIPT}
    for name, rest in programs.items():
        _program(w, name, beginning + rest)


def _short(w: World, _: ExitStack) -> None:
    """Have credentials last for seconds, and give an SDK that asks the endpoint of ``exec --serve``."""
    w.sts.lifetime = 5
    _program(w, "sdk", _CLIENT)


PREPARED: dict[str, Callable[[World, ExitStack], None]] = {
    "aws": _aws_cli,
    "browser": _browser,
    "forty": _forty,
    "kernel": _kernel,
    "keyring": _keyring,
    "short": _short,
    "user2": _user2,
    "windows": _windows,
}


@pytest.fixture(name="w")
def _world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    parts = files(request.getfixturevalue("path").read_text())
    environ = dict(line.split("=", 1) for line in parts.get("environ", "").splitlines())
    found = tmp_path / "home" / "bin"  # without an AWS CLI of this machine
    variables = {"PATH": str(found), "PS1": "shell> ", "SHELL": "/bin/sh", "TERM": "dumb", **environ}
    with ExitStack() as stack:
        w = stack.enter_context(world(tmp_path / "home", ("admin", "other"), **variables))
        found.mkdir()
        (found / "credproc").symlink_to(PROGRAM)
        w.home.environ["AWS_ENDPOINT_URL_IAM"] = w.sts.url
        if "config" in parts:
            for name in set(re.findall(r"role/([\w-]+)", parts["config"])) - {"denied"}:
                w.role(name)
            w.home.config(parts["config"])
        for name in parts.get("with", "").split():
            PREPARED[name](w, stack)
        (w.home.path / ".aws" / "credentials").chmod(0o600)
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
