"""Where another user can put another file in the place of one, and where not."""

import os
import sys
from pathlib import Path

import pytest

from credproc.trust import untrusted_place

if sys.platform == "win32":
    pytest.skip("files have no modes", allow_module_level=True)

NOBODY = 65534


def _made(path: Path, mode: int = 0o755) -> Path:
    """Make a directory with exactly this mode."""
    path.mkdir(parents=True)
    path.chmod(mode)
    return path


def _file(path: Path, mode: int = 0o755) -> Path:
    path.touch()
    path.chmod(mode)
    return path


def _link(path: Path, target: object) -> Path:
    path.symlink_to(str(target))
    return path


def _where(path: object, *, sticky: bool = False) -> tuple[str, str] | None:
    """Return the name of what is not trusted, and the first word of why."""
    found = untrusted_place(str(path), sticky=sticky)
    return None if found is None else (os.path.basename(found.path), found.reason.split()[0])


def test_what_only_we_and_our_group_can_change_is_trusted(tmp_path: Path) -> None:
    directory = _made(tmp_path / "bin", 0o775)
    program = _file(directory / "program", 0o775)
    assert _where(program) is None
    assert _where(_link(tmp_path / "absolute", program)) is None
    assert _where(_link(directory / "relative", "../bin/./program")) is None
    assert _where(_link(tmp_path / "directory", "bin") / "program") is None
    assert _where("/bin/sh") is None
    assert _where(directory / "missing") is None
    assert _where(f"{program}\0") is None


@pytest.mark.parametrize("mode", [0o777, 0o757, 0o702, 0o1777])
def test_a_file_that_all_can_change_or_put_there_is_not(tmp_path: Path, mode: int) -> None:
    place = _made(tmp_path / "open", mode)
    assert _where(_file(place / "program")) == ("open", "is")
    assert _where(_file(tmp_path / "program", mode)) == ("program", "is")


def test_all_that_a_path_leads_through_is_looked_at(tmp_path: Path) -> None:
    home = _made(tmp_path / "home")
    below = _made(tmp_path / "open" / "bin")
    program = _file(below / "program")
    assert _where(program) is None
    (tmp_path / "open").chmod(0o777)
    assert _where(program) == ("open", "is")
    assert _where(_link(home / "link", program)) == ("open", "is")
    assert _where(_link(home / "second", "link")) == ("open", "is")
    assert _where(_link(home / "directory", "../open/bin") / "program") == ("open", "is")
    back = _link(tmp_path / "open" / "back", home)  # where it leads is trusted, and that it leads there is not
    assert _where(_file(home / "own")) is None
    assert _where(back / "own") == ("open", "is")
    assert _where(tmp_path / "open" / ".." / "home" / "own") == ("open", "is")


def test_a_directory_such_as_tmp_does_no_harm_on_the_way(tmp_path: Path) -> None:
    shared = _made(tmp_path / "tmp", 0o1777)
    program = _file(_made(shared / "ours") / "program")
    assert _where(program) is None
    assert _where(_link(shared / "link", program)) == ("tmp", "is")
    data = _file(shared / "data", 0o644)
    assert (_where(data), _where(data, sticky=True)) == (("tmp", "is"), None)
    assert _where(shared / "missing" / "program") == ("tmp", "is")  # another user may make it at any moment
    (shared / "ours").chmod(0o777)
    assert _where(program) == ("ours", "is")


def test_a_relative_path_leads_through_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _file(tmp_path / "program")
    monkeypatch.chdir(tmp_path)
    assert _where("program") is None
    assert _where("./program") is None
    tmp_path.chmod(0o777)
    assert _where("program") == (tmp_path.name, "is")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert _where(tmp_path / "program") == (tmp_path.name, "is")


def test_links_in_a_circle_lead_nowhere(tmp_path: Path) -> None:
    _link(tmp_path / "a", "b")
    assert _where(_link(tmp_path / "b", "a")) is None


@pytest.mark.root("gives files away")
@pytest.mark.parametrize("given", ["program", "bin", "home", "link", "tmp"])
def test_what_is_another_users_is_not_trusted(tmp_path: Path, given: str) -> None:
    shared = _made(tmp_path / "tmp", 0o1777)
    program = _file(_made(shared / "home" / "bin") / "program")
    _link(tmp_path / "link", "tmp/home/bin")
    path = tmp_path / "link" / "program"
    assert _where(path) is None
    where = {"home": "tmp/home", "bin": "tmp/home/bin", "program": "tmp/home/bin/program"}.get(given, given)
    os.chown(tmp_path / where, NOBODY, NOBODY, follow_symlinks=False)
    assert _where(path, sticky=True) == (given, "belongs")
    assert program.exists()
