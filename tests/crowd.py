"""Many credprocs at once, on one terminal, in one process group, as the children of one program.

`python -m tests.crowd --processes 1000 --kills 200` is the deep run of what tests/test_once.py samples.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.mfa import PROMPT, World, world
from tests.program import IS_ROOT, PROGRAM
from tests.terminal import process_state

if TYPE_CHECKING:
    from tests.terminal import Job

LIMIT_KIB = 15 * 1024  # memory of one that waits
_PAUSE = 1.0  # seconds

# Starts the programs with their output in files, and says how each has ended. As small as Python gets, since a child
# counts as large as its parent until its own program is loaded.
_LAUNCHER = """
import os, sys
directory, program = sys.argv[1:3]
processes = {}
for number, profile in enumerate(sys.argv[3:]):
    flags = os.O_WRONLY | os.O_CREAT
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, f"{directory}/{number}.stdout", flags, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, f"{directory}/{number}.stderr", flags, 0o600),
    ]
    pid = os.posix_spawn(program, [program, "--profile", profile], os.environ, file_actions=files)
    processes[pid] = number
    with open(f"{directory}/pids", "a") as file:
        file.write(f"{pid}\\n")
while processes:
    pid, status = os.wait()
    with open(f"{directory}/{processes.pop(pid)}.status", "w") as file:
        file.write(str(os.waitstatus_to_exitcode(status)))
"""


class Ended(NamedTuple):
    """How the crowd has ended."""

    statuses: list[int]
    documents: list[dict[str, Any]]  # of those that printed one
    errors: set[str]


class Crowd:
    """So many credprocs, one for each profile that is named."""

    def __init__(self, w: World, directory: Path, profiles: Sequence[str], beside: "Crowd | None" = None) -> None:
        """Start them on the world's terminal, in a process group of their own or in that of others."""
        directory.mkdir()
        self.directory = directory
        self._count = len(profiles)
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(directory), PROGRAM, *profiles]
        self._at_the_lock: set[int] = set()
        self.job: Job = w.terminal.start(
            launcher, w.home.environ, stdin="null", group=None if beside is None else beside.job
        )

    @property
    def pids(self) -> list[int]:
        """The processes that have been started so far."""
        path = self.directory / "pids"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def at_the_lock(self) -> int:
        """Return how many have had an entry's lock open; who polls for it does not show in /proc/locks."""
        for pid in self.pids:
            if pid not in self._at_the_lock and has_lock_open(pid):
                self._at_the_lock.add(pid)
        return len(self._at_the_lock)

    def peak_kib(self) -> list[int]:
        """Return the peak memory of those that run."""
        return [peak for peak in map(_peak_kib, self.pids) if peak is not None]

    def ended(self, timeout: float) -> Ended:
        """Wait until all have ended."""
        self.job.wait(timeout)
        numbers = range(self._count)
        outputs = [(self.directory / f"{number}.stdout").read_text() for number in numbers]
        return Ended(
            [int((self.directory / f"{number}.status").read_text()) for number in numbers],
            [json.loads(output) for output in outputs if output],
            {(self.directory / f"{number}.stderr").read_text() for number in numbers},
        )


def until(condition: Callable[[], object], timeout: float = 60) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def behind_one_user(w: World, directory: Path, processes: int, roles: int) -> None:
    """So many processes for so many roles behind one user, cold: one prompt, one session, one call for each role."""
    names = [f"role{number % roles}" for number in range(processes)]
    crowd = Crowd(w, directory, names)
    w.terminal.expect(PROMPT, 30)
    until(lambda: crowd.at_the_lock() == processes)
    # Another prompt, if there were one, would come about now
    w.type_code()
    ended = crowd.ended(60)
    assert ended.statuses == [0] * processes, ended.errors
    assert ended.errors == {""}
    assert len(ended.documents) == processes
    assert len({document["AccessKeyId"] for document in ended.documents}) == roles
    assert w.terminal.transcript.count(PROMPT.encode()) == 1
    assert (w.sts.count("GetSessionToken"), w.sts.count("AssumeRole"), w.sts.count()) == (1, roles, 1 + roles)


