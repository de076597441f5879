"""The account model: users with keys and MFA devices, roles with their trust, and credentials that were given out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import struct
import threading
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from tests.sts.answers import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

STEP = 30  # seconds; RFC 6238, and what AWS's virtual devices use
KEY_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class Trust:
    """A role's trust policy, as the few conditions that the tests need.

    `principals` are ARNs of users, roles or role sessions, an account's root, an account number, or `*`.
    `mfa_max_age` is in seconds and implies that MFA must be present. `federated` is an OIDC issuer's URL.
    """

    principals: tuple[str, ...] = ()
    mfa_required: bool = False
    mfa_max_age: float | None = None
    external_id: str | None = None
    federated: str | None = None
    audience: str = "sts.amazonaws.com"
    subject: str = "*"
    tag_session: bool = True
    set_source_identity: bool = True

    def admits(self, caller: Credentials) -> bool:
        """Say whether the caller is one of the principals."""
        root = f"arn:{caller.partition}:iam::{caller.account}:root"
        names = {"*", caller.arn, caller.role_arn, root, caller.account}
        return not names.isdisjoint(self.principals)

    def admits_mfa(self, mfa_at: float | None, now: float) -> bool:
        """Say whether the conditions on MFA hold for a caller whose MFA was checked at `mfa_at` (None: never)."""
        if not self.mfa_required and self.mfa_max_age is None:
            return True
        return mfa_at is not None and (self.mfa_max_age is None or now - mfa_at < self.mfa_max_age)


@dataclass(frozen=True)
class Credentials:
    """Keys that STS knows, and who they speak for. Long-term keys have no token and no expiration (epoch seconds)."""

    access_key_id: str
    arn: str
    kind: Literal["user", "user session", "role session"]
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expiration: float | None = None
    role_arn: str | None = None
    mfa_at: float | None = None
    source_identity: str | None = None
    transitive_tags: tuple[str, ...] = ()

    @property
    def partition(self) -> str:
        """The partition that the ARN names."""
        return self.arn.split(":")[1]

    @property
    def account(self) -> str:
        """The account's number."""
        return self.arn.split(":")[4]

    @property
    def expiration_text(self) -> str:
        """The end as AWS prints it; empty for long-term keys."""
        return "" if self.expiration is None else iso(self.expiration)

    def environment(self) -> dict[str, str]:
        """Return the AWS variables that hold these credentials."""
        variables = {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key}
        return {**variables, "AWS_SESSION_TOKEN": self.session_token} if self.session_token else variables

    def document(self) -> dict[str, object]:
        """Return what a credential_process would print of these credentials, before it is JSON."""
        fields: dict[str, object] = {"Version": 1, "AccessKeyId": self.access_key_id}
        fields["SecretAccessKey"] = self.secret_access_key
        if self.session_token:
            fields["SessionToken"] = self.session_token
        if self.expiration_text:
            fields["Expiration"] = self.expiration_text
        return fields


@dataclass(frozen=True)
class User:
    """An IAM user with one pair of keys and at most one MFA device. `totp_secret` is base32, as for `oathtool -b`."""

    name: str
    credentials: Credentials = field(repr=False)
    totp_secret: str = field(repr=False)
    mfa_serial: str | None
    now: Callable[[], float] = field(repr=False)
    spent: set[str] = field(default_factory=set, repr=False)

    @property
    def arn(self) -> str:
        """The user's ARN."""
        return self.credentials.arn

    @property
    def access_key_id(self) -> str:
        """The long-term key's id."""
        return self.credentials.access_key_id

    @property
    def secret_access_key(self) -> str:
        """The long-term key's secret."""
        return self.credentials.secret_access_key

    def code(self, now: float | None = None) -> str:
        """Return the code that the device shows at `now` (epoch seconds; default: the server's clock)."""
        return totp(self.totp_secret, self.now() if now is None else now)

    def unused_code(self, but: Collection[str] = ()) -> str:
        """Return a code, none of these, that STS would take and has not taken: there are three in each 30 seconds."""
        now = self.now()
        for step in (0, 1, -1):
            code = self.code(now + step * STEP)
            if code not in self.spent and code not in but:
                return code
        raise AssertionError(f"all codes of {self.name} within reach are spent: use another user")

    def spend(self, code: str, now: float) -> bool:
        """Take a code of this step or a neighbouring one, each once (RFC 6238, section 5.2); False: not taken."""
        valid = any(hmac.compare_digest(code, self.code(now + step * STEP)) for step in (-1, 0, 1))
        if not valid or code in self.spent:
            return False
        self.spent.add(code)
        return True


@dataclass(frozen=True)
class Role:
    """A role that may be assumed. `session_name_pattern` is the trust's StringLike on sts:RoleSessionName."""

    arn: str
    trust: Trust
    max_session_duration: int
    session_name_pattern: str
    role_id: str

    def session_arn(self, session_name: str) -> str:
        """Return the ARN of a session: the role's name without its path, in the role's partition."""
        return session_arn(self.arn, session_name)

    def admits_name(self, session_name: str) -> bool:
        """Say whether a session may have this name."""
        return fnmatchcase(session_name, self.session_name_pattern)


