"""credproc list: every profile in a line, with how it stands; from files alone.

Not list.py: as an attribute of the package that would take the place of the built-in there.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from credproc.commands.profile_state import ProfileInspector, ProfileState, StateKind, names
from credproc.commands.ui.output import Said
from credproc.commands.ui.table import GAP, fitting, natural, padded
from credproc.config.parser import read
from credproc.credentials import account_in
from credproc.errors import inert
from credproc.plan import Plan
from credproc.plan.source import SourceKind
from credproc.request import Request

GROUP = "set up"
HELP = "show the profiles, and how each stands"
DESCRIPTION = "Show the profiles with role, account, source, MFA device and state. No network, no keyring."

_HEADINGS = ("PROFILE", "ROLE", "ACCOUNT", "SOURCE", "MFA", "CREDPROC", "STATE")
# Columns of the terminal that remain of what is cut to fit it; all states together fit 80
_LEAST = dict.fromkeys(("PROFILE", "ROLE", "SOURCE", "MFA", "CREDPROC"), 7)
_LEAST_ERROR = 18


class Row(NamedTuple):
    """What is known of a profile; the table and the JSON are made of it."""

    profile: str
    role_arn: str | None
    account_id: str | None
    source: SourceKind | None
    source_profile: str | None
    mfa_serial: str | None
    through_credproc: str | None  # the profile by whose name SDKs reach it through credproc
    state: StateKind
    until: int | None  # epoch seconds
    error: str | None


def rows(inspector: ProfileInspector) -> list[Row]:
    """Return a row for each profile, in the order of the files."""
    reached = inspector.sdk_aliases()
    return [_row(name, *inspector.state(name), reached.get(name)) for name in names(inspector.config)]


def table(found: Sequence[Row], now: float, *, colour: bool, columns: int | None = None) -> str:
    """Return the rows as aligned lines below a heading; ``now`` is in epoch seconds.

    ``columns`` is the width of the terminal, to which names and errors are cut; None: nothing is cut.
    """
    if not found:
        return ""
    shown = [_HEADINGS, *(_cells(row, now) for row in found)]
    widths = natural(shown)
    if columns is not None:
        widths = fitting(widths, _least(found, widths, now), columns)
    lines = []
    for cells, row in zip(padded(shown, widths), [None, *found], strict=True):
        *names, state = cells
        code = None if row is None or not colour else _colour(row.state)
        state = state.rstrip() if code is None else f"\x1b[{code}m{state.rstrip()}\x1b[0m"
        lines.append(GAP.join((*names, state)).rstrip() + "\n")
    return "".join(lines)


def _least(found: Sequence[Row], widths: Sequence[int], now: float) -> list[int]:
    """Return to which widths the columns may be cut: an account and a state that is no error stay whole."""
    state = max(_LEAST_ERROR if row.error is not None else len(_state(row, now)) for row in found)
    names = zip(_HEADINGS[:-1], widths, strict=False)
    return [*(min(width, _LEAST.get(name, width)) for name, width in names), state]


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


def _row(name: str, plan: Plan | None, state: ProfileState, through: str | None) -> Row:
    role = None if plan is None else (plan.roles[-1] if plan.roles else plan.source.role)
    account = None
    if plan is not None:
        account = account_in(role.role_arn) if role is not None else plan.account_id
        if account is None and plan.source.kind == "IdentityCenter" and role is None:
            account = plan.source.named("sso_account_id")
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
        source or ("-" if row.source is None else _source(row.source)),
        (row.mfa_serial or "-").rpartition("/")[2],
        through,
    )
    return (*map(inert, shown), _state(row, now))


def _source(kind: SourceKind) -> str:
    """Return a source that is no profile in few words."""
    match kind:
        case "StaticKeys" | "KeyringKeys":
            return "keys"
        case "WebIdentity":
            return "web identity"
        case "IdentityCenter":
            return "Identity Center"
        case "Process":
            return "program"
        case "Environment" | "Ec2InstanceMetadata" | "EcsContainer":  # as credential_source says it
            return kind


def _colour(state: StateKind) -> str | None:
    """Return the terminal's code for green, bold or red: yellow cannot be read on white."""
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
        return inert(row.error)
    return row.state if row.until is None else f"{row.state} for {_left(row.until - now)}"


def _left(seconds: float) -> str:
    """Return how long something lasts, in one unit: the column is narrow, and ``status`` tells the moment."""
    hours, minutes = int(seconds) // 3600, max(1, int(seconds) // 60)
    return f"{hours} h" if hours else f"{minutes} min"


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
    inspector = ProfileInspector(config, request)
    found = rows(inspector)
    if options.json:
        return Said(as_json(found))
    if not found:
        return Said(f"no profiles in {config.shown_files()}\n")
    return Said(table(found, inspector.now, colour=is_coloured(request.environ, 1), columns=_columns(1)))
