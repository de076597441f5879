"""The last failures in the log: those of the last day that are still worth a look."""

import ast
import calendar
import os
import re
import time
from collections.abc import Collection, Mapping
from typing import NamedTuple

from credproc import log, paths
from credproc.commands.doctor.check import Check, ok
from credproc.commands.ui.times import format_time
from credproc.errors import quoted
from credproc.files import open_directory

_MAX_FAILURES = 3
_SECONDS = 24 * 3600
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_PROFILE = r"""-|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_WHAT = f"{log.FAILED}|{log.REFRESHED}|{log.CONFIRMED}"
_LINE = re.compile(rf"(?P<time>\S+Z) \d+ (?:(?P<bug>{log.BUG})|(?P<profile>{_PROFILE}) (?P<what>{_WHAT}))")


class _Failure(NamedTuple):
    line: str
    profile: str | None  # as the log writes it; None for a bug


def last_failures(environ: Mapping[str, str], profiles: Collection[str | None] | None, now: float) -> Check:
    """Return the last failures, oldest first: three of the 24 hours before ``now`` (epoch seconds) at most.

    Left out are those of a profile that has been refreshed since, and of none of ``profiles`` (None: all), such as one
    that somebody has mistyped. A prompt that was declined is no failure.
    """
    path = paths.cache_directory(environ)
    wanted = None if profiles is None else {log.subject(profile) for profile in profiles}
    found: list[_Failure] = []
    for line in log.lines(open_directory(path)):
        parsed = _LINE.match(line)
        if parsed is None or not 0 <= now - _seconds(parsed["time"]) < _SECONDS:
            continue
        if parsed["what"] in (log.REFRESHED, log.CONFIRMED):
            found = [failure for failure in found if failure.profile != parsed["profile"]]
        elif parsed["bug"] or wanted is None or parsed["profile"] in wanted:
            found.append(_Failure(_shown(line, parsed, now), parsed["profile"]))
    place = "the log" if path is None else paths.shown(os.path.join(path, log.NAME), environ)
    if not found:
        return ok(f"no failures within 24 h in {place}")
    shown = tuple(failure.line for failure in found[-_MAX_FAILURES:])
    return Check("warn", f"the last failures within 24 h in {place} (time, process, profile):", details=shown)


def _shown(line: str, parsed: re.Match[str], now: float) -> str:
    """Return a line of the log for a person: with its time here, and the name of the profile as it is."""
    profile = parsed["profile"]
    shown = f"{format_time(_seconds(parsed['time']), now)}{line[parsed.end('time') :]}"
    try:
        return shown.replace(profile, quoted(ast.literal_eval(profile)), 1) if profile not in (None, "-") else shown
    except (ValueError, SyntaxError):  # a damaged line
        return shown


def _seconds(moment: str) -> float:
    """Return the epoch seconds of a time in the log; of a damaged line one that is long past."""
    try:
        return calendar.timegm(time.strptime(moment, _TIME))
    except ValueError:
        return 0
