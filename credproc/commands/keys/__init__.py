"""credproc keys: long-term access keys in the OS keyring instead of ~/.aws/credentials; one file an action."""

import argparse

from credproc.commands.arguments import add_help, add_name
from credproc.commands.ui.output import Said
from credproc.errors import UsageError
from credproc.request import Request

GROUP = "keys"
HELP = "keep long-term keys in the keyring"
DESCRIPTION = "Keep long-term access keys in the OS keyring instead of ~/.aws/credentials."

_ACTIONS = {
    "add": "ask for an access key and keep it in the keyring",
    "import": "move a profile's keys from its file into the keyring",
    "list": "show which profiles have their keys in the keyring",
    "remove": "remove a profile's keys from the keyring, and what hangs on them",
    "rotate": "put a new access key in the place of a profile's, or go on with that",
}


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = one.add_subparsers(dest="action", metavar="ACTION", parser_class=type(one), prog="credproc keys")
    for name, text in _ACTIONS.items():
        action = actions.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.", add_help=False, allow_abbrev=False
        )
        add_help(action)
        if name == "list":
            action.add_argument("--json", action="store_true", help="as JSON")
            continue
        add_name(action, "the profile of the user whose keys they are", metavar="USER")
        if name == "add":
            action.add_argument("--offline", action="store_true", help="do not ask STS whether the keys are right")
        if name in ("import", "remove"):
            action.add_argument("--yes", action="store_true", help="do not ask")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command; each action imports what it needs."""
    if options.action == "list":
        from credproc.commands.keys import list_  # noqa: PLC0415

        return Said(list_.keys(request, as_json=options.json))
    if options.action is None:
        raise UsageError(f"usage: keys needs one of {', '.join(_ACTIONS)}", "credproc keys --help shows what there is")
    return Said(_on_profile(options, request, options.command_profile))


def _on_profile(options: argparse.Namespace, request: Request, profile: str) -> str:
    if options.action == "add":
        from credproc.commands.keys import add_  # noqa: PLC0415

        return add_.add(request, profile, offline=options.offline)
    if options.action == "import":
        from credproc.commands.keys import import_  # noqa: PLC0415

        return import_.move(request, profile, yes=options.yes)
    if options.action == "remove":
        from credproc.commands.keys import remove  # noqa: PLC0415

        return remove.remove(request, profile, yes=options.yes)
    from credproc.commands.keys import rotate  # noqa: PLC0415

    return rotate.rotate(request, profile)
