"""credproc export: each shell reads back what was meant, whatever the values are."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credproc.commands.export import bash, cmd, dotenv, fish, powershell
from credproc.errors import CredprocError
from tests.program import PROGRAM, ROLE, Home, role_home
from tests.sts import Sts, Trust
from tests.terminal import Terminal, unbroken

NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60)
VALUES = st.fixed_dictionaries(dict.fromkeys(NAMES, PRINTABLE))


@pytest.fixture(name="home_of_admin")
def _home_of_admin(tmp_path: Path) -> Iterator[Home]:
    with Sts() as sts:
        user = sts.user("user1")
        sts.role(ROLE, Trust((user.arn,)))
        yield role_home(tmp_path / "home", sts, user)


def _read_back(command: list[str], script: str, environ: dict[str, str] | None = None) -> dict[str, str]:
    """Return the environment that a program has behind the script."""
    assert shutil.which(command[0]) is not None, f"build/test installs {command[0]}"
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **(environ or {})}
    # On stdin: other users can see a command line, and the canary scan looks there
    ran = subprocess.run(command, input=f"{script}env -0\n".encode(), env=environ, capture_output=True, check=True)
    pairs = (pair.partition("=") for pair in ran.stdout.decode().split("\0") if pair)
    return {name: value for name, _, value in pairs if name.startswith("AWS_")}


@pytest.mark.posix("bash")
@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_bash_reads_back_any_value(values: dict[str, str | None]) -> None:
    assert _read_back(["bash", "--norc"], bash(values)) == values
    assert _read_back(["sh"], bash(values)) == values


@pytest.mark.posix("fish")
@settings(max_examples=30, deadline=None)
@given(VALUES)
def test_fish_reads_back_any_value(values: dict[str, str | None]) -> None:
    assert _read_back(["fish", "--no-config"], fish(values)) == values


@pytest.mark.posix("bash and fish")
@pytest.mark.parametrize(("command", "form"), [(["bash", "--norc"], bash), (["fish", "--no-config"], fish)])
def test_what_must_not_be_set_is_removed(command: list[str], form: object) -> None:
    assert callable(form)
    script = form({"AWS_PROFILE": None, "AWS_SESSION_TOKEN": None, "AWS_REGION": "x"})
    assert _read_back(command, script, {"AWS_PROFILE": "p"}) == {"AWS_REGION": "x"}


@given(VALUES)
def test_powershell_reads_back_any_value_by_its_rule(values: dict[str, str | None]) -> None:
    lines = powershell(values).splitlines()
    assert len(lines) == len(values)
    for line, (name, value) in zip(lines, values.items(), strict=True):
        assert value is not None
        start = f"$Env:{name} = '"
        assert line.startswith(start)
        assert line.endswith("'")
        inside = line[len(start) : -1]
        assert "'" not in inside.replace("''", "")  # nothing ends the string before its end
        assert inside.replace("''", "'") == value


def test_powershell_has_more_quotes_than_one_and_removes_by_null() -> None:
    assert powershell({"A": "\u2018;\u2019'\u201a\u201b", "B": None}) == (
        "$Env:A = '\u2018\u2018;\u2019\u2019''\u201a\u201a\u201b\u201b'\n$Env:B = $null\n"
    )


def test_cmd_sets_between_quotes_that_are_not_part_of_the_value() -> None:
    assert cmd({"A": "a&b|c>d^e", "B": None}) == 'set "A=a&b|c>d^e"\r\nset "B="\r\n'


@pytest.mark.parametrize("value", ['a"b', "a%b", "a!b", "a\nb", "a\rb"])
def test_cmd_refuses_what_it_cannot_quote(value: str) -> None:
    with pytest.raises(CredprocError) as caught:
        cmd({"AWS_SESSION_TOKEN": value})
    assert str(caught.value).startswith("export: AWS_SESSION_TOKEN ")
    assert "powershell" in str(caught.value.hint)


def test_dotenv_has_no_quotes_where_none_are_needed_and_cannot_remove() -> None:
    assert dotenv({"A": "ASIA/x+y==", "B": None, "C": "a#b$c"}) == "A=ASIA/x+y==\nC='a#b$c'\n"


@pytest.mark.parametrize("value", ["a'b", "a\\b", "a\nb"])
def test_dotenv_refuses_what_its_readers_read_differently(value: str) -> None:
    with pytest.raises(CredprocError, match=r"^export: A .*\.env"):
        dotenv({"A": value})


@pytest.mark.posix("bash and fish")
@pytest.mark.hands_out
def test_all_forms_say_the_same(home_of_admin: Home) -> None:
    def said(form: str) -> str:
        ran = home_of_admin.run("export", "admin", "--format", form)
        assert (ran.status, ran.stderr) == (0, "")
        return ran.stdout

    document = home_of_admin.run("--profile", "admin").stdout
    assert said("json") == document
    fields = json.loads(document)
    wanted = {
        "AWS_ACCESS_KEY_ID": fields["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": fields["SecretAccessKey"],
        "AWS_SESSION_TOKEN": fields["SessionToken"],
        "AWS_CREDENTIAL_EXPIRATION": fields["Expiration"],
        "AWS_ACCOUNT_ID": "123456789012",
        "AWS_REGION": "us-west-2",
        "AWS_DEFAULT_REGION": "us-west-2",
    }
    before = {"AWS_PROFILE": "other", "AWS_SECURITY_TOKEN": "old"}
    assert _read_back(["bash", "--norc"], said("bash"), before) == wanted
    assert _read_back(["fish", "--no-config"], said("fish"), before) == wanted
    assert dict(line.split("=", 1) for line in said("dotenv").splitlines()) == wanted
    removed = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"]
    assert said("powershell").splitlines() == [
        *(f"$Env:{name} = '{value}'" for name, value in wanted.items()),
        *(f"$Env:{name} = $null" for name in removed),
    ]
    assert said("cmd").splitlines() == [
        *(f'set "{name}={value}"' for name, value in wanted.items()),
        *(f'set "{name}="' for name in removed),
    ]


@pytest.mark.posix("bash")
@pytest.mark.hands_out
def test_variables_by_which_an_sdk_finds_another_identity_are_unset_where_there_are_some(home_of_admin: Home) -> None:
    others = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_BEARER_TOKEN_BEDROCK": "x", "AWS_SECRET_KEY": "y"}
    ran = home_of_admin.run("export", "admin", "--format", "bash", environ={**others, "KEPT": "1"})
    found = _read_back(["bash", "--norc"], ran.stdout, others)
    assert "AWS_SECRET_ACCESS_KEY" in found
    assert not set(others) & set(found)
    assert "KEPT" not in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["admin"], "the following arguments are required: --format"),
        (["", "--format", "bash"], "argument NAME: needs a name"),
        (["admin", "--format", "tcsh"], "argument --format: invalid choice: 'tcsh'\n"),
    ],
)
def test_a_line_that_is_not_understood_prints_nothing(home_of_admin: Home, arguments: list[str], said: str) -> None:
    ran = home_of_admin.run("export", *arguments)
    assert (ran.status, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"credproc: error: usage: {said}")


def test_a_failure_prints_nothing_that_a_shell_would_run(home_of_admin: Home) -> None:
    ran = home_of_admin.run("export", "nobody", "--format", "bash")
    assert (ran.status, ran.stdout) == (1, "")


@pytest.mark.hands_out
def test_on_a_terminal_a_line_behind_it_says_what_was_shown(home_of_admin: Home) -> None:
    with Terminal() as terminal:
        job = terminal.start([PROGRAM, "export", "admin", "--format", "dotenv"], home_of_admin.environ)
        assert job.wait(60) == 0
        terminal.drain()
        last = unbroken(terminal.transcript.decode()).splitlines()[-1]
    assert last.startswith("credproc: shown are secrets, the credentials of profile 'admin' until ")
    ran = home_of_admin.run("export", "admin", "--format", "dotenv")
    assert (ran.status, ran.stderr) == (0, "")
