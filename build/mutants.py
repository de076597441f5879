"""Break a module in one place at a time and run its tests: which of the mutants does no test notice?

The mutants are mutmut's, and two kinds more. mutmut's own runner cannot be used: it chooses the mutant by a variable,
inside one process, where our tests start the installed program with an environment of their own; and it leaves out
properties and all that stands outside functions. So each job has a copy of the environment and of the tests, and the
mutant stands in the file that all processes of that copy import.
"""

import argparse
import ctypes
import difflib
import json
import os
import py_compile
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "work" / "mutants"
EQUIVALENT = ROOT / "build" / "mutants.equivalent"
WANTED = 85  # per cent

_CODES = [
    "test_mfa.py",
    *(
        f"test_prompt.py::test_{name}"
        for name in (
            "the_prompt_names_the_device_the_profile_and_the_program_and_the_code_is_not_shown",
            "without_a_terminal_it_says_which_command_to_run_in_one",
            "interactive_never_forbids_to_ask_on_a_terminal",
            "ctrl_d_cancels",
            "ctrl_c_and_its_like_end_it_by_their_signal",
            "three_codes_that_aws_refuses_end_it",
            "three_tries_without_a_code_end_it_without_a_call",
            "a_code_that_another_run_has_used_is_not_sent_again",
            "the_source_profiles_program_is_used_too",
            "a_reader_that_goes_away_withdraws_the_prompt",
            "a_caller_that_is_killed_withdraws_the_prompt",
            "text_from_the_configuration_can_only_be_read",
            "a_device_of_no_profile_of_its_own_is_asked_for_without_a_program",
            "the_program_that_asks_is_named[nine of them]",
        )
    ),
]
# What notices a mutant of the module, the fastest first, as the first that fails ends the run
TESTS = {
    "credproc/cache.py": ["test_files.py", "test_paths.py", "test_keep.py", "test_entries.py", "test_hit.py"],
    "credproc/locking/lock.py": ["test_files.py", "test_entries.py"],
    "credproc/mfa/code.py": _CODES,
    "credproc/mfa/__init__.py": _CODES,
    "credproc/mfa/prompt.py": _CODES,
    "credproc/credentials.py": ["test_keep.py", "test_entries.py"],
    "credproc/plan/url.py": ["test_url.py"],
    "credproc/aws/signature.py": ["test_signature.py", "test_query.py"],
    "credproc/aws/query.py": ["test_query.py"],
    "credproc/aws/answer.py": ["test_answer.py"],
    "credproc/aws/http1.py": ["test_http1.py"],
    "credproc/aws/connect.py": ["test_transport.py"],
    "credproc/aws/direct.py": ["test_transport.py"],
    "credproc/aws/proxied.py": ["test_transport.py"],
    "credproc/aws/tries.py": ["test_client.py"],
}
PYTEST = ["-x", "-q", "--tb=line", "-m", "not measure"]
NOT_CALLED_WRONG = {"len", "isinstance"}  # any other argument ends in a TypeError wherever a test comes by


class Mutant(NamedTuple):
    """A module, broken in one place."""

    module: str
    where: str  # the function or class
    lines: tuple[str, ...]  # what is taken away (-) and what comes instead (+)
    number: int  # among those with the same lines in the same place
    code: str

    @property
    def title(self) -> str:
        """What it is called in the list of equivalent ones."""
        return f"{self.module}: {self.where}" + (f" ({self.number})" if self.number > 1 else "")

    @property
    def key(self) -> str:
        """What tells it from any other."""
        return "\n".join((self.title, *self.lines))


class Outcome(NamedTuple):
    """What the tests have said."""

    noticed: bool
    by: str  # the test, or "time"
    seconds: float


class StaleError(Exception):
    """The list of equivalent mutants, or the tests themselves, are not as this needs them."""


# Making them


