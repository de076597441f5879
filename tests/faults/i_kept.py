"""I. Nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from tests.faults.h_disk import failing
from tests.faults.rows import Case, Kind, each, row
from tests.mfa import PROMPT
from tests.program import ROLE
from tests.sts import fail, hang

if TYPE_CHECKING:
    from tests.faults.scene import Result, Scene
    from tests.terminal import Job

_OTHER = "arn:aws:iam::123456789012:role/other"
_DENIED = fail(403, "AccessDenied", "User is not authorized to perform: sts:AssumeRole")


def _other_role(scene: Scene) -> None:
    """Add a profile of another role behind the same user."""
    scene.sts.role(_OTHER, scene.role.trust, max_session_duration=43200)
    other = ["[profile other]", f"role_arn = {_OTHER}", "source_profile = user1", "region = us-west-2"]
    scene.config(other="\n".join([*other, f"external_id = {scene.external_id}"]))


def _other_needs_no_code(scene: Scene, _: Result) -> None:
    result = scene.on_terminal(scene.argv(("--profile", "other"), ()))
    assert result.status == 0, result
    assert result.prompts == 0, "the session is lost"


def _keyring_dies(scene: Scene) -> Result:
    """Let the keyring lock itself while the code is typed."""
    service = scene.keyring()

    def person(_: Job) -> None:
        service.lock()
        scene.type_code()

    return scene.on_terminal(person=person)


def _rename_fails(scene: Scene) -> Result:
    return scene.on_terminal(scene.argv(wrapper=failing("renameat", "error=EIO")))


def _ended_before_the_role(scene: Scene) -> Result:
    """Hold AssumeRole, and end credproc by SIGTERM once it waits for that."""
    answer = threading.Event()
    scene.sts.hold(answer, "AssumeRole")
    began = time.monotonic()
    job = scene.job()
    scene.terminal.expect(PROMPT)
    scene.type_code()
    assert scene.sts.wait_for(1, "AssumeRole")
    scene.terminal.until(scene.has_session, "the session to be stored")
    job.signal(signal.SIGTERM)
    result = scene.result(job, began, 1)
    answer.set()
    scene.sts.heal()
    return result


def _to_nobody(scene: Scene) -> Result:
    """Run with a stdout whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return scene.process(scene.argv(), scene.environ(), stdout=writer)
    finally:
        os.close(writer)


def credentials_are_kept(scene: Scene, _: Result) -> None:
    """The credentials that nobody took are in the cache, and the next run makes no call."""
    calls = scene.sts.count()
    result = scene.once()
    assert result.status == 0
    assert scene.sts.count() == calls, "STS was called again"
    document = json.loads(result.stdout)
    assert document["AccessKeyId"] == scene.sts.iam.given()[-1].access_key_id


def _slow_fsync(scene: Scene) -> None:
    """Make a library that lets fsync wait as a stuck server does: until then, or until the process ends."""
    (scene.path / "slow.c").write_text("int sleep(unsigned); int fsync(int f) { (void)f; sleep(30); return 0; }")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", scene.path / "slow.so", scene.path / "slow.c"], check=True)


def _on_slow_disk(scene: Scene) -> Result:
    environ = scene.environ({"LD_PRELOAD": str(scene.path / "slow.so")})
    return scene.on_terminal(environ=environ) if scene.case.mfa else scene.process(scene.argv(), environ)


ROWS = (
    row(
        "F100",
        "the code is accepted, and the session cannot be kept",
        Case("keyring locked meanwhile", mfa=True, run=_keyring_dies, logs="keyring", loses=True),
        Case("no file can be renamed", mfa=True, run=_rename_fails, logs="not kept|cannot|session", loses=True),
    ),
    row(
        "F101",
        "the code is accepted, and the role is denied",
        Case(
            "AccessDenied",
            Kind.DENIED,
            before=each(_other_role, lambda s: s.sts.once(_DENIED, action="AssumeRole")),
            mfa=True,
            says=f"{ROLE}: .*AccessDenied",
            check=_other_needs_no_code,
        ),
    ),
    row(
        "F102",
        "the code is accepted, and AssumeRole answers 503, or not at all",
        Case(
            "503",
            Kind.NETWORK,
            before=lambda s: s.sts.always(fail(503, "ServiceUnavailable", "Service Unavailable"), "AssumeRole"),
            undo=lambda s: s.sts.heal(),
            mfa=True,
            says="AssumeRole",
            calls=6,
        ),
        Case(
            "no answer",
            Kind.NETWORK,
            before=lambda s: s.sts.always(hang(), "AssumeRole"),
            undo=lambda s: s.sts.heal(),
            mfa=True,
            says="AssumeRole: no answer in time",
            calls=6,
        ),
    ),
    row(
        "F103",
        "the code is accepted, and SIGTERM comes before the role",
        Case("SIGTERM", Kind.SIGNAL, signals=(signal.SIGTERM,), mfa=True, run=_ended_before_the_role),
    ),
    row(
        "F104",
        "the credentials are there, and stdout has gone",
        Case("EPIPE", Kind.OUTPUT, run=_to_nobody, says="stdout: ", check=credentials_are_kept),
    ),
    row(
        "F104a",
        "the cache does not answer a write",
        Case("fsync takes 30 s", before=_slow_fsync, run=_on_slow_disk),
        Case("fsync takes 30 s, MFA", before=_slow_fsync, run=_on_slow_disk, mfa=True, loses=True),
    ),
)
