"""GetSessionToken, AssumeRole, AssumeRoleWithWebIdentity, GetCallerIdentity, each by its deadline."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import botocore
import botocore.session
from botocore.config import Config

from credproc.aws.errors import MALFORMED_HINT, Call
from credproc.credentials import Credentials, account_in
from credproc.errors import DeadlineError, ServiceError
from credproc.plan.endpoint import Endpoint
from credproc.plan.role import CHAINED_DURATION_LIMIT, Role
from credproc.process.deadline import within

MfaCode = tuple[str, str]  # the device's serial, and the code that it shows

CONNECT_SECONDS = 3
READ_SECONDS = 5
# A ValidationError quotes what it refuses (STS API reference, "Common Errors")
_CONFIDENTIAL = ("ExternalId", "TokenCode", "WebIdentityToken", "Policy")
_METHODS = {
    "GetSessionToken": "get_session_token",
    "AssumeRole": "assume_role",
    "AssumeRoleWithWebIdentity": "assume_role_with_web_identity",
    "GetCallerIdentity": "get_caller_identity",
}


class Sts:
    """STS as the plan's endpoint reaches it; every call ends by its deadline, in seconds of ``time.monotonic()``.

    A call with an MFA code is sent once and never repeated. All raise ServiceError, NetworkError or ConfigError.
    """

    def __init__(self, session: botocore.session.Session, endpoint: Endpoint, *, mfa: bool) -> None:
        """Take a session that knows the profile's settings.

        ``mfa`` says whether the plan has an MFA device; a refusal is explained differently then.
        """
        self._session = session
        self._endpoint = endpoint
        self._mfa = mfa
        self._asked = endpoint.url or f"STS in {endpoint.region}"
        session.set_config_variable("sts_regional_endpoints", endpoint.sts_regional_endpoints)

    def warm(self) -> None:
        """Load what the first call would load."""
        with Call("AssumeRole", "set-up", self._asked, mfa=self._mfa).set_up():
            self._client(None, once=False)

    def url(self) -> str:
        """Return where the calls go."""
        with Call("GET", "set-up", self._asked, mfa=self._mfa).set_up():
            found: str = self._client(None, once=True).meta.endpoint_url
        return found

    def get_session_token(
        self, keys: Credentials, seconds: int, deadline: float, code: MfaCode | None = None
    ) -> Credentials:
        """Return a session of the long-term keys' user for so many seconds, with MFA where a code is given."""
        parameters = {"DurationSeconds": seconds} | _mfa_parameters(code)
        answer = self._call("GetSessionToken", keys.access_key_id, keys, parameters, deadline)
        return _credentials(answer, keys.account_id, "GetSessionToken")

    def assume_role(self, keys: Credentials, role: Role, deadline: float, code: MfaCode | None = None) -> Credentials:
        """Return the role's credentials; with temporary ones of the caller they are capped at one hour, as AWS does."""
        parameters = role.parameters() | _mfa_parameters(code)
        if keys.temporary and parameters.get("DurationSeconds", 0) > CHAINED_DURATION_LIMIT:
            parameters["DurationSeconds"] = CHAINED_DURATION_LIMIT
        answer = self._call("AssumeRole", role.role_arn, keys, parameters, deadline)
        return _credentials(answer, account_in(role.role_arn), "AssumeRole")

    def assume_role_with_web_identity(self, role: Role, token: str, deadline: float) -> Credentials:
        """Return the role's credentials for a token of an identity provider; the request is not signed."""
        parameters = role.parameters() | {"WebIdentityToken": token}
        answer = self._call("AssumeRoleWithWebIdentity", role.role_arn, None, parameters, deadline)
        return _credentials(answer, account_in(role.role_arn), "AssumeRoleWithWebIdentity")

    def get_caller_identity(self, keys: Credentials, deadline: float) -> str:
        """Return the ARN of whose keys these are."""
        answer = self._call("GetCallerIdentity", keys.access_key_id, keys, {}, deadline)
        arn = answer.get("Arn")
        if not isinstance(arn, str) or account_in(arn) is None:
            raise ServiceError("GetCallerIdentity: the answer names nobody", MALFORMED_HINT)
        return arn

    def _call(
        self, operation: str, subject: str, keys: Credentials | None, parameters: Mapping[str, Any], deadline: float
    ) -> Mapping[str, Any]:
        call = Call(
            operation,
            subject,
            self._asked,
            mfa=self._mfa,
            with_code="TokenCode" in parameters,
            confidential=tuple(parameters[name] for name in _CONFIDENTIAL if parameters.get(name)),
        )

        def note_endpoint(request: Any, **_: Any) -> None:  # noqa: ANN401 - botocore's event
            parts = urlsplit(request.url)
            call.endpoint = f"{parts.scheme}://{parts.netloc}"

        def send() -> Mapping[str, Any]:
            with call.set_up():
                client = self._client(keys, once="TokenCode" in parameters)
            client.meta.events.register("before-send.sts", note_endpoint)
            with call.sent():
                answer: Mapping[str, Any] = getattr(client, _METHODS[operation])(**parameters)
            return answer

        try:
            return within(deadline, send)
        except DeadlineError:
            raise call.unanswered() from None

    def _client(self, keys: Credentials | None, *, once: bool) -> Any:  # noqa: ANN401 - botocore makes its classes up
        options: dict[str, Any] = {
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "use_fips_endpoint": self._endpoint.use_fips,
            "use_dualstack_endpoint": self._endpoint.use_dualstack,
        }
        if self._endpoint.url is None:
            options["ignore_configured_endpoint_urls"] = True
        if once:  # a code that has been sent is used, whatever the answer was
            options["retries"] = {"total_max_attempts": 1}
        if keys is None:
            options["signature_version"] = botocore.UNSIGNED
        return self._session.create_client(
            "sts",
            region_name=self._endpoint.region,
            endpoint_url=self._endpoint.url,
            aws_access_key_id=None if keys is None else keys.access_key_id,
            aws_secret_access_key=None if keys is None else keys.secret_access_key,
            aws_session_token=None if keys is None else keys.session_token,
            config=Config(**options),
        )


def _mfa_parameters(code: MfaCode | None) -> dict[str, str]:
    return {} if code is None else {"SerialNumber": code[0], "TokenCode": code[1]}


def _credentials(answer: Mapping[str, Any], account_id: str | None, operation: str) -> Credentials:
    """Return the credentials in an answer; raises ServiceError if they are none that can be used and renewed."""
    fields = answer.get("Credentials") or {}
    arn = (answer.get("AssumedRoleUser") or {}).get("Arn", "")
    try:
        credentials = Credentials(
            fields["AccessKeyId"],
            fields["SecretAccessKey"],
            fields["SessionToken"],
            int(fields["Expiration"].timestamp()),
            account_in(arn) or account_id,
        )
    except (KeyError, AttributeError, ValueError, OverflowError):
        raise ServiceError(f"{operation}: the answer holds no complete credentials", MALFORMED_HINT) from None
    if not all(credentials[:3]):
        raise ServiceError(f"{operation}: the answer holds no complete credentials", MALFORMED_HINT)
    if credentials.expiration is not None and credentials.expiration <= time.time():
        raise ServiceError(f"{operation}: the credentials in the answer have expired", "check the clock")
    return credentials
