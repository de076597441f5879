"""What the shells complete, asked of the real ones; of PowerShell, which cannot be installed here, its script alone."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from credproc.commands.completion import SHELLS as PRINTED
from credproc.commands.completion.command_line import Argument
from tests.built import COMMANDS, MAIN
from tests.completed import NAMES as NAMES_FOR_SHELLS
from tests.completed import SHELLS as KINDS
from tests.completed import SHORT, begun, interactive, quotes_of
from tests.program import PROGRAM
from tests.terminal import Terminal

SHELLS = ("bash", "zsh", "fish")
NAMES = {"default", "one", "two"}
CONFIG = "[default]\n[profile one]\n[sso-session no]\n[profile two]\n"
# What each command is for, by the settings of its profiles
FITTING = """
[profile new]
[profile file]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
[profile temporary]
aws_access_key_id = ASIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
aws_session_token = t
[profile kept]
credproc_access_key_id = AKIAIOSFODNN7EXAMPL2
[profile role]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = file
[profile mfa]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = file
mfa_serial = arn:aws:iam::123456789012:mfa/user1
[profile through]
credential_process = /usr/bin/credproc --profile role
[profile broken]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = nobody
"""
ALL = {"new", "file", "temporary", "kept", "role", "mfa", "through", "broken"}
FITS = {
    "keys rotate": {"kept"},
    "keys remove": {"kept"},
    "keys import": {"file"},
    "keys add": {"new", "kept", "through"},
    "setup": {"role", "mfa", "through", "broken"},
    "console": {"temporary", "role", "mfa", "through"},
    "policy": {"role", "mfa", "through"},
    "logout": {"mfa"},
}
ODD = (
    "[profile adm@dev]\n[profile adm@prod]\n[profile 'two words']\n[profile x:y]\n[profile a:b@c]\n"
    "[profile '$(touch $HOME/ran)']\n"
)
BROKEN = "region = x\n[profile one]\n"
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the rigs are made for Linux")

# Profiles at every place where the parser wants one
WITH_NAMES = [one.name for one in COMMANDS if one.arguments and one.arguments[0].is_profile]
AT_PLACES = [f"credproc {name} " for name in WITH_NAMES if name not in FITS]
OFFERED = {
    "credproc log": {"login", "logout"},
    "credproc ": set(MAIN.actions),
    "credproc --profile ": NAMES,
    "credproc --profile one log": {"login", "logout"},
    "credproc login --profile t": {"two"},
    "credproc login --r": {"--renew"},
    "credproc status --j": {"--json"},
    "credproc logout --a": {"--all"},
    "credproc keys ": {"add", "import", "list", "remove", "rotate"},
    "credproc keys r": {"remove", "rotate"},
    "credproc keys add t": {"two"},
    "credproc keys remove two --y": {"--yes"},
    "credproc completion ": set(PRINTED),
    "credproc completion f": {"fish"},
    "credproc export one --format ": {"bash", "fish", "powershell", "cmd", "dotenv", "json"},
    "credproc export --format p": {"powershell"},
    "credproc export --format bash t": {"two"},
    "credproc exec --region s3 t": {"two"},
    "credproc exec one ": {"--"},
    "credproc exec login --h": {"--help"},  # login is the profile
    **dict.fromkeys(AT_PLACES, NAMES),
}


@pytest.fixture(name="scripts", scope="module")
def _scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory with the completions, as the command prints them."""
    directory = tmp_path_factory.mktemp("completions")
    for shell, name in zip(PRINTED, ("credproc.bash", "_credproc", "credproc.fish", "credproc.ps1"), strict=True):
        ran = subprocess.run(
            [PROGRAM, "completion", shell], env={"HOME": str(directory)}, capture_output=True, check=True
        )
        assert ran.stderr == b""
        assert ran.stdout.isascii()
        (directory / name).write_bytes(ran.stdout)
    return directory


