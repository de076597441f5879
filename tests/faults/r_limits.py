"""R. How much is read, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.rows import Case, Kind, each, row
from tests.metadata import Container, Imds, Sso
from tests.sts import Trust, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.rows import Step
    from tests.faults.scene import Result, Scene
    from tests.sts import Role, Sts

_MIB = 1 << 20
_FLOOD = 50 * _MIB
_SPACE = ("prlimit", f"--as={1 << 30}")  # bytes; a run needs a third of that
_TOO_LONG = "longer than 1024 KiB"


def _flooding(made: Callable[[Sts, Role], Container | Imds | Sso], action: str) -> Step:
    """Let the role stand on a service of the machine or of a person that answers 50 MiB."""

    def before(scene: Scene) -> None:
        service = made(scene.sts, scene.role)
        scene._stack.enter_context(service)
        scene.home.environ.update(service.environment())
        source = "credential_source = EcsContainer"
        if isinstance(service, Imds):
            source = "credential_source = Ec2InstanceMetadata"
        if isinstance(service, Sso):
            service.sign_in(scene.home.path, sso_session="corp")
            source = f"sso_session = corp\nsso_account_id = {service.account_id}\nsso_role_name = {service.role_name}"
        role = "" if isinstance(service, Sso) else f"role_arn = {scene.role.arn}\n"
        session = f"[sso-session corp]\nsso_region = us-east-1\nsso_start_url = {Sso.START_URL}\n"
        scene.home.config(f"[profile admin]\n{role}{source}\n{session}")
        service.always(say(b"x" * _FLOOD), action)

    return before


def _printing(command: str) -> Step:
    """Let this command be the profile's source."""
    return lambda scene: scene.source_program(command)


def _too_much(name: str, before: Step, says: str = _TOO_LONG) -> Case:
    return Case(name, Kind.SOURCE, before=before, undo=lambda s: s.config(), says=says, wrapper=_SPACE, calls=0)


def _chained(scene: Scene) -> None:
    """Answer with entities of which each holds the one before: as many as the limit lets through."""
    entities = "".join(f'<!ENTITY e{n} "&e{n - 1};">' for n in range(1, 2_500))
    body = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e0 "x">{entities}]><r>&e2499;</r>'.encode()
    assert len(body) < 64 * 1024
    scene.sts.always(say(body), "AssumeRole")


def _chained_beyond_the_limit(scene: Scene) -> None:
    entities = "".join(f'<!ENTITY e{n} "&e{n - 1};">' for n in range(1, 60_000))
    scene.sts.always(say(f'<!DOCTYPE r [<!ENTITY e0 "x">{entities}]><r>&e59999;</r>'.encode()), "AssumeRole")


def _key_log(scene: Scene) -> None:
    scene.home.environ["SSLKEYLOGFILE"] = str(scene.path / "keys of TLS")


def _no_key_log(scene: Scene, _: Result) -> None:
    assert not (scene.path / "keys of TLS").exists(), "keys of TLS were written"


def _with_container(scene: Scene) -> None:
    agent = scene._stack.enter_context(Container(scene.sts, scene.role))
    scene.home.environ.update(agent.environment())
    scene.home.config("[profile admin]\ncredential_source = EcsContainer\nrole_arn = " + scene.role.arn + "\n")
    scene.sts.role(scene.role.arn, Trust(("*",)))


ROWS = (
    row(
        "F190",
        "a source that gives 50 MiB, or does not stop",
        _too_much("container", _flooding(Container, "credentials")),
        _too_much("instance, token", _flooding(Imds, "token")),
        _too_much("instance, credentials", _flooding(Imds, "credentials")),
        _too_much("Identity Center", _flooding(Sso, "GetRoleCredentials")),
        _too_much("a program", _printing(f"head -c {_FLOOD} /dev/zero")),
        _too_much("a program without end", _printing("exec cat /dev/zero")),
        _too_much("a program's stderr", _printing(f"echo luck >&2; head -c {_FLOOD} /dev/zero >&2; exit 3"), "luck"),
    ),
    row(
        "F191",
        "entities of which each holds the one before",
        *(
            Case(
                name,
                Kind.NETWORK,
                before=before,
                undo=lambda s: s.sts.heal(),
                says=r"AssumeRole: the answer (cannot be understood|is longer than 64 KiB)",
            )
            for name, before in (("2,500", _chained), ("60,000", _chained_beyond_the_limit))
        ),
    ),
    row(
        "F192",
        "SSLKEYLOGFILE, where TLS is botocore's",
        Case("container", before=each(_with_container, _key_log), check=_no_key_log),
    ),
)
