"""Signature Version 4: AWS's own vectors, as far as a call of the Query protocol can look like them.

Against botocore it is held in tests/test_query.py, with whole calls.
"""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from credproc.aws.message import Request
from credproc.aws.signature import Scope, canonical_request, signed
from credproc.credentials import Credentials
from credproc.plan.url import Url

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "cases" / "sigv4.json").read_text())

# What no call of ours can look like, and why
OTHERWISE = {
    "get-header-key-duplicate": "a header comes once",
    "get-header-value-multiline": "a header has one line",
    "get-header-value-order": "a header comes once",
    "post-sts-header-after": "the session token is always signed",
    **dict.fromkeys(
        (case["name"] for case in VECTORS if not case["context"]["normalize"]), "S3 alone leaves a path as it is"
    ),
    **dict.fromkeys(
        (case["name"] for case in VECTORS if "?" in case["request"].partition("\n")[0]),
        "parameters are in the body, and there is no query",
    ),
    **dict.fromkeys(("get-space-normalized", "get-utf8"), "an endpoint's path is visible ASCII"),
}
OURS = [case for case in VECTORS if case["name"] not in OTHERWISE]


def _request(case: dict[str, Any]) -> Request:
    head, _, body = case["request"].partition("\n\n")
    line, *lines = head.splitlines()
    method, target, _ = line.split(" ")
    headers = dict(found.split(":", 1) for found in lines)
    for name in ("Host", "X-Amz-Date", "X-Amz-Security-Token"):
        headers.pop(name, None)
    if case["context"]["sign_body"]:
        headers["X-Amz-Content-SHA256"] = hashlib.sha256(body.encode()).hexdigest()
    return Request(method, Url("https", "example.amazonaws.com", 443, target), headers, body.encode())


def _signed(case: dict[str, Any]) -> Request:
    context = case["context"]
    found = context["credentials"]
    keys = Credentials(found["access_key_id"], found["secret_access_key"], found.get("token"))
    time = datetime.fromisoformat(context["timestamp"].replace("Z", "+00:00")).timestamp()
    return signed(_request(case), keys, Scope(context["region"], context["service"], time))


def test_most_vectors_that_are_about_headers_path_or_body_are_held() -> None:
    assert len(VECTORS) == 38
    assert set(OTHERWISE) <= {case["name"] for case in VECTORS}
    assert len(OURS) >= 13, [case["name"] for case in OURS]


@pytest.mark.parametrize("case", OURS, ids=[case["name"] for case in OURS])
def test_a_request_is_signed_as_awss_vectors_say(case: dict[str, Any]) -> None:
    request = _signed(case)
    without = request._replace(headers={k: v for k, v in request.headers.items() if k != "Authorization"})
    assert canonical_request(without) == case["canonical_request"]
    signed_headers = dict(line.split(":", 1) for line in case["signed_request"].splitlines()[1:] if ":" in line)
    assert request.headers["Authorization"] == signed_headers["Authorization"]
    assert request.headers["X-Amz-Date"] == signed_headers["X-Amz-Date"]
    assert request.headers.get("X-Amz-Security-Token") == signed_headers.get("X-Amz-Security-Token")


def test_what_may_change_on_its_way_is_not_signed() -> None:
    url = Url("https", "sts.amazonaws.com", 443, "/")
    headers = {
        "User-Agent": "x",
        "Connection": "close",
        "Expect": "100-continue",
        "Transfer-Encoding": "chunked",
        "X-Amzn-Trace-Id": "1",
        "Content-Type": "text/plain",
    }
    request = signed(Request("POST", url, headers, b""), Credentials("A", "s"), Scope("us-east-1", "sts", 0))
    assert "SignedHeaders=content-type;host;x-amz-date," in request.headers["Authorization"]


def test_the_secret_is_not_sent() -> None:
    url = Url("https", "sts.amazonaws.com", 443, "/")
    request = signed(Request("POST", url, {}, b""), Credentials("AKIA", "precious", "t"), Scope("r", "sts", 0))
    assert "precious" not in str(request)


def test_a_request_is_not_changed_by_signing_it() -> None:
    url = Url("https", "sts.amazonaws.com", 443, "/")
    request = Request("POST", url, {"A": "b"}, b"")
    signed(request, Credentials("AKIA", "s", "t"), Scope("r", "sts", 0))
    assert request == Request("POST", url, {"A": "b"}, b"")


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/", "/"),
        ("/base", "/base"),
        ("/base/", "/base/"),
        ("//a//b/", "/a/b/"),
        ("/a/../../b/./", "/b/"),
        ("/..", "/"),
        ("/a%20b", "/a%2520b"),
        ("/a~b_c-d.e+f", "/a~b_c-d.e%2Bf"),
    ],
)
def test_the_path_of_an_endpoint_is_signed_without_detours_and_escaped_once_more(path: str, canonical: str) -> None:
    request = Request("POST", Url("https", "h", 443, path), {}, b"")
    assert canonical_request(request).splitlines()[1] == canonical
