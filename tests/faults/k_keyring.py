"""K. Keyring."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.faults.rows import Case, Kind, row
from tests.faults.scene import Result, Scene
from tests.keyrings import NO_BUS, STALE_BUS, NoSecretService, SecretService, SilentBus, SilentSecretService

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.faults.rows import Check, Step
    from tests.terminal import Job

NOT_KEPT = "cannot store the MFA session: the keyring failed"
NO_KEYRING = "no MFA session can be stored: "


def on(scene: Scene, bus: Mapping[str, str]) -> None:
    """Let all runs see this bus, and keep sessions in the keyring."""
    scene.home.environ.update(bus, CREDPROC_SESSION_STORE="keyring")


def desktop(scene: Scene, **rules: str) -> SecretService:
    """Return a keyring that works, but for what its bus does not let through."""
    path = scene.path / "desktop"
    path.mkdir(exist_ok=True)
    service = scene._stack.enter_context(SecretService(path, **rules))
    on(scene, service.environ)
    return service


def signed_in(scene: Scene) -> SecretService:
    """Return a keyring with a session in it, and credentials that have expired."""
    service = desktop(scene)
    scene.warm()
    scene.expire()
    return service


def without(make: Callable[[Scene], Mapping[str, str]]) -> Step:
    """Have no keyring, but this bus."""
    return lambda scene: on(scene, make(scene))


def no_service(scene: Scene) -> Mapping[str, str]:
    """Return a bus with nobody on it."""
    return scene._stack.enter_context(NoSecretService()).environ


def nothing_kept(scene: Scene, _: Result) -> None:
    """Hold that no session is kept anywhere, that the log says so once, and that the code went with the role."""
    kept = [path.name for path in scene.cache.iterdir() if path.suffix in {".session", ".credentials"}]
    assert not kept, f"kept: {kept}"
    assert scene.home.log.count(NO_KEYRING) == 1, scene.home.log
    assert [call.action for call in scene.sts.calls] == ["AssumeRole"]


# Locked, or silent


def locked(scene: Scene) -> None:
    """Lock the keyring; nobody is there to be asked for its password."""
    signed_in(scene).lock()


def silent(scene: Scene) -> None:
    """Have a keyring that takes calls and does not answer."""
    on(scene, scene._stack.enter_context(SilentSecretService()).environ)


def silent_bus(*, admits: bool) -> Step:
    """Have a bus that takes connections and says nothing."""
    return lambda scene: on(scene, scene._stack.enter_context(SilentBus(admits=admits)).environ)


def interrupted(scene: Scene) -> Result:
    """Send SIGINT while a silent keyring is waited for."""
    began = time.monotonic()
    scene.terminal.drain()
    scene.terminal._seen = len(scene.terminal.transcript)  # what the run before may have said as well
    with SilentSecretService() as service:
        job: Job = scene.job(environ={**scene.environ(), **service.environ})
        scene.terminal.expect("credproc: waiting for the keyring to be unlocked\r")
        pressed = time.monotonic()
        job.signal_group(signal.SIGINT)  # not by the key, which the terminal would show
        result = scene.result(job, began)
        assert time.monotonic() - pressed < 1, "it has ended late"
    return result


def two_without_terminal(scene: Scene) -> list[Result]:
    """Run two at once without a terminal; the first lets go at the keyring's deadline, the second leaves it alone."""
    began = time.monotonic()
    found = []
    with SilentSecretService() as service:
        environ = {**scene.environ(), **service.environ}
        for child in [scene.start(scene.argv(), environ) for _ in range(2)]:
            stdout, stderr = child.communicate(timeout=scene.case.limit)
            found.append(Result(child.returncode, stdout, stderr, time.monotonic() - began))
    assert min(result.seconds for result in found) >= 3, "the keyring was not asked"
    return found


def said(text: str) -> Check:
    """Hold that the person was told so."""

    def check(scene: Scene, _: Result) -> None:
        assert text in scene.terminal.transcript.decode(), scene.terminal.shown()

    return check


# What is kept


def holding(what: str, change: Callable[[bytes], bytes]) -> Case:
    """Return the case in which the keyring holds this in the place of the session."""

    def run(scene: Scene) -> Result:
        service = signed_in(scene)
        (item,) = service.items()
        service.replace(change(item.secret))
        result = scene.on_terminal()
        (item,) = service.items()
        assert json.loads(item.secret)["format"] == 1, "it is not replaced"
        assert scene.sts.count("GetSessionToken", "OK") == 2
        return result

    return Case(what, run=run, mfa=True, calls=4)


def full_disk(scene: Scene) -> None:
    """Have a keyring whose files fill their disk."""
    path = scene.path / "desktop" / ".local" / "share" / "keyrings"
    path.mkdir(parents=True)
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "size=4k,mode=0700", "none", str(path)], check=True)
    scene._stack.callback(subprocess.run, ["/bin/umount", "--lazy", str(path)], check=True)
    desktop(scene)


