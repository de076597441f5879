"""E. State directory and file-system objects."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
from typing import TYPE_CHECKING

from tests.faults.rows import Case, Kind, each, row
from tests.faults.scene import NOBODY
from tests.sts import with_text, without

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.scene import Result, Scene

_BASHRC = "alias ls='ls --color'\n"


def _made(scene: Scene) -> Path:
    """Make credproc's own directory, private and empty."""
    scene.cache.mkdir(parents=True, mode=0o700)
    return scene.cache


def _modes(scene: Scene, _: Result) -> None:
    assert stat.S_IMODE(scene.cache.stat().st_mode) == 0o700
    assert scene.home.entries
    assert {stat.S_IMODE(path.stat().st_mode) for path in scene.cache.iterdir()} == {0o600}


def _with_umask(mask: str) -> tuple[str, ...]:
    return ("sh", "-c", f'umask {mask}; exec "$@"', "sh")


def _nothing_kept(scene: Scene, _: Result) -> None:
    assert not list(scene.cache.glob("*.entry"))


def _open_to_all(scene: Scene) -> None:
    _made(scene).chmod(0o777)


def _others(scene: Scene) -> None:
    """Make the directory another user's: of root, for nobody, as a `sudo` leaves it."""
    _made(scene)
    for path in (scene.cache.parent, scene.cache):
        os.chown(path, 0, 0)
    scene.cache.parent.chmod(0o755)


def _entry_with(mode: int | None = None, uid: int | None = None) -> Callable[[Scene], None]:
    def step(scene: Scene) -> None:
        scene.warm()
        scene.home.settle()
        if mode is not None:
            scene.entry.chmod(mode)
        if uid is not None:
            os.chown(scene.entry, uid, uid)

    return step


def _replaced(scene: Scene, _: Result) -> None:
    status = scene.entry.lstat()
    assert stat.S_ISREG(status.st_mode)
    assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o600, os.geteuid())
    assert scene.sts.count("AssumeRole") == 2, "the entry was used"


def _instead_of_entry(make: Callable[[Path, Scene], object]) -> Callable[[Scene], None]:
    """Return the step that puts something else in the place of the entry."""

    def step(scene: Scene) -> None:
        scene.warm()
        scene.home.settle()
        path = scene.entry
        path.unlink()
        make(path, scene)

    return step


def _instead_of_lock(make: Callable[[Path, Scene], object]) -> Callable[[Scene], None]:
    """Return the step that puts something else in the place of the entry's lock, with an entry that is over."""

    def step(scene: Scene) -> None:
        scene.warm()
        scene.expire()
        path = scene.entry.with_suffix(".entry.lock")
        path.unlink()
        make(path, scene)
        scene.strange = {path.name}

    return step


def _link_to_bashrc(path: Path, scene: Scene) -> None:
    target = scene.home.path / ".bashrc"
    target.write_text(_BASHRC)
    path.symlink_to(target)


def _bashrc_stands(scene: Scene, _: Result) -> None:
    assert (scene.home.path / ".bashrc").read_text() == _BASHRC


def _socket(path: Path, _: Scene) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        before = os.getcwd()
        os.chdir(path.parent)  # the whole path may be too long for a socket
        made.bind(path.name)
        os.chdir(before)


def _directory_there(scene: Scene, _: Result) -> None:
    """Whatever stands in the entry's place, nothing was written into it, and the credentials came."""
    assert scene.sts.count("AssumeRole") == 2


def _linked_directory(uid: int) -> Callable[[Scene], None]:
    def step(scene: Scene) -> None:
        real = scene.path / "elsewhere"
        real.mkdir(mode=0o700)
        os.chown(real, uid, uid)
        scene.cache.parent.mkdir(mode=0o700)
        scene.cache.symlink_to(real)

    return step


def _kept_there(scene: Scene, _: Result) -> None:
    assert list((scene.path / "elsewhere").glob("*.entry"))


def _nothing_there(scene: Scene, _: Result) -> None:
    assert not list((scene.path / "elsewhere").iterdir())


def _hard_linked(scene: Scene) -> None:
    """Give the entry, which is over, a second name."""
    scene.warm()
    scene.expire()
    os.link(scene.entry, scene.path / "backup.entry")
    scene.before = (scene.path / "backup.entry").read_bytes()


def _backup_stands(scene: Scene, result: Result) -> None:
    assert (scene.path / "backup.entry").read_bytes() == scene.before
    assert scene.entry.lstat().st_nlink == 1
    assert scene.entry.read_bytes().count(result.stdout) == 1


def _absent(path: Path) -> None:
    assert not path.exists()


def _mounted(options: str, *, warm: bool = False) -> Callable[[Scene], None]:
    """Return the step that mounts a small file system at credproc's own directory; it goes with the mount namespace."""

    def step(scene: Scene) -> None:
        _made(scene)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=700", "none", scene.cache], check=True)
        if warm:
            scene.warm()
            scene.expire()
        if options:
            subprocess.run(["mount", "-o", f"remount,{options}", scene.cache], check=True)

    return step


def _unmount(scene: Scene) -> None:
    subprocess.run(["umount", scene.cache], check=True)


def _foreign_name(scene: Scene) -> None:
    """Rename the entry of one profile over that of another, of the same role even."""
    same = scene.home.path.joinpath(".aws", "config").read_text().partition("[profile user1]")[0]
    scene.config(other=same.replace("[profile admin]", "[profile other]"))
    scene.warm()
    mine = scene.entry
    assert scene.process(scene.argv(("--profile", "other")), scene.environ()).status == 0
    (other,) = (path for path in scene.home.entries if path != mine)
    other.rename(mine)
    scene.home.settle()


