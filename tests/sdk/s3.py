"""A tiny S3 on the loopback: one bucket that tells whoever signs a request the access key id of it.

A listing has one key, named so; below ``env:/``, where OpenTofu keeps workspaces, it is the state of one named so. The
object ``caller`` is lines with it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from tests.sts.answers import RefusedError
from tests.sts.faults import hold
from tests.sts.signature import Authorization, partition_of, signer
from tests.sts.wire import Answer, Loopback, Received, Request

if TYPE_CHECKING:
    from tests.sts import Credentials, Exchange, Sts


_WORKSPACES = "env:/"
_OBJECT = "/whoami/caller"
_LINE = 32  # bytes of a line of the object
_SIZE = 2**20  # bytes of the object


@dataclass
class Call:
    """A request that reached S3, and who signed it as far as it says. `outcome` is `OK` or an error code."""

    access_key_id: str | None
    user_agent: str
    outcome: str | None = None


class S3(Loopback):
    """The service. It believes in the keys of its STS. `pages` is how many a listing has; `calls` are the requests.

    `released` (where set) holds the answers back: so many have been let go since the double was made.
    """

    def __init__(self, sts: Sts) -> None:
        self.sts = sts
        self.calls: list[Call] = []
        self.pages = 1
        self.released: int | None = None
        super().__init__()
        self.always(self._let_go)

    def _let_go(self, exchange: Exchange) -> None:
        number = len(self.calls)
        hold(lambda: self.released is None or self.released >= number)(exchange)

    def wait_for(self, count: int, timeout: float) -> bool:
        """Wait until so many requests have arrived; False when the seconds were not enough."""
        end = time.monotonic() + timeout
        while len(self.calls) < count or self.calls[count - 1].outcome is None:
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def receive(self, request: Request) -> Received:
        """Note the request; it is decided on arrival, for signatures grow old while an answer is held."""
        call = Call(signer(request)[0], request.header("User-Agent") or "")
        self.calls.append(call)
        number = len(self.calls)
        try:
            caller = self._authenticate(request)
            if request.path.rstrip("/") == "/whoami":
                answer = self._listing(request, caller.access_key_id, last=number >= self.pages)
            else:
                answer = _object(request, caller.access_key_id)
        except RefusedError as refused:
            body = f"<Error><Code>{refused.code}</Code><Message>{refused.message}</Message></Error>"
            content = b"" if request.method == "HEAD" else body.encode()
            answer = Answer(refused.status, content, "application/xml", code=refused.code)
        call.outcome = answer.code or "OK"
        return Received("ListObjectsV2", lambda: answer)

    def _authenticate(self, request: Request) -> Credentials:
        authorization = Authorization.of(request)
        if authorization is None:
            raise RefusedError(403, "AccessDenied", "Access Denied")  # what S3 says to the anonymous
        caller = self.sts.iam.credentials(authorization.access_key_id)
        if caller is None or caller.partition != partition_of(authorization.region):
            raise RefusedError(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist.")
        if caller.session_token != request.header("X-Amz-Security-Token"):
            raise RefusedError(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
        authorization.verify(request, caller.secret_access_key, "s3")
        if caller.expiration is not None and self.now() >= caller.expiration:
            raise RefusedError(400, "ExpiredToken", "The provided token has expired.")
        return caller

    def _listing(self, request: Request, key: str, *, last: bool) -> Answer:
        prefix = parse_qs(request.query).get("prefix", [""])[0]
        name = f"{prefix}{key}" + ("/state" if prefix == _WORKSPACES else "")
        token = "" if last else f"<NextContinuationToken>{len(self.calls)}</NextContinuationToken>"
        body = (
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>whoami</Name><Prefix>{prefix}</Prefix><MaxKeys>1000</MaxKeys><KeyCount>1</KeyCount>"
            f"<IsTruncated>{'false' if last else 'true'}</IsTruncated>{token}"
            f"<Contents><Key>{name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            "<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>0</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>"
        )
        return Answer(200, body.encode(), "application/xml")


def _object(request: Request, key: str) -> Answer:
    """Answer a request for a part of the object, as programs ask that read a large one here and there."""
    wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", request.header("Range") or "")
    if request.path != _OBJECT:
        raise RefusedError(404, "NoSuchKey", "The specified key does not exist.")
    if request.method != "GET" or wanted is None:
        raise RefusedError(501, "NotImplemented", "A header implies functionality that is not implemented.")
    first, last = int(wanted[1]), min(int(wanted[2]), _SIZE - 1)
    content = f"{key:<{_LINE - 1}}\n".encode() * (_SIZE // _LINE)
    headers = (("Content-Range", f"bytes {first}-{last}/{_SIZE}"), ("Accept-Ranges", "bytes"))
    return Answer(206, content[first : last + 1], "text/plain", headers)
