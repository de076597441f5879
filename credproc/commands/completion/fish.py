"""The completion of fish, made from the parser."""

from credproc.commands.completion.command_line import Command
from credproc.commands.completion.parts import NAMES, below_of, filled, quoted, valued

_FISH = r"""
# fish completion for credproc, made from its command line
complete -c credproc -f

function __credproc_profiles --argument-names wanted
    command -q credproc; or return # fish says that it knows no such command whatever stderr is
    @names@ "$wanted" 2>/dev/null
end

# whether the command has been written and nothing else is; with a number, so many arguments behind it
function __credproc_at --argument-names wanted wanted_place
    set -l command ''
    set -l place 0
    set -l skip no
    for word in (commandline -opc)[2..]
        if test $skip = yes
            set skip no
            continue
        end
        switch $word
            case --
                set command --
                break
            case @valued@
                set skip yes
            case '-*'
            case '*'
                switch "$command $word"
                    case @commands@
                        set command (string trim -- "$command $word")
                    case '*'
                        set place (math $place + 1)
                end
        end
    end
    test "$command" = "$wanted" -a \( -z "$wanted_place" -o "$place" = "$wanted_place" \)
end

function __credproc_behind
    set -l words (commandline -opc)
    set -l at (contains -i -- -- $words)
    complete -C (string join ' ' -- (string escape -- $words[(math $at + 1)..]) (commandline -ct))
end
complete -c credproc -n '__credproc_at --' -x -a '(__credproc_behind)'

@commands_and_options@
"""


def script(commands: list[Command]) -> str:
    """Return what fish reads; ``commands`` has the main form first."""
    lines = []
    for command in commands:
        lines += [_fish_line(command, 0, f"-a {one.word} -d {quoted(one.help)}") for one in below_of(command, commands)]
        for place, argument in enumerate(command.arguments):
            if argument.is_profile:
                at = None if argument.is_many else place
                lines.append(_fish_line(command, at, f"-a {quoted(_profiles(command))}"))
            elif argument.words:
                lines.append(_fish_line(command, place, f"-a {quoted(' '.join(argument.words))}"))
        for option in command.options:
            short = "".join(f" -s {flag[1:]}" for flag in option.flags if not flag.startswith("--"))
            name = f"-l {option.flag.removeprefix('--')}{short}{' -x' if option.value else ''}"
            offer = _profiles(command) if option.takes_profile else " ".join(option.choices)
            if offer:  # apart from -d, which fish would say again of each; and before it, as the last one describes
                lines.append(_fish_line(command, None, f"{name} -a {quoted(offer)}"))
            lines.append(_fish_line(command, None, f"{name} -d {quoted(option.help)}"))
    return filled(
        _FISH,
        names=NAMES,
        valued=" ".join(dict.fromkeys(option.flag for _, option in valued(commands))),
        commands=" ".join(quoted(one.name if " " in one.name else f" {one.name}") for one in commands[1:]),
        commands_and_options="\n".join(lines),
    )


def _fish_line(command: Command, place: int | None, rest: str) -> str:
    at = f'__credproc_at "{command.name}"' + ("" if place is None else f" {place}")
    return f"complete -c credproc -n {quoted(at)} {rest}"


def _profiles(command: Command) -> str:
    return f'(__credproc_profiles "{command.name}")'
