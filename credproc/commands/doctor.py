"""credproc doctor: what has gone wrong lately, for those whose SDK has not told them."""

import argparse
from collections.abc import Mapping

from credproc import log, paths
from credproc.commands.said import Said
from credproc.files import open_directory
from credproc.refresh.request import Request

_LAST = 10  # failures

GROUP = "if wrong"
HELP = "show the last failures"
DESCRIPTION = "Show the last failures, which some SDKs keep to themselves."


def doctor(environ: Mapping[str, str]) -> str:
    """Return the last failures, oldest first, in words."""
    path = paths.cache_directory(environ)
    directory = open_directory(path)
    found = log.failures(directory, _LAST)
    place = "the log" if path is None else f"{paths.shown(path, environ)}/{log.NAME}"
    if not found:
        return f"no failures in {place}\n"
    return f"the last failures in {place} (time, process, profile):\n" + "".join(f"  {line}\n" for line in found)


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments: none."""


def run(_options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    return Said(doctor(request.environ))
