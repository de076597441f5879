"""A request over a connection of its own to the endpoint: TLS 1.2 at least, certificate and host name checked."""

import socket
import ssl
import time

from credproc.aws import http1
from credproc.aws.authorities import Authorities
from credproc.aws.connect import connect
from credproc.aws.message import Request, Response, TransportError
from credproc.aws.transport import Timeouts
from credproc.plan.url import Url


class Direct:
    """Connections without a proxy."""

    def __init__(self, authorities: Authorities) -> None:
        """Take whose certificates are trusted."""
        self._authorities = authorities
        self._context: ssl.SSLContext | None = None

    def warm(self) -> None:
        """Read the certificate authorities. Raises ConfigError."""
        if self._context is None:
            self._context = context_for(self._authorities)

    def send(self, request: Request, timeouts: Timeouts) -> Response:
        """Return the response to the request. Raises TransportError or ConfigError."""
        if request.url.scheme == "https":
            self.warm()  # before the connection, on which the endpoint would wait
        until = time.monotonic() + timeouts.left(timeouts.connect_seconds)
        connection = connect(request.url.host, request.url.port, until)
        try:
            _wait_for(connection, timeouts)
            if request.url.scheme == "https":
                connection = self._secured(connection, request.url)
            return _exchanged(connection, request, timeouts)
        finally:
            connection.close()

    def _secured(self, connection: socket.socket, url: Url) -> ssl.SSLSocket:
        """Return the connection with TLS on it, to whom the URL names and nobody else."""
        assert self._context is not None  # noqa: S101 - warm() has seen to it
        try:
            return self._context.wrap_socket(
                connection,
                server_hostname=url.host.encode("ascii"),  # bytes: a str would import the codec for other alphabets
                suppress_ragged_eofs=False,  # an end that the other side has not declared may be anybody's
            )
        except ssl.SSLCertVerificationError as error:
            raise TransportError("certificate", error.verify_message) from None
        except TimeoutError:
            raise TransportError("connect timeout", "TLS") from None
        except ssl.SSLEOFError:
            raise TransportError("closed") from None
        except ssl.SSLError as error:
            if error.reason == "UNEXPECTED_EOF_WHILE_READING":  # which Python 3.11 does not take for an SSLEOFError
                raise TransportError("closed") from None
            raise TransportError("tls", (error.reason or "").replace("_", " ").lower()) from None
        except OSError:
            raise TransportError("closed") from None


def context_for(authorities: Authorities) -> ssl.SSLContext:
    """Return how TLS is spoken; nothing in settings or environment makes it weaker. Raises ConfigError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the certificate is required, and its host name checked
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False  # as urllib3: only what a certificate lists as its names
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET  # as botocore
    # Python 3.10 and 3.11 set it with OpenSSL 3, and take an end that anybody may have caused for the peer's
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)  # which OpenSSL 1.1.1 does not have
    context.set_alpn_protocols(["http/1.1"])
    authorities.load(context)
    return context


def _wait_for(connection: socket.socket, timeouts: Timeouts) -> None:
    """Set for how long the next step may wait. Raises TransportError if the system refuses that."""
    try:
        connection.settimeout(timeouts.left(timeouts.read_seconds))
    except OSError:
        raise TransportError("closed") from None


def _exchanged(connection: socket.socket, request: Request, timeouts: Timeouts) -> Response:
    has_answered = False

    def receive(size: int) -> bytes:
        nonlocal has_answered
        if time.monotonic() >= timeouts.deadline:
            raise TransportError("read timeout")
        _wait_for(connection, timeouts)
        try:
            data = connection.recv(size)
        except TimeoutError:
            raise TransportError("read timeout") from None
        except OSError:  # a reset, or an end without TLS's own
            raise TransportError("cut off" if has_answered else "closed") from None
        has_answered = has_answered or bool(data)
        return data

    try:
        connection.sendall(http1.request_head(request) + request.body)
    except TimeoutError:
        raise TransportError("read timeout") from None
    except OSError:
        raise TransportError("closed") from None
    return http1.read_response(receive, request.method)
