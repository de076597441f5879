"""The two transports, side by side: what they bring back, what they refuse, and what they say of it."""

import errno
import gc
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import botocore.exceptions as boto
import pytest
from botocore.httpsession import URLLib3Session

from credproc.aws.authorities import Authorities
from credproc.aws.connect import connect_first, in_turn
from credproc.aws.direct import Direct, context_for
from credproc.aws.message import Kind, Request, Response, TransportError
from credproc.aws.proxied import Proxied
from credproc.aws.routing import transport_for
from credproc.aws.session import botocore_session
from credproc.aws.transport import Timeouts, Transport
from credproc.config.parser import parse
from credproc.config.shared_config import Section, Setting
from credproc.errors import ConfigError
from credproc.limits import ANSWER
from credproc.plan import plan_for
from credproc.plan.url import Url
from credproc.request import Request as AskedFor
from tests.loopback import Ca, Proxy, Server, passing_on, request_in, saying, tls

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello"
BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
KINDS = ["direct", "proxied"]


@pytest.fixture(name="ca", scope="module")
def _ca(tmp_path_factory: pytest.TempPathFactory) -> Ca:
    return Ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture(name="files", scope="module")
def _files(ca: Ca) -> tuple[Path, Path]:
    """Return a certificate for the loopback and its key."""
    return ca.issue("good", "127.0.0.1", "localhost")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.endswith("CA_BUNDLE"):
            monkeypatch.delenv(name)


def _sent(
    kind: str,
    server: Server,
    ca: Ca,
    *,
    scheme: str = "https",
    seconds: float = 5,
    method: str = "POST",
    body: bytes = BODY,
) -> Response:
    """Send one request to the server by the transport of that kind."""
    request = Request(method, Url(scheme, "127.0.0.1", server.port, "/base"), {"Content-Type": "x", "A": "b"}, body)
    timeouts = Timeouts(time.monotonic() + seconds, read_seconds=seconds)
    authorities = Authorities(str(ca.path), "AWS_CA_BUNDLE")
    if kind == "direct":
        return Direct(authorities).send(request, timeouts)
    with Proxy(server.port) as proxy:
        return Proxied(proxy.url, authorities, None).send(request, timeouts)


def _failed(
    kind: str, server: Server, ca: Ca, *, scheme: str = "https", seconds: float = 5, body: bytes = BODY
) -> TransportError:
    with pytest.raises(TransportError) as failure:
        _sent(kind, server, ca, scheme=scheme, seconds=seconds, body=body)
    return failure.value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_request_arrives_and_its_response_comes_back(
    kind: str, scheme: str, ca: Ca, files: tuple[Path, Path]
) -> None:
    requests: list[bytes] = []
    with Server(saying(OK, requests=requests), tls(files) if scheme == "https" else None) as server:
        found = _sent(kind, server, ca, scheme=scheme)
        assert (found.status, found.reason, found.body) == (200, "OK", b"hello")
        assert found.headers["x-a"] == "b"
        (request,) = requests
        line, *headers = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        whole = kind == "proxied" and scheme == "http"
        assert line == f"POST {f'http://127.0.0.1:{server.port}' if whole else ''}/base HTTP/1.1"
        sent = {name.lower(): value for name, value in (header.split(": ", 1) for header in headers)}
        assert sent["host"] == f"127.0.0.1:{server.port}"
        assert (sent["content-type"], sent["a"], sent["content-length"]) == ("x", "b", str(len(BODY)))
        assert set(sent) <= {"host", "content-type", "a", "content-length", "accept-encoding", "user-agent"}
        assert request.endswith(b"\r\n\r\n" + BODY)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
    ],
)
def test_a_body_ends_as_it_says(kind: str, data: bytes, ca: Ca) -> None:
    with Server(saying(data)) as server:
        assert _sent(kind, server, ca, scheme="http").body == b"hello"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [301, 302, 307, 308, 403, 500, 503])
def test_any_status_comes_back_and_no_redirect_is_followed(kind: str, status: int, ca: Ca) -> None:
    with Server(saying(OK)) as elsewhere:
        location = f"http://127.0.0.1:{elsewhere.port}/".encode()
        data = b"HTTP/1.1 %d Reason\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, location)
        with Server(saying(data)) as server:
            assert _sent(kind, server, ca, scheme="http").status == status
        assert elsewhere.connections == 0


