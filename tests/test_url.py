"""The parts of a URL, as far as requests have them."""

import pytest
from botocore import auth
from hypothesis import given
from hypothesis import strategies as st

from credproc.plan.url import Url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://sts.amazonaws.com", Url("https", "sts.amazonaws.com", 443, "/")),
        ("HTTPS://STS.Amazonaws.COM/", Url("https", "sts.amazonaws.com", 443, "/")),
        ("http://127.0.0.1:8080/a/b?c=d", Url("http", "127.0.0.1", 8080, "/a/b?c=d")),
        ("https://[2001:DB8::1]:8443/x", Url("https", "2001:db8::1", 8443, "/x")),
        ("http://[::1]", Url("http", "::1", 80, "/")),
        ("http://localhost:80", Url("http", "localhost", 80, "/")),
    ],
)
def test_a_url_has_parts(text: str, url: Url) -> None:
    assert Url.of(text) == url
    assert Url.of(str(url)) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sts.amazonaws.com",
        "ftp://sts.amazonaws.com",
        "https://",
        "https:///path",
        "https://user@host",
        "https://user:secret@host",
        "https://host:0",
        "https://host:65536",
        "https://host:-1",
        "https://host:8x",
        "https://host:٣",
        "https://h ost",
        "https://host/a b",
        "https://host/\r\nX: y",
        "https://host/#x",
        "https://h%6Fst",
        "https://[::1",
        "https://[::1]x",
        "https://[host]",
        "https://a:b:c",
        "https://höst",
    ],
)
def test_what_is_no_url_that_can_be_asked_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid|not an http"):
        Url.of(text)


@pytest.mark.parametrize(
    "text",
    ["https://H.example", "https://h.example:443", "https://h:80", "http://h:80", "http://h:443", "https://[::1]:8443"],
)
def test_the_host_header_is_the_one_that_botocore_signs(text: str) -> None:
    assert Url.of(text).host_header == auth._host_from_url(text)  # type: ignore[attr-defined]  # which the stubs leave out


@given(st.text(max_size=40))
def test_any_text_is_a_url_or_refused(text: str) -> None:
    for start in ("", "https://", "http://host:", "https://["):
        try:
            found = Url.of(start + text)
        except ValueError:
            continue
        assert Url.of(str(found)) == found
