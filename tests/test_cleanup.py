"""What is removed of credproc's own old files, by whom, and what stays."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from credproc import cache
from credproc.files import PrivateDirectory
from credproc.locking.directory import make_directory
from credproc.locking.lock import Lock
from credproc.refresh.cleanup import clean_up

DAY = 24 * 3600
HASH = "0123456789abcdef0123456789abcdef"
NAME = HASH + cache.SUFFIX


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Iterator[PrivateDirectory]:
    directory = make_directory(str(tmp_path / "cache"))
    yield directory
    directory.close()


def _put(directory: PrivateDirectory, name: str, age: float, data: bytes = b"") -> None:
    directory.write(name, data)
    moment = time.time() - age
    os.utime(os.path.join(directory.path, name), (moment, moment))


def _put_entry(directory: PrivateDirectory, ended: float, *, age: float, name: str = NAME) -> None:
    about = json.dumps({"expiration": int(time.time() - ended)}).encode()
    entry = cache.Entry(served_from=0, served_until=1, fingerprint="-,-", document=b"{}\n", compared=about)
    cache.store(directory, name, entry)
    moment = time.time() - age
    os.utime(os.path.join(directory.path, name), (moment, moment))


def _dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", ""])
    process.wait()
    return process.pid


def test_what_a_dead_process_was_writing_goes_and_what_a_living_one_writes_stays(directory: PrivateDirectory) -> None:
    dead, living = f"{NAME}.{_dead_pid()}-0a1b2c3d.tmp", f"{NAME}.{os.getpid()}-0a1b2c3d.tmp"
    _put(directory, dead, 0)
    _put(directory, living, 0)
    _put(directory, "x.tmp", 0)
    assert clean_up(directory, time.time()) == 1
    assert directory.names() == [living, "x.tmp"]


@pytest.mark.parametrize(("age", "stays"), [(DAY - 60, True), (DAY + 60, False)])
def test_a_process_id_says_nothing_about_a_file_of_a_day_ago(
    directory: PrivateDirectory,
    age: float,
    stays: bool,  # noqa: FBT001
) -> None:
    _put(directory, f"{NAME}.{os.getpid()}-0a1b2c3d.tmp", age)
    assert clean_up(directory, time.time()) == (not stays)


@pytest.mark.parametrize(("ended", "stays"), [(DAY - 60, True), (DAY + 60, False)])
def test_an_entry_goes_a_day_after_its_credentials_have_ended(
    directory: PrivateDirectory,
    ended: float,
    stays: bool,  # noqa: FBT001
) -> None:
    _put_entry(directory, ended, age=2 * DAY)
    clean_up(directory, time.time())
    assert (NAME in directory.names()) is stays


def test_a_damaged_entry_goes_after_a_day(directory: PrivateDirectory) -> None:
    _put(directory, NAME, DAY + 60, b"garbage")
    _put(directory, "f" + NAME[1:], DAY - 60, b"garbage")
    clean_up(directory, time.time())
    assert NAME not in directory.names()
    assert "f" + NAME[1:] in directory.names()


def test_an_entry_that_somebody_works_on_stays(directory: PrivateDirectory) -> None:
    _put_entry(directory, 2 * DAY, age=2 * DAY)
    lock = Lock(directory, NAME)
    assert lock.try_acquire()
    clean_up(directory, time.time())
    assert NAME in directory.names()
    lock.close()
    clean_up(directory, time.time())
    assert NAME not in directory.names()


def test_a_lock_file_goes_after_a_day_without_a_holder(directory: PrivateDirectory) -> None:
    _put(directory, NAME + ".lock", DAY + 60)
    assert clean_up(directory, time.time()) == 1
    assert directory.names() == []


@pytest.mark.posix("removing or renaming a file that is open")
def test_who_had_opened_a_lock_file_that_goes_locks_the_new_one(directory: PrivateDirectory) -> None:
    first, second, third = (Lock(directory, NAME) for _ in range(3))
    assert first.try_acquire()
    assert not second.try_acquire()  # which has opened the file
    os.utime(os.path.join(directory.path, NAME + ".lock"), (0, 0))
    first.close()
    assert clean_up(directory, time.time()) == 1
    assert not second.try_acquire()  # the file that it has opened is gone
    assert second.try_acquire()
    assert not third.try_acquire()
    second.close()


def test_what_meant_something_for_seconds_goes_and_the_note_of_a_session_stays(directory: PrivateDirectory) -> None:
    stays = [f"{HASH}.credentials", f"{HASH}.key", f"{HASH}.session"]
    goes = [f"{HASH}.declined", f"{NAME}.declined", "terminal-0a.shown", f"{HASH}.used", "keyring.unresponsive"]
    for name in (*stays, *goes, "doctor-0123456789abcdef", "doctor-0123456789abcdef.credentials"):
        _put(directory, name, DAY + 60)
    young = f"f{HASH[1:]}.used"
    _put(directory, young, DAY - 60)
    clean_up(directory, time.time())
    assert directory.names() == [*stays, young]


def test_fifty_at_most_go_at_once(directory: PrivateDirectory) -> None:
    for number in range(120):
        _put(directory, f"{number:032x}.used", DAY + 60)
    assert [clean_up(directory, time.time()) for _ in range(4)] == [50, 50, 20, 0]


def test_a_file_that_is_new_again_stays(directory: PrivateDirectory) -> None:
    _put_entry(directory, 2 * DAY, age=0)
    clean_up(directory, time.time())
    assert directory.names() == [NAME]


FOREIGN = (
    "Cargo.lock",
    "poetry.lock",
    "x.tmp",
    "x.entry",
    "notes.key",
    f"{HASH}.entry.bak",
    f"x{NAME}",
    f"{HASH[1:]}.lock",
    f"{HASH.upper()}.used",
    "terminal-1.shown",
    "Cargo.lock.1-0a1b2c3d.tmp",
    f"{NAME}.{'9' * 20}-0a1b2c3d.tmp",
    f"{NAME}.1-0a1b2c3d.tmp.tmp",
)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_that_is_named_otherwise_stays_whatever_its_age(directory: PrivateDirectory, name: str) -> None:
    _put(directory, name, 400 * DAY)
    assert clean_up(directory, time.time()) == 0
    assert directory.names() == [name]


@pytest.mark.posix("modes of files")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o666])
@pytest.mark.parametrize("name", [NAME, f"{HASH}.lock", f"{HASH}.used", f"{NAME}.{2**22 + 1}-0a1b2c3d.tmp"])
def test_a_file_that_others_may_read_or_write_is_not_ours_and_stays(
    directory: PrivateDirectory, name: str, mode: int
) -> None:
    _put(directory, name, 2 * DAY)
    path = Path(directory.path) / name
    path.chmod(mode)
    assert clean_up(directory, time.time()) == 0
    path.chmod(0o600)
    assert clean_up(directory, time.time()) == 1


@pytest.mark.root("gives a file to another user")
def test_a_file_of_another_user_stays(directory: PrivateDirectory) -> None:
    _put(directory, NAME, 2 * DAY)
    os.chown(os.path.join(directory.path, NAME), 65534, 65534)
    assert clean_up(directory, time.time()) == 0


@pytest.mark.parametrize("kind", ["directory", "link", "FIFO"])
def test_what_is_no_file_stays(directory: PrivateDirectory, kind: str) -> None:
    path = Path(directory.path) / f"{HASH}.used"
    if kind == "directory":
        path.mkdir(0o600)
    elif kind == "link":
        path.symlink_to("nowhere")
    else:
        os.mkfifo(path, 0o600)
    os.utime(path, (0, 0), follow_symlinks=False)
    assert clean_up(directory, time.time()) == 0
    assert directory.names() == [path.name]
