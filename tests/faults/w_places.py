"""W. Places: where programs and the AWS files lie, and who else can change them."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from functools import partial
from typing import TYPE_CHECKING

from tests.faults.j_mfa_process import line, no_program, unasked, write
from tests.faults.rows import Case, Kind, row
from tests.faults.scene import NOBODY
from tests.federation import Federation
from tests.sts import Trust

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.rows import Step
    from tests.faults.scene import Result, Scene

    Put = Callable[[Path], Path]
    Layout = Callable[[Scene, Put], Path]

# The config that is edited

_EDITED = {"I5": "the edit of the config is what is asked for"}
_SETUP = ("setup", "admin", "--yes")


def _config(scene: Scene) -> Path:
    return scene.home.path / ".aws" / "config"


def _acl(path: Path) -> str:
    return subprocess.check_output(["getfacl", "--omit-header", "--numeric", "--absolute-names", path], text=True)


def _set_acl(*arguments: str | Path) -> None:
    subprocess.run(["setfacl", *arguments], check=True)


def _with_acl(mode: int, *entries: str, inherited: str = "") -> Step:
    """Give the config this mode, then these entries; `inherited` is what new files of the directory get."""

    def before(scene: Scene) -> None:
        path = _config(scene)
        path.chmod(mode)
        for entry in entries:
            _set_acl("-m", entry, path)
        if inherited:
            _set_acl("-d", "-m", inherited, path.parent)
        scene.before = _acl(path).encode()

    return before


def _same_acl(scene: Scene, _: Result) -> None:
    assert "credproc_role_arn" in _config(scene).read_text(), "it was not edited"
    assert _acl(_config(scene)).encode() == scene.before
    backup = _acl(_config(scene).with_name("config.credproc-backup"))
    assert str(NOBODY) not in backup, backup
    assert "group::---" in backup, backup


def _attribute(name: str, scene: Scene) -> None:
    os.setxattr(_config(scene), name, b"value")


def _same_attribute(name: str, scene: Scene, _: Result) -> None:
    assert "credproc_role_arn" in _config(scene).read_text(), "it was not edited"
    assert os.getxattr(_config(scene), name) == b"value"


def _setup(what: str, before: Step, check: Callable[[Scene, Result], None]) -> Case:
    return Case(what, Kind.TEXT, before=before, check=check, arguments=_SETUP, excused=_EDITED, calls=3)


# Places of programs


def _canary(scene: Scene) -> Path:
    return scene.path / "it ran"


def _of_mfa(scene: Scene, layout: Layout) -> None:
    """Let a program at a place of this layout print the codes."""
    scene.codes.append(scene.user.unused_code())
    text = f'#!/bin/sh\n: >"{_canary(scene)}"\necho {scene.codes[-1]}\n'
    line(scene, str(layout(scene, lambda path: write(path, text))))


def _of_source(scene: Scene, layout: Layout) -> None:
    """Let a program at a place of this layout print the credentials."""
    keys = scene.sts.temporary(scene.sts.role("arn:aws:iam::123456789012:role/source", Trust(("*",))).arn, 7200)
    (scene.path / "document").write_text(json.dumps(keys.document()))
    text = f'#!/bin/sh\n: >"{_canary(scene)}"\ncat "{scene.path}/document"\n'
    program = layout(scene, lambda path: write(path, text))
    scene.home.config(f"[profile admin]\ncredential_process = {program}\n")


def _through_a_link(scene: Scene, put: Put) -> Path:
    program = put(scene.path / "open" / "token")
    program.parent.chmod(0o777)
    link = scene.path / "bin" / "token"
    link.parent.mkdir()
    link.symlink_to(program)
    return link


def _through_a_link_in(scene: Scene, put: Put) -> Path:
    put(scene.path / "bin" / "token")
    (scene.path / "open").mkdir()
    (scene.path / "open" / "link").symlink_to("../bin")
    (scene.path / "open").chmod(0o777)
    return scene.path / "open" / "link" / "token"


def _below(mode: int, scene: Scene, put: Put) -> Path:
    (scene.path / "above").mkdir()
    program = put(scene.path / "above" / "bin" / "token")
    (scene.path / "above").chmod(mode)
    return program


def _given(what: str, scene: Scene, put: Put) -> Path:
    """Give a part of the way to another user."""
    (scene.path / "home2").mkdir()
    put(scene.path / "home2" / "bin" / "token")
    (scene.path / "link").symlink_to("home2/bin")
    os.chown(scene.path / what, NOBODY, NOBODY, follow_symlinks=False)
    return scene.path / "link" / "token"


def _of_group(scene: Scene, put: Put) -> Path:
    program = put(scene.path / "bin" / "token")
    for path in (program, program.parent):
        path.chmod(0o775)
    return program


def _of_links(scene: Scene, put: Put) -> Path:
    put(scene.path / "real" / "token")
    (scene.path / "bin").symlink_to("real")
    (scene.path / "token").symlink_to("bin/token")
    return scene.path / "token"


REFUSED: dict[str, Layout] = {
    "a link to where all may write": _through_a_link,
    "a link where all may write": _through_a_link_in,
    "below where all may write": partial(_below, 0o777),
    "another user's program": partial(_given, "home2/bin/token"),
    "another user's directory": partial(_given, "home2/bin"),
    "below another user's": partial(_given, "home2"),
    "another user's link": partial(_given, "link"),
}
RUN: dict[str, Layout] = {
    "below a sticky directory": partial(_below, 0o1777),
    "what a group may write": _of_group,
    "links of our own": _of_links,
}


def _not_run(scene: Scene, _: Result) -> None:
    assert not _canary(scene).exists(), "it was run"


def _has_run(scene: Scene, _: Result) -> None:
    assert _canary(scene).exists(), "it was not run"


def _refused(key: str, of: Callable[[Scene, Layout], None], what: str, layout: Layout) -> Case:
    is_mfa = of is _of_mfa
    return Case(
        f"{key}, {what}",
        Kind.UNSAFE,
        before=lambda scene: of(scene, layout),
        run=unasked if is_mfa else None,
        undo=no_program,
        check=_not_run,
        says=f"{key}.*: /.*(is writable by others|belongs to another user)",
        mfa=is_mfa,
        calls=0,
    )


def _run(key: str, of: Callable[[Scene, Layout], None], what: str, layout: Layout) -> Case:
    is_mfa = of is _of_mfa
    run = unasked if is_mfa else None
    return Case(f"{key}, {what}", before=lambda scene: of(scene, layout), run=run, check=_has_run, mfa=is_mfa)


_OPENERS = ("xdg-open", "wslview")


def _console(what: str, path: str, *, mode: int = 0o755, frozen: bool = False) -> Case:
    """Return the case of `console` with openers in the working directory, where this PATH leads."""

    def before(scene: Scene) -> None:
        federation = scene._stack.enter_context(Federation())
        scene.home.environ["CREDPROC_FEDERATION_ENDPOINT"] = federation.url
        for name in _OPENERS:
            write(scene.work / name, f'#!/bin/sh\n: >"{_canary(scene)}"\n')
        scene.work.chmod(mode)

    def run(scene: Scene) -> Result:
        return scene.process(scene.argv(), {**scene.environ(), "PATH": path.format(scene.work)})

    return Case(
        f"console, {what}",
        Kind.UNSAFE,
        before=before,
        run=run,
        check=_not_run,
        says="console: no xdg-open or wslview(.|\n)*--print",
        arguments=("console", "admin"),
        frozen=frozen,
    )


# Root in another user's home


def _theirs(scene: Scene) -> None:
    """Let the home be another user's, as for `sudo -E`."""
    scene.hand_over(scene.home.path)


