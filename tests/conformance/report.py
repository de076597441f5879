"""What the rules have found, as a table of text, as Markdown, and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from tests.conformance.rules import RULES, Found, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.conformance.subject import Subject

_SHOWN = {"ok": "ok", "info": "(ok)", "FAIL": "**FAIL**", "skip": "-"}


class Row(NamedTuple):
    """A rule, and what it has found."""

    rule: Rule
    found: Found


def examined(subject: Subject) -> list[Row]:
    """Check all rules, in their order: the first run is the first rule's."""
    return [Row(rule, rule.found(subject)) for rule in RULES]


def broken(rows: Sequence[Row]) -> list[str]:
    """Return the ids of the rules that are broken."""
    return [row.rule.id for row in rows if row.found.state == "FAIL"]


def summary(rows: Sequence[Row]) -> str:
    """Return how many rules came to what, in one line."""
    states = [row.found.state for row in rows]
    return ", ".join(
        f"{states.count(state)} {word}"
        for state, word in (("ok", "ok"), ("info", "to know"), ("FAIL", "FAIL"), ("skip", "not looked at"))
        if state in states
    )


def as_text(rows: Sequence[Row]) -> str:
    """Return a table; below a rule that is broken stands what it says and whom it protects."""
    wide = max(len(row.rule.id) for row in rows)
    seen = min(80, max(len(row.found.observed) for row in rows))
    lines = [f"{'rule':{wide}}  state  {'observed':{seen}}  expected"]
    for rule, found in rows:
        lines.append(f"{rule.id:{wide}}  {found.state:5}  {found.observed:{seen}}  {rule.expected}".rstrip())
        if found.state == "FAIL":
            lines.append(f"{'':{wide}}         {rule.says} ({rule.source}) Protects {rule.protects}")
    return "\n".join([*lines, "", summary(rows), ""])


def as_json(line: str, rows: Sequence[Row]) -> str:
    """Return everything."""
    rules = [
        {
            "rule": rule.id,
            "says": rule.says,
            "state": found.state,
            "observed": found.observed,
            "expected": rule.expected,
            "protects": rule.protects,
            "source": rule.source.split(),
        }
        for rule, found in rows
    ]
    return json.dumps({"command": line, "broken": broken(rows), "rules": rules}, indent=2) + "\n"


def as_markdown(columns: Mapping[str, Sequence[Row]], *, different: bool = False) -> str:
    """Return a table with a column for each helper; what was seen stands where it is not simply good.

    ``different``: only of the rules that not all of them keep.
    """
    first = next(iter(columns.values()))
    lines = [f"| rule | {' | '.join(columns)} | protects |", "|---" * (len(columns) + 2) + "|"]
    for number, row in enumerate(first):
        founds = [rows[number].found for rows in columns.values()]
        if different and all(found.state in {"ok", "info"} for found in founds):
            continue
        cells = [
            _SHOWN[found.state] if found.state == "ok" else f"{_SHOWN[found.state]} {found.observed}"
            for found in founds
        ]
        lines.append(
            " | ".join([f"| {row.rule.says}", *(cell.replace("|", r"\|") for cell in cells), row.rule.protects]) + " |"
        )
    totals = " | ".join(summary(rows) for rows in columns.values())
    return "\n".join([*lines, f"| | {totals} | |", ""])
