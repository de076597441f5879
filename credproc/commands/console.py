"""credproc console: open the AWS console, signed in with the profile's role."""

import argparse
import os
import sys
from collections.abc import Mapping

from credproc.commands.arguments import add_name
from credproc.commands.ui.output import Said
from credproc.commands.ui.progress import Progress
from credproc.commands.variables import resolve
from credproc.errors import CredprocError
from credproc.process.child_environment import environment_for_child
from credproc.request import Request

_SIGN_IN_SECONDS = 10
_OPENER_SECONDS = 3  # one that still runs then is the browser itself
_PRINT_HINT = "credproc console NAME --print prints the address, to be opened in any browser"

GROUP = "use"
HELP = "open the AWS console signed in"
DESCRIPTION = (
    "Open the AWS console in the browser, signed in with the profile's role. The address that --print prints signs"
    " anybody in who opens it within fifteen minutes: treat it as a password."
)


def sign_in_url(request: Request, service: str | None, progress: Progress) -> str:
    """Return the URL that signs in to the console with the request's profile. Raises CredprocError."""
    from credproc.aws.client import Settings  # noqa: PLC0415 - ssl, not for --help
    from credproc.aws.federation import console_for, sign_in_url  # noqa: PLC0415
    from credproc.config.parser import read  # noqa: PLC0415
    from credproc.plan import plan_for  # noqa: PLC0415

    config = read(request.environ, request.clock())
    console = console_for(plan_for(config, request), service, request.environ)  # before a person is asked for a code
    resolved = resolve(request, config)
    progress.say("signing in to the console ...")
    settings = Settings.of(config, resolved.plan.profile, request.environ, _SIGN_IN_SECONDS)
    return sign_in_url(console, resolved.document, settings)


def open_browser(url: str, environ: Mapping[str, str], platform: str = sys.platform) -> None:
    """Open the URL in the person's browser. Raises CredprocError.

    A browser can be told what to open only by its arguments, which every user of this machine can see for a moment. So
    the URL holds the token alone, which can sign in to the console and nothing else and ends in minutes, and never the
    credentials. A page in a private file that leads there would hide it, but browsers in a sandbox (snap, flatpak)
    may not read such a file. Who shares the machine with people he does not trust takes --print.
    """
    import shutil  # noqa: PLC0415 - not for --print
    import subprocess  # noqa: PLC0415

    names = {"darwin": ("open",)}.get(platform, ("xdg-open", "wslview"))
    opener = next((found for name in names if (found := shutil.which(name, path=environ.get("PATH")))), None)
    if opener is None or platform == "win32":
        import webbrowser  # noqa: PLC0415 - where the platform has no opener of its own

        if not webbrowser.open(url):
            raise CredprocError("console: there is no browser that could be started", _PRINT_HINT)
        return
    null = subprocess.DEVNULL
    try:
        child = subprocess.Popen(  # noqa: S603 - the platform's own opener
            [opener, url],
            stdin=null,
            stdout=null,
            stderr=null,
            env=environment_for_child(environ),
            start_new_session=True,  # Ctrl-C at the shell is not meant for the browser
        )
        status = child.wait(_OPENER_SECONDS)
    except subprocess.TimeoutExpired:
        return
    except OSError as error:
        reason = (error.strerror or "cannot be started").lower()
        raise CredprocError(f"console: {opener}: {reason}", _PRINT_HINT) from None
    if status != 0:
        raise CredprocError(f"console: {os.path.basename(opener)} could not open a browser", _PRINT_HINT)


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_name(one, "the profile whose role signs in")
    one.add_argument("--service", metavar="SERVICE", help="where to begin, as in the console's address: s3, ec2")
    one.add_argument("--print", action="store_true", help="print the address, a secret, and open nothing")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    progress = Progress()
    try:
        url = sign_in_url(request, options.service, progress)
    finally:
        progress.end()
    if options.print:
        return Said(f"{url}\n")
    open_browser(url, request.environ)
    return Said("")
