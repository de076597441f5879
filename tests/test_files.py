"""Private files and the entries in them: what is not ours, or not whole, is left alone and does no harm."""

import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from credproc import cache, log
from credproc.errors import ConfigError, DeadlineError
from credproc.files import PrivateDirectory, open_directory
from credproc.locking.directory import make_directory
from credproc.locking.lock import RECORD_BYTES, Lock, poll_interval

NOW = 1_800_000_000
NAME = "0123456789abcdef" + cache.SUFFIX
ENTRY = cache.Entry(
    served_from=NOW, served_until=NOW + 60, fingerprint="-,-", document=b'{"Version":1}\n', compared=b"{}"
)
NOWHERE = {"HOME": "/nonexistent"}


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Iterator[PrivateDirectory]:
    directory = make_directory(str(tmp_path / "cache"))
    yield directory
    directory.close()


LOCKS_US_OUT = pytest.param(0o777, marks=pytest.mark.root("opens files whose mode locks all out"))


@pytest.fixture(name="umask", params=[0, 0o022, 0o077, LOCKS_US_OUT], ids=oct)
def _umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def _mode(path: str | Path) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


# --- modes ----------------------------------------------------------------------------------------------------------


@pytest.mark.posix("modes of files")
def test_files_and_directories_are_never_wider_than_private(tmp_path: Path, umask: int) -> None:
    directory = make_directory(str(tmp_path / "a" / "b" / "cache"))
    directory.write(NAME, b"x")
    os.close(directory.open("name.lock", os.O_RDWR | os.O_CREAT))
    assert [_mode(tmp_path / "a" / "b" / "cache" / name) for name in directory.names()] == [0o600 & ~umask] * 2
    assert _mode(tmp_path / "a" / "b" / "cache") == 0o700 & ~umask
    assert [_mode(tmp_path / "a"), _mode(tmp_path / "a" / "b")] == [0o700 & ~umask] * 2
    assert directory.read(NAME, 9) == b"x"
    directory.close()


@pytest.mark.posix("modes of files")
def test_a_file_is_private_from_its_first_byte_on(directory: PrivateDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    write = os.write

    def noted(fd: int, data: bytes) -> int:
        seen.append(stat.S_IMODE(os.fstat(fd).st_mode))
        return write(fd, data[:3])  # a write may take less than all

    monkeypatch.setattr(os, "write", noted)
    directory.write(NAME, b"abcdefgh")
    monkeypatch.undo()
    assert seen == [0o600] * 3
    assert directory.read(NAME, 9) == b"abcdefgh"


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o705, 0o700])
def test_a_directory_that_others_may_only_read_is_used(tmp_path: Path, mode: int) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(mode)
    make_directory(str(tmp_path / "cache")).close()


@pytest.mark.posix("modes of files")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o610])
def test_a_file_that_others_may_use_is_not_read(directory: PrivateDirectory, mode: int) -> None:
    cache.store(directory, NAME, ENTRY)
    (Path(directory.path) / NAME).chmod(mode)
    assert cache.load(directory, NAME) is None
    cache.store(directory, NAME, ENTRY)
    assert cache.load(directory, NAME) is not None, "it heals"


# --- what stands in the place of an entry -----------------------------------------------------------------------------


def _symlink(path: Path, other: Path) -> None:
    path.symlink_to(other)


def _fifo(path: Path, _: Path) -> None:
    os.mkfifo(path, 0o600)


def _subdirectory(path: Path, _: Path) -> None:
    path.mkdir(0o700)


def _hard_link(path: Path, other: Path) -> None:
    path.hardlink_to(other)


