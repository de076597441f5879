"""Moments and durations as a person reads them."""

import time

_DAY = 86400  # seconds


def moment_shown(seconds: float, now: float | None = None) -> str:
    """Return epoch seconds as a person reads them, in UTC: the time alone on the day of ``now``."""
    is_today = now is not None and seconds // _DAY == now // _DAY
    return time.strftime("%H:%MZ" if is_today else "%Y-%m-%d %H:%MZ", time.gmtime(seconds))


def until_shown(expiration: int, now: float) -> str:
    """Return until when something lasts, and how long that is: ``until 21:05Z (in 7 h 50 min)``."""
    minutes = max(0, int(expiration - now)) // 60
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if number]
    return f"until {moment_shown(expiration, now)} (in {' '.join(parts[:2]) or 'less than a minute'})"
