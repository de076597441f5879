"""T. What others keep beside us, and what is left of ours."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from typing import TYPE_CHECKING

from tests.faults.k_keyring import desktop, signed_in
from tests.faults.rows import Case, Kind, each, row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.scene import Result, Scene
    from tests.keyrings import SecretService

_HASH = "d41d8cd98f00b204e9800998ecf8427e"  # MD5 of nothing, by which many programs name files
_DEAD = 1 << 22  # the highest number of a process is one less
# What others keep, and with which mode: names that end as ours do, and names that are ours with a mode that is not
_OTHERS = {
    **dict.fromkeys(("Cargo.lock", "poetry.lock", "x.entry", "x.used", f"x.{_DEAD}-0a1b2c3d.tmp"), 0o600),
    **dict.fromkeys((f"{_HASH}.lock", f"{_HASH}.entry", f"{_HASH}.used", f"{_HASH}.key.{_DEAD}-0a1b2c3d.tmp"), 0o644),
}


def _place(scene: Scene) -> Path:
    return scene.path / "place"


def _named(scene: Scene) -> None:
    """Name a directory of this user by CREDPROC_CACHE_DIR."""
    _place(scene).mkdir(0o700)
    scene.home.environ["CREDPROC_CACHE_DIR"] = str(_place(scene))


def _others(scene: Scene) -> None:
    """Put what others keep into the directory; nobody has changed it for years."""
    for name, mode in _OTHERS.items():
        path = _place(scene) / name
        path.write_text(name)
        path.chmod(mode)
        os.utime(path, (0, 0))


def _to_be_fetched_again(scene: Scene) -> None:
    """Let credproc have its place, and nothing to serve: the next run stores, and then removes old files."""
    scene.warm()
    (entry,) = _place(scene).glob("*.entry")
    entry.unlink()


def _others_stand(scene: Scene, _: Result) -> None:
    left = {path.name: path.read_text() for path in _place(scene).iterdir() if path.name in _OTHERS}
    assert left == {name: name for name in _OTHERS}, f"gone or changed: {_OTHERS.keys() - left.keys()}"


def _cleared(scene: Scene, _: Result) -> None:
    for arguments in (("clear", "--all"), ("logout", "--all")):
        result = scene.process(scene.argv(arguments, ()), {**scene.home.environ, "CREDPROC_SESSION_STORE": "file"})
        assert result.status == 0, result


def _entries_in(*parts: str) -> Case:
    """Return the case in which a run finds what others keep, and stores its entry below these parts."""

    def where(scene: Scene, _: Result) -> None:
        entries = [path for path in _place(scene).rglob("*.entry") if path.name not in _OTHERS]
        assert [path.parent for path in entries] == [_place(scene).joinpath(*parts)]

    before = (_named, _others) if parts else (_named, _to_be_fetched_again, _others)
    name = "others were first" if parts else "others came later"
    return Case(name, before=each(*before), check=each(where, _others_stand, _cleared, _others_stand))


def _without_notes(*arguments: str) -> Case:
    """Return the case in which a person signs out after the cache directory has gone."""
    services: list[SecretService] = []

    def before(scene: Scene) -> None:
        services.append(signed_in(scene))
        assert len(services[-1].items()) == 1
        shutil.rmtree(scene.cache)

    def check(_scene: Scene, result: Result) -> None:
        assert result.stdout.startswith(b"signed out: "), result
        assert not services[-1].items(), "the keyring still holds the session"

    return Case(
        " ".join(arguments),
        Kind.TEXT,
        before=before,
        run=lambda scene: scene.on_terminal(scene.argv(("logout", *arguments), ())),
        check=check,
        mfa=True,
        loses=True,  # that is what it is for
    )


def _killed_while_storing(scene: Scene) -> Result:
    """Stop the bus once the session is on its way, and kill credproc while it stores it."""
    service, answer, began = desktop(scene), threading.Event(), time.monotonic()
    scene.sts.hold(answer, "GetSessionToken")
    job = scene.job()
    scene.terminal.expect("Enter MFA code for ")
    scene.type_code()
    assert scene.sts.wait_for(1, "GetSessionToken")
    with service.busy():
        answer.set()
        end = time.monotonic() + 4
        while not list(scene.cache.glob("*.session")) and time.monotonic() < end:
            time.sleep(0.01)
        job.signal(signal.SIGKILL)
        result = scene.result(job, began, 1)
    scene.sts.heal()
    return result


def _noted(scene: Scene, _: Result) -> None:
    assert list(scene.cache.glob("*.session")), "what may be in the keyring has no note"


ROWS = (
    row(
        "F177",
        "CREDPROC_CACHE_DIR names a directory in which others keep files",
        _entries_in("credproc"),
        _entries_in(),
    ),
    row(
        "F178",
        "the notes of sessions are gone, or a run is killed while it stores a session",
        _without_notes("--profile", "admin"),
        _without_notes("--all"),
        Case(
            "killed",
            Kind.SIGNAL,
            signals=(signal.SIGKILL,),
            run=_killed_while_storing,
            check=_noted,
            mfa=True,
            loses=True,
        ),
    ),
)
