"""IAM Identity Center, with the token file that ``aws sso login`` writes."""

import time
from collections.abc import Mapping

import botocore.exceptions as boto
from botocore.credentials import SSOProvider
from botocore.tokens import SSOTokenProvider

from credproc import limits
from credproc.aws.bounded import TooLongAnswerError
from credproc.aws.session import botocore_session
from credproc.config.shared_config import SharedConfig
from credproc.credentials import Credentials
from credproc.errors import SourceError, for_shell, inert
from credproc.plan import Plan
from credproc.plan.source import Source
from credproc.sources.provider import FAILURES, MALFORMED, load
from credproc.sources.sso_token import is_signed_in

_SETTINGS_HINT = "check sso_region, and use_fips_endpoint and use_dualstack_endpoint beside an endpoint_url"


def fetch(plan: Plan, config: SharedConfig, environ: Mapping[str, str]) -> Credentials:
    """Return the credentials of the profile's account and role. Raises SourceError, or ConfigError."""
    source = plan.source
    profile = source.profile or ""
    try:
        session = botocore_session(plan, config, environ)
        found = load(
            SSOProvider(
                load_config=lambda: session.full_config,
                client_creator=session.create_client,
                profile_name=profile,
                token_provider=SSOTokenProvider(session, profile_name=profile),
            )
        )
    except FAILURES as error:
        raise _failed(source, error) from None
    if found is None:
        raise SourceError(
            f"{source.where}: IAM Identity Center returned no credentials",
            "check sso_account_id and sso_role_name, and that the role is assigned to you",
        )
    return found


def _failed(source: Source, error: Exception) -> SourceError:
    identity = dict(source.identity)
    option = f"--profile {for_shell(source.profile or '')}"
    if "sso_session" in identity:
        option = f"--sso-session {for_shell(identity['sso_session'])}"
    signed_out = (boto.UnauthorizedSSOTokenError, boto.SSOTokenLoadError, boto.TokenRetrievalError, boto.SSOError)
    # whatever botocore raises of a token file that is empty or cut
    if isinstance(error, signed_out) or not is_signed_in(source, time.time()):
        return SourceError(
            f"{source.where}: the sign-in to IAM Identity Center has expired, or is missing",
            f"run aws sso login {option}",
        )
    if isinstance(error, boto.ClientError):
        code = inert(str(error.response.get("Error", {}).get("Code", "")), 80)
        return SourceError(
            f"{source.where}: IAM Identity Center: GetRoleCredentials: {code}",
            f"check that {identity['sso_role_name']} in {identity['sso_account_id']} is assigned to you",
        )
    if isinstance(error, TooLongAnswerError):
        what = f"IAM Identity Center: the answer is {limits.TooLongError(limits.SOURCE)}"
        return SourceError(f"{source.where}: {what}", "check the network, proxy and VPN")
    if isinstance(error, RuntimeError):
        return SourceError(
            f"{source.where}: IAM Identity Center returned credentials that have expired", "check the clock"
        )
    if isinstance(error, MALFORMED):
        return SourceError(f"{source.where}: IAM Identity Center: the answer does not hold credentials", "try again")
    if isinstance(error, (boto.ConnectionError, boto.HTTPClientError, OSError)):
        return SourceError(f"{source.where}: IAM Identity Center cannot be reached", "check the network, proxy and VPN")
    # of the settings or of the answer; botocore's own text may quote either
    return SourceError(f"{source.where}: IAM Identity Center: botocore: {type(error).__name__}", _SETTINGS_HINT)
