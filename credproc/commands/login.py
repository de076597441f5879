"""credproc login: sign in with MFA before a program that cannot prompt needs the credentials."""

import argparse
import time

from credproc import cache
from credproc.commands.arguments import add_profile_choice
from credproc.commands.inventory import cache_entries, mfa_sessions
from credproc.commands.plan_text import store_name
from credproc.commands.profile_state import ProfileInspector
from credproc.commands.sign_in import command_for, sign_in
from credproc.commands.ui.output import Output
from credproc.commands.ui.progress import Progress
from credproc.commands.ui.times import format_duration, format_until
from credproc.config.parser import read
from credproc.config.shared_config import SharedConfig
from credproc.errors import ConfigError, SourceError
from credproc.locking.directory import own_directory
from credproc.plan import plan_for
from credproc.plan.role import CHAINED_DURATION_LIMIT
from credproc.plan.source import Source
from credproc.plan.steps import is_long
from credproc.refresh import FOR_PEOPLE, RefreshResult, refresh
from credproc.request import Request
from credproc.sources.sign_in import is_signed_in
from credproc.stores.mfa_sessions import is_forgotten

_RENEW_SECONDS = 7200  # an MFA session that lasts longer is not renewed

GROUP = "sign in"
HELP = "sign in with MFA ahead of time"
DESCRIPTION = (
    "Ask for the MFA code now, for programs that cannot prompt. A session that lasts for two more hours is not renewed."
    " Where the credentials come from IAM Identity Center or aws login, the AWS CLI signs in."
)


def login(request: Request, *, renew: bool) -> list[str]:
    """Sign in for the request's profile and cache its credentials; return lines with what that has got.

    ``renew``: start a new MFA session even if the current one lasts for hours. Raises CredprocError.
    """
    source, result = _signed_in(request, renew=renew)
    name = cache.entry_name(request.profile, request.environ)
    directory = own_directory(request.environ)
    if directory is None:
        raise ConfigError(
            "login: there is no private directory to cache the credentials in, so each program will ask for a code",
            "set CREDPROC_CACHE_DIR to a directory of yours that others may not write to",
        )
    now = request.clock()
    entry = next((entry for entry in cache_entries(directory) if entry.name == name), None)
    if entry is None and source.kind == "LoginSession":
        return [f"{request.subject} is signed in; the AWS CLI keeps the credentials"]
    if entry is None or entry.expiration is None:
        return [f"{request.subject} has credentials without an expiry time; they are not cached"]
    credentials = f"{request.subject} has credentials {format_until(entry.expiration, now)}"
    sessions = [
        f"signed in with {index.serial.rpartition(':')[2]} {format_until(index.expiration, now)}, with a session in"
        f" {store_name(index.store)}"
        for index in mfa_sessions(directory)
        if index.serial == entry.mfa_serial and index.expiration > now and not is_forgotten(index)
    ]
    if sessions or entry.mfa_serial is None:
        return [*sessions, credentials]
    which = "profile" if entry.role_arn is None else "role"
    return [f"signed in for one {which}: {credentials}", f"the next role asks for a code again{_reason(result)}"]


def _signed_in(request: Request, *, renew: bool) -> tuple[Source, RefreshResult]:
    """Sign in, with MFA or by the AWS CLI, and refresh; return the source of the credentials, and the result."""
    config = read(request.environ, request.clock())
    source = plan_for(config, request).source
    by_aws_cli = command_for(source) is not None
    if not by_aws_cli or (not renew and is_signed_in(source, request.environ, request.clock())):
        try:
            return source, _refresh(request, config, renew=renew)
        except SourceError:  # the files do not show whether AWS has ended a sign-in
            if not by_aws_cli:
                raise
    sign_in(source, request.environ)  # the AWS CLI may edit the files
    return source, _refresh(request, None, renew=renew)


def _refresh(request: Request, config: SharedConfig | None, *, renew: bool) -> RefreshResult:
    """Refresh with what the files say, which are read if ``config`` is None, and with all of the time."""
    wanted = request._replace(deadlines=FOR_PEOPLE, min_session_seconds=float("inf") if renew else _RENEW_SECONDS)
    progress = Progress()
    progress.show("signing in ...")
    try:
        return refresh(wanted._replace(started=time.monotonic()), config)
    finally:
        progress.end()


def _reason(result: RefreshResult) -> str:
    """Return why no MFA session was kept, as the end of a sentence; nothing if another run has got the credentials."""
    if result.plan is not None and is_long(result.plan):
        return f", because a role for more than {format_duration(CHAINED_DURATION_LIMIT)} takes a code of its own"
    return "" if result.no_session is None else f", because {result.no_session}"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    everyone = "sign in whatever needs it, one after the other: users with MFA, Identity Center, aws login"
    add_profile_choice(parser, "the profile to sign in for", everyone=everyone)
    parser.add_argument("--renew", action="store_true", help="even if the session lasts for hours")


def run(options: argparse.Namespace, request: Request) -> Output:
    """Run the command."""
    if not options.all:
        return Output(login(request, renew=options.renew))
    from credproc.commands.login_all import login_all  # noqa: PLC0415 - not for one profile

    def login_one(profile: str) -> list[str]:
        return login(request._replace(profile=profile, started=time.monotonic()), renew=options.renew)

    inspector = ProfileInspector(read(request.environ, request.clock()), request)
    lines, status = login_all(inspector, login_one, float("inf") if options.renew else _RENEW_SECONDS)
    return Output(lines, status)
