"""GetSessionToken, AssumeRole, AssumeRoleWithWebIdentity, GetCallerIdentity."""

import time
from collections.abc import Mapping
from datetime import timezone

from credproc.aws.answer import Element
from credproc.aws.client import Call, Client, Service, Settings
from credproc.aws.errors import MALFORMED_HINT, Explainer
from credproc.aws.operation import called
from credproc.credentials import Credentials, account_in, epoch_seconds
from credproc.errors import ServiceError
from credproc.plan.endpoint import Endpoint
from credproc.plan.role import Role
from credproc.plan.url import Url

# The longest that credentials live, in seconds (STS API reference, GetSessionToken and AssumeRole, DurationSeconds)
LONGEST_SESSION = 129600
LONGEST_ROLE = 43200
MfaCode = tuple[str, str]  # the device's serial, and the code that it shows

VERSION = "2011-06-15"


class Sts:
    """STS as the plan's endpoint reaches it; every call ends in the time that the settings give it.

    A call with an MFA code is sent once and never repeated. All raise ServiceError, NetworkError or ConfigError.
    """

    def __init__(self, endpoint: Endpoint, settings: Settings, *, mfa: bool, from_environment: bool = False) -> None:
        """Take where it is, and the profile's settings for calls.

        ``mfa`` says whether the plan has an MFA device, ``from_environment`` whether the first keys are those of the
        environment; a refusal is explained differently then.
        """
        self.url = Url.of(endpoint.address)
        self._client = Client(Service("sts", VERSION, self.url, endpoint.signing_region), settings)
        self._mfa = mfa
        self._from_environment = from_environment

    def warm(self) -> None:
        """Import and read what the first call would. Raises ConfigError."""
        self._client.warm()

    def get_session_token(self, keys: Credentials, seconds: int, code: MfaCode | None = None) -> Credentials:
        """Return a session of the long-term keys' user for so many seconds, with MFA where a code is given."""
        parameters = {"DurationSeconds": seconds} | _mfa_parameters(code)
        answer = self._call("GetSessionToken", keys.access_key_id, keys, parameters)
        return _credentials(answer, keys.account_id, "GetSessionToken", LONGEST_SESSION)

    def assume_role(self, keys: Credentials, role: Role, code: MfaCode | None = None) -> Credentials:
        """Return the role's credentials."""
        parameters = role.parameters() | _mfa_parameters(code)
        answer = self._call("AssumeRole", role.role_arn, keys, parameters)
        return _role_credentials(answer, role, "AssumeRole")

    def assume_role_with_web_identity(self, role: Role, token: str) -> Credentials:
        """Return the role's credentials for a token of an identity provider; the request is not signed."""
        parameters = role.parameters() | {"WebIdentityToken": token}
        answer = self._call("AssumeRoleWithWebIdentity", role.role_arn, None, parameters)
        return _role_credentials(answer, role, "AssumeRoleWithWebIdentity")

    def get_caller_identity(self, keys: Credentials) -> str:
        """Return the ARN of whose keys these are."""
        arn = self._call("GetCallerIdentity", keys.access_key_id, keys, {}).text("Arn")
        if arn is None or account_in(arn) is None:
            raise ServiceError("GetCallerIdentity: the answer names nobody", MALFORMED_HINT)
        return arn

    def _call(
        self, operation: str, subject: str, keys: Credentials | None, parameters: Mapping[str, object]
    ) -> Element:
        explainer = Explainer(operation, subject, self.url, mfa=self._mfa, from_environment=self._from_environment)
        call = Call(operation, parameters, keys, is_once="TokenCode" in parameters)
        return called(self._client, call, explainer)


def _mfa_parameters(code: MfaCode | None) -> dict[str, str]:
    return {} if code is None else {"SerialNumber": code[0], "TokenCode": code[1]}


def _role_credentials(answer: Element, role: Role, operation: str) -> Credentials:
    """Return the role's credentials in an answer; raises ServiceError if they are another role's."""
    arn = answer.text("AssumedRoleUser", "Arn")
    if arn is not None and not _is_session_of(arn, role.role_arn):  # what only speaks as STS does may name none
        raise ServiceError(
            f"{operation}: {role.role_arn}: the answer is for {arn}, which is not the role that was asked for",
            "check the STS endpoint, and what stands before it",
        )
    return _credentials(answer, account_in(role.role_arn), operation, LONGEST_ROLE)


def _is_session_of(arn: str, role_arn: str) -> bool:
    """Whether ``arn`` (``arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION``) may be a session of the role.

    A role's path is not in it (IAM user guide, "IAM identifiers").
    """
    fields, asked = arn.split(":", 5), role_arn.split(":", 5)
    if asked[2] != "iam" or not asked[5].startswith("role/"):
        return True  # a name of some other service's, which only that one understands
    kind, _, name = fields[-1].partition("/")
    is_same_name = name.partition("/")[0].lower() == asked[5].rpartition("/")[2].lower()
    return len(fields) == 6 and fields[4] == asked[4] and kind == "assumed-role" and is_same_name


def _credentials(answer: Element, account_id: str | None, operation: str, longest: int) -> Credentials:
    """Return the credentials in an answer; raises ServiceError if they are none that can be used and renewed."""
    fields = [answer.text("Credentials", name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    try:
        expiration = _expiration(answer.text("Credentials", "Expiration") or "")
    except (ValueError, OverflowError):
        fields, expiration = [], 0
    access_key_id, secret_access_key, session_token = fields or (None, None, None)
    if not access_key_id or not secret_access_key or not session_token:
        raise ServiceError(f"{operation}: the answer holds no complete credentials", MALFORMED_HINT)
    if expiration <= time.time():
        raise ServiceError(f"{operation}: the credentials in the answer have expired", "check the clock")
    account_id = account_in(answer.text("AssumedRoleUser", "Arn") or "") or account_id
    # An expiration that STS cannot have meant must not keep dead credentials alive
    expiration = min(expiration, int(time.time()) + longest)
    return Credentials(access_key_id, secret_access_key, session_token, expiration, account_id)


def _expiration(text: str) -> int:
    """Return when credentials end, in epoch seconds. STS writes ISO 8601 in UTC; what else boto3 reads is read too."""
    return int(float(text)) if text.isdecimal() else epoch_seconds(text, timezone.utc)
