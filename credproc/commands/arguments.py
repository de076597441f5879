"""The argument parser of all commands, and the arguments that several commands take."""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from credproc import __version__
from credproc.errors import UsageError


class Parser(argparse.ArgumentParser):
    """An argument parser that raises UsageError; ``cli`` prints it and exits."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        if message.startswith("argument COMMAND:"):  # argparse lists all commands in four lines; --help does it better
            message = message.partition(" (choose from ")[0]
        raise UsageError(f"usage: {message}", help_hint(self.prog))


class StoreOnce(argparse.Action):
    """Stores the value of an option, and fails if the option is given twice: argparse would use the last value."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Store the value; report an error if there already is one, or if it is empty."""
        if getattr(namespace, self.dest) is not None:
            parser.error(f"{option_string} is given twice")
        if not values:  # a shell variable that is not set; AWS_PROFILE would silently take its place
            parser.error(f"{option_string} needs a name")
        setattr(namespace, self.dest, values)


class TextRequested(Exception):  # noqa: N818 - no error: --help or --version was given
    """Carries the text of ``--help`` or ``--version`` to ``main``."""


class ShowText(argparse.Action):
    """Ends parsing with the text of ``--help`` or ``--version``."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002 - argparse's signature
        values: str | Sequence[Any] | None,  # noqa: ARG002
        option_string: str | None = None,
    ) -> None:
        """Raise TextRequested."""
        raise TextRequested(f"credproc {__version__}\n" if option_string == "--version" else parser.format_help())


def add_profile_argument(
    parser: argparse._ActionsContainer, help_text: str, *, optional: bool = False, metavar: str = "NAME"
) -> None:
    """Add a positional argument for the profile's name."""

    def name(text: str) -> str:
        if not text:  # a shell variable that is not set; AWS_PROFILE would silently take its place
            raise argparse.ArgumentTypeError("needs a name")
        return text

    parser.add_argument("command_profile", metavar=metavar, type=name, nargs="?" if optional else None, help=help_text)


def add_profile_option(parser: argparse._ActionsContainer, help_text: str) -> None:
    """Add ``--profile`` to a command; it may also stand before the command."""
    # Stored apart from the main parser's --profile, which its default would overwrite
    parser.add_argument("--profile", dest="command_profile", metavar="NAME", action=StoreOnce, help=help_text)


def add_help_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--help`` and ``-h``."""
    parser.add_argument("--help", "-h", action=ShowText, nargs=0, help="print this help")


def help_hint(program: str) -> str:
    """Return the hint of a usage error: how to print the help of ``credproc`` or ``credproc COMMAND``."""
    return f"run {program} --help to see the usage"
