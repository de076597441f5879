"""The commands for people: argparse, one file a command, never imported on a hit."""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from credproc import __version__, cache
from credproc.errors import UsageError
from credproc.refresh.request import Request

_COMMANDS = {
    "login": (
        "sign in with MFA ahead of time",
        "Ask for the MFA code now, for programs that cannot wait for a person. A session with two hours left is kept.",
    ),
    "logout": (
        "forget MFA sessions",
        "Remove MFA sessions from the keyring, and the cached credentials that hang on them.",
    ),
    "status": ("show what is signed in and cached", "Show what is signed in and cached, and for how long."),
    "doctor": (
        "show the last failures",
        "Show the last failures, which some SDKs keep to themselves.",
    ),
    "clear": (
        "remove cached credentials",
        "Remove cached credentials; the next caller refreshes. The AWS files are not touched.",
    ),
}
_SEE_HELP = "credproc --help shows what there is"


class _Parser(argparse.ArgumentParser):
    """Says usage errors in our form, and leaves the exit to ``cli``."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"usage: {message}", _SEE_HELP)


class _Once(argparse.Action):
    """An option that is given once; a second one would silently win."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        if getattr(namespace, self.dest) is not None:
            parser.error(f"{option_string} is given twice")
        if not values:
            parser.error(f"{option_string} needs a name")
        setattr(namespace, self.dest, values)


class _Asked(Exception):  # noqa: N818 - no error: --help or --version was asked for
    """Carries the text that was asked for."""


class _Say(argparse.Action):
    """An option that is answered by a text."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002 - argparse's signature
        values: str | Sequence[Any] | None,  # noqa: ARG002
        option_string: str | None = None,
    ) -> None:
        raise _Asked(f"credproc {__version__}\n" if option_string == "--version" else parser.format_help())


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = _Parser(
        prog="credproc",
        description="Print AWS credentials of a role profile, for a credential_process line in ~/.aws/config.",
        epilog="In ~/.aws/config:  credential_process = /usr/local/bin/credproc --profile NAME",
        add_help=False,
        allow_abbrev=False,
    )
    top.add_argument("--profile", metavar="NAME", action=_Once, help="the profile to resolve (default: AWS_PROFILE)")
    _add_common(top)
    top.add_argument("--version", action=_Say, nargs=0, help="print the version")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=_Parser)
    login = _add(commands, "login")
    _add_profile(login, "the profile to sign in for (default: AWS_PROFILE)")
    login.add_argument("--renew", action="store_true", help="even if the session has hours left")
    for name, help_all in (("logout", "every session"), ("clear", "every profile's")):
        which = _add(commands, name).add_mutually_exclusive_group()
        _add_profile(which, "only this profile's")
        which.add_argument("--all", action="store_true", help=help_all)
    _add(commands, "status").add_argument("--json", action="store_true", help="as JSON")
    _add(commands, "doctor")
    return top


def main(arguments: list[str], request: Request) -> tuple[str, int]:
    """Run the command and return what to print and the exit status; ``request`` is of no profile yet.

    Raises CredprocError.
    """
    try:
        options = parser().parse_args(arguments)
    except _Asked as asked:
        return str(asked), 0
    except UsageError as error:
        if any(argument[:1] in ("#", ";") for argument in arguments):
            error.hint = "some SDKs pass on the comment behind a credential_process line: put it on a line of its own"
        raise
    if options.command is None:
        raise UsageError("usage: a command or --profile NAME is needed, and nothing else", _SEE_HELP)
    return _run(options, request), 0


def _run(options: argparse.Namespace, request: Request) -> str:
    """Run the command that was asked for; each is imported alone, as help needs none of them."""
    given = getattr(options, "command_profile", None) or options.profile
    profile = cache.profile_named(given, request.environ)
    request = request._replace(profile=profile)
    if options.command == "login":
        from credproc.commands.login import login  # noqa: PLC0415

        return login(request, renew=options.renew)
    if options.command == "logout":
        from credproc.commands.logout import logout  # noqa: PLC0415

        return logout(request, everyone=options.all)
    if options.command == "doctor":
        from credproc.commands.doctor import doctor  # noqa: PLC0415

        return doctor(request.environ)
    if options.command == "status":
        from credproc.commands.status import status  # noqa: PLC0415

        return status(request.environ, request.clock(), as_json=options.json)
    from credproc.commands.clear import clear  # noqa: PLC0415

    return clear(None if options.all else profile or "default", request.environ)


def _add(commands: "argparse._SubParsersAction[_Parser]", name: str) -> _Parser:
    title, description = _COMMANDS[name]
    one: _Parser = commands.add_parser(name, help=title, description=description, add_help=False, allow_abbrev=False)
    _add_common(one)
    return one


def _add_profile(one: argparse._ActionsContainer, help_text: str) -> None:
    # a name of its own, or its default would overwrite the one of the main form
    one.add_argument("--profile", dest="command_profile", metavar="NAME", action=_Once, help=help_text)


def _add_common(one: argparse.ArgumentParser) -> None:
    one.add_argument("--help", "-h", action=_Say, nargs=0, help="print this help")
