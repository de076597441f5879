"""Plays a case, and checks after it what must hold after each: I1 to I10, and what the row requires besides."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import tempfile
import time
import traceback
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from credproc import cache
from credproc.files import PrivateDirectory
from credproc.own_files import is_own_name
from tests.faults.rows import INVARIANTS, Amount, Case, Kind, NotInjectedError, Row
from tests.faults.scene import MARK, NOBODY, Result, Scene
from tests.sampler import Sampler, Samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
FILES = 64  # of credproc's own, at most
AGAIN = 5.0  # seconds that the run after a fault may take
SAMPLED = 0.004  # seconds between looks at the processes
TRIES = 3  # of a case whose fault finds no place
SETTLE = 2.0  # seconds that processes have to end in
DOCUMENT_BYTES = 8192
LONGEST = 129600  # seconds that STS's credentials may live


@dataclass
class Evidence:
    """What came of a case. `broken` has a sentence for each invariant that does not hold."""

    row: str
    case: str
    status: int | None = None
    seconds: float = 0.0
    sts_calls: int = 0
    prompts: int = 0
    injections: int = 1
    broken: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Return it as a line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def of_line(cls, line: str) -> Evidence:
        """Return what a line of JSON tells."""
        return cls(**json.loads(line))


def sampler() -> Sampler:
    """Return what looks at the processes of all scenes."""
    return Sampler(f"{MARK}=", SAMPLED)


class Harness:
    """Plays cases one after the other; ``samples`` is the file of a sampler that looks already at those of MARK."""

    def __init__(self, samples: str | None = None) -> None:
        self._stack = contextlib.ExitStack()
        self._path = samples

    def __enter__(self) -> Self:
        path = self._path or self._stack.enter_context(sampler()).path
        self._samples = self._stack.enter_context(Samples(path, f"{MARK}="))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def play(self, row: Row, amount: Amount) -> Iterator[Evidence]:
        """Play the cases of a row. A row that cannot make its cases has one, which is broken."""
        number = 0
        try:
            for case in row.chosen(amount):
                number += 1
                yield self.case(row, case, amount)
        except Exception as error:  # noqa: BLE001 - a row that could not run is a row that did not survive
            yield Evidence(row.id, "", broken=[f"could not run: {_told(error)}"])
            return
        if not number:
            yield Evidence(row.id, "", broken=["could not run: it has no case"])

    def case(self, row: Row, case: Case, amount: Amount) -> Evidence:
        """Play one case and check it; where its fault finds no place, again."""
        missed = ""
        for _ in range(TRIES):
            try:
                return self._once(row, case, amount)
            except NotInjectedError as error:
                missed = f"could not run: {_told(error)}"
        return Evidence(row.id, case.name, injections=0, broken=[] if case.by_chance else [missed])

    def _once(self, row: Row, case: Case, amount: Amount) -> Evidence:
        evidence = Evidence(row.id, case.name)
        with tempfile.TemporaryDirectory(prefix="fault-") as directory:
            try:
                with Scene(case, Path(directory), deep=amount.deep) as scene:
                    self._samples.new()
                    _Checked(scene, evidence, self._samples).play()
            except NotInjectedError:
                raise
            except Exception as error:  # noqa: BLE001 - as above
                evidence.broken.append(f"could not run: {_told(error)}")
        return evidence


def _told(error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())[:600]
    return f"{type(error).__name__}: {text} ({os.path.basename(where.filename)}:{where.lineno})"


class _Checked:
    """One case with all that is checked."""

    def __init__(self, scene: Scene, evidence: Evidence, samples: Samples) -> None:
        self.scene, self.case, self.evidence, self.samples = scene, scene.case, evidence, samples

    def play(self) -> None:
        scene, case = self.scene, self.case
        case.before(scene)
        around = scene.around()
        calls = scene.sts.count()
        attributes = scene.terminal.attributes() if case.mfa else None
        found = case.run(scene) if case.run else scene.run()
        results = found if isinstance(found, list) else [found]
        scene.results = results
        self.evidence.status = results[0].status
        self.evidence.seconds = round(max(result.seconds for result in results), 2)
        self.evidence.prompts = sum(result.prompts for result in results)
        self.evidence.sts_calls = scene.sts.count() - calls
        self.evidence.injections = scene.injections
        for result in results:
            self._check("I1", partial(_stdout, result, case))
            self._check("I2", partial(_end, result, case))
        self._check("I10", self._budget)
        if attributes is not None:
            self._check("I6", lambda: self._terminal(attributes))
        self._check("I7", self._nothing_left)
        self._check("row", lambda: self._required(results))
        self._check("I4", self._own_files)
        around_now = scene.around()
        self._check("I5", lambda: _unchanged(around, around_now))
        case.undo(scene)
        if case.again:
            self._check("I8", self._again)
        self._check("I9", self._codes)
        self._check("I3", lambda: self._silent(results))

    def _check(self, name: str, check: Callable[[], object]) -> None:
        if name in self.case.excused:
            return
        try:
            check()
        except AssertionError as error:
            text = " ".join(str(error).split())[:600]
            self.evidence.broken.append(f"{name}, {INVARIANTS[name]}: {text}")

    def _budget(self) -> None:
        assert self.evidence.sts_calls <= self.case.calls, [call.action for call in self.scene.sts.calls]

    def _required(self, results: list[Result]) -> None:
        case = self.case
        for result in results:
            if result.status and not all(kind.prints for kind in case.kinds) and Kind.SIGNAL not in case.kinds:
                assert case.says, "the case does not say what is said"
            if case.says and result.status > 0:
                assert re.search(case.says, result.said), f"said {result.said!r}"
        if case.logs:
            assert re.search(case.logs, self.scene.home.log), f"logged {self.scene.home.log!r}"
        for result in results:
            case.check(self.scene, result)

    def _terminal(self, attributes: list[Any]) -> None:
        terminal = self.scene.terminal
        if terminal.foreground < 0:  # hung up
            return
        assert terminal.attributes() == attributes, "the terminal's settings are changed"
        assert terminal.pending() == 0, f"{terminal.pending()} typed bytes are left"
        terminal.drain()
        assert terminal.column() == 0, f"the cursor is in column {terminal.column()}: {terminal.shown()}"

    def _nothing_left(self) -> None:
        end = time.monotonic() + SETTLE
        while (left := _marked(self.scene.mark)) and time.monotonic() < end:
            time.sleep(0.02)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert not left, f"processes {left} are left"
        for path in _own(self.scene, "*.lock"):
            with open(path, "rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise AssertionError(f"{path.name} is held") from None
        temporary = _own(self.scene, "*.tmp")
        assert len(temporary) <= 1, f"temporary files {[path.name for path in temporary]}"

    def _own_files(self, *, temporary: bool = True) -> None:
        scene = self.scene
        if not scene.cache.is_dir() or scene.cache.is_symlink() or not _is_ours(scene.cache, scene):
            return
        names = [path for path in scene.cache.iterdir() if path.name not in scene.strange]
        assert len(names) <= FILES, f"{len(names)} files"
        for path in names:
            status = path.lstat()
            assert is_own_name(path.name), f"{path.name} is not named as one of credproc's own"
            assert path.is_file(), f"{path.name} is no file"
            assert not path.is_symlink(), f"{path.name} is a link"
            assert status.st_mode & 0o777 == 0o600, f"{path.name} has mode {status.st_mode & 0o777:o}"
            assert temporary or path.suffix != ".tmp", f"{path.name} is left"
            if path.suffix == ".entry":
                _whole(path, scene.sts.now())

    def _again(self) -> None:
        scene = self.scene
        signed_in = scene.has_session() if self.case.loses else scene.sts.count("GetSessionToken", "OK") > 0
        result = scene.once()
        assert result.status == 0, f"the next run ended with {result.status} and said {result.said!r}"
        _stdout(result, Case())
        assert result.seconds <= AGAIN, f"the next run took {result.seconds:.1f} s"
        assert result.prompts <= (0 if signed_in else 1), f"the next run asked {result.prompts} times"
        self._own_files(temporary=False)
        self.scene.results.append(result)

    def _codes(self) -> None:
        repeated = self.scene.sts.repeated_codes()
        assert not repeated, f"sent more than once: {repeated}"

    def _silent(self, results: list[Result]) -> None:
        scene = self.scene
        for result in [*results, *scene.results]:
            assert not scene.leaks(result.stderr), f"stderr: {scene.leaks(result.stderr)}"
        if scene._terminal is not None:
            leaked = scene.leaks(scene.terminal.transcript)
            assert not leaked, f"terminal: {leaked}"
        for sample in self.samples.new():
            if scene.mark in sample["environ"]:
                self._sampled(sample["argv"], sample["environ"])
        for path in scene.path.rglob("*"):
            if path.is_symlink() or not path.is_file() or path.stat().st_size > 50_000_000 or _may_hold(path, scene):
                continue
            leaked = scene.leaks(path.read_bytes())
            assert not leaked, f"{path.relative_to(scene.path)}: {leaked}"

    def _sampled(self, argv: str, environ: str) -> None:
        scene = self.scene
        leaked = scene.leaks(argv.encode("utf-8", "surrogateescape"))
        assert not leaked, f"command line {argv!r}: {leaked}"
        # Its own has what its caller gave it; a process has no command line yet, or none any more, at its two ends
        if not argv or scene.program in argv:
            given = set(scene.environ().values())
            environ = "\0".join(pair for pair in environ.split("\0") if pair.partition("=")[2] not in given)
        leaked = scene.leaks(environ.encode("utf-8", "surrogateescape"))
        assert not leaked, f"environment of {argv!r}: {leaked}"


def _stdout(result: Result, case: Case) -> None:
    if Kind.TEXT in case.kinds and result.status == 0:
        return
    if result.status != 0 and Kind.OUTPUT not in case.kinds and Kind.SIGNAL not in case.kinds:
        assert result.stdout == b"", f"status {result.status} and {len(result.stdout)} bytes on stdout"
    if not result.stdout:
        assert result.status or Kind.OUTPUT in case.kinds, "nothing on stdout, and exit 0"
        return
    assert result.stdout.endswith(b"\n"), "a prefix of a document"
    assert result.stdout.count(b"\n") == 1, "more than a line"
    assert len(result.stdout) < DOCUMENT_BYTES
    document = json.loads(result.stdout)
    assert document["Version"] == 1
    assert None not in document.values()
    assert TIME.fullmatch(document.get("Expiration", "2000-01-01T00:00:00Z")), "another form of time"
    if result.status == 0:
        assert result.stderr == b"", f"a document, and on stderr {result.said!r}"


def _end(result: Result, case: Case) -> None:
    statuses = {status for kind in case.kinds for status in kind.statuses}
    statuses |= {-number for number in case.signals}
    assert result.status in statuses, f"ended with {result.status} and said {result.said!r}"
    assert result.seconds <= case.limit, f"took {result.seconds:.1f} s of {case.limit:g}"
    assert b"Traceback" not in result.stderr, f"a traceback: {result.said!r}"


def _unchanged(before: dict[str, tuple[object, ...]], after: dict[str, tuple[object, ...]]) -> None:
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    assert not changed, f"changed: {changed}"


def _is_ours(directory: Path, scene: Scene) -> bool:
    status = directory.stat()
    return status.st_uid == (NOBODY if scene.case.nobody else os.geteuid()) and not status.st_mode & 0o022


def _own(scene: Scene, pattern: str) -> list[Path]:
    return [path for path in scene.cache.glob(pattern) if path.is_file() and path.name not in scene.strange]


def _may_hold(path: Path, scene: Scene) -> bool:
    """Whether the file is one that may hold secrets: an entry, a session that is kept in a file, or the user's own."""
    if path.is_relative_to(scene.cache) or path.suffix == ".entry":
        return path.suffix in {".entry", ".credentials", ".tmp"} or path.name in scene.strange
    return not path.is_relative_to(scene.work)


def _whole(path: Path, now: float) -> None:
    directory = PrivateDirectory(str(path.parent)) if path.parent.stat().st_uid == os.geteuid() else None
    if directory is None:  # another user's, which credproc's own reader does not open
        return
    try:
        entry = cache.load(directory, path.name)
    finally:
        directory.close()
    assert entry is not None, f"{path.name} is damaged"
    assert json.loads(entry.document)["Version"] == 1
    assert entry.served_until <= now + LONGEST, f"{path.name} is served for too long"


def _marked(mark: str) -> list[int]:
    """Return the processes that have this mark in their environment and are no zombies."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                environ = Path("/proc", name, "environ").read_bytes()
                if mark.encode() in environ:
                    found.append(int(name))
    return found