def _ours(scene: Scene) -> None:
    scene.hand_over(scene.home.path, os.geteuid())


def _without_directory(scene: Scene) -> None:
    """Let the home be another user's, and the config not be there yet."""
    _theirs(scene)
    scene.home.environ["AWS_CONFIG_FILE"] = str(scene.home.path / "new" / "config")


def _default_again(scene: Scene) -> None:
    _ours(scene)
    del scene.home.environ["AWS_CONFIG_FILE"]


def _link_of_theirs(scene: Scene) -> None:
    """Let a link that another user has made lead to root's own config."""
    link = scene.path / "link"
    link.symlink_to(_config(scene))
    os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
    scene.home.environ["AWS_CONFIG_FILE"] = str(link)


def _as_root(what: str, arguments: str, before: Step = _theirs, undo: Step = _ours) -> Case:
    says = r"belongs to another user \(65534\), and root writes nothing there"
    words = tuple(arguments.split())
    return Case(what, Kind.UNSAFE, before=before, undo=undo, says=says, arguments=words, calls=0)


def _swapped(scene: Scene) -> list[Result]:
    """Run setup while another user's link leads by turns to that user's own file and to one of root's."""
    _theirs(scene)
    own, link = _config(scene), scene.home.path / ".aws" / "link"
    roots = scene.path / "root's"
    roots.write_text(own.read_text())
    roots.chmod(0o600)
    scene.home.environ["AWS_CONFIG_FILE"] = str(link)
    link.symlink_to(own)
    done = threading.Event()

    def swap() -> None:
        turns = 0
        while not done.is_set():
            new = link.with_name("new link")
            new.symlink_to((roots, own)[turns % 2])
            os.chown(new, NOBODY, NOBODY, follow_symlinks=False)
            new.replace(link)
            turns += 1
        link.unlink()

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        results = [scene.run() for _ in range(3)]
    finally:
        done.set()
        thread.join()
    del scene.home.environ["AWS_CONFIG_FILE"]
    assert roots.stat().st_uid == os.geteuid(), "a file of root's was given away"
    assert roots.read_text() == own.read_text(), "a file was changed"
    return results


