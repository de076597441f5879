"""That the harness sees what it is for: for each invariant a program that breaks just that one, and one that is right.

The wrong programs start the real one and add their fault, in what a case calls its wrapper.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.faults.command import command_line, survived
from tests.faults.harness import Evidence, Harness
from tests.faults.rows import INVARIANTS, Amount, Case, Kind, NotInjectedError, Row, row, sweep
from tests.faults.table import ROWS
from tests.sts import Sts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.scene import Result, Scene

_NO_ROW = Row("F000", "a program that is wrong", ())
_NO_PATIENCE = Amount()


@pytest.fixture(name="harness", scope="module")
def _harness() -> Iterator[Harness]:
    with Harness() as harness:
        yield harness


def _shell(script: str) -> tuple[str, ...]:
    """Return the wrapper that does this with the program and its arguments, which are "$@"."""
    return ("sh", "-c", script, "sh")


# Asks for the code itself, sends it twice, and prints what looks like a document
_SENDS_TWICE = r"""
import json, os, termios, urllib.error, urllib.parse, urllib.request
tty = os.open("/dev/tty", os.O_RDWR)
old = termios.tcgetattr(tty)
new = termios.tcgetattr(tty)
new[3] &= ~termios.ECHO
termios.tcsetattr(tty, termios.TCSAFLUSH, new)
os.write(tty, b"Enter MFA code for you: ")
code = os.read(tty, 80).decode().strip()
termios.tcsetattr(tty, termios.TCSAFLUSH, old)
os.write(tty, b"\r\n")
form = {"Action": "GetSessionToken", "Version": "2011-06-15", "SerialNumber": "it", "TokenCode": code}
for _ in range(2):
    try:
        urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL_STS"], urllib.parse.urlencode(form).encode())
    except urllib.error.HTTPError:
        pass
print(json.dumps({"Version": 1, "AccessKeyId": "ASIA", "SecretAccessKey": "s", "SessionToken": "t"}))
"""
_CALLS = r"""
import os, subprocess, sys, urllib.error, urllib.request
for _ in range(3):
    try:
        urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL_STS"], b"Action=GetCallerIdentity&Version=2011-06-15")
    except urllib.error.HTTPError:
        pass