def turned_round(node: cst.If) -> Iterator[cst.If]:
    """Yield the ``if`` whose condition mutmut has no operator to change in, with its opposite."""
    if isinstance(node.test, (cst.Name, cst.Attribute, cst.Call, cst.NamedExpr)):
        inner = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.with_changes(test=cst.UnaryOperation(operator=cst.Not(), expression=inner))


def left_out(node: cst.Expr) -> Iterator[cst.Pass]:
    """Yield nothing in place of a call that is made for what it does."""
    if isinstance(node.value, cst.Call):
        yield cst.Pass()


OPERATORS: Sequence[tuple[type, Callable[..., Iterable[cst.CSTNode]]]] = [
    *mutation_operators,
    (cst.If, turned_round),
    (cst.Expr, left_out),
]


class Breaker(cst.CSTVisitor):  # type: ignore[misc] # libcst is not there where mypy is
    """Find what can be put in the place of a node, for all nodes that run on this platform."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, source: str) -> None:
        """Take the module's text."""
        super().__init__()
        self.found: list[tuple[str, cst.CSTNode, cst.CSTNode]] = []
        self._lines = source.splitlines()
        self._names: list[str] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Note what can stand in this node's place; return whether to go on below it."""
        if isinstance(node, (cst.Annotation, cst.Decorator)) or self._never_runs(node):
            return False
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in NOT_CALLED_WRONG:
            return False
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            self._names.append(node.name.value)
        where = ".".join(self._names) or "the module"
        for kind, operator in OPERATORS:
            if isinstance(node, kind):
                self.found.extend((where, node, other) for other in operator(node))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Leave the function or class."""
        if isinstance(original_node, (cst.FunctionDef, cst.ClassDef)):
            self._names.pop()

    def _never_runs(self, node: cst.CSTNode) -> bool:
        if not isinstance(node, (cst.BaseStatement, cst.SimpleStatementLine, cst.Else, cst.ExceptHandler)):
            return False
        line = self._lines[self.get_metadata(PositionProvider, node).start.line - 1]
        return "pragma: no cover" in line or line.startswith("if TYPE_CHECKING:")


def mutants(module: str) -> list[Mutant]:
    """Return all mutants of the module, in the order of their places."""
    source = (ROOT / module).read_text()
    wrapper = MetadataWrapper(cst.parse_module(source))
    breaker = Breaker(source)
    wrapper.visit(breaker)
    made: list[Mutant] = []
    seen: Counter[tuple[str, tuple[str, ...]]] = Counter()
    codes = {source}
    for where, node, other in breaker.found:
        code = wrapper.module.deep_replace(node, other)
        text = code.code if isinstance(code, cst.Module) else ""
        if text in codes or not _compiles(text):
            continue
        codes.add(text)
        difference = difflib.unified_diff(source.splitlines(), text.splitlines(), n=0, lineterm="")
        lines = tuple(line for line in difference if not line.startswith(("---", "+++", "@@")))
        seen[where, lines] += 1
        made.append(Mutant(module, where, lines, seen[where, lines], text))
    return made


def _compiles(code: str) -> bool:
    try:
        compile(code, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def equivalent() -> dict[str, str]:
    """Return the listed mutants that no test can notice, by key, and why."""
    found: dict[str, str] = {}
    for block in re.split(r"\n{2,}", EQUIVALENT.read_text().strip()):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        reason = [line for line in lines if line.startswith("= ")]
        if lines and len(reason) != 1:
            raise StaleError(f"{EQUIVALENT.name}: not one reason: {lines[0]}")
        if lines:
            found["\n".join(line for line in lines if not line.startswith("= "))] = reason[0][2:]
    return found


# Running them


class Job:
    """A copy of the environment with credproc in it, and of the tests, for one mutant at a time."""

    def __init__(self, root: Path) -> None:
        """Make the copy in this directory."""
        self._root = root
        venv.create(self._root, symlinks=True)
        packages = next((ROOT / ".venv" / "lib").glob("python3.*/site-packages"))
        self._packages = self._root / packages.relative_to(ROOT / ".venv")
        (self._packages / "others.pth").write_text(f"{packages}\n")  # all but credproc, which is found here before
        shutil.copytree(ROOT / "credproc", self._packages / "credproc", ignore=shutil.ignore_patterns("__pycache__"))
        program = (ROOT / ".venv" / "bin" / "credproc").read_text()
        (self._root / "bin" / "credproc").write_text(program.replace(str(ROOT / ".venv"), str(self._root)))
        (self._root / "bin" / "credproc").chmod(0o755)
        # Away from the tree: a program that a test starts by `python -c` would find credproc beside the tests
        shutil.copytree(ROOT / "tests", self._root / "tests", ignore=shutil.ignore_patterns("sdk", "__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", self._root)

    def run(self, module: str, code: str, limit: float) -> Outcome:
        """Run the module's tests with this in its place."""
        path = self._packages / module
        before = path.read_text()
        try:
            self._put(path, code)
            return self._tested(module, limit)
        finally:
            self._put(path, before)

    @staticmethod
    def _put(path: Path, code: str) -> None:
        path.write_text(code)
        # By default a .pyc is known by the file's second and size, and two mutants may have both in common
        py_compile.compile(str(path), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)

    def _tested(self, module: str, limit: float) -> Outcome:
        tests = [f"tests/{name}" for name in TESTS[module]]
        command = [str(self._root / "bin" / "python"), str(ROOT / ".venv" / "bin" / "pytest"), *PYTEST, *tests]
        began = time.monotonic()
        with (
            _nothing_left(),
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
                said, _ = child.communicate(timeout=limit)
                by = _first_failure(said)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                by = "time"
        return Outcome(child.returncode != 0, by, time.monotonic() - began)


def _first_failure(said: str) -> str:
    found = re.search(r"^(?:FAILED|ERROR) (?:tests/)?(\S+)", said, re.MULTILINE)
    return found[1] if found else said.strip().rpartition("\n")[2]


@contextmanager
def _nothing_left() -> Iterator[None]:
    """End all processes that were started in here and are still there: a mutant may wait for ever."""
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


_job: list[Job] = []  # this process's own


def _begin(directory: str) -> None:
    _job.append(Job(Path(tempfile.mkdtemp(dir=directory))))


def _run(module: str, code: str, limit: float) -> Outcome:
    return _job[0].run(module, code, limit)


def limits(pool: ProcessPoolExecutor, modules: Iterable[str]) -> dict[str, float]:
    """Return how many seconds each module's tests may take, which must pass while nothing is broken."""
    whole = {module: pool.submit(_run, module, (ROOT / module).read_text(), 600) for module in modules}
    found = {}
    for module, running in whole.items():
        outcome = running.result()
        if outcome.noticed:
            raise StaleError(f"{module}: its tests fail as it is: {outcome.by}")
        found[module] = 30 + 4 * outcome.seconds
    return found


def outcomes(chosen: Sequence[Mutant], jobs: int) -> dict[Mutant, Outcome]:
    """Run the tests of each mutant, so many at once."""
    found: dict[Mutant, Outcome] = {}
    with (
        tempfile.TemporaryDirectory(dir=WORK, prefix="run-") as directory,
        ProcessPoolExecutor(jobs, initializer=_begin, initargs=(directory,)) as pool,
        (WORK / "outcomes.jsonl").open("a") as seen,  # which test notices which
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


# Saying it


class Row(NamedTuple):
    """What is known of a module's mutants."""

    title: str
    mutants: int
    equivalent: int
    killed: int
    by_time: int
    survived: int

    @property
    def score(self) -> float:
        """How many per cent of those that can be noticed have been."""
        return 100 * self.killed / max(1, self.killed + self.survived)

    def __str__(self) -> str:
        """Return a line of a Markdown table."""
        counts = f"{self.mutants} | {self.equivalent} | {self.killed} | {self.by_time} | {self.survived}"
        return f"| {self.title} | {counts} | {self.score:.1f} % |"


def row(title: str, listed: Iterable[str], found: dict[Mutant, Outcome], left: Iterable[Mutant]) -> Row:
    """Count; ``left`` are the mutants that were drawn but are listed as equivalent, and so were not run."""
    keys = set(listed)
    counted = {mutant: outcome for mutant, outcome in found.items() if mutant.key not in keys}
    killed = [outcome for outcome in counted.values() if outcome.noticed]
    unnoticeable = {mutant.key for mutant in (*found, *left)} & keys
    return Row(
        title,
        len(counted) + len(unnoticeable),
        len(unnoticeable),
        len(killed),
        len([outcome for outcome in killed if outcome.by == "time"]),
        len(counted) - len(killed),
    )


def stale(listed: Iterable[str], every: Iterable[Mutant], found: dict[Mutant, Outcome]) -> Iterator[str]:
    """Yield what is wrong with the list of equivalent mutants."""
    keys = {mutant.key for mutant in every}
    modules = tuple(f"{module}: " for module in {mutant.module for mutant in every})
    noticed = {mutant.key: outcome.by for mutant, outcome in found.items() if outcome.noticed}
    for key in listed:
        if key.startswith(modules) and key not in keys:
            yield f"there is no such mutant any more:\n{key}"
        if key in noticed:
            yield f"{noticed[key]} notices it:\n{key}"
        if not key.startswith(tuple(f"{module}: " for module in TESTS)):
            yield f"no module whose mutants are made:\n{key}"


def report(listed: dict[str, str], every: Sequence[Mutant], left: list[Mutant], found: dict[Mutant, Outcome]) -> bool:
    """Print the table, the survivors and what is wrong with the list; return whether all is well."""
    print("| module | mutants | equivalent | killed | of these by the time limit | survived | score |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    rows = []
    for module in dict.fromkeys(mutant.module for mutant in every):
        ran = {mutant: outcome for mutant, outcome in found.items() if mutant.module == module}
        rows.append(row(f"`{module}`", listed, ran, [mutant for mutant in left if mutant.module == module]))
        print(rows[-1])
    print(row("all", listed, found, left))
    for mutant, outcome in found.items():
        if not outcome.noticed and mutant.key not in listed:
            print(f"\n{mutant.key}")
    wrong = list(stale(listed, every, found))
    for line in wrong:
        print(f"\nmutants: error: build/{EQUIVALENT.name}: {line}", file=sys.stderr)
    low = [row.title for row in rows if row.score < WANTED]
    for title in low:
        print(f"mutants: error: {title}: the score is below {WANTED} %", file=sys.stderr)
    return not wrong and not low


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="mutants", allow_abbrev=False)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    # Twice as many as there are processors: what waits for a prompt that does not come costs none
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--listed", action="store_true")
    options = parser.parse_args()
    unknown = set(options.modules) - set(TESTS)
    if unknown:
        sys.exit(f"mutants: error: {', '.join(sorted(unknown))}: build/mutants.py knows no tests of it")

    began = time.monotonic()
    listed = equivalent()
    every = [mutant for module in options.modules or TESTS for mutant in mutants(module)]
    drawn = every
    if options.sample is not None and options.sample < len(every):
        print(f"mutants: {options.sample} of {len(every)}, --seed {options.seed}", file=sys.stderr)
        drawn = random.Random(options.seed).sample(every, options.sample)  # noqa: S311 - no secret
    left = [] if options.listed else [mutant for mutant in drawn if mutant.key in listed]
    try:
        found = outcomes([mutant for mutant in drawn if mutant not in left], options.jobs)
    except StaleError as error:
        sys.exit(f"mutants: error: {error}")
    good = report(listed, every, left, found)
    print(f"mutants: {len(found)} in {(time.monotonic() - began) / 60:.0f} minutes", file=sys.stderr)
    sys.exit(not good)


if __name__ == "__main__":
    main()
