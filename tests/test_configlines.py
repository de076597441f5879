"""The line editor: what an edit is not about stays byte for byte, and what it is about is what is read then."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from credproc.config.grammar import LINE_END
from credproc.config.lines import ConfigLines, line_numbers, with_setting, without_settings
from credproc.config.parser import parse
from credproc.config.shared_config import Section
from credproc.errors import ConfigError
from tests.configtexts import texts, unhurried

# One edit, word for word


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("", "[profile u]\nk = v\n"),
        ("\ufeff", "\ufeff[profile u]\nk = v\n"),
        ("\ufeff[profile u]\r\na=b", "\ufeff[profile u]\r\nk = v\r\na=b"),
        ("[profile u]", "[profile u]\nk = v"),
        ("[profile u]\nk = old\n  more\n[x]\n", "[profile u]\nk = v\n[x]\n"),
        ("[profile u]\nk = old\n\n  # said\n  more\n[x]\n", "[profile u]\nk = v\n\n  # said\n[x]\n"),
        ("[profile u]\nK=1 ; c\na=b\nk=2", "[profile u]\nk = v\na=b\n"),
        ("[profile 'u']\n[profile u]\n", "[profile 'u']\n[profile u]\nk = v\n"),
        ("[profile x]\nk = 1", "[profile x]\nk = 1\n\n[profile u]\nk = v\n"),
        ("[u]\nk = 1\n", "[u]\nk = 1\n\n[profile u]\nk = v\n"),
        ("[sso-session u]\r\nk = 1\r\n", "[sso-session u]\r\nk = 1\r\n\r\n[profile u]\r\nk = v\r\n"),
    ],
)
def test_a_setting_is_put_into_a_profile(text: str, changed: str) -> None:
    assert with_setting(text, "u", "k", "v") == changed
    assert with_setting(changed, "u", "k", "v") == changed
    other = with_setting(changed, "u", "k", "w")
    assert without_settings(other, "u", {"k": "v"}) == other
    assert without_settings(other, "u", {"k": "w"}) == without_settings(changed, "u", {"k": "v"})


def test_only_the_lines_that_hold_the_value_are_taken_out_and_the_first_may_be_replaced() -> None:
    text = "[u]\nk = 1 ; mine\r\nk = 2\nk = 1\n  more\nK=1\n"
    assert without_settings(text, "u", {"k": "1"}, of_credentials=True) == "[u]\nk = 2\nk = 1\n  more\n"
    assert without_settings(text, "u", {"k": "1\nmore"}, of_credentials=True) == text.replace("k = 1\n  more\n", "")
    edited = without_settings(text, "u", {"k": "1"}, of_credentials=True, instead="k = 3")
    assert edited == "[u]\nk = 3\r\nk = 2\nk = 1\n  more\n"
    assert without_settings(text, "u", {"k": "0"}, of_credentials=True, instead="k = 3") == text


def test_the_default_profile_has_two_headers_of_which_one_counts() -> None:
    both = "[default]\na = 1\n[profile default]\nb = 2\n"
    assert with_setting(both, "default", "k", "v") == both.replace("b = 2", "k = v\nb = 2")
    assert line_numbers(both, "default", {"a", "b"}) == [4]
    assert with_setting("", "default", "k", "v") == "[default]\nk = v\n"


def test_in_the_credentials_file_the_header_is_the_name() -> None:
    text = "[profile default]\nk = 1\n[u]\nk = 2\n"
    assert line_numbers(text, "u", {"k"}, of_credentials=True) == [4]
    assert line_numbers(text, "default", {"k"}, of_credentials=True) == []
    assert without_settings(text, "u", {"k": "2"}, of_credentials=True) == "[profile default]\nk = 1\n[u]\n"


def test_a_setting_may_stand_in_the_place_of_another() -> None:
    text = "[profile u]\na = 1\nold = 2\nb = 3\n"
    assert with_setting(text, "u", "k", "v", replaced_key="old") == "[profile u]\na = 1\nk = v\nb = 3\n"
    assert with_setting(text + "k = 4\n", "u", "k", "v", replaced_key="old") == text + "k = v\n"


@pytest.mark.parametrize("name", ["", " ", "a]b", "a\nb", "a\x1bb"])
def test_what_no_header_can_hold_makes_no_profile(name: str) -> None:
    with pytest.raises(ConfigError, match="not a valid profile name"):
        with_setting("", name, "k", "v")


@pytest.mark.parametrize("name", ["a b", "it's", "a'b\"c", "#a", "käse"])
def test_a_profile_that_is_made_is_read_by_its_name(name: str) -> None:
    assert parse(with_setting("", name, "k", "v"), "").profiles[name]["k"].value == "v"


# Any text

_KEYS = st.sampled_from(["region", "output", "role_arn", "credproc_access_key_id", "s3"])


def _values(text: str, profile: str) -> dict[str, dict[str, str]]:
    """Return all settings of all sections that are read, but for those of the profile."""
    config = parse(text.removeprefix("\ufeff"), "")
    kinds = {"profile": config.profiles, "sso-session": config.sso_sessions, "services": config.services}
    return {
        f"{kind} {name}": {key: setting.value for key, setting in section.items()}
        for kind, sections in kinds.items()
        for name, section in sections.items()
        if (kind, name) != ("profile", profile)
    }


def _of(text: str, profile: str) -> dict[str, str]:
    section = parse(text.removeprefix("\ufeff"), "").profiles.get(profile, Section(profile, ""))
    return {key: setting.value for key, setting in section.items()}


@unhurried
@given(texts(), st.sampled_from(["admin", "default", "other", "a new one"]))
def test_no_edit_is_no_change(text: str, profile: str) -> None:
    assert ConfigLines(text).with_lines({}) == text
    assert without_settings(text, profile, {}) == text
    assert without_settings(text, profile, {"no_such_key": ""}) == text
    assert without_settings(text, profile, dict.fromkeys(_of(text, profile), "no such value")) == text


@unhurried
@given(texts(), st.sampled_from(["admin", "default", "other", "a new one"]), _KEYS)
def test_a_setting_that_is_put_in_is_read_and_nothing_else_changes(text: str, profile: str, key: str) -> None:
    edited = with_setting(text, profile, key, "new")
    assert _of(edited, profile) == {**_of(text, profile), key: "new"}
    assert _values(edited, profile) == _values(text, profile)
    assert _is_within(_without(text, profile, {key}), edited)


@unhurried
@given(texts(), st.sampled_from(["admin", "default", "other"]), st.sets(_KEYS))
def test_settings_that_are_taken_out_are_gone_and_nothing_else_changes(text: str, profile: str, keys: set[str]) -> None:
    edited = _without(text, profile, keys)
    assert _of(edited, profile) == {key: value for key, value in _of(text, profile).items() if key not in keys}
    assert _values(edited, profile) == _values(text, profile)
    assert _is_within(edited, text)


@unhurried
@given(texts(), _KEYS)
def test_a_setting_goes_in_and_out_again(text: str, key: str) -> None:
    assume(key not in _of(text, "admin"))
    assume(text.endswith(("\n", "\r")))  # else the header's line may have got an end
    assert without_settings(with_setting(text, "admin", key, "new"), "admin", {key: "new"}) == text


def _without(text: str, profile: str, keys: set[str]) -> str:
    """Return the text without any setting of these keys: the value that is read is taken out until there is none."""
    while taken := {key: value for key, value in _of(text, profile).items() if key in keys}:
        before, text = text, without_settings(text, profile, taken)
        assert text != before
    return text


def _is_within(few: str, many: str) -> bool:
    """Whether one is the other without some lines: each line that holds something stands there, each byte in its order.

    Blank lines and ends are compared as bytes alone: a CR and a LF that come to stand together are one end.
    """
    rest, lines = iter(many), iter(LINE_END.split(many))
    return all(any(byte == other for other in rest) for byte in few) and all(
        any(line == other for other in lines) for line in LINE_END.split(few) if line
    )
