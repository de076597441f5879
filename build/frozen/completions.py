"""Completions for bash, zsh, fish and PowerShell, made from the parser, so that they know what the command line knows.

Profile names come from ``credproc list --names``, which reads the files as everything else does. It is run with
CREDPROC_INTERACTIVE=never, as credproc says on the terminal what stderr would swallow.
"""

import os
from collections.abc import Callable, Iterator

import commandline
from commandline import Command, Option

_NAMES = "CREDPROC_INTERACTIVE=never credproc list --names 2>/dev/null"


def write(directory: str) -> None:
    """Write the completions of all shells into the directory, under the names that these look for."""
    commands = commandline.commands()
    os.makedirs(directory, exist_ok=True)
    shells: dict[str, Callable[[list[Command]], str]] = {
        "credproc.bash": _bash,
        "_credproc": _zsh,
        "credproc.fish": _fish,
        "credproc.ps1": _powershell,
    }
    for name, text in shells.items():
        # ASCII: Windows PowerShell reads what has no mark in the system's code page, and takes curly quotes for quotes
        with open(os.path.join(directory, name), "w", encoding="ascii", newline="\n") as file:
            file.write(text(commands))


def _valued(commands: list[Command]) -> Iterator[tuple[Command, Option]]:
    """Yield the options that a value follows, with their commands."""
    for command in commands:
        for option in command.options:
            if option.value:
                yield command, option


def _below(command: Command, commands: list[Command]) -> list[Command]:
    """Return the commands that its actions are."""
    return [one for one in commands if one.name and one.name == f"{command.name} {one.word}".lstrip()]


# --- bash --------------------------------------------------------------------------------------------------------

