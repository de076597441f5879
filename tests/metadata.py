"""Doubles of what hands out a machine's or a person's credentials: IMDSv2, the container endpoint, Identity Center.

They give out credentials that a strict STS knows, so that what is done with them is checked there. `requests` counts
by action (see each class); the faults of tests.sts work here as well.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from abc import abstractmethod
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from tests.sts.answers import iso
from tests.sts.wire import Answer, Loopback, Received, Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.sts import Credentials, Role, Sts, User

# botocore takes instance credentials for stale in their last 15 minutes, the real services renew theirs before.
RENEW_BEFORE = 300


class CredentialSource(Loopback):
    """A service that hands out temporary credentials of one principal: the same ones until near their end."""

    def __init__(self, sts: Sts, principal: Role | User | str, seconds: float) -> None:
        self.sts = sts
        self.principal = principal
        self.seconds = seconds
        self.requests: list[str] = []
        self._minted: Credentials | None = None
        super().__init__()

    def count(self, action: str) -> int:
        """Return how many requests of this action have come."""
        return self.requests.count(action)

    def credentials(self) -> Credentials:
        """Return what is handed out now."""
        with self.lock:
            known = self._minted
            if known is None or (known.expiration or 0) - self.sts.now() < min(RENEW_BEFORE, self.seconds / 3):
                known = self._minted = self.sts.temporary(self.principal, self.seconds)
            return known

    def receive(self, request: Request) -> Received:
        """Count the request under its action's name."""
        action = self.action(request)
        with self.lock:
            self.requests.append(action)
        return Received(action, lambda: self.answer(action, request))

    @abstractmethod
    def action(self, request: Request) -> str:
        """Return the name under which the request is counted and faults are set."""

    @abstractmethod
    def answer(self, action: str, request: Request) -> Answer:
        """Return the service's answer."""


class Imds(CredentialSource):
    """The EC2 instance metadata service. Actions: `token`, `role`, `credentials`, `region`, `other`.

    `environment()` points botocore here. A request without a token is refused unless `v1`; without a `role_name`
    the instance has no role (404). Source: EC2 user guide, "Use the Instance Metadata Service".
    """

    PATH = "/latest/meta-data/iam/security-credentials/"

    def __init__(
        self,
        sts: Sts,
        principal: Role | User | str,
        seconds: float = 21600,
        *,
        role_name: str | None = "instance-role",
        v1: bool = False,
        region: str = "us-east-1",
    ) -> None:
        self.role_name = role_name
        self.v1 = v1
        self.region = region
        self._tokens: dict[str, float] = {}
        super().__init__(sts, principal, seconds)

    def environment(self) -> dict[str, str]:
        """Return the AWS variable that names this service."""
        return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url}

    def action(self, request: Request) -> str:
        """Name the request by its path."""
        if request.path == "/latest/api/token":
            return "token"
        if request.path.startswith(self.PATH):
            return "credentials" if request.path.removeprefix(self.PATH) else "role"
        return "region" if request.path == "/latest/meta-data/placement/region" else "other"

    def answer(self, action: str, request: Request) -> Answer:
        """Answer as IMDS does: plain text, or JSON called plain text."""
        if action == "token":
            return self._token(request)
        if not self._admits(request):
            return _plain(401, "")
        if action == "region":
            return _plain(200, self.region)
        asked_for = request.path.removeprefix(self.PATH)
        if self.role_name is None or action == "other" or asked_for not in {"", self.role_name}:
            return _plain(404, "")
        if action == "role":
            return _plain(200, self.role_name)
        held = self.credentials()
        return _plain(
            200,
            json.dumps(
                {
                    "Code": "Success",
                    "LastUpdated": iso(self.now()),
                    "Type": "AWS-HMAC",
                    "AccessKeyId": held.access_key_id,
                    "SecretAccessKey": held.secret_access_key,
                    "Token": held.session_token,
                    "Expiration": held.expiration_text,
                }
            ),
        )

    def _token(self, request: Request) -> Answer:
        if request.method != "PUT" or request.header("X-Forwarded-For") is not None:
            return _plain(405 if request.method != "PUT" else 403, "")
        seconds = request.header("X-aws-ec2-metadata-token-ttl-seconds") or ""
        if not seconds.isdigit() or not 1 <= int(seconds) <= 21600:
            return _plain(400, "")
        token = secrets.token_urlsafe(42)
        with self.lock:
            self._tokens[token] = self.now() + int(seconds)
        return _plain(200, token, ("X-aws-ec2-metadata-token-ttl-seconds", seconds))

    def _admits(self, request: Request) -> bool:
        token = request.header("X-aws-ec2-metadata-token")
        return self.v1 if token is None else self._tokens.get(token, 0) > self.now()


class Container(CredentialSource):
    """The ECS agent's or the EKS Pod Identity agent's endpoint. Actions: `credentials`, `other`.

    `authorization`, where given, must come as that header. Source: SDKs reference guide, "Container credential
    provider".
    """

    PATH = "/v2/credentials/47a2bb54-e0ee-4a5f-a3a2-1a6d7ac1b1a3"

    def __init__(
        self, sts: Sts, principal: Role | User | str, seconds: float = 21600, *, authorization: str | None = None
    ) -> None:
        self.authorization = authorization
        super().__init__(sts, principal, seconds)

    @property
    def full_uri(self) -> str:
        """What AWS_CONTAINER_CREDENTIALS_FULL_URI holds."""
        return self.url + self.PATH

    def environment(self) -> dict[str, str]:
        """Return the AWS variables of such a container, the authorization as a variable and not as a file."""
        variables = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.full_uri}
        if self.authorization is not None:
            variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = self.authorization
        return variables

    def action(self, request: Request) -> str:
        """Name the request by its path."""
        return "credentials" if request.path == self.PATH else "other"

    def answer(self, action: str, request: Request) -> Answer:
        """Answer as the ECS agent does."""
        if self.authorization is not None and request.header("Authorization") != self.authorization:
            return _json(401, {"code": "AccessDenied", "message": "Authorization header is missing or wrong"})
        if action != "credentials" or request.method != "GET":
            return _json(404, {"code": "NoSuchId", "message": "Credentials not found"})
        held = self.credentials()
        return _json(
            200,
            {
                "RoleArn": held.role_arn or held.arn,
                "AccessKeyId": held.access_key_id,
                "SecretAccessKey": held.secret_access_key,
                "Token": held.session_token,
                "Expiration": held.expiration_text,
            },
        )


