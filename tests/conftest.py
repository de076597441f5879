"""Every test starts in an empty home, without the variables that steer AWS tools, credproc or proxies."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import posix, root
from tests.canaries import PAUSE, Canaries
from tests.program import FROZEN, heed_signals
from tests.sampler import Sampler
from tests.starts import Watch, again, starting
from tests.sts import Sts

collect_ignore = [] if FROZEN else ["test_frozen.py"]  # what build/freeze makes; build/test --frozen names it

PREFIXES = ("AWS_", "_AWS_", "CREDPROC_")
WATCH = pytest.StashKey[Watch]()
SAMPLER = pytest.StashKey[Sampler]()
PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="the tests that start no process; one that does fails")
    parser.addoption("--each-once", action="store_true", help="of a test that starts a process the first case alone")


def pytest_configure(config: pytest.Config) -> None:
    heed_signals()
    if config.getoption("fast"):
        config.stash[WATCH] = Watch()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Have one sampler look at processes for all of xdist's workers."""
    config = node.config
    if config.getoption("fast") or posix.WINDOWS:
        return
    if SAMPLER not in config.stash:
        config.stash[SAMPLER] = Sampler(str(config._tmp_path_factory.getbasetemp()), PAUSE).__enter__()
    node.workerinput["samples"] = config.stash[SAMPLER].path


def pytest_unconfigure(config: pytest.Config) -> None:
    if SAMPLER in config.stash:
        config.stash[SAMPLER].__exit__()


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    if posix.WINDOWS and posix.why_left_out(module_path) is not None:
        return posix.LeftOutFile.from_parent(parent, path=module_path)
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    root.leave_out(items)
    posix.leave_out(items)
    left: Collection[str] = ()
    imported = [item for item in items if not isinstance(item, posix.LeftOutTest)]
    if config.getoption("fast"):
        left = starting(imported)
    elif config.getoption("each_once"):
        left = again(imported)
    if left:
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left])
        items[:] = [item for item in items if item.nodeid not in left]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """Leave a test out whose fixtures call what Python has on POSIX alone."""
    with posix.missing_functions_leave_out():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Leave a test out that calls what Python has on POSIX alone."""
    with posix.missing_functions_leave_out():
        return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left_out = root.left_out(terminalreporter.stats.get("skipped", []))
    if left_out:
        terminalreporter.section(f"left out, as only root does what they do: {len(left_out)}")
        for line in left_out:
            terminalreporter.write_line(line)
    if posix.WINDOWS:
        passed, skipped = (terminalreporter.stats.get(name, []) for name in ("passed", "skipped"))
        terminalreporter.section(f"on Windows: {len(passed)} passed, {len(skipped)} left out")
        for line in posix.left_out(skipped):
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the empty home directory; ``tmp_path`` stays the test's own."""
    for name in list(os.environ):
        if name.upper().startswith(PREFIXES) or name.upper() in PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C")  # in which all but ASCII is escaped, whoever runs the tests
    path = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(path))
    monkeypatch.setenv("USERPROFILE", str(path))  # what ~ is on Windows
    monkeypatch.setenv("XDG_CACHE_HOME", str(path / ".cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(path / "AppData" / "Local"))
    return path


@pytest.fixture(scope="session")
def canaries(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Canaries]:
    """Return the canary scan, which captures all the time."""
    seen = not pytestconfig.getoption("fast") and not posix.WINDOWS  # which has no /proc
    samples = getattr(pytestconfig, "workerinput", {}).get("samples")
    with Canaries(tmp_path_factory.getbasetemp()).watching(samples, processes=seen) as scan:
        yield scan


@pytest.fixture(autouse=True)
def _looked_back_at(request: pytest.FixtureRequest, home: Path, tmp_path: Path, canaries: Canaries) -> Iterator[None]:
    """Fail any test in which an MFA code came to an STS twice, or a secret was seen; those of the rigs try that."""
    yield
    made, Sts.made[:] = Sts.made[:], []
    repeated = [pair for sts in made for pair in sts.repeated_codes()]
    handed_out = request.node.get_closest_marker("hands_out") is not None
    seen = canaries.found(made, [home, tmp_path], handed_out=handed_out)
    if request.path.name not in {"test_sts.py", "test_rigs.py"}:
        assert not repeated, f"sent more than once: {repeated}"
        assert not seen, f"secrets were seen: {seen}"


@pytest.fixture(autouse=True)
def _starts_none(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a fast test that starts a process; pytest's own processes, and xdist's, are started between tests."""
    watch = request.config.stash.get(WATCH, None)
    if watch is not None:
        watch.begin()
    yield
    if watch is not None:
        started = watch.end()
        assert not started, f"a test of the fast set has started {started}: see tests/starts.py"
