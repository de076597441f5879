"""A tiny S3 on the loopback: one bucket, and in it one key, named by the access key id of whoever has signed."""

from __future__ import annotations

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


@dataclass
class Listing:
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
        self.calls: list[Listing] = []
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
        call = Listing(signer(request)[0], request.header("User-Agent") or "")
        self.calls.append(call)
        number = len(self.calls)
        try:
            caller = self._authenticate(request)
            answer = self._listing(request, caller.access_key_id, last=number >= self.pages)
        except RefusedError as refused:
            body = f"<Error><Code>{refused.code}</Code><Message>{refused.message}</Message></Error>"
            answer = Answer(refused.status, body.encode(), "application/xml", code=refused.code)
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
        token = "" if last else f"<NextContinuationToken>{len(self.calls)}</NextContinuationToken>"
        body = (
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>whoami</Name><Prefix>{prefix}</Prefix><MaxKeys>1000</MaxKeys><KeyCount>1</KeyCount>"
            f"<IsTruncated>{'false' if last else 'true'}</IsTruncated>{token}"
            f"<Contents><Key>{prefix}{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            "<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>0</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>"
        )
        return Answer(200, body.encode(), "application/xml")