class Iam:
    """Everything that STS and IAM know. Thread-safe.

    `lifetime` (seconds), where set, replaces what callers ask for. `mfa_for_keys`: the users' policies deny them to
    touch their access keys without MFA. `token_bytes`: how long session tokens are, at first those of the real STS
    without session tags, which take a few hundred characters.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.lifetime: float | None = None
        self.disabled_regions: set[str] = set()
        self.mfa_for_keys = False
        self.token_bytes = 270
        self._lock = threading.RLock()
        self._users: dict[str, User] = {}
        self._roles: dict[str, Role] = {}
        self._keys: dict[str, Credentials] = {}
        self._made: dict[str, float] = {}  # by access key id, in epoch seconds
        self._inactive: set[str] = set()
        self._token_key = secrets.token_bytes(32)

    def add_user(self, name: str, account: str, *, mfa: str | bool, partition: str) -> User:
        """Make a user with new keys; `mfa` is a serial, or True for the virtual device's usual ARN."""
        serial = f"arn:{partition}:iam::{account}:mfa/{name}" if mfa is True else mfa or None
        arn = f"arn:{partition}:iam::{account}:user/{name}"
        keys = self.add_key(arn)
        totp_secret = base64.b32encode(secrets.token_bytes(20)).decode()
        user = User(name, keys, totp_secret, serial, self.now)
        with self._lock:
            self._users[arn] = user
        return user

    def add_role(self, role: Role) -> Role:
        """Make a role, or replace the one of this ARN. AWS allows 1 to 12 hours as max_session_duration."""
        if not 3600 <= role.max_session_duration <= 43200:
            raise ValueError(f"no role can have max_session_duration {role.max_session_duration}")
        with self._lock:
            self._roles[role.arn] = role
        return role

    def role(self, arn: str) -> Role | None:
        """Return the role, or None where there is none."""
        return self._roles.get(arn)

    def user(self, arn: str) -> User | None:
        """Return the user, or None where there is none."""
        return self._users.get(arn)

    def credentials(self, access_key_id: str) -> Credentials | None:
        """Return what the key stands for, or None for a key that nobody has, or that is inactive."""
        return None if access_key_id in self._inactive else self._keys.get(access_key_id)

    def add_key(self, arn: str) -> Credentials:
        """Make and keep new long-term keys for the user."""
        keys = Credentials(_key_id("AKIA"), arn, "user", _secret())
        with self._lock:
            self._keys[keys.access_key_id] = keys
            self._made[keys.access_key_id] = self.now()
        return keys

    def keys_of(self, arn: str) -> list[Credentials]:
        """Return the user's long-term keys, inactive ones too."""
        return [keys for keys in list(self._keys.values()) if (keys.kind, keys.arn) == ("user", arn)]

    def made_at(self, access_key_id: str) -> float:
        """Return when long-term keys were made, in epoch seconds."""
        return self._made[access_key_id]

    def is_active(self, access_key_id: str) -> bool:
        """Say whether the keys can be used."""
        return access_key_id not in self._inactive

    def set_active(self, access_key_id: str, *, active: bool) -> None:
        """Let the keys be used, or InvalidClientTokenId from here on."""
        with self._lock:
            (self._inactive.discard if active else self._inactive.add)(access_key_id)

    def given(self) -> list[Credentials]:
        """Return all keys that were given out and are known still."""
        return list(self._keys.values())

    def issue(self, principal: Credentials, seconds: float) -> Credentials:
        """Make and keep new temporary keys for `principal`, which says who it is (its own keys are ignored)."""
        lifetime = seconds if self.lifetime is None else self.lifetime
        issued = replace(
            principal,
            access_key_id=_key_id("ASIA"),
            secret_access_key=_secret(),
            session_token="FwoGZXIvYXdzE" + base64.b64encode(secrets.token_bytes(self.token_bytes)).decode(),
            expiration=float(int(self.now() + lifetime)),
        )
        with self._lock:
            self._keys[issued.access_key_id] = issued
        return issued

    def expire(self, access_key_id: str) -> None:
        """End temporary credentials now: ExpiredToken from here on."""
        with self._lock:
            self._keys[access_key_id] = replace(self._keys[access_key_id], expiration=self.now() - 1)

    def revoke(self, access_key_id: str) -> None:
        """Forget a key, as when it is deleted or made inactive: InvalidClientTokenId from here on."""
        with self._lock:
            del self._keys[access_key_id]

    def spend(self, user: User, code: str) -> bool:
        """Take an MFA code once; False: wrong, too old, or taken before."""
        with self._lock:
            return user.spend(code, self.now())

    def web_identity_token(self, issuer: str, subject: str, audience: str, seconds: float) -> str:
        """Return a JWT that this STS will believe (HS256 under a key of its own; the real one reads the issuer's)."""
        now = int(self.now())
        claims = {"iss": issuer, "sub": subject, "aud": audience, "iat": now, "exp": now + int(seconds)}
        header = {"alg": "HS256", "typ": "JWT"}
        signed = ".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{self._token_signature(signed)}"

    def claims(self, token: str) -> dict[str, str | int] | None:
        """Return the claims of a JWT of ours, or None for anything else."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._token_signature(signed).encode()):
            return None
        payload = signed.partition(".")[2]
        found: dict[str, str | int] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return found

    def _token_signature(self, signed: str) -> str:
        return _base64url(hmac.new(self._token_key, signed.encode(), hashlib.sha256).digest())


def totp(secret: str, seconds: float) -> str:
    """Return the six digits of RFC 6238 (SHA-1, 30 s) for a base32 secret at this epoch second."""
    counter = struct.pack(">Q", int(seconds // STEP))
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    (number,) = struct.unpack(">I", digest[offset : offset + 4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"


def session_arn(role_arn: str, session_name: str) -> str:
    """Return the ARN of a session of the role, in the role's partition."""
    _, partition, _, _, account, resource = role_arn.split(":", 5)
    return f"arn:{partition}:sts::{account}:assumed-role/{resource.rpartition('/')[2]}/{session_name}"


def new_role_id() -> str:
    """Return a role's unique id."""
    return _key_id("AROA")


def _key_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(KEY_ALPHABET) for _ in range(16))


def _secret() -> str:
    # 40 characters with "/" and "+", which naive redaction and naive parsing trip over.
    return base64.b64encode(secrets.token_bytes(27)).decode() + "/+Az"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
