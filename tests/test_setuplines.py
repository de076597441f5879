"""The edits of credproc setup: only what an edit is about changes, and undoing it gives the same bytes."""

from collections.abc import Callable, Mapping
from functools import partial

import pytest
from hypothesis import given

from credproc.commands.setup import edits, store_line
from credproc.commands.setup.edits import EditError
from credproc.config.lines import ConfigLines
from credproc.config.parser import parse
from credproc.config.settings import ROLE_NAMES
from tests.configtexts import texts, unhurried


def _edited(edit: Callable[..., Mapping[int, str]], text: str, *arguments: str) -> str:
    file = ConfigLines(text)
    return file.with_lines(edit(file, *arguments))


in_place = partial(_edited, edits.in_place)
undo_in_place = partial(_edited, edits.undo_in_place)
separate = partial(_edited, edits.separate)
undo_separate = partial(_edited, edits.undo_separate)
replace_command = partial(_edited, edits.replace_command)

COMMAND = "/usr/bin/credproc --profile admin"
TEXT = """\
# mine
[profile admin]   # the one
  # below
role_arn   = arn:aws:iam::123456789012:role/admin
region=us-west-2
SOURCE_PROFILE = user1 ; a comment

s3 =
  max_concurrent_requests = 20

[profile user1]
"""
IN_PLACE = """\
# mine
[profile admin]   # the one
  # below
credential_process = /usr/bin/credproc --profile admin
credproc_role_arn   = arn:aws:iam::123456789012:role/admin
region=us-west-2
credproc_SOURCE_PROFILE = user1 ; a comment

s3 =
  max_concurrent_requests = 20

[profile user1]
"""
SEPARATE = """\
# mine
[profile admin]
credential_process = /usr/bin/credproc --profile admin-role
region=us-west-2
s3 =
  max_concurrent_requests = 20

[profile admin-role]   # the one
  # below
role_arn   = arn:aws:iam::123456789012:role/admin
region=us-west-2
SOURCE_PROFILE = user1 ; a comment

s3 =
  max_concurrent_requests = 20

[profile user1]
"""


def _apart(text: str) -> str:
    return separate(text, "admin", "admin-role", COMMAND + "-role")


def test_in_place_prefixes_the_role_settings_and_adds_one_line() -> None:
    assert in_place(TEXT, "admin", COMMAND) == IN_PLACE
    assert undo_in_place(IN_PLACE, "admin") == TEXT


def test_separate_adds_a_profile_before_the_old_lines() -> None:
    assert _apart(TEXT) == SEPARATE
    assert undo_separate(SEPARATE, "admin", "admin-role") == TEXT


def test_a_moved_program_changes_one_line() -> None:
    moved = IN_PLACE.replace("/usr/bin/credproc", "/opt/credproc")
    assert replace_command(IN_PLACE, "admin", "/opt/credproc --profile admin") == moved


@pytest.mark.parametrize(
    ("header", "counts"), [("[default]", True), ("[profile default]", True), ("[default]\n[profile default]", True)]
)
def test_the_default_profile_has_two_spellings(header: str, counts: bool) -> None:  # noqa: FBT001 - a parameter
    text = f"{header}\nrole_arn = x\n"
    assert ("credproc_role_arn" in in_place(text, "default", COMMAND)) is counts
    apart = separate(text.splitlines()[-2] + "\nrole_arn = x\n", "default", "default-role", COMMAND)
    assert apart.startswith(text.splitlines()[-2])
    assert "[profile default-role]\n" in apart


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("[profile admin]\nrole_arn = x\ncredential_process = y\n", "already has a credential_process", 3),
        ("[profile admin]\nrole_arn = x\ncredproc_role_arn = y\n", "both role_arn and credproc_role_arn", 2),
        ("[profile admin]\nregion = x\n", "no role settings", 0),
        ("[profile other]\nrole_arn = x\n", "no role settings", 0),
    ],
)
def test_in_place_refuses_what_it_could_not_undo(text: str, said: str, line: int) -> None:
    with pytest.raises(EditError, match=said) as caught:
        in_place(text, "admin", COMMAND)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("[profile admin]\nrole_arn = x\n[profile admin]\n", "twice", 3),
        ("[profile admin]\nrole_arn = x\n[profile admin-role]\n", "admin-role already exists", 3),
        ("[profile admin]\nrole_arn = x\ncredential_process = y\n", "already has a credential_process", 3),
        ("[profile admin]\nregion = x\n", "no role settings", 0),
        ("[profile b]\nrole_arn = x\n", "does not contain the profile", 0),
    ],
)
def test_separate_refuses_what_it_could_not_undo(text: str, said: str, line: int) -> None:
    with pytest.raises(EditError, match=said) as caught:
        _apart(text)
    assert caught.value.line == line


