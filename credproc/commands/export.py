"""credproc export: print the credentials for a shell, quoted as that shell reads it."""

import argparse
import re
from collections.abc import Callable, Mapping

from credproc.commands.arguments import add_name
from credproc.commands.ui.output import Said
from credproc.commands.variables import Resolved, resolve
from credproc.errors import CredprocError
from credproc.request import Request

Variables = Mapping[str, str | None]

GROUP = "use"
HELP = "print the credentials for a shell"
DESCRIPTION = (
    "Print the profile's credentials as a shell reads them, or as JSON. They are secrets: let the shell read them,"
    ' eval "$(credproc export NAME --format bash)", rather than the screen or a file.'
)

_PLAIN = re.compile(r"[A-Za-z0-9+/=_.:@%,-]*")
# PowerShell takes these for the end of a single-quoted string too (its language specification, 2.3.5.2)
_POWERSHELL_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")


def bash(variables: Variables) -> str:
    """Return lines for bash, and any POSIX shell."""
    lines = []
    for name, value in variables.items():
        if value is None:
            lines.append(f"unset {name}\n")
        else:
            quoted = value.replace("'", "'\\''")
            lines.append(f"export {name}='{quoted}'\n")
    return "".join(lines)


def fish(variables: Variables) -> str:
    """Return lines for fish, in whose single quotes a backslash quotes itself and the quote."""
    lines = []
    for name, value in variables.items():
        if value is None:
            lines.append(f"set -e {name}\n")
        else:
            quoted = value.replace("\\", "\\\\").replace("'", "\\'")
            lines.append(f"set -gx {name} '{quoted}'\n")
    return "".join(lines)


def powershell(variables: Variables) -> str:
    """Return lines for PowerShell; a variable that is set to nothing is removed."""
    lines = []
    for name, value in variables.items():
        quoted = "$null" if value is None else "'" + _POWERSHELL_QUOTES.sub(lambda found: found[0] * 2, value) + "'"
        lines.append(f"$Env:{name} = {quoted}\n")
    return "".join(lines)


def cmd(variables: Variables) -> str:
    """Return lines for cmd.exe. Raises CredprocError for what it can quote in no way that holds everywhere.

    A percent sign is doubled in a batch file and not on the command line, an exclamation mark depends on an option.
    """
    lines = []
    for name, value in variables.items():
        if value is not None and any(character in '"%!\r\n' for character in value):
            raise CredprocError(f"export: {name} holds a character that cmd cannot quote", "use --format powershell")
        lines.append(f'set "{name}={value or ""}"\r\n')
    return "".join(lines)


def dotenv(variables: Variables) -> str:
    """Return lines for a .env file, which can only set. Raises CredprocError for what its readers read differently.

    What AWS gives needs no quotes, and ``docker --env-file`` would take them for a part of the value.
    """
    lines = []
    for name, value in variables.items():
        if value is None:
            continue
        if any(character in "'\\\r\n" for character in value):
            raise CredprocError(f"export: {name} holds a character that .env files have no quotes for")
        lines.append(f"{name}={value}\n" if _PLAIN.fullmatch(value) else f"{name}='{value}'\n")
    return "".join(lines)


_SHELLS: dict[str, Callable[[Variables], str]] = {
    "bash": bash,
    "fish": fish,
    "powershell": powershell,
    "cmd": cmd,
    "dotenv": dotenv,
}


def exported(resolved: Resolved, form: str) -> str:
    """Return the text in that form; ``json`` is the document that SDKs get."""
    return resolved.document.decode() if form == "json" else _SHELLS[form](resolved.variables())


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_name(one, "the profile")
    forms = [*_SHELLS, "json"]
    one.add_argument("--format", choices=forms, metavar="FORMAT", required=True, help=f"one of {', '.join(forms)}")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    return Said(exported(resolve(request), options.format))
