"""The XML of an answer, and what is not believed."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credproc.aws.answer import MalformedAnswerError, RefusedError, parse, read
from credproc.aws.message import Response
from credproc.limits import ANSWER as LIMIT

ANSWER = b"""\
<?xml version="1.0" encoding="UTF-8"?>
<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <Credentials><AccessKeyId>ASIA</AccessKeyId>
    <SessionToken>a&amp;b &#233; \xc3\xa9</SessionToken><Empty/></Credentials>
    <Keys><member><Id>1</Id></member><other/><member><Id>2</Id></member></Keys>
  </AssumeRoleResult>
</AssumeRoleResponse>
"""
ERROR = b"<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>"


def test_what_stands_in_an_answer_is_found_by_its_path() -> None:
    root = parse(ANSWER)
    assert root.name == "AssumeRoleResponse"
    credentials = root.find("AssumeRoleResult", "Credentials")
    assert credentials is not None
    assert credentials.text("AccessKeyId") == "ASIA"
    assert credentials.text("SessionToken") == "a&b é é"
    assert root.text("AssumeRoleResult", "Credentials", "AccessKeyId") == "ASIA"


def test_what_is_not_there_or_empty_is_none() -> None:
    root = parse(ANSWER)
    assert root.find("Credentials") is None, "only children, not what lies deeper"
    assert root.text("AssumeRoleResult", "Nothing", "AccessKeyId") is None
    assert root.text("AssumeRoleResult", "Credentials", "Empty") is None
    assert root.all("AssumeRoleResult", "Nothing", "member") == []


def test_the_members_of_a_list_are_found_in_their_order() -> None:
    assert [each.text("Id") for each in parse(ANSWER).all("AssumeRoleResult", "Keys", "member")] == ["1", "2"]


def test_text_is_not_that_of_what_lies_within() -> None:
    assert parse(b"<a>x<b>y</b>z</a>").text() == "xz"


def test_a_prefix_is_no_part_of_a_name() -> None:
    assert parse(b'<s:a xmlns:s="urn:x"><s:b>1</s:b></s:a>').text("b") == "1"


BOMB = b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "%s">]><a>&c;</a>' % (b"&b;" * 1000)
NOT_BELIEVED = {
    "nothing": b"",
    "no XML": b"\x00\xff{}",
    "HTML": b"<!DOCTYPE html><html><head><meta charset=utf-8></head><body>Please sign in<br></html>",
    "half of it": ANSWER[: len(ANSWER) // 2],
    "more behind it": ANSWER + b"<more/>",
    "entities": BOMB,
    "a file": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "a document type and no more": b"<!DOCTYPE a><a/>",
    "a document type elsewhere": b'<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>',
    "an unknown entity": b"<a>&b;</a>",
    "another encoding than UTF-8": b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xe9</a>',
    "a document type in UTF-16": "<!DOCTYPE a><a/>".encode("utf-16"),
    "no UTF-8": b"<a>\xff</a>",
    "too deep": b"<a>" * 33 + b"</a>" * 33,
    "too long": b"<a>" + b"x" * (LIMIT - 6) + b"</a>",
}


WHY = {"too deep": "too deep", "too long": "too long"}


@pytest.mark.parametrize("name", NOT_BELIEVED)
def test_what_is_no_answer_is_not_believed(name: str) -> None:
    with pytest.raises(MalformedAnswerError) as failure:
        parse(NOT_BELIEVED[name])
    is_typed = NOT_BELIEVED[name].decode("utf-16" if "UTF-16" in name else "latin-1").startswith("<!DOCTYPE")
    assert str(failure.value) == WHY.get(name, "a document type" if is_typed else "no XML")
    assert failure.value.response is None


@pytest.mark.parametrize("name", ["entities", "a file", "a document type and no more", "a document type elsewhere"])
def test_a_document_type_is_refused_where_it_begins(name: str) -> None:
    with pytest.raises(MalformedAnswerError, match="a document type"):
        parse(NOT_BELIEVED[name])
    begun = NOT_BELIEVED[name].partition(b"[")[0] + b"["
    with pytest.raises(MalformedAnswerError, match=r"a document type|no XML"):
        parse(begun)


# Each of 60,000 entities holds the one before: expat before 2.7 ends in a segmentation fault once the last one is used
# (CVE-2024-8176). In a process of its own, which has no limit to the length of an answer
CHAINED = """\
from credproc import limits
from credproc.aws.answer import MalformedAnswerError, parse
limits.ANSWER = 1 << 22
chain = "".join(f'<!ENTITY e{n} "&e{n - 1};">' for n in range(1, 60_000))
try:
    parse(f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "x">{chain}]><a>&e59999;</a>'.encode())
