"""What was sent is taken out of an answer, however it is quoted."""

import base64
import html
import json
import random
import re
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credproc.aws.message import Request, Response, without_secrets
from credproc.aws.signature import Scope, signed
from credproc.credentials import Credentials
from credproc.masking import masked
from credproc.plan.url import Url

SECRET_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
_RANDOM = random.Random(1)  # noqa: S311 - a made-up token
TOKEN = base64.b64encode(b"".join(bytes([n]) * 3 + _RANDOM.randbytes(5) for n in range(60))).decode()
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL29pZGMuZXhhbXBsZS5jb20ifQ.c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4"
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::é/b"}]}'
EXTERNAL_ID = "Unique/Id=1+2@x:y"
CODE = "287082"
SECRETS = {"secret key": SECRET_KEY, "token": TOKEN, "JWT": JWT, "policy": POLICY, "id": EXTERNAL_ID, "code": CODE}

FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "in a form": quote_plus,
    "in a URL": lambda text: quote(text, safe=""),
    "in a URL, in lower case": lambda text: quote(text, safe="").lower(),
    "in a URL of a URL": lambda text: quote(quote(text, safe=""), safe=""),
    "in XML": escape,
    "in HTML": html.escape,
    "in HTML of HTML": lambda text: html.escape(html.escape(text)),
    "in XML, by number": lambda text: "".join(c if c.isalnum() and c.isascii() else f"&#{ord(c)};" for c in text),
    "in XML, by number in hex": lambda text: "".join(
        c if c.isalnum() and c.isascii() else f"&#x{ord(c):X};" for c in text
    ),
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in JSON, with slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "in JSON, by number": lambda text: "".join(c if c.isalnum() and c.isascii() else f"\\u{ord(c):04x}" for c in text),
    "in JSON of JSON": lambda text: json.dumps(json.dumps(text))[1:-1],
    "in repr": repr,
}
_ESCAPED = re.compile(r"%(?:25)?[0-9A-Fa-f]{2}|&(?:amp;)?#?\w+;|\\+u[0-9a-f]{4}|\\+")  # one character each
AROUND = "Value {} at 'parameter' of arn:aws:iam::123456789012:user/user1 (at 12:34:56)"


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_masked_in_every_form_and_nothing_else_is(form: str, secret: str) -> None:
    text = AROUND.format(f"'{FORMS[form](SECRETS[secret])}'")
    shown = masked(text, SECRETS.values())
    assert shown.startswith("Value '")
    assert shown.endswith("' at 'parameter' of arn:aws:iam::123456789012:user/user1 (at 12:34:56)")
    middle = shown.removeprefix("Value ").partition(" at ")[0]
    assert "***" in middle
    assert not [word for word in re.findall("[0-9A-Za-z]{3,}", SECRETS[secret]) if word.lower() in middle.lower()]


@pytest.mark.parametrize("secret", ["secret key", "token", "JWT"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("part", [slice(0, 20), slice(-20, None), slice(9, 33)])
def test_a_part_of_a_long_secret_is_masked(form: str, secret: str, part: slice) -> None:
    shown = masked(FORMS[form](SECRETS[secret])[part], [SECRETS[secret]])
    left = [piece for piece in shown.split("***") if len(_ESCAPED.sub(".", piece)) >= 12]
    assert not left, shown


def test_a_folded_token_is_masked_but_for_less_than_anybody_can_use() -> None:
    folded = "\r\n ".join(TOKEN[start : start + 64] for start in range(0, len(TOKEN), 64))
    assert set(masked(f"<{folded}>", [TOKEN])) == set("<*\r\n >")


def test_a_short_secret_is_masked_as_a_word() -> None:
    assert (
        masked("123456 of 123456789012, at 12:34:56, x123456", ["123456"])
        == "*** of 123456789012, at 12:34:56, x123456"
    )


def test_what_a_policy_names_is_no_secret_by_itself() -> None:
    text = "User: arn:aws:s3:::b is not authorized to perform: s3:Get*"
    assert masked(text, [POLICY]) == text


def test_nothing_is_masked_where_there_is_no_secret() -> None:
    assert masked("a\x1b % &amp; \\ b", ["", "+/="]) == "a\x1b % &amp; \\ b"


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(list(FORMS.values())), st.sampled_from([TOKEN, JWT]))
def test_whatever_stands_around_it_a_token_is_not_seen(
    before: str, after: str, form: Callable[[str], str], secret: str
) -> None:
    shown = masked(f"{before} {form(secret)} {after}", [secret])
    assert not any(secret[start : start + 24] in shown for start in range(len(secret) - 24))
    assert shown.startswith(f"{before} "[: max(0, len(before) - 8)])


def test_the_time_that_a_refusal_takes_grows_with_its_length_alone() -> None:
    def seconds(length: int) -> float:
        body = ("%25&amp;\\" * 8000)[:length]
        began = time.process_time()
        masked(body, [TOKEN * 10, JWT])
        masked(body.replace("%25", "abc"), [TOKEN * 10, JWT])
        return time.process_time() - began

    short, long = (min(seconds(kib * 1024) for _ in range(3)) for kib in (8, 64))
    assert long < 16 * short  # eight times as long; a pattern that goes back and forth takes at least 64 times


def test_a_request_knows_its_secrets_and_shows_none() -> None:
    keys = Credentials("AKIAIOSFODNN7EXAMPLE", SECRET_KEY, TOKEN)
    request = signed(
        Request("POST", Url.of("https://sts.amazonaws.com"), {}, secrets=(CODE,)), keys, Scope("x", "sts", 0)
    )
    signature = request.headers["Authorization"].rpartition("=")[2]
    assert set(request.secrets) == {CODE, SECRET_KEY, TOKEN, signature}
    assert not any(secret in repr(request) for secret in request.secrets)


@pytest.mark.parametrize("status", [302, 400, 403, 502])
def test_a_refusal_comes_without_what_was_sent(status: int) -> None:
    request = Request("POST", Url.of("https://sts.amazonaws.com"), {}, secrets=(TOKEN,))
    response = Response(
        status, f"no {TOKEN}", {"location": f"http://x/{TOKEN}"}, f"<a>{TOKEN}</a>\xff".encode("latin-1")
    )
    shown = without_secrets(response, request)
    assert "***" in shown.reason
    assert shown.headers["location"].startswith("http://x/***")
    assert shown.body.startswith(b"<a>***")
    assert shown.body.endswith(b"</a>\xff")
    assert TOKEN[:12] not in repr(shown)


def test_an_answer_is_left_as_it_is() -> None:
    request = Request("POST", Url.of("https://sts.amazonaws.com"), {}, secrets=(TOKEN,))
    response = Response(200, "OK", {}, f"<a>{TOKEN[:40]}</a>".encode())  # tokens of STS begin alike
    assert without_secrets(response, request) is response
