"""What the parser knows, as plain values: man page and completions are made of them, and so know nothing else."""

import argparse
from collections.abc import Iterator
from typing import NamedTuple

_PROFILES = ("NAME", "USER")  # what the parser calls a profile
_OPTIONAL = ("?", "*")  # argparse's nargs


class Option(NamedTuple):
    """An option of one command."""

    flags: tuple[str, ...]
    help: str
    value: str  # how it is called; empty where none follows
    choices: tuple[str, ...]
    is_required: bool
    rivals: tuple[str, ...]  # flags that it cannot be given with

    @property
    def flag(self) -> str:
        """The long form."""
        return next(flag for flag in self.flags if flag.startswith("--"))

    @property
    def takes_profile(self) -> bool:
        """Whether its value is a profile's name."""
        return self.value in _PROFILES


class Argument(NamedTuple):
    """An argument of one command, by its place."""

    name: str
    help: str
    is_required: bool
    is_many: bool  # whether others of its kind follow
    choices: tuple[str, ...]

    @property
    def is_profile(self) -> bool:
        """Whether it is a profile's name."""
        return self.name in _PROFILES

    @property
    def words(self) -> tuple[str, ...]:
        """What can stand in its place, where that is known without looking."""
        return ("--",) if self.is_command_line else self.choices

    @property
    def is_command_line(self) -> bool:
        """Whether it is the command line of another program, behind a ``--``."""
        return self.name.startswith("-- ")


class Command(NamedTuple):
    """A command, or an action of one (``keys add``); the main form has no name."""

    name: str
    group: str
    help: str
    description: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    actions: tuple[str, ...]  # the words behind its name of which one is needed

    @property
    def word(self) -> str:
        """The last word of its name."""
        return self.name.rpartition(" ")[2]


def commands() -> list[Command]:
    """Return the main form, then the commands in the order in which they are shown, each before its actions."""
    from credproc.commands import commands as modules  # noqa: PLC0415 - all of them, for this alone
    from credproc.commands import parser  # noqa: PLC0415 - the same

    groups = {name: module.GROUP for name, module in modules().items()}
    return list(_below("", "", parser(modules()), groups))


def _below(name: str, help_text: str, one: argparse.ArgumentParser, groups: dict[str, str]) -> Iterator[Command]:
    # argparse has no other way to walk a parser than its private names
    actions = next((it for it in one._actions if isinstance(it, argparse._SubParsersAction)), None)  # noqa: SLF001
    yield Command(
        name,
        groups.get(name.partition(" ")[0], ""),
        help_text,
        one.description or "",
        tuple(_options(one)),
        tuple(_arguments(one)),
        tuple(actions.choices) if actions else (),
    )
    if actions:
        helps = {choice.dest: choice.help or "" for choice in actions._choices_actions}  # noqa: SLF001
        for word, sub in actions.choices.items():
            yield from _below(f"{name} {word}".lstrip(), helps[word], sub, groups)


def _options(one: argparse.ArgumentParser) -> Iterator[Option]:
    groups = [group._group_actions for group in one._mutually_exclusive_groups]  # noqa: SLF001
    for action in one._actions:  # noqa: SLF001
        if action.option_strings and action.help != argparse.SUPPRESS:  # for the completions themselves
            rivals = [other for group in groups if action in group for other in group if other is not action]
            yield Option(
                tuple(action.option_strings),
                _help(one, action),
                "" if action.nargs == 0 else str(action.metavar or action.dest.upper()),
                tuple(action.choices or ()),
                action.required,
                tuple(flag for other in rivals for flag in other.option_strings),
            )


def _arguments(one: argparse.ArgumentParser) -> Iterator[Argument]:
    for action in one._actions:  # noqa: SLF001
        if not action.option_strings and not isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            yield Argument(
                str(action.metavar or action.dest),
                _help(one, action),
                action.nargs not in _OPTIONAL,
                action.nargs == "*",
                tuple(action.choices or ()),
            )


def _help(one: argparse.ArgumentParser, action: argparse.Action) -> str:
    return one._get_formatter()._expand_help(action) if action.help else ""  # noqa: SLF001 - fills %(default)s