def _refreshed(scene: Scene, result: Result) -> None:
    assert scene.sts.count("AssumeRole") == 3
    document = json.loads(result.stdout)
    assert [key for key in scene.sts.iam.given() if key.access_key_id == document["AccessKeyId"]]


def _never_kept(scene: Scene, _: Result) -> None:
    assert not scene.home.entries


def _failing(call: str, error: str, when: str = "1+") -> tuple[str, ...]:
    """Return the wrapper that makes this system call fail."""
    return (
        "strace",
        "-f",
        "-DDD",
        "-o",
        os.devnull,
        "-e",
        f"trace={call}",
        "-e",
        f"inject={call}:error={error}:when={when}",
    )


def _expired(scene: Scene) -> None:
    scene.warm()
    scene.expire()


def _lock_that_closes_badly(scene: Scene) -> Result:
    (lock,) = scene.cache.glob("*.entry.lock")
    return scene.process(scene.argv(wrapper=(*_failing("close", "EIO"), "-P", str(lock))), scene.environ())


_LOCK_FAILURES = ("ENOLCK", "ENOSYS", "EOPNOTSUPP", "EIO")

ROWS = (
    row(
        "F055",
        "umask 000, umask 777",
        Case("000", wrapper=_with_umask("000"), check=_modes),
        Case("777", wrapper=_with_umask("777"), check=_modes),
        Case("000, MFA", wrapper=_with_umask("000"), mfa=True, check=_modes),
        Case("777, MFA", wrapper=_with_umask("777"), mfa=True, check=_modes),
    ),
    row("F056", "a directory that all may write to", Case("0777", before=_open_to_all, check=_nothing_kept)),
    row(
        "F057",
        "a directory of another user's",
        Case("root's, for nobody", before=_others, check=_nothing_kept, nobody=True),
        Case(
            "nobody's, for root",
            before=each(_made, lambda s: s.hand_over(s.cache)),
            check=_nothing_kept,
        ),
    ),
    row(
        "F058",
        "an entry that others may read, or of another user's",
        Case("0644", before=_entry_with(mode=0o644), check=_replaced),
        Case("0666", before=_entry_with(mode=0o666), check=_replaced),
        Case("another's", before=_entry_with(uid=NOBODY), check=_replaced),
    ),
    row(
        "F059",
        "an entry that is a link to ~/.bashrc",
        Case(
            "link",
            before=_instead_of_entry(_link_to_bashrc),
            check=each(_bashrc_stands, _replaced),
        ),
    ),
    row(
        "F060",
        "a lock that is a link to ~/.bashrc",
        Case("link", before=_instead_of_lock(_link_to_bashrc), check=_bashrc_stands, logs="not locked: "),
        Case(
            "link to nothing",
            before=_instead_of_lock(lambda path, s: path.symlink_to(s.home.path / "made")),
            logs="not locked: ",
            check=lambda s, _: _absent(s.home.path / "made"),
        ),
        Case("FIFO", before=_instead_of_lock(lambda path, _: os.mkfifo(path)), logs="not locked: "),
    ),
    row(
        "F061",
        "the directory is a link: to one of ours, to another's",
        Case("ours", before=_linked_directory(0), check=_kept_there),
        Case("another's", before=_linked_directory(NOBODY), check=_nothing_there),
    ),
    row(
        "F062",
        "an entry that is a FIFO, a socket, a device, a directory",
        Case("FIFO", before=_instead_of_entry(lambda path, _: os.mkfifo(path, 0o600)), check=_replaced),
        Case("socket", before=_instead_of_entry(_socket), check=_replaced),
        Case(
            "device",
            before=_instead_of_entry(lambda path, _: os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))),
            check=_replaced,
        ),
        Case(
            "directory",
            before=_instead_of_entry(each(lambda path, _: path.mkdir(), lambda path, s: s.strange.add(path.name))),
            undo=lambda s: s.entry.rmdir(),
            check=_directory_there,
            logs="not stored: ",
        ),
    ),
    row(
        "F063",
        "an entry that has a second hard link",
        Case("over", before=_hard_linked, check=_backup_stands),
    ),
    row(
        "F065",
        "the directory on a file system that is read-only",
        Case("empty", before=_mounted("ro"), undo=_unmount, check=_nothing_kept),
        Case("with an entry that is over", before=_mounted("ro", warm=True), undo=_unmount),
        Case("with an entry that is over, MFA", before=_mounted("ro", warm=True), undo=_unmount, mfa=True, loses=True),
    ),
    row(
        "F066",
        "an entry renamed over another's name",
        Case("renamed", before=_foreign_name, check=_refreshed, logs="damaged"),
    ),
    row(
        "F067",
        "STS returns credentials without a session token, or a long-term key",
        Case(
            "no token",
            Kind.DENIED,
            before=lambda s: s.sts.once(without("SessionToken")),
            check=_never_kept,
            says="AssumeRole",
        ),
        Case("AKIA", before=lambda s: s.sts.once(with_text("AccessKeyId", "AKIAIOSFODNN7EXAMPLE"))),
    ),
    row(
        "F068",
        "flock that fails",
        *(
            Case(error, wrapper=_failing("flock", error), logs="not locked: ", check=lambda s, _: s.entry)
            for error in _LOCK_FAILURES
        ),
        Case("EINTR, once", wrapper=_failing("flock", "EINTR", "1"), check=lambda s, _: s.entry),
        Case("close: EIO", before=_expired, run=_lock_that_closes_badly, check=lambda s, _: s.entry),
    ),
)
