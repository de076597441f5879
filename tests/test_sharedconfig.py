"""The two AWS files beyond the SDKs' cases: where each setting stands, and files that nobody would expect."""

import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credproc.config.parser import parse, read
from credproc.config.shared_config import Section, SharedConfig
from credproc.errors import ConfigError
from credproc.plan import plan_for
from credproc.request import Request
from tests.posix import native

LIMIT = 8 * 1024 * 1024
VARIABLES = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]

_NAMES = st.from_regex(r"[A-Za-z0-9_\-/.%@:+]{1,12}", fullmatch=True)
_KEYS = st.from_regex(r"[a-z0-9_\-/.%@:+]{1,12}", fullmatch=True)
# Any text on one line, without what begins a comment, and not blank at its ends
_VALUES = (
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
    .map(str.strip)
    .filter(lambda text: not text.startswith(("#", ";")) and not any(mark in text for mark in (" #", " ;")))
)
_BLANKS = st.text(" \t", max_size=2)
_BETWEEN = st.lists(st.sampled_from(["", "  ", "# x = y", "; [profile z]", "\t# indented", "  ; indented"]), max_size=2)
_SECTIONS = st.dictionaries(
    _NAMES.filter(lambda name: name != "default"), st.dictionaries(_KEYS, _VALUES, max_size=4), max_size=4
)


@given(_SECTIONS, st.sampled_from(["\n", "\r\n", "\r"]), st.data())
@settings(max_examples=100, deadline=None)
def test_sections_that_are_written_are_read_back_with_their_lines(
    sections: dict[str, dict[str, str]], line_end: str, data: st.DataObject
) -> None:
    lines: list[str] = []
    where = {}
    for name, pairs in sections.items():
        lines += data.draw(_BETWEEN)
        lines.append(f"[profile {name}]{data.draw(_BLANKS)}")
        where[name] = {"": f"config:{len(lines)}"}
        for key, value in pairs.items():
            lines += data.draw(_BETWEEN)
            before, after = data.draw(_BLANKS), data.draw(_BLANKS)
            lines.append(f"{key}{before}={after}{value}{data.draw(_BLANKS)}")
            where[name][key] = f"config:{len(lines)}"
    found = parse(line_end.join(lines), "").profiles
    assert {name: {key: part.value for key, part in section.items()} for name, section in found.items()} == sections
    lines_found = {
        name: {"": section.where} | {key: part.where for key, part in section.items()}
        for name, section in found.items()
    }
    assert lines_found == where


@given(st.text(st.sampled_from("[]=#; \t\r\na\"'pdefault\x00é")))
@settings(max_examples=500, deadline=None)
def test_any_text_is_read_or_is_an_error_with_a_line_and_advice(text: str) -> None:
    error: ConfigError | None = None
    try:
        parse(text, text)
    except ConfigError as raised:
        error = raised
    if error is not None:
        assert str(error).startswith(("config:", "credentials:"))
        assert str(error).split(":")[1].isdigit()
        assert error.hint


def test_a_setting_of_the_credentials_file_knows_its_file_and_overrides_key_by_key() -> None:
    found = parse("[profile a]\nregion = x\noutput = json\n", "\n[a]\nregion = y\n[b]\nregion = z\n").profiles
    assert {key: (part.value, part.where, part.from_credentials_file) for key, part in found["a"].items()} == {
        "region": ("y", "credentials:3", True),
        "output": ("json", "config:3", False),
    }
    assert (found["a"].where, found["b"].where) == ("config:1", "credentials:4")


def test_a_section_that_comes_twice_is_one_and_its_last_word_counts() -> None:
    found = parse("[profile a]\nregion = x\noutput = json\n[profile b]\n[profile a]\nregion = y\n", "").profiles
    assert {key: (part.value, part.where) for key, part in found["a"].items()} == {
        "region": ("y", "config:6"),
        "output": ("json", "config:3"),
    }


def test_a_section_that_comes_twice_in_a_file_is_remarked_on_and_one_in_both_files_is_not() -> None:
    found = parse("[profile a]\n[b]\n[profile  a]\n", "[a]\nregion = x\n[c]\n[c]\n")
    places = [re.findall(r"\w+:\d+", remark) for remark in found.remarks]
    assert places == [["config:2"], ["config:3", "config:1"], ["credentials:4", "credentials:3"]]