def _environ(home: Path, config: str = CONFIG) -> dict[str, str]:
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(config)
    path = f"{os.path.dirname(PROGRAM)}:{os.environ['PATH']}"
    return {"HOME": str(home), "PATH": path, "TERM": "dumb", "LC_ALL": "C.UTF-8"}


def _found(shell: str) -> str:
    found = shutil.which(shell)
    assert found is not None, f"build/test installs {shell}"
    return found


# What bash sets before it calls the function. It is started for each line, as a word of its own
BASH = """
. "$1/credproc.bash"
while IFS= read -r COMP_LINE; do
  COMP_WORDS=() COMP_POINT=${#COMP_LINE}
  rest=$COMP_LINE
  while [[ $rest == *' '* ]]; do
    COMP_WORDS+=("${rest%% *}")
    rest=${rest#* }
  done
  COMP_WORDS+=("$rest") COMP_CWORD=${#COMP_WORDS[@]}
  ((COMP_CWORD--))
  _credproc credproc "$rest"
  echo "line:$COMP_LINE"
  for word in "${COMPREPLY[@]}"; do echo "offer:$word"; done
done
"""

# zsh completes in its line editor only: a zsh in a pseudo-terminal, by its own module zpty, which says what it is given
ZSH = """
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=(${(q)1} \\$fpath); autoload -U compinit; compinit -u -D"
zpty -w shell 'compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
  local -a given; builtin compadd -A given "$@"; print -rl -- "" offer:${^given}; builtin compadd "$@"
}'
zpty -w shell 'offered() { _main_complete; print -r -- "of""fered" }
zle -C offered list-choices offered; bindkey "^I" offered; print rea""dy'
zpty -r -m shell seen '*ready*'
while IFS= read -r line; do
  zpty -w -n shell "$line"$'\\t'
  zpty -r -m shell seen '*offered*'
  zpty -w -n shell $'\\C-u'
  print -r -- "line:$line"
  print -r -- "$seen"
done
"""

FISH = """
source "$argv[1]/credproc.fish"
while read -l line
    echo "line:$line"
    for offer in (complete -C "$line")
        echo "offer:$offer"
    end
end
"""

START = {
    "bash": ["bash", "--norc", "-c", BASH, "bash"],
    "zsh": ["zsh", "-f", "-c", ZSH, "zsh"],
    "fish": ["fish", "--no-config", "-c", FISH],
}


def _complete(shell: str, scripts: Path, environ: dict[str, str], *lines: str) -> dict[str, set[str]]:
    """Return the words that the shell offers at the end of each line."""
    _found(shell)
    command = [*START[shell], str(scripts)]
    said = "".join(f"{line}\n" for line in lines)
    ran = subprocess.run(command, env=environ, input=said, capture_output=True, text=True, check=True, timeout=120)
    assert ran.stderr == ""
    offered: dict[str, set[str]] = {}
    for part in re.split(r"^line:", ran.stdout, flags=re.MULTILINE)[1:]:
        line, _, rest = part.partition("\n")
        offered[line] = {word.partition("\t")[0] for word in re.findall(r"^offer:([^\r\n]*)", rest, re.MULTILINE)}
    assert list(offered) == list(lines)
    return offered


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_commands_options_choices_and_names_at_their_places(
    scripts: Path, home: Path, shell: str
) -> None:
    assert _complete(shell, scripts, _environ(home), *OFFERED) == OFFERED


def test_there_are_places_for_names_in_most_commands() -> None:
    assert {"credproc exec ", "credproc explain ", "credproc login "} <= set(AT_PLACES)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_gets_the_names_that_it_is_for(scripts: Path, home: Path, shell: str) -> None:
    offered = {f"credproc {name} ": FITS.get(name, ALL) for name in WITH_NAMES}
    offered |= {"credproc logout --profile ": {"mfa"}, "credproc explain --profile ": ALL, "credproc --profile ": ALL}
    offered |= {"credproc setup role ": FITS["setup"], "credproc setup --undo role m": {"mfa"}}
    assert _complete(shell, scripts, _environ(home, FITTING), *offered) == offered


