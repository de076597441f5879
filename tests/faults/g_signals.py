"""G. Terminal: signals at each of its system calls."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.faults.inject import PROMPT_FROM_NOTHING, at, chosen, wanted
from tests.faults.rows import Case, Kind, sweep

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.faults.rows import Amount

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGALRM)
_PASSING = (signal.SIGPIPE, signal.SIGTSTP)  # ignored by Python; a stop, after which it goes on
_SAMPLE = 28


def _at_terminal(amount: Amount) -> Iterable[Case]:
    points = [
        point
        for point in chosen(PROMPT_FROM_NOTHING)
        if point.thread == "0" and (point.about.startswith("/dev/tty") or point.call == "pselect6")
    ]
    cases = [
        at(PROMPT_FROM_NOTHING, point, f"signal={number:d}", kind, signals=(number,) if number in _ENDING else ())
        for point in points
        for number, kind in [(one, Kind.SIGNAL) for one in _ENDING] + [(one, Kind.DOCUMENT) for one in _PASSING]
    ]
    return wanted(cases, amount, _SAMPLE)


ROWS = (sweep("F087-F093", "a signal at each of the terminal's system calls", _at_terminal),)
