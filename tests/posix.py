"""What there is on POSIX alone, and what comes of the tests about it on Windows: they are left out, named and counted.

`@pytest.mark.posix("what it is about")` says so of a test. A whole file that is about such a thing, or that is made of
it, stands in `FILES`, or skips itself by ``sys.platform``: its tests are counted by its source, as it is not imported.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import sys
import traceback
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.program import end_started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import NoReturn

WINDOWS = sys.platform == "win32"
_LEFT_OUT = "POSIX alone: "
_MODULES = {"os", "signal", "socket", "time"}  # of these Windows has less
_BELOW_HOME = re.compile(r"~/[\w./-]+")
_NOT_FOR_WINDOWS = re.compile(r"sys\.platform (?:!= 'linux'|== 'win32')")
_IN_TESTS = f"{os.sep}tests{os.sep}"

_TERMINAL = "a pseudo-terminal, its sessions and jobs"
_KEYRING = "a Secret Service on a D-Bus, or the keyring of the Linux kernel"
_CERTIFICATES = "certificates, made by cryptography, which Wine cannot load (no bcryptprimitives.dll)"
_FAULTS = "faults that are put into system calls of Linux"

FILES = {
    "test_authorities.py": _CERTIFICATES,
    "test_client.py": _CERTIFICATES,
    "test_folders.py": _CERTIFICATES,
    "test_transport.py": _CERTIFICATES,
    "test_windows_terminal.py": "files as doubles of CONIN$ and CONOUT$, which are the devices on Windows",
    "test_cold.py": _KEYRING,
    "test_completions.py": "bash, zsh and fish",
    "test_cve.py": _FAULTS,
    "test_doctor.py": "modes of files, and a Secret Service",
    "test_exec.py": "the command that takes the place of credproc",
    "test_frozen.py": "the program that build/freeze makes for Linux; build/freeze --windows tries its own",
    "test_gate.py": "processes that are forked, and control characters in the names of files",
    "test_harness.py": _FAULTS,
    "test_login.py": _TERMINAL,
    "test_man.py": "mandoc and groff",
    "test_odd.py": "processes that are forked",
    "test_prompt.py": _TERMINAL,
    "test_serve.py": "signals, and what Linux tells of a process in /proc",
    "test_signin.py": _TERMINAL,
    "test_table.py": _FAULTS,
}


def native(text: str) -> str:
    r"""Return a path, or a message with one, as this system writes it: with ``\`` on Windows."""
    return text.replace("/", os.sep)


def native_home(text: str) -> str:
    r"""Return the text with each path below ``~`` as this system writes it: ``~\\.aws\\config`` on Windows."""
    return _BELOW_HOME.sub(lambda path: native(path[0]), text)


def leave_out(items: list[pytest.Item]) -> None:
    """Have the tests skipped that are about what there is on POSIX alone, where we are not."""
    for item in items if WINDOWS else []:
        marker = item.get_closest_marker("posix")
        if marker is not None:
            (what,) = marker.args
            item.add_marker(pytest.mark.skip(reason=f"{_LEFT_OUT}{what}"))


def left_out(reports: list[pytest.TestReport]) -> list[str]:
    """Return a line for each reason for which tests were skipped, with their number, by their reports."""
    reasons = (report.longrepr for report in reports)
    said = Counter(str(reason[2]).removeprefix("Skipped: ") for reason in reasons if isinstance(reason, tuple))
    return [f"{number:5} {words}" for words, number in said.most_common()]


def missing_function(error: BaseException, path: str) -> str | None:
    """Return the reason to leave a test out, if it failed as Python has no such name or argument on Windows.

    ``path`` is the file in which that was raised: for code of credproc's own this would be a fault.
    """
    if not (WINDOWS and _IN_TESTS in path):
        return None
    if isinstance(error, NotImplementedError) and "unavailable on this platform" in str(error):  # posixmodule.c
        return f"{_LEFT_OUT}{str(error).removesuffix(' unavailable on this platform')}"
    module = getattr(getattr(error, "obj", None), "__name__", "")
    if isinstance(error, AttributeError) and module in _MODULES:
        return f"{_LEFT_OUT}{module}.{error.name}"
    return None


@contextmanager
def missing_functions_leave_out() -> Iterator[None]:
    """Skip the test in which something is called that Python has on POSIX alone; end what it has started before."""
    try:
        yield
    except (AttributeError, NotImplementedError) as error:
        at = traceback.extract_tb(error.__traceback__)[-1].filename
        reason = missing_function(error, at)
        if reason is None:
            raise
        end_started()
        pytest.skip(reason)


@functools.cache
def why_left_out(path: Path) -> str | None:
    """Return why a test file is not for Windows, by `FILES` or by what it says itself; None if it is."""
    if path.name in FILES:
        return f"{_LEFT_OUT}{FILES[path.name]}"
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.If(test=test, body=[ast.Expr(value=ast.Call(args=[ast.Constant(value=str() as reason)]))]):
                if _NOT_FOR_WINDOWS.search(ast.unparse(test)):
                    return reason
            case _:
                pass
    return None


class LeftOutFile(pytest.Module):
    """A test file that is not for Windows, not imported."""

    def collect(self) -> Iterator[LeftOutTest]:
        """Yield an item that is skipped for each test function."""
        for node in ast.walk(ast.parse(self.path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield LeftOutTest.from_parent(self, name=node.name)


class LeftOutTest(pytest.Item):
    """A test of a file that is not imported."""

    def runtest(self) -> NoReturn:
        """Skip it, with the reason of its file."""
        pytest.skip(why_left_out(self.path) or "")
