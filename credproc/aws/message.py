"""What is sent and what comes back: the values that the signature, the transports and the tries share."""

from typing import Literal, NamedTuple

from credproc.plan.url import Url


class Request(NamedTuple):
    """One HTTP request."""

    method: str
    url: Url
    headers: dict[str, str]  # of which Host and Content-Length are the transport's
    body: bytes = b""
    secrets: tuple[str, ...] = ()  # what it was made with, and whoever refuses it may quote

    def __repr__(self) -> str:
        """Return a text without secrets."""
        return f"Request({self.method} {self.url})"


class Response(NamedTuple):
    """One whole HTTP response."""

    status: int
    reason: str
    headers: dict[str, str]  # by names in lower case; of several with one name, joined with a comma
    body: bytes


def without_secrets(response: Response, request: Request) -> Response:
    """Return the response to the request, and if it is no success, with nothing in it of the request's secrets."""
    if 200 <= response.status < 300 or not request.secrets:
        return response
    from credproc.masking import masked  # noqa: PLC0415 - only for a refusal

    reason, body = response.reason, response.body.decode("utf-8", "surrogateescape")
    return Response(
        response.status,
        masked(reason, request.secrets),
        {name: masked(value, request.secrets) for name, value in response.headers.items()},
        masked(body, request.secrets).encode("utf-8", "surrogateescape"),
    )


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
