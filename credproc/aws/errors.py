"""What AWS refuses and how calls fail, in our words: where and what, then what to do."""

import time

from credproc import limits
from credproc.aws import proxies
from credproc.aws.answer import MalformedAnswerError, RefusedError
from credproc.aws.client import skew_of
from credproc.aws.http1 import TOO_LONG
from credproc.aws.message import Kind, Response, TransportError, UnsendableError
from credproc.errors import CLOCK_HINT, CredprocError, NetworkError, ServiceError, TokenCodeError, inert
from credproc.plan.endpoint import FIPS_HINT
from credproc.plan.url import Url

MALFORMED_HINT = "something between here and AWS answers in its place: check the proxy, the portal and the endpoint"
_NETWORK_HINT = "check the network, proxy and VPN"
_WRONG_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code"  # as STS words it
_MESSAGE_LIMIT = 400  # characters of AWS's own words
_DETAIL_LIMIT = 120  # characters of OpenSSL's, or the system's
_DETAILED: tuple[Kind, ...] = ("certificate", "connect", "resolve", "tls")
FAILURES = (RefusedError, TransportError, MalformedAnswerError, UnsendableError)


class Explainer:
    """Puts the failure of one call into words: what was called, about what, and where it went."""

    def __init__(
        self, operation: str, subject: str, url: Url, *, mfa: bool = False, from_environment: bool = False
    ) -> None:
        """Take the operation, and what it is about: the role's ARN, or the access key id.

        ``mfa`` is whether the plan has an MFA device, ``from_environment`` whether the keys are the environment's: a
        refusal is explained differently then.
        """
        self.with_code = False  # whether the call carries an MFA code, which is used then
        self._operation = operation
        self._subject = subject
        self._url = url
        self._endpoint = f"{url.scheme}://{url.host_header}"
        self._mfa = mfa
        self._hints = {**_HINTS, **(_ENVIRONMENT_HINTS if from_environment else {})}

    def explained(self, error: Exception) -> CredprocError:
        """Return one of ``FAILURES`` in our words."""
        if isinstance(error, RefusedError):
            refused = self._refused(error)
            # a fault of the service (5xx), or of what stands before it, may have come after the operation was done
            refused.is_refusal = bool(error.code) and error.response.status < 500
            return refused
        if isinstance(error, TransportError):
            return self._unreachable(error)
        if isinstance(error, MalformedAnswerError):
            return self._malformed(error.response)
        return ServiceError(f"{self._endpoint}: {self._operation}: a parameter holds what cannot be sent", None)

    def unanswered(self) -> NetworkError:
        """Return the error for a call that has not ended by its deadline."""
        return NetworkError(f"{self._endpoint}: {self._operation}: no answer in time", self._advice(_NETWORK_HINT))

    def _advice(self, hint: str) -> str:
        return f"{hint}; the MFA code may have been used: wait for the next one" if self.with_code else hint

    def _refused(self, error: RefusedError) -> ServiceError:
        code = error.code or "an answer without a code"
        message = inert(error.message, _MESSAGE_LIMIT).strip()
        what = f"{self._subject}: {self._operation}: {inert(code, 80)}"
        skew = skew_of(error, time.time())
        if skew is not None:
            direction = "ahead of" if skew > 0 else "behind"
            return ServiceError(
                f"{what}: the clock here is {abs(skew)} s {direction} the one of {self._endpoint}",
                CLOCK_HINT,
                code,
            )
        if _WRONG_CODE in message and self.with_code:
            return TokenCodeError(what + f": {message}", "wait for the next code", code)
        hint = _hint(code, message, self._operation, mfa=self._mfa) or self._hints.get(code)
        return ServiceError(what + (f": {message}" if message else ""), hint, code)

    def _malformed(self, response: Response | None, what: str = "the answer cannot be understood") -> ServiceError:
        if response is not None and 300 <= response.status < 400:
            place = inert(response.headers.get("location", "nowhere").partition("?")[0], 80)
            what = f"answers with a redirect ({response.status}) to {place}, which is not followed"
        elif response is not None and response.status >= 400:
            what = f"answers with {response.status}, and {what}"
        return ServiceError(f"{self._endpoint}: {self._operation}: {what}", MALFORMED_HINT)

    def _unreachable(self, error: TransportError) -> CredprocError:
        if error.kind == "malformed" and error.detail == TOO_LONG:
            return self._malformed(None, f"the answer is {limits.TooLongError(limits.ANSWER)}")
        if error.kind == "malformed":
            return self._malformed(None)
        what, hint = _NETWORK[error.kind]
        if error.kind == "proxy" and error.detail == "407":
            what = "the proxy asks for a user and a password, or does not take these (407)"
            hint = f"write them into {proxies.variable_of(self._url.scheme)}: http://USER:PASSWORD@HOST:PORT"
        elif error.kind == "resolve" and self._url.host.startswith("sts-fips."):
            hint = f"{FIPS_HINT}; else check the network"
        elif error.kind in _DETAILED and error.detail:
            what += f": {inert(error.detail, _DETAIL_LIMIT)}"
        proxy = proxies.proxy_for(self._url.scheme, self._url.host_header)
        through = "" if proxy is None else f" (the proxy is {inert(proxies.shown(proxy), 80)})"
        return NetworkError(f"{self._endpoint}: {self._operation}: {what}{through}", self._advice(hint))


