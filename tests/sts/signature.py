"""Signature Version 4, from the server's side.

Source: IAM user guide, "Create a signed AWS API request" and "Troubleshoot Signature Version 4 signing".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from tests.sts.answers import RefusedError

if TYPE_CHECKING:
    from tests.sts.wire import Request

ALGORITHM = "AWS4-HMAC-SHA256"
# STS's own errors name 15 minutes ("… - 15 min.)"); other services allow 5.
ALLOWED_SKEW = 15 * 60
REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+")


@dataclass(frozen=True)
class Authorization:
    """The Authorization header of a signed request, taken apart."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str

    @classmethod
    def of(cls, request: Request) -> Authorization | None:
        """Read the request's header: None where it has none; a broken one raises RefusedError."""
        header = request.header("Authorization")
        if header is None:
            return None
        algorithm, _, rest = header.partition(" ")
        parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        for name in ("Credential", "Signature", "SignedHeaders"):
            if algorithm != ALGORITHM or not parts.get(name):
                raise RefusedError(400, "IncompleteSignature", f"Authorization header requires '{name}' parameter.")
        scope = parts["Credential"].split("/")
        if len(scope) != 5 or scope[4] != "aws4_request":
            raise RefusedError(400, "IncompleteSignature", "Credential must have exactly 5 slash-delimited elements.")
        signed = tuple(parts["SignedHeaders"].split(";"))
        return cls(scope[0], scope[1], scope[2], scope[3], signed, parts["Signature"])

    def verify(self, request: Request, secret_access_key: str, service: str = "sts") -> None:
        """Raise RefusedError unless the request is signed with this secret, for this service, and its date is near."""
        self._verify_scope(service)
        stamp = request.header("X-Amz-Date") or ""
        self._verify_date(stamp, request.time)
        self._verify_headers(request)
        scope = f"{self.date}/{self.region}/{self.service}/aws4_request"
        digest = hashlib.sha256(self._canonical(request).encode()).hexdigest()
        key = f"AWS4{secret_access_key}".encode()
        for part in scope.split("/"):
            key = _hmac(key, part)
        expected = _hmac(key, f"{ALGORITHM}\n{stamp}\n{scope}\n{digest}").hex()
        if not hmac.compare_digest(expected, self.signature):
            raise _mismatch(
                "The request signature we calculated does not match the signature you provided. "
                "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
            )

    def _verify_scope(self, service: str) -> None:
        if self.service != service:
            raise _mismatch(f"Credential should be scoped to correct service: '{service}'. ")
        if not REGION.fullmatch(self.region):
            raise _mismatch("Credential should be scoped to a valid region. ")

    def _verify_date(self, stamp: str, now: float) -> None:
        try:
            signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            raise RefusedError(
                400, "IncompleteSignature", f"Date must be in ISO-8601 'basic format'. Got '{stamp}'."
            ) from None
        if not stamp.startswith(self.date):
            raise _mismatch(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                f"'{self.date}' != '{stamp[:8]}', from '{stamp}'."
            )
        minutes = ALLOWED_SKEW // 60
        if signed_at < now - ALLOWED_SKEW:
            border = f"{_basic(now - ALLOWED_SKEW)} ({_basic(now)} - {minutes} min.)"
            raise _mismatch(f"Signature expired: {stamp} is now earlier than {border}")
        if signed_at > now + ALLOWED_SKEW:
            border = f"{_basic(now + ALLOWED_SKEW)} ({_basic(now)} + {minutes} min.)"
            raise _mismatch(f"Signature not yet current: {stamp} is still later than {border}")

    def _verify_headers(self, request: Request) -> None:
        if "host" not in self.signed_headers:
            raise _mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
        present = {name.lower() for name in request.headers}
        unsigned = {name for name in present if name.startswith("x-amz-")} - set(self.signed_headers)
        if unsigned:
            raise _mismatch(f"There were headers present in the request which were not signed: {sorted(unsigned)}")

    def _canonical(self, request: Request) -> str:
        query = sorted(
            (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
            for name, value in parse_qsl(request.query, keep_blank_values=True)
        )
        headers = "".join(
            f"{name}:{','.join(' '.join(value.split()) for value in request.headers.get_all(name, []))}\n"
            for name in self.signed_headers
        )
        return "\n".join(
            (
                request.method,
                quote(request.path, safe="/~"),
                "&".join(f"{name}={value}" for name, value in query),
                headers,
                ";".join(self.signed_headers),
                hashlib.sha256(request.body).hexdigest(),
            )
        )


def signer(request: Request) -> tuple[str | None, str | None]:
    """Return access key id and region as the request claims them, unverified; None for what it does not say."""
    found = re.search(r"Credential=([^/,\s]+)/[^/,]*/([^/,]*)/", request.header("Authorization") or "")
    return (found[1], found[2]) if found else (None, None)


def partition_of(region: str) -> str:
    """Return the partition that a region belongs to (botocore's partitions.json)."""
    prefixes = {
        "cn-": "aws-cn",
        "us-gov-": "aws-us-gov",
        "us-iso-": "aws-iso",
        "us-isob-": "aws-iso-b",
        "eu-isoe-": "aws-iso-e",
        "us-isof-": "aws-iso-f",
        "eusc-": "aws-eusc",
    }
    return next((partition for prefix, partition in prefixes.items() if region.startswith(prefix)), "aws")


def _mismatch(message: str) -> RefusedError:
    return RefusedError(403, "SignatureDoesNotMatch", message)


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _basic(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y%m%dT%H%M%SZ")
