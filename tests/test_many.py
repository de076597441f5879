"""What the commands cost with many profiles: the files are opened once, and the work grows as the profiles do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.manyprofiles import KEYS, config
from tests.program import FROZEN, PROGRAM, Home

if FROZEN or sys.platform == "win32":
    pytest.skip("looks into the process of the installed program on POSIX", allow_module_level=True)

NAME = "platform-production-eu-readonly"
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("list",),
    ("list", "platform"),
    ("list", "--names"),
    ("list", "--json"),
    ("explain", NAME),
    ("explain", "platform-prodaction-eu-readonly"),
    ("explain",),
    ("policy", NAME),
    ("login", NAME),
    ("login", "--all"),
    ("logout", NAME),
    ("logout", "--all"),
    ("clear", NAME),
    ("export", NAME, "--format", "bash"),
    ("exec", NAME, "--", "true"),
    ("console", NAME),
    ("setup", NAME),
    ("setup", "--all"),
    ("setup", "--undo", "--all"),
    ("doctor", "--offline"),
    ("doctor", NAME, "--offline"),
    ("status",),
    ("keys", "list"),
    ("completion", "bash"),
    ("completion", "--names"),
    ("completion", "--names", "keys rotate"),
)
# To clear needs no profile; each sign-in of many reads what the one before may have changed. Setup reads the settings,
# and then the lines that it edits
OPENED: dict[tuple[str, ...], int] = {
    ("clear", NAME): 0,
    ("status",): 0,
    ("completion", "bash"): 0,
    ("login", "--all"): 2,
    ("setup", NAME): 2,
    ("setup", "--all"): 2,
}
COUNTED = """
import os, sys, time
opened = calls = 0
path = os.path.expanduser("~/.aws/config")
def audit(event, arguments):
    global opened
    opened += event == "open" and arguments[0] == path
def count(frame, event, argument):
    global calls
    calls += 1
sys.addaudithook(audit)
from credproc import cli
sys.argv = sys.argv[1:]  # the program first, whose name setup writes
sys.setprofile(count)
cli.run(sys.argv[1:], time.monotonic())
sys.setprofile(None)
os.write(2, f"\\n{opened} {calls}".encode())
"""


def _cost(home: Home, number: int, *command: str) -> tuple[int, int]:
    """Return how often the config file is opened, and how many functions are called."""
    home.config(config(number))
    home.credentials(KEYS)
    environ = {**home.environ, "CREDPROC_INTERACTIVE": "never", "CREDPROC_SESSION_STORE": "file"}
    argv = [sys.executable, "-c", COUNTED, PROGRAM, *command]
    ran = subprocess.run(argv, env=environ, capture_output=True, text=True, check=True, start_new_session=True)
    opened, calls = ran.stderr.splitlines()[-1].split()
    return int(opened), int(calls)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_files_are_read_once_and_ten_times_the_profiles_are_ten_times_the_work(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    h = Home(tmp_path / "home", AWS_EC2_METADATA_DISABLED="true")
    _cost(h, 4, *command)  # which compiles what is new
    (_, few), (_, some), (opened, many) = (_cost(h, number, *command) for number in (4, 40, 400))
    assert opened == OPENED.get(command, 1)
    assert many - some <= 12 * max(some - few, 500)


@pytest.mark.measure
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_takes_more_than_30_starts_of_the_interpreter(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Processor time with 400 profiles: 0.3 s where the interpreter's start takes 10 ms. The best of three counts."""
    h = Home(tmp_path / "home", AWS_EC2_METADATA_DISABLED="true")
    h.config(config(400))
    h.credentials(KEYS)
    environ = {**h.environ, "CREDPROC_INTERACTIVE": "never", "CREDPROC_SESSION_STORE": "file"}

    def seconds(*argv: str) -> float:
        quiet = subprocess.DEVNULL
        child = subprocess.Popen(argv, env=environ, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = status
        return usage.ru_utime + usage.ru_stime

    bare = min(seconds(sys.executable, "-I", "-S", "-c", "pass") for _ in range(5))
    assert min(seconds(PROGRAM, *command) for _ in range(3)) <= 30 * bare