class Sso(CredentialSource):
    """The IAM Identity Center portal and its OIDC token endpoint, for one person who has one role.

    Actions: `GetRoleCredentials`, `CreateToken` (refresh only), `other`. `sign_in()` leaves what `aws sso login`
    leaves, `sign_out()` makes the portal refuse it.
    Source: IAM Identity Center portal API reference, GetRoleCredentials; OIDC API reference, CreateToken.
    """

    START_URL = "https://example.awsapps.com/start"

    def __init__(self, sts: Sts, role: Role | str, seconds: float = 3600) -> None:
        self.role_arn = role if isinstance(role, str) else role.arn
        self._tokens: dict[str, float] = {}
        self._refresh_tokens: set[str] = set()
        super().__init__(sts, role, seconds)

    @property
    def account_id(self) -> str:
        """What sso_account_id holds."""
        return self.role_arn.split(":")[4]

    @property
    def role_name(self) -> str:
        """What sso_role_name holds."""
        return self.role_arn.rpartition("/")[2]

    def environment(self) -> dict[str, str]:
        """Return the AWS variables that point botocore's clients here."""
        return {"AWS_ENDPOINT_URL_SSO": self.url, "AWS_ENDPOINT_URL_SSO_OIDC": self.url}

    def token(self, seconds: float = 28800) -> str:
        """Return a new access token that the portal takes for so many seconds."""
        token = secrets.token_urlsafe(60)
        with self.lock:
            self._tokens[token] = self.now() + seconds
        return token

    def sign_in(
        self, home: Path, seconds: float = 28800, *, sso_session: str | None = None, refreshable: bool = False
    ) -> Path:
        """Write the token cache as `aws sso login` does, under this home; return the file.

        With an `sso_session` the file is named for it, else for the start URL (the older form, without refresh).
        """
        directory = home / ".aws" / "sso" / "cache"
        directory.mkdir(parents=True, exist_ok=True)
        key = hashlib.sha1((sso_session or self.START_URL).encode(), usedforsecurity=False).hexdigest()
        document: dict[str, str] = {
            "startUrl": self.START_URL,
            "region": "us-east-1",
            "accessToken": self.token(seconds),
            "expiresAt": iso(self.now() + seconds),
        }
        if refreshable:
            document |= {
                "clientId": "client",
                "clientSecret": "client-secret",
                "registrationExpiresAt": iso(self.now() + 90 * 86400),
                "refreshToken": self._refresh_token(),
            }
        path = directory / f"{key}.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(document))
        return path

    def sign_out(self) -> None:
        """Forget all tokens: the portal answers UnauthorizedException to them, whatever their files say."""
        with self.lock:
            self._tokens.clear()
            self._refresh_tokens.clear()

    def action(self, request: Request) -> str:
        """Name the request by its path."""
        return {"/federation/credentials": "GetRoleCredentials", "/token": "CreateToken"}.get(request.path, "other")

    def answer(self, action: str, request: Request) -> Answer:
        """Answer as the portal does."""
        if action == "CreateToken":
            return self._create_token(request)
        if action == "other":
            return _error(404, "ResourceNotFoundException", "No such operation")
        if self._tokens.get(request.header("x-amz-sso_bearer_token") or "", 0) <= self.now():
            return _error(401, "UnauthorizedException", "Session token not found or invalid")
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        if query != {"account_id": self.account_id, "role_name": self.role_name}:
            return _error(403, "ForbiddenException", "No access")
        held = self.credentials()
        return _json(
            200,
            {
                "roleCredentials": {
                    "accessKeyId": held.access_key_id,
                    "secretAccessKey": held.secret_access_key,
                    "sessionToken": held.session_token,
                    "expiration": int((held.expiration or 0) * 1000),
                }
            },
        )

    def _create_token(self, request: Request) -> Answer:
        asked = json.loads(request.body)
        with self.lock:
            if asked.get("grantType") != "refresh_token" or asked.get("refreshToken") not in self._refresh_tokens:
                return _error(400, "InvalidGrantException", "Invalid refresh token provided")
            self._refresh_tokens.remove(asked["refreshToken"])
        return _json(
            200,
            {
                "accessToken": self.token(),
                "expiresIn": 28800,
                "refreshToken": self._refresh_token(),
                "tokenType": "Bearer",
            },
        )

    def _refresh_token(self) -> str:
        token = secrets.token_urlsafe(60)
        with self.lock:
            self._refresh_tokens.add(token)
        return token


def _plain(status: int, text: str, *headers: tuple[str, str]) -> Answer:
    return Answer(status, text.encode(), "text/plain", headers)


def _json(status: int, document: Mapping[str, object], *headers: tuple[str, str]) -> Answer:
    return Answer(status, json.dumps(document).encode(), "application/json", headers)


def _error(status: int, code: str, message: str) -> Answer:
    return _json(status, {"message": message, "__type": code}, ("x-amzn-ErrorType", code))
