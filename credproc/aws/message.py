"""What is sent and what comes back: the values that the signature, the transports and the tries share."""

from typing import Literal, NamedTuple

from credproc.plan.url import Url


class Request(NamedTuple):
    """One HTTP request."""

    method: str
    url: Url
    headers: dict[str, str]  # of which Host and Content-Length are the transport's
    body: bytes = b""


class Response(NamedTuple):
    """One whole HTTP response."""

    status: int
    reason: str
    headers: dict[str, str]  # by names in lower case; of several with one name, joined with a comma
    body: bytes


class UnsendableError(ValueError):
    """A parameter or a header holds what cannot be sent as it is."""


# Where an exchange ended without a response, for those who try again or put it into words
Kind = Literal[
    "resolve",
    "connect",
    "connect timeout",
    "read timeout",
    "closed",  # before it answered
    "cut off",  # within its answer
    "tls",  # in the handshake
    "certificate",  # which is not trusted
    "proxy",
    "malformed",  # no HTTP, or more than is read
]


class TransportError(Exception):
    """No response came. ``kind`` says where it ended; ``detail`` is for a person and may be empty."""

    def __init__(self, kind: Kind, detail: str = "") -> None:
        """Take the kind and the detail."""
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail
