"""The commands for people: argparse, one file a command, never imported on a hit."""

import argparse
import os
from collections.abc import Sequence
from typing import Any, NoReturn

from credproc import __version__, cache
from credproc.errors import UsageError

_CLEAR = "Remove cached credentials; the next caller refreshes. The AWS files are not touched."
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
    one = commands.add_parser(
        "clear", help="remove cached credentials", description=_CLEAR, add_help=False, allow_abbrev=False
    )
    which = one.add_mutually_exclusive_group()
    # a default of its own, or the one of the main form would be overwritten
    which.add_argument("--profile", dest="clear_profile", metavar="NAME", action=_Once, help="only this profile's")
    which.add_argument("--all", action="store_true", help="every profile's")
    _add_common(one)
    return top


def main(arguments: list[str]) -> tuple[str, int]:
    """Run the command and return what to print and the exit status. Raises CredprocError."""
    try:
        options = parser().parse_args(arguments)
    except _Asked as asked:
        return str(asked), 0
    except UsageError as error:
        if any(argument[:1] in ("#", ";") for argument in arguments):
            error.hint = "some SDKs pass on the comment behind a credential_process line: put it on a line of its own"
        raise
    if options.command == "clear":
        from credproc.commands import clear  # noqa: PLC0415 - help needs none of what it needs

        if options.profile is not None and options.clear_profile is None:
            options.clear_profile = options.profile
        profile = cache.profile_named(options.clear_profile, os.environ)
        return clear.clear(None if options.all else profile or "default", os.environ), 0
    raise UsageError("usage: a command or --profile NAME is needed, and nothing else", _SEE_HELP)


def _add_common(one: argparse.ArgumentParser) -> None:
    one.add_argument("--help", "-h", action=_Say, nargs=0, help="print this help")
