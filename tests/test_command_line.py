"""A command in a setting is split as botocore splits it, on every system."""

import pytest
from botocore.compat import compat_shell_split
from hypothesis import given
from hypothesis import strategies as st

from credproc.process.command_line import shell_hint, split


def _as_botocore(command: str, platform: str) -> list[str] | None:
    try:
        words: list[str] = compat_shell_split(command, platform)
    except ValueError:
        return None
    return words


def _ours(command: str, platform: str) -> list[str] | None:
    try:
        return split(command, platform)
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
    assert split(command, "win32") == words


def test_a_quotation_without_end_is_an_error() -> None:
    for platform in ("linux", "win32"):
        with pytest.raises(ValueError, match="No closing quotation"):
            split('a "b', platform)


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
    hint = shell_hint(command)
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
    assert shell_hint(command) is None
