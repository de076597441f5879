"""Every test starts in an empty home, without the variables that steer AWS tools, credproc or proxies."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program import FROZEN
from tests.sts import Sts

collect_ignore = [] if FROZEN else ["test_frozen.py"]  # what build/freeze makes; build/test --frozen names it

PREFIXES = ("AWS_", "_AWS_", "CREDPROC_")
PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the empty home directory; ``tmp_path`` stays the test's own."""
    for name in list(os.environ):
        if name.upper().startswith(PREFIXES) or name.upper() in PROXIES:
            monkeypatch.delenv(name)
    path = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(path))
    monkeypatch.setenv("USERPROFILE", str(path))  # what ~ is on Windows
    monkeypatch.setenv("XDG_CACHE_HOME", str(path / ".cache"))
    return path


@pytest.fixture(autouse=True)
def _each_code_reaches_sts_once(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail any test in which an MFA code came to an STS twice; not those of the double, which try just that."""
    before = len(Sts.made)
    yield
    repeated = [pair for sts in Sts.made[before:] for pair in sts.repeated_codes()]
    del Sts.made[before:]
    assert not repeated or request.path.name == "test_sts.py", f"sent more than once: {repeated}"