def at_the_barrier(w: World, directory: Path, processes: int) -> int:
    """So many processes for one role, all at the lock before STS answers: one call of each kind.

    Return the largest peak memory of those that wait, in KiB.
    """
    crowd = Crowd(w, directory, ["role0"] * processes)
    w.sts.hold(lambda: crowd.at_the_lock() >= processes)
    w.terminal.expect(PROMPT, 30)
    until(lambda: crowd.at_the_lock() >= processes)
    peaks = sorted(crowd.peak_kib())
    w.type_code()
    ended = crowd.ended(60)
    assert ended.statuses == [0] * processes, ended.errors
    assert len({document["AccessKeyId"] for document in ended.documents}) == 1
    assert (w.sts.count("GetSessionToken"), w.sts.count("AssumeRole"), w.sts.count()) == (1, 1, 2)
    assert w.terminal.transcript.count(PROMPT.encode()) == 1
    waiting = peaks[:-1]  # all but the one that has imported botocore
    assert waiting[-1] <= LIMIT_KIB, f"{waiting[-1]} KiB"
    return waiting[-1]


def with_a_killed_holder(w: World, directory: Path, waiters: int, seconds: float, *, within: float = 5) -> bool:
    """Kill the one that has its turn so many seconds after the start: another takes over, and all the rest end well.

    It takes over ``within`` so many seconds.

    Return whether it had its prompt up.
    """
    for path in w.home.cache.glob("*"):
        path.unlink()
    seen = w.terminal.transcript.count(PROMPT.encode())
    crowd = Crowd(w, directory, ["role0"] * (waiters + 1))
    time.sleep(seconds)
    until(lambda: _holder(w) in crowd.pids)
    holder = _holder(w)
    assert holder is not None
    os.kill(holder, signal.SIGKILL)
    had_prompt = w.terminal.transcript.count(PROMPT.encode()) > seen
    began = time.monotonic()
    until(lambda: _holder(w) not in (holder, None), 10)
    assert time.monotonic() - began < within, "taken over late"
    until(lambda: w.terminal.transcript.count(PROMPT.encode()) == seen + 1 + had_prompt, 20)
    w.type_code()
    ended = crowd.ended(60)
    assert sorted(ended.statuses) == [-signal.SIGKILL] + [0] * waiters, ended
    assert w.terminal.transcript.count(PROMPT.encode()) == seen + 1 + had_prompt
    return had_prompt


def _holder(w: World) -> int | None:
    """Return the process that last took an entry's lock."""
    for path in w.home.cache.glob("*.entry.lock"):
        fields = path.read_text().split()
        return int(fields[0]) if fields else None
    return None


def has_lock_open(pid: int) -> bool:
    """Whether this process has an entry's lock open: it has it, or waits for it."""
    directory = f"/proc/{pid}/fd"
    try:
        return any(os.readlink(f"{directory}/{name}").endswith(".entry.lock") for name in os.listdir(directory))
    except OSError:  # it has ended, or has closed one meanwhile
        return False


def until_waiting(pids: Iterable[int]) -> None:
    """Wait until each of these processes has an entry's lock open and sleeps: it waits for that lock or for another.

    Only root sees what they have open. For anybody else this is a pause, in which they should come so far.
    """
    if not IS_ROOT:
        time.sleep(_PAUSE)
        return
    for pid in pids:
        until(partial(_waits, pid))


def _waits(pid: int) -> bool:
    return has_lock_open(pid) and process_state(pid) == "S"


def _peak_kib(pid: int) -> int | None:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)


def main() -> None:
    """Run the deep sweep, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--processes", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--store", choices=("file", "kernel"), default="file", help="where the MFA session is kept")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    store = {"CREDPROC_SESSION_STORE": options.store}
    dice = random.Random(options.seed)  # noqa: S311 - for variety, not for secrets
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        roles = [f"role{number}" for number in range(5)]
        with world(base / "one", roles, **store) as w:
            behind_one_user(w, base / "crowd", 200, 5)
            assert w.sts.repeated_codes() == []
        sys.stdout.write("200 processes, 5 roles: 1 prompt, 1 GetSessionToken, 5 AssumeRole, 200 documents\n")
        with world(base / "two", roles, **store) as w:
            peak = at_the_barrier(w, base / "barrier", options.processes)
            assert w.sts.repeated_codes() == []
        sys.stdout.write(
            f"{options.processes} processes, 1 role: 1 prompt, 1 GetSessionToken, 1 AssumeRole;"
            f" waiters at most {peak / 1024:.1f} MiB\n"
        )
        prompts = 0
        for number in range(options.kills):
            with world(base / f"kill{number}", roles, **store) as w:
                prompts += with_a_killed_holder(w, base / f"killed{number}", 10, dice.uniform(0, 1.5))
        sys.stdout.write(
            f"seed {options.seed}: {options.kills} holders killed, {prompts} of them at their prompt: each taken over\n"
        )


if __name__ == "__main__":
    main()
