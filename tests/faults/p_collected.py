"""P. Misc: old files collected while others use them."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from tests.faults.rows import Case, row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.scene import Result, Scene

_OTHER = "arn:aws:iam::123456789012:role/other"
_TWO_DAYS = 2 * 24 * 3600
_AT_ONCE = 10


def _forgotten(scene: Scene) -> None:
    """Leave an entry of another profile whose credentials ended two days ago, and one of admin's that is over."""
    scene.sts.role(_OTHER, scene.role.trust)
    other = ["[profile other]", f"role_arn = {_OTHER}", "source_profile = user1", "region = us-west-2"]
    scene.config(other="\n".join([*other, f"external_id = {scene.external_id}"]))
    assert scene.process(scene.argv(("--profile", "other")), scene.environ()).status == 0
    with scene.home.edited_entry() as (entry, about):
        about["expiration"] = int(time.time()) - _TWO_DAYS
        entry.served_from, entry.served_until = 0, 1
    name = scene.entry.name
    for path in scene.cache.iterdir():
        os.utime(path, (time.time() - _TWO_DAYS,) * 2)
    scene.before = name.encode()


def _other(scene: Scene) -> Path:
    return scene.cache / scene.before.decode()


def _while_it_is_refreshed(scene: Scene) -> list[Result]:
    """Collect while a run for the other profile holds the lock of its entry, and waits for STS."""
    answer = threading.Event()
    scene.sts.hold(answer)
    child = scene.start(scene.argv(("--profile", "other")), scene.environ())
    assert scene.sts.wait_for(2)  # one that made the entry, and this one
    scene.sts.heal()
    collecting = scene.run()
    assert _other(scene).exists(), "the entry of a run that holds its lock was removed"
    answer.set()
    stdout, stderr = child.communicate(timeout=20)
    return [collecting, type(collecting)(child.returncode, stdout, stderr, 0.0)]


def _while_many_read_it(scene: Scene) -> list[Result]:
    """Collect while many runs for the other profile begin."""
    children = [scene.start(scene.argv(("--profile", "other")), scene.environ()) for _ in range(_AT_ONCE)]
    collecting = scene.run()
    results = [collecting]
    for child in children:
        stdout, stderr = child.communicate(timeout=20)
        results.append(type(collecting)(child.returncode, stdout, stderr, 0.0))
    return results


def _is_whole(scene: Scene, _: Result) -> None:
    assert scene.process(scene.argv(("--profile", "other")), scene.environ()).status == 0
    assert _other(scene).exists()


def _is_removed(scene: Scene, _: Result) -> None:
    assert not _other(scene).exists()
    assert scene.home.entries


ROWS = (
    row(
        "F156",
        "an old entry is removed while others use it",
        Case("nobody uses it", before=_forgotten, check=_is_removed),
        Case("it is being refreshed", before=_forgotten, run=_while_it_is_refreshed, check=_is_whole),
        Case("ten begin to read it", before=_forgotten, run=_while_many_read_it, check=_is_whole),
    ),
)
