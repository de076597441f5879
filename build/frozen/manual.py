"""The man page: credproc.1.in, with what the parser knows in the places that are kept for it."""

import os
import re
import textwrap
import time
from collections.abc import Iterable, Iterator

from credproc.commands.completion import command_line
from credproc.commands.completion.command_line import Argument, Command, Option
from credproc.config.settings import SETTINGS

_TEMPLATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "credproc.1.in")
_FIELD = re.compile(r"\{\{([a-z]+)\}\}")
_BOLD = re.compile(r"(?<![\w-])--[a-z][a-z-]*|`([^`]+)`")
_TAGS = 5  # names of settings one below the other; more of one meaning stand in a paragraph
_DEFAULT = " (default: AWS_PROFILE)"  # of a command for one profile; the template says it once
_WIDTH = 78  # mandoc wants lines of at most 80 bytes
# groff gives these another glyph when they stand by themselves
_SPECIAL = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}


def write(path: str, version: str, epoch: int) -> None:
    """Write the page; ``epoch``, in seconds since 1970, is the time that it says it is of."""
    with open(path, "w", encoding="ascii", newline="\n") as file:
        file.write(page(version, time.strftime("%Y-%m-%d", time.gmtime(epoch))))


def page(version: str, date: str) -> str:
    """Return the page."""
    main, *others = command_line.commands()
    fields = {
        "version": version,
        "date": date,
        "synopsis": "\n.br\n".join(_synopses(main)),
        "options": "\n".join(_described(_taken(main))),
        "common": "\n".join(_described(common(others))),
        "commands": "\n".join(_sections(others)),
        "settings": "\n".join(_settings()),
    }
    with open(_TEMPLATE, encoding="ascii") as file:
        return _FIELD.sub(lambda found: fields[found[1]], file.read())


def _synopses(main: Command) -> Iterator[str]:
    yield f"{_bold('credproc')} {' '.join(_forms([one for one in main.options if one.value]))}"
    yield rf"{_bold('credproc')} \fICOMMAND\fR [\fIARGUMENT\fR ...]"
    yield f"{_bold('credproc')} {' | '.join(_bold(one.flag) for one in main.options if not one.value)}"


def common(commands: list[Command]) -> list[tuple[str, str]]:
    """Return what more than one command takes, each with its sentence: it is said once, before the commands."""
    every = [one for command in commands for one in _taken(command)]
    return [one for one in dict.fromkeys(every) if every.count(one) > 1]


def _sections(commands: list[Command]) -> Iterator[str]:
    group, said = "", common(commands)
    for command in commands:
        begins, group = command.group != group, command.group
        if begins:
            yield f'.SS "{_plain(group.capitalize())}"'
        if command.actions:
            yield from (*(() if begins else (".PP",)), *_prose(command.description))
            continue
        yield from (".TP", _usage(command), *_prose(command.description))
        inner = list(_described(one for one in _taken(command) if one not in said))
        if inner:
            yield from (".RS", *inner, ".RE")


def _usage(command: Command) -> str:
    last = [argument for argument in command.arguments if argument.is_command_line]
    first = [argument for argument in command.arguments if argument not in last]
    options = [option for option in command.options if option.flag != "--help"]
    words = [*map(_place, first), *_forms(options), *map(_place, last)]
    return " ".join([_bold(f"credproc {command.name}"), *words])


def _place(argument: Argument) -> str:
    if argument.is_command_line:
        return rf"{_bold('--')} \fI{_plain(argument.name.removeprefix('-- '))}\fR ..."
    name = rf"\fI{_plain(argument.name)}\fR"
    return name if argument.is_required else f"[{name}]"


def _forms(options: list[Option]) -> Iterator[str]:
    """Yield the options as a synopsis has them, those that exclude each other together."""
    seen: set[str] = set()
    for option in options:
        if option.flag not in seen:
            rivals = [other for other in options if other.flag in option.rivals]
            seen.update(one.flag for one in (option, *rivals))
            form = " | ".join(_form(one) for one in (option, *rivals))
            yield form if option.is_required else f"[{form}]"


def _form(option: Option) -> str:
    return _bold(option.flag) + (rf" \fI{_plain(option.value)}\fR" if option.value else "")


def _taken(command: Command) -> Iterator[tuple[str, str]]:
    """Yield what the command takes, each with its sentence; ``--help``, which all have, with the main form alone."""
    for argument in command.arguments:
        yield _place(argument).strip("[]"), _sentence(argument.help.removesuffix(_DEFAULT))
    for option in command.options:
        if option.flag == "--help" and command.name:
            continue
        flags = ", ".join(_bold(flag) for flag in option.flags)
        said = _sentence(option.help + ("; with a command, the help of that one" if option.flag == "--help" else ""))
        yield flags + _form(option).removeprefix(_bold(option.flag)), said


def _described(taken: Iterable[tuple[str, str]]) -> Iterator[str]:
    for form, said in taken:
        yield from (".TP", form, *_prose(said))


def settings() -> dict[str, list[str]]:
    """Return the settings of a profile, as people write them, by their meaning."""
    rows: dict[str, list[str]] = {}
    for setting in SETTINGS:
        rows.setdefault(setting.meaning, []).append(setting.written)
    return rows


def _settings() -> Iterator[str]:
    for meaning, names in settings().items():
        if len(names) > _TAGS:
            yield from (".PP", *_prose(f"{', '.join(f'`{name}`' for name in names)}: {meaning}."))
            continue
        for macro, name in zip((".TP", *(".TQ",) * _TAGS), names, strict=False):
            yield from (macro, f".B {_plain(name)}")
        yield from _prose(_sentence(meaning))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _prose(text: str) -> Iterator[str]:
    """Yield the text in lines, its options and what stands in backticks in bold."""
    marked = _BOLD.sub(lambda found: f"\0{found[1] or found[0]}\1", text)
    escaped = _plain(marked).replace("\0", r"\fB").replace("\1", r"\fR")
    for line in textwrap.wrap(escaped, _WIDTH, break_on_hyphens=False, break_long_words=False):
        yield rf"\&{line}" if line.startswith(".") else line


def _bold(text: str) -> str:
    return rf"\fB{_plain(text)}\fR"


def _plain(text: str) -> str:
    """Return the text as roff that prints just it; in ASCII, so that no locale plays a part."""
    return "".join(_SPECIAL.get(each, each) if each.isascii() else rf"\[u{ord(each):04X}]" for each in text)
