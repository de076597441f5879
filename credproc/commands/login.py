"""credproc login: sign in ahead of time, for programs that cannot wait for a person."""

import argparse

from credproc import cache
from credproc.commands.arguments import add_profile
from credproc.commands.inventory import described, sessions
from credproc.commands.ui.output import Said
from credproc.commands.ui.progress import Progress
from credproc.commands.ui.times import until_shown
from credproc.errors import ConfigError
from credproc.locking.directory import own_directory
from credproc.refresh import FOR_PEOPLE, refresh
from credproc.request import Request

_RENEWED_BELOW = 7200  # seconds that a session has left; one with more lasts through the next hours as it is

GROUP = "sign in"
HELP = "sign in with MFA ahead of time"
DESCRIPTION = (
    "Ask for the MFA code now, for programs that cannot wait for a person. A session with two hours left is kept."
)


def login(request: Request, *, renew: bool) -> str:
    """Sign in for the profile and cache its credentials; return until when that lasts, in words.

    ``renew``: get a new MFA session even if the old one has hours left. Raises CredprocError.
    """
    below = float("inf") if renew else _RENEWED_BELOW
    progress = Progress()
    progress.say("signing in ...")
    try:
        refresh(request._replace(deadlines=FOR_PEOPLE, min_session_seconds=below))
    finally:
        progress.end()
    name = cache.entry_name(request.profile, request.environ)
    directory = own_directory(request.environ)
    if directory is None:
        raise ConfigError(
            "login: there is no private directory to keep anything in, so every program will ask by itself",
            "set CREDPROC_CACHE_DIR to a directory of yours that others may not write to",
        )
    now = request.clock()
    entry = next((entry for entry in described(directory) if entry.name == name), None)
    serial = None if entry is None else entry.mfa_serial
    said = "".join(
        f"signed in with {index.serial.rpartition(':')[2]} {until_shown(index.expiration, now)}\n"
        for index in sessions(directory)
        if index.serial == serial and index.expiration > now
    )
    if entry is None or entry.expiration is None:
        return said + f"{request.subject} gives credentials that do not say when they end; nothing is kept\n"
    return said + f"{request.subject} has credentials {until_shown(entry.expiration, now)}\n"


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_profile(one, "the profile to sign in for (default: AWS_PROFILE)")
    one.add_argument("--renew", action="store_true", help="even if the session has hours left")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    return Said(login(request, renew=options.renew))
