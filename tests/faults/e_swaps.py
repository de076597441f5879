"""E. State directory: swaps by another user."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.faults.rows import Case, row
from tests.faults.scene import NOBODY, as_user

if TYPE_CHECKING:
    from tests.faults.scene import Result, Scene

_SWAPS, _SWAPS_DEEP = 10_000, 100_000
_RUNS = 5  # at least
# Puts in the place of the directory, again and again: a link to the victim's, one to a directory of one's own, that
# with hard links and FIFOs by the names that are there, a FIFO, and what was there before
_ATTACKER = r"""
import os, sys, time
directory, precious, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
mine, away, name = directory + "-mine", directory + "-away", ["x.entry"]
os.umask(0)
os.makedirs(mine, exist_ok=True)


def attempt(call, *arguments):
    try:
        call(*arguments)
    except OSError:
        pass


def away_with_it():
    attempt(os.unlink, directory)
    attempt(os.rename, directory, away)
    attempt(os.rename, directory, directory + "-more%d" % time.time_ns())


def learn():
    for place in (away, mine):
        try:
            name.extend(entry for entry in os.listdir(place) if entry not in name)
        except OSError:
            pass


def plant(kind):
    for entry in name:
        path = os.path.join(mine, entry)
        attempt(os.unlink, path)
        if kind == 0:
            attempt(os.mkfifo, path)
        else:
            attempt((os.symlink, os.link)[kind - 1], precious + "/file", path)


for number in range(times):
    away_with_it()
    kind = number % 5
    if kind == 0:
        attempt(os.symlink, precious, directory)
    elif kind == 1:
        attempt(os.symlink, mine, directory)
    elif kind == 2:
        attempt(os.mkfifo, directory)
    elif kind == 3:
        attempt(os.rename, away, directory)
    else:
        attempt(os.mkdir, directory)
    if number % 50 == 0:
        learn()
        plant(number // 50 % 3)
    time.sleep(0.0001)
"""


def _shared(scene: Scene) -> None:
    """Make a directory that all may write, with credproc's own in it, and something that must stay as it is."""
    shared = scene.path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    precious = scene.home.path / "precious"
    precious.mkdir(mode=0o700)
    (precious / "file").write_text("precious\n", encoding="ascii")
    scene.home.environ["CREDPROC_CACHE_DIR"] = str(shared / "credproc")
    scene.warm()


def _raced(scene: Scene) -> list[Result]:
    scene.injections = _SWAPS_DEEP if scene.deep else _SWAPS
    shared = scene.path / "shared"
    script = [sys.executable, "-I", "-S", "-c", _ATTACKER, str(shared / "credproc"), str(scene.home.path / "precious")]
    results: list[Result] = []
    with subprocess.Popen([*as_user(NOBODY), *script, str(scene.injections)], cwd="/", env={}) as attacker:
        while attacker.poll() is None or len(results) < _RUNS:
            results.append(scene.process(scene.argv(), scene.environ()))
    assert attacker.returncode == 0, attacker.returncode
    assert len(list(shared.iterdir())) > 1, "nothing was swapped"
    return results


def _nothing_leaked(scene: Scene, _result: Result) -> None:
    for path in (scene.path / "shared").rglob("*"):
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            continue
        private = status.st_uid == os.geteuid() and not status.st_mode & 0o077
        assert private or not scene.leaks(path.read_bytes()), f"{path.name}: {scene.leaks(path.read_bytes())}"
    precious = list((scene.home.path / "precious").iterdir())
    assert [path.name for path in precious] == ["file"], precious


ROWS = (
    row(
        "F064",
        "another user swaps links, hard links and FIFOs in a shared directory",
        Case("swaps", before=_shared, run=_raced, check=_nothing_leaked, calls=10_000),
    ),
)
