"""F. Locks and concurrency."""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from typing import TYPE_CHECKING

from tests import crowd
from tests.faults.rows import Case, Kind, row
from tests.faults.scene import Result, Scene
from tests.keyrings import SilentSecretService
from tests.mfa import PROMPT, World, profile
from tests.sts import Trust
from tests.terminal import Terminal

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.terminal import Job

LATE = r"process \d+ \(credproc\) has held the lock for \d+ s"
# A name server that takes what is asked and says nothing, for this process and its children alone
DEAF = (
    "ip link set lo up && ip tuntap add void0 mode tun && ip addr add 10.9.9.1/24 dev void0 && ip link set void0 up &&"
    ' echo nameserver 10.9.9.9 >"$0" && mount --bind "$0" /etc/resolv.conf && exec "$@"'
)


def world(scene: Scene) -> World:
    """Return the scene as the rigs for crowds know it."""
    return World(scene.home, scene.sts, scene.user, scene.terminal)


def role0(scene: Scene) -> None:
    """Add profile role0, as those rigs call it."""
    scene.config(other=profile("role0", world(scene).role("role0"), "user1", "region = us-west-2"))


def left(scene: Scene, directory: Path, began: float, prompts: int = 1) -> list[Result]:
    """Return what each of a crowd has left; the prompts are those of all."""
    seconds = time.monotonic() - began
    while PROMPT in scene.terminal.unseen:
        scene.terminal.expect(PROMPT)
    scene.codes += [code for _, code in scene.sts.codes]
    scene.injections = len((directory / "pids").read_text().split())
    return [
        Result(
            int((directory / f"{number}.status").read_text()),
            (directory / f"{number}.stdout").read_bytes(),
            (directory / f"{number}.stderr").read_bytes(),
            seconds,
            0 if number else prompts,
        )
        for number in range(scene.injections)
    ]


def waiting(scene: Scene) -> subprocess.Popen[bytes]:
    """Start one without a terminal, and return once it waits for the one who is at work."""
    child = scene.start(scene.argv(), scene.environ())
    crowd.until_waiting([child.pid])
    return child


def ended(scene: Scene, child: subprocess.Popen[bytes], began: float) -> Result:
    """Wait for the end of one without a terminal."""
    stdout, stderr = child.communicate(timeout=scene.case.limit)
    return Result(child.returncode, stdout, stderr, time.monotonic() - began)


def asked(scene: Scene) -> Job:
    """Start one on the terminal and wait for its prompt."""
    job = scene.job()
    scene.terminal.expect(PROMPT)
    return job


def holder_and_waiters(scene: Scene) -> list[Result]:
    """Run one on the terminal whom a person answers, and two that wait for it."""
    began = time.monotonic()
    holder = scene.job()
    crowd.until(lambda: crowd.has_lock_open(holder.pid) or holder.status is not None)
    waiters = [waiting(scene) for _ in range(2)]
    prompts = scene.attend(holder)
    results = [scene.result(holder, began, prompts), *(ended(scene, one, began) for one in waiters)]
    assert max(result.seconds for result in results) < scene.case.limit
    return results


# The holder


def killed_holder(seconds: float) -> Callable[[Scene], list[Result]]:
    """Kill the one that has its turn after so many seconds, while ten wait."""

    def run(scene: Scene) -> list[Result]:
        began = time.monotonic()
        had_prompt = crowd.with_a_killed_holder(world(scene), scene.path / "crowd", 10, seconds, within=1)
        return left(scene, scene.path / "crowd", began, 1 + had_prompt)

    return run


def stopped_holder(scene: Scene) -> list[Result]:
    """Stop the one that asks, and continue it when those that waited have given up."""
    began = time.monotonic()
    holder = asked(scene)
    holder.signal(signal.SIGSTOP)
    with Terminal() as elsewhere:
        at_a_terminal = elsewhere.start(scene.argv(), scene.environ(), stdin="null", stdout="pipe", stderr="pipe")
        without = waiting(scene)
        elsewhere.expect(f"waiting: process {holder.pid} ")
        told = ended(scene, without, began)
        results = [told, scene.result(at_a_terminal, began)]
        assert PROMPT not in elsewhere.transcript.decode()
    for result in results:
        assert re.search(rf"process {holder.pid} .* 5\d? s\b", result.said), result
    assert holder.state == "T", "the holder was not stopped"
    holder.signal(signal.SIGCONT)
    last = scene.result(holder, began, 1)
    assert "no code was typed in time" in last.said, last
    return [*results, last]


def hanging_program(scene: Scene) -> None:
    """Have a program give the codes that does not end."""
    scene.config("mfa_process = sleep 100")


def program_that_works(scene: Scene) -> None:
    """Take it away."""
    scene.config()


