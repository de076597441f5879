"""Run the tests of mutants, several at once.

mutmut's own runner cannot be used: it chooses the mutant by an environment variable and runs it in its own process,
where our tests start the installed program with an environment of their own; and it leaves out properties and all code
outside functions. So each job has a copy of the environment and of the tests, and the mutant is in the file that all
processes of that copy import.
"""

import ctypes
import json
import os
import py_compile
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from mutant import ROOT, TESTS, Mutant, Outcome, StaleError

WORK = ROOT / "build" / "work" / "mutants"
PYTEST = ["-x", "-q", "--tb=line", "-m", "not measure"]


class Job:
    """A copy of the environment, with credproc in it, and of the tests; runs one mutant at a time."""

    def __init__(self, root: Path) -> None:
        """Create the copy in this directory."""
        self._root = root
        venv.create(self._root, symlinks=True)
        packages = next((ROOT / ".venv" / "lib").glob("python3.*/site-packages"))
        self._packages = self._root / packages.relative_to(ROOT / ".venv")
        (self._packages / "others.pth").write_text(
            f"{packages}\n"
        )  # all other packages; credproc is found in the copy first
        shutil.copytree(ROOT / "credproc", self._packages / "credproc", ignore=shutil.ignore_patterns("__pycache__"))
        program = (ROOT / ".venv" / "bin" / "credproc").read_text()
        (self._root / "bin" / "credproc").write_text(program.replace(str(ROOT / ".venv"), str(self._root)))
        (self._root / "bin" / "credproc").chmod(0o755)
        # Outside the repository, where a test's `python -c` would import the credproc beside the tests
        shutil.copytree(ROOT / "tests", self._root / "tests", ignore=shutil.ignore_patterns("sdk", "__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", self._root)

    def run(self, module: str, code: str, limit: float) -> Outcome:
        """Run the module's tests with ``code`` as the module, for at most ``limit`` seconds."""
        path = self._packages / module
        before = path.read_text()
        try:
            self._replace(path, code)
            return self._run_tests(module, limit)
        finally:
            self._replace(path, before)

    @staticmethod
    def _replace(path: Path, code: str) -> None:
        path.write_text(code)
        # By default a .pyc is matched by the source's mtime in seconds and its size, which two mutants may share
        py_compile.compile(str(path), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)

    def _run_tests(self, module: str, limit: float) -> Outcome:
        tests = [f"tests/{name}" for name in TESTS[module]]
        command = [str(self._root / "bin" / "python"), str(ROOT / ".venv" / "bin" / "pytest"), *PYTEST, *tests]
        began = time.monotonic()
        with (
            _kill_remaining(),
            subprocess.Popen(
                [*command, f"--basetemp={self._root / 'tmp'}"],
                cwd=self._root,
                env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            ) as child,
        ):
            try:
                output, _ = child.communicate(timeout=limit)
                by = _first_failure(output)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                by = "time"
        return Outcome(child.returncode != 0, by, time.monotonic() - began)


def _first_failure(output: str) -> str:
    found = re.search(r"^(?:FAILED|ERROR) (?:tests/)?(\S+)", output, re.MULTILINE)
    return found[1] if found else output.strip().rpartition("\n")[2]


@contextmanager
def _kill_remaining() -> Iterator[None]:
    """Kill all processes that were started in the ``with`` block and still run: a mutant may wait for ever."""
    if sys.platform == "linux":
        subreaper = 36  # PR_SET_CHILD_SUBREAPER: orphans come to this process
        ctypes.CDLL(None).prctl(subreaper, 1, 0, 0, 0)
    yield
    if sys.platform != "linux":
        return
    while True:
        for pid in _children():
            os.kill(pid, signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return


def _children() -> list[int]:
    tasks = Path("/proc/self/task").glob("*/children")
    return [int(pid) for task in tasks for pid in task.read_text().split()]


_job: list[Job] = []  # the job of this process


def _begin(directory: str) -> None:
    _job.append(Job(Path(tempfile.mkdtemp(dir=directory))))


def _run(module: str, code: str, limit: float) -> Outcome:
    return _job[0].run(module, code, limit)


def limits(pool: ProcessPoolExecutor, modules: Iterable[str]) -> dict[str, float]:
    """Return the time limit in seconds for each module's tests, from a run without a mutant, which must pass."""
    whole = {module: pool.submit(_run, module, (ROOT / module).read_text(), 600) for module in modules}
    found = {}
    for module, running in whole.items():
        outcome = running.result()
        if outcome.noticed:
            raise StaleError(f"{module}: its tests fail without a mutant: {outcome.by}")
        found[module] = 30 + 4 * outcome.seconds
    return found


def outcomes(chosen: Sequence[Mutant], jobs: int) -> dict[Mutant, Outcome]:
    """Run the tests of each mutant, ``jobs`` at once."""
    found: dict[Mutant, Outcome] = {}
    with (
        tempfile.TemporaryDirectory(dir=WORK, prefix="run-") as directory,
        ProcessPoolExecutor(jobs, initializer=_begin, initargs=(directory,)) as pool,
        (WORK / "outcomes.jsonl").open("a") as seen,  # which test notices which mutant
    ):
        limit = limits(pool, dict.fromkeys(mutant.module for mutant in chosen))
        running = {pool.submit(_run, mutant.module, mutant.code, limit[mutant.module]): mutant for mutant in chosen}
        for done in as_completed(running):
            mutant, outcome = running[done], done.result()
            found[mutant] = outcome
            print(json.dumps({"mutant": mutant.key, **outcome._asdict()}), file=seen, flush=True)
            if len(found) % 100 == 0:
                print(f"mutants: {len(found)} of {len(chosen)}", file=sys.stderr)
    return {mutant: found[mutant] for mutant in chosen}
