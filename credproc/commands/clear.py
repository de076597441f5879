"""credproc clear: delete cached credentials, so that the next call refreshes them."""

import argparse
from collections.abc import Mapping

from credproc import paths
from credproc.commands.arguments import add_profile_choice
from credproc.commands.inventory import cache_entries, remove_entries
from credproc.commands.ui.output import Output
from credproc.errors import quoted
from credproc.files import open_directory
from credproc.request import Request

GROUP = "diagnose"
HELP = "delete a profile's cached credentials"
DESCRIPTION = "Delete cached credentials, so that the next call refreshes them. The AWS files stay as they are."


def clear(profile: str | None, environ: Mapping[str, str]) -> list[str]:
    """Delete the cache entries of a profile (None: of all), whatever the environment; return lines with what was done.

    ``profile`` is empty for what was requested without a name. Raises CredprocError.
    """
    path = paths.cache_directory(environ)
    directory = open_directory(path)
    chosen = [
        entry
        for entry in cache_entries(directory)
        if profile is None or entry.profile == profile or (profile in ("", "default") and entry.is_unnamed)
    ]
    lines = remove_entries(directory, chosen, "clear")
    place = paths.shown(path, environ) if path is not None else "the cache"
    subject = f" for profile {quoted(profile)}" if profile else ""
    return lines or [f"nothing is cached{subject} in {place}"]


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_profile_choice(parser, "the profile", everyone="delete the cached credentials of every profile")


def run(options: argparse.Namespace, request: Request) -> Output:
    """Run the command."""
    return Output(clear(None if options.all else request.profile or "", request.environ))
