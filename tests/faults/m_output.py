"""M. Output."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from typing import TYPE_CHECKING

from tests.faults.h_disk import failing
from tests.faults.i_kept import credentials_are_kept
from tests.faults.rows import Case, Kind, each, nothing, row
from tests.faults.scene import Result
from tests.sts import with_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.rows import Run
    from tests.faults.scene import Scene

_CLOSED = "stdout: (is closed|bad file descriptor)"
_PIPE = 4096  # bytes, the smallest that Linux makes
_LONG = "x" * 6000  # a token with which no document goes into such a pipe at once


def _without(*numbers: int) -> tuple[str, ...]:
    """Return the wrapper that closes these descriptors."""
    return ("sh", "-c", f'exec "$@" {" ".join(f"{number}>&-" for number in numbers)}', "sh")


def _served(scene: Scene) -> None:
    """Leave an entry that is served."""
    scene.warm()
    scene.home.settle()


def _unasked(_: Scene, result: Result) -> None:
    assert result.prompts == 0, "a person was asked for nothing"


def _no_document_elsewhere(scene: Scene, _: Result) -> None:
    """No file but entries and sessions has got what was meant for stdout."""
    for path in scene.path.rglob("*"):
        if path.is_file() and path.suffix != ".entry":
            assert b'{"Version":1' not in path.read_bytes(), f"{path.name} has the document"


def _to(path: str | None, wrapper: tuple[str, ...] = ()) -> Run:
    """Return the run with stdout in this file, or in one of the working directory."""

    def run(scene: Scene) -> Result:
        name = path or str(scene.work / "stdout")
        file = os.open(name, os.O_WRONLY | os.O_CREAT, 0o600)
        argv = scene.argv(wrapper=(*wrapper, "-P", name) if wrapper else ())
        try:
            if scene.case.mfa:
                return scene.on_terminal(argv, stdout=file)
            return scene.process(argv, scene.environ(), stdout=file)
        finally:
            os.close(file)

    return run


def _into_a_pipe(read: Callable[[int], bytes], *, blocking: bool, filled: bool = True) -> Callable[[Scene], Result]:
    """Return the run into a small pipe, full or not; `read` empties it and returns what credproc has written."""

    def run(scene: Scene) -> Result:
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE)
        if filled:
            os.write(writer, b"." * _PIPE)
        os.set_blocking(writer, blocking)
        began = time.monotonic()
        child = scene.start(scene.argv(), scene.environ(), stdout=writer)
        os.close(writer)
        got: list[bytes] = []
        thread = threading.Thread(target=lambda: got.append(read(reader)))
        thread.start()
        _, stderr = child.communicate(timeout=scene.case.limit + 20)
        seconds = time.monotonic() - began
        thread.join()
        return Result(child.returncode, b"".join(got).lstrip(b"."), stderr, seconds)

    return run


def _slowly(reader: int) -> bytes:
    """Read all, a few bytes at a time, having waited for a while."""
    time.sleep(1.5)
    found = b""
    while data := os.read(reader, 64):
        found += data
        time.sleep(0.002)
    os.close(reader)
    return found


def _never(seconds: float) -> Callable[[int], bytes]:
    """Return the reader that reads nothing, and closes the pipe after so long."""

    def read(reader: int) -> bytes:
        time.sleep(seconds)
        os.close(reader)
        return b""

    return read


def _others_meanwhile(scene: Scene) -> list[Result]:
    """Run credproc into a full pipe that nobody reads; and another one, which must not wait for it."""
    results: list[Result] = []

    def read(reader: int) -> bytes:
        end = time.monotonic() + 10
        while not scene.home.entries and time.monotonic() < end:
            time.sleep(0.02)
        scene.home.settle()
        results.append(scene.once())
        return _never(0)(reader)

    stuck = _into_a_pipe(read, blocking=True)(scene)
    (other,) = results
    assert other.status == 0, other
    assert other.seconds < 5, f"another run took {other.seconds:.1f} s"
    return [stuck]


def _long_token(scene: Scene) -> None:
    """Let the document be longer than what a pipe takes at once."""
    scene.sts.once(with_text("SessionToken", _LONG))


def _is_whole(_: Scene, result: Result) -> None:
    assert _LONG.encode() in result.stdout


ROWS = (
    row(
        "F127",
        "stdout is closed",
        Case("a miss", Kind.OUTPUT, wrapper=_without(1), says=_CLOSED, check=_no_document_elsewhere, calls=0),
        Case(
            "MFA",
            Kind.OUTPUT,
            wrapper=_without(1),
            says=_CLOSED,
            mfa=True,
            check=each(_unasked, _no_document_elsewhere),
            calls=0,
        ),
        Case(
            "a hit",
            Kind.OUTPUT,
            before=_served,
            wrapper=_without(1),
            says=_CLOSED,
            check=_no_document_elsewhere,
            calls=0,
        ),
    ),
    row(
        "F128",
        "stdin, stdout and stderr are closed",
        *(
            Case(
                name,
                Kind.OUTPUT,
                before=before,
                wrapper=_without(0, 1, 2),
                says="^$",
                mfa=mfa,
                check=each(_unasked, _no_document_elsewhere),
                calls=0,
            )
            for name, before, mfa in (("a miss", nothing, False), ("a hit", _served, False), ("MFA", nothing, True))
        ),
        Case("stdin and stderr", wrapper=_without(0, 2), check=_no_document_elsewhere),
    ),
    row(
        "F129",
        "stdout is full, or fails",
        Case("/dev/full", Kind.OUTPUT, run=_to("/dev/full"), says="stdout: no space left", check=credentials_are_kept),
        Case(
            "/dev/full, MFA",
            Kind.OUTPUT,
            run=_to("/dev/full"),
            says="stdout: no space left",
            check=credentials_are_kept,
            mfa=True,
        ),
        *(
            Case(
                name,
                Kind.OUTPUT,
                run=_to(None, failing("write", f"error={name}")),
                says="stdout: ",
                check=credentials_are_kept,
            )
            for name in ("EIO", "ENOSPC")
        ),
    ),
    row(
        "F130",
        "stdout is a pipe that is full, read slowly, or does not block",
        Case("full, read slowly", run=_into_a_pipe(_slowly, blocking=True)),
        Case("full, not blocking, read slowly", run=_into_a_pipe(_slowly, blocking=False)),
        Case(
            "longer than the pipe, not blocking, read slowly",
            before=_long_token,
            run=_into_a_pipe(_slowly, blocking=False, filled=False),
            check=_is_whole,
        ),
        Case("full, never read", Kind.OUTPUT, run=_others_meanwhile, says="stdout: broken pipe"),
        Case(
            "full, not blocking, never read",
            Kind.OUTPUT,
            run=_into_a_pipe(_never(33), blocking=False),
            says="stdout: ",
            seconds=36,
            check=credentials_are_kept,
            deep=True,
        ),
    ),
)