ROWS = (
    row(
        "F183",
        "the config has an ACL or other attributes when it is edited",
        _setup("a user's right", _with_acl(0o600, f"u:{NOBODY}:r"), _same_acl),
        _setup("a group's right, and the owning group has none", _with_acl(0o600, f"g:{NOBODY}:rw"), _same_acl),
        _setup("a right that the mask takes away", _with_acl(0o600, f"u:{NOBODY}:rw", "m::-"), _same_acl),
        _setup("for new files of the directory", _with_acl(0o640, inherited=f"u:{NOBODY}:rw"), _same_acl),
        _setup("an attribute", partial(_attribute, "user.kept"), partial(_same_attribute, "user.kept")),
        Case(
            "an attribute that only root can set",
            Kind.UNSAFE,
            before=partial(_attribute, "security.credproc"),
            says="config: cannot be written: security.credproc cannot be kept: operation not permitted",
            arguments=_SETUP,
            nobody=True,
            calls=0,
        ),
    ),
    row(
        "F184",
        "a program where another user can put another one",
        *(_refused("mfa_process", _of_mfa, what, layout) for what, layout in REFUSED.items()),
        *(_refused("credential_process", _of_source, what, layout) for what, layout in REFUSED.items()),
        *(_run("mfa_process", _of_mfa, what, layout) for what, layout in RUN.items()),
        *(_run("credential_process", _of_source, what, layout) for what, layout in RUN.items()),
        _console("'.' in PATH", ".:/nowhere"),
        _console("'' in PATH", ":/nowhere"),
        _console("where all may write", "{0}", mode=0o777),
        _console("no opener, frozen", "/nowhere", frozen=True),
    ),
    row(
        "F185",
        "root edits the AWS files of another user",
        _as_root("setup", "setup admin --yes"),
        _as_root("setup, a file that is not there", "keys add admin", _without_directory, _default_again),
        _as_root("setup --undo", "setup admin --undo --yes"),
        _as_root("setup through their link", "setup admin --yes", _link_of_theirs, lambda _: None),
        _as_root("keys add", "keys add user2"),
        _as_root("keys import", "keys import user1 --yes"),
        _as_root("keys rotate", "keys rotate user1"),
        _as_root("keys remove", "keys remove user1 --yes"),
        Case(
            "setup, while they swap a link",
            Kind.UNSAFE,
            run=_swapped,
            undo=_ours,
            says="belongs to another user",
            arguments=_SETUP,
            excused={"I5": "the other user's home is given away, and a link in it is swapped"},
            calls=0,
        ),
    ),
)