DENIED = '<deny send_interface="org.freedesktop.Secret.Collection" send_member="CreateItem"/>'
SHORT = '<limit name="max_message_size">1000</limit>'  # bytes; less than a session has


# Backends that are none of the library's own


def evil(scene: Scene) -> str:
    """Plant a backend that leaves a trace, and return where it would be found."""
    path = scene.path / "evil"
    path.mkdir()
    trace = f"open({str(scene.path / 'canary')!r}, 'w').close()"
    backend = (
        "class Keyring(keyring.backend.KeyringBackend):\n    priority = 9\n    get_password = set_password = None\n"
    )
    (path / "evil.py").write_text(f"import keyring.backend\n{trace}\n{backend}")
    return str(path)


def by_variable(_: Scene) -> Mapping[str, str]:
    """Name the backend in PYTHON_KEYRING_BACKEND."""
    return {"PYTHON_KEYRING_BACKEND": "evil.Keyring"}


def by_file(scene: Scene) -> Mapping[str, str]:
    """Name the backend in keyringrc.cfg."""
    path = scene.home.path / ".config" / "python_keyring" / "keyringrc.cfg"
    path.parent.mkdir(parents=True)
    path.write_text(f"[backend]\ndefault-keyring=evil.Keyring\nkeyring-path={scene.path / 'evil'}\n")
    return {}


def luring(name: Callable[[Scene], Mapping[str, str]]) -> Case:
    """Return the case in which keyring, by itself, would load a backend of somebody else's."""
    named: dict[str, str] = {}

    def before(scene: Scene) -> None:
        desktop(scene)
        named.update(PYTHONPATH=evil(scene), **name(scene))

    def run(scene: Scene) -> Result:
        environ = {**scene.environ(), **named}
        result = scene.on_terminal(environ=environ)
        assert not (scene.path / "canary").exists(), "it was imported"
        lured = [sys.executable, "-c", "import keyring; keyring.get_keyring()"]
        subprocess.run(lured, env=environ, check=True, capture_output=True)
        assert (scene.path / "canary").exists(), "the keyring library would not have imported it either"
        return result

    return Case("evil.Keyring", before=before, run=run, mfa=True)


ROWS = (
    row(
        "F113",
        "no keyring",
        Case("no backend", before=without(no_service), check=nothing_kept, logs=NO_KEYRING, mfa=True, calls=1),
        Case("no D-Bus", before=without(lambda _: NO_BUS), check=nothing_kept, logs=NO_KEYRING, mfa=True, calls=1),
        Case("stale bus", before=without(lambda _: STALE_BUS), check=nothing_kept, logs=NO_KEYRING, mfa=True, calls=1),
        Case(
            "fail backend",
            before=without(lambda _: {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}),
            check=nothing_kept,
            logs=NO_KEYRING,
            mfa=True,
            calls=1,
        ),
    ),
    row(
        "F114",
        "the keyring is locked, and nobody is there to unlock it",
        Case(
            "locked",
            before=locked,
            check=said("credproc: the keyring is locked, and was not unlocked: a new code is needed\r"),
            logs="cannot read the MFA session: the keyring is locked",
            mfa=True,
            seconds=8,
        ),
    ),
    row(
        "F115",
        "the keyring does not answer",
        Case("a write", before=silent, logs="did not answer in 5 s", mfa=True, seconds=15),
        Case("a bus", before=silent_bus(admits=True), check=nothing_kept, mfa=True, calls=1, seconds=12),
        Case("a deaf bus", before=silent_bus(admits=False), check=nothing_kept, mfa=True, calls=1, seconds=12),
        Case("SIGINT", Kind.SIGNAL, (signal.SIGINT,), before=signed_in, run=interrupted, mfa=True, calls=0, seconds=8),
        Case(
            "no terminal",
            Kind.NO_TERMINAL,
            before=signed_in,
            run=two_without_terminal,
            says="there is no terminal",
            logs="did not answer in 3 s",
            mfa=True,
            calls=0,
            seconds=10,
        ),
        waits=True,
    ),
    row(
        "F116",
        "the keyring holds something else",
        holding("garbage", lambda _: b"\xff\xfe[[["),
        holding("truncated", lambda secret: secret[: len(secret) // 2]),
        holding("another schema", lambda secret: secret.replace(b'"format":1', b'"format":2')),
        holding("1 MiB", lambda _: b"x" * (1 << 20)),
    ),
    row(
        "F117",
        "the keyring takes nothing",
        Case("too long", before=lambda s: desktop(s, limits=SHORT), logs=NOT_KEPT, mfa=True),
        Case("full disk", before=full_disk, logs=NOT_KEPT, mfa=True),
        Case("denied", before=lambda s: desktop(s, denied=DENIED), logs=NOT_KEPT, mfa=True),
    ),
    row("F118", "PYTHON_KEYRING_BACKEND names a stranger", luring(by_variable)),
    row("F119", "keyringrc.cfg names a stranger", luring(by_file)),
)
