"""HTTP on the loopback for doubles of AWS services: one request in, one answer out, or one of the faults.

A double says what it answers (`Loopback.receive`); how the answer travels, or fails to, is a `Fault` of faults.py.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from email.message import Message

    from typing_extensions import Self


@dataclass(frozen=True)
class Request:
    """One HTTP request as it came; `time` is the server's clock, in epoch seconds."""

    method: str
    path: str
    query: str
    headers: Message = field(repr=False)
    body: bytes = field(repr=False)
    time: float

    def header(self, name: str) -> str | None:
        """Return the header's value, or None where the request has none. Names match in any case."""
        return self.headers.get(name)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. `code` is AWS's error code, empty for a success."""

    status: int
    body: bytes = field(repr=False)
    content_type: str = "text/xml"
    headers: tuple[tuple[str, str], ...] = ()
    code: str = ""


@dataclass(frozen=True)
class Received:
    """A request that a double has noted: the action's name, how to decide it, and where to tell the outcome."""

    action: str
    decide: Callable[[], Answer]
    tell: Callable[[str], None] = lambda _outcome: None


class Exchange:
    """What a fault has in its hands: the request's decision, the connection, and the double's end."""

    def __init__(self, loopback: Loopback, handler: _Handler, received: Received) -> None:
        self.stopped = loopback.stopped
        self.action = received.action
        self._loopback = loopback
        self._handler = handler
        self._received = received

    def now(self) -> float:
        """Return the server's clock in epoch seconds."""
        return self._loopback.now()

    def decide(self) -> Answer:
        """Apply the service's rules to the request (spends an MFA code, mints credentials) and return the answer."""
        answer = self._received.decide()
        self._received.tell(answer.code or "OK")
        return answer

    def send(self, answer: Answer) -> None:
        """Send the whole answer and keep the connection."""
        self._received.tell(answer.code or "OK")
        self.write(self.encode(answer))

    def encode(self, answer: Answer) -> bytes:
        """Return the answer's bytes, head and body."""
        lines = [
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
            f"Date: {formatdate(self.now(), usegmt=True)}",
            f"Content-Type: {answer.content_type}",
            f"Content-Length: {len(answer.body)}",
            *(f"{name}: {value}" for name, value in answer.headers),
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + answer.body

    def write(self, data: bytes) -> None:
        """Put bytes on the wire as they are; a client that has gone is no error."""
        try:
            self._handler.connection.sendall(data)
        except OSError:
            self._handler.close_connection = True

    def gone(self) -> bool:
        """Say whether the connection is known to be of no use any more."""
        return self._handler.close_connection

    def hang_up(self, *, reset: bool = False) -> None:
        """Close the connection: with FIN, or with RST as a crashed or overrun peer does."""
        self._handler.close_connection = True
        if reset:
            connection = self._handler.connection
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._handler.rfile.close()
            connection.close()


Fault = Callable[[Exchange], None]


def whole(exchange: Exchange) -> None:
    """Answer as the service would: the fault that is none."""
    exchange.send(exchange.decide())


class Loopback(ABC):
    """A double of a service, listening on 127.0.0.1 from its making until `close()`."""

    def __init__(self) -> None:
        self.clock_offset = 0.0
        self.stopped = threading.Event()
        self.lock = threading.RLock()
        self._once: dict[str | None, deque[Fault]] = {}
        self._always: dict[str | None, Fault] = {}
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        """The endpoint, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def now(self) -> float:
        """Return the server's clock: true time plus `clock_offset`, in epoch seconds."""
        return time.time() + self.clock_offset

    @abstractmethod
    def receive(self, request: Request) -> Received:
        """Note the request, and return how it is to be answered."""

    def once(self, *faults: Fault, action: str | None = None) -> None:
        """Meet the next requests (of this action, or of any) with these faults, one each."""
        with self.lock:
            self._once.setdefault(action, deque()).extend(faults)

    def always(self, fault: Fault, action: str | None = None) -> None:
        """Meet every request (of this action, or of any) with this fault, until `heal()`."""
        with self.lock:
            self._always[action] = fault

    def heal(self) -> None:
        """Forget all faults; requests that are being held or hung stay so."""
        with self.lock:
            self._once.clear()
            self._always.clear()

    def close(self) -> None:
        """End everything that is under way, without an answer. A second time does nothing."""
        if self.stopped.is_set():
            return
        self.stopped.set()
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes the thread that accepts
        self._thread.join()
        self._server.end_connections()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        # serve_forever() polls: it would wake all the time, or end late.
        while not self.stopped.is_set():
            self._server.handle_request()

    def _fault(self, action: str) -> Fault:
        with self.lock:
            for key in (action, None):
                if self._once.get(key):
                    return self._once[key].popleft()
            return self._always.get(action) or self._always.get(None) or whole

    def _handle(self, request: Request, handler: _Handler) -> None:
        received = self.receive(request)
        self._fault(received.action)(Exchange(self, handler, received))


class _Server(HTTPServer):
    # Hundreds of processes connect at once; the default of 5 would have the kernel drop their SYNs.
    request_queue_size = 1024

    def __init__(self, loopback: Loopback) -> None:
        self.loopback = loopback
        self._handlers: dict[socket.socket, threading.Thread] = {}
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        """Bind without HTTPServer's reverse look-up of the host's name, which may take seconds."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: object, client_address: object) -> None:
        """Serve the connection in a thread of its own, known by its socket so that `close()` can end it."""
        connection = cast("socket.socket", request)
        thread = threading.Thread(target=self._serve, args=(connection, client_address), daemon=True)
        with self.loopback.lock:
            self._handlers[connection] = thread
        thread.start()

    def _serve(self, connection: socket.socket, client_address: tuple[str, int]) -> None:
        try:
            # OSError: clients are killed in the tests, and take their connections with them. All else is a bug of the
            # double: it ends this thread, which pytest reports as a failure of the test.
            with contextlib.suppress(OSError):
                self.finish_request(connection, client_address)
        finally:
            with self.loopback.lock:
                del self._handlers[connection]
            self.shutdown_request(connection)

    def end_connections(self) -> None:
        """End kept connections and wait for their threads: an unclosed socket is a warning, and warnings are errors."""
        with self.loopback.lock:
            handlers = list(self._handlers.items())
        for connection, thread in handlers:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(2)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        loopback = self.server.loopback
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        # A client that uses us as its http proxy sends the whole URL in the request line.
        target = urlsplit(self.path)
        request = Request(self.command, target.path or "/", target.query, self.headers, body, loopback.now())
        loopback._handle(request, self)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _serve  # noqa: N815 (http.server looks for these names)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server calls it so)
        """Say nothing: the tests assert on stderr."""
