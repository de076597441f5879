"""The commands of credproc: one module per command (``keys``: one per action). A cache hit imports none of this.

A command's module has ``GROUP``, ``HELP`` and ``DESCRIPTION`` for the help, ``add`` adds its arguments to a parser, and
``run`` runs it. Slow modules are imported inside functions, because ``--help`` and the shell completions import all
commands; any other command line imports only the command that it names.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from types import ModuleType

from credproc import cache
from credproc.commands.arguments import (
    WORDS,
    Parser,
    ShowText,
    StoreOnce,
    TextRequested,
    add_help_option,
    help_hint,
    named_profile,
)
from credproc.commands.ui.output import Document, Output
from credproc.errors import CONFIG_FILE, EXAMPLE_PROGRAM, UsageError
from credproc.request import Request

_DESCRIPTION = f"""\
Print AWS credentials of a role profile, for a line in {CONFIG_FILE}:
  credential_process = {EXAMPLE_PROGRAM} --profile NAME"""
_WITH_COMMAND_LINE = ("exec",)  # take another program's command line after ``--``

# Each command and its module, in the order of --help
_MODULES = {
    "setup": "setup",
    "list": "list_",
    "explain": "explain",
    "policy": "policy",
    "completion": "completion",
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


NAMES = tuple(_MODULES)


def commands(names: Iterable[str] = NAMES) -> dict[str, ModuleType]:
    """Import the named commands, or all of them, and return their modules by command name."""
    return {name: import_module(f"credproc.commands.{_MODULES[name]}") for name in names}


def parser(found: Mapping[str, ModuleType]) -> Parser:
    """Return a parser for the command line with these commands."""
    top = Parser(
        prog="credproc",
        usage="credproc [--profile NAME] | credproc COMMAND [--help]",
        description=_DESCRIPTION,
        epilog="\n".join(_command_list(found)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    options = top.add_argument_group()  # without a title, for which the screen has no line
    options.add_argument(
        "--profile", metavar="NAME", action=StoreOnce, help="the profile to resolve (default: AWS_PROFILE)"
    )
    add_help_option(options)
    options.add_argument("--version", "-V", action=ShowText, nargs=0, help="print the version")
    # The epilog lists the commands by group
    subparsers = top.add_subparsers(
        dest="command", metavar="COMMAND", help=argparse.SUPPRESS, parser_class=Parser, prog="credproc"
    )
    for name, module in found.items():
        subparser = subparsers.add_parser(
            name, help=module.HELP, description=module.DESCRIPTION, add_help=False, allow_abbrev=False
        )
        add_help_option(subparser)
        module.add(subparser)
    return top


def main(arguments: list[str], request: Request) -> Output | Document:
    """Run the command of a command line and return its output; ``request`` names no profile yet.

    Raises CredprocError.
    """
    line, after_dashes = _split(_with_options_for_words(arguments))
    at = _command_at(line)
    name = line[at] if at < len(line) else None
    found = commands((name,)) if name in _MODULES else commands()
    try:
        options = _parsed(parser(found), line, at)
    except TextRequested as requested:
        return Output(str(requested).removesuffix("\n").split("\n"))
    except UsageError as error:
        if any(argument[:1] in ("#", ";") for argument in arguments):
            error.hint = (
                "some SDKs pass a comment at the end of a credential_process line on as arguments:"
                " put the comment on a line of its own"
            )
        raise
    if options.command is None:
        raise UsageError("usage: give either a command or --profile NAME", help_hint("credproc"))
    if after_dashes is not None and options.command not in _WITH_COMMAND_LINE:
        _check_known(options.command, ["--"])
    options.after_dashes = after_dashes  # None: there was no --
    named = request._replace(profile=cache.profile_named(named_profile(options), request.environ))
    if named.profile is None and getattr(options, "has_menu", False) and not getattr(options, "all", False):
        from credproc.commands.choice import choose  # noqa: PLC0415 - not where a profile is named

        named = named._replace(profile=choose(options.command, named, options.wanted))
    output: Output | Document = found[options.command].run(options, named)
    return output


def _with_options_for_words(arguments: list[str]) -> list[str]:
    """Return the arguments with ``--help`` or ``--version`` where people write ``help`` or ``version``."""
    if not arguments or arguments[0] not in WORDS:
        return arguments
    return [*arguments[1:], f"--{arguments[0]}"]


def _parsed(top: Parser, line: list[str], at: int) -> argparse.Namespace:
    """Return what the arguments before ``--`` say, the command among them ``at`` its place.

    Raises UsageError, TextRequested.
    """
    top.check_options(line[:at], with_below=False)
    command = line[at] if at < len(line) else None
    if command not in _WITH_COMMAND_LINE:  # which may have lost its ``--``
        top.below(command).check_options(line[at + 1 :], with_below=True)
    options, unknown = top.parse_known_args(line)
    _check_known(options.command, unknown)
    return options


def _command_at(arguments: Sequence[str]) -> int:
    """Return the place of the word where a command stands, whether it is one or not; the end if there is none.

    Only options stand before a command. ``--profile NAME`` takes the next argument, ``--profile=NAME`` does not.
    """
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        at += 2 if arguments[at] == "--profile" else 1
    return min(at, len(arguments))


def _check_known(command: str | None, unknown: list[str]) -> None:
    """Raise UsageError if there are unknown arguments."""
    if unknown:
        hint = help_hint("credproc" if command is None else f"credproc {command}")
        raise UsageError(f"usage: unrecognized arguments: {' '.join(unknown)}", hint)


def _split(arguments: list[str]) -> tuple[list[str], list[str] | None]:
    """Split the arguments at the first ``--``; the second part is None if there is no ``--``.

    argparse cannot do this: its versions differ in how many ``--`` they remove.
    """
    if "--" not in arguments:
        return arguments, None
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def _command_list(found: Mapping[str, ModuleType]) -> Iterator[str]:
    """Yield one line per command, with its group at the first of the group; more lines would not fit a screen."""
    width = max(len(module.GROUP) for module in found.values())
    group = ""
    for name, module in found.items():
        shown, group = ("" if group == module.GROUP else module.GROUP), module.GROUP
        yield f"  {shown:<{width}} {name:<10} {module.HELP}"
