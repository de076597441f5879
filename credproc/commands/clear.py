"""credproc clear: remove cached credentials; the next caller refreshes."""

import argparse
from collections.abc import Mapping

from credproc import paths
from credproc.commands.arguments import add_profile
from credproc.commands.inventory import Described, described, remove
from credproc.commands.ui.output import Said
from credproc.files import PrivateDirectory, open_directory
from credproc.request import Request

GROUP = "if wrong"
HELP = "remove a profile's cached credentials"
DESCRIPTION = "Remove cached credentials; the next caller refreshes. The AWS files are not touched."


def clear(profile: str | None, environ: Mapping[str, str]) -> str:
    """Remove the entries of a profile, or all (None), in every environment; return what was done, in words."""
    path = paths.cache_directory(environ)
    directory = open_directory(path)
    removed = [] if directory is None else _removed(directory, profile)
    place = paths.shown(path, environ) if path is not None else "the cache"
    if not removed:
        subject = "" if profile is None else f" of profile {profile!a}"
        return f"nothing{subject} was cached in {place}\n"
    return "".join(f"removed: {entry.words}\n" for entry in removed)


def _removed(directory: PrivateDirectory, profile: str | None) -> list[Described]:
    chosen = [
        entry
        for entry in described(directory)
        if profile is None or entry.profile == profile or (profile == "default" and entry.is_unnamed)
    ]
    return [entry for entry in chosen if remove(directory, entry.name, "clear")]


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    which = one.add_mutually_exclusive_group()
    add_profile(which, "only this profile's (default: AWS_PROFILE)")
    which.add_argument("--all", action="store_true", help="every profile's")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    return Said(clear(None if options.all else request.profile or "default", request.environ))
