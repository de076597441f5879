"""The table at the end of a run: of each SDK and program, how many rows have passed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

# What a report says of its test, to this process from another: its SDK and program, the SDK's version, and a figure
ROW, VERSION, MEASURED = "row", "version", "measured"


def write_table(terminalreporter: pytest.TerminalReporter, title: str, order: Sequence[str]) -> None:
    """Write the table, if there is a row; ``order`` is that of the SDKs' names."""
    tests: dict[str, tuple[str, str]] = {}
    versions: dict[str, str] = {}
    failed: set[str] = set()
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        said: dict[str, Any] = dict(report.user_properties) if isinstance(report, pytest.TestReport) else {}
        if ROW in said:
            sdk, program = said[ROW]
            tests[report.nodeid] = sdk, program
            versions[sdk] = said.get(VERSION) or versions.get(sdk, "?")
            if not report.passed:
                failed.add(report.nodeid)
    if not tests:
        return
    rows = Counter(tests.values())
    bad = Counter(tests[test] for test in failed)
    terminalreporter.section(title)
    width = max(len(sdk) for sdk, _ in rows)
    terminalreporter.write_line(f"{'SDK':<{width}} {'version':<10} {'credproc':<10} rows passed")
    for sdk, program in sorted(rows, key=lambda row: (order.index(row[0]), row[1])):
        count = f"{rows[sdk, program] - bad[sdk, program]} of {rows[sdk, program]}"
        terminalreporter.write_line(f"{sdk:<{width}} {versions[sdk]:<10} {program:<10} {count}")
