"""What is read of an answer, or of a program's output, however much comes and however fast."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from credproc.limits import ANSWER, SOURCE, TooLongError, whole
from tests.metadata import Container, Imds, Sso
from tests.program import PROGRAM, ROLE, Home
from tests.sts import Sts, Trust, say

MIB = 1 << 20
FLOOD = 50 * MIB
ROOM = 16 * MIB  # bytes by which two runs of the same kind may differ
SECONDS = 9  # for a run; the endpoints and the program of these tests give 50 MiB in less than one
PROGRAM_HINT = "run the program by hand and look at what it prints"


def test_as_much_as_the_limit_is_read_whole() -> None:
    assert whole([b"ab", b"", b"c"], 3) == b"abc"
    assert whole([], 3) == b""


def test_nothing_is_taken_after_what_is_beyond_the_limit() -> None:
    left = iter([b"ab", b"cd", b"ef"])
    with pytest.raises(TooLongError, match="longer than 1024 KiB"):
        raise TooLongError(SOURCE)
    with pytest.raises(TooLongError):
        whole(left, 3)
    assert list(left) == [b"ef"]


class Ended(NamedTuple):
    """How a run has ended, and what it took."""

    status: int
    stderr: str
    seconds: float
    memory: int  # bytes, the most at once


# Runs the command and prints what it needed. Linux counts a process's memory from before its exec, so a child of the
# test itself, which holds 50 MiB, would have needed as much
MEASURE = """\
import resource, subprocess, sys, time
began = time.monotonic()
ran = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
print(ran.returncode, time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def _ended(home: Home, profile: str) -> Ended:
    command = [sys.executable, "-I", "-S", "-c", MEASURE, PROGRAM, "--profile", profile]
    ran = subprocess.run(command, env=home.environ, capture_output=True, text=True, check=True)
    status, seconds, memory = ran.stdout.split()
    return Ended(int(status), ran.stderr, float(seconds), int(memory))


@pytest.fixture(name="sts")
def _sts() -> Iterator[Sts]:
    with Sts() as sts:
        sts.role(ROLE, Trust(("*",)))
        yield sts


@pytest.fixture(name="set_up")
def _set_up(tmp_path: Path, sts: Sts) -> Home:
    home = Home(tmp_path / "home", AWS_ENDPOINT_URL_STS=sts.url, AWS_EC2_METADATA_DISABLED="true")
    home.config(
        f"[profile EcsContainer]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n"
        f"[profile Ec2InstanceMetadata]\nrole_arn = {ROLE}\ncredential_source = Ec2InstanceMetadata\n"
        f"[profile IdentityCenter]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = admin\n"
        f"[sso-session corp]\nsso_region = us-east-1\nsso_start_url = {Sso.START_URL}\n"
        f"[profile Process]\ncredential_process = {tmp_path}/program\n"
        f"[profile StaticKeys]\nrole_arn = {ROLE}\nsource_profile = user1\n"
    )
    user = sts.user("user1")
    home.credentials(
        f"[user1]\naws_access_key_id = {user.access_key_id}\naws_secret_access_key = {user.secret_access_key}\n"
    )
    return home


# Kind of source → makes it, and returns what has it give 50 MiB. The services go when the stack does.
Flood = Callable[[], object]


def _container(sts: Sts, home: Home, stack: ExitStack) -> Flood:
    agent = stack.enter_context(Container(sts, ROLE))
    home.environ.update(agent.environment())
    return lambda: agent.always(say(b"x" * FLOOD), "credentials")


def _instance(action: str) -> Callable[[Sts, Home, ExitStack], Flood]:
    def made(sts: Sts, home: Home, stack: ExitStack) -> Flood:
        imds = stack.enter_context(Imds(sts, ROLE))
        home.environ.update(AWS_EC2_METADATA_DISABLED="false", **imds.environment())
        return lambda: imds.always(say(b"x" * FLOOD), action)

    return made


def _identity_center(sts: Sts, home: Home, stack: ExitStack) -> Flood:
    portal = stack.enter_context(Sso(sts, ROLE))
    home.environ.update(portal.environment())
    config = home.path / ".aws" / "config"
    config.write_text(config.read_text().replace("sso_role_name = admin", f"sso_role_name = {portal.role_name}"))
    portal.sign_in(home.path, sso_session="corp")
    return lambda: portal.always(say(b"x" * FLOOD), "GetRoleCredentials")


def _printing(command: str) -> Callable[[Sts, Home, ExitStack], Flood]:
    def made(_sts: Sts, home: Home, _stack: ExitStack) -> Flood:
        program = home.path.parent / "program"
        program.write_text(
            "#!/bin/sh\n"
            'echo \'{"Version":1,"AccessKeyId":"ASIA","SecretAccessKey":"b",'
            '"SessionToken":"c","Expiration":"2099-01-01T00:00:00Z"}\'\n'
        )
        program.chmod(0o755)

        def flood() -> None:
            program.write_text(f"#!/bin/sh\n{command}\n")

        return flood

    return made


def _service(sts: Sts, _home: Home, _stack: ExitStack) -> Flood:
    return lambda: sts.always(say(b"<x>" + b" " * FLOOD + b"</x>"), "AssumeRole")


CASES = [
    ("EcsContainer", _container, "EcsContainer: the answer is longer than 1024 KiB"),
    *(
        ("Ec2InstanceMetadata", _instance(action), "Ec2InstanceMetadata: the answer is longer than 1024 KiB")
        for action in ("token", "role", "credentials")
    ),
    ("IdentityCenter", _identity_center, "IAM Identity Center: the answer is longer than 1024 KiB"),
    ("Process", _printing(f"head -c {FLOOD} /dev/zero"), "the output is longer than 1024 KiB"),
    ("Process", _printing("exec cat /dev/zero"), "the output is longer than 1024 KiB"),
    ("Process", _printing(f"echo no luck >&2; head -c {FLOOD} /dev/zero >&2; exit 3"), "no luck"),
    ("StaticKeys", _service, "the answer is longer than 64 KiB"),
]


@pytest.mark.posix("the memory that a process needs, by resource")
@pytest.mark.parametrize(("profile", "made", "said"), CASES, ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)])
def test_fifty_mebibytes_cost_neither_memory_nor_time_and_are_an_error_that_says_so(
    set_up: Home, sts: Sts, profile: str, made: Callable[[Sts, Home, ExitStack], Flood], said: str
) -> None:
    with ExitStack() as stack:
        flood = made(sts, set_up, stack)
        well = _ended(set_up, profile)
        assert (well.status, well.stderr) == (0, "")
        set_up.run("clear", "--all")
        flood()
        ended = _ended(set_up, profile)
    assert ended.status == 1
    assert said in ended.stderr.splitlines()[0]
    assert ended.seconds < SECONDS
    assert ended.memory < well.memory + ROOM
    assert len(ended.stderr) < 1000


@pytest.mark.posix("the memory that a process needs, by resource")
def test_a_mebibyte_of_a_program_is_read(set_up: Home, sts: Sts) -> None:
    with ExitStack() as stack:
        _printing("true")(sts, set_up, stack)
        program = set_up.path.parent / "program"
        padded = program.read_text().replace("echo '{", f"head -c {SOURCE - 200} /dev/zero | tr '\\0' ' '\necho '{{")
        program.write_text(padded)
        assert _ended(set_up, "Process").status == 0
    assert ANSWER < SOURCE