def silent_keyring(scene: Scene) -> None:
    """Have a keyring that takes calls and does not answer."""
    service = scene._stack.enter_context(SilentSecretService())
    scene.home.environ.update(service.environ, CREDPROC_SESSION_STORE="keyring")


def holder_in_dns(scene: Scene) -> list[Result]:
    """Run two that ask a name server which does not answer."""
    environ = {name: value for name, value in scene.environ().items() if name != "AWS_ENDPOINT_URL_STS"}
    deaf = ["unshare", "--net", "--mount", "sh", "-c", DEAF, str(scene.path / "resolv.conf"), *scene.argv()]
    began = time.monotonic()
    first = scene.start(deaf, environ)
    crowd.until(lambda: crowd.has_lock_open(first.pid))
    second = scene.start(deaf, environ)
    return [ended(scene, first, began), ended(scene, second, began)]


# Two at once


def second_user(scene: Scene) -> None:
    """Add profile two, whose user has another device."""
    other = scene.sts.user("user2", mfa=True)
    role = scene.sts.role("arn:aws:iam::123456789012:role/two", Trust((other.arn,), mfa_required=True))
    user = f"[profile user2]\nmfa_serial = {other.mfa_serial}\n"
    scene.config(other=profile("two", role.arn, "user2", "region = us-west-2") + user)
    path = scene.home.path / ".aws" / "credentials"
    keys = f"aws_access_key_id = {other.access_key_id}\naws_secret_access_key = {other.secret_access_key}\n"
    path.write_text(f"{path.read_text()}[user2]\n{keys}")


def two_users_on_one_terminal(profiles: list[str], later: list[str]) -> Callable[[Scene], list[Result]]:
    """Run these profiles, and those when a prompt is up; each prompt gets the code of the device that it names."""

    def run(scene: Scene) -> list[Result]:
        began = time.monotonic()
        other = scene.sts.iam.user("arn:aws:iam::123456789012:user/user2")
        assert other is not None
        users = {user.mfa_serial: user for user in (scene.user, other)}
        crowds = [crowd.Crowd(world(scene), scene.path / "first", profiles)]
        asked_for = []
        for number in range(2):
            scene.terminal.expect(PROMPT, 20)
            if later and not number:
                crowds.append(crowd.Crowd(world(scene), scene.path / "later", later, crowds[0]))
            crowd.until(lambda: sum(one.at_the_lock() for one in crowds) == 2)
            time.sleep(0.5)  # the other prompt, if it did not wait for this one, would come about now
            assert PROMPT not in scene.terminal.unseen, "two prompts at once"
            assert not scene.terminal.echo, "what is typed is shown"
            asked_for.append(scene.terminal.unseen.split()[0])
            scene.terminal.send(f"{users[asked_for[-1]].unused_code()}\n")
        for one in crowds:
            one.ended(30)
        assert set(asked_for) == set(users), f"asked for {asked_for}"
        assert scene.sts.count(outcome="AccessDenied") == 0, "codes were crossed"
        return [result for one in crowds for result in left(scene, one.directory, began)]

    return run


def two_terminals_for_one_user(scene: Scene) -> list[Result]:
    """Run one here and one on another terminal, and answer the first."""
    began = time.monotonic()
    first = asked(scene)
    with Terminal() as elsewhere:
        second = elsewhere.start(scene.argv(), scene.environ(), stdin="null", stdout="pipe", stderr="pipe")
        crowd.until(lambda: crowd.has_lock_open(second.pid))
        time.sleep(0.5)  # another prompt would come about now
        scene.type_code()
        results = [scene.result(first, began, 1), scene.result(second, began)]
        assert PROMPT not in elsewhere.transcript.decode()
        assert elsewhere.column() == 0
    return results


def unlinked_lock(scene: Scene) -> list[Result]:
    """Remove the lock's file while one has it and another waits for it; a third comes then."""
    release = threading.Event()
    scene.sts.hold(release)
    began = time.monotonic()
    runs = [waiting(scene), waiting(scene)]
    assert scene.sts.wait_for(1)
    (path,) = scene.cache.glob("*.entry.lock")
    path.unlink()
    runs.append(waiting(scene))
    assert scene.sts.wait_for(2), "nobody has taken the new lock"
    release.set()
    return [ended(scene, one, began) for one in runs]


# Crowds


