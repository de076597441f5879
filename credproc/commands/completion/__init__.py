"""credproc completion: what completes credproc's command line in a shell, made from the parser."""

import argparse
import os

from credproc.commands.ui.output import Document
from credproc.errors import UsageError
from credproc.request import Request

GROUP = "set up"
HELP = "print the completions of a shell"
DESCRIPTION = (
    "Print the completions of a shell, which know commands, options and the profiles that a command means. Without"
    " SHELL, say which line the start file of your shell needs."
)
# What each shell's start file needs; eval, as bash 3.2, which macOS has, reads nothing from source <(...)
_LINES = {
    "bash": ("~/.bashrc", 'eval "$(credproc completion bash)"'),
    "zsh": ("~/.zshrc, after compinit", 'eval "$(credproc completion zsh)"'),
    "fish": ("config.fish", "credproc completion fish | source"),
    "powershell": ("$PROFILE", "credproc completion powershell | Out-String | Invoke-Expression"),
}
SHELLS = tuple(_LINES)


def script(shell: str) -> str:
    """Return the completions of one of SHELLS, in ASCII.

    Windows PowerShell reads what has no mark in the system's code page, and takes curly quotes for quotes.
    """
    from credproc.commands.completion import bash, fish, powershell, zsh  # noqa: PLC0415 - not for --help
    from credproc.commands.completion.command_line import commands  # noqa: PLC0415 - imports all commands

    write = {"bash": bash.script, "zsh": zsh.script, "fish": fish.script, "powershell": powershell.script}[shell]
    return write(commands())


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "shell", metavar="SHELL", choices=SHELLS, nargs="?", help="the shell: bash, zsh, fish or powershell"
    )
    # What the completions ask; PowerShell before 7.3 passes no empty argument on
    which.add_argument("--names", metavar="COMMAND", nargs="?", const="", help=argparse.SUPPRESS)


def run(options: argparse.Namespace, request: Request) -> Document:
    """Run the command."""
    if options.names is not None:
        from credproc.commands.completion.names import names  # noqa: PLC0415 - not for a script

        return Document("".join(f"{name}\n" for name in names(options.names, request)))
    if options.shell is None:
        own = os.path.basename(request.environ.get("SHELL", ""))
        lines = "; ".join(map(_start_line, [own] if own in SHELLS else SHELLS))
        raise UsageError(f"usage: completion needs one of {', '.join(SHELLS)}", f"write {lines}")
    note = f"credproc: to have these in each shell, write {_start_line(options.shell)}" if os.isatty(1) else ""
    return Document(script(options.shell), note=note)


def _start_line(shell: str) -> str:
    """Return where a line is to be written, and the line."""
    file, line = _LINES[shell]
    return f"in {file}: {line}"
