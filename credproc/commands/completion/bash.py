"""The completion of bash, made from the parser."""

from credproc.commands.completion.command_line import Command
from credproc.commands.completion.parts import NAMES, filled, quoted, valued

_BASH = r"""
# bash completion for credproc, made from its command line

# _credproc_names COMMAND - a line for each profile that the command means
_credproc_names() {
  @names@ "$1" 2>/dev/null
}

# _credproc_behind - complete the line behind the --, which is another program's: as that program's own completion does
# where the package bash-completion is loaded, else a program and files
_credproc_behind() {
  local at offset
  for ((at = 1; at < COMP_CWORD; at++)); do
    [ "${COMP_WORDS[at]}" != -- ] || break
  done
  for offset in _comp_command_offset _command_offset; do # its name from 2.12 on, and before
    if declare -F "$offset" >/dev/null; then
      "$offset" "$((at + 1))"
      return
    fi
  done
  compopt -o filenames 2>/dev/null
  offset=-f
  [ "$((at + 1))" -lt "$COMP_CWORD" ] || offset=-c
  while IFS= read -r at; do
    COMPREPLY+=("$at")
  done < <(compgen "$offset" -- "$raw")
}

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
        _credproc_behind
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


_PROFILES = '_credproc_names "$1"'


def script(commands: list[Command]) -> str:
    """Return what bash reads; ``commands`` has the main form first."""
    offers: dict[str, list[str]] = {}
    for command, option in valued(commands):
        offer = _PROFILES if option.takes_profile else _printed(option.choices)
        offers.setdefault(offer, []).append(f"'{command.name}|{option.flag}|'*")
    for command in commands:
        if command.actions:
            offers.setdefault(_printed(command.actions), []).append(f"'{command.name}||0'")
        for place, argument in enumerate(command.arguments):
            offer = _PROFILES if argument.is_profile else _printed(argument.words)
            where = f"'{command.name}||'*" if argument.is_many else f"'{command.name}||{place}'"
            offers.setdefault(offer, []).append(where)
    options = [f"      {quoted(one.name)}) options='{' '.join(it.flag for it in one.options)}' ;;" for one in commands]
    return filled(
        _BASH,
        names=NAMES,
        offers="\n".join(f"    {' | '.join(where)}) {offer} ;;" for offer, where in offers.items()),
        options="\n".join(options),
        valued=" | ".join(dict.fromkeys(option.flag for _, option in valued(commands))),
        commands=" | ".join(quoted(one.name if " " in one.name else f" {one.name}") for one in commands[1:]),
    )


def _printed(words: tuple[str, ...]) -> str:
    return f"printf '%s\\n' {' '.join(words)}" if words else ":"
