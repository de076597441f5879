"""credproc console: open the AWS console in the browser, signed in with the profile's role."""

import argparse
import os
import sys
from collections.abc import Mapping
from typing import NamedTuple

from credproc.commands.arguments import add_profile_choice, add_region_option, region_in
from credproc.commands.ui.output import Document
from credproc.commands.ui.progress import Progress
from credproc.commands.variables import resolve
from credproc.errors import CredprocError
from credproc.process.child_environment import environment_for_child
from credproc.process.command_line import programs_in_path
from credproc.request import Request
from credproc.trust import untrusted_place

_SIGN_IN_SECONDS = 10
_OPENER_SECONDS = 3  # if the opener still runs after that, it has become the browser
_OPENERS = ("open",) if sys.platform == "darwin" else ("xdg-open", "wslview")
_PRINT_HINT = "run credproc console NAME --print and open the URL in a browser"

GROUP = "use"
HELP = "open the AWS console, signed in with the profile's role"
DESCRIPTION = (
    "Open the AWS console in the browser, signed in with the profile's role. The URL that --print prints signs in"
    " anybody who opens it within fifteen minutes: treat it like a password."
)


class Page(NamedTuple):
    """The page of the console to open."""

    service: str | None  # None: the start page
    region: str | None  # None: the profile's


def sign_in_url(request: Request, page: Page, progress: Progress) -> str:
    """Return the URL that signs in to the AWS console with the role of the request's profile. Raises CredprocError."""
    from credproc.aws.client import Settings  # noqa: PLC0415 - ssl, not for --help
    from credproc.aws.federation import console_for, sign_in_url  # noqa: PLC0415
    from credproc.config.parser import read  # noqa: PLC0415
    from credproc.plan import plan_for  # noqa: PLC0415

    config = read(request.environ, request.clock())
    plan = plan_for(config, request)
    plan = plan if page.region is None else plan._replace(region=page.region)
    console = console_for(plan, page.service, request.environ)  # before a code is asked for
    credentials = resolve(request, config)
    progress.show("signing in to the AWS console ...")
    settings = Settings.of(config, credentials.plan.profile, request.environ, _SIGN_IN_SECONDS)
    return sign_in_url(console, credentials.document, settings)


def open_browser(url: str, environ: Mapping[str, str]) -> None:
    """Open the URL in the user's browser. Raises CredprocError.

    A browser gets the URL as an argument, which every user of this machine can see for a moment. The URL therefore
    contains no credentials, only a token that signs in to the AWS console, does nothing else and expires within
    minutes. A private file that redirects to the URL would hide it, but sandboxed browsers (snap, flatpak) may not
    read such a file. On a machine shared with people you do not trust, use --print.
    """
    if sys.platform == "win32":
        try:
            os.startfile(url)  # noqa: S606 - the browser that the user has chosen
        except OSError:
            raise CredprocError("console: no browser could be started", _PRINT_HINT) from None
    else:
        _start_opener(url, environ)


def _start_opener(url: str, environ: Mapping[str, str]) -> None:
    import subprocess  # noqa: PLC0415 - not for --print

    opener = _opener(environ)
    if opener is None:
        raise CredprocError(f"console: no {' or '.join(_OPENERS)} was found in PATH", _PRINT_HINT)
    null = subprocess.DEVNULL
    try:
        child = subprocess.Popen(  # noqa: S603 - the platform's own opener
            [opener, url],
            stdin=null,
            stdout=null,
            stderr=null,
            env=environment_for_child(environ, with_identity=False),
            start_new_session=True,  # Ctrl-C at the shell must not reach the browser
        )
        status = child.wait(_OPENER_SECONDS)
    except subprocess.TimeoutExpired:
        return
    except OSError as error:
        reason = (error.strerror or "cannot be started").lower()
        raise CredprocError(f"console: {opener}: {reason}", _PRINT_HINT) from None
    if status != 0:
        raise CredprocError(f"console: {os.path.basename(opener)} could not open a browser", _PRINT_HINT)


def _opener(environ: Mapping[str, str]) -> str | None:
    """Return the platform's opener, from the directories of PATH in which other users cannot put another one."""
    found = (program for name in _OPENERS for program in programs_in_path(name, environ))
    return next((program for program in found if untrusted_place(program) is None), None)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_profile_choice(
        parser,
        "the profile whose role signs in",
        wanted=lambda _, plan: plan is not None and not plan.is_user_session,
    )
    parser.add_argument(
        "--service", metavar="SERVICE", help="the service to open, as in the URL of the AWS console: s3, ec2"
    )
    add_region_option(parser, "the region to open (default: the profile's)")
    parser.add_argument("--print", action="store_true", help="print the URL, which is a secret, instead of opening it")


def run(options: argparse.Namespace, request: Request) -> Document:
    """Run the command."""
    page = Page(options.service, region_in(options))
    progress = Progress()
    try:
        url = sign_in_url(request, page, progress)
    finally:
        progress.end()
    if options.print:
        return Document(f"{url}\n")
    open_browser(url, request.environ)
    opened = f"credproc: the AWS console opens in the browser, signed in with {request.subject}"
    return Document("", note=opened if os.isatty(1) else "")
