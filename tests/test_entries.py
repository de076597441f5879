"""Entries, directories, locks and documents by themselves: borders, damage, and what any change must change."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credproc import cache
from credproc.config.parser import parse
from credproc.credentials import Credentials, document
from credproc.errors import DeadlineError, ServiceError, inert
from credproc.files import PrivateDirectory
from credproc.locking.directory import make_directory
from credproc.locking.lock import Lock
from credproc.plan import Plan, plan_for
from credproc.refresh.entry import CachedEntry, EntryStore, Fetched, served_until
from credproc.request import Request

NAME = "0123456789abcdef" + cache.SUFFIX
NOW = 1_800_000_000


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Iterator[PrivateDirectory]:
    directory = make_directory(str(tmp_path / "cache"))
    yield directory
    directory.close()


def _entry(**changes: object) -> cache.Entry:
    fields = {
        "served_from": NOW - 300,
        "served_until": NOW + 2640,
        "fingerprint": cache.fingerprint(dict(os.environ), time.time()),
        "document": b'{"Version":1}\n',
        "compared": b"{}",
    }
    return cache.Entry(**{**fields, **changes})  # type: ignore[arg-type]


def test_an_entry_is_read_back_as_it_was_stored(directory: PrivateDirectory) -> None:
    entry = _entry()
    cache.store(directory, NAME, entry)
    read = cache.load(directory, NAME)
    assert read is not None
    assert [getattr(read, name) for name in cache.Entry.__slots__] == [
        getattr(entry, name) for name in cache.Entry.__slots__
    ]
    assert directory.names() == [NAME], "no temporary file is left"


@pytest.mark.posix("the digest of a path of POSIX")
def test_an_entry_is_where_and_what_it_was_in_earlier_versions(directory: PrivateDirectory) -> None:
    name = cache.entry_name("admin", {"HOME": "/home/user1", "AWS_REGION": "us-west-2", "AWS_ROLE_ARN": ""})
    assert name == "8956d25c7c9f930e402061d1a792b8d0.entry", "another name is a miss for all who update"
    cache.store(directory, NAME, _entry(fingerprint="-,-"))
    assert (Path(directory.path) / NAME).read_bytes() == (
        b"c6bf7ce6a9d42bdcc26b5fb4de91506b credproc-2 0123456789abcdef.entry 1799999700 1800002640 -,-\n"
        b'{"Version":1}\n{}\n'
    ), "another layout is another format, or an update would take the old one's entries for its own"


def _written(directory: PrivateDirectory, header: bytes, rest: bytes = b"{}\n{}\n") -> cache.Entry | None:
    """Write this with its digest, as only credproc does, and load it."""
    data = header + b"\n" + rest
    digest = blake2b(data, digest_size=16).hexdigest().encode()
    directory.write(NAME, digest + b" " + data)
    return cache.load(directory, NAME)


def test_an_entry_of_another_format_or_layout_is_a_miss(directory: PrivateDirectory) -> None:
    name = NAME.encode()
    assert _written(directory, b"credproc-2 %s 1 2 -,-" % name) is not None
    assert _written(directory, b"credproc-3 %s 1 2 -,-" % name) is None
    assert _written(directory, b"credproc-2 f%s 1 2 -,-" % name) is None
    assert _written(directory, b"credproc-2 %s 1 2" % name) is None
    depending = _written(directory, b"credproc-2 %s 1 2 -,- a=b c=d" % name)
    assert depending is not None
    assert depending.depends_on == ("a=b", "c=d")
    assert _written(directory, b"credproc-2 %s  1 2 -,-" % name) is None
    assert _written(directory, b"credproc-2 %s x 2 -,-" % name) is None
    assert _written(directory, b"credproc-2 %s 1 -2 -,-" % name) is None
    assert _written(directory, b"credproc-2 %s 1 2 -,-" % name, b"{}\n") is None
    assert _written(directory, b"credproc-2 %s 1 2 -,-" % name, b"{}\n{}\n{}\n") is None


def test_a_header_of_4096_bytes_is_read_and_one_more_is_a_miss(directory: PrivateDirectory) -> None:
    header = b"credproc-2 %s 1 2 " % NAME.encode()
    room = 4096 - len(header)
    assert _written(directory, header + b"-" * room) is not None
    assert _written(directory, header + b"-" * (room + 1)) is None
    path = "x" * room
    with pytest.raises(OSError, match="4096"):
        cache.store(directory, NAME, _entry(depends_on=(path,)))


def test_an_entry_cut_or_changed_at_any_byte_is_a_miss(directory: PrivateDirectory) -> None:
    cache.store(directory, NAME, _entry())
    path = Path(directory.path) / NAME
    data = path.read_bytes()
    for index in range(len(data)):
        path.write_bytes(data[:index])
        assert cache.load(directory, NAME) is None, f"cut at {index}"
        path.write_bytes(data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :])
        assert cache.load(directory, NAME) is None, f"changed at {index}"
    path.write_bytes(data + b"\n")
    assert cache.load(directory, NAME) is None
    path.write_bytes(data)
    assert cache.load(directory, NAME) is not None


def test_an_entry_under_another_name_is_a_miss(directory: PrivateDirectory) -> None:
    cache.store(directory, NAME, _entry())
    other = "f" + NAME[1:]
    (Path(directory.path) / NAME).rename(Path(directory.path) / other)
    assert cache.load(directory, other) is None


@pytest.mark.parametrize(
    ("now", "served"), [(NOW - 301, False), (NOW - 300, True), (NOW + 2639, True), (NOW + 2640, False)]
)
def test_an_entry_is_served_from_its_first_second_until_before_its_last(
    directory: PrivateDirectory,
    now: int,
    served: bool,  # noqa: FBT001
) -> None:
    cache.store(directory, NAME, _entry(fingerprint="-,-"))
    found = cache.fresh(directory, NAME, {"HOME": "/nonexistent"}, now)
    assert (found is not None) is served


def test_a_file_changed_within_two_seconds_is_not_trusted(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("")
    environ = {"AWS_CONFIG_FILE": str(config), "HOME": "/nonexistent"}
    changed = config.stat().st_mtime
    assert cache.fingerprint(environ, changed + 1.9) == "unsure"
    sure = cache.fingerprint(environ, changed + 2.1)
    assert sure != "unsure"
    assert cache.fingerprint(environ, changed + 1000) == sure


def test_an_unsure_entry_is_never_a_hit(directory: PrivateDirectory) -> None:
    cache.store(directory, NAME, _entry(fingerprint="unsure"))
    assert cache.fresh(directory, NAME, {"HOME": "/nonexistent"}, NOW) is None


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.text(min_size=1)), st.dictionaries(st.sampled_from(cache.VARIABLES), st.text())
        ),
        min_size=2,
        max_size=2,
        unique_by=repr,
    )
)
@settings(max_examples=300, deadline=None)
def test_any_difference_in_profile_or_variables_is_another_entry(
    two: list[tuple[str | None, dict[str, str]]],
) -> None:
    (profile, environ), (other_profile, other_environ) = two
    same = (profile, environ) == (other_profile, other_environ)
    assert (cache.entry_name(profile, environ) == cache.entry_name(other_profile, other_environ)) is same


def test_the_name_of_an_entry_does_not_show_the_profile() -> None:
    assert cache.entry_name("../../etc/passwd", {}) != cache.entry_name("passwd", {})
    assert "/" not in cache.entry_name("../../etc/passwd", {})


@pytest.mark.parametrize(
    ("lifetime", "renewable", "margin"),
    [(3600, True, 960), (2880, True, 960), (2879, True, 959), (900, True, 300), (3600, False, 60), (900, False, 60)],
)
def test_what_can_be_renewed_is_renewed_sixteen_minutes_or_a_third_before_its_end(
    lifetime: int,
    renewable: bool,  # noqa: FBT001
    margin: int,
) -> None:
    assert served_until(NOW + lifetime, NOW, renewable=renewable) == NOW + lifetime - margin


@pytest.mark.parametrize(("left", "alive"), [(61, True), (60, False), (0, False), (-1, False)])
def test_old_credentials_live_until_their_last_minute(left: int, alive: bool) -> None:  # noqa: FBT001
    assert CachedEntry(_entry(), NOW + left, NOW).is_valid is alive


def test_credentials_issued_in_the_future_are_not_alive() -> None:
    assert not CachedEntry(_entry(served_from=NOW + 1), NOW + 3600, NOW).is_valid


def test_what_says_no_end_is_not_kept_and_what_does_is(directory: PrivateDirectory) -> None:
    config = parse("[profile p]\naws_access_key_id = AKIA\naws_secret_access_key = s\n", "")
    plan = plan_for(config, Request("p", {}, 0.0))
    keeper = EntryStore(directory, NAME, "-,-", plan, "p")
    keeper.store(Fetched(Credentials("ASIA", "s", "t"), renewable=True), NOW)
    assert keeper.find(NOW) is None
    printed = keeper.store(Fetched(Credentials("ASIA", "s", "t", NOW + 3600), renewable=True), NOW)
    kept = keeper.find(NOW)
    assert kept is not None
    assert (kept.document, kept.is_fresh) == (printed, True)
    keeper.restamp_for_a_minute(kept, NOW)
    stamped = keeper.find(NOW)
    assert stamped is not None
    assert stamped.entry.served_until == NOW + 60


@pytest.mark.posix("modes of files")
@pytest.mark.parametrize("mode", [0o777, 0o720, 0o702])
def test_a_directory_that_others_may_write_is_not_used(tmp_path: Path, mode: int) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(mode)
    with pytest.raises(PermissionError):
        make_directory(str(tmp_path / "cache"))


@pytest.mark.root("gives files away")
def test_another_users_directory_file_or_home_is_not_used(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, 65534, 65534)
    with pytest.raises(PermissionError):
        make_directory(str(theirs))
    with pytest.raises(PermissionError):
        make_directory(str(theirs / "made" / "by" / "root"))
    assert not list(theirs.iterdir())
    directory = make_directory(str(tmp_path / "ours"))
    directory.write(NAME, b"x")
    os.chown(tmp_path / "ours" / NAME, 65534, 65534)
    assert directory.read(NAME, 10) is None
    directory.close()


@pytest.mark.root("gives files away")
def test_another_users_link_to_a_directory_of_ours_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to("real")
    os.chown(link, 65534, 65534, follow_symlinks=False)
    with pytest.raises(PermissionError, match="another user"):
        make_directory(str(link))
    assert not list((tmp_path / "real").iterdir())


@pytest.mark.posix("links, which Windows makes for administrators alone")
def test_a_link_to_a_directory_of_ours_may_stand_for_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    directory = make_directory(str(tmp_path / "link"))
    directory.write(NAME, b"x")
    directory.close()
    assert (tmp_path / "real" / NAME).read_bytes() == b"x"


HOLDER = """
import sys, time
from credproc.files import PrivateDirectory
from credproc.locking.lock import Lock
lock = Lock(PrivateDirectory(sys.argv[1]), "name")
assert lock.wait(lambda: None, time.monotonic() + 5) is None
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture(name="holder")
def _holder(directory: PrivateDirectory) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen([sys.executable, "-c", HOLDER, directory.path], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def test_a_lock_that_is_held_is_waited_for_and_its_holder_named(
    directory: PrivateDirectory, holder: "subprocess.Popen[str]"
) -> None:
    with pytest.raises(DeadlineError, match=rf"^process {holder.pid} .* \d+ s$"):
        Lock(directory, "name").wait(lambda: None, time.monotonic() + 0.2)
    assert (Path(directory.path) / "name.lock").stat().st_size == 128


@pytest.mark.usefixtures("holder")
def test_the_answer_ends_the_wait(directory: PrivateDirectory) -> None:
    answers = iter([None, None, b"answer"])
    assert Lock(directory, "name").wait(lambda: next(answers), time.monotonic() + 5) == b"answer"


def test_the_lock_of_the_dead_is_free(directory: PrivateDirectory, holder: "subprocess.Popen[str]") -> None:
    holder.kill()
    holder.wait()
    lock = Lock(directory, "name")
    assert lock.try_acquire()
    lock.close()


@pytest.mark.posix("removing or renaming a file that is open")
@pytest.mark.usefixtures("holder")
def test_a_lock_file_that_somebody_removes_does_not_lock_for_ever(directory: PrivateDirectory) -> None:
    waiting = Lock(directory, "name")
    assert not waiting.try_acquire()
    (Path(directory.path) / "name.lock").unlink()
    assert waiting.wait(lambda: None, time.monotonic() + 2) is None
    waiting.close()


def test_a_lock_that_is_a_link_is_not_followed_and_is_then_no_lock(directory: PrivateDirectory, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (Path(directory.path) / "name.lock").symlink_to(precious)
    lock = Lock(directory, "name")
    assert lock.try_acquire()
    lock.close()
    assert precious.read_text() == "precious"


def test_the_document_is_compact_and_says_only_what_is_known() -> None:
    full = document(Credentials("ASIA", "s/+", "t=", NOW, "123456789012"))
    assert full == (
        b'{"Version":1,"AccessKeyId":"ASIA","SecretAccessKey":"s/+","SessionToken":"t=",'
        b'"Expiration":"2027-01-15T08:00:00Z","AccountId":"123456789012"}\n'
    )
    assert Credentials("ASIA", "s") == Credentials("ASIA", "s", None, None, None)
    assert document(Credentials("ASIA", "s")) == b'{"Version":1,"AccessKeyId":"ASIA","SecretAccessKey":"s"}\n'


def test_a_document_of_8192_bytes_is_refused_and_one_less_is_not() -> None:
    room = 8191 - len(document(Credentials("A", "s", "t"))) + 1
    assert len(document(Credentials("A", "s", "t" * room))) == 8191
    with pytest.raises(ServiceError, match="8192"):
        document(Credentials("A", "s", "t" * (room + 1)))


@pytest.mark.parametrize("value", ["", "a b", "a\n", "\x1b", "é", "\x7f"])
def test_credentials_that_cannot_be_sent_are_refused(value: str) -> None:
    with pytest.raises(ServiceError):
        document(Credentials("ASIA", "s", value))


def test_no_repr_shows_a_secret() -> None:
    config = parse(
        "[profile p]\naws_access_key_id = AKIA\naws_secret_access_key = PRECIOUS\naws_session_token = TOKEN\n", ""
    )
    plan: Plan = plan_for(config, Request("p", {}, 0.0))
    shown = repr(plan) + repr(plan.source) + repr(plan.source.keys) + json.dumps(plan.compared())
    assert "AKIA" in shown
    assert "PRECIOUS" not in shown
    assert "TOKEN" not in shown


@given(st.text())
@settings(max_examples=500, deadline=None)
def test_inert_text_is_printable_whatever_it_was(text: str) -> None:
    shown = inert(text)
    assert shown.isprintable()
    assert not set(shown) & set("\u202e\u2066\u200b\u0301")
    assert len(inert(text, 20)) <= 20
