"""Checks of the environment: variables that override the profiles, and the terminal."""

import ntpath
import sys
from collections.abc import Collection, Iterator, Mapping

from credproc import paths
from credproc.aws import proxies
from credproc.commands.doctor.check import Check, from_error, ok, warn
from credproc.config.settings import PromptPlace, prompt_place_named
from credproc.config.shared_config import chosen, is_true
from credproc.errors import ConfigError, removing
from credproc.mfa import IN_A_WINDOW
from credproc.mfa.dialog.programs import find
from credproc.plan import Plan
from credproc.plan.mfa import PROMPT_VARIABLE

_IN_A_TERMINAL = "run credproc login in a terminal"


def variables(environ: Mapping[str, str], plans: list[Plan]) -> Iterator[Check]:
    """Yield the variables because of which SDKs, or credproc, do not do what the profiles say."""
    is_used = any(plan.source.kind == "Environment" for plan in plans)
    if environ.get("AWS_ACCESS_KEY_ID") and not is_used:
        yield warn(
            "AWS_ACCESS_KEY_ID is set and wins over AWS_PROFILE in most SDKs, which then never start credproc",
            removing("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        )
    is_ignored = is_true(chosen("ignore_configured_endpoint_urls", None, environ))
    if environ.get("AWS_ENDPOINT_URL") and not environ.get("AWS_ENDPOINT_URL_STS") and not is_ignored:
        yield warn(
            "AWS_ENDPOINT_URL is set and changes the endpoint of STS too",
            "if you need it for S3 only, set AWS_ENDPOINT_URL_S3 instead",
        )


def homes(environ: Mapping[str, str], platform: str = sys.platform) -> Iterator[Check]:
    """Yield a warning if SDKs look for the AWS files in two homes: HOME and, on Windows, USERPROFILE."""
    home, profile = environ.get("HOME"), environ.get("USERPROFILE")
    if platform != "win32" or not home or not profile or all(environ.get(name) for name in paths.VARIABLES):
        return
    if ntpath.normcase(ntpath.normpath(home)) != ntpath.normcase(ntpath.normpath(profile)):
        yield warn(
            "HOME is not USERPROFILE: SDKs such as JavaScript's and Java's read .aws in HOME; credproc, boto3 and the"
            " AWS CLI read it in USERPROFILE",
            f"remove the variable HOME, or set {' and '.join(paths.VARIABLES)}",
        )


def broken_proxies() -> Iterator[Check]:
    """Yield a failure for each variable in whose proxy a user or password breaks the URL, used here or not."""
    for scheme, proxy in proxies.proxies().items():
        try:
            proxies.check(proxy, scheme)
        except ConfigError as error:
            yield from_error(error)


def prompts(
    unavailable_reason: str | None, environ: Mapping[str, str], wanted: Collection[PromptPlace]
) -> Iterator[Check]:
    """Check whether credproc could prompt for a code, at the terminal or in a window.

    ``unavailable_reason`` is what ``terminal`` returns, and ``wanted`` what profiles say; the variable comes before it.
    """
    if environ.get("CREDPROC_INTERACTIVE") == "never":
        yield warn(
            "terminal: CREDPROC_INTERACTIVE=never: credproc does not prompt for codes", removing("CREDPROC_INTERACTIVE")
        )
        return
    variable = prompt_place_named(environ.get(PROMPT_VARIABLE, ""))
    is_window_wanted = any(place != "terminal" for place in ([variable] if variable else wanted))
    windows = find(environ) if is_window_wanted else None
    if unavailable_reason is None:
        yield ok("terminal: credproc can prompt for a code")
    elif windows is None or not windows.is_available:
        reason = unavailable_reason.removesuffix(" to ask for it on")
        hint = _IN_A_TERMINAL if is_window_wanted else f"{_IN_A_TERMINAL}, {IN_A_WINDOW}"
        yield warn(f"terminal: {reason}: credproc cannot prompt for a code here", hint)
    if windows is not None and windows.is_available:
        yield ok(f"window: credproc can prompt for a code in one of {windows.shown_by}")
    elif windows is not None:
        yield warn(f"window: {windows.unavailable_reason}", windows.hint)
