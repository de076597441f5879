"""H. Disk."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tests.faults.rows import Case, row

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.scene import Result, Scene

_NOT_STORED = "not stored: "
_MANY = 100_000
_WRONG = ("EDQUOT", "EIO", "EROFS")
_LIED = "a kernel that says it has written a byte, and has not, leaves a damaged entry, which is a miss"


def failing(call: str, injected: str, *only: str) -> tuple[str, ...]:
    """Return the wrapper that injects something into a system call; no other call is looked at."""
    trace = ("-e", f"trace={call}", "-e", f"inject={call}:{injected}")
    return ("strace", "-f", "--seccomp-bpf", "-DDD", "-o", os.devnull, *trace, *only)


def _over(scene: Scene) -> None:
    """Leave an entry that is over, and remember it."""
    scene.warm()
    scene.expire()
    scene.before = scene.entry.read_bytes()


def _old_stands(scene: Scene, _: Result) -> None:
    assert scene.entry.read_bytes() == scene.before, "the old entry is gone"
    assert not list(scene.cache.glob("*.tmp"))


def _in_directory(call: str, injected: str) -> Callable[[Scene], Result]:
    """Return the run in which the call fails for credproc's own directory alone."""

    def run(scene: Scene) -> Result:
        argv = scene.argv(wrapper=failing(call, injected, "-P", str(scene.cache)))
        return scene.on_terminal(argv) if scene.case.mfa else scene.process(argv, scene.environ())

    return run


def _small_disk(options: str, *, full: int = 0) -> Callable[[Scene], None]:
    """Return the step that mounts a file system this small at credproc's own directory, and fills it."""

    def step(scene: Scene) -> None:
        scene.cache.mkdir(parents=True, mode=0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode=700,{options}", "none", scene.cache], check=True)
        if full:
            filler = scene.cache / "filler"
            filler.write_bytes(b"x" * full)
            scene.strange = {filler.name}

    return step


def _unmount(scene: Scene) -> None:
    subprocess.run(["umount", scene.cache], check=True)


def _nothing_half(scene: Scene, _: Result) -> None:
    assert not list(scene.cache.glob("*.entry"))
    assert not list(scene.cache.glob("*.tmp"))


def _crowd(scene: Scene) -> None:
    """Fill the directory with old files."""
    _over(scene)
    for number in range(_MANY):
        path = scene.cache / f"{number:032x}.used"
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        os.utime(path, (0, 0))
    scene.strange = {f"{number:032x}.used" for number in range(_MANY)}


def _fifty_less(scene: Scene, _: Result) -> None:
    left = len(list(scene.cache.glob("*.used")))
    assert _MANY - 50 <= left < _MANY, f"{_MANY - left} files were removed"


def _errors(call: str, *errors: str) -> tuple[Case, ...]:
    """Return the cases in which this step of writing the entry fails, with each of the errors."""
    return tuple(
        Case(
            f"{call} {error}",
            before=_over,
            run=_in_directory("openat", f"error={error}") if call == "openat" else None,
            wrapper=failing(call, f"error={error}:when=1"),
            check=_old_stands,
            # The log cannot be opened either
            logs="" if call == "openat" else _NOT_STORED,
        )
        for error in errors
    )


ROWS = (
    row(
        "F095",
        "ENOSPC at open, write, fsync, rename, and on a full disk",
        *_errors("openat", "ENOSPC"),
        *_errors("write", "ENOSPC"),
        *_errors("fsync", "ENOSPC"),
        *_errors("renameat", "ENOSPC"),
        Case("16 KiB", before=_small_disk("size=16k", full=16 << 10), undo=_unmount, check=_nothing_half),
        Case("16 KiB, MFA", before=_small_disk("size=16k", full=16 << 10), undo=_unmount, mfa=True, loses=True),
    ),
    row(
        "F096",
        "EDQUOT, EIO, EROFS at open, write, fsync, rename",
        *(case for call in ("openat", "write", "fsync", "renameat") for case in _errors(call, *_WRONG)),
    ),
    row(
        "F097",
        "short writes",
        Case(
            "of the entry, at 600 bytes",
            before=_over,
            wrapper=("prlimit", "--fsize=600"),
            check=_old_stands,
            logs=_NOT_STORED,
        ),
        Case("of one byte, as the kernel says", wrapper=failing("write", "retval=1:when=1"), excused={"I4": _LIED}),
    ),
    row(
        "F098",
        "rename EXDEV, EACCES, EBUSY",
        *_errors("renameat", "EXDEV", "EACCES", "EBUSY"),
    ),
    row(
        "F099",
        "no inode left; a directory of 100,000 files",
        Case("no inode", before=_small_disk("nr_inodes=2", full=1), undo=_unmount, check=_nothing_half),
        Case("100,000 files", before=_crowd, check=_fifty_less, excused={"I4": "its number of files is the fault"}),
    ),
)
