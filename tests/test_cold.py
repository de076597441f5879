"""A cold refresh: what it imports, whatever its source, and what it takes."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.keyrings import AVAILABLE, SecretService
from tests.program import PROGRAM, ROLE, Home
from tests.sts import Sts, Trust, User

# Without those of the interpreter's own start; half are credproc's own small files, and Python 3.10 has two more
MODULES_CEILING = 132
FORBIDDEN = {"boto3", "botocore", "dateutil", "email", "http", "s3transfer", "urllib3", "xml.etree"}
# What the standard library has to be slow with, and a refresh does without
SLOW = {
    "asyncio",
    "calendar",
    "concurrent",
    "dataclasses",
    "importlib.metadata",
    "inspect",
    "locale",
    "logging",
    "tempfile",
}

COUNT = """
import os, sys
before = set(sys.modules)
leave = os._exit
def told(status):
    sys.stdout.flush()
    with open(os.environ["MODULES"], "w") as file:
        file.write(" ".join(sorted(set(sys.modules) - before)))
    leave(status)
os._exit = told
sys.argv = ["credproc", "--profile", "admin"]
from credproc.__main__ import main
main()
"""


class World(NamedTuple):
    """A home, the STS that it reaches, and the user whose keys are in it."""

    home: Home
    sts: Sts
    user: User

    def modules(self, **environ: str) -> set[str]:
        """Resolve ``admin``, and return what was imported for it."""
        told = self.home.path / "modules"
        ran = subprocess.run(
            [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{COUNT}"],
            env={**self.home.environ, **environ, "MODULES": str(told)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert '"Version":1' in ran.stdout, ran.stderr
        return set(told.read_text().split())


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> Iterator[World]:
    with Sts() as sts:
        user = sts.user("user1", mfa=True)
        sts.role(ROLE, Trust((user.arn,)))
        home = Home(tmp_path / "home", AWS_ENDPOINT_URL_STS=sts.url, CREDPROC_SESSION_STORE="file")
        home.keys("user1", user)
        yield World(home, sts, user)


def _assert_light(modules: set[str], *, besides: frozenset[str] = frozenset()) -> None:
    tops = {module.partition(".")[0] for module in modules} | modules
    assert tops & (FORBIDDEN | SLOW | {"keyring", "secretstorage", "subprocess"}) <= besides
    assert len(modules) <= MODULES_CEILING + 20 * bool(besides), sorted(modules)


def _role(*lines: str) -> str:
    return "\n".join([f"[profile admin]\nregion = us-west-2\nrole_arn = {ROLE}", *lines, ""])


def _with_a_code(world: World) -> tuple[str, dict[str, str]]:
    program = world.home.path / "code"
    program.write_text(f"#!/bin/sh\necho {world.user.unused_code()}\n")
    program.chmod(0o755)
    return f"mfa_serial = {world.user.mfa_serial}\ncredproc_mfa_process = {program}", {}


def test_a_role_by_static_keys_imports_nothing_heavy(world: World) -> None:
    world.home.config(_role("source_profile = user1"))
    _assert_light(world.modules())


def test_with_mfa_it_imports_nothing_heavy(world: World) -> None:
    lines, environ = _with_a_code(world)
    world.home.config(_role("source_profile = user1", lines))
    modules = world.modules(**environ)
    assert {module.partition(".")[0] for module in modules} & FORBIDDEN == set()
    assert not [module for module in modules if "dialog" in module or "display" in module]  # nobody wants a window
    (world.home.path / "code").unlink()  # the code in it is a secret that nothing may leave behind
    assert world.sts.count("GetSessionToken", "OK") == 1


def test_a_session_of_long_term_keys_imports_nothing_heavy(world: World) -> None:
    world.home.config("[profile admin]\nregion = us-west-2\n")
    world.home.keys("admin", world.user)
    _assert_light(world.modules())


@pytest.mark.hands_out
def test_keys_of_the_environment_import_nothing_heavy(world: World) -> None:
    world.home.config(_role("credential_source = Environment"))
    keys = {"AWS_ACCESS_KEY_ID": world.user.access_key_id, "AWS_SECRET_ACCESS_KEY": world.user.secret_access_key}
    _assert_light(world.modules(**keys))


def test_a_web_identity_imports_nothing_heavy(world: World, tmp_path: Path) -> None:
    issuer = "https://issuer.example"
    world.sts.role(ROLE, Trust(federated=issuer))
    (tmp_path / "token").write_text(world.sts.web_identity_token(issuer))
    world.home.config(_role(f"web_identity_token_file = {tmp_path / 'token'}"))
    _assert_light(world.modules())


def test_another_program_imports_nothing_heavy(world: World, tmp_path: Path) -> None:
    (tmp_path / "document").write_text(json.dumps(world.user.credentials.document()))
    world.home.config(
        _role("source_profile = program") + f"[profile program]\ncredential_process = /bin/cat {tmp_path}/document\n"
    )
    _assert_light(world.modules(), besides=frozenset({"locale", "subprocess"}))


@pytest.mark.skipif(not AVAILABLE, reason="needs dbus-daemon and gnome-keyring-daemon")
def test_keys_in_the_keyring_import_no_botocore(world: World) -> None:
    with SecretService(world.home.path) as service:
        world.home.config(_role("source_profile = user1"))
        ran = world.home.run("keys", "import", "user1", "--yes", environ=service.environ)
        assert ran.status == 0, ran
        assert "aws_secret_access_key" not in (world.home.path / ".aws" / "credentials").read_text()
        modules = world.modules(**service.environ)
    assert "keyring" in modules
    assert not {module.partition(".")[0] for module in modules} & {"boto3", "botocore", "dateutil", "urllib3"}


def test_behind_a_proxy_botocores_session_is_imported_and_no_more_of_it(world: World) -> None:
    world.home.config(_role("source_profile = user1"))
    environ = {"AWS_ENDPOINT_URL_STS": "http://localhost:9", "HTTP_PROXY": world.sts.url}
    modules = world.modules(**environ)
    assert "botocore.httpsession" in modules
    assert not modules & {"boto3", "botocore.session", "botocore.client", "botocore.loaders"}


@pytest.mark.measure
def test_a_refresh_costs_at_most_six_bare_interpreters(world: World) -> None:
    """Processor time: 50 ms where the interpreter's start takes 10. Noise only ever adds: the best of three counts."""
    world.home.config(_role("source_profile = user1"))

    def cost(*command: str) -> float:
        times = []
        for _ in range(9):
            for entry in world.home.entries:
                entry.unlink()
            pid = os.posix_spawn(command[0], command, world.home.environ, file_actions=QUIET)
            _, status, usage = os.wait4(pid, 0)
            assert status == 0
            times.append(usage.ru_utime + usage.ru_stime)
        return statistics.median(times)

    bare = [sys.executable, "-I", "-S", "-c", "pass"]
    best = min(cost(PROGRAM, "--profile", "admin") / cost(*bare) for _ in range(3))
    assert best <= 9.5


QUIET = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
