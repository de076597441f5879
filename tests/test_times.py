"""Times as commands print them: UTC, and this machine's beside it."""

import time
from collections.abc import Iterator

import pytest

from credproc.commands.ui.times import format_age, format_time, format_until, iso_time
from credproc.credentials import LATEST

NOW = 1_795_845_600  # 2026-11-28T06:00:00Z
HOUR = 3600


@pytest.fixture(name="in_zone")
def _in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    time.tzset()


def _zone(in_zone: pytest.MonkeyPatch, name: str) -> None:
    in_zone.setenv("TZ", name)
    time.tzset()


@pytest.mark.posix("time.tzset")
def test_the_day_is_said_where_it_is_another(in_zone: pytest.MonkeyPatch) -> None:
    _zone(in_zone, "UTC")
    assert format_time(86399, 0) == "23:59Z"
    assert format_time(86400, 0) == "1970-01-02 00:00Z"
    assert format_time(86399) == "1970-01-01 23:59Z"
    assert format_until(59, 0) == "until 00:00Z (in less than a minute)"
    assert format_until(90000, 0) == "until 1970-01-02 01:00Z (in 1 d 1 h)"


@pytest.mark.posix("time.tzset")
@pytest.mark.parametrize("zone", ["UTC", "GMT0", ""])
def test_where_it_is_utc_the_time_is_said_once(in_zone: pytest.MonkeyPatch, zone: str) -> None:
    _zone(in_zone, zone)
    assert format_until(NOW + HOUR, NOW) == "until 07:00Z (in 1 h)"
    assert format_time(NOW) == "2026-11-28 06:00Z"


@pytest.mark.posix("time.tzset")
@pytest.mark.parametrize(
    ("zone", "seconds", "now", "said"),
    [
        ("CET-1", NOW + HOUR, NOW, "07:00Z (08:00 here)"),
        ("IST-5:30", NOW + HOUR, NOW, "07:00Z (12:30 here)"),
        ("PST8", NOW + HOUR, NOW, "07:00Z (23:00 here)"),  # yesterday, as it is there now
        ("PST8", NOW + 2 * HOUR, NOW, "08:00Z (2026-11-28 00:00 here)"),
        ("JST-9", NOW + 9 * HOUR, NOW, "15:00Z (2026-11-29 00:00 here)"),
        ("JST-9", NOW + 18 * HOUR, NOW + 17 * HOUR, "2026-11-29 00:00Z (09:00 here)"),
        ("CET-1", NOW, None, "2026-11-28 06:00Z (07:00 here)"),
        ("PST8", NOW, None, "2026-11-28 06:00Z (2026-11-27 22:00 here)"),
    ],
)
def test_the_time_here_is_beside_it(
    in_zone: pytest.MonkeyPatch, zone: str, seconds: int, now: int | None, said: str
) -> None:
    _zone(in_zone, zone)
    assert format_time(seconds, now) == said


@pytest.mark.posix("time.tzset")
def test_a_period_has_its_end_here_and_what_is_left(in_zone: pytest.MonkeyPatch) -> None:
    _zone(in_zone, "CET-1CEST,M3.5.0,M10.5.0/3")
    assert format_until(NOW + HOUR, NOW) == "until 07:00Z (08:00 here, in 1 h)"
    assert format_age(NOW - HOUR, NOW) == "05:00Z (06:00 here, 1 h ago)"
    summer = NOW - 150 * 24 * HOUR
    assert format_time(summer, summer) == "06:00Z (08:00 here)"


def test_json_has_iso() -> None:
    assert iso_time(NOW) == "2026-11-28T06:00:00Z"
    assert iso_time(None) is None


def test_the_latest_time_of_four_digits_is_written_everywhere() -> None:
    assert iso_time(LATEST) == "9999-12-31T23:59:59Z"
    assert format_time(LATEST).startswith("9999-12-31 23:59Z")
