"""What STS refuses and how calls fail, said in our words: botocore's exceptions → ours, with what to do."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import botocore.exceptions as boto
from botocore.parsers import ResponseParserError
from botocore.utils import get_environ_proxies

from credproc.errors import ConfigError, CredprocError, NetworkError, ServiceError, TokenCodeError, inert

MALFORMED_HINT = "something between here and AWS answers in its place: check the proxy, the portal and the endpoint"
_NETWORK_HINT = "check the network, proxy and VPN"
_SETTINGS_HINT = "correct it in ~/.aws/config, or in the environment"
_SKEW_SECONDS = 240  # STS refuses a signature that is more than five minutes off
_WRONG_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code"  # as STS words it
_MESSAGE_LIMIT = 400  # characters of STS's own words


@dataclass
class Call:
    """One call of STS: what is called, about what, and where it went as far as that is known."""

    operation: str
    subject: str  # the role's ARN, or the access key id
    endpoint: str
    mfa: bool = field(kw_only=True)  # whether the plan has an MFA device: a refusal is explained differently then
    with_code: bool = field(default=False, kw_only=True)  # whether the call carries an MFA code, which is used then
    confidential: tuple[str, ...] = field(default=(), kw_only=True, repr=False)  # parameters that STS may quote

    @contextmanager
    def set_up(self) -> Iterator[None]:
        """Translate what botocore raises while the client is made: it reads settings that only it knows."""
        try:
            yield
        except ValueError as error:  # a number that is none
            what = inert(str(error), _MESSAGE_LIMIT)
            raise ConfigError(f"{self.operation}: a setting or variable: {what}", _SETTINGS_HINT) from None
        except boto.BotoCoreError as error:
            raise self._unreachable(error) from None

    @contextmanager
    def sent(self) -> Iterator[None]:
        """Translate what botocore raises while the call is sent and answered."""
        try:
            yield
        except boto.ClientError as error:
            raise self._refused(error) from None
        except boto.BotoCoreError as error:
            raise self._unreachable(error) from None
        except OSError as error:  # a CA bundle that is not there
            reason = (error.strerror or type(error).__name__).lower()
            raise NetworkError(
                f"{self.operation}: {reason}: {error.filename or 'set-up of TLS'}", "check AWS_CA_BUNDLE and ca_bundle"
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError, ResponseParserError):
            # No XML, or XML of another shape than botocore's parser trusts in; the text may hold what it quotes
            raise ServiceError(
                f"{self.endpoint}: {self.operation}: the answer cannot be understood", MALFORMED_HINT
            ) from None

    def unanswered(self) -> NetworkError:
        """Return the error for a call that has not ended by its deadline."""
        return NetworkError(f"{self.endpoint}: {self.operation}: no answer in time", self._advice(_NETWORK_HINT))

    def _advice(self, hint: str) -> str:
        return f"{hint}; the MFA code may have been used: wait for the next one" if self.with_code else hint

    def _refused(self, error: boto.ClientError) -> ServiceError:
        details = error.response.get("Error", {})
        code = str(details.get("Code", "")) or "an answer without a code"
        message = str(details.get("Message", ""))
        for text in self.confidential:
            message = message.replace(text, "***")
        message = inert(message, _MESSAGE_LIMIT).strip()
        what = f"{self.subject}: {self.operation}: {inert(code, 80)}"
        skew = _skew(error.response)
        if skew is not None:
            direction = "ahead of" if skew > 0 else "behind"
            return ServiceError(
                f"{what}: the clock here is {abs(skew)} s {direction} the one of {self.endpoint}",
                "set the clock (timedatectl set-ntp true)",
                code,
            )
        if _WRONG_CODE in message and self.with_code:
            return TokenCodeError(what + f": {message}", "wait for the next code", code)
        hint = _hint(code, message, self.operation, mfa=self.mfa)
        return ServiceError(what + (f": {message}" if message else ""), hint, code)

    def _unreachable(self, error: boto.BotoCoreError) -> CredprocError:
        where = f"{self.endpoint}: {self.operation}"
        proxy = proxy_of(self.endpoint)
        through = "" if proxy is None else f" (the proxy is {inert(proxy, 80)})"
        for kind, what, hint in _NETWORK:
            if isinstance(error, kind):
                return NetworkError(f"{where}: {what}{through}", self._advice(hint))
        if isinstance(error, boto.ParamValidationError):
            return ServiceError(f"{where}: a parameter is not what STS takes", inert(str(error), _MESSAGE_LIMIT))
        if isinstance(error, _SETTINGS):
            return ConfigError(f"{self.operation}: {inert(str(error), _MESSAGE_LIMIT)}", _SETTINGS_HINT)
        return NetworkError(f"{where}: {type(error).__name__}", self._advice(_NETWORK_HINT))


def proxy_of(url: str) -> str | None:
    """Return the host and port of the proxy that requests to the URL go through, without its password, or None."""
    proxy = get_environ_proxies(url).get(urlsplit(url).scheme)
    return None if not proxy else proxy.rpartition("://")[2].rpartition("@")[2].rstrip("/")


_NETWORK: tuple[tuple[type[Exception], str, str], ...] = (
    (
        boto.ProxyConnectionError,
        "the proxy does not answer, or refuses",
        "check HTTPS_PROXY, or add the endpoint's host to NO_PROXY",
    ),
    (
        boto.SSLError,
        "TLS: the endpoint's certificate is not trusted, or the connection was broken",
        "name the certificate authority in AWS_CA_BUNDLE or ca_bundle",
    ),
    (boto.ConnectTimeoutError, "no connection in time", _NETWORK_HINT),
    (boto.ReadTimeoutError, "no answer in time", _NETWORK_HINT),
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

# A setting that only botocore reads holds what it cannot use
_SETTINGS = (
    boto.InvalidRetryModeError,
    boto.InvalidRetryConfigurationError,
    boto.InvalidDefaultsMode,
    boto.InvalidConfigError,
    boto.InvalidProxiesConfigError,
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
        return "mfa_serial must be a device of the user whose keys the chain starts with: compare it in IAM"
    if operation == "GetSessionToken":
        return f"a policy denies sts:GetSessionToken to {who}"
    hint = f"the role's trust policy must allow {who}, and a policy of that one must allow sts:AssumeRole on the role"
    if operation == "AssumeRoleWithWebIdentity":
        return "the role's trust policy must allow the token's issuer, audience and subject"
    if mfa:
        return hint + "; it may also ask for a younger MFA session, an external_id or a source_identity"
    return hint + "; if it asks for MFA, mfa_serial is missing in the profile or its source_profile"


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
