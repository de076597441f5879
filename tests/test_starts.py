"""What the fast set is made of: a test is in the right class by its code, and one that is not is told."""

import functools
import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credproc import plan
from tests import program
from tests.program import Home, Outcome
from tests.starts import CALLS, reach

TRUE = ["/bin/true"]
ROOT = Path(__file__).parent.parent


class _Inside:
    def begin(self) -> None:
        os.fork()

    def rest(self) -> None:
        raise NotImplementedError


class _Entered(_Inside):
    def __enter__(self) -> None:
        subprocess.run(TRUE, check=True)

    def __exit__(self, *_: object) -> None:
        pass


def _runs_it(home: Home) -> Outcome:
    return home.run("--version")


def _makes_a_home(path: Path) -> Home:
    return Home(path)


def _through_a_module() -> object:
    return program.role_home


def _through_a_name_of_a_module(home: Home) -> object:
    return program.Home.start(home)


def _through_a_local_import() -> object:
    from tests.faults import scene  # noqa: PLC0415 - as a test may

    return scene.Scene.run


def _through_a_table(kind: str) -> None:
    _TABLE[kind]()


def _through_a_lambda() -> Callable[[], object]:
    return lambda: subprocess.run(TRUE, check=True)


def _by_with(inside: _Entered) -> None:
    with inside:
        pass


def _makes_it_and_begins() -> None:
    _Inside().begin()


def _makes_it_and_rests() -> None:
    _Inside().rest()


def _waits_for(child: "subprocess.Popen[bytes]") -> tuple[int, int]:
    return child.wait(), subprocess.DEVNULL


def _plans() -> object:
    return plan.plan_for


def _asks_the_system() -> str:
    return os.getcwd()


@given(st.none())
def _for_any(_value: None) -> None:
    subprocess.run(TRUE, check=True)


_TABLE = {"a": _makes_it_and_begins}
_partly = functools.partial(_through_a_table, "a")

STARTS = [
    (_through_a_name_of_a_module,),
    (_through_a_local_import,),
    (_through_a_table,),
    (_through_a_lambda,),
    (_by_with, _Entered),
    (_makes_it_and_begins,),
    (_partly,),
    (_for_any.hypothesis.inner_test,),  # type: ignore[attr-defined]
    (_runs_it, _makes_a_home),
]
STARTS_NONE = [
    (_makes_a_home,),
    (_makes_it_and_rests,),
    (_waits_for,),
    (_plans,),
    (_asks_the_system,),
    (_through_a_module,),
]


@pytest.mark.posix("os.posix_spawn and os.fork")
@pytest.mark.parametrize("roots", STARTS, ids=lambda roots: str(getattr(roots[0], "__name__", "partial")))
def test_a_start_is_found_however_it_is_reached(roots: tuple[object, ...]) -> None:
    assert reach(roots) is not None


@pytest.mark.parametrize("roots", STARTS_NONE, ids=lambda roots: str(roots[0].__name__))
def test_what_starts_nothing_is_fast(roots: tuple[object, ...]) -> None:
    assert reach(roots) is None


@pytest.mark.posix("os.posix_spawn and os.fork")
def test_what_is_taken_for_a_start_is_there() -> None:
    for module, names in CALLS.items():
        there = vars(importlib.import_module(module)).keys()
        assert names - there <= {"startfile"}, module  # Windows has it


SAMPLE = """
import subprocess

def test_open():
    subprocess.run(["/bin/true"])

def test_hidden():
    vars(subprocess)["ru" + "n"](["/bin/true"])

def test_none():
    pass
"""


@pytest.mark.posix("a program that every system has, /bin/true")
def test_a_test_of_the_fast_set_that_starts_a_process_fails(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    alone = ["-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={tmp_path}"]
    command = [sys.executable, "-m", "pytest", "--fast", "-p", "tests.conftest", *alone, "-rA", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "2 passed, 1 deselected, 1 error" in ran.stdout
    assert "ERROR at teardown of test_hidden" in ran.stdout
    assert "a test of the fast set has started " in ran.stdout