@pytest.mark.parametrize("kind", KINDS)
def test_more_than_64_kib_is_not_read(kind: str, ca: Ca) -> None:
    head = b"HTTP/1.1 200 OK\r\n"
    for data in (
        head + b"Content-Length: %d\r\n\r\n" % (ANSWER + 1) + b"x" * (ANSWER + 1),
        head + b"\r\n" + b"x" * (ANSWER + 1),
    ):
        with Server(saying(data)) as server:
            error = _failed(kind, server, ca, scheme="http")
        assert (error.kind, error.detail) == ("malformed", "too long")
        gc.collect()  # an unclosed socket is a warning, and warnings are errors


# Headers that are cut off http.client takes for whole ones, so there botocore's session tells it by the body alone
CUT = [
    (0, "direct"),
    (1, "direct"),
    (30, "direct"),
    (47, "direct"),
    (len(OK) - 1, "direct"),
    (47, "proxied"),
    (50, "proxied"),
]


@pytest.mark.parametrize(("keep", "kind"), CUT)
def test_a_connection_that_ends_too_early_is_told_from_an_answer_that_is_cut_off(keep: int, kind: str, ca: Ca) -> None:
    with Server(saying(OK[:keep])) as server:
        assert _failed(kind, server, ca, scheme="http").kind == ("cut off" if keep else "closed")


