"""credproc status: what is signed in and cached, and for how long; from files alone, no secret is read."""

import argparse
import json
from collections.abc import Mapping, Sequence

from credproc import paths
from credproc.commands.inventory import described
from credproc.commands.inventory import sessions as kept
from credproc.commands.ui.output import Said
from credproc.commands.ui.table import aligned
from credproc.commands.ui.times import until_shown
from credproc.config.settings import SessionStore
from credproc.credentials import account_in
from credproc.files import open_directory
from credproc.request import Request
from credproc.stores.mfa_sessions import Index

GROUP = "sign in"
HELP = "show what is signed in and cached, and for how long"
DESCRIPTION = "Show what is signed in and cached, and for how long."


def status(environ: Mapping[str, str], now: float, *, as_json: bool) -> str:
    """Return the sessions and entries that are still valid at ``now`` (epoch seconds), in words or as JSON."""
    directory = open_directory(paths.cache_directory(environ))
    sessions = [] if directory is None else [index for index in kept(directory) if index.expiration > now]
    entries: list[dict[str, str | int | None]] = [
        {
            "profile": entry.profile,
            "role_arn": entry.role_arn,
            "mfa_serial": entry.mfa_serial,
            "expiration": entry.expiration,
        }
        for entry in ([] if directory is None else described(directory))
        if entry.expiration is not None and entry.expiration > now
    ]
    if as_json:
        about = {"sessions": [_session(index) for index in sessions], "credentials": entries}
        return json.dumps(about, indent=2, sort_keys=True) + "\n"
    return _words(sessions, entries, now)


def _session(index: Index) -> dict[str, str | int | None]:
    return {
        "mfa_serial": index.serial,
        "source_profile": index.profile,
        "issuer": index.issuer,
        "store": index.store,
        "issued": index.issued,
        "expiration": index.expiration,
    }


def _words(sessions: list[Index], entries: list[dict[str, str | int | None]], now: float) -> str:
    """Return two aligned tables, or a sentence where one would be empty."""
    lines = [] if sessions else ["not signed in with MFA"]
    for store in sorted({index.store for index in sessions}):
        lines.append(_heading(store))
        lines += _indented(
            [(index.serial, until_shown(index.expiration, now)) for index in sessions if index.store == store]
        )
    entries = sorted(entries, key=lambda one: str(one["profile"]))
    cached = [
        (_named(one["profile"]), _role(one["role_arn"]), until_shown(int(one["expiration"] or 0), now))
        for one in entries
    ]
    lines += ["cached credentials:", *_indented(cached)] if cached else ["no credentials are cached"]
    return "\n".join(lines) + "\n"


def _heading(store: SessionStore) -> str:
    match store:
        case "keyring":
            return "MFA sessions in the keyring:"
        case "file":
            return "MFA sessions in a file:"
        case "none":
            return "MFA sessions:"


def _named(profile: str | int | None) -> str:
    return "(no profile named)" if profile is None else ascii(profile)[1:-1]


def _role(role_arn: str | int | None) -> str:
    if not isinstance(role_arn, str):
        return "-"
    name = role_arn.rpartition("/")[2]
    account = account_in(role_arn)
    return ascii(name if account is None else f"{name} in {account}")[1:-1]


def _indented(rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [f"  {line}" for line in aligned(rows)]


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    one.add_argument("--json", action="store_true", help="as JSON")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    return Said(status(request.environ, request.clock(), as_json=options.json))
