"""The parts of the command line that commands share: the parser, and the arguments that several take."""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from credproc import __version__
from credproc.errors import UsageError


class Parser(argparse.ArgumentParser):
    """Says usage errors in our form, and leaves the exit to ``cli``."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        if message.startswith("argument COMMAND:"):  # all names follow, four lines of them; --help shows them better
            message = message.partition(" (choose from ")[0]
        raise UsageError(f"usage: {message}", see_help(self.prog))


class Once(argparse.Action):
    """An option that is given once; a second one would silently win."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Store the value; the parser's error where there is one already, or none is given."""
        if getattr(namespace, self.dest) is not None:
            parser.error(f"{option_string} is given twice")
        if not values:
            parser.error(f"{option_string} needs a name")
        setattr(namespace, self.dest, values)


class Asked(Exception):  # noqa: N818 - no error: --help or --version was asked for
    """Carries the text that was asked for."""


class Say(argparse.Action):
    """An option that is answered by a text."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002 - argparse's signature
        values: str | Sequence[Any] | None,  # noqa: ARG002
        option_string: str | None = None,
    ) -> None:
        """Raise ``Asked`` with the text."""
        raise Asked(f"credproc {__version__}\n" if option_string == "--version" else parser.format_help())


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
    one.add_argument("--profile", dest="command_profile", metavar="NAME", action=Once, help=help_text)


def add_help(one: argparse.ArgumentParser) -> None:
    """Add ``--help``."""
    one.add_argument("--help", "-h", action=Say, nargs=0, help="print this help")


def see_help(program: str) -> str:
    """Return the hint that names the program's help."""
    return f"{program} --help shows what there is"
