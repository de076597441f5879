"""What a person reads is lines of glyphs, whatever names, paths, settings, variables and answers hold."""

import ast
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

import credproc
from credproc.commands.ui.output import Coloured, Document, Output
from credproc.terminal import screen
from tests.forks import Forks
from tests.mfa import PROMPT, world
from tests.program import PROGRAM, ROLE, Home
from tests.sts import Sts, Trust, fail, with_text

PACKAGE = Path(credproc.__file__).parent
# Escape sequences of 7 and 8 bits, characters that go back or down, that turn the direction round, that nobody sees
HOSTILE = "x\x1b[2J\x07\x08\x7f\x9b2J\x85\x0b\x0c\x1c\u202e\u2066\u200f\u200b\ufeff\u2028\u2029x"
# Who may write to a stream or a terminal, beside those who write files and pipes
WRITERS = {
    "cli",
    "commands.serve.renewal",
    "commands.ui.progress",
    "terminal.device",
    "terminal.watchdog",
    "terminal.windows",
}
FILES = {"files", "log", "locking.lock", "mfa.dialog.keeper"}


def _strange(text: str) -> list[str]:
    """Return the characters that are no glyph; lines end with a line feed alone."""
    return [c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


# The gate


def test_a_line_is_one_line_of_glyphs() -> None:
    assert Output(["a\nerror: b\r\tc", "\x1b[31m\u202e\ud800"]).data == b"a error: b  c\n\\x1b[31m\\u202e\\ud800\n"
    assert Output(()).data == b""


def test_a_colour_is_ours_and_its_text_is_not() -> None:
    line = Coloured("a\x1b[0m ", "b\x1b[5mc", "31")
    assert Output([line]).data == b"a\\x1b[0m \x1b[31mb\\x1b[5mc\x1b[0m\n"


def test_what_a_program_reads_is_as_it_is() -> None:
    assert Document("a\tb\x1b\n").data == b"a\tb\x1b\n"


def test_a_line_for_the_terminal_is_one_line() -> None:
    written: list[str] = []
    screen.write_lines(written.append, ["a\nb\x1b[2J"], -1)
    assert written == ["\ra b\\x1b[2J\r\n"]


def test_nobody_else_writes_to_a_stream() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if name in {"os.write", "print", "os.writev"} or name.startswith(("sys.stdout", "sys.stderr")):
                found.add(module)
            if name.endswith("output.write"):
                found.add(module)
    assert found == WRITERS | FILES


# The commands


class Place(NamedTuple):
    """Where something hostile stands; ``{}`` is it."""

    config: str = ""
    environ: Mapping[str, str] = {}
    name: str = "admin"


_ROLE = '[profile "{name}"]\nregion = us-west-2\nsource_profile = user1\n'
_ADMIN = f"{_ROLE.format(name='admin')}role_arn = {ROLE}\n"
_OF_ROLE = (
    "role_arn mfa_serial region source_profile external_id role_session_name duration_seconds endpoint_url ca_bundle"
    " sso_session mfa_process credproc_mfa_process credproc_source_identity credproc_session_tags credproc_policy"
    " credproc_policy_arns credproc_session_store credential_process retry_mode max_attempts aws_account_id"
    " role_arnn web_identity_token_file credential_source aws_access_key_id credproc_access_key_id services"
).split()
_OF_ENVIRONMENT = (
    "AWS_REGION AWS_CA_BUNDLE AWS_ENDPOINT_URL_STS AWS_PROFILE AWS_ROLE_SESSION_NAME AWS_STS_REGIONAL_ENDPOINTS"
    " CREDPROC_SESSION_STORE HTTPS_PROXY HTTP_PROXY AWS_RETRY_MODE AWS_MAX_ATTEMPTS CREDPROC_FEDERATION_ENDPOINT"
).split()
_ALONE = {
    "web identity": "role_arn = {role}\nweb_identity_token_file = /no/{{}}",
    "Identity Center": "sso_start_url = https://{{}}\nsso_region = {{}}\nsso_account_id = 1{{}}\nsso_role_name = {{}}",
    "a program": "credential_process = /no/{{}} {{}}",
    "a program of a role": "role_arn = {role}\nsource_profile = other\n[profile other]\ncredential_process = /{{}}",
    "a serial that is valid": "role_arn = {role}\nsource_profile = user1\nmfa_serial = GAHT{{}}",
    "a role": "role_arn = arn:aws:iam::123456789012:role/{{}}\nsource_profile = user1",
    "keys": "aws_access_key_id = {{}}\naws_secret_access_key = {{}}",
    "a key in the keyring": "credproc_access_key_id = AKIA{{}}",
}
PLACES = {
    "a profile's name": Place(_ROLE.format(name="{}") + f"role_arn = {ROLE}\n", name="{}"),
    "a name of a source": Place(f"{_ADMIN}[profile a{{}}]\nsource_profile = b{{}}\nrole_arn = {ROLE}\n"),
    "a section": Place(f"{_ADMIN}[{{}} x]\na = b\n[{{}}\n"),
    "a line": Place(f"{_ADMIN}{{}}\n"),
    "the config file": Place(_ADMIN, {"AWS_CONFIG_FILE": "/{home}/config{}"}),
    "the credentials file": Place(_ADMIN, {"AWS_SHARED_CREDENTIALS_FILE": "/{home}/none{}"}),
    "the home directory": Place(_ADMIN, {"HOME": "/{home}/home{}"}),
    "the cache directory": Place(_ADMIN, {"CREDPROC_CACHE_DIR": "/{home}/cache{}"}),
    **{f"setting {name}": Place(f"{_ADMIN}{name} = {{}}\n") for name in _OF_ROLE},
    **{f"variable {name}": Place(_ADMIN, {name: "{}"}) for name in _OF_ENVIRONMENT},
    **{name: Place(f"[profile admin]\nregion = x\n{lines.format(role=ROLE)}\n") for name, lines in _ALONE.items()},
}
COMMANDS = (
    ["--profile", "{name}"],
    ["list"],
    ["explain", "{name}"],
    ["policy", "{name}"],
    ["doctor"],
    ["doctor", "{name}", "--offline"],
    ["setup", "{name}", "--yes"],
    ["setup", "{name}", "--undo", "--yes"],
    ["login", "--profile", "{name}"],
    ["status"],
    ["logout", "--profile", "{name}"],
    ["logout", "--all"],
    ["console", "{name}"],
    ["exec", "{name}", "--", "true"],
    ["exec", "{name}", "--", "{}"],
    ["keys", "list"],
    ["keys", "import", "{name}", "--yes"],
    ["keys", "remove", "{name}", "--yes"],
    ["keys", "rotate", "{name}"],
    ["keys", "add", "{name}"],
    ["clear", "--profile", "{name}"],
    ["clear", "--all"],
    ["{}"],
    ["list", "--{}"],
)


class Stage(NamedTuple):
    """A home with an STS, and what runs credproc in it."""

    home: Home
    sts: Sts
    forks: Forks


@pytest.fixture(name="stage", scope="module")
def _stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    path = tmp_path_factory.mktemp("gate")
    with ExitStack() as stack:
        sts = stack.enter_context(Sts())
        user = sts.user("user1")
        sts.role(ROLE, Trust((user.arn,)))
        found = f"{Path(PROGRAM).parent}:/usr/bin:/bin"  # where setup finds the path that it writes
        home = Home(path / "home", AWS_ENDPOINT_URL_STS=sts.url, CREDPROC_SESSION_STORE="file", PATH=found)
        home.config(_ADMIN)
        home.keys("user1", user)
        yield Stage(home, sts, stack.enter_context(Forks(path)))


def _filled(text: str, home: Home, name: str = "") -> str:
    return text.replace("/{home}", str(home.path.parent)).replace("{name}", name).replace("{}", HOSTILE)


@pytest.mark.hands_out
@pytest.mark.parametrize("name", PLACES)
def test_nothing_hostile_reaches_a_person(stage: Stage, name: str) -> None:
    place, (home, _, forks) = PLACES[name], stage
    profile = _filled(place.name, home)
    config = _filled(place.config, home)
    home.config(config)
    environ = {**home.environ, **{key: _filled(value, home) for key, value in place.environ.items()}}
    path = Path(environ.get("AWS_CONFIG_FILE", home.path / ".aws" / "config"))
    if "HOME" in place.environ:
        path = Path(environ["HOME"]) / ".aws" / "config"
        environ["AWS_SHARED_CREDENTIALS_FILE"] = str(home.path / ".aws" / "credentials")
    path.parent.mkdir(parents=True, exist_ok=True)
    for command in COMMANDS:
        path.write_text(config)  # setup edits it
        arguments = [_filled(word, home, profile) for word in command]
        ran = forks.run(*arguments, environ=environ)
        assert not _strange(ran.stdout), (command, ran)
        assert not _strange(ran.stderr), (command, ran)
        assert "internal" not in ran.stderr, (command, ran)
        assert re.fullmatch(r"(credproc: (error|hint): [^\n]*\n){0,2}", ran.stderr), (command, ran)


@pytest.mark.parametrize("hostile", ["\u202e\u200b", "\x9b2J", "\nsigned in\n"], ids=["bidi", "C1", "a line"])
def test_nothing_hostile_of_an_answer_reaches_a_person(stage: Stage, hostile: str) -> None:
    home, sts, forks = stage
    home.config(_ADMIN)
    sts.always(with_text("Arn", f"arn:aws:iam::123456789012:user/{hostile}"), "GetCallerIdentity")
    ran = forks.run("setup", "admin", "--yes", environ=home.environ)
    assert "\nprofile 'admin' works: arn:aws:iam::123456789012:user/" in ran.stdout
    assert not _strange(ran.stdout)
    assert "\nsigned in" not in ran.stdout
    sts.heal()
    forks.run("clear", "--all", environ=home.environ)
    home.config(_ADMIN)
    for fault in (fail(403, f"Code{hostile}", f"Message {hostile}"), fail(400, "ValidationError", hostile)):
        sts.always(fault, "AssumeRole")
        ran = forks.run("--profile", "admin", environ=home.environ)
        assert ran.stderr.count("\n") <= 2
        assert not _strange(ran.stderr)
    sts.heal()


def test_nothing_hostile_of_a_program_reaches_a_person(stage: Stage, tmp_path: Path) -> None:
    home, _, forks = stage
    program = tmp_path / "other"
    program.write_text("#!/bin/sh\nprintf 'a\\033[2J\\n\\302\\233b\\342\\200\\256' >&2; exit 3\n")
    program.chmod(0o755)
    home.config(f"[profile admin]\ncredential_process = {program}\n")
    ran = forks.run("--profile", "admin", environ=home.environ)
    assert "status 3: a\\x1b[2J \\x9bb\\u202e\n" in ran.stderr
    assert not _strange(ran.stderr)


def test_nothing_hostile_reaches_the_terminal(tmp_path: Path) -> None:
    with world(tmp_path / "home") as w:
        text = (w.home.path / ".aws" / "config").read_text()
        w.home.config(text.replace("[profile admin]\n", "[profile admin]\n# \x1b[2J\u202e\x9b\n"))
        job = w.start("setup", "admin")
        seen = w.terminal.expect("write this?")
        assert " # \\x1b[2J\\u202e\\x9b\r\r\n" in seen
        w.terminal.send("n\n")
        assert job.wait() == 3
        name = "admin\x1b[2J\u202e"
        w.home.config(text.replace("profile admin", f'profile "{name}"'))
        job = w.start("--profile", name)
        w.terminal.expect(PROMPT)
        w.terminal.send("\x03")
        job.wait()
        w.terminal.drain()
        transcript = w.terminal.transcript.decode()
        assert "\\x1b[2J\\u202e" in transcript
        assert not [c for c in _strange(transcript) if c != "\r"]