@pytest.mark.parametrize("added", ["output = json", "# mine"])
def test_undoing_loses_no_line_that_was_added_since(added: str) -> None:
    edited = SEPARATE.replace("--profile admin-role\n", f"--profile admin-role\n{added}\n")
    with pytest.raises(EditError, match="would be lost") as caught:
        undo_separate(edited, "admin", "admin-role")
    assert caught.value.line == 4


@unhurried
@given(texts())
def test_undoing_gives_the_same_bytes(text: str) -> None:
    assert undo_in_place(in_place(text, "admin", COMMAND), "admin") == text
    assert undo_separate(_apart(text), "admin", "admin-role") == text


@unhurried
@given(texts())
def test_in_place_leaves_every_other_line_as_it_is_and_in_its_order(text: str) -> None:
    before, after = text.splitlines(keepends=True), in_place(text, "admin", COMMAND).splitlines(keepends=True)
    added = [line for line in after if line.startswith("credential_process =")]
    assert len(added) == 1
    after.remove(added[0])
    assert [line.removeprefix("credproc_") for line in after] == [line.removeprefix("credproc_") for line in before]


@unhurried
@given(texts())
def test_separate_only_adds_lines(text: str) -> None:
    before, after = text.splitlines(keepends=True), _apart(text).splitlines(keepends=True)
    rest = iter(after)
    kept = [line for line in before if not line.lstrip("\ufeff").startswith("[")]
    assert all(any(line == other for other in rest) for line in kept)


@unhurried
@given(texts())
def test_credproc_reads_the_same_settings_and_sdks_no_role(text: str) -> None:
    before = parse(text.removeprefix("\ufeff"), "").profiles["admin"]
    edited = parse(in_place(text, "admin", COMMAND).removeprefix("\ufeff"), "").profiles["admin"]
    assert not ROLE_NAMES & set(edited)
    assert edited["credential_process"].value == COMMAND
    for key in before:
        assert edited.get(key, edited.get(f"credproc_{key}")).value == before[key].value  # type: ignore[union-attr]
    apart = parse(_apart(text).removeprefix("\ufeff"), "").profiles
    assert not ROLE_NAMES & set(apart["admin"])
    assert {key: one.value for key, one in apart["admin-role"].items()} == {
        key: one.value for key, one in before.items()
    }
    for key in ("region", "output", "s3"):
        assert (key in apart["admin"]) == (key in before)


# The setting that keeps sessions elsewhere


def without_store(text: str, profile: str) -> str:
    """Take out what ``with_store`` has written."""
    file = ConfigLines(text)
    return file.with_lines(store_line.without_store(file, profile, {}))


@given(texts())
@unhurried
@pytest.mark.parametrize("old", ["", "credproc_session_store = keyring\n", "credproc_session_store =\n  x\n"])
@pytest.mark.parametrize("profile", ["user1", "admin", "nobody"])
def test_the_store_is_taken_out_again_to_the_byte(old: str, profile: str, text: str) -> None:
    user = f"[profile user1]\n{old}"
    for whole in {text, text.rstrip("\r\n"), text + user, text + user.strip()}:
        kept = store_line.with_store(whole, profile, "file")
        assert parse(kept.removeprefix("\ufeff"), "").profiles[profile]["credproc_session_store"].value == "file"
        assert without_store(kept, profile) == whole


def test_a_store_that_is_chosen_by_hand_stays() -> None:
    for text in (
        "[profile user1]\ncredproc_session_store = file\n",
        store_line.with_store("[profile user1]\n", "user1", "file").replace("= file", "= none"),
        store_line.with_store("", "user1", "kernel").replace("kernel", "keyring") + "region = x\n",
    ):
        assert without_store(text, "user1") == text


def test_a_profile_that_has_got_more_since_stays() -> None:
    text = store_line.with_store("[profile other]\n", "user1", "file") + "region = us-west-2\n"
    assert without_store(text, "user1") == "[profile other]\n\n[profile user1]\nregion = us-west-2\n"
