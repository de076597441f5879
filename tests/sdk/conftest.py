"""Every test here is one row for each SDK and program: installed, and with --frozen the frozen one too."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.program import PROGRAM
from tests.sdk.sdks import ROOT, SDKS, Sdk
from tests.sdk.world import World, world
from tests.terminal import Terminal

FROZEN = ROOT / "build" / "dist" / "credproc" / "credproc"
ROWS = pytest.StashKey[dict[str, tuple[str, str]]]()  # a test's id: SDK and program
VERSIONS = pytest.StashKey[dict[str, str]]()  # SDK: version, as its requests say


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--frozen", action="store_true", help=f"hold {FROZEN.relative_to(ROOT)} against the SDKs as well")


def programs(config: pytest.Config) -> dict[str, str]:
    """Return the programs to try, by name; CREDPROC_TEST_PROGRAM, a path, takes the place of all."""
    if path := os.environ.get("CREDPROC_TEST_PROGRAM"):
        return {"given": path}
    if not config.getoption("frozen"):
        return {"installed": PROGRAM}
    if not FROZEN.exists():
        raise pytest.UsageError(f"--frozen: there is no {FROZEN}")
    return {"installed": PROGRAM, "frozen": str(FROZEN)}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "make_world" in metafunc.fixturenames:
        found = programs(metafunc.config)
        metafunc.parametrize("program", list(found.values()), ids=list(found))
        metafunc.parametrize("sdk", SDKS, ids=[sdk.name for sdk in SDKS])


class MakeWorld(Protocol):
    """Make a world as tests.sdk.world.world does."""

    def __call__(self, partition: str = "aws", *, mfa: bool = False) -> World:
        """Return it; it ends with the test."""


@pytest.fixture(name="make_world")
def _make_world(request: pytest.FixtureRequest, tmp_path: Path, sdk: Sdk, program: str) -> Iterator[MakeWorld]:
    with ExitStack() as stack:
        made: list[World] = []

        def make(partition: str = "aws", *, mfa: bool = False) -> World:
            made.append(stack.enter_context(world(tmp_path / "home", sdk, program, partition, mfa=mfa)))
            return made[-1]

        yield make
        for version in filter(None, (w.version for w in made)):
            request.config.stash[VERSIONS][sdk.name] = version


@pytest.fixture
def w(make_world: MakeWorld) -> World:
    """Return a world in which no code is asked for."""
    return make_world()


@pytest.fixture
def with_mfa(make_world: MakeWorld) -> World:
    """Return a world whose role demands MFA."""
    return make_world(mfa=True)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """Return a terminal, which must be as it was when all is over."""
    with Terminal() as found:
        before = found.attributes()
        yield found
        found.until(lambda: found.survivors() == [], "the end of all processes")
        assert found.attributes() == before
        assert found.pending() == 0


# The table


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = {}
    config.stash[VERSIONS] = {}


def pytest_collection_finish(session: pytest.Session) -> None:
    names = {path: name for name, path in programs(session.config).items()}
    for item in session.items:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        sdk = parameters.get("sdk")
        if isinstance(sdk, Sdk):
            row = sdk.name, names[str(parameters["program"])]
            session.config.stash[ROWS][item.nodeid] = row


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows, versions = config.stash[ROWS], config.stash[VERSIONS]
    if not rows or config.getoption("collectonly"):
        return
    stats = terminalreporter.stats
    failed = {report.nodeid for report in (*stats.get("failed", []), *stats.get("error", []))}
    passed = {report.nodeid for report in stats.get("passed", [])} - failed
    all_rows: Counter[tuple[str, str]] = Counter(rows.values())
    good_rows = Counter(row for test, row in rows.items() if test in passed)
    terminalreporter.section("the SDKs")
    terminalreporter.write_line(f"{'SDK':<18} {'version':<10} {'credproc':<10} rows passed")
    for sdk, program in all_rows:
        count = f"{good_rows[sdk, program]} of {all_rows[sdk, program]}"
        terminalreporter.write_line(f"{sdk:<18} {versions.get(sdk, '?'):<10} {program:<10} {count}")
