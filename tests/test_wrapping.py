"""What a person reads is what the terminal can show, and broken at words to its width, and only there."""

import os
import sys
from pathlib import Path

import pytest

from credproc.errors import for_shell, inert, quoted
from credproc.glyphs import Whole, cut, paragraphs, shows_unicode, terminal_columns, width, wrapped
from tests.program import PROGRAM, Home

if sys.platform != "win32":
    from tests.terminal import Terminal, column_after

LINE = "  1. take the keys AKIAIOSFODNN7EXAMPLE of profile 'user1'"


@pytest.mark.parametrize("width", [None, 39, len(LINE), 1000])
def test_a_line_stays_whole_without_a_terminal_in_a_narrow_one_and_where_it_fits(width: int | None) -> None:
    assert wrapped(LINE, width, 5) == [LINE]


def test_a_line_that_is_too_long_by_one_is_broken_at_a_word_with_the_rest_below() -> None:
    first, rest = "  1. take the keys AKIAIOSFODNN7EXAMPLE of profile", "     'user1'"
    assert wrapped(LINE, len(LINE) - 1, 5) == [first, rest]


def test_a_word_is_never_broken() -> None:
    arn = "arn:aws:iam::123456789012:role/a-role-of-a-long-name"
    assert wrapped(f"assume {arn}", 40, 2) == ["assume", f"  {arn}"]


def test_what_is_measured_is_what_is_shown() -> None:
    assert wrapped("\x1b" * 12, 40, 2) == ["\\x1b" * 12]
    assert wrapped("a\nb \x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b c", 40, 2) == ["a b " + "\\x1b" * 9, "  c"]


def test_what_is_no_terminal_has_no_width() -> None:
    reader, writer = os.pipe()
    try:
        assert terminal_columns(writer) is None
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize(
    "pasted",
    [
        "credproc keys add 'my user'",
        "credproc setup jane.doe --separate",
        "credproc login --profile platform-production-eu-readonly",
        "credproc --profile NAME",
        "credproc exec NAME -- COMMAND ...",
        "credproc completion powershell | Out-String | Invoke-Expression",
        'eval "$(credproc completion bash)"',
        "aws sso login --sso-session corp",
        "aws configure sso",
        "chmod go-w '~/My Files/config'",
        "export AWS_PROFILE='my user'",
        "set -gx AWS_PROFILE jane",
        "$Env:AWS_PROFILE = 'jane'",
        "credproc_session_store = kernel",
        "credential_process = /usr/local/bin/credproc --profile",
        "~/.aws/config-of-a-long-name:12",
        "'a name in quotes'",
    ],
)
def test_what_is_pasted_is_never_broken(pasted: str) -> None:
    for columns in range(len(pasted) + 2, 81):
        for before in range(60):
            line = f"credproc: hint: {'x' * before} run {pasted} in a terminal"
            lines = wrapped(line, columns, 2)
            assert sum(pasted in one for one in lines) == 1
            assert " ".join(one.strip() for one in lines) == line


def test_a_prompt_is_broken_before_its_brackets_and_leaves_room_for_the_cursor() -> None:
    prompt = "Enter MFA code for a-device (profile admin, for make): "
    assert wrapped(prompt, len(prompt) + 1, 2) == [prompt]
    for columns in (len(prompt), 40):
        assert wrapped(prompt, columns, 2) == ["Enter MFA code for a-device", "  (profile admin, for make): "]
    name = "x" * 26
    assert wrapped(f"Enter MFA code (profile {name}, for {name}): ", 40, 2) == [
        "Enter MFA code (profile",
        f"  {name}, for",
        f"  {name}): ",
    ]


def test_how_a_question_is_answered_stays_behind_its_last_word() -> None:
    question = "write credproc_session_store = kernel into profiles 'jane.doe' and 'a b'? [y/N] "
    assert wrapped(question, 80, 2) == [question[: question.index("'a b'") - 1], "  'a b'? [y/N] "]


def test_a_command_that_is_wider_than_the_terminal_is_left_to_it() -> None:
    command = f"credproc login --profile {'x' * 80}"
    assert wrapped(f"run {command} in a terminal", 60, 2) == ["run", f"  {command}", "  in a terminal"]


def test_a_long_quotation_is_broken_and_an_apostrophe_opens_none() -> None:
    quotation = "'" + "no way " * 12 + "'"
    assert max(map(len, wrapped(f"it says {quotation}", 50, 2))) <= 50
    assert wrapped("AWS's SDK for Rust waits for 22 s, the caller's for less", 42, 2) == [
        "AWS's SDK for Rust waits for 22 s, the",
        "  caller's for less",
    ]