def _device(path: Path, _: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.posix("modes of files, links and FIFOs")
@pytest.mark.parametrize("stand_in", [_symlink, _fifo, _subdirectory, _hard_link, _device])
def test_what_stands_in_for_an_entry_is_a_miss_at_once_and_is_not_written_to(
    directory: PrivateDirectory, tmp_path: Path, stand_in: Callable[[Path, Path], None]
) -> None:
    # A whole entry, but of another name: nobody can make one answer for another by a link
    other = "f" + NAME[1:]
    cache.store(directory, other, ENTRY)
    before = (Path(directory.path) / other).read_bytes()
    path = Path(directory.path) / NAME
    stand_in(path, Path(directory.path) / other)
    began = time.monotonic()
    assert cache.load(directory, NAME) is None
    assert cache.fresh(directory, NAME, NOWHERE, NOW) is None
    assert time.monotonic() - began < 1
    if stand_in is _subdirectory:
        with pytest.raises(OSError, match="directory"):
            cache.store(directory, NAME, ENTRY)
    else:
        cache.store(directory, NAME, ENTRY)
        assert cache.load(directory, NAME) is not None
        assert stat.S_ISREG(os.lstat(path).st_mode)
        assert os.lstat(path).st_nlink == 1
    assert (Path(directory.path) / other).read_bytes() == before
    assert not [name for name in directory.names() if name.endswith(".tmp")]
    assert tmp_path.exists()


def test_a_link_to_a_whole_entry_of_the_same_name_is_not_followed(directory: PrivateDirectory, tmp_path: Path) -> None:
    cache.store(directory, NAME, ENTRY)
    (Path(directory.path) / NAME).rename(tmp_path / NAME)
    (Path(directory.path) / NAME).symlink_to(tmp_path / NAME)
    assert cache.load(directory, NAME) is None


def test_a_file_longer_than_asked_for_is_none(directory: PrivateDirectory) -> None:
    directory.write(NAME, b"x" * 10)
    assert directory.read(NAME, 10) == b"x" * 10
    assert directory.read(NAME, 9) is None


# --- replacing --------------------------------------------------------------------------------------------------------


@pytest.mark.posix("descriptors of directories")
@pytest.mark.parametrize("failing", ["write", "fsync", "rename"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    directory: PrivateDirectory, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    directory.write(NAME, b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="No space left"):
        directory.write(NAME, b"new")
    monkeypatch.undo()
    assert directory.names() == [NAME]
    assert directory.read(NAME, 9) == b"old"


@pytest.mark.posix("replacing a file that is open")
def test_a_reader_that_has_the_file_open_keeps_the_old_one_whole(directory: PrivateDirectory) -> None:
    directory.write(NAME, b"old")
    fd = directory.open(NAME, os.O_RDONLY)
    directory.write(NAME, b"a newer and longer one")
    assert os.read(fd, 99) == b"old"
    os.close(fd)
    assert directory.read(NAME, 99) == b"a newer and longer one"


def test_an_entry_over_the_limit_is_not_stored_and_the_old_one_stands(directory: PrivateDirectory) -> None:
    cache.store(directory, NAME, ENTRY)
    whole = (Path(directory.path) / NAME).stat().st_size
    room = 64 * 1024 - whole + len(ENTRY.compared)
    for size, stored in ((room, True), (room + 1, False)):
        entry = cache.Entry(
            served_from=NOW,
            served_until=NOW + 60,
            fingerprint="-,-",
            document=ENTRY.document,
            compared=b"x" * size,
        )
        if stored:
            cache.store(directory, NAME, entry)
        else:
            with pytest.raises(OSError, match=r"^entry of 65504 bytes is over the limit of 65536$"):
                cache.store(directory, NAME, entry)
    kept = cache.load(directory, NAME)
    assert kept is not None
    assert len(kept.compared) == room


@pytest.mark.posix("removing or renaming a file that is open")
def test_a_directory_that_was_renamed_is_still_the_same_one(directory: PrivateDirectory, tmp_path: Path) -> None:
    (tmp_path / "cache").rename(tmp_path / "moved")
    (tmp_path / "cache").mkdir()
    directory.write(NAME, b"x")
    assert (tmp_path / "moved" / NAME).exists()
    assert not list((tmp_path / "cache").iterdir())


def test_removing_says_whether_there_was_something(directory: PrivateDirectory) -> None:
    directory.write(NAME, b"x")
    assert directory.remove(NAME)
    assert not directory.remove(NAME)
    assert directory.status(NAME) is None


def test_no_descriptor_is_inherited(directory: PrivateDirectory) -> None:
    fd = directory.open("name.lock", os.O_RDWR | os.O_CREAT)
    assert not os.get_inheritable(fd)
    os.close(fd)


def test_where_there_is_no_directory_there_is_none(tmp_path: Path) -> None:
    assert open_directory(None) is None
    assert open_directory(str(tmp_path / "absent")) is None
    (tmp_path / "file").write_text("")
    assert open_directory(str(tmp_path / "file")) is None
    with pytest.raises(OSError, match="file"):
        make_directory(str(tmp_path / "file"))
    with pytest.raises(OSError, match="file"):
        make_directory(str(tmp_path / "file" / "cache"))


# --- hits -------------------------------------------------------------------------------------------------------------


@pytest.fixture(name="environ")
def _environ(tmp_path: Path) -> dict[str, str]:
    for name in ("config", "credentials"):
        (tmp_path / name).write_text("[default]\n")
    return {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "CREDPROC_CACHE_DIR": str(tmp_path / "cache"),
    }


@pytest.fixture(name="stored")
def _stored(directory: PrivateDirectory, environ: dict[str, str]) -> float:
    """Store an entry for profile ``p``, and return a moment that is long after the files changed."""
    now = time.time() + 100
    entry = cache.Entry(
        served_from=int(now),
        served_until=int(now) + 60,
        fingerprint=cache.fingerprint(environ, now),
        document=ENTRY.document,
        compared=b"{}",
    )
    cache.store(directory, cache.entry_name("p", environ), entry)
    return now


def test_an_entry_of_unchanged_files_is_a_hit(environ: dict[str, str], stored: float) -> None:
    assert cache.hit("p", environ, stored) == ENTRY.document
    assert cache.hit("q", environ, stored) is None
    assert cache.hit(None, environ, stored) is None


@pytest.mark.parametrize("name", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
@pytest.mark.parametrize(
    "change", ["size", "mtime", "inode", "removed", pytest.param("mode", marks=pytest.mark.posix("modes of files"))]
)
def test_a_file_that_looks_different_is_a_miss(environ: dict[str, str], stored: float, name: str, change: str) -> None:
    path = Path(environ[name])
    before = path.stat()
    if change == "size":
        path.write_text("[default]\n\n")
    elif change == "mtime":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000))
    elif change == "inode":
        (path.parent / "new").write_text("[default]\n")
        os.utime(path.parent / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
        (path.parent / "new").replace(path)
    elif change == "mode":
        path.chmod(0o600)
    else:
        path.unlink()
    assert cache.hit("p", environ, stored) is None


@pytest.mark.parametrize(
    "variable",
    (
        "AWS_REGION AWS_DEFAULT_REGION AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT AWS_STS_REGIONAL_ENDPOINTS"
        " AWS_ENDPOINT_URL AWS_ENDPOINT_URL_STS AWS_IGNORE_CONFIGURED_ENDPOINT_URLS AWS_ACCESS_KEY_ID"
        " AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_ROLE_ARN"
        " AWS_ROLE_SESSION_NAME AWS_WEB_IDENTITY_TOKEN_FILE"
    ).split(),
)
def test_each_variable_that_chooses_the_result_has_its_own_entry(
    environ: dict[str, str], stored: float, variable: str
) -> None:
    names = {cache.entry_name("p", environ | {variable: value}) for value in ("", "a", "b")}
    assert len(names | {cache.entry_name("p", environ)}) == 4
    assert cache.hit("p", environ | {variable: "x"}, stored) is None


@pytest.mark.parametrize("variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "HOME"])
def test_other_files_have_another_entry(variable: str) -> None:
    assert cache.entry_name("p", {"HOME": "/a"}) != cache.entry_name("p", {"HOME": "/a"} | {variable: "/b"})


@pytest.mark.parametrize("variable", ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HTTPS_PROXY", "AWS_CA_BUNDLE"])
def test_a_secret_and_a_proxy_do_not_choose_the_entry(variable: str) -> None:
    assert cache.entry_name("p", {variable: "x"}) == cache.entry_name("p", {})


def test_variables_do_not_run_into_each_other() -> None:
    one = {"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}
    names = [one, {"AWS_REGION": "ab"}, {"AWS_REGION": "b", "AWS_DEFAULT_REGION": "a"}, {"AWS_DEFAULT_REGION": "ab"}]
    assert len({cache.entry_name("p", environ) for environ in names}) == 4


@pytest.mark.parametrize("profile", ["é", "\udcff", "a/b", "..", "x" * 10_000, "a\nb"])
def test_an_entry_may_be_of_any_profile_and_its_name_is_plain(profile: str) -> None:
    name = cache.entry_name(profile, {})
    assert name.removesuffix(cache.SUFFIX).isalnum()
    assert len(name) == 32 + len(cache.SUFFIX)


@pytest.mark.parametrize("age", [-1.9, 0, 1.9])
def test_a_file_of_this_moment_or_of_the_future_is_unsure(tmp_path: Path, age: float) -> None:
    (tmp_path / "config").write_text("")
    environ = {"AWS_CONFIG_FILE": str(tmp_path / "config"), **NOWHERE}
    assert cache.fingerprint(environ, (tmp_path / "config").stat().st_mtime + age) == "unsure"


def test_a_file_is_sure_from_exactly_two_seconds_after_its_change(tmp_path: Path) -> None:
    changed = 1_000_000_000
    (tmp_path / "config").write_text("")
    os.utime(tmp_path / "config", (changed, changed))
    environ = {"AWS_CONFIG_FILE": str(tmp_path / "config"), **NOWHERE}
    sure = cache.fingerprint(environ, changed + 2)
    status = (tmp_path / "config").stat()
    assert sure == f"{changed}000000000.{status.st_ctime_ns}.0.{status.st_ino}.{status.st_dev},-"
    assert cache.fingerprint(environ, changed - 2) == sure
    assert cache.fingerprint(environ, changed + 2 - 1e-6) == cache.fingerprint(environ, changed - 2 + 1e-6) == "unsure"


def test_a_file_whose_inode_has_just_changed_is_unsure_whatever_it_says_of_its_age(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("")
    os.utime(tmp_path / "credentials", (NOW, NOW))
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"), **NOWHERE}
    assert cache.fingerprint(environ, (tmp_path / "credentials").stat().st_ctime + 1.9) == "unsure"


@pytest.mark.parametrize("absent", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_each_file_has_its_place_in_the_fingerprint(environ: dict[str, str], absent: str) -> None:
    Path(environ[absent]).unlink()
    there = [name != absent for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")]
    assert [seen != "-" for seen in cache.fingerprint(environ, NOW).split(",")] == there


@pytest.mark.posix("the user database")
def test_without_a_home_there_are_no_files_and_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", unknown)  # a container that runs as a user without an entry
    assert cache.fingerprint({}, NOW) == "-,-"
    assert cache.hit("p", {}, NOW) is None
    assert cache.entry_name("p", {}) != cache.entry_name("p", NOWHERE)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_hit_and_a_miss_leave_nothing_open(environ: dict[str, str], stored: float) -> None:
    before = len(os.listdir("/proc/self/fd"))
    assert cache.hit("p", environ, stored) == ENTRY.document
    assert cache.hit("q", environ, stored) is None
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_that_is_absent_is_known_to_be() -> None:
    assert cache.fingerprint(NOWHERE, NOW) == "-,-"


# --- locks ------------------------------------------------------------------------------------------------------------

HOLDER = """
import sys, time
from credproc.files import PrivateDirectory
from credproc.locking.lock import Lock
lock = Lock(PrivateDirectory(sys.argv[1]), "name")
assert lock.try_acquire()
print("held", flush=True)
sys.stdin.readline()
lock.close()
sys.stdin.readline()
"""


@pytest.fixture(name="holder")
def _holder(directory: PrivateDirectory) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, directory.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def test_a_lock_that_is_let_go_is_the_next_ones(directory: PrivateDirectory, holder: "subprocess.Popen[str]") -> None:
    lock = Lock(directory, "name")
    looks = []

    def look() -> None:
        looks.append(time.monotonic())
        if len(looks) == 2:
            assert holder.stdin is not None
            holder.stdin.write("\n")
            holder.stdin.flush()

    assert lock.wait(look, time.monotonic() + 5) is None
    assert len(looks) >= 2
    assert f"process {os.getpid()} " in lock.describe_holder()
    lock.close()


@pytest.mark.usefixtures("holder")
def test_a_deadline_in_the_past_still_tries_and_looks_once(directory: PrivateDirectory) -> None:
    looks: list[int] = []
    with pytest.raises(DeadlineError):
        Lock(directory, "name").wait(lambda: looks.append(1), time.monotonic() - 1)
    assert looks == [1]
    assert Lock(directory, "another").wait(lambda: None, time.monotonic() - 1) is None


@pytest.mark.posix("removing or renaming a file that is open")
def test_a_lock_is_taken_on_the_file_that_others_would_open(directory: PrivateDirectory) -> None:
    first, second = Lock(directory, "name"), Lock(directory, "name")
    assert first.try_acquire()
    (Path(directory.path) / "name.lock").unlink()
    assert second.try_acquire(), "the file of the first is gone, and with it what it locked"
    third = Lock(directory, "name")
    assert not third.try_acquire()
    for lock in (first, second, third):
        lock.close()


@pytest.mark.posix("modes of files")
def test_a_lock_file_is_never_removed_or_cut(directory: PrivateDirectory) -> None:
    for _ in range(2):
        lock = Lock(directory, "name")
        assert lock.try_acquire()
        lock.close()
        assert (Path(directory.path) / "name.lock").stat().st_size == RECORD_BYTES
    assert _mode(Path(directory.path) / "name.lock") == 0o600


def test_locks_of_two_names_have_nothing_to_do_with_each_other(directory: PrivateDirectory) -> None:
    one, two = Lock(directory, "one"), Lock(directory, "two")
    assert one.try_acquire()
    assert two.try_acquire()
    one.close()
    two.close()


def test_without_a_directory_the_lock_is_free() -> None:
    lock = Lock(None, "name")
    assert lock.try_acquire()
    assert lock.wait(lambda: None, time.monotonic()) is None
    assert "process" in lock.describe_holder()
    lock.close()


@pytest.mark.parametrize("record", [b"", b"\xff\xfe", b"1 2", b"a b c", b"1 2 3 4", b"X1 2 3", b"1 2 \x1b[2J"])
def test_a_record_that_is_none_is_not_shown(directory: PrivateDirectory, record: bytes) -> None:
    directory.write("name.lock", record)
    assert not re.search(r"\d|\x1b", Lock(directory, "name").describe_holder())


def test_a_lock_file_says_who_holds_it_and_nothing_else(directory: PrivateDirectory) -> None:
    lock = Lock(directory, "name")
    for _ in range(2):  # taken again, it is overwritten in place
        before = int(time.time())
        assert lock.try_acquire()
        record = (Path(directory.path) / "name.lock").read_text()
        pid, session, since = record.split()
        assert (int(pid), int(session)) == (os.getpid(), os.getsid(0))
        assert before <= int(since) <= time.time()
        assert record == f"{pid} {session} {since}".ljust(127) + "\n"
    lock.close()


@pytest.mark.parametrize(
    ("age", "session", "seconds"), [(0, "7", range(2)), (-100, "7", range(1)), (100, "-1", range(100, 102))]
)
def test_a_holder_is_named_with_the_time_that_it_has_had(
    directory: PrivateDirectory, age: int, session: str, seconds: range
) -> None:
    directory.write("name.lock", f"12 {session} {int(time.time()) - age}".ljust(RECORD_BYTES).encode())
    named = re.search(r"process 12 .* (\d+) s$", Lock(directory, "name").describe_holder())
    assert named is not None
    assert int(named[1]) in seconds


def test_a_record_that_is_too_long_is_not_shown(directory: PrivateDirectory) -> None:
    directory.write("name.lock", b"12 7 1".ljust(RECORD_BYTES + 1))
    assert not re.search(r"\d|\x1b", Lock(directory, "name").describe_holder())


@pytest.mark.posix("locks by fcntl")
@pytest.mark.parametrize("failing", ["lseek", "write"])
def test_a_full_disk_costs_nobody_the_lock(
    directory: PrivateDirectory, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    lock = Lock(directory, "name")
    monkeypatch.setattr(os, failing, fail)
    assert lock.try_acquire()
    monkeypatch.undo()
    assert not Lock(directory, "name").try_acquire()
    lock.close()


@pytest.mark.posix("locks by fcntl")
@pytest.mark.parametrize(
    ("error", "said"), [(OSError(37, "No locks available"), "no locks available"), (OSError("Odd"), "odd")]
)
def test_where_the_file_system_knows_no_locks_the_lock_is_free_and_the_log_says_so(
    directory: PrivateDirectory, monkeypatch: pytest.MonkeyPatch, error: OSError, said: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("fcntl.flock", fail)
    one, two = Lock(directory, "name"), Lock(directory, "name")
    assert one.try_acquire()
    assert _logged(directory) == [f"not locked: name.lock: {said}"]
    assert two.wait(lambda: None, time.monotonic() + 5) is None
    one.close()
    two.close()


@pytest.mark.posix("the error of POSIX for a directory that is opened as a file")
def test_a_lock_that_cannot_be_opened_is_free_and_the_log_says_so(directory: PrivateDirectory) -> None:
    (Path(directory.path) / "name.lock").mkdir()
    assert Lock(directory, "name").try_acquire()
    assert _logged(directory) == ["not locked: name.lock: is a directory"]


def test_a_lock_file_that_cannot_be_looked_at_is_taken_for_the_one_that_was_opened(
    directory: PrivateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(116, "Stale file handle")

    lock = Lock(directory, "name")
    monkeypatch.setattr(os.path, "samestat", fail)
    assert lock.try_acquire()
    monkeypatch.undo()
    assert not Lock(directory, "name").try_acquire()
    lock.close()


def _logged(directory: PrivateDirectory) -> list[str]:
    """Return the log's lines without time, process and profile."""
    return [line.split(" ", 3)[3] for line in (Path(directory.path) / log.NAME).read_text().splitlines()]


@pytest.mark.parametrize(
    ("waited", "seconds"), [(0, 0.05), (1, 0.05), (2, 0.1), (4, 0.2), (5, 0.25), (5.1, 0.25), (50, 0.25)]
)
def test_who_waits_looks_the_more_rarely_the_longer_it_takes(waited: float, seconds: float) -> None:
    assert poll_interval(waited) == pytest.approx(seconds)


@pytest.mark.usefixtures("holder")
def test_who_waits_hears_how_long_and_sleeps_meanwhile(directory: PrivateDirectory) -> None:
    heard: list[float] = []
    began = time.monotonic()
    with pytest.raises(DeadlineError):
        Lock(directory, "name").wait(lambda: None, began + 1, heard.append)
    assert 2 <= len(heard) <= 20
    assert heard == sorted(heard)
    assert 0 <= heard[0] < heard[-1] < 1
    assert time.monotonic() - began >= 1


@pytest.mark.posix("descriptors of directories")
@pytest.mark.usefixtures("holder")
def test_who_waits_looks_again_only_when_the_directory_has_changed(directory: PrivateDirectory) -> None:
    os.utime(directory.path, (NOW, NOW))
    looks: list[float] = []
    waited = 0.0

    def look() -> bytes | None:
        looks.append(waited)
        return directory.read("answer", 9)

    def while_waiting(seconds: float) -> None:
        nonlocal waited
        waited = seconds
        if seconds > 0.5:
            directory.write("answer", b"answer")

    assert Lock(directory, "name").wait(look, time.monotonic() + 5, while_waiting) == b"answer"
    assert looks[0] == 0
    assert len(looks) == 2


def test_who_waits_gets_the_lock_though_nothing_in_the_directory_has_changed(
    directory: PrivateDirectory, holder: "subprocess.Popen[str]"
) -> None:
    os.utime(directory.path, (NOW, NOW))

    def while_waiting(_: float) -> None:
        holder.kill()

    assert Lock(directory, "name").wait(lambda: None, time.monotonic() + 5, while_waiting) is None


@pytest.mark.posix("removing or renaming a file that is open")
@pytest.mark.usefixtures("holder")
def test_who_waits_gets_the_lock_when_somebody_removes_its_file(directory: PrivateDirectory) -> None:
    looks: list[int] = []

    def while_waiting(_: float) -> None:
        directory.remove("name.lock")

    lock = Lock(directory, "name")
    assert lock.wait(lambda: looks.append(1), time.monotonic() + 5, while_waiting) is None
    assert not Lock(directory, "name").try_acquire()
    lock.close()


@pytest.mark.posix("removing or renaming a file that is open")
def test_a_lock_on_a_file_that_was_removed_is_none(directory: PrivateDirectory) -> None:
    first, waiting, second = (Lock(directory, "name") for _ in range(3))
    assert first.try_acquire()
    assert not waiting.try_acquire()
    directory.remove("name.lock")
    assert second.try_acquire()
    first.close()
    assert not waiting.try_acquire(), "the file that it has open is free, and is not the one that counts"
    assert not waiting.try_acquire()
    second.close()
    assert waiting.try_acquire()
    waiting.close()


@pytest.mark.posix("removing or renaming a file that is open")
@pytest.mark.usefixtures("holder")
def test_who_tries_again_gets_the_lock_when_somebody_has_removed_its_file(directory: PrivateDirectory) -> None:
    lock = Lock(directory, "name")
    assert not lock.try_acquire()
    directory.remove("name.lock")
    assert [lock.try_acquire() for _ in range(2)] == [False, True]
    lock.close()


@pytest.mark.posix("descriptors of directories")
@pytest.mark.usefixtures("holder")
def test_who_waits_opens_the_lock_file_once(directory: PrivateDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    opening = os.open

    def noted(name: str, flags: int, mode: int, *, dir_fd: int) -> int:
        opened.append(name)
        return opening(name, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", noted)
    looks: list[int] = []
    with pytest.raises(DeadlineError):
        Lock(directory, "name").wait(lambda: looks.append(1), time.monotonic() + 0.5)
    monkeypatch.undo()
    assert len(looks) > 1
    assert opened == ["name.lock"] * 2, "once to lock it, and once to say who holds it"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.usefixtures("holder")
def test_who_waits_in_vain_leaves_nothing_open(directory: PrivateDirectory) -> None:
    def refuse() -> None:
        raise ConfigError("no")

    before = len(os.listdir("/proc/self/fd"))
    assert Lock(directory, "name").wait(lambda: b"answer", time.monotonic() + 5) == b"answer"
    with pytest.raises(DeadlineError):
        Lock(directory, "name").wait(lambda: None, time.monotonic())
    with pytest.raises(ConfigError):
        Lock(directory, "name").wait(refuse, time.monotonic() + 5)
    assert len(os.listdir("/proc/self/fd")) == before
