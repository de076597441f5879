"""The completion of zsh, made from the parser."""

from credproc.commands.completion.command_line import Command
from credproc.commands.completion.parts import NAMES, below_of, filled, quoted

_ZSH = r"""
#compdef credproc
# made from credproc's command line

# The last argument is the command; before it stand those of _arguments
_credproc_profiles() {
  local -a profiles expl
  profiles=(${(f)"$(@names@ "${@[-1]}" 2>/dev/null)"})
  _wanted profiles expl profile compadd -a profiles
}

_credproc_behind() {
  if (( CURRENT == 1 )); then _command_names -e; else _normal; fi
}

@functions@

# As a file in a directory of fpath this is the function; else it is to be read after compinit
if [[ $funcstack[1] == _credproc ]]; then _credproc "$@"; else compdef _credproc credproc; fi
"""


def script(commands: list[Command]) -> str:
    """Return what zsh reads; ``commands`` has the main form first."""
    functions = [_zsh_function(command, commands) for command in commands if command.actions]
    return filled(_ZSH, names=NAMES, functions="\n\n".join(functions))


def _zsh_function(command: Command, commands: list[Command]) -> str:
    """Return the function of a command that another word follows."""
    below = below_of(command, commands)
    name = "_".join(["_credproc", *command.name.split()])
    lines = [
        f"{name}() {{",
        "  local curcontext=$curcontext state line",
        "  local -a state_descr words_below",
        "  local -A opt_args",
        f"  _arguments -C -A '-*' {_zsh_arguments(command)} '1: :->command' '*:: :->rest' && return",
        "  case $state in",
        "    command)",
        "      words_below=(",
        *(f"        {quoted(f'{one.word}:{one.help}')}" for one in below),
        "      )",
        "      _describe -t commands command words_below ;;",
        "    rest)",
        "      case $line[1] in",
        *(
            f"        {one.word}) "
            + (f"_credproc_{one.name.replace(' ', '_')}" if one.actions else f"_arguments {_zsh_arguments(one)}")
            + " ;;"
            for one in below
        ),
        "      esac ;;",
        "  esac",
        "}",
    ]
    return "\n".join(lines)


def _zsh_arguments(command: Command) -> str:
    specs = []
    for option in command.options:
        rivals = f"({' '.join(option.rivals)})" if option.rivals else ""
        said = option.help.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
        offer = (
            _profiles(command) if option.takes_profile else f"({' '.join(option.choices)})" if option.choices else ""
        )
        value = f":{option.value.lower()}:{offer or ' '}" if option.value else ""
        specs.append(f"{rivals}{option.flag}{'=' if value else ''}[{said}]{value}")
    for place, argument in enumerate(command.arguments, 1):
        if argument.is_profile:
            specs.append(f"{'*' if argument.is_many else place}:profile:{_profiles(command)}")
        elif argument.is_command_line:
            specs += [f"{place}: :(--)", "*::: :_credproc_behind"]
        elif argument.choices:
            specs.append(f"{place}:{argument.name.lower()}:({' '.join(argument.choices)})")
    return " ".join(quoted(spec) for spec in specs)


def _profiles(command: Command) -> str:
    return f'_credproc_profiles "{command.name}"'
