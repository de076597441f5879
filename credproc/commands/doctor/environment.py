"""Checks of the environment: variables that override the profiles, and the terminal."""

from collections.abc import Iterator, Mapping

from credproc.commands.doctor.check import Check, from_error, ok, warn
from credproc.config.shared_config import chosen, is_true
from credproc.errors import ConfigError
from credproc.plan import Plan


def variables(environ: Mapping[str, str], plans: list[Plan]) -> Iterator[Check]:
    """Yield the variables because of which SDKs, or credproc, do not do what the profiles say."""
    is_used = any(plan.source.kind == "Environment" for plan in plans)
    if environ.get("AWS_ACCESS_KEY_ID") and not is_used:
        yield warn(
            "AWS_ACCESS_KEY_ID is set and wins over AWS_PROFILE in most SDKs, which then never start credproc",
            "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
        )
    is_ignored = is_true(chosen("ignore_configured_endpoint_urls", None, environ))
    if environ.get("AWS_ENDPOINT_URL") and not environ.get("AWS_ENDPOINT_URL_STS") and not is_ignored:
        yield warn(
            "AWS_ENDPOINT_URL is set and changes the endpoint of STS too",
            "if you need it for S3 only, set AWS_ENDPOINT_URL_S3 instead",
        )


def broken_proxies() -> Iterator[Check]:
    """Yield a failure for each variable in whose proxy a user or password breaks the URL, used here or not."""
    from urllib.request import getproxies  # noqa: PLC0415 - 30 ms

    from credproc.aws import proxies  # noqa: PLC0415 - with it

    for scheme, proxy in getproxies().items():
        try:
            proxies.check(proxy, scheme)
        except ConfigError as error:
            yield from_error(error)


def terminal(unavailable_reason: str | None, environ: Mapping[str, str]) -> Check:
    """Check whether credproc could prompt for a code; ``unavailable_reason`` is what ``terminal`` returns."""
    if environ.get("CREDPROC_INTERACTIVE") == "never":
        return warn(
            "terminal: CREDPROC_INTERACTIVE=never: credproc does not prompt for codes", "unset CREDPROC_INTERACTIVE"
        )
    if unavailable_reason is not None:
        reason = unavailable_reason.removesuffix(" to ask for it on")
        return warn(f"terminal: {reason}: credproc cannot prompt for a code here", "run credproc login in a terminal")
    return ok("terminal: credproc can prompt for a code")
