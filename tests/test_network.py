"""What lies between here and STS: proxies, certificate authorities, and a source that does not answer."""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from credproc.config.parser import parse
from credproc.errors import SourceError
from credproc.plan import plan_for
from credproc.refresh import Request, execute
from credproc.request import Attempt
from tests.program import ROLE, Home, role_home
from tests.sts import Sts, Trust


@pytest.fixture(name="sts")
def _sts() -> Iterator[Sts]:
    with Sts() as sts:
        yield sts


@pytest.fixture(name="home_of_admin")
def _home_of_admin(sts: Sts, tmp_path: Path) -> Home:
    user = sts.user("user1")
    sts.role(ROLE, Trust((user.arn,)))
    return role_home(tmp_path / "home", sts, user)


@pytest.fixture(name="front")
def _front(sts: Sts, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the https URL of a door to the STS, and the file with the authority that vouches for it."""
    openssl = shutil.which("openssl")
    assert openssl is not None, "openssl is needed to make a certificate"
    key, certificate = tmp_path / "key.pem", tmp_path / "authority.pem"
    subject = ["-subj", "/CN=loopback", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-nodes"]
    files = ["-newkey", "rsa:2048", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, "req", "-x509", *files, *subject], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, context, sts.port), daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", certificate
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _serve(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    """Pass one request and its answer on for each connection."""
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        with contextlib.suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as inside:
            inside.settimeout(5)
            with socket.create_connection(("127.0.0.1", port)) as outside:
                request = inside.recv(65536)
                while b"\r\n\r\n" not in request or len(request) < _whole(request):
                    request += inside.recv(65536)
                outside.sendall(request)
                inside.sendall(outside.recv(65536))


def _whole(request: bytes) -> int:
    head, _, _ = request.partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return len(head) + 4 + (int(lengths[0].partition(b":")[2]) if lengths else 0)


@pytest.mark.posix("a certificate that openssl makes")
@pytest.mark.parametrize("how", ["AWS_CA_BUNDLE", "ca_bundle"])
def test_the_certificate_authority_of_variable_or_profile_is_trusted(
    sts: Sts, home_of_admin: Home, front: tuple[str, Path], how: str
) -> None:
    url, authority = front
    environ = {"AWS_ENDPOINT_URL_STS": url}
    if how == "ca_bundle":
        config = home_of_admin.path / ".aws" / "config"
        home_of_admin.config(config.read_text() + f"ca_bundle = {authority}\n")
    else:
        environ[how] = str(authority)
    assert home_of_admin.run("--profile", "admin", environ=environ).document["Version"] == 1
    assert sts.count("AssumeRole", "OK") == 1


@pytest.mark.posix("a certificate that openssl makes")
def test_an_unknown_certificate_authority_is_named(sts: Sts, home_of_admin: Home, front: tuple[str, Path]) -> None:
    ran = home_of_admin.run("--profile", "admin", environ={"AWS_ENDPOINT_URL_STS": front[0]})
    assert ran.status == 1
    error, hint = ran.stderr.splitlines()
    assert error.startswith(
        f"credproc: error: {front[0]}: AssumeRole: TLS: the endpoint's certificate is not trusted: self"
    )
    assert hint == "credproc: hint: name the certificate authority in AWS_CA_BUNDLE or ca_bundle"
    assert sts.count() == 0


def test_the_proxy_of_the_environment_is_used(sts: Sts, home_of_admin: Home) -> None:
    environ = {"AWS_ENDPOINT_URL_STS": "http://localhost:9", "HTTP_PROXY": sts.url}
    assert home_of_admin.run("--profile", "admin", environ=environ).document["Version"] == 1
    assert [call.host for call in sts.calls] == ["localhost:9"]


def test_no_proxy_is_respected(sts: Sts, home_of_admin: Home) -> None:
    environ = {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
    assert home_of_admin.run("--profile", "admin", environ=environ).document["Version"] == 1
    assert sts.count() == 1


def test_a_dead_proxy_is_named(home_of_admin: Home) -> None:
    environ = {"AWS_ENDPOINT_URL_STS": "", "HTTPS_PROXY": "http://127.0.0.1:9"}
    ran = home_of_admin.run("--profile", "admin", environ=environ)
    assert ran.stderr == (
        "credproc: error: https://sts.us-west-2.amazonaws.com: AssumeRole: the proxy does not answer, or refuses"
        " (the proxy is 127.0.0.1:9)\n"
        "credproc: hint: check HTTPS_PROXY, or add the endpoint's host to NO_PROXY\n"
    )


@pytest.mark.posix("a program that is a script of a shell")
def test_a_program_that_hangs_is_ended_at_its_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "PROCESS_SECONDS", 1)
    program = tmp_path / "hangs"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    program.chmod(0o755)
    config = parse(f"[profile p]\ncredential_process = {program}\n", "")
    turn = Attempt(Request("p", dict(os.environ), time.monotonic()), None, time.monotonic(), may_ask=False)
    with pytest.raises(SourceError, match=r"config:2: Process: .*time"):
        execute.execute(plan_for(config, Request("p", {}, 0.0)), config, turn)
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not _alive(pid):
            break
        time.sleep(0.05)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not waited for does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
