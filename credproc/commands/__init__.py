"""The commands for people: argparse, one file a command (``keys``: one an action), never imported on a hit.

A command's file says what it is (``GROUP``, ``HELP``, ``DESCRIPTION``), adds its arguments to a parser (``add``) and
runs (``run``). It imports what is slow inside its functions: ``--help`` and completions look at all of them, a command
line imports the one that it names.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from types import ModuleType

from credproc import cache
from credproc.commands.arguments import Asked, Once, Parser, Say, add_help, see_help
from credproc.commands.ui.output import Said
from credproc.errors import UsageError
from credproc.request import Request

_DESCRIPTION = """\
Print AWS credentials of a role profile, for a line in ~/.aws/config:
  credential_process = /usr/local/bin/credproc --profile NAME"""
_TAKING_PROGRAMS = ("exec",)  # behind a ``--`` they take the command line of another program
_TAKING_OPTION = ("login", "logout", "clear")  # their profile is an option, as it is with the AWS CLI


# Each command's name, and its file, in the order in which --help shows them
_FILES = {
    "setup": "setup",
    "list": "list_",
    "explain": "explain",
    "policy": "policy",
    "login": "login",
    "logout": "logout",
    "status": "status",
    "exec": "exec",
    "export": "export",
    "console": "console",
    "keys": "keys",
    "doctor": "doctor",
    "clear": "clear",
}


def commands(names: Iterable[str] = _FILES) -> dict[str, ModuleType]:
    """Import these commands, all of them if none is named, and return them by name."""
    return {name: import_module(f"credproc.commands.{_FILES[name]}") for name in names}


def parser(found: Mapping[str, ModuleType]) -> argparse.ArgumentParser:
    """Return the parser of a command line that has these commands."""
    top = Parser(
        prog="credproc",
        usage="credproc [--profile NAME] | credproc COMMAND [--help]",
        description=_DESCRIPTION,
        epilog="\n".join(_grouped(found)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    top.add_argument("--profile", metavar="NAME", action=Once, help="the profile to resolve (default: AWS_PROFILE)")
    add_help(top)
    top.add_argument("--version", action=Say, nargs=0, help="print the version")
    # the epilog shows them, by what one wants to do
    subparsers = top.add_subparsers(
        dest="command", metavar="COMMAND", help=argparse.SUPPRESS, parser_class=Parser, prog="credproc"
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
    name = _command_in(line)
    found = commands() if name is None else commands((name,))
    try:
        options, unknown = parser(found).parse_known_args(line)
        _check_known(options.command, unknown)
    except Asked as asked:
        return Said(str(asked))
    except UsageError as error:
        if any(argument[:1] in ("#", ";") for argument in arguments):
            error.hint = "some SDKs pass on the comment behind a credential_process line: put it on a line of its own"
        raise
    if options.command is None:
        raise UsageError("usage: a command or --profile NAME is needed, and nothing else", see_help("credproc"))
    given = getattr(options, "command_profile", None) or options.profile
    if behind is not None and options.command not in _TAKING_PROGRAMS:
        _check_known(options.command, ["--"])
    options.behind = behind or []
    named = request._replace(profile=cache.profile_named(given, request.environ))
    said: Said = found[options.command].run(options, named)
    return said


def _command_in(arguments: Sequence[str]) -> str | None:
    """Return the name of the command, whose file alone is imported then; None where there is none, or no such one.

    What stands in front of a command are options: ``--profile NAME`` takes the next argument, ``--profile=NAME`` none.
    """
    rest = iter(arguments)
    for argument in rest:
        if argument == "--profile":
            next(rest, None)
        elif not argument.startswith("-"):
            return argument if argument in _FILES else None
        elif not argument.startswith("--profile="):
            return None
    return None


def _check_known(command: str | None, unknown: list[str]) -> None:
    """Raise UsageError where there are arguments that the command does not know."""
    if not unknown:
        return
    hint = see_help("credproc" if command is None else f"credproc {command}")
    if command in _TAKING_OPTION and len(unknown) == 1 and not unknown[0].startswith("-"):
        hint = f"write credproc {command} --profile {unknown[0]}"
    raise UsageError(f"usage: unrecognized arguments: {' '.join(unknown)}", hint)


def _split(arguments: list[str]) -> tuple[list[str], list[str] | None]:
    """Return what stands before the first ``--`` and what behind it (None: there is no ``--``).

    Not left to argparse, whose versions differ in how many of a command line's ``--`` they swallow.
    """
    if "--" not in arguments:
        return arguments, None
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def _grouped(found: Mapping[str, ModuleType]) -> Iterator[str]:
    """Yield a line for each command, by what one wants to do; no more lines than that, as help must fit a screen."""
    width = max(len(module.GROUP) for module in found.values())
    group = ""
    for name, module in found.items():
        shown, group = ("" if group == module.GROUP else module.GROUP), module.GROUP
        yield f"  {shown:<{width}}  {name:<8} {module.HELP}"
