"""What comes of a name that a shell completes: an interactive shell on a terminal, Tab, Return, and what is started.

In the place of credproc a program that notes its arguments stands, and offers the names as credproc printed them once.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

from tests.program import PROGRAM
from tests.terminal import TIMEOUT, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Self

# Each begins with letters of its own. $HOME/ran is what must not be there in the end
NAMES = (
    "aa$(touch $HOME/ran)",
    "ab`touch $HOME/ran`",
    "ac$HOME",
    "ad;touch $HOME/ran",
    'ae";touch $HOME/ran;"',
    "af';touch $HOME/ran;'",
    'ag"x',
    "ah'x",
    "ai\\x",
    "aj\\",
    "ak!!",
    "al!x !y",
    "am two words",
    "an#x #y",
    "ao~ ?*",
    "ap{a,b}",
    "aq&x|y<z>(w)",
    "ar$'\\x41'",
    "as%s^x^y",
    "at@b:c=d",
    "'ax y'",
    '"ay y"',
    "!!az",
    "a\u00fc \u00e9\u4e16",  # letters
    "av\u2019x\u2018$(touch $HOME/ran)",  # curly quotes, which are some in PowerShell
    "aw\U0001f511 x",
)
SHORT = frozenset(name for name in NAMES if not name[0].isalnum())  # known by their first character
_SPECIAL = {"'": "", '"': '\\"$`', "$'": "\\'"}

_RECORDER = """#!/bin/sh
[ "$1 $2" != "completion --names" ] || exec cat "$HOME/names"
for word; do printf '%s\\0' "$word"; done >"$HOME/arguments.new"
mv "$HOME/arguments.new" "$HOME/arguments"
"""
# The completions of another program, of which each shell looks for its own
_OTHERS = {
    "bash-completion/completions/other": "complete -W 'first second' other\n",
    "zsh/_other": "#compdef other\n_arguments '*:word:(first second)'\n",
    "other.fish": "complete -c other -f -a 'first second'\n",
}
_HELPERS = "/usr/share/bash-completion/bash_completion"
_START = {
    "bash": ("bash --norc --noprofile -i", 'bind "set bell-style none"; PS1="ready> "; . "$SCRIPTS/credproc.bash"'),
    # The package finds the script by itself
    "bash with helpers": ("bash --norc --noprofile -i", f'bind "set bell-style none"; PS1="ready> "; . {_HELPERS}'),
    "zsh": (
        "zsh -f -i",
        'unsetopt beep prompt_sp; PS1="ready> "; fpath[1,0]=($SCRIPTS $OTHERS/zsh); autoload -U compinit; compinit -uD',
    ),
    "fish": (
        "fish --no-config -i",
        'function fish_prompt; echo -n "ready> "; end; for s in $SCRIPTS $OTHERS; source $s/*.fish; end',
    ),
}
SHELLS = tuple(_START)


def config_of(names: tuple[str, ...] = NAMES) -> str:
    """Return a config with profiles of these names."""
    return "".join(f"[profile {_header(name)}]\n" for name in names)


def _header(name: str) -> str:
    return "'" + name.replace("'", "'\"'\"'") + "'"


def quotes_of(kind: str) -> tuple[str, ...]:
    """Return the quotes of a shell, and that there is none."""
    return ("", "'", '"') if kind == "fish" else ("", "'", '"', "$'")


def begun(name: str, quote: str, length: int, kind: str) -> str:
    """Return what a person types who has got so far with the name, in that quote, which stays open."""
    return quote + "".join(_typed(character, quote, kind) for character in name[:length])


def _typed(character: str, quote: str, shell: str) -> str:
    if quote == "":
        return character if character.isalnum() else f"\\{character}"
    if quote == "'" and character == "'":
        return "\\'" if shell == "fish" else "'\\''"
    if quote == '"' and character == "!" and shell != "fish":
        return '"\\!"'  # the history is looked up in double quotes, too
    if shell == "fish":
        return f"\\{character}" if character in {"'": "\\'", '"': '\\"$'}[quote] else character
    return f"\\{character}" if character in _SPECIAL[quote] else character


class InteractiveShell:
    """A shell at its prompt, to which credproc's completions are known."""

    def __init__(self, kind: str, scripts: Path, home: Path) -> None:
        """Start it in a home that has the AWS files; ``scripts`` has the completions."""
        self._home = home
        (home / "bin").mkdir()
        environ = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "dumb", "LC_ALL": "C.UTF-8"}
        printed = subprocess.run(
            [PROGRAM, "completion", "--names"], env=environ, capture_output=True, check=True
        ).stdout
        (home / "names").write_bytes(printed)
        (home / "bin" / "credproc").write_text(_RECORDER)
        (home / "bin" / "credproc").chmod(0o755)
        places = home / "share" / "bash-completion" / "completions"
        places.mkdir(parents=True)
        (places / "credproc").symlink_to(scripts / "credproc.bash")
        for name, text in _OTHERS.items():
            (home / "share" / name).parent.mkdir(exist_ok=True)
            (home / "share" / name).write_text(text)
        (home / "bin" / "other").touch(0o755)
        self._environ = {
            **environ,
            "PATH": f"{home}/bin:{environ['PATH']}",
            "SCRIPTS": str(scripts),
            "OTHERS": str(home / "share"),
            "XDG_DATA_HOME": str(home / "share"),
        }
        self._command, self._setup = _START[kind]

    def __enter__(self) -> Self:
        self._terminal = Terminal(columns=500).__enter__()
        program, *rest = self._command.split()
        found = shutil.which(program)
        assert found is not None, f"build/test installs {program}"
        self._terminal.start([found, *rest], self._environ)
        self._terminal.send(f"{self._setup}; printf %s loa; echo ded\n")
        self._terminal.expect("loaded")
        return self

    def __exit__(self, *error: object) -> None:
        self._terminal.__exit__(*error)

    @property
    def has_run(self) -> bool:
        """Whether the shell has taken a part of a name for code."""
        return (self._home / "ran").exists()

    def started(self, typed: str, more: str = "") -> list[str] | None:
        """Type this, Tab, more and Return; return the arguments of what was started, or None where nothing was."""
        noted = self._home / "arguments"
        noted.unlink(missing_ok=True)
        self._terminal.send(f"{typed}\t{more}\n")
        end = time.monotonic() + TIMEOUT / 4
        while not noted.exists():
            if time.monotonic() > end:
                self._terminal.send("\x03")
                return None
            time.sleep(0.005)
        return noted.read_bytes().decode("utf-8", "backslashreplace").split("\0")[:-1]

    def shown(self) -> str:
        """Return what stands on the terminal."""
        return self._terminal.shown()


@contextlib.contextmanager
def interactive(kind: str, scripts: Path, home: Path, names: tuple[str, ...] = NAMES) -> Iterator[InteractiveShell]:
    """Give a shell in this home, with profiles of these names."""
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text(config_of(names))
    with InteractiveShell(kind, scripts, home) as shell:
        yield shell
