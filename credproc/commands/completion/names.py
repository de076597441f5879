"""The names of the profiles that a command means, for the shells' completions: read from the two AWS files alone."""

from collections.abc import Iterator

from credproc.commands import NAMES, commands, parser
from credproc.commands.arguments import Wanted
from credproc.commands.profile_state import ProfileInspector, profile_names
from credproc.config.parser import read
from credproc.errors import ConfigError
from credproc.request import Request


def names(command: str, request: Request) -> Iterator[str]:
    """Yield the names in the order of the files; ``command`` may be of two words, and none that exists means all.

    Raises ConfigError if the files cannot be read.
    """
    inspector = ProfileInspector(read(request.environ, request.clock()), request)
    wanted = _wanted(command)
    for name in profile_names(inspector.config):
        if wanted is None or _is_wanted(wanted, inspector, name):
            yield name


def _wanted(command: str) -> Wanted | None:
    """Return which profiles the command means, or None if it means all."""
    first = command.partition(" ")[0]
    if first not in NAMES:
        return None
    below = parser(commands([first]))
    for word in command.split():
        below = below.below(word)
    found: Wanted | None = below.get_default("wanted")
    return found


def _is_wanted(wanted: Wanted, inspector: ProfileInspector, name: str) -> bool:
    try:
        plan = inspector.plan(name)
    except ConfigError:
        plan = None
    try:
        return wanted(inspector.config.profiles[name], plan)
    except ConfigError:  # its section cannot be read
        return False
