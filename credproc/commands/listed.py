"""credproc list: every profile in a line, with how it stands; from files alone.

Not list.py: as an attribute of the package that would take the place of the built-in there.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from credproc.commands.profiles import Look, State, names
from credproc.commands.said import Said
from credproc.errors import inert
from credproc.refresh.credentials import account_in
from credproc.refresh.plan import Plan
from credproc.refresh.request import Request
from credproc.refresh.sharedconfig import read

GROUP = "set up"
HELP = "show the profiles, and how each stands"
DESCRIPTION = "Show the profiles with role, account, source, MFA device and state. No network, no keyring."

_HEADINGS = ("PROFILE", "ROLE", "ACCOUNT", "SOURCE", "MFA", "CREDPROC", "STATE")
_CELL = 40  # characters
_ERROR = 70
_LEAST = 34  # of a state that is cut to a terminal's width: "signed in until 2026-11-24 13:00Z" stays whole
_DAY = 86400  # seconds
_COLOURS = {"cached": "32", "signed in": "32", "needs a code": "33", "error": "31"}  # green, yellow, red
_SOURCES = {
    "StaticKeys": "keys",
    "WebIdentity": "web identity",
    "IdentityCenter": "Identity Center",
    "Process": "program",
}


class Row(NamedTuple):
    """What is known of a profile; the table and the JSON are made of it."""

    profile: str
    role_arn: str | None
    account_id: str | None
    source: str | None
    source_profile: str | None
    mfa_serial: str | None
    through_credproc: str | None  # the profile by whose name SDKs reach it through credproc
    state: str
    until: int | None  # epoch seconds
    error: str | None


def rows(look: Look) -> list[Row]:
    """Return a row for each profile, in the order of the files."""
    reached = look.reached()
    return [_row(name, *look.state(name), reached.get(name)) for name in names(look.config)]


def table(found: Sequence[Row], now: float, *, colour: bool, columns: int | None = None) -> str:
    """Return the rows as aligned lines below a heading; ``now`` is in epoch seconds.

    ``columns`` is the width of the terminal, to which an error is cut.
    """
    if not found:
        return ""
    cells = [_HEADINGS, *(_cells(row, now) for row in found)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEADINGS) - 1)]
    lines = []
    for number, line in enumerate(cells):
        padded = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        code = None if number == 0 else _COLOURS.get(found[number - 1].state)
        state = line[-1] if columns is None else inert(line[-1], max(_LEAST, columns - len("  ".join(padded)) - 2))
        state = f"\x1b[{code}m{state}\x1b[0m" if colour and code else state
        lines.append("  ".join([*padded, state]).rstrip() + "\n")
    return "".join(lines)


def as_json(found: Sequence[Row]) -> str:
    """Return the rows as JSON."""
    return json.dumps([row._asdict() for row in found], indent=2) + "\n"


def is_coloured(environ: Mapping[str, str], fd: int) -> bool:
    """Whether what is written there may be coloured: a terminal, and ``NO_COLOR`` not set (no-color.org)."""
    return not environ.get("NO_COLOR") and environ.get("TERM") != "dumb" and os.isatty(fd)


def _columns(fd: int) -> int | None:
    try:
        return os.get_terminal_size(fd).columns or None
    except OSError:  # no terminal
        return None


def _row(name: str, plan: Plan | None, state: State, through: str | None) -> Row:
    role = None if plan is None else (plan.roles[-1] if plan.roles else plan.source.role)
    account = None
    if plan is not None:
        account = account_in(role.role_arn) if role is not None else plan.account_id
        if account is None and plan.source.kind == "IdentityCenter" and role is None:
            account = plan.source["sso_account_id"]
    return Row(
        profile=name,
        role_arn=None if role is None else role.role_arn,
        account_id=account,
        source=None if plan is None else plan.source.kind,
        source_profile=None if plan is None else plan.source.profile,
        mfa_serial=None if plan is None or plan.mfa is None else plan.mfa.serial,
        through_credproc=through,
        state=state.kind,
        until=state.until,
        error=None if state.error is None else inert(state.error),
    )


def _cells(row: Row, now: float) -> tuple[str, ...]:
    source = row.source_profile if row.source_profile not in (None, row.profile) else None
    through = "-" if row.through_credproc is None else "yes"
    if row.through_credproc not in (None, row.profile):
        through = f"as {row.through_credproc}"
    shown = (
        row.profile,
        (row.role_arn or "-").partition("role/")[2] or row.role_arn or "-",
        row.account_id or "-",
        source or _SOURCES.get(row.source or "", row.source) or "-",
        (row.mfa_serial or "-").rpartition("/")[2],
        through,
    )
    return (*(inert(cell, _CELL) for cell in shown), _state(row, now))


def _state(row: Row, now: float) -> str:
    if row.error is not None:
        return inert(row.error, _ERROR)
    return row.state if row.until is None else f"{row.state} until {moment(row.until, now)}"


def moment(seconds: int, now: float) -> str:
    """Return epoch seconds as a person reads them, in UTC: the time alone on the day of ``now``."""
    import time  # noqa: PLC0415 - not for --names

    form = "%H:%MZ" if seconds // _DAY == now // _DAY else "%Y-%m-%d %H:%MZ"
    return time.strftime(form, time.gmtime(seconds))


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    how = one.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="as JSON")
    how.add_argument("--names", action="store_true", help="the names alone, one a line")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    config = read(request.environ)
    if options.names:
        return Said("".join(f"{name}\n" for name in names(config)))
    look = Look(config, request)
    found = rows(look)
    if options.json:
        return Said(as_json(found))
    if not found:
        return Said(f"no profiles in {config.shown_files()}\n")
    return Said(table(found, look.now, colour=is_coloured(request.environ, 1), columns=_columns(1)))
