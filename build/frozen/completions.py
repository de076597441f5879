"""Completions for bash, zsh and fish, made from the parser, so that they know what the command line knows.

Profile names are read from the config file by the shell: a program would have to be started for each key.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, ROOT)

PROFILES = (
    r"sed -n 's/^\[profile \(.*\)\]$/\1/p; s/^\[default\]$/default/p'"
    ' "${AWS_CONFIG_FILE:-$HOME/.aws/config}" 2>/dev/null'
)


class Option(NamedTuple):
    """An option of one command."""

    flag: str
    help: str
    takes_profile: bool


class Command(NamedTuple):
    """A command, and what it takes; the first one has no name."""

    name: str
    help: str
    options: list[Option]
    actions: tuple[str, ...] = ()  # what may stand behind its name; behind those a profile


def write(directory: str) -> None:
    """Write the completions of all shells into the directory, under the names that these look for."""
    commands = list(_commands())
    os.makedirs(directory, exist_ok=True)
    for name, text in (
        ("credproc.bash", _bash(commands)),
        ("_credproc", _zsh(commands)),
        ("credproc.fish", _fish(commands)),
    ):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write(text)


def _commands() -> Iterator[Command]:
    from credproc.commands import parser  # noqa: PLC0415 - found by the line above

    top = parser()
    yield Command("", "", list(_options(top)))
    for action in top._actions:  # noqa: SLF001 - argparse has no other way to walk a parser
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001
            for name, one in action.choices.items():
                deeper = [it for it in one._actions if isinstance(it, argparse._SubParsersAction)]  # noqa: SLF001
                within = tuple(word for it in deeper for word in it.choices)
                options = [
                    *_options(one),
                    *(option for it in deeper for sub in it.choices.values() for option in _options(sub)),
                ]
                yield Command(name, helps[name], list(dict.fromkeys(options)), within)


def _options(one: argparse.ArgumentParser) -> Iterator[Option]:
    for action in one._actions:  # noqa: SLF001
        for flag in action.option_strings:
            if flag.startswith("--"):
                yield Option(flag, action.help or "", action.metavar == "NAME")


def _bash(commands: list[Command]) -> str:
    cases = "\n".join(
        f'    {one.name}) words="{" ".join([*(option.flag for option in one.options), *one.actions])}" ;;'
        for one in commands[1:]
    )
    within = " ".join(f" {one.name} {action} " for one in commands for action in one.actions if action != "list")
    first = " ".join([*(option.flag for option in commands[0].options), *(one.name for one in commands[1:])])
    return f"""\
# bash completion for credproc, made from its command line
_credproc() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} words
  if [ "$previous" = --profile ]; then
    local IFS=$'\\n'
    COMPREPLY=($(compgen -W "$({PROFILES})" -- "$current"))
    return
  fi
  if [ "$COMP_CWORD" -eq 3 ] && [[ " {within} " == *" ${{COMP_WORDS[1]}} $previous "* ]] && [[ $current != -* ]]; then
    local IFS=$'\\n'
    COMPREPLY=($(compgen -W "$({PROFILES})" -- "$current"))
    return
  fi
  case ${{COMP_WORDS[1]}} in
{cases}
    *) words="{first}" ;;
  esac
  [ "$COMP_CWORD" -gt 1 ] || words="{first}"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -F _credproc credproc
"""


def _zsh(commands: list[Command]) -> str:
    def arguments(one: Command) -> str:
        return " ".join(
            _quoted(f"{option.flag}[{option.help}]" + (":profile:_credproc_profiles" if option.takes_profile else ""))
            for option in one.options
        ) + (f" '1: :({' '.join(one.actions)})' '2:profile:_credproc_profiles'" if one.actions else "")

    names = "\n".join(f"    {_quoted(f'{one.name}:{one.help}')}" for one in commands[1:])
    cases = "\n".join(f"    {one.name}) _arguments {arguments(one)} ;;" for one in commands[1:])
    return f"""\
#compdef credproc
# made from credproc's command line
_credproc_profiles() {{
  local -a profiles
  profiles=("${{(@f)$({PROFILES})}}")
  compadd -a profiles
}}
_credproc() {{
  local -a commands
  commands=(
{names}
  )
  local state line
  _arguments -C {arguments(commands[0])} '1: :->command' '*:: :->rest' && return
  case $state in
    command) _describe command commands ;;
    rest) case $line[1] in
{cases}
    esac ;;
  esac
}}
_credproc "$@"
"""


def _fish(commands: list[Command]) -> str:
    lines = [_FISH_HEAD.rstrip()]
    for one in commands:
        where = f"__fish_seen_subcommand_from {one.name}" if one.name else "__fish_use_subcommand"
        if one.name:
            lines.append(f"complete -c credproc -n __fish_use_subcommand -a {one.name} -d {_quoted(one.help)}")
        for action in one.actions:
            others = f"{where}; and not __fish_seen_subcommand_from {' '.join(one.actions)}"
            lines.append(f"complete -c credproc -n {_quoted(others)} -a {action}")
            if action != "list":
                behind = f"{where}; and __fish_seen_subcommand_from {action}"
                lines.append(f"complete -c credproc -n {_quoted(behind)} -a '(__credproc_profiles)'")
        for option in one.options:
            profiles = " -x -a '(__credproc_profiles)'" if option.takes_profile else ""
            long = option.flag.removeprefix("--")
            lines.append(f"complete -c credproc -n {_quoted(where)} -l {long} -d {_quoted(option.help)}{profiles}")
    return "\n".join(lines) + "\n"


_FISH_HEAD = r"""
# fish completion for credproc, made from its command line
complete -c credproc -f
function __credproc_profiles
    set -l file $HOME/.aws/config
    set -q AWS_CONFIG_FILE; and set file $AWS_CONFIG_FILE
    sed -n 's/^\[profile \(.*\)\]$/\1/p; s/^\[default\]$/default/p' $file 2>/dev/null
end
""".lstrip()


def _quoted(text: str) -> str:
    """Return the text as one word of a POSIX shell; fish reads a word without backslashes alike."""
    return "'" + text.replace("'", "'\\''") + "'"
