"""The container credentials endpoint on the loopback: one thread, which waits for no client and for no credentials.

Whoever is on this machine can reach the port. An answer takes the token, which the command alone has in its
environment, and a ``Host`` that names this address: a browser that was led here by a name of somebody else's sends that
name. What is no whole request within a second, or longer than a request of an SDK is, ends.
"""

import json
import secrets
import selectors
import socket
import threading
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_ADDRESS = "127.0.0.1"
_PATH = "/credentials"
_SECONDS = 1.0  # for a client to send its request, and again for it to read the answer
_PATIENCE = 0.8  # seconds that a request waits for credentials that are being renewed; some SDKs give up after one
_TICK = 0.05  # seconds between looks while there are clients
_LIMIT = 8192  # bytes of a request
_MOST_CLIENTS = 64  # the oldest is dropped for one more
_STATUS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class Credentials(Protocol):
    """What an endpoint serves."""

    def current(self) -> bytes | None:
        """Return the JSON of valid credentials, or None; wait for nothing."""

    def report(self) -> None:
        """Tell the person at the terminal that there are none."""


class _Client:
    """A connection: what it has sent, until when it has time, and what it waits for."""

    def __init__(self, connection: socket.socket, now: float) -> None:
        self.connection = connection
        self.received = b""
        self.until = now + _SECONDS
        self.waits_for_credentials = False
        self.is_answered = False


class Endpoint:
    """An endpoint that serves credentials while its ``with`` block lasts."""

    def __init__(self, credentials: Credentials) -> None:
        """Take a free port. Raises OSError if the loopback has none."""
        self._credentials = credentials
        self._token = secrets.token_urlsafe(32)
        self._socket = socket.create_server((_ADDRESS, 0), backlog=128)
        self._socket.setblocking(False)
        self._host = f"{_ADDRESS}:{self._socket.getsockname()[1]}"
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._clients: list[_Client] = []  # the oldest first
        self._has_ended = threading.Event()

    def __enter__(self) -> "Self":
        """Start to answer."""
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: "TracebackType | None"
    ) -> None:
        """Answer nobody any more."""
        self._has_ended.set()

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables by which SDKs find the endpoint."""
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{self._host}{_PATH}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": self._token,
        }

    def _run(self) -> None:
        while not self._has_ended.is_set():
            for key, _ in self._selector.select(_TICK if self._clients else _SECONDS):
                if key.data is None:
                    self._accept()
                else:
                    self._read(key.data)
            self._look(time.monotonic())
        self._socket.close()

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:  # it has gone again, or no descriptor is free
            return
        connection.setblocking(False)
        if len(self._clients) >= _MOST_CLIENTS:
            self._drop(self._clients[0])
        client = _Client(connection, time.monotonic())
        self._clients.append(client)
        self._selector.register(connection, selectors.EVENT_READ, client)

    def _read(self, client: _Client) -> None:
        try:
            received = client.connection.recv(_LIMIT)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self._drop(client)
        elif not client.is_answered and not client.waits_for_credentials:  # else it is read, so that the end is clean
            client.received += received
            self._judge(client)

    def _judge(self, client: _Client) -> None:
        """Answer, if the request is whole or too long."""
        head, end, _ = client.received.partition(b"\r\n\r\n")
        if len(head) > _LIMIT:
            self._answer(client, 431)
        elif end:
            status = self._status(head)
            if status != 200:
                self._answer(client, status)
            else:
                client.waits_for_credentials, client.until = True, time.monotonic() + _PATIENCE

    def _status(self, head: bytes) -> int:
        """Return the status of a request, by its first line and headers; 200 if it is to get the credentials."""
        line, *lines = head.split(b"\r\n")
        words = line.split(b" ")
        headers = [(name.strip().lower(), value.strip()) for name, _, value in (one.partition(b":") for one in lines)]
        hosts = [value for name, value in headers if name == b"host"]
        tokens = [value for name, value in headers if name == b"authorization"]
        if len(words) != 3 or words[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
            return 400
        if hosts != [self._host.encode()]:
            return 403
        if len(tokens) != 1 or not secrets.compare_digest(tokens[0], self._token.encode()):
            return 401
        if words[1] != _PATH.encode():
            return 404
        return 200 if words[0] == b"GET" else 405

    def _look(self, now: float) -> None:
        """Answer those that wait for credentials, where there are some or their time is over; drop who has none."""
        for client in list(self._clients):
            if client.waits_for_credentials:
                body = self._credentials.current()
                if body is not None:
                    self._answer(client, 200, body)
                elif now >= client.until:
                    self._answer(client, 503)
                    self._credentials.report()
            elif now >= client.until:
                self._drop(client)

    def _answer(self, client: _Client, status: int, body: bytes | None = None) -> None:
        if body is None:
            reason = _STATUS[status]
            body = json.dumps({"code": reason.replace(" ", ""), "message": f"credproc: {reason}"}).encode()
        head = (
            f"HTTP/1.1 {status} {_STATUS[status]}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
        )
        client.waits_for_credentials, client.is_answered = False, True
        client.until = time.monotonic() + _SECONDS
        try:
            client.connection.send(head.encode() + body)  # a new connection takes more than the longest answer at once
            client.connection.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(client)

    def _drop(self, client: _Client) -> None:
        self._clients.remove(client)
        self._selector.unregister(client.connection)
        client.connection.close()
