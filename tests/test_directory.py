"""A directory on a disk that does not answer."""

import errno
import threading
import time
from pathlib import Path

import pytest

from credproc.files import PrivateDirectory, make_directory
from credproc.locking import directory as module
from credproc.locking.directory import TimedDirectory


def test_a_write_is_a_write(tmp_path: Path) -> None:
    directory = make_directory(str(tmp_path / "cache"), TimedDirectory)
    directory.write("name", b"data")
    assert directory.read("name", 100) == b"data"
    directory.remove("name")
    (tmp_path / "cache" / "name").mkdir()
    with pytest.raises(IsADirectoryError):
        directory.write("name", b"data")
    directory.close()


def test_a_disk_that_does_not_answer_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = make_directory(str(tmp_path / "cache"), TimedDirectory)
    answer, asked = threading.Event(), []

    def stuck(_: PrivateDirectory, name: str, __: bytes) -> None:
        asked.append(name)
        answer.wait()

    monkeypatch.setattr(PrivateDirectory, "write", stuck)
    monkeypatch.setattr(module, "_WRITE_SECONDS", 0.2)
    began = time.monotonic()
    for name in ("first", "second", "third"):
        with pytest.raises(OSError, match="timed out") as raised:
            directory.write(name, b"data")
        assert raised.value.errno == errno.ETIMEDOUT
    assert time.monotonic() - began >= 0.2
    assert asked == ["first"]
    answer.set()
    directory.close()
