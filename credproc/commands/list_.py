"""credproc list: every profile in a line with its state, read from files.

The module is not named ``list``, which as an attribute of the package would hide the built-in there.
"""

import argparse
import json
import os
from collections.abc import Mapping, Sequence

from credproc.commands.profile_state import ProfileInspector, ProfileState, profile_names
from credproc.commands.profile_table import Row, table
from credproc.commands.ui.output import Document, Output
from credproc.commands.ui.times import iso_time
from credproc.config.parser import read
from credproc.credentials import account_in
from credproc.errors import quoted
from credproc.glyphs import terminal_columns
from credproc.plan import Plan
from credproc.request import Request

GROUP = "set up"
HELP = "list the profiles and their state"
DESCRIPTION = (
    "List the profiles with role, account, source, MFA device and state. Uses neither the network nor the keyring."
)


def rows(inspector: ProfileInspector) -> list[Row]:
    """Return a row for each profile, in the order of the files."""
    aliases = inspector.sdk_aliases()
    return [_row(name, *inspector.state(name), aliases.get(name)) for name in profile_names(inspector.config)]


def as_json(found: Sequence[Row]) -> str:
    """Return the rows as JSON."""
    return json.dumps([row._asdict() | {"until": iso_time(row.until)} for row in found], indent=2) + "\n"


def is_coloured(environ: Mapping[str, str], fd: int) -> bool:
    """Whether ``fd`` is a terminal that shows colours, and ``NO_COLOR`` is not set (no-color.org)."""
    return not environ.get("NO_COLOR") and environ.get("TERM") != "dumb" and os.isatty(fd)


def _row(name: str, plan: Plan | None, state: ProfileState, alias: str | None) -> Row:
    role = None if plan is None else (plan.roles[-1] if plan.roles else plan.source.role)
    account = None
    signed_in = plan if plan is not None and plan.source.kind == "IdentityCenter" and role is None else None
    if plan is not None:
        account = account_in(role.role_arn) if role is not None else plan.account_id
        if account is None and signed_in is not None:
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
        permission_set=None if signed_in is None else signed_in.source.field("sso_role_name"),
    )


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("text", metavar="TEXT", nargs="*", help="only profiles with this in name, account or role")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--names", action="store_true", help="print only the names, one per line")


def run(options: argparse.Namespace, request: Request) -> Output | Document:
    """Run the command."""
    config = read(request.environ, request.clock())
    if options.names and not options.text:
        return Document("".join(f"{name}\n" for name in profile_names(config)))
    inspector = ProfileInspector(config, request)
    every = rows(inspector)
    found = [row for row in every if _contains(row, options.text)]
    if options.names:
        return Document("".join(f"{row.profile}\n" for row in found))
    if options.json:
        return Document(as_json(found))
    if not every:
        return Output([f"no profiles in {config.shown_files()}", *filter(None, [config.missing])])
    if not found:
        return Output([f"no profile has {quoted(' '.join(options.text))} in its name, account or role"])
    return Output(table(found, inspector.now, colour=is_coloured(request.environ, 1), columns=terminal_columns(1)))


def _contains(row: Row, words: Sequence[str]) -> bool:
    """Return whether the profile's name, account or role has each of the words, in letters of either case."""
    text = " ".join((row.profile, row.account_id or "", row.role_arn or "", row.permission_set or "")).casefold()
    return all(word.casefold() in text for word in words)
