"""A strict STS on the loopback: it enforces what AWS enforces, counts, and fails when told to.

    with Sts() as sts:
        user = sts.user("user1", mfa=True)
        role = sts.role("arn:aws:iam::123456789012:role/admin", Trust((user.arn,), mfa_required=True))
        sts.once(throttle())
        ...                                         # a client with endpoint sts.url and the user's keys
        assert sts.count("AssumeRole") == 2

The account model is in iam.py, the four actions in actions.py, faults in faults.py; what IAM does with access keys, at
the same address, in accesskeys.py.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qsl

from tests.sts import accesskeys
from tests.sts.actions import ACTIONS, Asked, permissive
from tests.sts.answers import Elements, RefusedError, error_answer, result_answer
from tests.sts.faults import (
    HTML,
    changed,
    cut_off,
    delay,
    drip,
    expired,
    fail,
    hang,
    hang_up,
    hold,
    redirect,
    say,
    throttle,
    truncated,
    with_text,
    without,
)
from tests.sts.iam import Credentials, Iam, Role, Trust, User, new_role_id, session_arn, totp
from tests.sts.parameters import check
from tests.sts.signature import Authorization, partition_of, signer
from tests.sts.wire import Answer, Exchange, Fault, Loopback, Received, Request, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = [
    "HTML",
    "Answer",
    "Call",
    "Credentials",
    "Exchange",
    "Fault",
    "Role",
    "Sts",
    "Trust",
    "User",
    "changed",
    "cut_off",
    "delay",
    "drip",
    "expired",
    "fail",
    "hang",
    "hang_up",
    "hold",
    "redirect",
    "say",
    "throttle",
    "totp",
    "truncated",
    "whole",
    "with_text",
    "without",
]

VERSION = "2011-06-15"
UNSIGNED = "AssumeRoleWithWebIdentity"


@dataclass
class Call:
    """A request that reached STS. `outcome` is `OK`, an error code, or None while (or because) nothing was decided."""

    action: str
    parameters: Mapping[str, str] = field(repr=False)
    access_key_id: str | None
    region: str | None
    host: str
    path: str
    signed: bool
    time: float
    user_agent: str = field(default="", repr=False)
    outcome: str | None = None
    seconds: float | None = None  # that the service took to decide and begin its answer, a fault's delay included
    request: Request | None = field(default=None, repr=False)  # as it came


class Sts(Loopback):
    """The service. Declare users and roles, point a client at `url`, read `calls`. Thread-safe.

    `permissive`: accept any signer, role and parameters, and only record; the keys given out then depend on the
    request alone. `made` are those of this process, in order, for whoever looks back at a test.
    """

    made: ClassVar[list[Sts]] = []

    def __init__(self, *, permissive: bool = False) -> None:
        self.made.append(self)
        self.permissive = permissive
        self.calls: list[Call] = []
        self.codes: list[tuple[str, str]] = []
        self.iam = Iam(self.now)
        self._news = threading.Condition()
        super().__init__()

    # The account model

    def user(
        self,
        name: str,
        account: str = "123456789012",
        *,
        mfa: str | bool = False,
        partition: str = "aws",
    ) -> User:
        """Make a user with long-term keys and, with `mfa`, a TOTP device: True for its usual ARN, or a serial."""
        return self.iam.add_user(name, account, mfa=mfa, partition=partition)

    def role(
        self, arn: str, trust: Trust, *, max_session_duration: int = 3600, session_name_pattern: str = "*"
    ) -> Role:
        """Make a role, or replace it. The pattern is a StringLike (`*`, `?`) on the session's name."""
        return self.iam.add_role(Role(arn, trust, max_session_duration, session_name_pattern, new_role_id()))

    def temporary(
        self, principal: Role | User | str, seconds: float = 3600, session_name: str = "i-0123456789abcdef0"
    ) -> Credentials:
        """Mint temporary credentials as another source would hold them, for a role (or its ARN) or a user."""
        if isinstance(principal, User):
            return self.iam.issue(Credentials("", principal.arn, "user session", ""), seconds)
        arn = principal if isinstance(principal, str) else principal.arn
        session = Credentials("", session_arn(arn, session_name), "role session", "", role_arn=arn)
        return self.iam.issue(session, seconds)

    def web_identity_token(
        self,
        issuer: str,
        *,
        subject: str = "system:serviceaccount:default:app",
        audience: str = "sts.amazonaws.com",
        seconds: float = 3600,
    ) -> str:
        """Return a token of this issuer, as a token file would hold it. `Trust(federated=issuer)` believes it."""
        return self.iam.web_identity_token(issuer, subject, audience, seconds)

    def expire(self, credentials: Credentials | str) -> None:
        """End temporary credentials (or those of this access key id) now: ExpiredToken."""
        self.iam.expire(credentials if isinstance(credentials, str) else credentials.access_key_id)

    def revoke(self, credentials: Credentials | User | str) -> None:
        """Forget a key (or this access key id): InvalidClientTokenId."""
        self.iam.revoke(credentials if isinstance(credentials, str) else credentials.access_key_id)

    @property
    def lifetime(self) -> float | None:
        """Seconds that credentials live whatever was asked for; None: as asked for."""
        return self.iam.lifetime

    @lifetime.setter
    def lifetime(self, seconds: float | None) -> None:
        self.iam.lifetime = seconds

    @property
    def disabled_regions(self) -> set[str]:
        """Regions in which STS is not activated (RegionDisabledException)."""
        return self.iam.disabled_regions

    # What happened

    def count(self, action: str | None = None, outcome: str | None = None) -> int:
        """Return how many calls (of this action, with this outcome) have arrived."""
        return sum(action in {None, call.action} and outcome in {None, call.outcome} for call in list(self.calls))

    def wait_for(
        self, count: int, action: str | None = None, outcome: str | None = None, *, timeout: float = 5
    ) -> bool:
        """Wait until so many calls have arrived (with this outcome); False when the seconds were not enough."""
        with self._news:
            return self._news.wait_for(lambda: self.count(action, outcome) >= count, timeout)

    def repeated_codes(self) -> list[tuple[str, str]]:
        """Return the (serial, code) pairs that came more than once, whatever the answers were."""
        return [pair for pair, times in Counter(self.codes).items() if times > 1]

    def hold(self, until: threading.Event | Path | Callable[[], object], action: str | None = None) -> None:
        """Hold all answers until the event is set, the file exists or the call says yes."""
        self.always(hold(until), action)

    # The service

    def receive(self, request: Request) -> Received:
        """Record the call, and decide it when asked to."""
        form = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        names = dict(form)
        action, version = names.pop("Action", ""), names.pop("Version", "")
        sound = request.method == "POST" and len(form) == len(dict(form)) and version == _version(action)
        access_key_id, region = signer(request)
        call = Call(
            action if sound else "",
            names,
            access_key_id,
            region,
            request.header("Host") or "",
            request.path,
            request.header("Authorization") is not None,
            request.time,
            request.header("User-Agent") or "",
            request=request,
        )
        self._record(call)
        began = time.monotonic()

        def decide() -> Answer:
            try:
                return result_answer(action, self._decide(call, request))
            except RefusedError as refused:
                return error_answer(refused.status, refused.code, refused.message)

        def tell(outcome: str) -> None:
            with self._news:
                call.outcome = outcome
                call.seconds = time.monotonic() - began
                self._news.notify_all()

        return Received(action, decide, tell)

    def _record(self, call: Call) -> None:
        with self._news:
            self.calls.append(call)
            if "TokenCode" in call.parameters:
                self.codes.append((call.parameters.get("SerialNumber", ""), call.parameters["TokenCode"]))
            self._news.notify_all()

    def _decide(self, call: Call, request: Request) -> Elements:
        if call.action in accesskeys.ACTIONS:
            caller = self._authenticate(request, "iam")
            return accesskeys.ACTIONS[call.action](Asked(self.iam, caller, call.parameters))
        if call.action not in ACTIONS:
            message = f"Could not find operation {call.action or '(a form with Version and distinct names is needed)'}"
            raise RefusedError(400, "InvalidAction", message)
        if self.permissive:
            return permissive(call.action, call.parameters, call.access_key_id or "", request.time)
        caller = self._authenticate_unsigned(request) if call.action == UNSIGNED else self._authenticate(request)
        check(call.action, call.parameters)
        return ACTIONS[call.action](Asked(self.iam, caller, call.parameters))

    def _authenticate(self, request: Request, service: str = "sts") -> Credentials:
        """Return who has signed; raise RefusedError unless the signature, the key and its token are good."""
        authorization = Authorization.of(request)
        if authorization is None:
            raise RefusedError(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        caller = self.iam.credentials(authorization.access_key_id)
        known = caller is not None and caller.session_token == request.header("X-Amz-Security-Token")
        if caller is None or not known or caller.partition != partition_of(authorization.region):
            raise RefusedError(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        authorization.verify(request, caller.secret_access_key, service)
        if caller.expiration is not None and self.now() >= caller.expiration:
            raise RefusedError(403, "ExpiredToken", "The security token included in the request is expired")
        if authorization.region in self.disabled_regions:
            raise RefusedError(
                403,
                "RegionDisabledException",
                f"STS is not activated in this region for account:{caller.account}. "
                "Your account administrator can activate STS in this region using the IAM Console.",
            )
        return caller

    def _authenticate_unsigned(self, request: Request) -> Credentials:
        """Return nobody; AWS only ignores a signature here, but whoever signs has looked for keys it does not need."""
        if {"authorization", "x-amz-security-token"} & {name.lower() for name in request.headers}:
            raise RefusedError(400, "SignedWebIdentityRequest", "AssumeRoleWithWebIdentity must come unsigned")
        return Credentials("", "arn:aws:sts::000000000000:nobody", "user", "")


def _version(action: str) -> str:
    return accesskeys.VERSION if action in accesskeys.ACTIONS else VERSION
