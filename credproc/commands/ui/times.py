"""Times and durations as commands print them."""

import time

_DAY = 86400  # seconds


def format_time(seconds: float, now: float | None = None) -> str:
    """Return epoch seconds as a UTC time such as ``2026-11-24 13:00Z``; without the date if ``now`` is the same day."""
    is_today = now is not None and seconds // _DAY == now // _DAY
    return time.strftime("%H:%MZ" if is_today else "%Y-%m-%d %H:%MZ", time.gmtime(seconds))


def format_until(expiration: int, now: float) -> str:
    """Return the end of a period and the time left, both from epoch seconds: ``until 21:05Z (in 7 h 50 min)``."""
    return f"until {format_time(expiration, now)} (in {_rounded(expiration - now)})"


def format_age(since: int, now: float) -> str:
    """Return a moment and how long ago it was, both from epoch seconds: ``2026-11-24 13:00Z (3 d 4 h ago)``."""
    return f"{format_time(since, now)} ({_rounded(now - since)} ago)"


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