def test_a_setting_that_comes_twice_is_the_last_one() -> None:
    setting = parse("[profile a]\nregion = x\nregion = y\n", "").profiles["a"]["region"]
    assert (setting.value, setting.where) == ("y", "config:3")


@pytest.mark.parametrize(
    "text",
    ["[default]\nregion = x\n[profile default]\nregion = y\n", "[profile default]\nregion = y\n[default]\na = b\n"],
)
def test_the_prefixed_default_wins_whatever_the_order(text: str) -> None:
    found = parse(text, "")
    assert {key: part.value for key, part in found.profiles["default"].items()} == {"region": "y"}


def test_our_prefix_wins_and_each_line_is_known() -> None:
    section = parse(
        "[profile a]\nregion = x\ncredproc_region = y\ncredproc_policy = {}\npolicy_arns = z\n", ""
    ).profiles["a"]
    assert section.value("region") == "y"
    assert section.where_set("region") == "config:3"
    assert section.where_set("absent") == "config:1"
    own = section.credproc_setting("policy")
    assert own is not None
    assert own.value == "{}"
    assert section.credproc_setting("policy_arns") is None, "what only credproc knows needs its prefix"
    assert section.setting("absent") is None


def test_an_empty_setting_with_our_prefix_wins_too() -> None:
    assert parse("[profile a]\nregion = x\ncredproc_region =\n", "").profiles["a"].value("region") == ""


@pytest.mark.parametrize("code", [*range(1, 9), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0)])
def test_a_control_character_in_a_value_is_an_error_where_the_value_counts(code: int) -> None:
    section = parse(f"[profile a]\nrole_arn = x{chr(code)}y\nregion = x\n", "").profiles["a"]
    assert section.value("region") == "x"
    with pytest.raises(ConfigError) as failure:
        section.setting("role_arn")
    assert str(failure.value).startswith("config:2: role_arn ")
    assert "control character" in str(failure.value)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('[profile "a b"]', "a b"),
        ("[profile 'a b']", "a b"),
        ("[profile  'a b' ]", "a b"),
        ("[profile\ta]", "a"),
        ("[profile 'a']", "a"),
        ("[profile 'ä ö']", "ä ö"),
        ('[profile "a b"] # comment', "a b"),
        ("[profile r&d]", "r&d"),
        ("[profile acct(prod)]", "acct(prod)"),
        ("[profile a=b]", "a=b"),
        ("[profile ~me]", "~me"),
        ("[profile josé]", "josé"),
        (r"[profile a\ b]", "a b"),
        ("[profile a#b]", "a#b"),
    ],
)
def test_a_name_is_one_word_as_a_shell_splits_it(header: str, name: str) -> None:
    assert list(parse(f"{header}\nregion = x\n", "").profiles) == [name]


@pytest.mark.parametrize(
    "header", ["[profile 'a]", '[profile "a" "b"]', "[profile '']", "[profile]", "[a]", "[profile a b]", "[Profile a]"]
)
def test_a_header_that_names_no_profile_is_passed_over_with_a_remark(header: str) -> None:
    found = parse(f"{header}\nregion = x\n[profile z]\n", "")
    assert list(found.profiles) == ["z"]
    assert [remark.startswith(f"config:1: {header} ") for remark in found.remarks] == [True]


@pytest.mark.parametrize("name", ["my user", "r&d", "acct(prod)", "a=b", "~me", "josé", "it's", 'a"b', "in valid"])
def test_all_that_the_brackets_of_the_credentials_file_hold_is_the_name(name: str) -> None:
    found = parse("", f"[{name}]\nregion = x\n")
    assert list(found.profiles) == [name]
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("files", "name", "hint"),
    [
        (("[r]\n", ""), "r", "config:1: [r] must be [profile r] in this file"),
        (
            ("[profile my role]\n", ""),
            "my role",
            "config:1: [profile my role] must be [profile 'my role'] in this file",
        ),
        (("", "\n[profile r]\n"), "r", "credentials:2: [profile r] must be [r] in this file"),
        (("", "[profile 'my role']\n"), "my role", "credentials:1: [profile 'my role'] must be [my role] in this file"),
    ],
)
def test_a_profile_under_the_wrong_header_is_not_found_and_the_hint_has_the_right_one(
    files: tuple[str, str], name: str, hint: str
) -> None:
    config = parse(*files)
    assert name not in config.profiles
    with pytest.raises(ConfigError, match="no profile named") as failure:
        plan_for(config, Request(name, {}, 0.0))
    assert failure.value.hint == hint


