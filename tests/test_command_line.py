"""A command in a setting is split as botocore splits it, on every system."""

import sys
from pathlib import Path

import pytest
from botocore.compat import compat_shell_split
from hypothesis import given
from hypothesis import strategies as st

from credproc.config.grammar import split_command
from credproc.process.command_line import (
    BatchArgumentError,
    executable_at,
    programs_in_path,
    shell_hint,
    start_arguments,
)
from tests.posix import WINDOWS

BATCH = ("C:\\Windows\\System32\\cmd.exe", 'cmd.exe /e:on /v:off /d /c ""C:\\a b\\tool.cmd"')


def _as_botocore(command: str, platform: str) -> list[str] | None:
    try:
        words: list[str] = compat_shell_split(command, platform)
    except ValueError:
        return None
    return words


def _ours(command: str, platform: str) -> list[str] | None:
    try:
        return split_command(command, platform)
    except ValueError:
        return None


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@given(command=st.text(st.sampled_from("ab \t\\\"'/é-"), max_size=14))
def test_words_are_botocores(platform: str, command: str) -> None:
    assert _ours(command, platform) == _as_botocore(command, platform)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (r'"C:\Program Files\x.exe" --a "b c"', ["C:\\Program Files\\x.exe", "--a", "b c"]),
        (r'a\\"b c" "" d\"e', ["a\\b c", "", 'd"e']),
        ("", []),
        ("  \t", []),
    ],
)
def test_windows_words_are_those_of_its_own_rules(command: str, words: list[str]) -> None:
    assert split_command(command, "win32") == words


def test_a_quotation_without_end_is_an_error() -> None:
    for platform in ("linux", "win32"):
        with pytest.raises(ValueError, match="No closing quotation"):
            split_command('a "b', platform)


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("/bin/echo x | jq .", "|"),
        ("/bin/a || /bin/b", "||"),
        ("cd /opt && ./run", "&&"),
        ("/bin/a; /bin/b", ";"),
        ("/bin/a 2>/dev/null", "2>"),
        ("/bin/a > /tmp/x", ">"),
        ("/bin/a &", "&"),
        ("/bin/a `id -u`", "`"),
        ("/bin/a $(id -u)", "$("),
        ("AWS_PROFILE=secret /bin/a", "AWS_PROFILE="),
        ("~/bin/a --x", "~"),
        ("/bin/a ~", "~"),
        ("$HOME/bin/a", "$HOME"),
        ("/bin/a --x=${HOME}/y", "${HOME}"),
        ('"$HOME/bin/a" --x', "$HOME"),
    ],
)
def test_what_only_a_shell_would_follow_is_named(command: str, named: str) -> None:
    hint = shell_hint(command, "linux")
    assert hint is not None
    assert f" {named} " in hint
    assert "secret" not in hint


@pytest.mark.parametrize(
    "command",
    [
        "/bin/a --url https://x.example/?a=1&b=2 --name=a~b --x y=z",
        "/bin/sh -c '~/a | b && c > $HOME; d'",
        '/bin/sh -c "a | b && c"',
        r"/bin/a \; \| \$HOME",
        "/bin/a '$HOME' $5 ~user",
        "",
    ],
)
def test_what_no_shell_is_needed_for_is_not(command: str) -> None:
    assert shell_hint(command, "linux") is None


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("C:\\a.exe x | more", "|"),
        ("C:\\a.exe && b", "&&"),
        ("C:\\a.exe 2>nul", "2>"),
        ("C:\\a.exe ^& b", "^"),
        ("%USERPROFILE%\\a.exe", "%USERPROFILE%"),
        ('"%ProgramFiles%\\a.exe" --x', "%ProgramFiles%"),
    ],
)
def test_what_only_cmd_would_follow_is_named(command: str, named: str) -> None:
    hint = shell_hint(command, "win32")
    assert hint is not None
    assert f" {named} " in hint


