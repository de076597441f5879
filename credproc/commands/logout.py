"""credproc logout: delete MFA sessions from their store, and the cached role credentials made with them."""

import argparse

from credproc.commands.arguments import add_profile_option
from credproc.commands.inventory import EntryInfo, cache_entries, hold_lock, mfa_sessions, remove_entry
from credproc.commands.ui.output import Output
from credproc.config.parser import read
from credproc.errors import ConfigError, CredprocError, SessionStoreError
from credproc.files import PrivateDirectory
from credproc.locking.directory import own_directory
from credproc.plan import plan_for
from credproc.request import Request
from credproc.stores import store_for
from credproc.stores.mfa_sessions import SessionId, SessionIndex, StoredSession, session_id

GROUP = "sign in"
HELP = "delete the MFA session and the credentials made with it"
DESCRIPTION = "Delete the user's MFA session and the cached role credentials made with it."


def logout(request: Request, *, everyone: bool) -> str:
    """Sign out the user of the request's profile, or all users; return what was done. Raises CredprocError."""
    directory = own_directory(request.environ)
    if directory is None:
        return "nobody is signed in: there is no private directory for MFA sessions\n"
    if everyone:
        indexes = mfa_sessions(directory)
        entries = [entry for entry in cache_entries(directory) if entry.mfa_serial is not None]
    else:
        indexes, entries = _of_profile(request, directory)
    lines = [delete_session(index, request, directory, "logout") for index in indexes]
    lines += [f"deleted: {entry.description}" for entry in entries if remove_entry(directory, entry.name, "logout")]
    subject = "" if everyone else f" for {request.subject}"
    return "".join(f"{line}\n" for line in lines) or f"nobody is signed in{subject}\n"


def _of_profile(request: Request, directory: PrivateDirectory) -> tuple[list[SessionIndex], list[EntryInfo]]:
    """Return the MFA sessions of the profile's user, and the cache entries made with them. Raises ConfigError."""
    config = read(request.environ)
    try:
        plan = plan_for(config, request._replace(profile=request.profile or "default"))
    except ConfigError as error:
        if request.profile is None:
            error.hint = "name a profile with --profile, or sign out all users with --all"
        raise
    access_key_id = plan.source.access_key_id
    if plan.mfa is None or access_key_id is None:
        return [], []
    name = session_id(access_key_id, plan.mfa.serial, plan.endpoint.issuer).name
    indexes = [index for index in mfa_sessions(directory) if index.name == name]
    entries = [
        entry
        for entry in cache_entries(directory)
        if entry.mfa_serial == plan.mfa.serial and entry.source_access_key_id == access_key_id
    ]
    return indexes, entries


def delete_session(index: SessionIndex, request: Request, directory: PrivateDirectory, command: str) -> str:
    """Delete one MFA session under its lock and return a line that says so.

    The index file stays if the store fails. Raises CredprocError, which names ``command``.
    """
    store = store_for(index.store, directory, request.environ, lambda: None)
    with hold_lock(directory, index.name, command):
        try:
            StoredSession(directory, SessionId(index.name, index.serial, index.issuer), store).delete()
        except SessionStoreError as error:
            raise CredprocError(
                f"{command}: {index.serial}: {error}", "unlock the keyring and try again: the session still exists"
            ) from None
    return f"signed out: {index.serial}"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    which = parser.add_mutually_exclusive_group()
    add_profile_option(which, "the profile whose user signs out (default: AWS_PROFILE)")
    which.add_argument("--all", action="store_true", help="delete the MFA sessions of all users")


def run(options: argparse.Namespace, request: Request) -> Output:
    """Run the command."""
    return Output(logout(request, everyone=options.all))
