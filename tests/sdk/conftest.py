"""Every test here is one row for each SDK; with --frozen they are shared out between the two programs.

Then each scenario is played with both programs, by half of the SDKs each, and each SDK has met both; with --whole, by
all SDKs with both.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.program import PROGRAM
from tests.sdk.more import MORE
from tests.sdk.results import ROW, VERSION, write_table
from tests.sdk.sdks import ROOT, SDKS, Sdk
from tests.sdk.world import World, world
from tests.terminal import Terminal

FROZEN = ROOT / "build" / "dist" / "credproc" / "credproc"
ALL = (*SDKS, *MORE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="with --frozen: each scenario of each SDK with both programs")
    parser.addoption("--more", action="store_true", help="the SDKs of tests/sdk/more.py as well")
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
        sdks = ALL if metafunc.config.getoption("more") else SDKS
        metafunc.parametrize("sdk", sdks, ids=[sdk.name for sdk in sdks])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    both = list(programs(config).values())
    if len(both) == 1 or config.getoption("whole"):
        return
    scenarios: dict[tuple[object, ...], int] = {}
    shared: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        assert isinstance(item, pytest.Function)
        others = {name: str(value) for name, value in item.callspec.params.items() if name not in {"sdk", "program"}}
        number = scenarios.setdefault((item.originalname, *others.items()), len(scenarios))
        turn = (number + ALL.index(item.callspec.params["sdk"])) % len(both)
        (shared if item.callspec.params["program"] == both[turn] else left).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = shared


class MakeWorld(Protocol):
    """Make a world as tests.sdk.world.world does."""

    def __call__(self, partition: str = "aws", *, mfa: bool = False) -> World:
        """Return it; it ends with the test."""


@pytest.fixture(name="make_world")
def _make_world(request: pytest.FixtureRequest, tmp_path: Path, sdk: Sdk, program: str) -> Iterator[MakeWorld]:
    (name,) = (name for name, path in programs(request.config).items() if path == program)
    request.node.user_properties.append((ROW, (sdk.name, name)))
    with ExitStack() as stack:
        made: list[World] = []

        def make(partition: str = "aws", *, mfa: bool = False) -> World:
            made.append(stack.enter_context(world(tmp_path / "home", sdk, program, partition, mfa=mfa)))
            return made[-1]

        yield make
        versions = filter(None, (w.version for w in made))
        request.node.user_properties += [(VERSION, version) for version in versions]


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    write_table(terminalreporter, "the SDKs", [sdk.name for sdk in ALL])
