"""The usage in the README and the help, which say what the parser knows."""

import re
import subprocess
import sys
from typing import NamedTuple

import pytest

from credproc.commands import commands, parser
from tests.built import COMMANDS, MAIN, ROOT, command_line

COLUMNS, ROWS = 80, 24
NAMED = [command for command in COMMANDS if not command.actions]  # the README shows actions, not what holds them


class Line(NamedTuple):
    """A line of the README's usage."""

    words: list[str]  # of the command line, brackets left out
    optional: set[str]
    sentence: str
    rest: str

    @property
    def flags(self) -> set[str]:
        """The options that the line names anywhere."""
        return set(re.findall(r"--[a-z-]+", " ".join([*self.words, self.rest])))


def _read(line: str) -> Line:
    shown, _, said = line.partition("  ")
    sentence, _, rest = said.strip().partition("; ")
    optional = {word for inner in re.findall(r"\[(.*?)\]", shown) for word in inner.split()}
    return Line(re.sub(r"[][|]", " ", shown).split()[1:], optional, sentence, rest)


def _usage() -> dict[str, Line]:
    """Return the README's usage by the command's name; of the main form by none."""
    text = (ROOT / "README.md").read_text().partition("\n## Commands\n")[2]
    (block,) = re.findall(r"```text\n(.*?)```", text.partition("\n## ")[0], re.DOTALL)
    assert all(line.startswith("credproc ") for line in block.splitlines())
    lines = [_read(line) for line in block.splitlines()]
    return {" ".join(_leading(line.words)): line for line in lines}


def _leading(words: list[str]) -> list[str]:
    if words[:1] == ["--version"]:
        return words[:1]
    behind = next((at for at, word in enumerate(words) if not word.islower() or word.startswith("-")), len(words))
    return words[:behind]


USAGE = _usage()


def test_the_usage_has_each_command_once_in_the_order_of_the_help() -> None:
    assert list(USAGE) == ["", *(command.name for command in NAMED), "--version"]


@pytest.mark.parametrize("command", NAMED, ids=lambda command: command.name)
def test_the_usage_says_of_a_command_what_the_help_says(command: command_line.Command) -> None:
    assert USAGE[command.name].sentence == command.help


@pytest.mark.parametrize("command", NAMED, ids=lambda command: command.name)
def test_the_usage_names_the_options_of_a_command_and_no_others(command: command_line.Command) -> None:
    line = USAGE[command.name]
    known = {option.flag for option in command.options} - {
        "--help",
        "--profile",
    }  # the same as NAME, as the README says once
    assert line.flags == known
    for option in command.options:
        assert {option.flag} <= set(line.words) - line.optional or not option.is_required
        for choice in option.choices:
            assert re.search(rf"\b{choice}\b", line.rest), choice


@pytest.mark.parametrize("command", NAMED, ids=lambda command: command.name)
def test_the_usage_names_the_arguments_of_a_command(command: command_line.Command) -> None:
    line = USAGE[command.name]
    values = {line.words[at + 1] for at, word in enumerate(line.words[:-1]) if word.startswith("--") and len(word) > 2}
    shown = [word for word in line.words if word.isupper() and word not in values]
    assert shown == [argument.name.removeprefix("-- ") for argument in command.arguments]
    for argument in command.arguments:
        if not argument.is_command_line:
            assert (argument.name in line.optional) is not argument.is_required


def test_the_usage_names_the_options_of_the_main_form() -> None:
    assert USAGE[""].flags | USAGE["--version"].flags == {option.flag for option in MAIN.options}


def test_the_help_fits_a_terminal() -> None:
    lines = parser(commands()).format_help().splitlines()
    assert len(lines) < ROWS  # the prompt that comes behind it takes one
    assert max(map(len, lines)) <= COLUMNS


@pytest.mark.parametrize("command", [one for one in COMMANDS if " " not in one.name], ids=lambda command: command.name)
def test_the_help_says_what_each_command_does(command: command_line.Command) -> None:
    assert re.search(rf"\s{command.name} +{re.escape(command.help)}$", parser(commands()).format_help(), re.MULTILINE)


LOADED = """
import sys
from credproc.commands import main
from credproc.request import Request
main(["--profile", "admin", sys.argv[1], "--help"], Request(None, {}, 0.0))
print(*sys.modules)
"""


@pytest.mark.parametrize("name", [command.name for command in COMMANDS if " " not in command.name])
def test_a_command_imports_no_other_command(name: str) -> None:
    ran = subprocess.run([sys.executable, "-c", LOADED, name], capture_output=True, text=True, check=True)
    files = {module.__name__: command for command, module in commands().items()}
    assert {files[module] for module in set(ran.stdout.split()) & set(files)} == {name}
