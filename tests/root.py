"""What root alone can do, and what comes of the tests that do it where somebody else runs them: they are named.

`@pytest.mark.root("gives a file away")` says what; the words come behind "only root".
"""

from __future__ import annotations

import pytest

from tests.program import IS_ROOT

# A credproc that refreshes keeps others of its user from its memory (prctl(2), PR_SET_DUMPABLE), and so from these
OPEN_FILES = "sees the open files of a credproc that refreshes"
TRACED = "reads the arguments of a credproc's system calls"

_LEFT_OUT = "only root "


def leave_out(items: list[pytest.Item]) -> None:
    """Have the tests skipped that need root, where we are not."""
    for item in items if not IS_ROOT else []:
        marker = item.get_closest_marker("root")
        if marker is not None:
            (what,) = marker.args
            item.add_marker(pytest.mark.skip(reason=f"{_LEFT_OUT}{what}"))


def left_out(reports: list[pytest.TestReport]) -> list[str]:
    """Return a line for each of these tests that were skipped, by their reports."""
    reasons = ((report, report.longrepr) for report in reports)
    said = ((report.nodeid, str(reason[2])) for report, reason in reasons if isinstance(reason, tuple))
    return [f"{name}: {words.partition(_LEFT_OUT)[2]}" for name, words in said if _LEFT_OUT in words]
