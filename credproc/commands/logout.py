"""credproc logout: remove MFA sessions from where they are kept, and the cached credentials that hang on them."""

import argparse

from credproc.commands.arguments import add_profile
from credproc.commands.inventory import Described, described, in_turn, remove, sessions
from credproc.commands.ui.output import Said
from credproc.config.parser import read
from credproc.errors import ConfigError, CredprocError, SessionStoreError
from credproc.files import PrivateDirectory
from credproc.locking.directory import own_directory
from credproc.plan import plan_for
from credproc.request import Request
from credproc.stores import store_for
from credproc.stores.mfa_sessions import Index, SessionId, Sessions, session_id

GROUP = "sign in"
HELP = "forget the user's MFA session, and what hangs on it"
DESCRIPTION = "Remove MFA sessions from the keyring, and the cached credentials that hang on them."


def logout(request: Request, *, everyone: bool) -> str:
    """Sign out the user behind the profile, or ``everyone``; return what was done, in words. Raises CredprocError."""
    directory = own_directory(request.environ)
    if directory is None:
        return "nothing is kept: there is no private directory for it\n"
    if everyone:
        indexes = sessions(directory)
        entries = [entry for entry in described(directory) if entry.mfa_serial is not None]
    else:
        indexes, entries = _of_profile(request, directory)
    said = [sign_out(index, request, directory, "logout") for index in indexes]
    said += [f"removed: {entry.words}" for entry in entries if remove(directory, entry.name, "logout")]
    subject = "" if everyone else f" for {request.subject}"
    return "".join(f"{line}\n" for line in said) or f"nobody was signed in{subject}\n"


def _of_profile(request: Request, directory: PrivateDirectory) -> tuple[list[Index], list[Described]]:
    config = read(request.environ)
    try:
        plan = plan_for(config, request._replace(profile=request.profile or "default"))
    except ConfigError as error:
        if request.profile is None:
            error.hint = "name one with --profile, or sign everybody out with --all"
        raise
    access_key_id = plan.source.access_key_id
    if plan.mfa is None or access_key_id is None:
        return [], []
    name = session_id(access_key_id, plan.mfa.serial, plan.endpoint.issuer).name
    indexes = [index for index in sessions(directory) if index.name == name]
    entries = [
        entry
        for entry in described(directory)
        if entry.mfa_serial == plan.mfa.serial and entry.source_access_key_id == access_key_id
    ]
    return indexes, entries


def sign_out(index: Index, request: Request, directory: PrivateDirectory, command: str) -> str:
    """Remove one session, in its turn, and say so; it stays noted where its secret cannot be removed.

    Raises CredprocError, named after the command.
    """
    store = store_for(index.store, directory, request.environ, lambda: None)
    with in_turn(directory, index.name, command):
        try:
            Sessions(directory, SessionId(index.name, index.serial, index.issuer), store).drop()
        except SessionStoreError as error:
            raise CredprocError(
                f"{command}: {index.serial}: {error}", "unlock the keyring and try again; the session is still there"
            ) from None
    return f"signed out: {index.serial}"


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    which = one.add_mutually_exclusive_group()
    add_profile(which, "only those of this profile's user (default: AWS_PROFILE)")
    which.add_argument("--all", action="store_true", help="every session")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    return Said(logout(request, everyone=options.all))