BROKEN = ["  region = x", "region", "= x", "s3 =\n  x", "s3 =\n  = x"]


@pytest.mark.parametrize("lines", BROKEN)
def test_a_broken_section_stops_the_profiles_that_lead_through_it_and_no_others(lines: str) -> None:
    text = f"""\
[profile broken]
{lines}
role_arn = arn:aws:iam::123456789012:role/r
source_profile = user
[profile through]
role_arn = arn:aws:iam::123456789012:role/r
source_profile = broken
[profile beside]
role_arn = arn:aws:iam::123456789012:role/r
source_profile = user
"""
    config = parse(text, "[user]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n")
    assert plan_for(config, Request("beside", {}, 0.0)).roles
    (error,) = config.errors()
    for name in ("broken", "through"):
        with pytest.raises(ConfigError) as failure:
            plan_for(config, Request(name, {}, 0.0))
        assert failure.value is error


def test_a_section_that_is_broken_in_one_file_is_broken() -> None:
    config = parse("[profile a]\nregion = x\n", "[a]\n aws_access_key_id = x\n")
    with pytest.raises(ConfigError, match="credentials:2: "):
        config.profiles["a"].setting("region")


def test_a_header_without_its_bracket_breaks_its_own_section() -> None:
    config = parse("[profile a\nregion = x\n[profile b]\nregion = y\n", "")
    assert config.profiles["b"].value("region") == "y"
    with pytest.raises(ConfigError, match=r"config:1: .*must end with"):
        config.profiles["a"].value("region")


@pytest.mark.parametrize("blank", ["\u00a0", "\u2003", "\u3000", "\t", " \u00a0 "])
def test_white_space_of_any_kind_around_a_key_and_a_value_is_no_part_of_them(blank: str) -> None:
    section = parse(f"[profile a]\nregion{blank}={blank}us-east-1{blank}\n", "").profiles["a"]
    assert {key: setting.value for key, setting in section.items()} == {"region": "us-east-1"}


def test_a_header_of_the_config_file_means_nothing_in_the_credentials_file() -> None:
    found = parse("", "[profile a]\nregion = x\n[a]\nregion = y\n")
    assert list(found.profiles) == ["a"]
    assert found.profiles["a"].value("region") == "y"
    assert [remark.startswith("credentials:1: [profile a] ") for remark in found.remarks] == [True]


def test_an_indented_comment_belongs_to_no_value() -> None:
    text = "[profile a]\n  # before all\nregion = x\n\t# between\n  ; and\noutput = json\n   #\n"
    assert {key: part.value for key, part in parse(text, "").profiles["a"].items()} == {"region": "x", "output": "json"}


def test_a_value_that_goes_on_keeps_the_line_that_it_began_on() -> None:
    setting = parse("[profile a]\nregion = x\n  y\n\n  z # w\n", "").profiles["a"]["region"]
    assert (setting.value, setting.where) == ("x\ny\nz # w", "config:2")


def test_nested_settings_are_pairs() -> None:
    setting = parse("[services s]\nsts =\n  Endpoint_URL = https://x?a=b\n\n  region=y\n", "").services["s"]["sts"]
    assert setting.sub_properties() == {"endpoint_url": "https://x?a=b", "region": "y"}


def test_the_kinds_of_sections_do_not_mix() -> None:
    found = parse("[profile a]\nx = 1\n[sso-session a]\nx = 2\n[services a]\nx = 3\n", "")
    kinds = found.profiles, found.sso_sessions, found.services
    assert [sections["a"]["x"].value for sections in kinds] == ["1", "2", "3"]


