"""What is left out on Windows is what there is on POSIX alone, and nothing else."""

import os
import re
from pathlib import Path

import pytest

from tests import posix

HERE = Path(__file__).parent
SEP = os.sep
SKIPS_ITSELF = re.compile(r"^if .*sys\.platform.*:\n    pytest\.skip\(", re.MULTILINE)


def _error(thing: object, name: str) -> AttributeError:
    with pytest.raises(AttributeError) as raised:
        getattr(thing, name)
    return raised.value


@pytest.mark.parametrize(
    ("thing", "path", "reason"),
    [
        (os, f"{SEP}tests{SEP}test_a.py", "POSIX alone: os.no_such_name"),
        (os, f"{SEP}credproc{SEP}files.py", None),
        (pytest, f"{SEP}tests{SEP}test_a.py", None),
        ("text", f"{SEP}tests{SEP}test_a.py", None),
    ],
    ids=["a function of POSIX", "in credproc", "of another module", "of a value"],
)
def test_a_name_that_python_lacks_leaves_out_a_test_that_uses_it_itself(
    monkeypatch: pytest.MonkeyPatch, thing: object, path: str, reason: str | None
) -> None:
    error = _error(thing, "no_such_name")
    monkeypatch.setattr(posix, "WINDOWS", True)
    assert posix.missing_function(error, path) == reason
    monkeypatch.setattr(posix, "WINDOWS", False)
    assert posix.missing_function(error, path) is None


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            NotImplementedError("utime: follow_symlinks unavailable on this platform"),
            "POSIX alone: utime: follow_symlinks",
        ),
        (NotImplementedError("not written yet"), None),
    ],
)
def test_an_argument_that_python_lacks_does_so_too(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str | None
) -> None:
    monkeypatch.setattr(posix, "WINDOWS", True)
    assert posix.missing_function(error, f"{SEP}tests{SEP}test_a.py") == reason
    assert posix.missing_function(error, f"{SEP}credproc{SEP}files.py") is None


def test_a_path_below_the_home_directory_is_written_as_this_system_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sep", "\\")
    said = posix.native_home("~/.aws/config:2: a/b and ~/.aws/credentials: /usr/bin")
    assert said == "~\\.aws\\config:2: a/b and ~\\.aws\\credentials: /usr/bin"


@pytest.mark.parametrize("name", sorted(posix.FILES))
def test_each_file_that_is_left_out_is_there_and_says_why(name: str) -> None:
    assert list(HERE.rglob(name))
    assert posix.FILES[name]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("test_prompt.py", "POSIX alone: a pseudo-terminal, its sessions and jobs"),
        ("test_rigs.py", "the rigs are made for Linux"),
        ("test_many.py", "looks into the process of the installed program on POSIX"),
        ("test_refresh.py", None),
    ],
)
def test_a_file_says_why_it_is_left_out(name: str, reason: str | None) -> None:
    assert posix.why_left_out(HERE / name) == reason


def test_each_file_that_skips_itself_on_windows_is_counted_by_its_tests() -> None:
    skipping = [path for path in HERE.rglob("test_*.py") if SKIPS_ITSELF.search(path.read_text(encoding="utf-8"))]
    assert len(skipping) > 20
    assert [path for path in skipping if posix.why_left_out(path) is None] == []
