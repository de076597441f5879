"""The writer of the two AWS files: whole or not at all, where the file really lies, as it was but for the text."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from credproc.config.writer import BACKUP, edit, read, replace
from credproc.errors import ConfigError


def _edited(path: Path, text: str = "new\n") -> None:
    edit(str(path), "~/.aws/config", lambda _old: text)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_a_file_keeps_its_mode_and_its_owner_and_no_copy_is_left(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "config"
    path.write_text("old\n")
    path.chmod(mode)
    owner = (65534, 65534) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(path, *owner)
    _edited(path)
    status = path.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (mode, *owner)
    assert path.read_text() == "new\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.posix("links, which Windows makes for administrators alone")
def test_a_link_stays_one_over_several_links(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "aws"
    real.parent.mkdir()
    real.write_text("old\n")
    (tmp_path / "between").symlink_to("dotfiles/aws")
    (tmp_path / "config").symlink_to(tmp_path / "between")
    replace(read(str(tmp_path / "config"), "config"), "new\n", keep_old=True)
    assert real.read_text() == "new\n"
    assert (tmp_path / "config").is_symlink()
    assert (tmp_path / "between").is_symlink()
    assert (tmp_path / f"config{BACKUP}").read_text() == "old\n"
    assert list(real.parent.iterdir()) == [real]


@pytest.mark.posix("modes of files")
def test_the_backup_is_private_and_replaces_an_older_one(tmp_path: Path) -> None:
    path, backup = tmp_path / "config", tmp_path / f"config{BACKUP}"
    path.write_text("old\n")
    path.chmod(0o644)
    backup.write_text("older\n")
    backup.chmod(0o644)
    replace(read(str(path), "config"), "new\n", keep_old=True)
    assert backup.read_text() == "old\n"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.posix("modes of files")
def test_a_file_that_is_not_there_is_made_private_with_its_directory(tmp_path: Path) -> None:
    path = tmp_path / ".aws" / "config"
    _edited(path)
    assert path.read_text() == "new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o077 == 0


def test_an_edit_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(b"old\n")
    before = path.stat()
    _edited(path, "old\n")
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_size) == (before.st_ino, before.st_mtime_ns, before.st_size)
    edit(str(tmp_path / "other"), "other", lambda old: old)
    assert not (tmp_path / "other").exists()


def test_line_ends_and_a_byte_order_mark_stay(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(b"\xef\xbb\xbf[a]\r\nb = c\rd\n")
    edit(str(path), "config", lambda text: text.replace("c", "ä"))
    assert path.read_bytes() == "\ufeff[a]\r\nb = ä\rd\n".encode()


@pytest.mark.parametrize("now", ["newer\n", None])
def test_what_somebody_else_has_written_meanwhile_is_not_overwritten(tmp_path: Path, now: str | None) -> None:
    path = tmp_path / "config"
    path.write_text("old\n")
    file = read(str(path), "~/.aws/config")
    path.unlink()
    if now is not None:
        path.write_text(now)
    with pytest.raises(ConfigError, match=r"~/\.aws/config: was changed .*nothing was written"):
        replace(file, "new\n", keep_old=True)
    assert [one.read_text() for one in tmp_path.iterdir()] == ([] if now is None else [now])


def test_what_is_no_regular_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    path = tmp_path / "config"
    os.mkfifo(path)
    with pytest.raises(ConfigError, match=r"~/\.aws/config: is not a regular file"):
        _edited(path)
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_what_is_not_utf_8_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"~/\.aws/config: is not UTF-8"):
        _edited(path)
    assert path.read_bytes() == b"\xff\xfe"


def test_a_disk_that_is_full_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "config"
    path.write_text("old\n")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match=r"~/\.aws/config: cannot be written: no space left on device"):
        _edited(path)
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.posix("access control lists of POSIX")
def test_a_group_that_may_not_read_gains_nothing_by_the_mask_of_an_acl(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("old\n")
    path.chmod(0o600)
    _setfacl("-m", "u:65534:r,g:65534:r", path)
    before, mode = _getfacl(path), path.stat().st_mode
    assert "group::---" in before
    replace(read(str(path), "config"), "new\n", keep_old=True)
    assert (_getfacl(path), path.stat().st_mode) == (before, mode)
    assert path.read_text() == "new\n"
    backup = _getfacl(tmp_path / f"config{BACKUP}")
    assert backup.split() == ["user::rw-", "group::---", "other::---"]


@pytest.mark.posix("access control lists of POSIX")
def test_an_acl_for_new_files_of_the_directory_is_not_given_to_an_old_one(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("old\n")
    path.chmod(0o640)
    before = _getfacl(path)
    _setfacl("-d", "-m", "u:65534:rw", tmp_path)
    replace(read(str(path), "config"), "new\n", keep_old=True)
    assert _getfacl(path) == before
    assert "65534" not in _getfacl(tmp_path / f"config{BACKUP}")
    _edited(tmp_path / "credentials")
    assert "65534" not in _getfacl(tmp_path / "credentials")


@pytest.mark.posix("access control lists of POSIX")
@pytest.mark.parametrize("acl", [True, False])
def test_at_no_moment_others_may_read_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, acl: bool) -> None:
    path = tmp_path / "config"
    path.write_text("old\n")
    path.chmod(0o640)
    _setfacl("-d", "-m", "u:65534:rw,g::rw,o::r", tmp_path)
    if acl:
        _setfacl("-m", "u:65533:r", path)
    wanted = (path.stat().st_mode, _getfacl(path))
    seen: list[tuple[int, str]] = []
    for name in ("open", "fchown", "fchmod", "setxattr", "removexattr", "fsync", "replace"):
        monkeypatch.setattr(os, name, _looking(getattr(os, name), tmp_path, seen))
    replace(read(str(path), "config"), "new\n", keep_old=True)
    assert [found for found in seen if found[0] & 0o077 and found != wanted] == []
    assert wanted in seen


@pytest.mark.skipif(sys.platform != "linux", reason="Python has attributes on Linux alone")
def test_attributes_stay_and_one_that_cannot_refuses_the_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    path = tmp_path / "config"
    path.write_text("old\n")
    os.setxattr(path, "user.kept", b"value")
    _edited(path)
    assert os.getxattr(path, "user.kept") == b"value"
    monkeypatch.setattr(os, "setxattr", refused)
    with pytest.raises(ConfigError, match=r"config: cannot be written: user\.kept cannot be kept: operation not"):
        _edited(path, "newer\n")
    assert [one.read_text() for one in tmp_path.iterdir()] == ["new\n"]


@pytest.mark.posix("modes of files")
def test_a_mode_that_was_narrowed_meanwhile_is_not_widened_again(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("old\n")
    path.chmod(0o644)
    file = read(str(path), "config")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="was changed"):
        replace(file, "new\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def _turn_the_link(tmp_path: Path) -> None:
    (tmp_path / "there").unlink()
    (tmp_path / "there").symlink_to("b")


def _turn_the_inner_link(tmp_path: Path) -> None:
    (tmp_path / "a" / "config").unlink()
    (tmp_path / "a" / "config").symlink_to("../b/config")


def _swap_the_directory(tmp_path: Path) -> None:
    (tmp_path / "a").rename(tmp_path / "c")
    (tmp_path / "b").rename(tmp_path / "a")


@pytest.mark.posix("links, which Windows makes for administrators alone")
@pytest.mark.parametrize("swap", [_turn_the_link, _turn_the_inner_link, _swap_the_directory])
def test_what_is_put_in_the_place_of_a_file_that_was_read_is_not_replaced(
    tmp_path: Path, swap: Callable[[Path], None]
) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "config").write_text("old\n")  # equal: the content alone does not tell them apart
    (tmp_path / "there").symlink_to("a")
    file = read(str(tmp_path / "there" / "config"), "config")
    swap(tmp_path)
    with pytest.raises(ConfigError, match="was changed"):
        replace(file, "new\n", keep_old=True)
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert {one.read_text() for one in files} == {"old\n"}
    assert {one.name for one in files} == {"config"}


NOBODY = 65534


def _directory(tmp_path: Path) -> Path:
    os.chown(tmp_path / "home", NOBODY, NOBODY)
    return tmp_path / "home" / "config"


def _directory_above(tmp_path: Path) -> Path:
    (tmp_path / "home" / ".aws").mkdir()
    (tmp_path / "home" / ".aws" / "config").write_text("old\n")
    return _directory(tmp_path).parent / ".aws" / "config"


def _nothing_there_yet(tmp_path: Path) -> Path:
    return _directory(tmp_path).parent / ".aws" / "config"


def _a_link_of_theirs(tmp_path: Path) -> Path:
    link = tmp_path / "link"
    link.symlink_to("home/config")
    os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
    return link


def _a_link_to_theirs(tmp_path: Path) -> Path:
    (tmp_path / "link").symlink_to(_directory(tmp_path))
    return tmp_path / "link"


@pytest.mark.root("has another user's directory")
@pytest.mark.parametrize(
    "make", [_directory, _directory_above, _nothing_there_yet, _a_link_of_theirs, _a_link_to_theirs]
)
def test_root_writes_nothing_in_another_users_directory_nor_through_a_link_of_theirs(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config").write_text("old\n")
    path = make(tmp_path)
    before = {one: one.lstat() for one in tmp_path.rglob("*")}
    with pytest.raises(ConfigError, match=r"config: /.* belongs to another user \(65534\)") as caught:
        _edited(path)
    assert "as that user" in str(caught.value.hint)
    assert {one: one.lstat()[:7] for one in tmp_path.rglob("*")} == {one: it[:7] for one, it in before.items()}


@pytest.mark.root("has another user's directory")
def test_root_does_not_write_where_another_users_directory_was_put_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "aws" / "config"
    path.parent.mkdir()
    file = read(str(path), "config")
    os.chown(path.parent, NOBODY, NOBODY)
    with pytest.raises(ConfigError, match="the directory belongs to another user"):
        replace(file, "new\n", keep_old=True)
    assert list(path.parent.iterdir()) == []


def _setfacl(*arguments: str | Path) -> None:
    subprocess.run(["setfacl", *arguments], check=True)  # noqa: S607 - of the package acl


def _getfacl(path: Path) -> str:
    command = ["getfacl", "--omit-header", "--numeric", "--absolute-names", str(path)]
    return str(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _looking(function: Callable[..., object], directory: Path, seen: list[tuple[int, str]]) -> Callable[..., object]:
    """Return the function, which after each call notes mode and ACL of each file that is not the user's own."""

    def looking(*arguments: object, **options: object) -> object:
        found = function(*arguments, **options)
        files = [path for path in directory.iterdir() if path.name != "config" or function.__name__ == "replace"]
        seen.extend((path.stat().st_mode, _getfacl(path)) for path in files)
        return found

    return looking
