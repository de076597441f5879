"""credproc logout: remove MFA sessions from where they are kept, and the cached credentials that hang on them."""

import argparse
import time

from credproc.commands import add_profile
from credproc.commands.entries import Described, described, remove
from credproc.commands.said import Said
from credproc.errors import ConfigError, CredprocError, DeadlineError, SessionStoreError
from credproc.files import PrivateDirectory
from credproc.refresh import own_directory
from credproc.refresh.lock import Lock
from credproc.refresh.plan import Asker, Plan, plan_for
from credproc.refresh.request import Request
from credproc.refresh.session import SUFFIX, Index, SessionId, Sessions, read_index, session_id
from credproc.refresh.sharedconfig import read
from credproc.refresh.stores import store_for

_PATIENCE = 5  # seconds for a sign-in that is under way; it may be waiting for a person

GROUP = "sign in"
HELP = "forget MFA sessions"
DESCRIPTION = "Remove MFA sessions from the keyring, and the cached credentials that hang on them."


def logout(request: Request, *, everyone: bool) -> str:
    """Sign out the user behind the profile, or ``everyone``; return what was done, in words. Raises CredprocError."""
    directory = own_directory(request.environ)
    if directory is None:
        return "nothing is kept: there is no private directory for it\n"
    if everyone:
        indexes = [index for name in directory.names() if (index := _index(directory, name)) is not None]
        entries = [entry for entry in described(directory) if entry.mfa_serial is not None]
    else:
        indexes, entries = _of_profile(request, directory)
    said = [sign_out(index, request, directory, "logout") for index in indexes]
    said += [f"removed: {entry.words}" for entry in entries if remove(directory, entry.name, "logout")]
    subject = "" if everyone else f" for {request.subject}"
    return "".join(f"{line}\n" for line in said) or f"nobody was signed in{subject}\n"


def _index(directory: PrivateDirectory, name: str) -> Index | None:
    return read_index(directory, name) if name.endswith(SUFFIX) else None


def _of_profile(request: Request, directory: PrivateDirectory) -> tuple[list[Index], list[Described]]:
    config = read(request.environ)
    try:
        plan = plan_for(config, request.profile or "default", request.environ, Asker(program=request.program))
    except ConfigError as error:
        if request.profile is None:
            error.hint = "name one with --profile, or sign everybody out with --all"
        raise
    access_key_id = _access_key_id(plan)
    if plan.mfa is None or access_key_id is None:
        return [], []
    name = session_id(access_key_id, plan.mfa.serial, plan.endpoint.issuer).name
    index = _index(directory, name + SUFFIX)
    entries = [
        entry
        for entry in described(directory)
        if entry.mfa_serial == plan.mfa.serial and entry.source_access_key_id == access_key_id
    ]
    return [] if index is None else [index], entries


def _access_key_id(plan: Plan) -> str | None:
    identity = dict(plan.source.identity)
    return identity.get("access_key_id") or identity.get("AWS_ACCESS_KEY_ID")


def sign_out(index: Index, request: Request, directory: PrivateDirectory, command: str) -> str:
    """Remove one session, in its turn, and say so; it stays noted where its secret cannot be removed.

    Raises CredprocError, named after the command.
    """
    lock = Lock(directory, index.name)
    try:
        lock.wait(lambda: None, time.monotonic() + _PATIENCE)
        store = store_for(index.store, directory, request.environ, lambda: None)
        Sessions(directory, SessionId(index.name, index.serial, index.issuer), store).drop()
    except DeadlineError as error:
        raise CredprocError(f"{command}: {error}", "wait until it has ended, or end that process") from None
    except SessionStoreError as error:
        raise CredprocError(
            f"{command}: {index.serial}: {error}", "unlock the keyring and try again; the session is still there"
        ) from None
    finally:
        lock.close()
    return f"signed out: {index.serial}"


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    which = one.add_mutually_exclusive_group()
    add_profile(which, "only those of this profile's user (default: AWS_PROFILE)")
    which.add_argument("--all", action="store_true", help="every session")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    return Said(logout(request, everyone=options.all))
