"""O. Power loss."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from credproc import cache
from credproc.files import PrivateDirectory
from tests.faults.inject import TRACER
from tests.faults.rows import Case, row
from tests.faults.scene import Result

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.scene import Scene

_SIZE = 16 << 20
# As cruel as ext4 can be: a renamed file is on the disk within a second, and its content only where fsync was called
_OPTIONS = "loop,commit=1,noauto_da_alloc"
_CHANGING = ("openat", "write", "fsync", "close", "renameat", "unlinkat", "mkdir")
_COMMITTED = 20  # seconds, at the latest; a busy machine's commit comes late
_PAUSE = 0.5
_TORN = "torn"  # a copy during which the kernel wrote, and that is what no disk has ever held
_TORN_SHARE = 5  # one copy in so many may be


def _on_a_disk(scene: Scene) -> None:
    """Let the cache be on a file system of its own, in an image."""
    image = scene.path / "image"
    with open(image, "wb") as file:
        file.truncate(_SIZE)
    _done("mkfs.ext4", "-q", image)
    scene.cache.parent.mkdir(mode=0o700)
    _mount(image, scene.cache.parent)
    scene._stack.callback(_done, "umount", scene.cache.parent)


def _on_a_disk_with_an_entry(scene: Scene) -> None:
    _on_a_disk(scene)
    scene.warm()
    scene.expire()
    _done("sync", "-f", scene.cache)


def _mount(image: Path, where: Path) -> None:
    _done("mount", "-o", _OPTIONS, image, where)


def _done(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _cut_off(scene: Scene) -> Result:
    """Copy the image before each step of a run, and some times after it; then look what would be there."""
    log, told = scene.path / "calls", scene.path / "told"
    told.touch()
    words = (f"pause={told}", "/.cache/credproc", *_CHANGING)
    wrapper = (sys.executable, "-I", "-S", TRACER, str(log), *words, "--")
    began = time.monotonic()
    child = scene.start(scene.argv(wrapper=wrapper), scene.environ())
    copies: list[tuple[str, Path]] = []
    while child.poll() is None:
        steps = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        for step in steps[told.stat().st_size :]:
            for _ in range(3 if scene.deep else 1):
                copies.append((step, _copied(scene, len(copies))))
            with open(told, "ab") as file:
                file.write(b".")
        time.sleep(0.001)
    stdout, stderr = child.communicate()
    result = Result(child.returncode, stdout, stderr, time.monotonic() - began)
    assert any("renameat" in step for step, _ in copies), "the entry was not written"
    found = [_found(scene, step, copy) for step, copy in copies]
    assert found.count(_TORN) <= len(found) // _TORN_SHARE, "too many copies cannot be mounted"
    scene.injections = len(copies)
    end = time.monotonic() + _COMMITTED
    while _found(scene, "the end", _copied(scene, scene.injections)) != "new":
        scene.injections += 1
        assert time.monotonic() < end, "what was stored never comes to the disk"
        time.sleep(_PAUSE)
    return result


def _copied(scene: Scene, number: int) -> Path:
    copy = scene.path / f"copy-{number}"
    shutil.copyfile(scene.path / "image", copy)
    return copy


def _found(scene: Scene, step: str, copy: Path) -> str:
    """Return what there is after a power loss at this step: nothing, the old entry, or the new one; or it is torn."""
    where = scene.path / "after"
    where.mkdir(exist_ok=True)
    try:
        _mount(copy, where)
    except subprocess.CalledProcessError:
        copy.unlink()
        return _TORN
    try:
        entries = list((where / "credproc").glob("*.entry"))
        if not entries:
            return "nothing"
        directory = PrivateDirectory(str(where / "credproc"))
        entry = cache.load(directory, entries[0].name)
        directory.close()
        assert entry is not None, f"after {step} the entry is damaged: {entries[0].read_bytes()[:80]!r}"
        return "old" if entry.served_until < time.time() else "new"
    finally:
        _done("umount", where)
        copy.unlink()


ROWS = (
    row(
        "F143",
        "power loss at every step of a write",
        Case("the first entry", before=_on_a_disk, run=_cut_off, seconds=60),
        Case("in the place of an old one", before=_on_a_disk_with_an_entry, run=_cut_off, seconds=60),
    ),
)