_BASH = r"""
# bash completion for credproc, made from its command line

# _credproc_offers COMMAND OPTION PLACE - a line for each word that can follow: as the option's value, or as the
# argument of that place
_credproc_offers() {
  case "$1|$2|$3" in
@offers@
  esac
}

# _credproc_read - read the line as bash will: into words without their quotes, of which the last is also in raw as it
# stands, and into the quote at the cursor ($ is $'...'). Readline knows no $'...', and closes the quote that is in seen
_credproc_read() {
  local line=${COMP_LINE:0:COMP_POINT} i char next='' word='' escaped=''
  words=() raw='' quote='' seen='' unfinished='' expands=''
  for ((i = 0; i < ${#line}; i++)); do
    char=${line:i:1}
    if [ -n "$next" ]; then
      next=''
    elif [[ $char == \\ && $seen != \' ]]; then
      next=$char
    elif [ "$char" = "$seen" ]; then
      seen=''
    elif [[ -z $seen && $char == [\'\"] ]]; then
      seen=$char
    fi
  done
  for ((i = 0; i < ${#line}; i++)); do
    char=${line:i:1} next=${line:i+1:1}
    raw+=$char
    case $quote$char in
      [[:blank:]])
        [ "$raw" = "$char" ] || words+=("$word")
        word='' raw='' expands=''
        ;;
      [\'\"]) quote=$char ;;
      \'\' | \"\") quote='' ;;
      \$)
        case $next in
          \') quote=$char ;;
          \") quote=$next ;;
          *)
            expands=yes
            continue
            ;;
        esac
        raw+=$next
        ((i++))
        ;;
      \$\')
        printf -v escaped %b "$escaped"
        quote='' word+=$escaped escaped=''
        ;;
      \\ | \"\\ | \$\\)
        [ -n "$next" ] || unfinished=$char
        case $quote$next in
          \"[\\\"\$\`] | \$[\'\"?] | ? | '') char='' ;;
        esac
        if [ "$quote" = '$' ]; then escaped+=$char$next; else word+=$char$next; fi
        raw+=$next
        ((i++))
        ;;
      \` | \"[\$\`]) expands=yes ;;
      \$*) escaped+=$char ;;
      *) word+=$char ;;
    esac
  done
  printf -v escaped %b "$escaped"
  words+=("$word$escaped")
}

# _credproc_quoted TEXT - set quoted to the text as it goes on within the quote at the cursor
_credproc_quoted() {
  local text=$1 i char
  quoted=''
  [[ -z $text || -n $quote ]] || printf -v quoted %q "$text"
  [ -n "$quote" ] || return 0
  for ((i = 0; i < ${#text}; i++)); do
    char=${text:i:1}
    case $quote$char in
      \'\') char="'\\''" ;;
      \"[\\\"\$\`] | \$[\\\']) char=\\$char ;;
      \"!) char='"\!"' ;; # the history is looked up in double quotes
      \$!) char='\041' ;;
    esac
    quoted+=$char
  done
}

# _credproc COMMAND WORD - set COMPREPLY to what can stand for the word, which is what readline will replace
_credproc() {
  local words raw quote seen unfinished expands quoted
  _credproc_read
  local current=${words[${#words[@]} - 1]} command='' option='' place=0 before='' offers=() options='' word i
  local IFS=$' \t\n'
  COMPREPLY=()
  for ((i = 1; i < ${#words[@]} - 1; i++)); do
    word=${words[i]}
    if [ -n "$option" ]; then
      option=''
      continue
    fi
    case $word in
      --)
        compopt -o filenames 2>/dev/null
        word=-f
        [ "$i" -lt $((${#words[@]} - 2)) ] || word=-c
        while IFS= read -r word; do
          COMPREPLY+=("$word")
        done < <(compgen "$word" -- "$raw")
        return
        ;;
      @valued@) option=$word ;;
      -*) ;;
      *)
        case "$command $word" in
          @commands@) command="${command:+$command }$word" ;;
          *) place=$((place + 1)) ;;
        esac
        ;;
    esac
  done
  # What the shell would put in the place of $x or `x` is not known. Nor does it help to complete a word of which
  # readline knows another beginning, or another quote than that it could close
  [[ -z $expands && $raw == *"$2" && ($seen == "${quote/\$/\'}" || -z $seen) ]] || return 0
  if [[ $current == --*=* ]]; then
    option=${current%%=*} before=${current%%=*}=
  fi

  while IFS= read -r word; do
    offers+=("$word")
  done < <(_credproc_offers "$command" "$option" "$place")
  if [ -z "$option" ] && [[ $current == -* || ${#offers[@]} -eq 0 ]]; then
    case $command in
@options@
    esac
    offers+=($options)
  fi
  for word in ${offers[@]+"${offers[@]}"}; do
    [[ $before$word == "$current"* ]] || continue
    word=$before$word
    _credproc_quoted "${word#"$current"}"
    word=${2%"$unfinished"}$quoted
    # A quote at the beginning is one with that which stands before
    [[ -z $seen || $word != "$seen"* ]] || word=$seen$word
    COMPREPLY+=("$word")
  done
  # Readline closes the quote behind the only offer, but not where this ends in one
  quote=${quote/\$/\'}
  [[ ${#COMPREPLY[@]} -ne 1 || ($quote == "$seen" && ${COMPREPLY[0]} != *["$quote"]) ]] || COMPREPLY[0]+=$quote
}
complete -F _credproc credproc
"""


def _bash(commands: list[Command]) -> str:
    offers: dict[str, list[str]] = {}
    for command, option in _valued(commands):
        offer = _NAMES if option.takes_profile else _printed(option.choices)
        offers.setdefault(offer, []).append(f"'{command.name}|{option.flag}|'*")
    for command in commands:
        if command.actions:
            offers.setdefault(_printed(command.actions), []).append(f"'{command.name}||0'")
        for place, argument in enumerate(command.arguments):
            offer = _NAMES if argument.is_profile else _printed(("--",))
            offers.setdefault(offer, []).append(f"'{command.name}||{place}'")
    options = [f"      {_quoted(one.name)}) options='{' '.join(it.flag for it in one.options)}' ;;" for one in commands]
    return _filled(
        _BASH,
        offers="\n".join(f"    {' | '.join(where)}) {offer} ;;" for offer, where in offers.items()),
        options="\n".join(options),
        valued=" | ".join(dict.fromkeys(option.flag for _, option in _valued(commands))),
        commands=" | ".join(_quoted(one.name if " " in one.name else f" {one.name}") for one in commands[1:]),
    )


def _printed(words: tuple[str, ...]) -> str:
    return f"printf '%s\\n' {' '.join(words)}" if words else ":"


