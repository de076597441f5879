"""The small files that runs leave each other: what is read back, what is no note, and what the documentation says."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from credproc import notes
from credproc.files import PrivateDirectory
from credproc.locking.directory import make_directory
from credproc.notes import KINDS, Kind, Note, kind_of
from tests.posix import WINDOWS

NAME = "0123456789abcdef0123456789abcdef"
FIELDS: dict[str, dict[str, Any]] = {
    notes.REFUSAL.suffix: {"at": 1.5, "group": 7, "kind": "cancelled", "message": "m\udc80", "hint": None},
    notes.SHOWN.suffix: {"at": 1, "group": 7, "digest": "d"},
    notes.USED_CODES.suffix: {"codes": {"d": 1.5, "e": 2}},
    notes.SESSION.suffix: {
        "serial": "s",
        "issuer": "aws",
        "profile": None,
        "access_key_id": "ASIA",
        "issued": 1,
        "expiration": 2,
        "store": "file",
        "other_half": None,
    },
    notes.ACCESS_KEY.suffix: {"access_key_id": "AKIA", "pending": True},
    notes.UNRESPONSIVE.suffix: {"since": 1, "bus": "b"},
    notes.DENIED_SESSION.suffix: {"at": 1.5, "age": 7200},
}
# What each kind wrote when it had a format of its own
OLD = {
    notes.REFUSAL.suffix: b'{"format": 1, "at": 1.5, "group": 7, "kind": "cancelled", "message": "m", "hint": null}',
    notes.SHOWN.suffix: b"7 0123456789abcdef 1\n",
    notes.USED_CODES.suffix: b"0123456789abcdef 1\n",
    notes.SESSION.suffix: json.dumps({"format": 1, "name": NAME, **FIELDS[notes.SESSION.suffix]}).encode(),
    notes.ACCESS_KEY.suffix: b'{"access_key_id": "AKIA", "format": 1, "pending": true}\n',
    notes.UNRESPONSIVE.suffix: b"1 0123456789abcdef\n",
    notes.DENIED_SESSION.suffix: b'{"format": 1, "at": 1.5, "age": 7200}',
}
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.suffix)


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Iterator[PrivateDirectory]:
    directory = make_directory(str(tmp_path / "cache"))
    yield directory
    directory.close()


def _note(directory: PrivateDirectory, kind: Kind) -> tuple[Note, Path]:
    """Return a note that is there, and its file."""
    note = Note(directory, kind, NAME)
    note.save(FIELDS[kind.suffix])
    return note, Path(directory.path) / (NAME + kind.suffix)


@kinds
def test_a_note_comes_back_as_it_was_until_it_is_removed(directory: PrivateDirectory, kind: Kind) -> None:
    assert Note(directory, kind, NAME).load() is None
    _, path = _note(directory, kind)
    assert WINDOWS or path.stat().st_mode & 0o777 == 0o600
    assert Note(directory, kind, NAME).load() == FIELDS[kind.suffix]
    assert [found for found in KINDS if kind_of(path.name) is found] == [kind]
    Note(directory, kind, NAME).remove()
    assert Note(directory, kind, NAME).load() is None
    assert directory.names() == []


def test_without_a_directory_there_is_no_note() -> None:
    note = Note(None, notes.SHOWN, NAME)
    note.save(FIELDS[notes.SHOWN.suffix])
    assert note.load() is None
    note.remove()


@kinds
def test_a_note_of_the_format_before_is_none(directory: PrivateDirectory, kind: Kind) -> None:
    note, path = _note(directory, kind)
    path.write_bytes(OLD[kind.suffix])
    assert note.load() is None


@kinds
@pytest.mark.parametrize("change", [{"format": 3}, {"format": None}, {"name": "0"}, {"name": None}, {"more": 1}])
def test_another_format_another_name_or_a_field_too_many_is_no_note(
    directory: PrivateDirectory, kind: Kind, change: dict[str, Any]
) -> None:
    note, path = _note(directory, kind)
    path.write_text(json.dumps(json.loads(path.read_bytes()) | change))
    assert note.load() is None


@kinds
def test_a_field_that_is_missing_or_of_another_type_is_no_note(directory: PrivateDirectory, kind: Kind) -> None:
    note, path = _note(directory, kind)
    whole = json.loads(path.read_bytes())
    for field in whole:
        path.write_text(json.dumps({key: value for key, value in whole.items() if key != field}))
        assert note.load() is None, field
        for wrong in ([], [1], {"x": "y"}, {"": 0.5} if isinstance(whole[field], (str, type(None))) else "1"):
            path.write_text(json.dumps(whole | {field: wrong}))
            assert note.load() is None, (field, wrong)
    path.write_text(json.dumps(whole))
    assert note.load() == FIELDS[kind.suffix]


@pytest.mark.parametrize("garbage", [b"", b"x", b"[]", b"null", b"2", b'"', b"\xff\xfe", b"[" * 5000, b"9" * 5000])
def test_garbage_is_no_note(directory: PrivateDirectory, garbage: bytes) -> None:
    note, path = _note(directory, notes.SHOWN)
    path.write_bytes(garbage)
    assert note.load() is None


@pytest.mark.parametrize("moment", ["-1", "NaN", "Infinity", "1e300", "true", "9" * 4000, str((1 << 53) + 2), "null"])
def test_a_moment_that_no_clock_shows_is_no_note(directory: PrivateDirectory, moment: str) -> None:
    for kind, text in ((notes.SHOWN, '"at": 1'), (notes.USED_CODES, '"d": 1.5')):
        note, path = _note(directory, kind)
        whole = path.read_text()
        assert text in whole
        path.write_text(whole.replace(text, f"{text.partition(':')[0]}: {moment}"))
        assert note.load() is None, kind.suffix


def test_a_file_is_read_up_to_the_limit(directory: PrivateDirectory) -> None:
    note, path = _note(directory, notes.SHOWN)
    whole = path.read_bytes()
    path.write_bytes(whole.ljust(8192))
    assert note.load() == FIELDS[notes.SHOWN.suffix]
    path.write_bytes(whole.ljust(8193))
    assert note.load() is None


def test_a_note_that_could_not_be_read_again_is_not_written(directory: PrivateDirectory) -> None:
    note, _ = _note(directory, notes.REFUSAL)
    with pytest.raises(OSError, match=r"a note of [0-9]+ bytes is over the limit of 8192"):
        note.save({**FIELDS[notes.REFUSAL.suffix], "message": "x" * 8192})
    assert note.load() == FIELDS[notes.REFUSAL.suffix]


def test_who_finds_no_note_does_not_import_json(tmp_path: Path) -> None:
    looking = (
        "import sys\n"
        "from credproc.locking.directory import make_directory\n"
        "from credproc.locking.refusal import SharedRefusal\n"
        "from credproc.request import Request\n"
        "directory = make_directory(sys.argv[1])\n"
        "SharedRefusal(directory, 'x').check(Request(None, {}, 0.0), lambda: True)\n"
        "assert 'json' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", looking, tmp_path / "cache"], check=True)


def test_the_documentation_says_what_each_kind_holds_and_how_long_it_is_kept() -> None:
    page = (Path(__file__).parent.parent / "docs" / "security.md").read_text(encoding="utf-8")
    lines = page.partition("\n## What is stored where\n")[2].partition("\n## ")[0].splitlines()
    for kind in KINDS:
        kept = f"{kind.kept} seconds" if isinstance(kind.kept, int) else kind.kept
        assert f"| `{kind.file}` | {kind.holds} | {kept} |" in lines
        assert kind.file.endswith(kind.suffix)


def test_a_day_is_longer_than_any_kind_is_kept_that_cleanup_removes() -> None:
    assert max(kind.kept for kind in KINDS if isinstance(kind.kept, int)) < 24 * 3600
