"""credproc status: MFA sessions and cached credentials with their expiry, read from files; reads no secret."""

import argparse
import json
from collections.abc import Mapping, Sequence

from credproc import paths
from credproc.commands.inventory import EntryInfo, cache_entries, mfa_sessions
from credproc.commands.ui.output import Document, Output
from credproc.commands.ui.table import align_rows
from credproc.commands.ui.times import format_until, iso_time
from credproc.config.settings import StoreKind
from credproc.credentials import account_in
from credproc.files import open_directory
from credproc.glyphs import terminal_columns, width
from credproc.request import Request
from credproc.stores.mfa_sessions import SessionIndex, is_forgotten

_NO_PROFILE = "(no profile)"

GROUP = "sign in"
HELP = "show MFA sessions and cached credentials, and their expiry"
DESCRIPTION = "Show the MFA sessions and the cached credentials, and when they expire."


def status(environ: Mapping[str, str], now: float, *, as_json: bool) -> Output | Document:
    """Return the MFA sessions and cached credentials that are valid at ``now`` (epoch seconds), as text or JSON."""
    directory = open_directory(paths.cache_directory(environ))
    sessions = [index for index in mfa_sessions(directory) if index.expiration > now and not is_forgotten(index)]
    entries = [entry for entry in cache_entries(directory) if entry.expiration is not None and entry.expiration > now]
    if as_json:
        about = {"sessions": [_session(index) for index in sessions], "credentials": [_entry(each) for each in entries]}
        return Document(json.dumps(about, indent=2, sort_keys=True) + "\n")
    return Output(_as_lines(sessions, entries, now))


def _entry(entry: EntryInfo) -> dict[str, str | None]:
    return {
        "profile": entry.profile,
        "role_arn": entry.role_arn,
        "mfa_serial": entry.mfa_serial,
        "expiration": iso_time(entry.expiration),
    }


def _session(index: SessionIndex) -> dict[str, str | None]:
    return {
        "mfa_serial": index.serial,
        "source_profile": index.profile,
        "issuer": index.issuer,
        "store": index.store,
        "issued": iso_time(index.issued),
        "expiration": iso_time(index.expiration),
    }


def _as_lines(sessions: list[SessionIndex], entries: list[EntryInfo], now: float) -> list[str]:
    """Return a table of sessions and one of credentials; a sentence takes the place of an empty one."""
    lines = [] if sessions else ["not signed in with MFA"]
    for store in sorted({index.store for index in sessions}):
        lines.append(_heading(store))
        lines += _indented(
            [(index.serial, format_until(index.expiration, now)) for index in sessions if index.store == store]
        )
    cached = [
        (entry.profile or _NO_PROFILE, _role(entry.role_arn), format_until(entry.expiration or 0, now))
        for entry in sorted(entries, key=lambda entry: entry.profile or _NO_PROFILE)
    ]
    if not cached:
        return [*lines, "no credentials are cached"]
    table, columns = _indented(cached), terminal_columns(1)
    if columns is not None and max(map(width, table)) > columns:  # the roles are in credproc list
        table = _indented([(profile, until) for profile, _, until in cached])
    return [*lines, "cached credentials:", *table]


def _heading(store: StoreKind) -> str:
    match store:
        case "keyring":
            return "MFA sessions in the keyring:"
        case "kernel":
            return "MFA sessions in the kernel's keyring:"
        case "file":
            return "MFA sessions in a file:"
        case "none":
            return "MFA sessions:"


def _role(role_arn: str | None) -> str:
    if role_arn is None:
        return "-"
    name = role_arn.rpartition("/")[2]
    account = account_in(role_arn)
    return name if account is None else f"{name} in {account}"


def _indented(rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [f"  {line}" for line in align_rows(rows)]


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace, request: Request) -> Output | Document:
    """Run the command."""
    return status(request.environ, request.clock(), as_json=options.json)
