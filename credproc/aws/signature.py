"""Signature Version 4, in the headers of a request (IAM User Guide, "Create a signed AWS API request").

Held against AWS's own vectors, as far as a call of the Query protocol can look like them (it has no query string), and
against botocore, in tests/test_signature.py.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import NamedTuple

from credproc.aws.message import Request
from credproc.credentials import Credentials

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# What is on its way between here and AWS may change; botocore leaves these out, too
_UNSIGNED = frozenset(("connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"))


class Scope(NamedTuple):
    """What a signature is good for."""

    region: str
    service: str
    time: float  # epoch seconds; AWS refuses what is more than five minutes off


def signed(request: Request, keys: Credentials, scope: Scope) -> Request:
    """Return the request with the headers that say who has sent it, and when."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(scope.time))
    headers = {**request.headers, "X-Amz-Date": stamp}
    if keys.session_token is not None:
        headers["X-Amz-Security-Token"] = keys.session_token
    request = request._replace(headers=headers)
    covered = _covered(request)
    place = f"{stamp[:8]}/{scope.region}/{scope.service}/aws4_request"
    digest = hashlib.sha256(canonical_request(request).encode()).hexdigest()
    key = f"AWS4{keys.secret_access_key}".encode()
    for part in place.split("/"):
        key = _hmac(key, part)
    signature = _hmac(key, f"{_ALGORITHM}\n{stamp}\n{place}\n{digest}").hex()
    who = f"{keys.access_key_id}/{place}"
    headers["Authorization"] = (
        f"{_ALGORITHM} Credential={who}, SignedHeaders={';'.join(covered)}, Signature={signature}"
    )
    return request._replace(
        secrets=(*request.secrets, keys.secret_access_key, keys.session_token or "", signature),
    )


def canonical_request(request: Request) -> str:
    """Return the text that is signed: one line for each part, the body's digest last.

    The target is a path: requests of the Query protocol have no query string.
    """
    covered = _covered(request)
    return "\n".join(
        (
            request.method,
            _canonical_path(request.url.target),
            "",
            *(f"{name}:{value}" for name, value in covered.items()),
            "",
            ";".join(covered),
            hashlib.sha256(request.body).hexdigest(),
        )
    )


def _covered(request: Request) -> Mapping[str, str]:
    """Return the headers that are signed, in their canonical form and order."""
    found = {name.lower(): " ".join(value.split()) for name, value in request.headers.items()}
    found["host"] = request.url.host_header
    return {name: found[name] for name in sorted(found) if name not in _UNSIGNED}


def _canonical_path(path: str) -> str:
    """Return the path without dots and empty segments, each byte that is not plain escaped (escapes too)."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    plain = "/" + "/".join(kept) + ("/" if kept and path.endswith("/") else "")
    return "".join(chr(byte) if byte in _UNRESERVED or byte == 0x2F else f"%{byte:02X}" for byte in plain.encode())


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
