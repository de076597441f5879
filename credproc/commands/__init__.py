"""The commands for people: argparse, one file a command (``keys``: one an action), never imported on a hit.

A command's file says what it is (``GROUP``, ``HELP``, ``DESCRIPTION``), adds its arguments to a parser (``add``) and
runs (``run``). It imports what is slow inside its functions, as ``--help`` and completions look at all of them.
"""

import argparse
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, NoReturn

from credproc import __version__, cache
from credproc.commands.said import Said
from credproc.errors import UsageError
from credproc.request import Request

_DESCRIPTION = """\
Print AWS credentials of a role profile, for a line in ~/.aws/config:
  credential_process = /usr/local/bin/credproc --profile NAME"""
_TAKING_PROGRAMS = ("exec",)  # behind a ``--`` they take the command line of another program
_TAKING_OPTION = ("login", "logout", "clear")  # their profile is an option, as it is with the AWS CLI


class _Parser(argparse.ArgumentParser):
    """Says usage errors in our form, and leaves the exit to ``cli``."""

    def error(self, message: str) -> NoReturn:
        if message.startswith("argument COMMAND:"):  # all names follow, four lines of them; --help shows them better
            message = message.partition(" (choose from ")[0]
        raise UsageError(f"usage: {message}", _see_help(self.prog))


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


def commands() -> dict[str, ModuleType]:
    """Return the commands by name, in the order in which they are shown."""
    from credproc.commands import (  # noqa: PLC0415 - not for --version
        clear,
        console,
        doctor,
        explain,
        export,
        keys,
        listed,
        login,
        logout,
        policy,
        setup,
        status,
    )
    from credproc.commands import exec as exec_  # noqa: PLC0415 - the same

    return {
        "setup": setup,
        "list": listed,
        "explain": explain,
        "policy": policy,
        "login": login,
        "logout": logout,
        "status": status,
        "exec": exec_,
        "export": export,
        "console": console,
        "keys": keys,
        "doctor": doctor,
        "clear": clear,
    }


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    found = commands()
    top = _Parser(
        prog="credproc",
        usage="credproc [--profile NAME] | credproc COMMAND [--help]",
        description=_DESCRIPTION,
        epilog="\n".join(_grouped(found)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    top.add_argument("--profile", metavar="NAME", action=_Once, help="the profile to resolve (default: AWS_PROFILE)")
    add_help(top)
    top.add_argument("--version", action=_Say, nargs=0, help="print the version")
    # the epilog shows them, by what one wants to do
    subparsers = top.add_subparsers(
        dest="command", metavar="COMMAND", help=argparse.SUPPRESS, parser_class=_Parser, prog="credproc"
    )
    for name, module in found.items():
        one = subparsers.add_parser(
            name, help=module.HELP, description=module.DESCRIPTION, add_help=False, allow_abbrev=False
        )
        add_help(one)
        module.add(one)
    return top


def main(arguments: list[str], request: Request) -> Said:
    """Run the command and return what to print and the exit status; ``request`` is of no profile yet.

    Raises CredprocError.
    """
    line, behind = _split(arguments)
    try:
        options, unknown = parser().parse_known_args(line)
        _check_known(options.command, unknown)
    except _Asked as asked:
        return Said(str(asked))
    except UsageError as error:
        if any(argument[:1] in ("#", ";") for argument in arguments):
            error.hint = "some SDKs pass on the comment behind a credential_process line: put it on a line of its own"
        raise
    if options.command is None:
        raise UsageError("usage: a command or --profile NAME is needed, and nothing else", _see_help("credproc"))
    given = getattr(options, "command_profile", None) or options.profile
    if behind is not None and options.command not in _TAKING_PROGRAMS:
        _check_known(options.command, ["--"])
    options.behind = behind or []
    said: Said = commands()[options.command].run(
        options, request._replace(profile=cache.profile_named(given, request.environ))
    )
    return said


def _check_known(command: str | None, unknown: list[str]) -> None:
    """Raise UsageError where there are arguments that the command does not know."""
    if not unknown:
        return
    hint = _see_help("credproc" if command is None else f"credproc {command}")
    if command in _TAKING_OPTION and len(unknown) == 1 and not unknown[0].startswith("-"):
        hint = f"write credproc {command} --profile {unknown[0]}"
    raise UsageError(f"usage: unrecognized arguments: {' '.join(unknown)}", hint)


def _see_help(program: str) -> str:
    return f"{program} --help shows what there is"


def _split(arguments: list[str]) -> tuple[list[str], list[str] | None]:
    """Return what stands before the first ``--`` and what behind it (None: there is no ``--``).

    Not left to argparse, whose versions differ in how many of a command line's ``--`` they swallow.
    """
    if "--" not in arguments:
        return arguments, None
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def add_name(one: argparse._ActionsContainer, help_text: str, *, optional: bool = False, metavar: str = "NAME") -> None:
    """Add the profile's name as the command's first argument."""

    def name(text: str) -> str:
        if not text:  # a shell variable that is not set; AWS_PROFILE would silently take its place
            raise argparse.ArgumentTypeError("needs a name")
        return text

    one.add_argument("command_profile", metavar=metavar, type=name, nargs="?" if optional else None, help=help_text)


def add_profile(one: argparse._ActionsContainer, help_text: str) -> None:
    """Add ``--profile`` to a command; the main form's may stand in front of the command as well."""
    # a name of its own, or its default would overwrite the one of the main form
    one.add_argument("--profile", dest="command_profile", metavar="NAME", action=_Once, help=help_text)


def add_help(one: argparse.ArgumentParser) -> None:
    """Add ``--help``."""
    one.add_argument("--help", "-h", action=_Say, nargs=0, help="print this help")


def _grouped(found: dict[str, ModuleType]) -> Iterator[str]:
    """Yield a line for each command, by what one wants to do; no more lines than that, as help must fit a screen."""
    width = max(len(module.GROUP) for module in found.values())
    group = ""
    for name, module in found.items():
        shown, group = ("" if group == module.GROUP else module.GROUP), module.GROUP
        yield f"  {shown:<{width}}  {name:<8} {module.HELP}"