def test_broken_lines_are_not_broken_again_and_whole_ones_never() -> None:
    lines = wrapped(f"  ok    {LINE}", 40, 6)
    assert [part for line in lines for part in wrapped(line, 40, 2)] == lines
    assert wrapped(Whole(LINE), 40, 2) == [LINE]
    assert paragraphs([LINE * 9], -1) == [LINE * 9]


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "C", "LC_CTYPE": "ja_JP.utf8"}, True),
        ({"LANG": "C", "LC_ALL": "en_US.UTF-8@euro"}, True),
        ({"LC_CTYPE": "UTF-8"}, True),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "de_DE.UTF-8", "LC_CTYPE": "de_DE.ISO-8859-1"}, False),
        ({"LANG": "de_DE"}, False),
        ({"LANG": "POSIX"}, False),
        ({}, False),
    ],
    ids=str,
)
@pytest.mark.posix("locales")
def test_the_locale_says_what_the_terminal_shows(environ: dict[str, str], shown: bool) -> None:  # noqa: FBT001 - a case
    assert shows_unicode(environ) is shown


JOINED = "\u0939\u093f\u0928\u094d\u0926\u0940"  # Hindi, in Devanagari, with a virama


@pytest.mark.posix("locales")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("jos\u00e9", "jos\u00e9"),
        ("\u65e5\u672c", "\u65e5\u672c"),
        (JOINED, JOINED),
        ("\u0e17\u0e35\u0e48", "\u0e17\u0e35\u0e48"),  # Thai, a letter with two marks
        ("jose\u0301", "jose\\u0301"),  # which would look like another name
        ("a\u094d", "a\\u094d"),
        ("\u0e01" + "\u0e47" * 5, "\u0e01" + "\u0e47" * 3 + "\\u0e47" * 2),
        ("\u1780\u17b4", "\u1780\\u17b4"),  # a vowel that nobody sees
        ("\u65e5\ufe00", "\u65e5\\ufe00"),
        ("\u05d0\u202e", "\u05d0\\u202e"),
    ],
    ids=ascii,
)
def test_a_name_is_shown_as_it_is_where_the_locale_is_utf_8(
    monkeypatch: pytest.MonkeyPatch, name: str, shown: str
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert inert(name) == shown
    assert quoted(name).strip("'").replace("\\\\", "\\") == shown
    assert width(inert("\u65e5a\u0e35")) == 3 + len("\\u0e35")
    monkeypatch.setenv("LC_ALL", "C")
    assert inert(name) == name.encode("ascii", "backslashreplace").decode()
    assert quoted(name) == ascii(name)


def test_wide_characters_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert width("\u65e5\u672ca") == 5
    assert cut("\u65e5\u672c\u8a9e", 5, "\u2026") == "\u65e5\u672c\u2026"
    if sys.platform != "win32":
        assert wrapped(("\u65e5\u672c " * 9).strip(), 40, 2) == [("\u65e5\u672c " * 8).strip(), "  \u65e5\u672c"]


_ROLE = "[profile {}]\nrole_arn = arn:aws:iam::123456789012:role/readonly\nsource_profile = {}\n"
CONFIG = (
    _ROLE.format("jos\u00e9", "nobody-has-called-a-profile-like-this-before-jos\u00e9")
    + _ROLE.format("\u65e5\u672c", "keys")
    + _ROLE.format("with-keys", "keys")
    + f"[profile keys]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {'k' * 40}\n"
)


@pytest.mark.posix("a terminal")
@pytest.mark.parametrize("arguments", [["--profile", "jos\u00e9"], ["explain", "jos\u00e9"]], ids=["SDK", "command"])
def test_an_error_is_broken_on_a_terminal_alone(tmp_path: Path, arguments: list[str]) -> None:
    home = Home(tmp_path / "home")
    home.config(CONFIG)
    with Terminal(columns=80) as terminal:
        assert terminal.start([PROGRAM, *arguments], home.environ).wait() == 1
        terminal.drain()
        lines = terminal.transcript.decode().replace("\r", "").splitlines()
    ran = home.run(*arguments)
    assert "'nobody-has-called-a-profile-like-this-before-jos\u00e9'" in ran.stderr
    assert ran.stderr.count("\n") == 2
    assert len(lines) > 2
    assert all(column_after(line, 1000) <= 80 for line in lines)
    assert " ".join(line.strip() for line in lines).split() == ran.stderr.split()
    assert (
        "'nobody-has-called-a-profile-like-this-before-jos\\xe9'"
        in home.run(*arguments, environ={"LC_ALL": "C"}).stderr
    )


@pytest.mark.posix("locales")
@pytest.mark.parametrize(("locale", "name"), [("C.UTF-8", "jos\u00e9"), ("C", "jos\\xe9")])
def test_a_table_aligns_wide_and_escaped_names(tmp_path: Path, locale: str, name: str) -> None:
    home = Home(tmp_path / "home", LC_ALL=locale)
    home.config(CONFIG)
    lines = home.run("list").stdout.splitlines()
    assert lines[1].startswith(name)
    assert sum("123456789012" in line for line in lines) == 2
    assert len({width(line[: line.index("123456789012")]) for line in lines if "123456789012" in line}) == 1


def test_a_name_in_a_hint_can_be_pasted() -> None:
    assert for_shell("jos\u00e9", "linux") == "'jos\u00e9'"
