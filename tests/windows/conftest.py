"""Tests of the installed program, with --frozen of that one too; those of callers are played by each SDK."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests import tmux, windows_console
from tests.windows.world import HELPERS, WINDOWS_SDKS, World, demand_mfa, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sdk.sdks import Sdk

# What a report says of its test, to this process from another: its SDK and program, the SDK's version by its requests
ROW, VERSION, MEASURED = "row", "version", "measured"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--frozen", action="store_true", help="the program that build/freeze --windows has made as well")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if not (windows_console.AVAILABLE and tmux.AVAILABLE):
        raise pytest.UsageError("tests/windows: build/test --windows installs what it needs")
    if "helper" in metafunc.fixturenames:
        named = {
            name: path for name, path in HELPERS.items() if name != "frozen" or metafunc.config.getoption("frozen")
        }
        metafunc.parametrize("helper", list(named.values()), ids=list(named))
    if "sdk" in metafunc.fixturenames:
        metafunc.parametrize("sdk", WINDOWS_SDKS, ids=[sdk.name for sdk in WINDOWS_SDKS])


@pytest.fixture(name="w")
def _w(request: pytest.FixtureRequest, tmp_path: Path, helper: str) -> Iterator[World]:
    """Give a world in which no code is asked for."""
    sdk: Sdk | None = request.node.callspec.params.get("sdk")
    (name,) = (name for name, path in HELPERS.items() if path == helper)
    said = request.node.user_properties
    said += [] if sdk is None else [(ROW, (sdk.name, name))]
    with world(tmp_path / "home", helper) as found:
        yield found
        said += [] if sdk is None else [(VERSION, found.version(sdk))]


@pytest.fixture
def with_mfa(w: World) -> World:
    """Return a world whose roles ask for a code."""
    demand_mfa(w)
    return w


# The table


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows: dict[str, tuple[str, str]] = {}
    versions: dict[str, str] = {}
    failed: set[str] = set()
    measured: list[str] = []
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        said: dict[str, Any] = dict(report.user_properties) if isinstance(report, pytest.TestReport) else {}
        measured += [said[MEASURED]] if MEASURED in said else []
        if ROW in said:
            sdk, program = said[ROW]
            rows[report.nodeid] = sdk, program
            versions[sdk] = said.get(VERSION) or versions.get(sdk, "?")
            if not report.passed:
                failed.add(report.nodeid)
    for line in dict.fromkeys(measured):
        terminalreporter.write_line(line)
    if not rows:
        return
    played = Counter(rows.values())
    bad = Counter(rows[test] for test in failed)
    terminalreporter.section("the SDKs on Windows")
    terminalreporter.write_line(f"{'SDK':<22} {'version':<10} {'credproc':<10} rows passed")
    for sdk, program in sorted(played):
        count = f"{played[sdk, program] - bad[sdk, program]} of {played[sdk, program]}"
        terminalreporter.write_line(f"{sdk:<22} {versions[sdk]:<10} {program:<10} {count}")