sys.exit(subprocess.call(sys.argv[1:]))
"""
_TEMPORARY = f"{0:032}.entry.1-{0:07}"  # that a running process writes, but for a last digit
_THEN = '"$@" && '
_CACHE = "$HOME/.cache/credproc"

# The case's name tells what is wrong
WRONG: dict[str, tuple[Case, ...]] = {
    "I1": (
        Case("half of it", wrapper=_shell('"$@" | head -c 40')),
        Case("nothing, and exit 0", wrapper=_shell('"$@" >/dev/null')),
        Case("no line end", wrapper=_shell('printf %s "$("$@")"')),
        Case("two of it", wrapper=_shell('"$@" && "$@"')),
        Case("words beside it", wrapper=_shell(_THEN + "echo done >&2")),
        Case("another form of time", wrapper=_shell("""\"$@" | sed 's/Z","Acc/+00:00","Acc/'""")),
        Case("a document and exit 1", Kind.CONFIG, says="^x", wrapper=_shell('"$@"; echo x >&2; exit 1')),
    ),
    "I2": (
        Case("another end", wrapper=_shell('"$@" >/dev/null; exit 1')),
        Case("another status", Kind.CONFIG, says="^x", wrapper=_shell("echo x >&2; exit 3")),
        Case("a traceback", Kind.CONFIG, says="^T", wrapper=_shell("echo 'Traceback (most' >&2; exit 1")),
        Case("too late", wrapper=_shell('sleep 3; exec "$@"'), seconds=2),
        Case("a signal", Kind.SIGNAL, signals=(15,), wrapper=_shell("kill -9 $$")),
    ),
    "I3": (
        Case("in the log", wrapper=_shell(_THEN + f'sed -n 2p "{_CACHE}"/*.entry >>"{_CACHE}/credproc.log"')),
        Case("in a file", wrapper=_shell(_THEN + f'cp "{_CACHE}"/*.entry copy')),
        Case("of the user", wrapper=_shell(_THEN + 'cp "$HOME/.aws/credentials" copy')),
        Case("in argv", wrapper=_shell(_THEN + """sh -c 'sleep 0.2; :' "$(tail -1 "$HOME/.aws/credentials")" """)),
        Case("in a variable", wrapper=_shell(_THEN + """X="$(tail -1 "$HOME/.aws/credentials")" sleep 0.2""")),
        Case("on the terminal", mfa=True, wrapper=_shell(_THEN + 'cat "$HOME/.aws/credentials" >/dev/tty')),
        Case(
            "on stderr",
            Kind.CONFIG,
            says="aws",
            wrapper=_shell('cat "$HOME/.aws/credentials" >&2; exit 1'),
        ),
    ),
    "I4": (
        Case("entry for all", wrapper=_shell(_THEN + f'chmod 644 "{_CACHE}"/*.entry')),
        Case("entry cut off", wrapper=_shell(_THEN + f'truncate -s -9 "{_CACHE}"/*.entry')),
        Case(
            "a hundred files",
            wrapper=_shell(_THEN + f'umask 77; for i in $(seq 100); do : >"{_CACHE}/$i.x"; done'),
            again=False,
        ),
        Case("a link", wrapper=_shell(_THEN + f'ln -s /etc/passwd "{_CACHE}/x.lock"'), again=False),
    ),
    "I5": (
        Case("a file more", wrapper=_shell(_THEN + ': >"$HOME/.bashrc"')),
        Case("touched", wrapper=_shell(_THEN + 'touch "$HOME/.aws/config"')),
        Case("another mode", wrapper=_shell(_THEN + 'chmod 644 "$HOME/.aws/credentials"')),
        Case("one file less", wrapper=_shell(_THEN + 'rm "$HOME/.aws/credentials"'), again=False),
    ),
    "I6": (
        Case("no echo", mfa=True, wrapper=_shell(_THEN + "stty -echo </dev/tty")),
        Case("in the middle of a line", mfa=True, wrapper=_shell(_THEN + "printf x >/dev/tty")),
    ),
    "I7": (
        Case("a child", wrapper=_shell(_THEN + "{ sleep 30 >/dev/null 2>&1 & }")),
        Case(
            "a lock",
            # Without the mark, so that it is no child that is left
            wrapper=_shell(_THEN + f'flock "{_CACHE}"/*.lock env -i sleep 6 >/dev/null 2>&1 & sleep 1'),
            again=False,
        ),
        Case(
            "two temporary files",
            wrapper=_shell(_THEN + f'umask 77; : >"{_CACHE}/{_TEMPORARY}a.tmp"; : >"{_CACHE}/{_TEMPORARY}b.tmp"'),
            again=False,
        ),
    ),
    "I8": (
        Case(
            "no profile any more",
            wrapper=_shell(_THEN + ': >"$HOME/.aws/config"'),
            excused={"I5": "what is broken is what comes of it"},
        ),
        Case("a temporary file that stays", wrapper=_shell(_THEN + f'umask 77; : >"{_CACHE}/{_TEMPORARY}a.tmp"')),
        Case("the session thrown away", mfa=True, wrapper=_shell(_THEN + f'rm "{_CACHE}"/*')),
    ),
    "I9": (Case("sent twice", mfa=True, wrapper=(sys.executable, "-I", "-c", _SENDS_TWICE)),),
    "I10": (Case("three calls more", wrapper=(sys.executable, "-I", "-c", _CALLS)),),
    "row": (
        Case("says something else", Kind.CONFIG, says="config:3", wrapper=_shell("echo x >&2; exit 1")),
        Case("logs something else", logs="not kept"),
        Case("is not as it must be", check=lambda _scene, result: _at_least_one(result.prompts)),
    ),
}
RIGHT = (
    Case("as it is"),
    Case("with a prompt", mfa=True),
    Case("started by another", wrapper=_shell('exec "$@"')),
    Case("an error", Kind.PROFILE, arguments=("--profile", "none"), says="no profile named 'none'"),
    Case("usage", Kind.USAGE, arguments=("--none",), says="--none"),
    Case("text", Kind.TEXT, arguments=("--version",)),
)


def _at_least_one(prompts: int) -> None:
    assert prompts, "nobody was asked"


def _broken(evidence: Evidence) -> set[str]:
    return {sentence.partition(",")[0] for sentence in evidence.broken}


def _names(cases: dict[str, tuple[Case, ...]]) -> list[tuple[str, Case]]:
    return [(invariant, case) for invariant, found in cases.items() for case in found]


@pytest.mark.parametrize(
    ("invariant", "case"), _names(WRONG), ids=[f"{name}-{case.name}" for name, case in _names(WRONG)]
)
def test_a_program_that_breaks_one_invariant_is_caught_by_just_that(
    harness: Harness, invariant: str, case: Case
) -> None:
    evidence = harness.case(_NO_ROW, case, _NO_PATIENCE)
    Sts.made.clear()  # a code that came twice is what one of them is for
    assert _broken(evidence) == {invariant}, evidence.broken


def test_every_invariant_has_its_wrong_program() -> None:
    assert WRONG.keys() == INVARIANTS.keys()


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.name)
def test_a_program_that_is_right_is_not_caught(harness: Harness, case: Case) -> None:
    assert harness.case(_NO_ROW, case, _NO_PATIENCE).broken == []


def test_an_excuse_excuses_its_invariant_alone(harness: Harness) -> None:
    both = Case(wrapper=_shell('"$@" >/dev/null; : >"$HOME/.bashrc"; exit 1'))
    assert _broken(harness.case(_NO_ROW, both, _NO_PATIENCE)) == {"I2", "I5"}
    assert _broken(harness.case(_NO_ROW, replace(both, excused={"I5": "here"}), _NO_PATIENCE)) == {"I2"}


def test_a_failure_that_says_nothing_is_none(harness: Harness) -> None:
    silent = Case("silent", Kind.CONFIG, wrapper=_shell("exit 1"))
    (sentence,) = harness.case(_NO_ROW, silent, _NO_PATIENCE).broken
    assert "the case does not say what is said" in sentence


def _fails(*_: object) -> None:
    raise OSError("no such rig")


def test_what_could_not_run_has_not_survived(harness: Harness) -> None:
    (no_rig,) = harness.play(row("F000", "its rig is missing", Case(before=_fails)), _NO_PATIENCE)
    (no_cases,) = harness.play(sweep("F000", "it cannot make its cases", lambda _: 1 / 0), _NO_PATIENCE)  # type: ignore[arg-type,return-value]
    (empty,) = harness.play(row("F000", "it has none"), _NO_PATIENCE)
    (only_deep,) = harness.play(row("F000", "it has none but deep ones", Case(deep=True)), _NO_PATIENCE)
    for evidence in (no_rig, no_cases, empty, only_deep):
        assert all(sentence.startswith("could not run: ") for sentence in evidence.broken)
        assert evidence.broken


def _missing(times: int) -> Case:
    """Return a case whose fault finds no place so many times."""
    left = list(range(times))

    def run(scene: Scene) -> Result:
        if left:
            left.pop()
            raise NotInjectedError("the call did not come")
        return scene.once()

    return Case(run=run)


def test_what_finds_no_place_is_played_three_times(harness: Harness) -> None:
    found = harness.case(_NO_ROW, _missing(2), _NO_PATIENCE)
    assert (found.broken, found.injections) == ([], 1)
    never = harness.case(_NO_ROW, _missing(3), _NO_PATIENCE)
    assert [sentence.partition(" (")[0] for sentence in never.broken] == [
        "could not run: NotInjectedError: the call did not come"
    ]
    by_chance = harness.case(_NO_ROW, replace(_missing(3), by_chance=True), _NO_PATIENCE)
    assert (by_chance.broken, by_chance.injections) == ([], 0)
    assert survived([found, by_chance])
    assert not survived([by_chance]), "a row into which nothing was injected"
    assert not survived([found, never])


def test_no_two_cases_of_a_row_have_one_name() -> None:
    for each in ROWS:
        if isinstance(each.cases, tuple):
            names = [case.name for case in each.cases]
            assert len(set(names)) == len(names), f"{each.id}: {names}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["F012", "F999"], "argument ROW: there is no row 'F999'"),
        (["--part", "7/6"], "argument --part: '7/6' is not K/N, as 1/6 to 6/6 are"),
        (["--part", "x"], "argument --part: 'x' is not K/N, as 1/6 to 6/6 are"),
        (["--jobs", "0"], "argument --jobs: '0' is no number from 1"),
    ],
)
def test_what_cannot_be_played_is_said_before_anything_is(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line().parse_args(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"build/faults: error: {said}\n")


def test_a_row_is_found_by_any_of_its_numbers() -> None:
    assert command_line().parse_args(["F087", "F090", "F072a"]).rows == ["F087-F093", "F087-F093", "F072a"]