# A transport's failure → what is said of it, and what to do
_NETWORK: dict[Kind, tuple[str, str]] = {
    "proxy": ("the proxy does not answer, or refuses", "check HTTPS_PROXY, or add the endpoint's host to NO_PROXY"),
    "certificate": (
        "TLS: the endpoint's certificate is not trusted",
        "name the certificate authority in AWS_CA_BUNDLE or ca_bundle",
    ),
    "tls": (
        "TLS: no connection that is secure enough",
        "the endpoint, or what stands between, must speak TLS 1.2: check the endpoint's URL, the proxy and the VPN",
    ),
    "connect timeout": ("no connection in time", _NETWORK_HINT),
    "read timeout": ("no answer in time", _NETWORK_HINT),
    "resolve": ("cannot be reached", "check the network, proxy and VPN, and the region's name"),
    "connect": ("cannot be reached", "check the network, proxy and VPN, and the region's name"),
    "closed": ("closed the connection before it answered", "try again"),
    "cut off": ("broke off its answer", "try again"),
}

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
_UNKNOWN_KEY = "AWS does not know AWS_ACCESS_KEY_ID (any more): set the keys in the environment anew"
_ENVIRONMENT_HINTS = {
    "ExpiredToken": "the session of AWS_SESSION_TOKEN has expired: set the keys in the environment anew",
    "InvalidClientTokenId": _UNKNOWN_KEY,
    "UnrecognizedClientException": _UNKNOWN_KEY,
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID",
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
    return None


def _access_denied_hint(message: str, operation: str, *, mfa: bool) -> str:
    words = message.split()
    who = words[words.index("User:") + 1] if "User:" in words[:-1] else "the caller"
    if "MultiFactorAuthentication failed" in message:
        return "mfa_serial must be a device of the user whose keys the chain starts with: compare it in IAM"
    if operation == "GetSessionToken":
        return f"a policy denies sts:GetSessionToken to {who}"
    hint = f"the role's trust policy must allow {who}, whose own policy must allow sts:AssumeRole on the role"
    if operation == "AssumeRoleWithWebIdentity":
        return "the role's trust policy must allow the token's issuer, audience and subject"
    if mfa:
        return hint + "; the trust policy may also ask for a younger MFA session, an external_id or a source_identity"
    return hint + "; if the trust policy asks for MFA, mfa_serial is missing in the profile or its source_profile"