def wrong_codes_and_fifty(scene: Scene) -> list[Result]:
    """Let fifty wait for one to whom three wrong codes are typed."""
    directory = scene.path / "crowd"
    began = time.monotonic()
    fifty = crowd.Crowd(world(scene), directory, ["role0"] * 51)
    scene.terminal.expect(PROMPT, 30)
    crowd.until(lambda: fifty.at_the_lock() == 51)
    for number in range(3):
        scene.terminal.send(f"00000{number}\n")
        if number < 2:
            scene.terminal.expect(PROMPT)
    typed = time.monotonic()
    fifty.ended(20)
    assert time.monotonic() - typed < 5, "they went on waiting"
    assert scene.terminal.transcript.count(PROMPT.encode()) == 3, "somebody else has asked"
    return left(scene, directory, began, 3)


def without_a_terminal_meanwhile(scene: Scene) -> list[Result]:
    """Let three without a terminal wait for the one who asks on one."""
    began = time.monotonic()
    first = asked(scene)
    others = [waiting(scene) for _ in range(3)]
    time.sleep(0.5)  # one that did not wait would end now
    assert [one.poll() for one in others] == [None] * 3, "they have not waited"
    scene.type_code()
    return [scene.result(first, began, 1), *(ended(scene, one, began) for one in others)]


def make_older(scene: Scene) -> None:
    """Rewrite the entry as it will be in the second in which it ends to be served."""
    with scene.home.edited_entry() as (entry, about):
        by = entry.served_until - int(time.time())
        about["issued"] -= by
        about["expiration"] -= by
        entry.served_from -= by
        entry.served_until -= by


def expiring_entry(processes: int) -> Callable[[Scene], list[Result]]:
    """Start so many processes, and let the entry end to be served as soon as one has been served."""

    def run(scene: Scene) -> list[Result]:
        scene.home.settle()
        scene.warm()
        calls = scene.sts.count()
        began = time.monotonic()
        many = crowd.Crowd(world(scene), scene.path / "crowd", ["admin"] * processes)
        crowd.until(lambda: any(many.directory.glob("*.status")))
        make_older(scene)
        many.ended(60)
        results = left(scene, scene.path / "crowd", began, 0)
        keys = {json.loads(result.stdout)["AccessKeyId"] for result in results if result.stdout}
        assert len(keys) == 2, "it did not end to be served while they were started"
        assert scene.sts.count() - calls == 1, "more than one has called"
        return results

    return run


BOTH = (Kind.DOCUMENT, Kind.SIGNAL)

ROWS = (
    row(
        "F069",
        "the holder is killed while ten wait",
        *(
            Case(name, BOTH, (signal.SIGKILL,), role0, killed_holder(seconds), mfa=True, deep=name.startswith("after"))
            for name, seconds in (
                ("at its start", 0.0),
                ("at its prompt", 1.5),
                *((f"after {tenth / 10} s", tenth / 10) for tenth in range(1, 15)),
            )
        ),
    ),
    row(
        "F070",
        "the holder is stopped for ever",
        Case("stopped", Kind.TIMEOUT, run=stopped_holder, says=f"{LATE}|no code was typed", mfa=True, seconds=56),
        waits=True,
    ),
    row(
        "F071",
        "the holder is blocked, and two wait",
        Case("keyring", before=silent_keyring, run=holder_and_waiters, logs="did not answer in 5 s", mfa=True),
        Case("DNS", Kind.NETWORK, run=holder_in_dns, says="no answer in time|could not|does not", calls=0, seconds=24),
        Case(
            "mfa_process",
            Kind.TIMEOUT,
            before=hanging_program,
            run=holder_and_waiters,
            undo=program_that_works,
            says="did not end in time, and was killed",
            mfa=True,
            seconds=36,
            calls=0,
        ),
        waits=True,
    ),
    row(
        "F072",
        "two profiles with a device each on one terminal at once",
        Case("at once", before=second_user, run=two_users_on_one_terminal(["admin", "two"], []), mfa=True, calls=4),
        Case(
            "while one asks", before=second_user, run=two_users_on_one_terminal(["admin"], ["two"]), mfa=True, calls=4
        ),
    ),
    row(
        "F072a",
        "two terminals and one device",
        Case("at once", run=two_terminals_for_one_user, mfa=True),
    ),
    row("F072b", "the lock's file is removed while it is held", Case("unlinked", run=unlinked_lock)),
    row(
        "F072c",
        "the codes of the one who asks are wrong, and fifty wait",
        Case("fifty", Kind.MFA, before=role0, run=wrong_codes_and_fifty, says="in three tries", mfa=True, calls=3),
    ),
    row(
        "F072d",
        "who has no terminal waits while another asks",
        Case("three", run=without_a_terminal_meanwhile, mfa=True),
    ),
    row(
        "F072e",
        "the entry ends to be served while many are started",
        Case("200", run=expiring_entry(200), seconds=40, calls=2),
        Case("1000", run=expiring_entry(1000), seconds=120, calls=2, deep=True),
    ),
)
