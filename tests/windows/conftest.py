"""Tests of the installed program, with --frozen of that one too; those of callers are played by each SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import tmux, windows_console
from tests.sdk.results import MEASURED, ROW, VERSION, write_table
from tests.windows.world import HELPERS, WINDOWS_SDKS, World, demand_mfa, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sdk.sdks import Sdk


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
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    said = [dict(report.user_properties) for report in reports if isinstance(report, pytest.TestReport)]
    for line in dict.fromkeys(str(one[MEASURED]) for one in said if MEASURED in one):
        terminalreporter.write_line(line)
    write_table(terminalreporter, "the SDKs on Windows", [sdk.name for sdk in WINDOWS_SDKS])
