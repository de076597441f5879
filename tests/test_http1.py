"""One HTTP response, in whatever pieces it comes, and what is none."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credproc.aws.http1 import read_response, request_head
from credproc.aws.message import Request, Response, TransportError, UnsendableError
from credproc.limits import ANSWER
from credproc.plan.url import Url

OK = b"HTTP/1.1 200 OK\r\n"


def _pieces(*pieces: bytes) -> Callable[[int], bytes]:
    left = list(pieces)

    def receive(size: int) -> bytes:
        if not left:
            return b""
        piece, left[:1] = left[0][:size], [left[0][size:]] if len(left[0]) > size else []
        return piece

    return receive


def _read(data: bytes, method: str = "POST") -> Response:
    return read_response(_pieces(data), method)


def _kind(data: bytes, method: str = "POST") -> str:
    with pytest.raises(TransportError) as failure:
        _read(data, method)
    return failure.value.kind


RESPONSES = {
    "a length": (OK + b"Content-Length: 5\r\n\r\nhello", b"hello"),
    "the same length twice": (OK + b"Content-Length: 5, 5\r\ncontent-length: 5\r\n\r\nhello", b"hello"),
    "no body": (OK + b"Content-Length: 0\r\n\r\n", b""),
    "the connection's end": (OK + b"\r\nhello", b"hello"),
    "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nA: b\r\n\r\n", b"hello"),
    "chunks, and a length that does not count": (
        OK + b"Content-Length: 1\r\nTransfer-Encoding: Chunked\r\n\r\n0A\r\nhellohello\r\n0\r\n\r\n",
        b"hellohello",
    ),
    "bare line feeds": (b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", b"hello"),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\nhello", b"hello"),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
    "100 Continue first": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nhello", b"hello"),
    "nothing by its status": (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", b""),
    "more than its length": (OK + b"Content-Length: 5\r\n\r\nhello, and more", b"hello"),
}


@pytest.mark.parametrize("name", RESPONSES)
@given(cuts=st.lists(st.integers(1, 120), max_size=8))
def test_a_response_is_read_whatever_its_pieces(name: str, cuts: list[int]) -> None:
    data, body = RESPONSES[name]
    places = [0, *sorted({cut for cut in cuts if cut < len(data)}), len(data)]
    pieces = [data[begin:end] for begin, end in pairwise(places)]
    assert read_response(_pieces(*pieces)).body == body


@pytest.mark.parametrize("name", RESPONSES)
def test_a_response_that_comes_byte_by_byte_is_read(name: str) -> None:
    data, body = RESPONSES[name]
    assert read_response(_pieces(*(bytes([byte]) for byte in data))).body == body


def test_status_reason_and_headers_are_told() -> None:
    found = _read(b"HTTP/1.1 403 Not  so\r\nDate: now\r\nX: a\r\nx:\t b \r\nContent-Length: 0\r\n\r\n")
    assert found == Response(403, "Not  so", {"date": "now", "x": "a, b", "content-length": "0"}, b"")


def test_a_head_request_has_a_length_and_no_body() -> None:
    assert _read(OK + b"Content-Length: 5\r\n\r\n", "HEAD").body == b""


@pytest.mark.parametrize(
    "name",
    ["a length", "chunks", "chunks, and a length that does not count", "100 Continue first", "the same length twice"],
)
def test_an_answer_that_ends_before_its_end_is_cut_off(name: str) -> None:
    data, _ = RESPONSES[name]
    assert _kind(b"") == "closed"
    for end in range(1, len(data)):
        assert _kind(data[:end]) == "cut off", data[:end]


def test_a_body_without_a_length_ends_with_the_connection_and_its_head_must_be_whole() -> None:
    data, _ = RESPONSES["the connection's end"]
    for end in range(1, data.index(b"\r\n\r\n") + 3):
        assert _kind(data[:end]) == "cut off"


MALFORMED = {
    "garbage": b"\x00\xff{}\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "HTTP/2": b"HTTP/2 200 OK\r\n\r\n",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\n\r\n",
    "an empty line first": b"\r\n" + OK + b"\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "a status that is none": b"HTTP/1.1 2x0 OK\r\n\r\n",
    "a status of other digits": "HTTP/1.1 ²²² OK\r\n\r\n".encode("latin-1"),
    "a status below": b"HTTP/1.1 099 OK\r\n\r\n",
    "a status above": b"HTTP/1.1 600 OK\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "a header without colon": OK + b"Nonsense\r\n\r\n",
    "a header without name": OK + b": x\r\n\r\n",
    "a name with a space": OK + b"Content-Length : 5\r\n\r\nhello",
    "a folded header": OK + b"A: b\r\n c\r\n\r\n",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "a negative length": OK + b"Content-Length: -5\r\n\r\nhello",
    "a signed length": OK + b"Content-Length: +5\r\n\r\nhello",
    "an empty length": OK + b"Content-Length:\r\n\r\nhello",
    "a length of other digits": OK + "Content-Length: ²\r\n\r\nhello".encode("latin-1"),
    "an endless length": OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "another transfer coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "another encoding": OK + b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
    "a chunk without size": OK + b"Transfer-Encoding: chunked\r\n\r\n\r\nhello",
    "a chunk of a negative size": OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nhello",
    "a chunk with an underscore": OK + b"Transfer-Encoding: chunked\r\n\r\n1_0\r\nhello",
    "a chunk of an endless size": OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 17 + b"\r\n",
    "a chunk longer than it says": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
    "a line without end": OK + b"A" * 40_000,
    "an endless chunk line": OK + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 2000 + b"\r\nh\r\n0\r\n\r\n",
    "headers without end": OK + b"A: b\r\n" * 10_000 + b"\r\n",
    "interim responses without end": b"HTTP/1.1 100 Continue\r\n\r\n" * 100,
    "a length beyond the limit": OK + b"Content-Length: %d\r\n\r\n" % (ANSWER + 1) + b"x" * (ANSWER + 1),
    "chunks beyond the limit": OK
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"8000\r\n" * 1
    + b"x" * 0x8000
    + b"\r\n8001\r\n",
    "no end within the limit": OK + b"\r\n" + b"x" * (ANSWER + 1),
}


# Why it is refused, for the log of whoever looks for the reason
WHY = {
    "garbage": "no HTTP",
    "SSH": "no HTTP",
    "HTTP/2": "no HTTP",
    "HTTP/0.9": "no HTTP",
    "an empty line first": "no HTTP",
    "a status of two digits": "no HTTP",
    "a status that is none": "no HTTP",
    "a status of other digits": "no HTTP",
    "a status below": "no status",
    "a status above": "no status",
    "another protocol": "another protocol",
    "a header without colon": "no header",
    "a header without name": "no header",
    "a name with a space": "no header",
    "a folded header": "no header",
    "two lengths": "no length",
    "a negative length": "no length",
    "a signed length": "no length",
    "an empty length": "no length",
    "a length of other digits": "no length",
    "an endless length": "too long",
    "another transfer coding": "a transfer coding that was not asked for",
    "another encoding": "an encoding that was not asked for",
    "a chunk without size": "no size of a chunk",
    "a chunk of a negative size": "no size of a chunk",
    "a chunk with an underscore": "no size of a chunk",
    "a chunk of an endless size": "no size of a chunk",
    "a chunk longer than it says": "a chunk that is longer than it says",
    "a line without end": "a line without end",
    "an endless chunk line": "a line without end",
    "headers without end": "a line without end",
    "interim responses without end": "no end of interim responses",
    "a length beyond the limit": "too long",
    "chunks beyond the limit": "too long",
    "no end within the limit": "too long",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_response_that_was_asked_for_is_refused(name: str) -> None:
    with pytest.raises(TransportError) as failure:
        _read(MALFORMED[name])
    assert (failure.value.kind, failure.value.detail) == ("malformed", WHY[name])


HEAD = 32 * 1024  # bytes of headers


BOUNDS: dict[str, tuple[Callable[[int], bytes], int]] = {
    "a status line": (lambda size: b"HTTP/1.1 200 " + b"x" * (size - 13) + b"\r\n\r\n", HEAD - 1),
    "one header": (lambda size: OK + b"A:" + b"x" * (size - 2) + b"\n\n", HEAD),
    "many headers": (lambda size: OK + b"A:bc\n" * (size // 4 - 1) + b"A:" + b"x" * (size % 4 + 2) + b"\n\n", HEAD),
    "a chunk's line": (lambda size: OK + b"Transfer-Encoding: chunked\r\n\r\n0;" + b"x" * (size - 2) + b"\n\n", 1024),
    "interim responses": (lambda size: b"HTTP/1.1 100 Continue\r\n\r\n" * size + OK + b"\r\n", 7),
    "a status": (lambda size: b"HTTP/1.1 %d X\r\n\r\n" % size, 599),
    "a length": (lambda size: OK + b"Content-Length: 0%d\r\n\r\n" % size + b"x" * size, ANSWER),
    "a chunk's digits": (
        lambda size: OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * (size - 1) + b"1\r\nx\r\n0\r\n\r\n",
        16,
    ),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_each_bound_is_exact(name: str) -> None:
    fits, size = BOUNDS[name]
    for pieces in (fits(size),), tuple(bytes([byte]) for byte in fits(size)):
        assert read_response(_pieces(*pieces)).status in (200, 599)
    assert _kind(fits(size + 1)) == "malformed"


@pytest.mark.parametrize("digits", [b"a", b"A", b"0f", b"0F", b"\t5 ", b"5 ;x"])
def test_a_size_is_hexadecimal_in_either_case(digits: bytes) -> None:
    size = int(digits.partition(b";")[0].strip(), 16)
    data = OK + b"Transfer-Encoding: chunked\r\n\r\n" + digits + b"\r\n" + b"x" * size + b"\r\n0\r\n\r\n"
    assert len(_read(data).body) == size


@pytest.mark.parametrize("space", [b"\x0b", b"\x0c", b"\xa0", b"\x85"])
def test_only_blanks_and_tabs_are_white(space: bytes) -> None:
    assert _read(OK + b"A: " + space + b"b\r\nContent-Length: 0\r\n\r\n").headers["a"] == space.decode("latin-1") + "b"
    assert _kind(OK + b"Content-Length: 5" + space + b"\r\n\r\nhello") == "malformed"
    assert _kind(OK + b"Transfer-Encoding: chunked\r\n\r\n5" + space + b"\r\nhello\r\n0\r\n\r\n") == "malformed"


def test_a_header_may_hold_colons_and_x() -> None:
    found = _read(b"HTTP/1.1 302 X\r\nLocation: https://a:1/X\r\nContent-Length: 0\r\n\r\n")
    assert found.headers["location"] == "https://a:1/X"
    assert _kind(OK + b"X-X\xd7: b\r\n\r\n") == "malformed"


def test_nothing_comes_with_304_and_all_with_305() -> None:
    assert _read(b"HTTP/1.1 304 X\r\n\r\nhello").body == b""
    assert _read(b"HTTP/1.1 305 X\r\n\r\nhello").body == b"hello"


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Content-Length: %d\r\n\r\n" % ANSWER + b"x" * ANSWER,
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 2 + b"0\r\n\r\n",
        OK + b"\r\n" + b"x" * ANSWER,
    ],
)
def test_a_body_of_64_kib_is_read(data: bytes) -> None:
    assert len(_read(data).body) == ANSWER == 65536


def test_no_more_is_asked_for_than_a_body_may_have() -> None:
    asked = 0

    def endless(size: int) -> bytes:
        nonlocal asked
        asked += size
        return OK + b"\r\n" if asked == size else b"x" * size

    with pytest.raises(TransportError, match="too long"):
        read_response(endless)
    assert asked < 2 * ANSWER


@given(st.binary(max_size=300))
def test_any_bytes_are_a_response_or_refused(data: bytes) -> None:
    for start in (b"", OK, OK + b"Transfer-Encoding: chunked\r\n\r\n"):
        try:
            assert isinstance(_read(start + data), Response)
        except TransportError as error:
            assert error.kind in ("malformed", "cut off", "closed")  # noqa: PT017 - either will do


def test_a_request_has_its_line_host_and_length() -> None:
    request = Request("POST", Url.of("https://STS.example:8443/base"), {"User-Agent": "x"}, b"body")
    assert request_head(request) == (
        b"POST /base HTTP/1.1\r\nHost: sts.example:8443\r\nAccept-Encoding: identity\r\nUser-Agent: x\r\n"
        b"Content-Length: 4\r\n\r\n"
    )


def test_an_empty_post_has_a_length_and_a_get_has_none() -> None:
    url = Url.of("https://sts.example")
    assert b"Content-Length: 0\r\n" in request_head(Request("POST", url, {}))
    assert b"Content-Length" not in request_head(Request("GET", url, {}))
    assert b"User-Agent: a b\r\n" in request_head(Request("GET", url, {"User-Agent": "a b"}))


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\x00b", "a\x7fb", "\u20ac"])
def test_a_header_that_would_be_another_one_is_not_sent(value: str) -> None:
    with pytest.raises(UnsendableError, match="X"):
        request_head(Request("POST", Url.of("https://sts.example"), {"X": value}))
