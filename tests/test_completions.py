"""What the shells complete, asked of the real shells."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WORDS = {"login", "logout", "clear", "status", "doctor", "keys"}


@pytest.fixture(name="scripts", scope="module")
def _scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory with the completions, as build/freeze writes them."""
    directory = tmp_path_factory.mktemp("completions")
    code = f"import completions; completions.write({str(directory)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "build" / "frozen", check=True)
    return directory


def _environ(home: Path) -> dict[str, str]:
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text("[default]\n[profile one]\n[sso-session no]\n[profile two]\n")
    return {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "dumb"}


def _complete(shell: str, script: Path, line: str, home: Path) -> set[str]:
    """Return the words that the shell offers at the end of the line."""
    assert shutil.which(shell) is not None, f"build/test installs {shell}"
    if shell == "bash":
        # What bash itself sets before it calls the function
        code = (
            f'. "{script}/credproc.bash"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _credproc;'
            ' printf "%s\\n" "${COMPREPLY[@]}"'
        )
        command = ["bash", "--norc", "-c", code, "bash", *line.split(" ")]
    else:
        command = ["fish", "--no-config", "-c", f'source "{script}/credproc.fish"; complete -C "{line}"']
    ran = subprocess.run(command, env=_environ(home), capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return {word.partition("\t")[0] for word in ran.stdout.splitlines()}


@pytest.mark.parametrize("shell", ["bash", "fish"])
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("credproc log", {"login", "logout"}),
        ("credproc --profile ", {"default", "one", "two"}),
        ("credproc login --profile t", {"two"}),
        ("credproc login --r", {"--renew"}),
        ("credproc status --j", {"--json"}),
        ("credproc logout --a", {"--all"}),
        ("credproc keys r", {"remove", "rotate"}),
        ("credproc keys import t", {"two"}),
        ("credproc keys remove two --y", {"--yes"}),
    ],
)
def test_a_shell_completes_commands_options_and_profiles(
    scripts: Path, home: Path, shell: str, line: str, offered: set[str]
) -> None:
    assert _complete(shell, scripts, line, home) == offered


def test_zsh_completes_commands_and_profiles(scripts: Path, home: Path) -> None:
    # zsh completes in its line editor only: a zsh in a pseudo-terminal, by its own module zpty
    zsh = shutil.which("zsh")
    assert zsh is not None, "build/test installs zsh"
    code = f"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; fpath=({scripts} $fpath); autoload -U compinit; compinit -u -D'
zpty -w shell 'LISTMAX=0; bindkey "^I" list-choices'
zpty -w -n shell $'credproc \\t'
zpty -r -m shell seen '*doctor*status*'
zpty -w -n shell $'login --profile \\t'
zpty -r -m shell more '*one*two*'
print -r -- "$seen$more"
zpty -d shell
"""
    command = [zsh, "-f", "-c", code]
    ran = subprocess.run(command, env=_environ(home), capture_output=True, text=True, check=True, timeout=60)
    for word in (*WORDS, "one", "two", "default"):
        assert word in ran.stdout, ran.stdout