def test_a_connection_that_is_closed_within_tls_is_told(ca: Ca, files: tuple[Path, Path]) -> None:
    with Server(saying(), tls(files)) as server:
        assert _failed("direct", server, ca).kind == "closed"


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_in_chunks_that_ends_within_one_is_cut_off(kind: str, ca: Ca) -> None:
    with Server(saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe")) as server:
        assert _failed(kind, server, ca, scheme="http").kind == "cut off"


@pytest.mark.parametrize("kind", KINDS)
def test_the_answer_to_head_is_whole_without_the_body_whose_length_it_names(kind: str, ca: Ca) -> None:
    with Server(saying(OK.removesuffix(b"hello"))) as server:
        assert _sent(kind, server, ca, scheme="http", method="HEAD").body == b""


@pytest.mark.parametrize("kind", KINDS)
def test_a_status_may_come_without_a_reason(kind: str, ca: Ca) -> None:
    with Server(saying(b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n")) as server:
        assert _sent(kind, server, ca, scheme="http").reason == ""


def test_behind_a_proxy_a_body_comes_back_as_it_was_sent_whatever_its_encoding(ca: Ca) -> None:
    with Server(saying(OK.replace(b"X-A: b", b"Content-Encoding: gzip"))) as server:
        assert _sent("proxied", server, ca, scheme="http").body == b"hello"


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_without_end_is_not_read_to_its_end(kind: str, ca: Ca) -> None:
    megabytes: list[int] = []

    def handle(connection: socket.socket) -> None:
        request_in(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for number in range(64):  # more than all buffers on the way hold
            connection.sendall(b"x" * 2**20)
            megabytes.append(number)

    with Server(handle) as server:
        error = _failed(kind, server, ca, scheme="http")
    assert (error.kind, error.detail) == ("malformed", "too long")
    assert len(megabytes) < 64


BIG = b"x" * 2**24  # bytes: more than the buffers of a connection hold


def test_a_request_that_nobody_reads_is_left_in_time(ca: Ca) -> None:
    failed = threading.Event()

    def handle(_: socket.socket) -> None:
        failed.wait(10)

    with Server(handle) as server:
        error = _failed("direct", server, ca, scheme="http", seconds=0.3, body=BIG)
        failed.set()
    assert error.kind == "read timeout"


def test_a_connection_that_is_reset_within_the_request_is_closed(ca: Ca) -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(1)  # it has connected, and sends
        _reset(connection)

    with Server(handle) as server:
        assert _failed("direct", server, ca, scheme="http", body=BIG).kind == "closed"


def test_a_connection_that_is_reset_before_the_answer_is_closed(ca: Ca) -> None:
    def handle(connection: socket.socket) -> None:
        request_in(connection)
        _reset(connection)

    with Server(handle) as server:
        assert _failed("direct", server, ca, scheme="http").kind == "closed"


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_a_connection_that_takes_no_time_limit_is_closed(ca: Ca, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    with Server(saying(OK)) as server:
        monkeypatch.setattr(socket.socket, "settimeout", refuse)
        assert _failed("direct", server, ca, scheme="http").kind == "closed"


def test_each_part_of_an_answer_is_waited_for_until_the_same_deadline(ca: Ca, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[float] = []
    set_limit = socket.socket.settimeout

    def settimeout(connection: socket.socket, seconds: float) -> None:
        limits.append(seconds)
        set_limit(connection, seconds)

    with Server(saying(OK)) as server:
        monkeypatch.setattr(socket.socket, "settimeout", settimeout)
        assert _sent("direct", server, ca, scheme="http").body == b"hello"
    assert len(limits) >= 2, "to send, and to receive"
    assert all(later < earlier for earlier, later in pairwise(limits))


def test_nothing_is_received_after_the_deadline(ca: Ca) -> None:
    with Server(saying(OK)) as server:
        kinds = (_failed("direct", server, ca, scheme="http", seconds=0).kind for _ in range(100))
        # A busy machine may not connect in the millisecond that there always is
        assert next(kind for kind in kinds if kind != "connect timeout") == "read timeout"


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_stops_is_left_in_time(kind: str, ca: Ca) -> None:
    def handle(connection: socket.socket) -> None:
        request_in(connection)
        connection.sendall(OK[:-1])
        connection.recv(1)  # until the client goes

    with Server(handle) as server:
        assert _failed(kind, server, ca, scheme="http", seconds=0.3).kind == "read timeout"


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_cut_off_within_tls_is_one_although_nobody_says_how_long_it_is(
    kind: str, ca: Ca, files: tuple[Path, Path]
) -> None:
    """Without a length its end is the connection's: one without TLS's own end may be anybody's doing."""

    def handle(connection: socket.socket) -> None:
        request_in(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhel")
        os.close(connection.detach())

    with Server(handle, tls(files)) as server:
        if kind == "direct":
            assert _failed(kind, server, ca).kind == "cut off"
        else:  # botocore's session takes the end as it comes
            assert _sent(kind, server, ca).body == b"hel"


@pytest.mark.parametrize("kind", KINDS)
def test_an_endpoint_that_does_not_answer_is_left_in_time(kind: str, ca: Ca) -> None:
    def handle(connection: socket.socket) -> None:
        request_in(connection)
        connection.recv(1)  # until the client goes

    with Server(handle) as server:
        began = time.monotonic()
        assert _failed(kind, server, ca, scheme="http", seconds=0.5).kind == "read timeout"
        assert time.monotonic() - began < 5


def test_an_answer_that_drips_ends_at_the_deadline(ca: Ca) -> None:
    ended = threading.Event()

    def handle(connection: socket.socket) -> None:
        request_in(connection)
        for byte in OK * 100:
            connection.sendall(bytes([byte]))
            if ended.wait(0.05):
                return

    with Server(handle) as server:
        request = Request("POST", Url("http", "127.0.0.1", server.port, "/"), {}, BODY)
        with pytest.raises(TransportError) as failure:
            Direct(Authorities(str(ca.path))).send(request, Timeouts(time.monotonic() + 0.5, read_seconds=5))
        assert failure.value.kind == "read timeout"
        ended.set()


def test_a_closed_port_cannot_be_reached(ca: Ca) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    request = Request("POST", Url("http", "127.0.0.1", port, "/"), {}, BODY)
    with pytest.raises(TransportError) as failure:
        Direct(Authorities(str(ca.path))).send(request, Timeouts(time.monotonic() + 5))
    assert (failure.value.kind, failure.value.detail) == ("connect", "connection refused")


def test_a_name_that_there_is_not_is_told_from_a_connection(ca: Ca) -> None:
    request = Request("POST", Url("http", "sts.invalid", 80, "/"), {}, BODY)
    with pytest.raises(TransportError) as failure:
        Direct(Authorities(str(ca.path))).send(request, Timeouts(time.monotonic() + 5))
    assert failure.value.kind == "resolve"


# --- TLS -------------------------------------------------------------------------------------------------------------

UNTRUSTED: dict[str, tuple[Callable[[Ca], tuple[Path, Path]], str]] = {
    "expired": (lambda ca: ca.issue("expired", "127.0.0.1", days=(-3, -1)), "expired"),
    "not yet good": (lambda ca: ca.issue("early", "127.0.0.1", days=(1, 3)), "not yet valid"),
    "self-signed": (lambda ca: ca.issue("self", "127.0.0.1", self_signed=True), "self-signed|self signed"),
    "for another host": (lambda ca: ca.issue("other", "sts.example"), "127.0.0.1"),
    "for another address": (lambda ca: ca.issue("address", "127.0.0.2"), "127.0.0.1"),
    "for no host but its common name": (lambda ca: ca.issue("127.0.0.1"), "127.0.0.1|subjectaltname"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", UNTRUSTED)
def test_a_certificate_that_is_not_good_is_not_trusted_and_nothing_is_sent(kind: str, name: str, ca: Ca) -> None:
    make, reason = UNTRUSTED[name]
    requests: list[bytes] = []
    with Server(saying(OK, requests=requests), tls(make(ca))) as server:
        error = _failed(kind, server, ca)
    assert error.kind == "certificate"
    assert any(word in error.detail.lower() for word in reason.split("|"))
    assert not requests


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_of_another_authority_is_not_trusted(kind: str, files: tuple[Path, Path], tmp_path: Path) -> None:
    with Server(saying(OK), tls(files)) as server:
        error = _failed(kind, server, Ca(tmp_path, "stranger"))
    assert error.kind == "certificate"
    assert "issuer" in error.detail


@pytest.mark.parametrize("kind", KINDS)
def test_tls_1_1_is_not_spoken(kind: str, ca: Ca, files: tuple[Path, Path]) -> None:
    requests: list[bytes] = []
    with Server(saying(OK, requests=requests), tls(files, ssl.TLSVersion.TLSv1_1)) as server:
        assert _failed(kind, server, ca).kind in ("tls", "closed")
    assert not requests


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(kind: str, newest: ssl.TLSVersion, ca: Ca, files: tuple[Path, Path]) -> None:
    with Server(saying(OK), tls(files, newest)) as server:
        assert _sent(kind, server, ca).body == b"hello"


@pytest.mark.parametrize("kind", KINDS)
def test_what_speaks_no_tls_is_told(kind: str, ca: Ca) -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Server(handle) as server:
        error = _failed(kind, server, ca)
    assert error.kind == "tls"
    if kind == "direct":  # OpenSSL's reason in plain words, of one version or another
        assert error.detail in ("wrong version number", "record layer failure", "packet length too long")


def test_a_handshake_that_the_endpoint_declines_is_told(ca: Ca) -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(bytes.fromhex("15 0303 0002 0100"))  # an alert: close_notify (RFC 5246, section 7.2)

    with Server(handle) as server:
        error = _failed("direct", server, ca)
    assert (error.kind, error.detail) == ("tls", "")


@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_that_ends_within_the_handshake_is_closed(*, reset: bool, ca: Ca) -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)  # all of the client's: what is left unread would make a reset of the end
        if reset:
            _reset(connection)

    with Server(handle) as server:
        assert _failed("direct", server, ca).kind == "closed"


def test_a_handshake_that_does_not_end_is_left_in_time(ca: Ca) -> None:
    def handle(connection: socket.socket) -> None:
        while connection.recv(65536):  # until the client goes
            pass

    with Server(handle) as server:
        error = _failed("direct", server, ca, seconds=0.5)
    assert (error.kind, error.detail) == ("connect timeout", "TLS")


def test_http_1_1_is_asked_for_within_tls(ca: Ca, files: tuple[Path, Path]) -> None:
    chosen: list[str | None] = []

    def handle(connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        chosen.append(connection.selected_alpn_protocol())
        saying(OK)(connection)

    context = tls(files)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with Server(handle, context) as server:
        assert _sent("direct", server, ca).body == b"hello"
    assert chosen == ["http/1.1"]


def test_neither_tickets_compression_nor_common_names_are_used_as_by_boto3(ca: Ca) -> None:
    context = context_for(Authorities(str(ca.path)))
    assert context.options & ssl.OP_NO_TICKET
    assert context.options & ssl.OP_NO_COMPRESSION
    usual = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).options & ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    assert context.options & usual == usual
    assert not context.hostname_checks_common_name


def test_no_variable_makes_tls_weaker(ca: Ca, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "PYTHONHTTPSVERIFY"):
        monkeypatch.setenv(name, str(tmp_path / "nothing") if name != "PYTHONHTTPSVERIFY" else "0")
    context = context_for(Authorities(str(ca.path)))
    assert context.check_hostname
    assert (context.verify_mode, context.minimum_version) == (ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2)
    assert len(context.get_ca_certs()) == 1
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("way", ["a proxy", "a client of botocore's"])
def test_no_keys_of_tls_are_written_where_a_variable_says(
    behind: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    keys = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    if way == "a proxy":
        with Proxy(behind.port) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            assert _by_environment(Url("https", "localhost", 8443, "/")).body == b"hello"
    else:
        lines = "sso_account_id = 1", "sso_role_name = r", "sso_region = us-east-1", "sso_start_url = x"
        config = parse("\n".join(["[profile p]", *lines, ""]), "")
        client = botocore_session(plan_for(config, AskedFor("p", {}, 0.0)), config, {}).create_client(
            "sso", "us-east-1"
        )
        assert client.meta.region_name == "us-east-1"
    assert not keys.exists()


# --- proxies ---------------------------------------------------------------------------------------------------------


@pytest.fixture(name="behind")
def _behind(ca: Ca, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Yield an endpoint with TLS, whose authority the environment names."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(ca.path))
    with Server(saying(OK), tls(files)) as server:
        yield server


def _by_environment(url: Url) -> Response:
    transport = transport_for(url, None, os.environ)
    return transport.send(Request("POST", url, {}, BODY), Timeouts(time.monotonic() + 5))


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "Https_Proxy"])
def test_the_proxy_of_the_environment_is_asked(behind: Server, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = Url("https", "localhost", 8443, "/")  # whoever is asked for is behind
    with Proxy(behind.port) as proxy:
        monkeypatch.setenv(name, proxy.url)
        assert _by_environment(url).body == b"hello"
        assert proxy.asked == ["localhost:8443"]


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HTTP_PROXY": "http://127.0.0.1:9"},
        {"ALL_PROXY": "http://127.0.0.1:9"},
        {"HTTPS_PROXY": ""},
        {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"},
        {"HTTPS_PROXY": "http://127.0.0.1:9", "no_proxy": "*"},
        {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": ""},
    ],
)
def test_without_a_proxy_for_the_url_nobody_stands_between(
    behind: Server, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    url = Url("https", "127.0.0.1", behind.port, "/")
    assert isinstance(transport_for(url, None, os.environ), Direct)
    assert _by_environment(url).body == b"hello"


def test_a_proxy_that_asks_for_a_password_gets_it_unescaped(behind: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy(behind.port, "me@corp:p/w#?d") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//me%40corp:p%2Fw%23%3Fd@"))
        assert _by_environment(Url("https", "localhost", 443, "/")).body == b"hello"


@pytest.mark.parametrize("user", ["", "me:wrong@"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_another_password_is_told(
    behind: Server, scheme: str, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(behind.port, "me:right") as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", proxy.url.replace("//", f"//{user}"))
        with pytest.raises(TransportError) as failure:
            _by_environment(Url(scheme, "localhost", 443, "/"))
    assert (failure.value.kind, failure.value.detail) == ("proxy", "407")


@pytest.mark.parametrize("character", "/#?")
def test_a_character_that_breaks_the_proxys_url_is_named_with_the_variable_and_not_the_password(
    character: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:pre{character}cious@127.0.0.1:9")
    with pytest.raises(ConfigError) as failure:
        transport_for(Url("https", "localhost", 443, "/"), None, os.environ)
    assert (
        str(failure.value) == f"HTTPS_PROXY: the user or password of the proxy holds a {character} that is not escaped"
    )
    assert failure.value.hint == f"write %{ord(character):02X} in its place"


def test_a_dead_proxy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(TransportError) as failure:
        _by_environment(Url("https", "localhost", 443, "/"))
    assert (failure.value.kind, failure.value.detail) == ("proxy", "")


def test_a_proxy_of_another_protocol_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(TransportError) as failure:
        _by_environment(Url("https", "localhost", 443, "/"))
    assert (failure.value.kind, failure.value.detail) == ("proxy", "")


@pytest.mark.parametrize("value", ["http://127.0.0.1:port", "http://[::1"])
def test_what_is_no_proxy_is_told(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(ConfigError) as failure:
        _by_environment(Url("https", "localhost", 443, "/"))
    assert str(failure.value) == "HTTPS_PROXY: is no URL of a proxy"
    assert failure.value.hint == "write http://HOST:PORT"


FROM_BOTOCORE: list[tuple[Exception, Kind]] = [
    (boto.ConnectTimeoutError(endpoint_url="x", error="x"), "connect timeout"),
    (boto.ReadTimeoutError(endpoint_url="x", error="x"), "read timeout"),
    (boto.EndpointConnectionError(endpoint_url="x", error="x"), "connect"),
    (boto.ConnectionClosedError(endpoint_url="x", error="x"), "closed"),
    (boto.ProxyConnectionError(proxy_url="x", error="x"), "proxy"),
    (boto.SSLError(endpoint_url="x", error=OSError()), "tls"),
    (boto.HTTPClientError(error="x"), "proxy"),
]


@pytest.mark.parametrize(("raised", "kind"), FROM_BOTOCORE, ids=lambda value: type(value).__name__)
def test_each_exception_of_botocores_has_its_kind(
    raised: Exception, kind: Kind, ca: Ca, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every release of urllib3 brings each of them about behind a proxy."""

    def send(*_: object) -> None:
        raise raised

    monkeypatch.setattr(URLLib3Session, "send", send)
    with Server(saying(OK)) as server:
        error = _failed("proxied", server, ca, scheme="http")
    assert (error.kind, error.detail) == (kind, "")


def test_behind_a_proxy_botocores_own_authorities_count_where_none_are_named(ca: Ca, files: tuple[Path, Path]) -> None:
    request = Request("POST", Url("https", "127.0.0.1", 443, "/"), {}, BODY)
    with Server(saying(OK), tls(files)) as server, Proxy(server.port) as proxy:
        with pytest.raises(TransportError) as failure:
            Proxied(proxy.url, Authorities(str(ca.path)), None).send(request, Timeouts(time.monotonic() + 5))
        assert failure.value.kind == "certificate"


def test_a_password_that_is_not_ascii_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:%C3%A9@127.0.0.1:9")
    with pytest.raises(ConfigError) as failure:
        _by_environment(Url("https", "localhost", 443, "/"))
    assert str(failure.value) == "HTTPS_PROXY: the user or password of the proxy is not plain ASCII"
    assert failure.value.hint == "use one that is"


def test_a_proxy_with_tls_of_its_own_is_asked_by_the_profiles_proxies_config(
    behind: Server, ca: Ca, files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(behind.port) as inner, Server(passing_on(inner.port), tls(files)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{proxy.port}")
        url = Url("https", "localhost", 443, "/")

        def send(bundle: Path) -> Response:
            section = Section("p", "config:1")
            section["proxies_config"] = Setting(f"\nproxy_ca_bundle = {bundle}", "config:2")
            timeouts = Timeouts(time.monotonic() + 5)
            return transport_for(url, section, os.environ).send(Request("POST", url, {}, BODY), timeouts)

        assert send(ca.path).body == b"hello"
        with pytest.raises(TransportError) as untrusted:
            send(Ca(tmp_path, "stranger").path)
        assert untrusted.value.kind in ("proxy", "certificate")
        with pytest.raises(ConfigError) as failure:
            send(tmp_path / "nothing.pem")
        assert str(failure.value) == "config:2: proxies_config: the certificates cannot be used"
        assert failure.value.hint == "check the paths in it"


@pytest.mark.parametrize(("value", "asked"), [("true", "https://localhost/"), ("false", "localhost:443")])
def test_the_proxy_is_given_whole_requests_only_if_proxies_config_says_so(
    value: str, asked: str, behind: Server, ca: Ca, files: tuple[Path, Path]
) -> None:
    section = Section("x", "config:1")
    block = f"\nproxy_ca_bundle = {ca.path}\nproxy_use_forwarding_for_https = {value}"
    section["proxies_config"] = Setting(block, "config:2")
    request = Request("POST", Url("https", "localhost", 443, "/"), {}, BODY)
    with Server(saying(OK)) as plain, Proxy((plain if value == "true" else behind).port) as inner:
        with Server(passing_on(inner.port), tls(files)) as proxy:
            transport = Proxied(f"https://127.0.0.1:{proxy.port}", Authorities(str(ca.path), "AWS_CA_BUNDLE"), section)
            assert transport.send(request, Timeouts(time.monotonic() + 5)).body == b"hello"
        assert inner.asked == [asked]


# --- connecting ------------------------------------------------------------------------------------------------------


def test_the_addresses_of_a_name_are_tried_by_turns() -> None:
    four, six = int(socket.AF_INET), int(socket.AF_INET6)
    found = [(six, ("a", 1)), (six, ("b", 1)), (six, ("c", 1)), (four, ("d", 1)), (four, ("e", 1))]
    assert [address[0] for _, address in in_turn(found)] == ["a", "d", "b", "e", "c"]
    assert in_turn([]) == []
    assert in_turn(found[:1]) == found[:1]


@pytest.fixture(name="silent")
def _silent() -> Iterator[tuple[int, tuple[str, int]]]:
    """Yield an address that never answers: its queue is full, and the kernel drops who comes next."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        yield int(socket.AF_INET), listener.getsockname()
        for each in waiting:
            each.close()


def test_an_address_that_does_not_answer_is_not_waited_for_to_the_end(silent: tuple[int, tuple[str, int]]) -> None:
    with Server(saying(OK)) as server:
        began = time.monotonic()
        addresses = [silent, silent, (int(socket.AF_INET), ("127.0.0.1", server.port))]
        with connect_first(addresses, time.monotonic() + 10) as connection:
            assert connection.getpeername()[1] == server.port
            assert connection.gettimeout() is None
        assert time.monotonic() - began < 3


def test_an_address_that_refuses_is_left_at_once(silent: tuple[int, tuple[str, int]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = int(socket.AF_INET), ("127.0.0.1", listener.getsockname()[1])
    with Server(saying(OK)) as server:
        good = int(socket.AF_INET), ("127.0.0.1", server.port)
        for addresses in ([closed, closed, good], [silent, closed, good], [(int(socket.AF_INET6), ("::1", 9)), good]):
            with connect_first(addresses, time.monotonic() + 10) as connection:
                assert connection.getpeername()[1] == server.port


def test_where_no_address_answers_it_ends_at_the_deadline(silent: tuple[int, tuple[str, int]]) -> None:
    with pytest.raises(TransportError) as failure:
        connect_first([silent, silent], time.monotonic() + 0.6)
    assert failure.value.kind == "connect timeout"
    with pytest.raises(TransportError) as failure:
        connect_first([], time.monotonic() + 0.6)
    assert failure.value.kind == "connect"


def test_an_endpoint_is_reached_at_whichever_of_its_addresses_answers(
    silent: tuple[int, tuple[str, int]], ca: Ca, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(saying(OK)) as server:
        addresses = [silent[1], ("127.0.0.1", server.port)]
        found = [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert _sent("direct", server, ca, scheme="http").body == b"hello"


def test_no_connection_is_left_open(silent: tuple[int, tuple[str, int]]) -> None:
    """An unclosed socket is a warning, and warnings are errors."""
    with (
        Server(saying(OK)) as server,
        connect_first([silent, (int(socket.AF_INET), ("127.0.0.1", server.port))], time.monotonic() + 10),
    ):
        pass


def test_an_address_that_fails_at_once_leaves_nothing_open() -> None:
    with pytest.raises(TransportError) as failure:
        connect_first([(int(socket.AF_INET), ("255.255.255.255", 9))], time.monotonic() + 5)
    gc.collect()  # an unclosed socket is a warning, and warnings are errors
    assert failure.value.kind == "connect"
    assert failure.value.detail.islower()


def test_both_transports_have_one_interface() -> None:
    found: list[Transport] = [Direct(Authorities("x")), Proxied("http://127.0.0.1:9", Authorities("x"), None)]
    for transport in found[1:]:
        transport.warm()
    with pytest.raises(ConfigError, match="no such file"):
        found[0].warm()


@pytest.mark.parametrize("kind", KINDS)
def test_authorities_that_there_are_not_are_told_before_a_connection_is_made(kind: str, tmp_path: Path) -> None:
    authorities = Authorities(str(tmp_path / "nothing.pem"), "AWS_CA_BUNDLE")
    with Server(saying(OK)) as server:

        def transport() -> Transport:
            url = f"http://127.0.0.1:{server.port}"
            return Direct(authorities) if kind == "direct" else Proxied(url, authorities, None)

        with pytest.raises(ConfigError, match=r"AWS_CA_BUNDLE.*no such file"):
            transport().warm()
        request = Request("POST", Url("https", "127.0.0.1", server.port, "/"), {}, BODY)
        with pytest.raises(ConfigError, match=r"AWS_CA_BUNDLE.*no such file"):
            transport().send(request, Timeouts(time.monotonic() + 5))
        assert server.connections == 0
        plain = request._replace(url=request.url._replace(scheme="http"))
        assert transport().send(plain, Timeouts(time.monotonic() + 5)).body == b"hello"
