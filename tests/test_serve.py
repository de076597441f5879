"""credproc exec --serve: the endpoint that a command gets, whom it answers, and the credentials over the hours."""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.mfa import PROMPT, World, world
from tests.program import ROLE, Home, Outcome, role_home
from tests.sts import Sts, Trust

pytestmark = pytest.mark.hands_out

DUMP = [sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"]
# Tells its environment, and lives until its stdin ends
HELD = [sys.executable, "-c", "import json, os, sys; print(json.dumps(dict(os.environ)), flush=True); sys.stdin.read()"]
# Lives until a file is there
WAITING = [
    sys.executable,
    "-c",
    """import json, os, sys, time
print(json.dumps(dict(os.environ)), flush=True)
while not os.path.exists(sys.argv[1]): time.sleep(0.05)
""",
]
MFA_CONFIG = "credproc_session_store = none\n"


class Answer(NamedTuple):
    """What the endpoint has answered."""

    status: int
    fields: dict[str, str]
    headers: Mapping[str, str]


class Served(NamedTuple):
    """A command under ``--serve``: the process that serves it, and its environment."""

    process: int
    environ: dict[str, str]

    @property
    def port(self) -> int:
        """The endpoint's."""
        found = re.fullmatch(
            r"http://127\.0\.0\.1:(\d+)/credentials", self.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
        )
        assert found is not None
        return int(found[1])

    @property
    def token(self) -> str:
        """What the endpoint wants to see."""
        return self.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]

    def get(self, method: str = "GET", path: str = "/credentials", **headers: str | None) -> Answer:
        """Ask; a header that is None is not sent."""
        wanted = {"Authorization": self.token, **headers}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest(method, path, skip_host="Host" in wanted)
        for name, value in wanted.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders()
        with connection.getresponse() as response:
            answer = Answer(response.status, json.loads(response.read()), dict(response.headers))
        connection.close()
        return answer

    def raw(self, data: bytes) -> bytes:
        """Send this, and return all that comes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(data)
            received = b""
            while part := connection.recv(65536):
                received += part
        return received

    @property
    def open_files(self) -> int:
        """How many descriptors the process that serves has."""
        return len(os.listdir(f"/proc/{self.process}/fd"))


@pytest.fixture(name="sts")
def _sts() -> Iterator[Sts]:
    with Sts() as sts:
        yield sts


@pytest.fixture(name="admin")
def _admin(tmp_path: Path, sts: Sts) -> Home:
    user = sts.user("user1")
    sts.role(ROLE, Trust((user.arn,)))
    return role_home(tmp_path / "home", sts, user)


@contextmanager
def served(home: Home, *options: str, **environ: str) -> Iterator[Served]:
    """Give a command that lives as long as the block."""
    command = ["exec", "admin", "--serve", *options, "--", *HELD]
    with home.start(*command, environ=environ, stdin=subprocess.PIPE) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        assert line, child.communicate()
        yield Served(child.pid, json.loads(line))
        assert child.communicate(timeout=30) == ("", "")
    assert child.returncode == 0


def _serve(home: Home, *command: str, **environ: str) -> Outcome:
    return home.run("exec", "admin", "--serve", "--", *command, environ=environ)


def _wait(what: str, until: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, f"there is no {what}"
        time.sleep(0.02)


# What the command gets


def test_the_command_finds_the_endpoint_and_nothing_that_an_sdk_asks_before_it(admin: Home) -> None:
    misleading = {
        "AWS_PROFILE": "nobody",
        "AWS_DEFAULT_PROFILE": "nobody",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "old",
        "AWS_SESSION_TOKEN": "old",
        "AWS_SECURITY_TOKEN": "old",
        "AWS_CREDENTIAL_EXPIRATION": "2001-01-01T00:00:00Z",
        "AWS_ACCOUNT_ID": "999999999999",
        "AWS_BEARER_TOKEN_BEDROCK": "another's",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/token",
        "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/pod",
        "AWS_ROLE_SESSION_NAME": "pod",
        "AWS_CREDENTIAL_FILE": "/old",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "another's",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/var/run/secrets/pod",
    }
    ran = _serve(admin, *DUMP, **misleading, KEPT="as it is")
    assert (ran.status, ran.stderr) == (0, "")
    found = json.loads(ran.stdout)
    assert {name for name in found if name.startswith("AWS_")} == {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL_STS",
    }
    assert (found["KEPT"], found["AWS_REGION"]) == ("as it is", "us-west-2")


def test_the_endpoint_answers_with_the_credentials_of_the_profile(admin: Home) -> None:
    with served(admin) as endpoint:
        answer = endpoint.get()
        document = admin.run("--profile", "admin").document
    assert answer.status == 200
    assert answer.fields == {
        "AccessKeyId": document["AccessKeyId"],
        "SecretAccessKey": document["SecretAccessKey"],
        "Token": document["SessionToken"],
        "Expiration": document["Expiration"],
        "AccountId": "123456789012",
    }
    assert answer.headers["Cache-Control"] == "no-store"
    assert endpoint.token not in admin.log


def test_each_command_has_a_token_of_its_own(admin: Home) -> None:
    with served(admin) as one, served(admin) as other:
        assert one.token != other.token
        assert other.get(Authorization=one.token).status == 401


# Whom it answers


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"Authorization": None}, 401),
        ({"Authorization": "wrong"}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer {token}"}, 401),
        ({"Authorization": "{token}x"}, 401),
        ({"Host": None}, 403),
        ({"Host": "localhost:{port}"}, 403),
        ({"Host": "attacker.example.com:{port}"}, 403),
        ({"Host": "127.0.0.1"}, 403),
        ({"path": "/"}, 404),
        ({"path": "/credentials?x=1"}, 404),
        ({"path": "/credentials/"}, 404),
        ({"path": "http://127.0.0.1:{port}/credentials"}, 404),
        ({"method": "POST"}, 405),
        ({"method": "HEAD"}, 405),
        ({"method": "OPTIONS"}, 405),
    ],
)
def test_another_request_is_refused(admin: Home, request_: dict[str, str | None], status: int) -> None:
    with served(admin) as endpoint:
        known = {"token": endpoint.token, "port": str(endpoint.port)}
        asked = {name: None if value is None else value.format(**known) for name, value in request_.items()}
        if asked.get("method") == "HEAD":
            head = endpoint.raw(
                f"HEAD /credentials HTTP/1.1\r\nHost: 127.0.0.1:{known['port']}\r\n"
                f"Authorization: {known['token']}\r\n\r\n".encode()
            )
            assert head.startswith(b"HTTP/1.1 405 ")
            return
        answer = endpoint.get(**asked)  # type: ignore[arg-type]  # a method and a path are never None
        assert answer.status == status
        assert set(answer.fields) == {"code", "message"}
        assert endpoint.get().status == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"garbage\r\n\r\n", 400),
        (b"GET /credentials HTTP/2.0\r\nHost: {host}\r\nAuthorization: {token}\r\n\r\n", 400),
        (b"GET  /credentials HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\n\r\n", 400),
        (b"\xff\0\xfe /credentials HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\n\r\n", 405),
        (b"GET /credentials HTTP/1.1\r\nHost: {host}\r\nHost: x\r\nAuthorization: {token}\r\n\r\n", 403),
        (b"GET /credentials HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nAuthorization: x\r\n\r\n", 401),
        (b"GET /credentials HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nX: " + b"x" * 9000, 431),
        (b"POST /credentials HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nContent-Length: 4\r\n\r\nbody", 405),
        (b"GET /credentials HTTP/1.0\r\nhost: {host}\r\nauthorization:{token}\r\n\r\n", 200),
    ],
)
def test_what_is_no_request_of_an_sdk_is_refused_and_nothing_else_happens(
    admin: Home, data: bytes, status: int
) -> None:
    with served(admin) as endpoint:
        filled = data.replace(b"{host}", f"127.0.0.1:{endpoint.port}".encode()).replace(
            b"{token}", endpoint.token.encode()
        )
        assert endpoint.raw(filled).startswith(f"HTTP/1.1 {status} ".encode())
        assert endpoint.get().status == 200


def test_the_port_is_open_on_one_address_alone(admin: Home) -> None:
    with served(admin) as endpoint:
        for address in ("127.0.0.2", "127.1.2.3"):
            with socket.socket() as other:
                assert other.connect_ex((address, endpoint.port)) != 0


def test_who_sends_slowly_or_nothing_is_dropped_and_holds_nobody_up(admin: Home) -> None:
    with served(admin) as endpoint:
        silent = [socket.create_connection(("127.0.0.1", endpoint.port)) for _ in range(200)]
        silent[-1].sendall(b"GET /credentials HT")
        assert endpoint.get().status == 200
        for one in silent:
            one.settimeout(30)
            try:
                assert one.recv(1) == b""  # it ends, without an answer
            except ConnectionResetError:
                pass
            one.close()
        assert endpoint.get().status == 200


def test_many_requests_at_once_are_answered_by_few_threads(admin: Home) -> None:
    with served(admin) as endpoint:
        line = (
            f"GET /credentials HTTP/1.1\r\nHost: 127.0.0.1:{endpoint.port}\r\nAuthorization: {endpoint.token}\r\n\r\n"
        )
        clients = [socket.create_connection(("127.0.0.1", endpoint.port)) for _ in range(60)]
        for one in clients:
            one.sendall(line.encode())
        threads = len(os.listdir(f"/proc/{endpoint.process}/task"))
        for one in clients:
            one.settimeout(30)
            assert one.recv(65536).startswith(b"HTTP/1.1 200 OK")
            one.close()
        assert threads <= 4


def test_the_endpoint_is_gone_with_the_command(admin: Home) -> None:
    with served(admin) as endpoint:
        port = endpoint.port
    with socket.socket() as other:
        assert other.connect_ex(("127.0.0.1", port)) != 0


# [default], where SDKs look before


@pytest.mark.parametrize(
    ("file", "lines", "key"),
    [
        ("credentials", "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x", "aws_access_key_id"),
        ("config", "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x", "aws_access_key_id"),
        ("config", "role_arn = arn:aws:iam::123456789012:role/other\nsource_profile = user1", "role_arn"),
        ("config", "credential_process = /bin/other", "credential_process"),
        ("config", "sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = x", "sso_session"),
        ("config", "login_session = arn:aws:iam::123456789012:user/x", "login_session"),
        ("config", "web_identity_token_file = /token", "web_identity_token_file"),
    ],
)
def test_a_default_profile_with_credentials_is_an_error_with_its_line(
    admin: Home, sts: Sts, file: str, lines: str, key: str
) -> None:
    path = admin.path / ".aws" / file
    path.write_text(f"[default]\nregion = eu-west-1\n{lines}\n{path.read_text()}")
    ran = _serve(admin, "touch", str(admin.path / "touched"))
    assert (ran.status, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"credproc: error: ~/.aws/{file}:3: {key} in [default] ")
    assert not (admin.path / "touched").exists()
    assert sts.calls == []


def test_a_default_profile_without_credentials_is_none(admin: Home) -> None:
    path = admin.path / ".aws" / "config"
    path.write_text(f"[default]\nregion = eu-west-1\noutput = json\n{path.read_text()}")
    assert _serve(admin, "true") == (0, "", "")


def test_credentials_that_never_expire_cannot_be_served(admin: Home) -> None:
    document = '{"Version": 1, "AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": "' + "s" * 40 + '"'
    (admin.path / "document").write_text(document + ', "SessionToken": "' + "t" * 40 + '"}')
    admin.config(
        f"[profile admin]\ncredential_process = /bin/cat {admin.path}/document\n"
        "[profile copy]\ncredproc_source_profile = admin\n"
    )
    ran = _serve(admin, "true")
    assert ran.status == 1
    assert "without an expiry time" in ran.stderr


# The credentials over the hours


def test_they_are_renewed_before_their_end_without_being_asked_for(admin: Home, sts: Sts) -> None:
    sts.lifetime = 12
    with served(admin) as endpoint:
        first = endpoint.get().fields
        assert sts.wait_for(2, "AssumeRole", "OK", timeout=30)
        assert time.time() < sts.iam.credentials(first["AccessKeyId"]).expiration  # type: ignore[union-attr, operator]
        _wait("new key", lambda: endpoint.get().fields["AccessKeyId"] != first["AccessKeyId"])


def test_every_request_is_answered_while_they_are_renewed_and_no_descriptor_is_left_over(admin: Home, sts: Sts) -> None:
    sts.lifetime = 6
    with served(admin) as endpoint:
        endpoint.get()
        files = endpoint.open_files
        keys: set[str] = set()
        while len(keys) < 4:
            answer = endpoint.get()
            assert answer.status == 200
            keys.add(answer.fields["AccessKeyId"])
            time.sleep(0.1)
        _wait("closed descriptor", lambda: endpoint.open_files <= files)


def test_those_that_are_good_for_long_stay_whatever_becomes_of_the_cache(admin: Home, sts: Sts) -> None:
    with served(admin) as endpoint:
        endpoint.get()
        admin.run("clear", "--all")
        renewed = admin.run("--profile", "admin").document
        assert endpoint.get().fields["AccessKeyId"] != renewed["AccessKeyId"]  # the old ones are good for an hour
    assert sts.count("AssumeRole") == 2


@pytest.fixture(name="w")
def _world(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home") as found:
        config = (found.home.path / ".aws" / "config").read_text()
        found.home.config(config.replace("source_profile = user1\n", f"source_profile = user1\n{MFA_CONFIG}"))
        yield found


def test_a_person_is_asked_before_the_command_starts_and_never_later(w: World) -> None:
    w.sts.lifetime = 8
    end = w.home.path / "end"
    job = w.start("exec", "admin", "--serve", "--", *WAITING, str(end))
    w.terminal.expect(PROMPT)
    w.type_code()
    w.terminal.until(lambda: "\n" in job.stdout, "the command's environment")
    endpoint = Served(job.pid, json.loads(job.stdout))
    old = endpoint.get()
    assert old.status == 200
    _wait("end of the old ones", lambda: endpoint.get().status == 503)
    expiration = w.sts.iam.credentials(old.fields["AccessKeyId"]).expiration  # type: ignore[union-attr]
    assert expiration is not None
    assert time.time() > expiration - 8 / 3 - 1  # they were served while they were valid
    w.terminal.expect("credproc: error: exec: profile 'admin': the credentials have expired")
    w.terminal.expect("sign in: credproc login --profile admin")
    for _ in range(3):
        assert endpoint.get().status == 503
    assert "credproc:" not in w.terminal.unseen  # once
    assert PROMPT not in w.terminal.unseen

    w.sts.lifetime = None
    login = w.start("login", "--profile", "admin")
    w.terminal.expect(PROMPT)
    w.type_code()
    assert login.outcome(30).status == 0
    _wait("new credentials", lambda: endpoint.get().status == 200)
    end.touch()
    assert job.outcome(30).status == 0


# The command as a child


def test_the_exit_status_and_the_streams_are_the_commands(admin: Home) -> None:
    assert _serve(admin, "sh", "-c", "cat; echo no >&2; exit 42") == (42, "", "no\n")
    assert _serve(admin, "nosuch").status == 127


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_reaches_the_command_and_ends_both(admin: Home, number: signal.Signals) -> None:
    name = number.name.removeprefix("SIG")
    line = f"trap 'echo got; trap - {name}; kill -{name} $$' {name}; echo up; sleep 60 & wait"
    command = ["exec", "admin", "--serve", "--", "sh", "-c", line]
    with admin.start(*command, start_new_session=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        child.send_signal(number)
        assert child.stdout.readline() == "got\n"
        assert child.wait(30) == -number
        with suppress(ProcessLookupError):  # the sleep, which a signal from the terminal's keys would end
            os.killpg(child.pid, signal.SIGKILL)


def test_a_command_that_was_killed_is_reported_as_shells_do(admin: Home) -> None:
    assert _serve(admin, "sh", "-c", "kill -KILL $$").status == 137


def test_ctrl_c_on_the_terminal_reaches_the_command_once(tmp_path: Path) -> None:
    with world(tmp_path / "home") as w:
        w.answered("admin")
        code = "import signal, sys, time\n"
        code += "seen = []\nsignal.signal(signal.SIGINT, lambda *_: seen.append(1))\nprint('up', flush=True)\n"
        code += "sys.stdin.readline()\nprint(len(seen), flush=True)\n"
        job = w.start("exec", "admin", "--serve", "--", sys.executable, "-c", code, stdin="terminal")
        w.terminal.until(lambda: job.stdout == "up\n", "the command")
        w.terminal.send("\x03")
        time.sleep(0.5)  # for a second one, which must not come
        w.terminal.send("\n")
        assert job.outcome(30).stdout.splitlines()[-1] == "1"


def test_umask_core_limit_and_signals_of_the_command_are_as_they_were(admin: Home) -> None:
    code = (
        "import json, os, resource\n"
        "status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
        "print(json.dumps([oct(os.umask(0)), resource.getrlimit(resource.RLIMIT_CORE)[0], status['SigIgn'].strip(),"
        " sorted(os.listdir('/proc/self/fd'))]))"
    )
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    wanted = min(4096, hard) if hard >= 0 else 4096

    def prepare() -> None:
        os.umask(0o027)
        resource.setrlimit(resource.RLIMIT_CORE, (wanted, hard))

    ran = admin.run("exec", "admin", "--serve", "--", sys.executable, "-c", code, preexec_fn=prepare)
    umask, core, ignored, files = json.loads(ran.stdout)
    assert (umask, core) == ("0o27", wanted)
    here = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())["SigIgn"]
    # SIGPIPE (13) and SIGXFSZ (25) are those of the Python that looks, 32 and 33 the C library's
    assert int(ignored, 16) & ~(int(here, 16) | (1 << 12) | (1 << 24) | (3 << 31)) == 0
    assert files == ["0", "1", "2", "3"]  # 3 is the directory's own
