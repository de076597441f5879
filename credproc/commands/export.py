"""credproc export: print the credentials as commands of a shell, quoted by the rules of that shell."""

import argparse
import os
import re
from collections.abc import Callable, Mapping

from credproc.commands.arguments import add_profile_choice
from credproc.commands.ui.output import Document
from credproc.commands.ui.times import format_until
from credproc.commands.variables import ProfileCredentials, resolve
from credproc.errors import CredprocError, by_platform
from credproc.request import Request

Variables = Mapping[str, str | None]

GROUP = "use"
HELP = "print the credentials for a shell"
DESCRIPTION = (
    "Print the profile's credentials as commands of a shell, or as JSON. They are secrets: run the commands with "
    + by_platform(
        posix='eval "$(credproc export NAME --format bash)"',
        windows="credproc export NAME --format powershell | Out-String | Invoke-Expression",
    )
    + ", and do not print them on a screen or into a file."
)

_PLAIN = re.compile(r"[A-Za-z0-9+/=_.:@%,-]*")
# PowerShell also ends a single-quoted string at these (PowerShell language specification, 2.3.5.2)
_POWERSHELL_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")


def bash(variables: Variables) -> str:
    """Return commands for bash and other POSIX shells."""
    lines = []
    for name, value in variables.items():
        if value is None:
            lines.append(f"unset {name}\n")
        else:
            quoted = value.replace("'", "'\\''")
            lines.append(f"export {name}='{quoted}'\n")
    return "".join(lines)


def fish(variables: Variables) -> str:
    """Return commands for fish. Inside its single quotes, a backslash escapes a backslash or a quote."""
    lines = []
    for name, value in variables.items():
        if value is None:
            lines.append(f"set -e {name}\n")
        else:
            quoted = value.replace("\\", "\\\\").replace("'", "\\'")
            lines.append(f"set -gx {name} '{quoted}'\n")
    return "".join(lines)


def powershell(variables: Variables) -> str:
    """Return commands for PowerShell. Assigning ``$null`` removes a variable."""
    lines = []
    for name, value in variables.items():
        quoted = "$null" if value is None else "'" + _POWERSHELL_QUOTES.sub(lambda found: found[0] * 2, value) + "'"
        lines.append(f"$Env:{name} = {quoted}\n")
    return "".join(lines)


def cmd(variables: Variables) -> str:
    """Return commands for cmd.exe. Raises CredprocError for characters that it cannot quote reliably.

    A percent sign is doubled in a batch file but not on the command line; an exclamation mark depends on an option.
    """
    lines = []
    for name, value in variables.items():
        if value is not None and any(character in '"%!\r\n' for character in value):
            raise CredprocError(f"export: {name} contains a character that cmd cannot quote", "use --format powershell")
        lines.append(f'set "{name}={value or ""}"\r\n')
    return "".join(lines)


def dotenv(variables: Variables) -> str:
    """Return lines of a .env file, which cannot unset. Raises CredprocError for values that readers read differently.

    Values from AWS need no quotes, and ``docker --env-file`` would make quotes part of the value.
    """
    lines = []
    for name, value in variables.items():
        if value is None:
            continue
        if any(character in "'\\\r\n" for character in value):
            raise CredprocError(f"export: {name} contains a character that .env files cannot quote")
        lines.append(f"{name}={value}\n" if _PLAIN.fullmatch(value) else f"{name}='{value}'\n")
    return "".join(lines)


_SHELLS: dict[str, Callable[[Variables], str]] = {
    "bash": bash,
    "fish": fish,
    "powershell": powershell,
    "cmd": cmd,
    "dotenv": dotenv,
}


def export(credentials: ProfileCredentials, form: str, environ: Mapping[str, str]) -> str:
    """Return the credentials in the given format; ``json`` is the document that SDKs get.

    ``environ`` is that of the shell, in which nothing else may lead to credentials.
    """
    return credentials.document.decode() if form == "json" else _SHELLS[form](credentials.variables(environ))


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_profile_choice(parser, "the profile")
    forms = [*_SHELLS, "json"]
    parser.add_argument("--format", choices=forms, metavar="FORMAT", required=True, help=f"one of {', '.join(forms)}")


def run(options: argparse.Namespace, request: Request) -> Document:
    """Run the command."""
    credentials = resolve(request)
    until = "" if credentials.expiration is None else f" {format_until(credentials.expiration, request.clock())}"
    note = f"credproc: shown are secrets, the credentials of {request.subject}{until}" if os.isatty(1) else ""
    return Document(export(credentials, options.format, request.environ), note=note)
