"""One HTTP/1.1 response, read to its end from whatever gives bytes (RFC 9112).

Not ``http.client``: importing it takes 20 ms of processor time, most of it for ``email``, which reads mail. What a
response of an AWS service, or of what stands in its place, can be is little: it is read here in full, or refused.
"""

from collections.abc import Callable, Iterator

from credproc import limits
from credproc.aws.message import Request, Response, TransportError, UnsendableError

TOO_LONG = "too long"  # the detail of an error: the body has more than limits.ANSWER
_HEAD_LIMIT = 32 * 1024  # bytes, of status line and headers, or of the trailers
_CHUNK_LINE_LIMIT = 1024  # bytes; a size, and extensions that mean nothing to us
_INTERIM_LIMIT = 8  # responses such as 100 Continue before the one that counts
_PIECE = 16 * 1024  # bytes that are asked for at once
_WHITE = " \t"
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")


def request_head(request: Request) -> bytes:
    """Return the request line and the headers, with those that are the transport's. Raises UnsendableError.

    A value with a line end, or that is no Latin-1, is refused: it would become another header.
    """
    headers = {"Host": request.url.host_header, "Accept-Encoding": "identity", **request.headers}
    if request.body or request.method != "GET":
        headers["Content-Length"] = str(len(request.body))
    lines = [f"{request.method} {request.url.target} HTTP/1.1"]
    for name, value in headers.items():
        if any(character < " " or character == "\x7f" or character > "\xff" for character in value):
            raise UnsendableError(name)
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def read_response(receive: Callable[[int], bytes], method: str = "POST") -> Response:
    """Return the response; ``receive`` returns at most so many bytes, none at the end of the connection.

    Raises TransportError of the kinds ``closed``, ``cut off`` and ``malformed``, and what ``receive`` raises.
    """
    source = _Source(receive)
    for _ in range(_INTERIM_LIMIT):
        status, reason = _status_line(source.line(_HEAD_LIMIT))
        headers = _headers(source)
        if status == 101:
            raise TransportError("malformed", "another protocol")
        if status >= 200:
            return Response(status, reason, headers, _body(source, status, headers, method))
    raise TransportError("malformed", "no end of interim responses")


class _Source:
    """The bytes that have come, and those that will."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._held = b""
        self._has_begun = False

    def _more(self) -> bool:
        """Wait for more; return whether there was any."""
        data = self._receive(_PIECE)
        self._held += data
        self._has_begun = self._has_begun or bool(data)
        return bool(data)

    def line(self, limit: int) -> str:
        """Return the next line without its end."""
        while (end := self._held.find(b"\n")) < 0:
            if len(self._held) > limit:
                raise TransportError("malformed", "a line without end")
            if not self._more():
                raise TransportError("cut off" if self._has_begun else "closed")
        if end > limit:
            raise TransportError("malformed", "a line without end")
        line, self._held = self._held[:end], self._held[end + 1 :]
        return line.removesuffix(b"\r").decode("latin-1")

    def exactly(self, size: int) -> bytes:
        """Return so many bytes."""
        while len(self._held) < size:
            if not self._more():
                raise TransportError("cut off")
        data, self._held = self._held[:size], self._held[size:]
        return data

    def rest(self, limit: int) -> bytes:
        """Return all until the connection's end."""
        try:
            return limits.whole(self._pieces(), limit)
        except limits.TooLongError:
            raise TransportError("malformed", TOO_LONG) from None

    def _pieces(self) -> Iterator[bytes]:
        yield self._held
        while data := self._receive(_PIECE):
            yield data


def _status_line(line: str) -> tuple[int, str]:
    version, _, rest = line.partition(" ")
    code, _, reason = rest.partition(" ")
    if version not in ("HTTP/1.1", "HTTP/1.0") or len(code) != 3 or not (code.isascii() and code.isdecimal()):
        raise TransportError("malformed", "no HTTP")
    if not 100 <= int(code) <= 599:
        raise TransportError("malformed", "no status")
    return int(code), reason.strip()


def _headers(source: _Source) -> dict[str, str]:
    found: dict[str, str] = {}
    left = _HEAD_LIMIT
    while line := source.line(left):
        left -= len(line)
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or not name or not _TOKEN.issuperset(name):  # nor a line that goes on with the one before
            raise TransportError("malformed", "no header")
        value = value.strip(_WHITE)
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _body(source: _Source, status: int, headers: dict[str, str], method: str) -> bytes:
    """Return the body, whose end is told by the first of these that is there (RFC 9112, 6.3)."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise TransportError("malformed", "an encoding that was not asked for")
    if method == "HEAD" or status in (204, 304):
        return b""
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if coding.lower() != "chunked":
            raise TransportError("malformed", "a transfer coding that was not asked for")
        return _chunks(source)
    if "content-length" not in headers:
        return source.rest(limits.ANSWER)
    lengths = {length.strip(_WHITE) for length in headers["content-length"].split(",")}
    length = lengths.pop()
    if lengths or not (length.isascii() and length.isdecimal()):
        raise TransportError("malformed", "no length")
    return source.exactly(_within(int(length[:20])))


def _chunks(source: _Source) -> bytes:
    body = b""
    while size := _chunk_size(source.line(_CHUNK_LINE_LIMIT)):
        body += source.exactly(_within(len(body) + size) - len(body))
        if source.line(_CHUNK_LINE_LIMIT):
            raise TransportError("malformed", "a chunk that is longer than it says")
    _headers(source)  # trailers, which mean nothing to us
    return body


def _chunk_size(line: str) -> int:
    digits = line.partition(";")[0].strip(_WHITE)
    if not digits or len(digits) > 16 or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        raise TransportError("malformed", "no size of a chunk")
    return int(digits, 16)


def _within(size: int) -> int:
    if size > limits.ANSWER:
        raise TransportError("malformed", TOO_LONG)
    return size
