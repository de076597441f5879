"""The writer of the two AWS files: whole or not at all, where the file really lies, as it was but for the text."""

import os
import stat
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


def test_a_file_that_is_not_there_is_made_private_with_its_directory(tmp_path: Path) -> None:
    path = tmp_path / ".aws" / "config"
    _edited(path)
    assert path.read_text() == "new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o077 == 0


def test_an_edit_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("old\n")
    before = path.stat()
    _edited(path, "old\n")
    assert path.stat() == before
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
