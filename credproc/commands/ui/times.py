"""Times and durations as commands print them."""

import time

from credproc.credentials import utc

_DAY = 86400  # seconds


def format_time(seconds: float, now: float | None = None) -> str:
    """Return epoch seconds as a UTC time and this machine's, such as ``2026-11-24 13:00Z (14:00 here)``.

    ``now``: each without the date where that is today's. The second is left out where it is the same.
    """
    here = _here(seconds, now)
    return _utc(seconds, now) + (f" ({here})" if here else "")


def format_until(expiration: int, now: float) -> str:
    """Return the end of a period and the time left, from epoch seconds: ``until 21:05Z (22:05 here, in 7 h)``."""
    return f"until {_utc(expiration, now)} ({_joined(_here(expiration, now), f'in {_rounded(expiration - now)}')})"


def format_age(since: int, now: float) -> str:
    """Return a moment and how long ago it was, from epoch seconds: ``13:00Z (14:00 here, 1 h 4 min ago)``."""
    return f"{_utc(since, now)} ({_joined(_here(since, now), f'{_rounded(now - since)} ago')})"


def iso_time(seconds: float | None) -> str | None:
    """Return epoch seconds as JSON has them, ``2026-11-24T13:00:00Z``; None of None."""
    return None if seconds is None else utc(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_duration(seconds: int) -> str:
    """Return a duration: ``12 h``, ``1 h 30 min``."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if number]
    return " ".join(parts)


def _rounded(seconds: float) -> str:
    """Return a duration in its two largest units: ``3 d 4 h``."""
    hours, minutes = divmod(max(0, int(seconds)) // 60, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if number]
    return " ".join(parts[:2]) or "less than a minute"


def _utc(seconds: float, now: float | None) -> str:
    is_today = now is not None and seconds // _DAY == now // _DAY
    return utc(seconds).strftime("%H:%MZ" if is_today else "%Y-%m-%d %H:%MZ")


def _here(seconds: float, now: float | None) -> str:
    """Return the local time with the word ``here``; nothing where that is UTC, or where the system knows none."""
    try:
        local = time.localtime(seconds)
    except OSError:  # on Windows, from the year 3001
        return ""
    if not local.tm_gmtoff:
        return ""
    today = time.gmtime(seconds) if now is None else time.localtime(now)
    is_today = (local.tm_year, local.tm_yday) == (today.tm_year, today.tm_yday)
    return time.strftime("%H:%M here" if is_today else "%Y-%m-%d %H:%M here", local)


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
