"""credproc list: every profile in a line with its state, read from files.

The module is not named ``list``, which as an attribute of the package would hide the built-in there.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from credproc.commands.profile_state import ProfileInspector, ProfileState, StateKind, profile_names, source_name
from credproc.commands.ui.output import Coloured, Document, Line, Output
from credproc.commands.ui.table import GAP, fit_widths, natural_widths, pad_cells, shown_cells
from credproc.commands.ui.wrap import terminal_columns
from credproc.config.parser import read
from credproc.credentials import account_in
from credproc.plan import Plan
from credproc.plan.source import SourceKind
from credproc.request import Request

GROUP = "set up"
HELP = "list the profiles and their state"
DESCRIPTION = (
    "List the profiles with role, account, source, MFA device and state. Uses neither the network nor the keyring."
)

_HEADINGS = ("PROFILE", "ROLE", "ACCOUNT", "SOURCE", "MFA", "CREDPROC", "STATE")
# The least width, in columns, to which a cell is cut; with all of these, a line fits 80 columns
_MIN_WIDTHS = dict.fromkeys(("PROFILE", "ROLE", "SOURCE", "MFA", "CREDPROC"), 7)
_MIN_ERROR_WIDTH = 18


class Row(NamedTuple):
    """A row of the table, and an object of the JSON output."""

    profile: str
    role_arn: str | None
    account_id: str | None
    source: SourceKind | None
    source_profile: str | None
    mfa_serial: str | None
    through_credproc: str | None  # the profile that SDKs use to get these credentials from credproc
    state: StateKind
    until: int | None  # epoch seconds
    error: str | None


def rows(inspector: ProfileInspector) -> list[Row]:
    """Return a row for each profile, in the order of the files."""
    aliases = inspector.sdk_aliases()
    return [_row(name, *inspector.state(name), aliases.get(name)) for name in profile_names(inspector.config)]


def table(found: Sequence[Row], now: float, *, colour: bool, columns: int | None = None) -> list[Line]:
    """Return the rows as aligned lines below a heading; ``now`` is in epoch seconds.

    Names and errors are cut so that the lines fit ``columns``, the width of the terminal; None: nothing is cut.
    """
    shown = shown_cells([_HEADINGS, *(_cells(row, now) for row in found)])
    widths = natural_widths(shown)
    if columns is not None:
        widths = fit_widths(widths, _min_widths(found, widths, now), columns)
    lines: list[Line] = []
    for cells, row in zip(pad_cells(shown, widths), [None, *found], strict=True):
        *names, state = cells
        code = None if row is None or not colour else _colour(row.state)
        before = GAP.join((*names, ""))
        lines.append((before + state).rstrip() if code is None else Coloured(before, state.rstrip(), code))
    return lines


def _min_widths(found: Sequence[Row], widths: Sequence[int], now: float) -> list[int]:
    """Return the least width of each column; accounts, and states that are not errors, are never cut."""
    state = max(_MIN_ERROR_WIDTH if row.error is not None else len(_state(row, now)) for row in found)
    names = zip(_HEADINGS[:-1], widths, strict=False)
    return [*(min(width, _MIN_WIDTHS.get(name, width)) for name, width in names), state]


def as_json(found: Sequence[Row]) -> str:
    """Return the rows as JSON."""
    return json.dumps([row._asdict() for row in found], indent=2) + "\n"


def is_coloured(environ: Mapping[str, str], fd: int) -> bool:
    """Whether ``fd`` is a terminal that shows colours, and ``NO_COLOR`` is not set (no-color.org)."""
    return not environ.get("NO_COLOR") and environ.get("TERM") != "dumb" and os.isatty(fd)


def _row(name: str, plan: Plan | None, state: ProfileState, alias: str | None) -> Row:
    role = None if plan is None else (plan.roles[-1] if plan.roles else plan.source.role)
    account = None
    if plan is not None:
        account = account_in(role.role_arn) if role is not None else plan.account_id
        if account is None and plan.source.kind == "IdentityCenter" and role is None:
            account = plan.source.field("sso_account_id")
    return Row(
        profile=name,
        role_arn=None if role is None else role.role_arn,
        account_id=account,
        source=None if plan is None else plan.source.kind,
        source_profile=None if plan is None else plan.source.profile,
        mfa_serial=None if plan is None or plan.mfa is None else plan.mfa.serial,
        through_credproc=alias,
        state=state.kind,
        until=state.until,
        error=state.error,
    )


def _cells(row: Row, now: float) -> tuple[str, ...]:
    source = row.source_profile if row.source_profile not in (None, row.profile) else None
    through = "-" if row.through_credproc is None else "yes"
    if row.through_credproc not in (None, row.profile):
        through = f"as {row.through_credproc}"
    return (
        row.profile,
        (row.role_arn or "-").partition("role/")[2] or row.role_arn or "-",
        row.account_id or "-",
        source or ("-" if row.source is None else source_name(row.source)),
        (row.mfa_serial or "-").rpartition("/")[2],
        through,
        _state(row, now),
    )


def _colour(state: StateKind) -> str | None:
    """Return the SGR code for green, bold or red, or None; yellow is unreadable on white."""
    match state:
        case "cached" | "signed in":
            return "32"
        case "needs a code":
            return "1"
        case "error":
            return "31"
        case "signed out" | "bypassed" | "ready":
            return None


def _state(row: Row, now: float) -> str:
    if row.error is not None:
        return row.error
    return row.state if row.until is None else f"{row.state} for {_time_left(row.until - now)}"


def _time_left(seconds: float) -> str:
    """Return a duration in one unit, because the column is narrow; ``credproc status`` prints the exact time."""
    hours, minutes = int(seconds) // 3600, max(1, int(seconds) // 60)
    return f"{hours} h" if hours else f"{minutes} min"


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--names", action="store_true", help="print only the names, one per line")


def run(options: argparse.Namespace, request: Request) -> Output | Document:
    """Run the command."""
    config = read(request.environ)
    if options.names:
        return Document("".join(f"{name}\n" for name in profile_names(config)))
    inspector = ProfileInspector(config, request)
    found = rows(inspector)
    if options.json:
        return Document(as_json(found))
    if not found:
        return Output([f"no profiles in {config.shown_files()}", *filter(None, [config.missing])])
    return Output(table(found, inspector.now, colour=is_coloured(request.environ, 1), columns=terminal_columns(1)))