def test_each_command_of_the_table_is_one() -> None:
    assert set(FITS) <= set(WITH_NAMES)


@pytest.mark.parametrize("shell", SHELLS)
def test_no_name_is_offered_where_there_is_one_already(scripts: Path, home: Path, shell: str) -> None:
    lines = ["credproc explain one t", "credproc keys list t", "credproc list t", "credproc exec one --region t"]
    assert _complete(shell, scripts, _environ(home), *lines) == {line: set() for line in lines}


@pytest.mark.parametrize("shell", SHELLS)
def test_behind_exec_the_shell_completes_the_other_programs_line(scripts: Path, home: Path, shell: str) -> None:
    environ = _environ(home)
    (home / "bin").mkdir()
    (home / "bin" / "program-of-mine").touch(0o755)
    environ["PATH"] = f"{home}/bin:{environ['PATH']}"
    lines = ["credproc exec one -- program-of", f"credproc exec one -- ls {home}/bin/program-of"]
    for line, words in _complete(shell, scripts, environ, *lines).items():
        assert {word.rpartition("/")[2] for word in words} == {"program-of-mine"}, line


@pytest.mark.parametrize("shell", SHELLS)
def test_names_are_those_of_both_files_and_none_is_run(scripts: Path, home: Path, shell: str) -> None:
    environ = _environ(home, ODD)
    (home / ".aws" / "credentials").write_text("[keys]\n")
    line = "credproc explain "
    offered = {re.sub(r"\\(.)", r"\1", word) for word in _complete(shell, scripts, environ, line)[line]}
    assert {"adm@dev", "adm@prod", "two words", "x:y", "keys", "$(touch $HOME/ran)"} <= offered
    assert not (home / "ran").exists()


@ON_LINUX
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("explain tw", ["explain", "two words"]),
        (r"explain two\ w", ["explain", "two words"]),
        ('explain "tw', ["explain", "two words"]),
        ("explain adm@p", ["explain", "adm@prod"]),
        ("explain x:", ["explain", "x:y"]),
        ("explain a:b@", ["explain", "a:b@c"]),
        ("--profile=adm@d", ["--profile=adm@dev"]),
        ("login --profile x", ["login", "--profile", "x:y"]),
        ("keys i", ["keys", "import"]),
        (r"explain \$", ["explain", "$(touch $HOME/ran)"]),
    ],
)
def test_bash_puts_a_name_into_the_line_that_is_one_word_to_it(
    scripts: Path, home: Path, typed: str, words: list[str]
) -> None:
    with Terminal(columns=200) as terminal:
        terminal.start([_found("bash"), "--norc", "--noprofile", "-i"], _environ(home, ODD) | {"PS1": "ready> "})
        terminal.send(f'bind "set bell-style none"; . "{scripts}/credproc.bash"; printf "%s" loa; echo ded\n')
        terminal.expect("loaded")
        terminal.send(f'credproc {typed}\t\x01printf "<%s>" \n')  # Ctrl-A: to the line's beginning
        terminal.expect("".join(f"<{word}>" for word in ["credproc", *words]))
    assert not (home / "ran").exists()


@ON_LINUX
@pytest.mark.parametrize(("kind", "quote"), [(kind, quote) for kind in KINDS for quote in quotes_of(kind)])
def test_a_completed_name_is_one_word_in_any_quote_and_no_code(
    scripts: Path, home: Path, kind: str, quote: str
) -> None:
    with interactive(kind, scripts, home) as shell:
        assert set((home / "names").read_text().splitlines()) == set(NAMES_FOR_SHELLS)
        for name in NAMES_FOR_SHELLS:
            for length in sorted({1 if name in SHORT else 2, len(name) - 1}):
                typed = begun(name, quote, length, kind)
                assert shell.started(f"credproc explain {typed}") == ["explain", name], shell.shown()
        assert not shell.has_run


