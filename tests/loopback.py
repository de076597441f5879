"""What stands between a client and a service, on the loopback: TLS of every kind, and proxies.

A `Server` gives each connection to a handler, in a thread of its own. A `Ca` makes certificates; `tls` is the server's
side of TLS with one of them. `Proxy` connects whoever it is asked for to one port, and counts.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import socket
import ssl
import threading
import warnings
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Self

_DAY = dt.timedelta(days=1)


class Server:
    """A listener on the loopback; `with` ends it and its connections."""

    def __init__(self, handle: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> None:
        self._handle = handle
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(5)
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _start(self, call: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=call, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            _send_at_once(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        with contextlib.suppress(OSError), connection:
            if self._context is None:
                self._handle(connection)
            else:
                with self._context.wrap_socket(connection, server_side=True) as inside:
                    self._handle(inside)
        self._open.discard(connection)


def request_in(connection: socket.socket) -> bytes:
    """Return one whole request."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    head = data.partition(b"\r\n\r\n")[0]
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    whole = len(head) + 4 + (int(lengths[0].partition(b":")[2]) if lengths else 0)
    while len(data) < whole:
        data += _some(connection)
    return data


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError
    return data


def saying(*pieces: bytes, requests: list[bytes] | None = None) -> Callable[[socket.socket], None]:
    """Return a handler that reads a request, sends these and hangs up."""

    def handle(connection: socket.socket) -> None:
        found = request_in(connection)
        if requests is not None:
            requests.append(found)
        for piece in pieces:
            connection.sendall(piece)

    return handle


def passing_on(port: int) -> Callable[[socket.socket], None]:
    """Return a handler that passes all on to a port of the loopback, and back."""

    def handle(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as other:
            _send_at_once(other)
            _pump(connection, other)

    return handle


class Ca:
    """A certificate authority, and what it signs; files lie in a directory."""

    def __init__(self, directory: Path, name: str = "authority", *, subject: str | None = None) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject or name)])
        self.certificate = self._signed(self._name, self._key, is_authority=True)
        self.path = directory / f"{name}.pem"
        self.path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        name: str,
        *hosts: str,
        days: tuple[int, int] = (-1, 2),
        self_signed: bool = False,
    ) -> tuple[Path, Path]:
        """Return the files of a certificate for these hosts, good between these days from now, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._signed(subject, key, hosts=hosts, days=days, self_signed=self_signed)
        paths = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        paths[1].write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
        return paths

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        hosts: tuple[str, ...] = (),
        days: tuple[int, int] = (-1, 2),
        is_authority: bool = False,
        self_signed: bool = False,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if self_signed else self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + days[0] * _DAY)
            .not_valid_after(now + days[1] * _DAY)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False
            )
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        return builder.sign(key if self_signed else self._key, hashes.SHA256())


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def tls(files: tuple[Path, Path], newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """Return the server's side of TLS with a certificate and its key, up to this version."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = min(newest, ssl.TLSVersion.TLSv1_2)
        context.maximum_version = newest
    if newest < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


class Proxy(Server):
    """An HTTP proxy that connects all to one port of the loopback; with a password, only who knows it.

    `asked` are the hosts that it was asked for, by CONNECT or with a whole URL.
    """

    def __init__(self, port: int, user: str | None = None) -> None:
        super().__init__(self._proxied)
        self._port = port
        self._user = user
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        """Where it is, without a user."""
        return f"http://127.0.0.1:{self.port}"

    def _proxied(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += _some(connection)
        method, target, _ = request.split(b"\r\n")[0].decode().split(" ")
        self.asked.append(target)
        wanted = self._user and "Basic " + base64.b64encode(self._user.encode()).decode()
        if wanted and f"proxy-authorization: {wanted}".lower() not in request.decode("latin-1").lower():
            connection.sendall(
                b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n"
                b"Content-Length: 0\r\n\r\n"
            )
            return
        with socket.create_connection(("127.0.0.1", self._port)) as other:
            _send_at_once(other)
            if method == "CONNECT":
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                other.sendall(request)
            _pump(connection, other)


def _send_at_once(connection: socket.socket) -> None:
    """Have a connection send small segments at once, as the services do.

    By default it would hold an answer back until the client acknowledges the session tickets of TLS 1.3, which a fast
    client does 40 ms later: <https://datatracker.ietf.org/doc/html/rfc1122#page-96>.
    """
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _pump(one: socket.socket, other: socket.socket) -> None:
    """Pass on what comes in either direction, until both have ended."""

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=pump, args=(other, one), daemon=True)
    back.start()
    pump(one, other)
    back.join(5)
