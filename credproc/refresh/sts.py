"""GetSessionToken, AssumeRole, AssumeRoleWithWebIdentity; knows botocore's exceptions and says them in our words."""

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import botocore
import botocore.exceptions as boto
import botocore.session
from botocore.config import Config

from credproc.errors import CredprocError, DeadlineError, NetworkError, ServiceError, inert
from credproc.refresh.credentials import Credentials, account_in
from credproc.refresh.deadline import within
from credproc.refresh.endpoint import Endpoint
from credproc.refresh.roles import CHAINED_DURATION_LIMIT, Role

CONNECT_SECONDS = 3
READ_SECONDS = 5
_SKEW_SECONDS = 240  # STS refuses a signature that is more than five minutes off
_MESSAGE_LIMIT = 400  # characters of STS's own words


class Sts:
    """STS as the plan's endpoint reaches it; every call ends by the deadline."""

    def __init__(self, session: botocore.session.Session, endpoint: Endpoint, deadline: float, *, mfa: bool) -> None:
        """Take a session that knows the profile's settings, and a deadline in seconds of ``time.monotonic()``.

        ``mfa`` says whether the plan has an MFA device; a refusal is explained differently then.
        """
        self._session = session
        self._endpoint = endpoint
        self.deadline = deadline
        self._mfa = mfa
        self._asked = endpoint.url or f"STS in {endpoint.region}"  # the host itself, once a request names it
        session.set_config_variable("sts_regional_endpoints", endpoint.sts_regional_endpoints)

    def get_session_token(
        self, keys: Credentials, seconds: int, serial: str | None = None, token_code: str | None = None
    ) -> Credentials:
        """Return a session of the long-term keys' user for so many seconds, with MFA where a code is given.

        Raises ServiceError or NetworkError; a call with a code is sent once and never repeated.
        """
        parameters = {"DurationSeconds": seconds} | _mfa_parameters(serial, token_code)
        answer = self._call("GetSessionToken", keys.access_key_id, keys, parameters)
        return _credentials(answer, keys.account_id, "GetSessionToken")

    def assume_role(
        self, keys: Credentials, role: Role, serial: str | None = None, token_code: str | None = None
    ) -> Credentials:
        """Return the role's credentials; a role assumed with temporary credentials is capped at one hour, as AWS does.

        Raises ServiceError or NetworkError; a call with a code is sent once and never repeated.
        """
        parameters = role.parameters() | _mfa_parameters(serial, token_code)
        if keys.temporary and parameters.get("DurationSeconds", 0) > CHAINED_DURATION_LIMIT:
            parameters["DurationSeconds"] = CHAINED_DURATION_LIMIT
        answer = self._call("AssumeRole", role.role_arn, keys, parameters)
        return _credentials(answer, account_in(role.role_arn), "AssumeRole")

    def assume_role_with_web_identity(self, role: Role, token: str) -> Credentials:
        """Return the role's credentials for a token of an identity provider; the request is not signed."""
        parameters = role.parameters() | {"WebIdentityToken": token}
        answer = self._call("AssumeRoleWithWebIdentity", role.role_arn, None, parameters)
        return _credentials(answer, account_in(role.role_arn), "AssumeRoleWithWebIdentity")

    def _call(
        self, operation: str, subject: str, keys: Credentials | None, parameters: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        def send() -> Mapping[str, Any]:
            client = self._client(keys, once="TokenCode" in parameters)
            answer: Mapping[str, Any] = client._make_api_call(operation, dict(parameters))  # noqa: SLF001 - what its methods call
            return answer

        try:
            return within(self.deadline, lambda: _translated(send, operation, subject, self))
        except DeadlineError:
            raise NetworkError(
                f"{self._asked}: {operation}: no answer in time", "check the network, proxy and VPN"
            ) from None

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
        client = self._session.create_client(
            "sts",
            region_name=self._endpoint.region,
            endpoint_url=self._endpoint.url,
            aws_access_key_id=None if keys is None else keys.access_key_id,
            aws_secret_access_key=None if keys is None else keys.secret_access_key,
            aws_session_token=None if keys is None else keys.session_token,
            config=Config(**options),
        )
        client.meta.events.register("before-send.sts", self._note_endpoint)
        return client

    def _note_endpoint(self, request: Any, **_: Any) -> None:  # noqa: ANN401 - botocore's event
        parts = urlsplit(request.url)
        self._asked = f"{parts.scheme}://{parts.netloc}"

    def refused(self, error: boto.ClientError, operation: str, subject: str) -> ServiceError:
        """Return STS's refusal with operation, code and subject, and what to do about it."""
        details = error.response.get("Error", {})
        code = str(details.get("Code", "")) or "an answer without a code"
        message = inert(str(details.get("Message", "")), _MESSAGE_LIMIT).strip()
        skew = _skew(error.response)
        if skew is not None:
            return ServiceError(
                f"{subject}: {operation}: {code}: the clock here is {abs(skew)} s {'ahead of' if skew > 0 else 'behind'}"
                f" the one of {self._asked}",
                "set the clock (timedatectl set-ntp true)",
                code,
            )
        return ServiceError(
            f"{subject}: {operation}: {code}" + (f": {message}" if message else ""),
            _hint(code, message, operation, mfa=self._mfa),
            code,
        )

    def unreachable(self, error: boto.BotoCoreError, operation: str) -> CredprocError:
        """Return in our words why no answer came."""
        where = f"{self._asked}: {operation}"
        for kind, what, hint in _NETWORK:
            if isinstance(error, kind):
                return NetworkError(f"{where}: {what}", hint)
        if isinstance(error, boto.ParamValidationError):
            return ServiceError(f"{where}: a parameter is not what STS takes", inert(str(error), _MESSAGE_LIMIT))
        return NetworkError(f"{where}: {type(error).__name__}", "credproc doctor checks what may be in the way")


_NETWORK: tuple[tuple[type[Exception], str, str], ...] = (
    (
        boto.ProxyConnectionError,
        "the proxy does not answer",
        "check HTTPS_PROXY, or add the endpoint's host to NO_PROXY",
    ),
    (
        boto.SSLError,
        "TLS: the endpoint's certificate is not trusted, or the connection was broken",
        "name the certificate authority in AWS_CA_BUNDLE or ca_bundle",
    ),
    (boto.ConnectTimeoutError, "no connection in time", "check the network, proxy and VPN"),
    (boto.ReadTimeoutError, "no answer in time", "check the network, proxy and VPN"),
    (boto.EndpointConnectionError, "cannot be reached", "check the network, proxy and VPN, and the region's name"),
    (boto.ConnectionClosedError, "closed the connection before it answered", "try again"),
    (boto.IncompleteReadError, "broke off its answer", "try again"),
    (boto.ResponseStreamingError, "broke off its answer", "try again"),
    (
        boto.UnknownEndpointError,
        "the region has no STS",
        "check the region in the profile, or AWS_REGION",
    ),
)

# STS's error code → what to do; STS API reference, "Common Errors", and the operations' own errors
_HINTS = {
    "ExpiredToken": "the source's own credentials have expired: sign in there anew",
    "ExpiredTokenException": "the web identity token has expired: its issuer must write a new one into the file",
    "InvalidIdentityToken": "check that the token's issuer is an identity provider of the role's account",
    "IDPRejectedClaim": "the identity provider refused the token: let it write a new one",
    "IDPCommunicationError": "AWS could not reach the identity provider: try again",
    "InvalidClientTokenId": "AWS does not know the access key (any more): check the source profile's keys",
    "UnrecognizedClientException": "AWS does not know the access key (any more): check the source profile's keys",
    "SignatureDoesNotMatch": "the secret does not belong to the access key: check aws_secret_access_key",
    "RegionDisabledException": "activate STS for this region in the account's IAM settings, or choose another region",
    "PackedPolicyTooLarge": "shorten credproc_policy, credproc_policy_arns or credproc_session_tags",
    "MalformedPolicyDocument": "credproc_policy is no valid policy",
    "Throttling": "AWS asks for fewer calls: try again in a minute",
    "ThrottlingException": "AWS asks for fewer calls: try again in a minute",
    "RequestLimitExceeded": "AWS asks for fewer calls: try again in a minute",
    "OptInRequired": "the region or service is not activated for this account",
}


def _hint(code: str, message: str, operation: str, *, mfa: bool) -> str | None:
    if code == "AccessDenied":
        return _access_denied_hint(message, operation, mfa=mfa)
    if code == "ValidationError" and "MaxSessionDuration" in message:
        return "lower duration_seconds, or raise the role's maximum session duration"
    if code == "ValidationError" and "1 hour session limit" in message:
        return "set duration_seconds to 3600 or less: the caller's credentials are temporary"
    if code.isdigit() and code.startswith("5"):
        return "AWS has a problem of its own: try again"
    return _HINTS.get(code)


def _access_denied_hint(message: str, operation: str, *, mfa: bool) -> str:
    words = message.split()
    who = words[words.index("User:") + 1] if "User:" in words[:-1] else "the caller"
    if "MultiFactorAuthentication failed" in message:
        return "the code was wrong or has been used: wait for the next one"
    if operation == "GetSessionToken":
        return f"a policy denies sts:GetSessionToken to {who}"
    hint = f"the role's trust policy must allow {who}, and a policy of that one must allow sts:AssumeRole on the role"
    if operation == "AssumeRoleWithWebIdentity":
        return "the role's trust policy must allow the token's issuer, audience and subject"
    if mfa:
        return hint + "; it may also ask for a younger MFA session, an external_id or a source_identity"
    return hint + "; if it asks for MFA, mfa_serial is missing in the profile or its source_profile"


def _translated(send: Callable[[], Mapping[str, Any]], operation: str, subject: str, sts: Sts) -> Mapping[str, Any]:
    try:
        return send()
    except boto.ClientError as error:
        raise sts.refused(error, operation, subject) from None
    except boto.BotoCoreError as error:
        raise sts.unreachable(error, operation) from None
    except OSError as error:  # a CA bundle that is not there
        raise NetworkError(
            f"{operation}: {(error.strerror or type(error).__name__).lower()}: {error.filename or 'set-up of TLS'}",
            "check AWS_CA_BUNDLE and ca_bundle",
        ) from None
    except ValueError:  # an answer that is no XML, or a time that is none; its text may hold what should stay inside
        raise ServiceError(f"{subject}: {operation}: the answer cannot be understood", _MALFORMED_HINT) from None


_MALFORMED_HINT = "something between here and AWS answers in its place: check the proxy, the portal and the endpoint"


def _mfa_parameters(serial: str | None, token_code: str | None) -> dict[str, str]:
    if serial is None or token_code is None:
        return {}
    return {"SerialNumber": serial, "TokenCode": token_code}


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
        raise ServiceError(f"{operation}: the answer holds no complete credentials", _MALFORMED_HINT) from None
    if not all(credentials[:3]):
        raise ServiceError(f"{operation}: the answer holds no complete credentials", _MALFORMED_HINT)
    if credentials.expiration is not None and credentials.expiration <= time.time():
        raise ServiceError(f"{operation}: the credentials in the answer have expired", "check the clock")
    return credentials


def _skew(response: Mapping[str, Any]) -> int | None:
    """Return by how many seconds the clock here is ahead of STS's, where that explains a refusal."""
    code = response.get("Error", {}).get("Code", "")
    if code not in ("SignatureDoesNotMatch", "RequestExpired", "InvalidSignatureException", "RequestTimeTooSkewed"):
        return None
    date = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        skew = int(time.time() - parsedate_to_datetime(date).timestamp())
    except (TypeError, ValueError):
        return None
    return skew if abs(skew) > _SKEW_SECONDS else None