# --- zsh ---------------------------------------------------------------------------------------------------------

_ZSH = r"""
#compdef credproc
# made from credproc's command line

_credproc_profiles() {
  local -a profiles expl
  profiles=(${(f)"$(@names@)"})
  _wanted profiles expl profile compadd -a profiles
}

_credproc_behind() {
  if (( CURRENT == 1 )); then _command_names -e; else _normal; fi
}

@functions@

_credproc "$@"
"""


def _zsh(commands: list[Command]) -> str:
    functions = [_zsh_function(command, commands) for command in commands if command.actions]
    return _filled(_ZSH, names=_NAMES, functions="\n\n".join(functions))


def _zsh_function(command: Command, commands: list[Command]) -> str:
    """Return the function of a command that another word follows."""
    below = _below(command, commands)
    name = "_".join(["_credproc", *command.name.split()])
    lines = [
        f"{name}() {{",
        "  local curcontext=$curcontext state line",
        "  local -a state_descr words_below",
        "  local -A opt_args",
        f"  _arguments -C {_zsh_arguments(command)} '1: :->command' '*:: :->rest' && return",
        "  case $state in",
        "    command)",
        "      words_below=(",
        *(f"        {_quoted(f'{one.word}:{one.help}')}" for one in below),
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
            "_credproc_profiles" if option.takes_profile else f"({' '.join(option.choices)})" if option.choices else ""
        )
        value = f":{option.value.lower()}:{offer or ' '}" if option.value else ""
        specs.append(f"{rivals}{option.flag}{'=' if value else ''}[{said}]{value}")
    for place, argument in enumerate(command.arguments, 1):
        if argument.is_profile:
            specs.append(f"{place}:profile:_credproc_profiles")
        elif argument.is_command_line:
            specs += [f"{place}: :(--)", "*::: :_credproc_behind"]
    return " ".join(_quoted(spec) for spec in specs)


# --- fish --------------------------------------------------------------------------------------------------------

