"""Which ancestor on Windows is the program that asks; test_windows_console.py has the same with real processes."""

import sys

import pytest

from credproc.process.windows_caller import Ancestor, Launcher, nearest_program, own_launcher
from credproc.request import Caller

PIP = Launcher(None, "credproc.exe")
VENV = Launcher("python.exe", "credproc.exe")
FROZEN = Launcher(None, None)


@pytest.mark.parametrize(
    ("launcher", "names", "found"),
    [
        (FROZEN, "cmd.exe node.exe explorer.exe", "node.exe"),
        (FROZEN, "CMD.EXE cmd.exe terraform.exe", "terraform.exe"),
        (FROZEN, "python.exe", "python.exe"),
        (FROZEN, "credproc.exe python.exe", "credproc.exe"),
        (PIP, "credproc.exe python.exe cmd.exe", "python.exe"),
        (PIP, "Credproc.exe cmd.exe aws.exe", "aws.exe"),
        (PIP, "credproc.exe credproc.exe", "credproc.exe"),
        (PIP, "cmd.exe credproc.exe node.exe", "credproc.exe"),
        (VENV, "python.exe credproc.exe python.exe", "python.exe"),
        (VENV, "python.exe python.exe cmd.exe", "python.exe"),
        (VENV, "python.exe credproc.exe cmd.exe node.exe", "node.exe"),
        (PIP, "credproc.exe cmd.exe", None),
        (FROZEN, "", None),
    ],
)
def test_the_program_that_asks_is_the_nearest_that_is_no_shell_and_no_launcher(
    launcher: Launcher, names: str, found: str | None
) -> None:
    ancestors = [Ancestor(name, Caller(number, number, number)) for number, name in enumerate(names.split())]
    caller = nearest_program(iter(ancestors), launcher)
    assert (None if caller is None else ancestors[caller.process].name) == found


def test_a_handle_that_is_returned_is_not_closed_by_looking_further() -> None:
    seen = []

    def ancestors() -> "object":
        for number, name in enumerate(("credproc.exe", "python.exe", "explorer.exe")):
            yield Ancestor(name, Caller(number))
            seen.append(name)

    nearest_program(ancestors(), PIP)  # type: ignore[arg-type]  # a generator, as the real one
    assert seen == ["credproc.exe"]


def test_the_launcher_is_known_by_the_name_that_started_credproc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "python.exe")
    monkeypatch.setattr(sys, "_base_executable", "python.exe", raising=False)
    assert own_launcher("Scripts/credproc") == PIP  # pip's launcher takes .exe away
    assert own_launcher("Scripts/credproc.exe") == PIP
    monkeypatch.setattr(sys, "_base_executable", "base/python.exe", raising=False)
    assert own_launcher("credproc") == VENV
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert own_launcher("credproc") == FROZEN
