"""credproc logout: delete MFA sessions from their store, and the cached role credentials made with them."""

import argparse

from credproc.commands.arguments import add_profile_choice
from credproc.commands.inventory import cache_entries, remove_entries
from credproc.commands.sessions import SessionRemover, mfa_plans
from credproc.commands.ui.output import Output
from credproc.config.parser import read
from credproc.errors import ConfigError
from credproc.locking.directory import own_directory
from credproc.plan import plan_for
from credproc.request import Request

GROUP = "sign in"
HELP = "delete the MFA session and the credentials made with it"
DESCRIPTION = "Delete the user's MFA session and the cached role credentials made with it."


def logout(request: Request) -> list[str]:
    """Sign out the user of the request's profile; return lines with what was done. Raises CredprocError."""
    config = read(request.environ)
    if request.profile is None:  # and there was none to choose
        return ["no profile signs in with MFA; credproc logout --all signs out whoever is signed in all the same"]
    plan = plan_for(config, request)
    nobody, access_key_id = f"nobody is signed in for {request.subject}", plan.source.access_key_id
    if plan.mfa is None or access_key_id is None:
        return [nobody]
    user = (access_key_id, plan.mfa.serial)
    directory = own_directory(request.environ)
    remover = SessionRemover(request, directory, "logout", [plan, *mfa_plans(config, request)])
    lines = remover.remove_of_key(*user)
    entries = [entry for entry in cache_entries(directory) if (entry.source_access_key_id, entry.mfa_serial) == user]
    return [*lines, *remove_entries(directory, entries, "logout")] or [_nobody(nobody, remover)]


def logout_all(request: Request) -> list[str]:
    """Sign out all users; return lines with what was done. Raises CredprocError."""
    try:
        plans = [*mfa_plans(read(request.environ), request)]
    except ConfigError:  # the sessions that have an index file can be deleted all the same
        plans = []
    directory = own_directory(request.environ)
    remover = SessionRemover(request, directory, "logout", plans)
    lines = remover.remove_all()
    entries = [entry for entry in cache_entries(directory) if entry.mfa_serial is not None]
    return [*lines, *remove_entries(directory, entries, "logout")] or [_nobody("nobody is signed in", remover)]


def _nobody(nobody: str, remover: SessionRemover) -> str:
    return nobody if remover.has_keyring else f"{nobody}; there is no keyring to ask"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_profile_choice(
        parser,
        "the profile whose user signs out",
        everyone="delete the MFA sessions of all users",
        wanted=lambda _, plan: plan is not None and plan.mfa is not None and plan.source.access_key_id is not None,
    )


def run(options: argparse.Namespace, request: Request) -> Output:
    """Run the command."""
    return Output(logout_all(request) if options.all else logout(request))
