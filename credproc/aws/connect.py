"""A TCP connection to a name: its IPv6 and IPv4 addresses in turn, none of them waited for to the end (RFC 8305)."""

import os
import selectors
import socket
import time
from collections.abc import Sequence

from credproc.aws.message import TransportError

_HEAD_START = 0.25  # seconds that an address is alone before the next one is tried, too (RFC 8305, section 5)

Address = tuple[int, tuple[object, ...]]  # family, and what connect() takes


def connect(host: str, port: int, deadline: float) -> socket.socket:
    """Return a connected socket, in blocking mode. ``deadline`` is in seconds of ``time.monotonic()``.

    The look-up of the name cannot be interrupted: call this where that has a deadline, too. Raises TransportError of
    the kinds ``resolve``, ``connect`` and ``connect timeout``.
    """
    try:
        # bytes: a str would import the codec for international names, and an endpoint's host has none
        found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TransportError("resolve", (getattr(error, "strerror", None) or "no host").lower()) from None
    return connect_first(in_turn([(family, address) for family, _, _, _, address in found]), deadline)


def in_turn(addresses: Sequence[Address]) -> list[Address]:
    """Return the addresses with the two families by turns, the first one's first, else in their order."""
    first = [address for address in addresses if address[0] == addresses[0][0]]
    others = [address for address in addresses if address[0] != addresses[0][0]]
    turns: list[Address] = []
    for number in range(max(len(first), len(others))):
        turns += first[number : number + 1] + others[number : number + 1]
    return turns


def connect_first(addresses: Sequence[Address], deadline: float) -> socket.socket:
    """Return a socket that is connected to one of the addresses, whichever answers first."""
    left = list(addresses)
    failure = TransportError("connect")
    with selectors.DefaultSelector() as selector:
        try:
            while left or selector.get_map():
                until = deadline
                if left:
                    until = min(deadline, time.monotonic() + _HEAD_START)
                    try:
                        _begin(left.pop(0), selector)
                    except OSError as error:
                        failure = _failed(error)
                        continue
                for key, _ in selector.select(max(0.0, until - time.monotonic())):
                    selector.unregister(key.fileobj)
                    connection: socket.socket = key.data
                    reason = _error_of(connection)
                    if reason is None:
                        return connection
                    connection.close()
                    failure = _failed(reason)
                if time.monotonic() >= deadline:
                    raise TransportError("connect timeout")
        finally:
            for key in list(selector.get_map().values()):
                key.data.close()
    raise failure


def _begin(address: Address, selector: selectors.BaseSelector) -> None:
    """Begin to connect. Raises OSError if that fails at once, as it does without a route."""
    family, where = address
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        try:
            connection.connect(where)
        except BlockingIOError:  # it has begun
            pass
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_WRITE, connection)
    except OSError:
        connection.close()
        raise


def _error_of(connection: socket.socket) -> OSError | None:
    """Return why the connection has failed, or None: it stands, and is a blocking one from now on."""
    try:
        code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not code:
            connection.setblocking(True)
    except OSError as error:
        return error
    return OSError(code, os.strerror(code)) if code else None


def _failed(error: OSError) -> TransportError:
    return TransportError("connect", (error.strerror or "").lower())
