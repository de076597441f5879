"""A. Invocation and environment."""

from __future__ import annotations

from tests.faults.rows import Case, Kind, row

_ASCII = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}

ROWS = (
    row(
        "F002",
        "unknown option, repeated --profile",
        Case("unknown", Kind.USAGE, arguments=("--nonsense",), says="nonsense"),
        Case("repeated", Kind.USAGE, arguments=("--profile", "admin", "--profile", "admin"), says="--profile"),
    ),
    row("F004", "--profile ''", Case("empty", Kind.USAGE, arguments=("--profile", ""), says="profile")),
    row(
        "F009",
        "an ASCII locale and a config that is not",
        Case("C", before=lambda s: s.config(other="# é"), environ=_ASCII),
    ),
)