# --- the files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("kind", ["fifo", "directory", "/dev/zero"])
def test_what_is_no_file_is_an_error_at_once(tmp_path: Path, variable: str, kind: str) -> None:
    path = {"fifo": tmp_path / "fifo", "directory": tmp_path}.get(kind, Path(kind))
    os.mkfifo(tmp_path / "fifo")
    began = time.monotonic()
    with pytest.raises(ConfigError) as failure:
        read({"HOME": "/nonexistent", variable: str(path)})
    assert time.monotonic() - began < 1
    assert re.fullmatch(rf"{path}: .*regular file", str(failure.value))
    assert variable in (failure.value.hint or "")


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("path", [os.devnull, "missing/config", "/dev/null/config"])
def test_a_file_that_is_not_there_is_empty(home: Path, variable: str, path: str) -> None:
    assert read({"HOME": str(home), variable: str(home / path)}).profiles == {}


@pytest.mark.parametrize(
    "path", [pytest.param("x" * 5000, marks=pytest.mark.posix("a limit of 4,096 bytes a path")), "a\0b"]
)
def test_a_path_that_is_none_is_an_error_of_ours(path: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read: "):
        read({"HOME": "/nonexistent", "AWS_CONFIG_FILE": path})


@pytest.mark.posix("links, which Windows makes for administrators alone")
def test_a_link_to_a_file_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("[default]\nregion = x\n")
    (tmp_path / "config").symlink_to(tmp_path / "real")
    found = read({"HOME": "/nonexistent", "AWS_CONFIG_FILE": str(tmp_path / "config")})
    assert found.profiles["default"].value("region") == "x"


def _read(path: Path, data: bytes) -> dict[str, str]:
    path.write_bytes(data)
    found = read({"HOME": "/nonexistent", "AWS_CONFIG_FILE": str(path)})
    return {key: part.value for section in found.profiles.values() for key, part in section.items()}


def test_a_file_of_8_mib_is_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    text = b"[default]\nregion = x\n#"
    assert _read(tmp_path / "config", text.ljust(LIMIT, b"#")) == {"region": "x"}
    with pytest.raises(ConfigError, match="config: is larger than 8 MiB"):
        _read(tmp_path / "config", text.ljust(LIMIT + 1, b"#"))


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_file_of_100_000_lines_is_read_and_one_more_is_not(tmp_path: Path, end: bytes) -> None:
    text = b"[default]" + end + b"region = x" + 99_999 * end
    assert _read(tmp_path / "config", text) == {"region": "x"}
    with pytest.raises(ConfigError, match="config: has more than 100000 lines"):
        _read(tmp_path / "config", text + end)


def test_a_file_that_cannot_be_read_after_all_is_an_error_of_ours() -> None:
    with pytest.raises(ConfigError, match="/proc/self/mem: cannot be read: "):
        read({"HOME": "/nonexistent", "AWS_CONFIG_FILE": "/proc/self/mem"})


REFUSED = {"endpoint_url", "services", "ca_bundle", "proxies_config"}
PROGRAMS = {"credential_process", "mfa_process"}
SETTINGS_TEXT = "".join(f"{name} = x\n" for name in sorted({*REFUSED, *PROGRAMS, "region"}))


def _home(path: Path) -> dict[str, str]:
    """Make a home with both files, each private, and return what leads there."""
    (path / ".aws").mkdir()
    for name, header in (("config", "profile a"), ("credentials", "b")):
        (path / ".aws" / name).write_text(f"[{header}]\n{SETTINGS_TEXT}")
        (path / ".aws" / name).chmod(0o600)
    with (path / ".aws" / "config").open("a") as file:
        file.write("[services s]\nsso =\n  endpoint_url = https://sso.example\n")
    return {"HOME": str(path)}


def _unused(section: Section) -> set[str]:
    """Return the settings of the section that are not given to whoever asks, or to whoever starts programs."""
    found = set[str]()
    for name in section:
        try:
            setting = section.setting(name)
            if name in PROGRAMS and setting is not None:
                setting.trusted(name)
        except ConfigError as error:
            found.add(name if name in str(error) else f"{name}: {error}")
    return found


def _services_url(found: SharedConfig) -> str | None:
    block = found.services["s"].setting("sso")
    assert block is not None
    setting = block.sub_setting("endpoint_url")
    return None if setting is None else setting.value


@pytest.mark.parametrize("mode", [0o600, 0o660])
def test_all_settings_are_used_of_a_file_that_its_user_or_group_may_write(tmp_path: Path, mode: int) -> None:
    environ = _home(tmp_path)
    (tmp_path / ".aws" / "config").chmod(mode)
    found = read(environ)
    assert _unused(found.profiles["a"]) == _unused(found.profiles["b"]) == set()
    assert _services_url(found) == "https://sso.example"
    assert found.warnings == ()


@pytest.mark.posix("modes of files")
@pytest.mark.parametrize("mode", [0o602, 0o622, 0o666, 0o777])
def test_of_a_file_that_others_may_write_nothing_is_started_and_nothing_says_where_secrets_go(
    tmp_path: Path, mode: int
) -> None:
    environ = _home(tmp_path)
    (tmp_path / ".aws" / "config").chmod(mode)
    found = read(environ)
    section = found.profiles["a"]
    assert _unused(section) == REFUSED | PROGRAMS
    for key in ("endpoint_url", "credproc_endpoint_url"):
        section[key] = section["endpoint_url"]
        with pytest.raises(ConfigError) as failure:
            section.setting("endpoint_url")
        said = rf"~/.aws/config:4: endpoint_url is refused: the file is writable by others \(mode {mode:o}\)"
        assert re.fullmatch(said, str(failure.value))
        assert failure.value.hint == "chmod go-w ~/.aws/config"
    with pytest.raises(ConfigError, match="config:10: endpoint_url is refused"):
        _services_url(found)
    (warning,) = found.warnings
    assert re.fullmatch(rf"~/.aws/config: .*writable by others.*\(mode {mode:o}\)", warning)
    assert _unused(found.profiles["b"]) == set(), "the other file is private"


@pytest.mark.root("gives a file away")
def test_of_a_file_of_another_user_nothing_is_started_and_nothing_says_where_secrets_go(tmp_path: Path) -> None:
    environ = _home(tmp_path)
    os.chown(tmp_path / ".aws" / "credentials", 65534, -1)
    found = read(environ)
    section = found.profiles["b"]
    assert _unused(section) == REFUSED | PROGRAMS
    with pytest.raises(ConfigError) as failure:
        section["credential_process"].trusted("credential_process")
    assert re.fullmatch(r"~/.aws/credentials:3: credential_process .*another user.*65534.*", str(failure.value))
    assert failure.value.hint == "sudo chown $USER ~/.aws/credentials"
    assert _unused(found.profiles["a"]) == set()


@pytest.mark.root("is another user than the one whose files these are")
def test_a_file_of_root_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert _unused(read(_home(tmp_path)).profiles["a"]) == set()


@pytest.mark.posix("modes of files")
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644])
def test_keys_that_others_may_read_are_a_warning_and_a_config_that_they_may_read_is_none(
    tmp_path: Path, mode: int
) -> None:
    environ = _home(tmp_path)
    (tmp_path / ".aws" / "config").chmod(mode)
    (tmp_path / ".aws" / "credentials").chmod(mode)
    (warning,) = read(environ).warnings
    assert re.fullmatch(rf"~/.aws/credentials: .*readable by others.*\(mode {mode:o}\)", warning)


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    assert _read(tmp_path / "config", b"\xef\xbb\xbf[default]\nregion = x\n") == {"region": "x"}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_named(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(ConfigError) as failure:
        _read(tmp_path / "config", "\ufeff[default]\nregion = x\n".encode(encoding))
    assert str(failure.value) == f"{tmp_path}{os.sep}config:1: is UTF-16"
    assert failure.value.hint == "save it as UTF-8"


@pytest.mark.parametrize(("data", "line"), [(b"\0", 1), (b"[default]\n\n\0", 3), (b"[default]\r\n\0", 2)])
def test_a_nul_byte_is_named_with_its_line(tmp_path: Path, data: bytes, line: int) -> None:
    with pytest.raises(ConfigError, match=rf"config:{line}: contains a NUL byte"):
        _read(tmp_path / "config", data)


def test_the_files_are_shown_as_people_write_them(tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\nregion = x\n")
    found = read({"HOME": str(tmp_path)})
    assert found.profiles["default"]["region"].where == native("~/.aws/config:2")
    assert found.shown_files() == native("~/.aws/config and ~/.aws/credentials")


def test_a_file_of_nothing_but_remarks_leaves_a_hundred() -> None:
    twice = "".join(f"[profile a]\nk{number} = v\n" for number in range(1000))
    assert len(parse(twice, "").remarks) == 100