@pytest.mark.parametrize(
    "command",
    ["C:\\a.exe --url https://x.example/?a=1&b=%20 --x y=z;", 'C:\\a.exe "x | y && z"', "~\\a.exe $HOME 'a'", ""],
)
def test_what_cmd_is_not_needed_for_is_not(command: str) -> None:
    assert shell_hint(command, "win32") is None


def test_a_program_may_lack_the_extension_on_windows(tmp_path: Path) -> None:
    for name in ("tool", "tool.cmd", "tool.exe", "a.b.exe", "notes.txt"):
        (tmp_path / name).touch(mode=0o644)

    def found(name: str, **environ: str) -> str | None:
        path = executable_at(str(tmp_path / name), environ, "win32")
        return None if path is None else Path(path).name

    assert found("tool") == "tool.exe"
    assert found("tool", PATHEXT=".CMD;.EXE") == "tool.cmd"
    assert (found("tool.cmd"), found("a.b"), found("a.b.exe")) == ("tool.cmd", "a.b.exe", "a.b.exe")
    assert (found("notes.txt"), found("nosuch")) == (None, None)
    assert WINDOWS or executable_at(str(tmp_path / "tool"), {}, "linux") is None  # no mode for it


def test_a_program_in_the_working_directory_hides_none_in_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suffix = ".exe" if sys.platform == "win32" else ""
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        (tmp_path / place / f"tool{suffix}").touch(mode=0o755)
    monkeypatch.chdir(tmp_path / "here")
    assert list(programs_in_path("tool", {"PATH": str(tmp_path / "there")})) == [
        str(tmp_path / "there" / f"tool{suffix}")
    ]


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("a-b/c\\d:e", "a-b/c\\d:e"),
        ("", '""'),
        ("a&b", '"a&b"'),
        ("a b", '"a b"'),
        ("x=1,2;3", '"x=1,2;3"'),
        ("(a^b|c<d>e!)", '"(a^b|c<d>e!)"'),
        ('say "hi"', '"say ""hi"""'),
        ('a\\"&b', '"a\\\\""&b"'),
        ("a\\b\\\\", '"a\\b\\\\\\\\"'),
        ("é", '"é"'),
    ],
)
def test_an_argument_of_a_batch_file_stays_one_and_is_not_run(word: str, quoted: str) -> None:
    environ = {"SYSTEMROOT": "C:\\Windows"}
    program, arguments = start_arguments("C:\\a b\\tool.cmd", ["tool", "x", word], environ, "win32")
    assert (program, arguments) == (BATCH[0], f'{BATCH[1]} x {quoted}"')


@pytest.mark.parametrize("program", ["C:\\x.BAT", "C:\\x.cmd. ", "C:\\x.cmd"])
@pytest.mark.parametrize(
    ("word", "named"), [("a\nb", "line end"), ("a\rb", "line end"), ("a\0b", "line end"), ("%PATH%", "%"), ("7%", "%")]
)
def test_what_cmd_cannot_be_given_is_refused(program: str, word: str, named: str) -> None:
    with pytest.raises(BatchArgumentError, match=f"an argument .* contains a {named}"):
        start_arguments(program, ["x", word], {}, "win32")


def test_a_path_in_which_cmd_would_expand_something_is_refused() -> None:
    with pytest.raises(BatchArgumentError, match=r"the path .* contains a %"):
        start_arguments("C:\\%PATH%\\x.cmd", ["x"], {}, "win32")
    assert start_arguments("C:\\%PATH%\\x.exe", ["x"], {}, "win32") == ("C:\\%PATH%\\x.exe", ["x"])


def test_what_is_no_batch_file_is_started_as_it_stands() -> None:
    for platform, program in (("win32", "C:\\x.exe"), ("linux", "/opt/x.cmd"), ("win32", "C:\\x.cmd.exe")):
        assert start_arguments(program, ["x", "a&b"], {}, platform) == (program, ["x", "a&b"])
