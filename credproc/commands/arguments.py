"""The argument parser of all commands, and the arguments that several commands take."""

import argparse
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from credproc import __version__
from credproc.errors import UsageError

if TYPE_CHECKING:
    from credproc.config.shared_config import Section
    from credproc.plan import Plan

_NO_CHOICE = re.compile(r"(argument .+: invalid choice: '(.*)') \(choose from (.+)\)", re.DOTALL)
# Whether a command means a profile: its section, and its plan, None where its settings are wrong
Wanted = Callable[["Section", "Plan | None"], bool]
WORDS = ("help", "version")  # commands that stand for an option


class Parser(argparse.ArgumentParser):
    """An argument parser that raises UsageError; ``cli`` prints it and exits."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError; its hint has what was probably meant, or else how to print the help."""
        found = _NO_CHOICE.fullmatch(message)
        if found is None:
            raise UsageError(f"usage: {message}", help_hint(self.prog))
        known = re.findall(r"[\w-]+", found[3])
        is_value = not message.startswith(("argument COMMAND", "argument ACTION"))
        similar = _nearest(found[2], known if is_value else (*known, *WORDS))
        hint = f"choose from {', '.join(known)}" if is_value else help_hint(self.prog)  # which says it better
        if similar is not None:
            hint = f"did you mean {similar}?" if is_value else f"did you mean {self.prog} {similar}?"
        raise UsageError(f"usage: {found[1]}", hint)

    def check_options(self, arguments: Iterable[str], *, with_below: bool) -> None:
        """Raise UsageError if one of the arguments looks like an option that this parser does not have.

        ``with_below``: nor one of its actions. argparse itself complains first about what is missing, which the option
        with the typing error may be.
        """
        known = set(self._flags(with_below=with_below))
        for argument in arguments:
            flag = argument.partition("=")[0]
            if flag.startswith("-") and flag != "-" and flag not in known:
                # Without the dashes, which make all options alike
                similar = _nearest(flag.lstrip("-"), [one[2:] for one in sorted(known) if one.startswith("--")])
                hint = help_hint(self.prog) if similar is None else f"did you mean --{similar}?"
                raise UsageError(f"usage: unrecognized arguments: {flag}", hint)

    def below(self, word: str | None) -> "Parser":
        """Return the parser of the command or action that is called so; this one if there is none."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - argparse has no other way
                found: Parser = action.choices.get(word or "", self)
                return found
        return self

    def _flags(self, *, with_below: bool) -> Iterator[str]:
        for action in self._actions:
            yield from action.option_strings
            if with_below and isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
                for parser in action.choices.values():
                    yield from parser._flags(with_below=True)  # noqa: SLF001 - our own


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
    parser.add_argument("command_profile", metavar=metavar, type=_name, nargs="?" if optional else None, help=help_text)


def add_profile_choice(
    parser: argparse.ArgumentParser, help_text: str, *, everyone: str | None = None, wanted: Wanted | None = None
) -> None:
    """Add the profile's name, with or without ``--profile`` before it; where none is named, the user is asked for one.

    ``everyone`` is the help of ``--all``, with which none is named. ``wanted`` says of a profile whether the command
    means it; None: it means all.
    """
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "command_profile", metavar="NAME", type=_name, nargs="?", help=f"{help_text} (default: AWS_PROFILE)"
    )
    # Stored apart from the main parser's --profile, which its default would overwrite
    which.add_argument("--profile", dest="option_profile", metavar="NAME", action=StoreOnce, help="the same as NAME")
    if everyone is not None:
        which.add_argument("--all", action="store_true", help=everyone)
    parser.set_defaults(wanted=wanted, has_menu=True)


def add_region_option(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add ``--region``, which ``region_in`` reads."""
    parser.add_argument("--region", metavar="REGION", action=StoreOnce, help=help_text)


def region_in(options: argparse.Namespace) -> str | None:
    """Return the region that the command line names, or None. Raises ConfigError if it cannot be one."""
    from credproc.config.shared_config import Setting  # noqa: PLC0415 - not for --help
    from credproc.plan.endpoint import checked_region  # noqa: PLC0415

    return None if options.region is None else checked_region(Setting(options.region, "--region"))


def named_profile(options: argparse.Namespace) -> str | None:
    """Return the profile that the command line names, or None. Raises UsageError if it names two."""
    found = [getattr(options, name, None) for name in ("profile", "command_profile", "option_profile")]
    given = [name for name in found if isinstance(name, str)]
    if len(given) > 1:
        raise UsageError("usage: the profile is named twice", "name it once, with or without --profile")
    return given[0] if given else None


def _name(text: str) -> str:
    if not text:  # a shell variable that is not set; AWS_PROFILE would silently take its place
        raise argparse.ArgumentTypeError("needs a name")
    return text


def _nearest(word: str, known: Sequence[str]) -> str | None:
    from credproc.config.suggestions import nearest  # noqa: PLC0415 - only for an error message

    return nearest(word, known)


def add_help_option(parser: argparse._ActionsContainer) -> None:
    """Add ``--help`` and ``-h``."""
    parser.add_argument("--help", "-h", action=ShowText, nargs=0, help="print this help")


def help_hint(program: str) -> str:
    """Return the hint of a usage error: how to print the help of ``credproc`` or ``credproc COMMAND``."""
    return f"run {program} --help to see the usage"