except MalformedAnswerError as error:
    print(error)
"""


def test_no_parser_reads_sixty_thousand_chained_entities() -> None:
    ran = subprocess.run([sys.executable, "-c", CHAINED], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "a document type\n", "")


def test_what_lies_within_the_bounds_is_read() -> None:
    assert len(parse(b"<a>" + b"x" * (LIMIT - 7) + b"</a>").text() or "") == LIMIT - 7
    assert parse(b"<a>" * 32 + b"</a>" * 32).name == "a"


@given(st.binary(max_size=100))
def test_any_bytes_are_an_answer_or_not_believed(data: bytes) -> None:
    for body in (data, b"<a>" + data + b"</a>"):
        try:
            assert parse(body).name
        except MalformedAnswerError:
            pass


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=("Cs", "Cc")), max_size=50))
def test_text_comes_as_it_was_written(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    try:
        assert (parse(f"<a>{escaped}</a>".encode()).text() or "") == text
    except MalformedAnswerError:
        assert "\ufffe" in text or "\uffff" in text  # which XML has not


def _response(status: int, body: bytes, reason: str = "Reason") -> Response:
    return Response(status, reason, {"date": "now"}, body)


def test_a_success_is_its_root() -> None:
    assert read(_response(200, ANSWER)).name == "AssumeRoleResponse"


@pytest.mark.parametrize("wrapped", [b"%s", b"<Response><Errors>%s</Errors></Response>"])
@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_refusal_has_code_and_words(status: int, wrapped: bytes) -> None:
    error = ERROR % (b"AccessDenied", b"not &lt;you&gt;")
    if wrapped != b"%s":
        error = wrapped % error.removeprefix(b"<ErrorResponse>").removesuffix(b"</ErrorResponse>")
    with pytest.raises(RefusedError) as failure:
        read(_response(status, error))
    assert (failure.value.code, failure.value.message) == ("AccessDenied", "not <you>")
    assert failure.value.response.headers == {"date": "now"}


@pytest.mark.parametrize("body", [b"", b"<html>busy<br></html>", b"busy", b"<html></html>", b"<a><Error/></a>"])
def test_what_stands_before_the_service_fails_with_its_status(body: bytes) -> None:
    with pytest.raises(RefusedError) as failure:
        read(_response(503, body, "Service Unavailable"))
    assert (failure.value.code, failure.value.message) == ("503", "Service Unavailable")
    assert failure.value.response.status == 503
    assert str(failure.value) == "503"


def test_a_refusal_without_code_or_words_is_one() -> None:
    with pytest.raises(RefusedError) as failure:
        read(_response(400, b"<a/>"))
    assert (failure.value.code, failure.value.message) == ("", "")


@pytest.mark.parametrize("status", [200, 300, 302, 400, 407, 499])
def test_a_response_of_another_kind_without_xml_is_no_answer(status: int) -> None:
    with pytest.raises(MalformedAnswerError) as failure:
        read(_response(status, b""))
    assert failure.value.response == _response(status, b"")


@pytest.mark.parametrize(("status", "code"), [(199, ""), (300, ""), (499, ""), (500, "500"), (599, "599")])
def test_what_is_no_success_is_a_refusal_whatever_it_holds(status: int, code: str) -> None:
    for body in (b"<a/>", b"<a><Error><Message/></Error></a>"):
        with pytest.raises(RefusedError) as failure:
            read(_response(status, body))
        assert (failure.value.code, failure.value.message) == (code, "Reason" if code else "")
    if code:
        with pytest.raises(RefusedError) as failure:
            read(_response(status, b"no XML"))
        assert failure.value.code == code


def test_the_bound_is_64_kib() -> None:
    assert LIMIT == 65536


@pytest.mark.parametrize("status", [200, 201, 299])
def test_any_success_is_one(status: int) -> None:
    assert read(_response(status, b"<a/>")).name == "a"