# What is typed, and behind what Tab makes of it; and the words that credproc is started with
BY_QUOTE = {
    ('explain "al', 'x"'): ["explain", "al$x"],  # as far as the names are alike
    ("explain 'al", "x'"): ["explain", "al$x"],
    ("explain al", "x"): ["explain", "al$x"],
    ("explain $'al", "y'"): ["explain", "al$y"],
    ('--profile="k', ""): ["--profile=k`id`"],
    ("--profile='k", ""): ["--profile=k`id`"],
    ('login --profile "k', ""): ["login", "--profile", "k`id`"],
    ('keys add "k', ""): ["keys", "add", "k`id`"],
    ('exec "k', "true"): ["exec", "k`id`", "true"],
    ("explain $'it\\'s", ""): ["explain", "it's$(x)"],  # readline takes it for the end of a quote
    ("explain \\", "k"): ["explain", "k"],
    ('explain "k"\'`i', ""): ["explain", "k`id`"],
    ('explain "$k', '"'): ["explain", ""],  # what the shell puts in its place is not known here
    ("explain $k", ""): ["explain"],
    ("explain `echo k`", ""): ["explain", "k"],
}


@ON_LINUX
@pytest.mark.parametrize("kind", ["bash", "bash with helpers"])
def test_bash_completes_by_the_quote_that_stands(scripts: Path, home: Path, kind: str) -> None:
    with interactive(kind, scripts, home, ("al$x", "al$y", "k`id`", "it's$(x)")) as shell:
        for (typed, more), words in BY_QUOTE.items():
            assert shell.started(f"credproc {typed}", more) == words, shell.shown()


# What is typed behind exec one --, and what becomes of it
BEHIND = {
    ("oth", "first"): ["other", "first"],
    ("other f", ""): ["other", "first"],
    ("other 'two words' f", ""): ["other", "two words", "first"],
}
WITHOUT_HELPERS = {("other $HOME/bin/o", ""): ["other", "$HOME/bin/other"]}


@ON_LINUX
@pytest.mark.parametrize("kind", KINDS)
def test_behind_exec_a_program_is_completed_by_its_own_completion(scripts: Path, home: Path, kind: str) -> None:
    with interactive(kind, scripts, home, ("one",)) as shell:
        for (typed, more), words in (WITHOUT_HELPERS if kind == "bash" else BEHIND).items():
            found = shell.started(f"credproc exec one -- {typed}", more)
            assert found == ["exec", "one", "--", *(word.replace("$HOME", str(home)) for word in words)], shell.shown()


@ON_LINUX
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("state", ["broken", "missing"])
def test_nothing_is_said_where_the_names_cannot_be_had(scripts: Path, home: Path, shell: str, state: str) -> None:
    # credproc says on the terminal what would be lost on stderr
    environ = _environ(home, BROKEN)
    if state == "missing":
        environ["PATH"] = str(home)  # and not the system's, where a package may have put one
    lines = home / "lines"
    lines.write_text("credproc explain \ncredproc --profile \n")
    with Terminal() as terminal:
        code = f'exec "$@" <"{lines}"'
        command = [_found("sh"), "-c", code, "sh", _found(shell), *START[shell][1:], str(scripts)]
        job = terminal.start(command, environ, stdout="pipe", stderr="pipe")
        status, stdout, stderr = job.outcome(60)
        assert terminal.transcript == b""
    assert (status, stderr) == (0, "")
    assert stdout.count("line:") == 2
    assert "credproc:" not in stdout
    assert "ommand not found" not in stdout
    if state == "broken":
        assert (
            "credproc: error: "
            in subprocess.run(
                [PROGRAM, "list", "--names"], env=environ, capture_output=True, text=True, check=False
            ).stderr
        )


