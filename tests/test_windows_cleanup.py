"""What killed writers and ended locks leave on Windows, where no open file is removed: under Wine."""

import os
import sys
import time
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the rigs are made for Linux", allow_module_level=True)

from tests import tmux, windows_console
from tests.windows_console import PYTHON, WindowsConsole, windows_path

if not (windows_console.AVAILABLE and tmux.AVAILABLE):
    pytest.skip("build/windows installs what it needs", allow_module_level=True)

HASH = "0123456789abcdef0123456789abcdef"
DAY = 24 * 3600
CLEAN_UP = f"""
import os, subprocess, sys, time
from credproc.files import PrivateDirectory
from credproc.locking.lock import Lock
from credproc.refresh.cleanup import clean_up

directory = PrivateDirectory(sys.argv[1])
ended = subprocess.Popen([sys.executable, "-I", "-S", "-c", ""])
ended.wait()
for process in (ended.pid, os.getpid()):
    directory.write(f"{HASH}.entry.{{process}}-0a1b2c3d.tmp", b"")
held = Lock(directory, "{"f" * 32}.entry")
assert held.try_acquire()
os.utime(os.path.join(sys.argv[1], "{"f" * 32}.entry.lock"), (0, 0))
print(clean_up(directory, time.time()))
print(*(name.replace(str(os.getpid()), "PID") for name in directory.names()))
held.close()
os.utime(os.path.join(sys.argv[1], "{"f" * 32}.entry.lock"), (0, 0))
print(clean_up(directory, time.time()))
"""


def test_files_of_ended_writers_and_locks_that_nobody_holds_are_removed(tmp_path: Path) -> None:
    for name in (f"{HASH}.entry.lock", f"{HASH}.used", f"{HASH}.entry.1-0a1b2c3d.tmp", "terminal-00.lock"):
        (tmp_path / name).touch(0o600)
        os.utime(tmp_path / name, (time.time() - 2 * DAY,) * 2)
    with WindowsConsole() as console:
        ended = console.start([PYTHON, "-c", CLEAN_UP, windows_path(tmp_path)]).outcome()
    assert (ended.status, ended.stderr) == (0, "")
    of_a_living_one, held = f"{HASH}.entry.PID-0a1b2c3d.tmp", f"{'f' * 32}.entry.lock"
    assert ended.stdout.splitlines() == ["5", f"{of_a_living_one} {held}", "1"]