_FISH = r"""
# fish completion for credproc, made from its command line
complete -c credproc -f

function __credproc_profiles
    command -q credproc; or return # fish says that it knows no such command whatever stderr is
    @names@
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


def _fish(commands: list[Command]) -> str:
    lines = []
    for command in commands:
        lines += [_fish_line(command, 0, f"-a {one.word} -d {_quoted(one.help)}") for one in _below(command, commands)]
        for place, argument in enumerate(command.arguments):
            if argument.is_profile:
                lines.append(_fish_line(command, place, "-a '(__credproc_profiles)'"))
            elif argument.is_command_line:
                lines.append(_fish_line(command, place, "-a --"))
        for option in command.options:
            short = "".join(f" -s {flag[1:]}" for flag in option.flags if not flag.startswith("--"))
            offer = "(__credproc_profiles)" if option.takes_profile else " ".join(option.choices)
            value = f" -x -a {_quoted(offer)}" if offer else " -x" if option.value else ""
            said = f"-l {option.flag.removeprefix('--')}{short} -d {_quoted(option.help)}{value}"
            lines.append(_fish_line(command, None, said))
    return _filled(
        _FISH,
        names=_NAMES,
        valued=" ".join(dict.fromkeys(option.flag for _, option in _valued(commands))),
        commands=" ".join(_quoted(one.name if " " in one.name else f" {one.name}") for one in commands[1:]),
        commands_and_options="\n".join(lines),
    )


def _fish_line(command: Command, place: int | None, rest: str) -> str:
    at = f'__credproc_at "{command.name}"' + ("" if place is None else f" {place}")
    return f"complete -c credproc -n {_quoted(at)} {rest}"


# --- PowerShell --------------------------------------------------------------------------------------------------

_POWERSHELL = r"""
# PowerShell completion for credproc, made from its command line
Register-ArgumentCompleter -Native -CommandName credproc -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # By command: the words that follow it, its options, its arguments; NAME is a profile
    $actions = @{
@actions@
    }
    $options = @{
@options@
    }
    $arguments = @{
@arguments@
    }
    # By command and option: what follows it
    $values = @{
@values@
    }

    $command = ''
    $option = ''
    $place = 0
    foreach ($element in ($commandAst.CommandElements | Select-Object -Skip 1)) {
        if ($element.Extent.EndOffset -ge $cursorPosition) { break }
        $text = $element.Extent.Text
        if ($option) { $option = '' }
        elseif ($text -ceq '--') { return }
        elseif ($values.ContainsKey("$command $text")) { $option = $text }
        elseif ($text.StartsWith('-')) { continue }
        elseif ($actions.ContainsKey($command) -and $actions[$command].Contains($text)) {
            $command = "$command $text".Trim()
        }
        else { $place++ }
    }
    $front = ''
    $typed = "$wordToComplete"
    if ($typed -match '^(--[a-z-]+)=(.*)$') {
        $option = $Matches[1]
        $front = "$option="
        $typed = $Matches[2]
    }
    $typed = $typed -replace '^[''"]|[''"]$'

    $offers = [ordered]@{}
    $words = @()
    if ($option) { $words = @($values["$command $option"]) }
    elseif ($arguments.ContainsKey($command)) { $words = @($arguments[$command] | Select-Object -Skip $place -First 1) }
    elseif ($actions.ContainsKey($command)) { $offers = $actions[$command] }
    foreach ($word in $words) {
        if ($word -cne 'NAME') {
            $offers[$word] = $word
            continue
        }
        $interactive = $env:CREDPROC_INTERACTIVE
        try {
            $env:CREDPROC_INTERACTIVE = 'never'
            foreach ($name in @(credproc list --names 2>$null)) { $offers[$name] = "profile $name" }
        }
        catch { return }
        finally { $env:CREDPROC_INTERACTIVE = $interactive }
    }
    if (-not $option -and ($typed.StartsWith('-') -or $offers.PSBase.Count -eq 0)) { $offers = $options[$command] }

    # PSBase, as a profile may be called Keys
    foreach ($offer in @($offers.PSBase.Keys)) {
        if ($offer.StartsWith($typed, [System.StringComparison]::OrdinalIgnoreCase)) {
            $text = $offer
            # Curly quotes end a string as straight ones do
            if ($text -notmatch '^[\w./+=:-]+$') { $text = "'" + ($text -replace '[''\u2018-\u201B]', '$0$0') + "'" }
            $text = "$front$text"
            [System.Management.Automation.CompletionResult]::new($text, $offer, 'ParameterValue', $offers[$offer])
        }
    }
}
"""


def _powershell(commands: list[Command]) -> str:
    def words(given: list[str] | tuple[str, ...]) -> str:
        return ", ".join(map(_powershell_quoted, given))

    def table(pairs: list[tuple[str, str]]) -> str:
        inner = "\n".join(f"            {_powershell_quoted(key)} = {_powershell_quoted(text)}" for key, text in pairs)
        return f"[ordered]@{{\n{inner}\n        }}"

    actions, options, arguments, values = [], [], [], []
    for command in commands:
        name = _powershell_quoted(command.name)
        options.append(f"        {name} = {table([(one.flag, one.help) for one in command.options])}")
        if command.actions:
            below = [(one.word, one.help) for one in _below(command, commands)]
            actions.append(f"        {name} = {table(below)}")
        if command.arguments:
            offered = ["NAME" if one.is_profile else "--" for one in command.arguments]
            arguments.append(f"        {name} = @({words(offered)})")
    for command, option in _valued(commands):
        offered = ["NAME"] if option.takes_profile else list(option.choices)
        values.append(f"        {_powershell_quoted(f'{command.name} {option.flag}')} = @({words(offered)})")
    return _filled(
        _POWERSHELL,
        actions="\n".join(actions),
        options="\n".join(options),
        arguments="\n".join(arguments),
        values="\n".join(values),
    )


def _powershell_quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# --- all ---------------------------------------------------------------------------------------------------------


def _filled(template: str, **fields: str) -> str:
    """Return the script; not by ``format``, as shells have braces of their own."""
    text = template.lstrip()
    for name, value in fields.items():
        text = text.replace(f"@{name}@", value)
    return text


def _quoted(text: str) -> str:
    """Return the text as one word of a POSIX shell; fish reads a word without backslashes alike."""
    return "'" + text.replace("'", "'\\''") + "'"