def test_fish_says_the_help_of_an_option_once_and_not_of_each_of_its_values(scripts: Path, home: Path) -> None:
    environ = _environ(home)
    said = {}
    for line in ("--profile ", "login --profile ", "export --format ", "login --pro"):
        code = f'source "{scripts}/credproc.fish"; complete -C "credproc {line}"'
        command = [_found("fish"), "--no-config", "-c", code]
        said[line] = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout
    assert said.pop("login --pro") == "--profile\tthe same as NAME\n"
    for line, offered in said.items():
        assert len(offered.splitlines()) >= 3, line
        assert "\t" not in offered, line


# What people paste, and then a question to the shell
PASTED = {
    "bash": 'eval "$(credproc completion bash)"; complete -p credproc',
    "zsh": 'autoload -U compinit; compinit -u -D; eval "$(credproc completion zsh)"; echo $_comps[credproc]',
    "fish": 'credproc completion fish | source; complete -C "credproc keys rot"',
}
KNOWN = {
    "bash": "complete -F _credproc credproc\n",
    "zsh": "_credproc\n",
    "fish": "rotate\treplace a profile's access key with a new one, or finish that\n",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_line_for_the_start_file_brings_the_completions(home: Path, shell: str) -> None:
    options = {"bash": "--norc", "zsh": "-f", "fish": "--no-config"}
    command = [_found(shell), options[shell], "-c", PASTED[shell]]
    ran = subprocess.run(command, env=_environ(home), capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == (KNOWN[shell], "")


@pytest.mark.measure
@pytest.mark.parametrize("command", ["", "keys rotate", "console"])
def test_names_are_listed_with_the_modules_that_read_the_files_and_no_others(home: Path, command: str) -> None:
    code = (
        "import sys; from credproc.commands import main; from credproc.request import Request; import os, time;"
        "main(['completion', '--names', sys.argv[1]], Request(None, os.environ, time.monotonic()));"
        "print(*(name for name in sys.modules if '.' not in name or name.startswith('credproc')))"
    )
    python = [sys.executable, "-c", code, command]
    ran = subprocess.run(python, env=_environ(home, FITTING), capture_output=True, text=True, check=True)
    found = set(ran.stdout.split())
    assert not found & {"boto3", "botocore", "keyring", "http", "ssl", "socket", "subprocess", "urllib3"}
    assert not [name for name in found if name.startswith("credproc.aws.") or "dialog" in name]
    every = {name for name in found if re.fullmatch(r"credproc\.commands\.\w+", name)}
    assert len(every & {f"credproc.commands.{name}" for name in MAIN.actions}) <= 2  # itself, and the one that is meant


@pytest.mark.measure
def test_completing_a_name_among_many_takes_a_fraction_of_a_second(scripts: Path, home: Path) -> None:
    # Processor time, as others use this machine too; fish, as it waits for all that it starts
    environ = _environ(home, "".join(f"[profile number{number}]\n" for number in range(300)))
    code = f'source "{scripts}/credproc.fish"; complete -C "credproc explain number29"'
    taken = []
    for _ in range(3):
        started = os.times()
        ran = subprocess.run([_found("fish"), "--no-config", "-c", code], env=environ, capture_output=True, check=True)
        ended = os.times()
        taken.append(ended.children_user - started.children_user + ended.children_system - started.children_system)
        assert len(ran.stdout.splitlines()) == 11
    assert min(taken) < 0.3, taken


# --- PowerShell --------------------------------------------------------------------------------------------------


@pytest.fixture(name="powershell", scope="module")
def _powershell(scripts: Path) -> str:
    return (scripts / "credproc.ps1").read_text(encoding="ascii")


STRING = r"'((?:[^']|'')*)'"


def _unquoted(text: str) -> str:
    return text.replace("''", "'")


def _tables(script: str, name: str) -> dict[str, dict[str, str]]:
    """Return a variable that holds tables of words and what is said of them."""
    (inside,) = re.findall(rf"^    \${name} = @\{{\n(.*?)^    \}}\n", script, re.MULTILINE | re.DOTALL)
    tables = re.findall(rf"^ {{8}}{STRING} = \[ordered\]@\{{\n(.*?)^ {{8}}\}}\n", inside, re.MULTILINE | re.DOTALL)
    return {
        key: {word: _unquoted(said) for word, said in re.findall(rf"^ {{12}}{STRING} = {STRING}$", rows, re.MULTILINE)}
        for key, rows in tables
    }


def _lists(script: str, name: str) -> dict[str, list[str]]:
    (inside,) = re.findall(rf"^    \${name} = @\{{\n(.*?)^    \}}\n", script, re.MULTILINE | re.DOTALL)
    return {
        key: re.findall(STRING, rows)
        for key, rows in re.findall(rf"^ {{8}}{STRING} = @\((.*)\)$", inside, re.MULTILINE)
    }


def test_powershell_knows_the_commands_and_options(powershell: str) -> None:
    everything = [MAIN, *COMMANDS]
    assert _tables(powershell, "options") == {
        command.name: {option.flag: option.help for option in command.options} for command in everything
    }
    below = {command.name: command.help for command in COMMANDS}
    assert _tables(powershell, "actions") == {
        command.name: {word: below[f"{command.name} {word}".strip()] for word in command.actions}
        for command in everything
        if command.actions
    }


def _place(argument: Argument) -> str:
    if argument.is_profile:
        return "NAME*" if argument.is_many else "NAME"
    return "--" if argument.is_command_line else " ".join(argument.choices)


def test_powershell_knows_the_arguments_and_the_values_of_options(powershell: str) -> None:
    assert _lists(powershell, "arguments") == {
        command.name: [_place(argument) for argument in command.arguments] for command in COMMANDS if command.arguments
    }
    assert _lists(powershell, "values") == {
        f"{command.name} {option.flag}": ["NAME"] if option.takes_profile else list(option.choices)
        for command in (MAIN, *COMMANDS)
        for option in command.options
        if option.value
    }


def test_powershells_script_closes_what_it_opens(powershell: str) -> None:
    bare = re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"|^\s*#.*$", "", powershell, flags=re.MULTILINE)
    pairs = {")": "(", "]": "[", "}": "{"}
    opened: list[str] = []
    for sign in re.findall(r"[][(){}]", bare):
        if sign in pairs:
            assert opened.pop() == pairs[sign]
        else:
            opened.append(sign)
    assert opened == []
    assert not re.search(r"['\"`]", bare)
    assert bare.startswith("\nRegister-ArgumentCompleter -Native -CommandName credproc -ScriptBlock {\n")


def test_a_name_in_powershell_ends_at_none_of_its_quotes(powershell: str) -> None:
    ((pattern, twice),) = re.findall(rf"\$text -replace {STRING}, {STRING}", powershell)
    quotes = "'\u2018\u2019\u201a\u201b"  # CharExtensions.IsSingleQuote of PowerShell's tokenizer
    assert (re.findall(_unquoted(pattern), f'a{quotes}b`$"'), twice) == (list(quotes), "$0$0")


def test_powershell_uses_no_variable_that_it_has_not_set(powershell: str) -> None:
    code = re.sub(STRING, "", powershell)
    given = {"null", "matches", "_", "wordToComplete", "commandAst", "cursorPosition", "env"}
    for found in re.finditer(r"\$([A-Za-z_]+)", code):
        before = code[: found.start()]
        is_set = re.search(rf"\${found[1]}\b", before) or re.match(r" = | in ", code[found.end() :])
        assert found[1] in given or found[1].lower() in given or is_set, found[1]


def test_powershell_asks_credproc_for_the_names_and_lets_it_say_nothing(powershell: str) -> None:
    (inside,) = re.findall(r"\btry \{\n(.*?)\n {8}\}\n", powershell, re.DOTALL)
    assert inside.split("\n")[0].strip() == "$env:CREDPROC_INTERACTIVE = 'never'"
    assert "credproc completion --names $command 2>$null" in inside
    assert "$interactive = $env:CREDPROC_INTERACTIVE\n        try {" in powershell
    assert "catch { return }\n        finally { $env:CREDPROC_INTERACTIVE = $interactive }\n" in powershell
