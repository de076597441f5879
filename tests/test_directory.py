"""Credproc's own directory: on a disk that does not answer, and where others keep files too."""

import errno
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from credproc import cache, paths
from credproc.commands.clear import clear
from credproc.commands.status import status
from credproc.files import PrivateDirectory
from credproc.locking import directory as module
from credproc.locking.directory import TimedDirectory, make_directory, own_directory
from tests.posix import WINDOWS


def test_a_write_is_a_write(tmp_path: Path) -> None:
    directory = make_directory(str(tmp_path / "cache"), TimedDirectory)
    directory.write("name", b"data")
    assert directory.read("name", 100) == b"data"
    directory.remove("name")
    (tmp_path / "cache" / "name").mkdir()
    with pytest.raises(PermissionError if WINDOWS else IsADirectoryError):
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
        with pytest.raises(OSError, match=re.escape(os.strerror(errno.ETIMEDOUT))) as raised:
            directory.write(name, b"data")
        assert raised.value.errno == errno.ETIMEDOUT
    assert time.monotonic() - began >= 0.2
    assert asked == ["first"]
    answer.set()
    directory.close()


# --- CREDPROC_CACHE_DIR, in which others may keep files ---------------------------------------------------------------


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Path:
    path = tmp_path / "place"
    path.mkdir(0o700)
    return path


@pytest.fixture(name="environ")
def _environ(place: Path) -> dict[str, str]:
    return {"HOME": str(place.parent), "CREDPROC_CACHE_DIR": str(place)}


def _chosen(environ: Mapping[str, str]) -> str:
    """Return the path of the directory that a refresh uses."""
    directory = own_directory(environ)
    assert directory is not None
    directory.close()
    assert directory.path == paths.cache_directory(environ)
    return directory.path


def _store(environ: Mapping[str, str]) -> None:
    """Store an entry as a refresh does, which everybody may be served for a minute."""
    directory, now = own_directory(environ), time.time()
    assert directory is not None
    entry = cache.Entry(
        served_from=0,
        served_until=int(now) + 60,
        fingerprint=cache.fingerprint(environ, now),
        document=b"{}\n",
        compared=b'{"profile": "p", "expiration": %d}' % (now + 60),
    )
    cache.store(directory, cache.entry_name("p", environ), entry)
    directory.close()


def test_an_empty_directory_is_used_itself_and_a_missing_one_is_made(place: Path, environ: dict[str, str]) -> None:
    assert _chosen(environ) == str(place)
    new = {**environ, "CREDPROC_CACHE_DIR": str(place.parent / "new" / "cache")}
    assert _chosen(new) == new["CREDPROC_CACHE_DIR"]


@pytest.mark.posix("modes of files")
@pytest.mark.parametrize("other", ["Cargo.lock", "0123456789abcdef0123456789abcdef.lock", ".hidden", "directory/file"])
def test_a_directory_that_holds_other_things_gets_one_below_it(
    place: Path, environ: dict[str, str], other: str
) -> None:
    (place / other).parent.mkdir(exist_ok=True)
    (place / other).touch(mode=0o600)
    assert _chosen(environ) == str(place / "credproc")
    assert (place / "credproc").stat().st_mode & 0o777 == 0o700
    (place / other).unlink()
    assert _chosen(environ) == str(place / "credproc")


def test_a_directory_that_credproc_has_used_is_used_further_whatever_comes_into_it(
    place: Path, environ: dict[str, str]
) -> None:
    (place / "credproc.log").touch(mode=0o600)  # of a credproc that made no mark
    (place / "Cargo.lock").touch()
    assert _chosen(environ) == str(place)
    (place / "credproc.log").unlink()
    assert _chosen(environ) == str(place)
    with pytest.raises(FileExistsError):
        (place / "credproc").mkdir()


@pytest.mark.posix("modes of files")
def test_the_log_of_somebody_else_is_no_mark(place: Path, environ: dict[str, str]) -> None:
    (place / "credproc.log").touch(mode=0o644)
    assert _chosen(environ) == str(place / "credproc")


@pytest.mark.parametrize("makes", [Path.touch, Path.mkdir])
def test_two_runs_that_decide_at_once_use_the_same_directory(
    place: Path, environ: dict[str, str], makes: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = module._decide

    def late(directory: PrivateDirectory, below: str) -> None:
        makes(Path(below))  # what the other run has decided, after this one has looked
        decide(directory, below)

    monkeypatch.setattr(module, "_decide", late)
    (place / "other").touch()
    wanted = str(place) if makes is Path.touch else str(place / "credproc")
    assert _chosen(environ) == wanted
    assert _chosen(environ) == wanted


def test_nothing_is_stored_among_other_things_where_none_can_be_made_below(
    place: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    (place / "other").touch()
    monkeypatch.setattr(os, "mkdir", full)
    assert own_directory(environ) is None
    assert os.listdir(place) == ["other"]


@pytest.mark.parametrize("others", [False, True])
def test_a_hit_and_the_commands_look_where_a_refresh_stores(
    place: Path,
    environ: dict[str, str],
    others: bool,  # noqa: FBT001
) -> None:
    if others:
        (place / "other.entry").write_bytes(b"of another program")
        (place / "other.entry").chmod(0o600)
    assert cache.hit("p", environ, time.time()) is None
    _store(environ)
    assert len(list((place / "credproc" if others else place).glob("*.entry"))) == 1
    assert cache.hit("p", environ, time.time()) == b"{}\n"
    assert " p " in status(environ, time.time(), as_json=False).data.decode()
    assert len(clear(None, environ)) == 1
    assert cache.hit("p", environ, time.time()) is None
    assert (place / "other.entry").exists() is others


@pytest.mark.posix("modes of files")
def test_a_directory_that_others_may_write_is_not_used_and_none_is_made_in_it(
    place: Path, environ: dict[str, str]
) -> None:
    (place / "other").touch()
    place.chmod(0o777)
    assert own_directory(environ) is None
    assert os.listdir(place) == ["other"]


@pytest.mark.posix("XDG_CACHE_HOME")
def test_the_default_directory_is_credprocs_alone_and_gets_no_mark(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    (tmp_path / ".cache" / "credproc").mkdir(0o700, parents=True)
    (tmp_path / ".cache" / "credproc" / "other").touch()
    assert _chosen(environ) == str(tmp_path / ".cache" / "credproc")
    assert os.listdir(tmp_path / ".cache" / "credproc") == ["other"]
