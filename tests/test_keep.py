"""What is kept of an answer, and how long: each border, and each plan that is not equal."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from credproc import cache
from credproc.config.parser import parse
from credproc.credentials import Credentials, account_in, document
from credproc.errors import DeadlineError, ServiceError
from credproc.files import PrivateDirectory
from credproc.locking.directory import make_directory
from credproc.plan import Plan, plan_for
from credproc.process.deadline import within
from credproc.refresh.entry import CachedEntry, EntryStore, Fetched, entry_metadata, served_until
from credproc.request import Request

NAME = "0123456789abcdef" + cache.SUFFIX
NOW = 1_800_000_000
ROLE = Credentials("ASIA", "PRECIOUSSECRET", "PRECIOUSTOKEN", NOW + 3600, "123456789012")


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Iterator[PrivateDirectory]:
    directory = make_directory(str(tmp_path / "cache"))
    yield directory
    directory.close()


def _plan(settings: str = "") -> Plan:
    config = f"[profile p]\naws_access_key_id = AKIA\naws_secret_access_key = s\n{settings}\n"
    return plan_for(parse(config, ""), Request("p", {}, 0.0))


def _keeper(directory: PrivateDirectory | None, plan: Plan | None = None, fingerprint: str = "-,-") -> EntryStore:
    return EntryStore(directory, NAME, fingerprint, plan or _plan(), "p")


def _entry(compared: bytes = b"{}", served_from: int = NOW, served_until: int = NOW + 100) -> cache.Entry:
    return cache.Entry(
        served_from=served_from, served_until=served_until, fingerprint="-,-", document=b"{}\n", compared=compared
    )


@pytest.mark.parametrize(("now", "fresh"), [(NOW - 1, False), (NOW, True), (NOW + 99.9, True), (NOW + 100, False)])
def test_an_equal_entry_is_fresh_between_its_times(now: float, fresh: bool) -> None:  # noqa: FBT001
    assert CachedEntry(_entry(), NOW + 3600, now).is_fresh is fresh


@pytest.mark.parametrize(
    ("now", "alive"), [(NOW - 1, False), (NOW, True), (NOW + 3539.9, True), (NOW + 3540, False), (NOW + 3601, False)]
)
def test_an_equal_entry_is_alive_from_its_beginning_to_its_last_minute(now: float, alive: bool) -> None:  # noqa: FBT001
    assert CachedEntry(_entry(), NOW + 3600, now).is_valid is alive


@pytest.mark.parametrize("left", [1, 3, 60, 899, 900, 2879, 2880, 2881, 3600, 43200, 129600])
def test_what_can_be_renewed_is_served_until_16_minutes_or_a_third_before_its_end(left: int) -> None:
    margin = NOW + left - served_until(NOW + left, NOW, renewable=True)
    assert margin == min(16 * 60, left // 3)
    assert NOW + left - served_until(NOW + left, NOW, renewable=False) == 60


@pytest.mark.parametrize("left", [-3600, -1, 0])
@pytest.mark.parametrize("renewable", [True, False])
def test_what_has_ended_is_never_served(left: int, renewable: bool) -> None:  # noqa: FBT001
    assert served_until(NOW + left, NOW, renewable=renewable) <= NOW


def test_an_entry_says_what_it_is_about_and_holds_no_secret_beside_the_document(directory: PrivateDirectory) -> None:
    printed = _keeper(directory).store(Fetched(ROLE, renewable=True), NOW + 0.5)
    entry = cache.load(directory, NAME)
    assert entry is not None
    assert (entry.document, entry.served_from, entry.served_until) == (printed, NOW - 300, NOW + 3600 - 960)
    assert entry_metadata(entry) == {
        "profile": "p",
        "plan": _plan().compared(),
        "identity": {},
        "issued": NOW,
        "expiration": NOW + 3600,
    }
    assert b"PRECIOUS" not in entry.compared
    for name in directory.names():
        if name != NAME:
            assert b"PRECIOUS" not in (Path(directory.path) / name).read_bytes()


@pytest.mark.parametrize("settings", ["region = us-west-2", "mfa_serial = 123456789", "aws_account_id = 1"])
def test_an_entry_of_another_plan_is_never_kept(directory: PrivateDirectory, settings: str) -> None:
    _keeper(directory).store(Fetched(ROLE, renewable=True), NOW)
    assert _keeper(directory).find(NOW) is not None
    assert _keeper(directory, _plan(settings)).find(NOW) is None


@pytest.mark.parametrize(
    "compared", [b"", b"{", b"[]", b"null", b"1", b'{"plan":{}}', b"\xff\xfe", b'{"plan":{},"expiration":1}']
)
def test_an_entry_that_does_not_say_what_it_is_about_is_not_kept(directory: PrivateDirectory, compared: bytes) -> None:
    cache.store(directory, NAME, _entry(compared))
    assert _keeper(directory).find(NOW) is None


@pytest.mark.parametrize("expiration", [None, "1800003600", 1.5])
def test_an_entry_without_a_whole_second_of_its_end_is_not_kept(
    directory: PrivateDirectory, expiration: object
) -> None:
    about = json.dumps({"plan": _plan().compared(), "expiration": expiration}).encode()
    cache.store(directory, NAME, _entry(about))
    assert _keeper(directory).find(NOW) is None


def test_a_stamp_changes_only_the_fingerprint(directory: PrivateDirectory) -> None:
    _keeper(directory).store(Fetched(ROLE, renewable=True), NOW)
    kept = _keeper(directory).find(NOW)
    before = cache.load(directory, NAME)
    assert kept is not None
    assert before is not None
    _keeper(directory, fingerprint="1.1.1.1,-").restamp(kept)
    after = cache.load(directory, NAME)
    assert after is not None
    assert after.fingerprint == "1.1.1.1,-"
    for field in ("served_from", "served_until", "document", "compared"):
        assert getattr(after, field) == getattr(before, field)


@pytest.mark.parametrize(("left", "served"), [(3600, 60), (121, 60), (120, 60), (119, 59), (61, 1)])
def test_after_a_failure_the_old_is_served_for_a_minute_but_not_in_its_last(
    directory: PrivateDirectory, left: int, served: int
) -> None:
    _keeper(directory).store(Fetched(ROLE._replace(expiration=NOW + 3600), renewable=True), NOW)
    now = NOW + 3600 - left
    kept = _keeper(directory).find(now)
    assert kept is not None
    _keeper(directory).restamp_for_a_minute(kept, now)
    entry = cache.load(directory, NAME)
    assert entry is not None
    assert entry.served_until == now + served


def test_without_a_directory_the_document_is_still_returned() -> None:
    keeper = _keeper(None)
    assert keeper.store(Fetched(ROLE, renewable=True), NOW) == document(ROLE)
    assert keeper.find(NOW) is None


def test_storing_that_fails_costs_nobody_the_credentials(directory: PrivateDirectory) -> None:
    (Path(directory.path) / NAME).mkdir()
    assert _keeper(directory).store(Fetched(ROLE, renewable=True), NOW) == document(ROLE)
    log = (Path(directory.path) / "credproc.log").read_text()
    assert "not stored: " in log
    assert "PRECIOUS" not in log


# --- the document -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expiration", "written"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_399, "2000-02-28T23:59:59Z"),
        (1_709_164_800, "2024-02-29T00:00:00Z"),
        (4_102_444_800, "2100-01-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
    ],
)
def test_the_time_is_utc_to_the_second_whatever_the_zone(
    monkeypatch: pytest.MonkeyPatch, expiration: int, written: str
) -> None:
    for zone in ("UTC", "Asia/Kathmandu", "America/St_Johns"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert json.loads(document(ROLE._replace(expiration=expiration)))["Expiration"] == written
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("expiration", [-1, 253_402_300_800])
def test_a_time_that_four_digits_of_a_year_cannot_say_is_refused(expiration: int) -> None:
    with pytest.raises(ServiceError) as failure:
        document(ROLE._replace(expiration=expiration))
    assert str(failure.value) == "credentials: Expiration is no time that can be written"
    assert failure.value.hint == "check the clock"


@pytest.mark.parametrize("field", ["session_token", "expiration", "account_id"])
def test_what_is_not_known_is_left_out_and_never_null(field: str) -> None:
    changed: dict[str, Any] = {field: None}
    fields = json.loads(document(ROLE._replace(**changed)))
    assert len(fields) == 5
    assert None not in fields.values()
    assert fields["Version"] == 1


@pytest.mark.parametrize("field", ["access_key_id", "secret_access_key", "session_token"])
@pytest.mark.parametrize("value", ["", " ", "a b", "a\tb", "a\r\nb", "\0", "\x1b[2J", "\x7f", "\x85", "é", "\u202e"])
def test_what_no_header_can_hold_is_refused_and_not_shown(field: str, value: str) -> None:
    changed: dict[str, Any] = {field: f"PRECIOUS{value}" if value else ""}
    with pytest.raises(ServiceError) as failure:
        document(ROLE._replace(**changed))
    assert "PRECIOUS" not in str(failure.value)


def test_credentials_that_cannot_be_sent_are_named() -> None:
    with pytest.raises(ServiceError, match=r"^credentials: SecretAccessKey is empty or holds characters that cannot"):
        document(ROLE._replace(secret_access_key=""))


def test_a_document_that_is_too_long_says_what_makes_it_shorter() -> None:
    with pytest.raises(ServiceError) as failure:
        document(ROLE._replace(session_token="t" * 8192))
    assert str(failure.value).endswith(" bytes, and SDKs read fewer than 8192")
    assert failure.value.hint == "use a shorter session policy, or fewer session tags"


def test_credentials_with_a_session_token_are_temporary() -> None:
    assert ROLE.temporary
    assert not ROLE._replace(session_token=None).temporary


def test_the_repr_of_credentials_shows_no_secret() -> None:
    for shown in (repr(ROLE), str(ROLE), f"{ROLE}", f"{[ROLE]}", repr(Fetched(ROLE, renewable=True))):
        assert "PRECIOUS" not in shown
        assert "ASIA" in shown


@pytest.mark.parametrize(
    ("arn", "account"),
    [
        ("arn:aws:sts::123456789012:assumed-role/a/b", "123456789012"),
        ("arn:aws:iam::aws:policy/x", None),
        ("arn:aws:iam:123456789012:role/x", None),
        ("", None),
    ],
)
def test_the_account_is_the_fifth_field_of_an_arn(arn: str, account: str | None) -> None:
    assert account_in(arn) == account


# --- the deadline -----------------------------------------------------------------------------------------------------


def test_a_call_in_time_returns_or_raises_as_it_did() -> None:
    assert within(time.monotonic() + 5, lambda: None) is None
    with pytest.raises(ZeroDivisionError):
        within(time.monotonic() + 5, lambda: 1 // 0)


def test_a_call_that_hangs_is_left_behind_at_the_deadline() -> None:
    began = time.monotonic()
    with pytest.raises(DeadlineError):
        within(began + 0.1, lambda: time.sleep(2))
    assert 0.1 <= time.monotonic() - began < 1


def test_a_call_is_made_where_no_thread_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    assert within(time.monotonic() + 10, lambda: 1) == 1
    with pytest.raises(ServiceError, match="no"):
        within(time.monotonic() + 10, _refusing)


def _refusing() -> None:
    raise ServiceError("no")


@pytest.mark.parametrize("renewable", [True, False])
def test_an_end_that_no_credentials_of_sts_have_is_not_believed(renewable: bool) -> None:  # noqa: FBT001
    longest = served_until(NOW + 129600, NOW, renewable=renewable)
    assert longest > NOW + 120000
    assert served_until(NOW + 129601, NOW, renewable=renewable) == longest
    assert served_until(NOW + 315_360_000, NOW, renewable=renewable) == longest


@pytest.mark.parametrize("compared", [b"", b"[", b"[" * 100_000, b"[]", b"null", b"\xff"])
def test_an_entry_that_says_nothing_of_itself_is_no_failure(compared: bytes) -> None:
    assert entry_metadata(_entry(compared)) == {}
