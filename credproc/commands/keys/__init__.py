"""credproc keys: long-term access keys in the OS keyring instead of ~/.aws/credentials; one module per action."""

import argparse
from typing import TYPE_CHECKING

from credproc.commands.arguments import add_help_option, add_profile_argument
from credproc.commands.ui.output import Document, Output
from credproc.config.settings import ACCESS_KEY_NAMES, SESSION_TOKEN_NAMES
from credproc.errors import CREDENTIALS_FILE, UsageError
from credproc.request import Request

if TYPE_CHECKING:
    from credproc.config.shared_config import Section
    from credproc.plan import Plan

GROUP = "keys"
HELP = "store long-term access keys in the OS keyring"
DESCRIPTION = f"Store long-term access keys in the OS keyring instead of {CREDENTIALS_FILE}."

_ACTIONS = {
    "add": "ask for an access key and store it in the keyring",
    "import": "move a profile's access key from the AWS files into the keyring",
    "list": "list the profiles whose access key is in the keyring",
    "remove": "delete a profile's access key from the keyring, and its MFA sessions",
    "rotate": "replace a profile's access key with a new one, or finish that",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=type(parser), prog="credproc keys")
    for name, text in _ACTIONS.items():
        action = actions.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.", add_help=False, allow_abbrev=False
        )
        add_help_option(action)
        if name == "list":
            action.add_argument("--json", action="store_true", help="print JSON")
            continue
        add_profile_argument(action, "the profile of the IAM user", metavar="USER")
        action.set_defaults(wanted={"add": _may_have_keys, "import": _has_keys_in_file}.get(name, _has_keys))
        if name == "add":
            action.add_argument("--offline", action="store_true", help="do not ask STS whether the key is valid")
        if name in ("import", "remove", "rotate"):
            action.add_argument("--yes", action="store_true", help="do not ask for confirmation")
        if name == "remove":
            action.add_argument(
                "--restore", action="store_true", help="write the key back into the credentials file, in plain text"
            )


def _may_have_keys(section: "Section", _: "Plan | None") -> bool:
    return section.setting("role_arn") is None and section.setting(ACCESS_KEY_NAMES[0]) is None


def _has_keys_in_file(section: "Section", _: "Plan | None") -> bool:
    has_keys = all(section.setting(name) is not None for name in ACCESS_KEY_NAMES)
    return has_keys and all(section.setting(name) is None for name in SESSION_TOKEN_NAMES)


def _has_keys(section: "Section", _: "Plan | None") -> bool:
    from credproc.plan.source import keys_in_keyring  # noqa: PLC0415 - not for --help

    return keys_in_keyring(section) is not None


def run(options: argparse.Namespace, request: Request) -> Output | Document:
    """Run the command; each action imports what it needs."""
    if options.action == "list":
        from credproc.commands.keys import list_  # noqa: PLC0415

        return list_.list_keys(request, as_json=options.json)
    if options.action is None:
        raise UsageError(
            f"usage: keys needs one of {', '.join(_ACTIONS)}", "run credproc keys --help to see what each does"
        )
    return Output(_run_on_profile(options, request, options.command_profile))


def _run_on_profile(options: argparse.Namespace, request: Request, profile: str) -> list[str]:
    from credproc.commands.keys.config import check_owner  # noqa: PLC0415

    check_owner(request.environ)
    if options.action == "add":
        from credproc.commands.keys import add_  # noqa: PLC0415

        return add_.add(request, profile, offline=options.offline)
    if options.action == "import":
        from credproc.commands.keys import import_  # noqa: PLC0415

        return import_.move(request, profile, yes=options.yes)
    if options.action == "remove" and options.restore:
        from credproc.commands.keys import restore  # noqa: PLC0415

        if options.yes:
            raise UsageError("usage: --restore asks for the profile's name, and takes no --yes", "run it in a terminal")
        return restore.restore(request, profile)
    if options.action == "remove":
        from credproc.commands.keys import remove  # noqa: PLC0415

        return remove.remove(request, profile, yes=options.yes)
    from credproc.commands.keys import rotate  # noqa: PLC0415

    return rotate.rotate(request, profile, yes=options.yes)
