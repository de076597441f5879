"""The list of mutants that no test can notice, and the report of a run."""

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mutant import ROOT, TESTS, Mutant, Outcome, StaleError

EQUIVALENT = ROOT / "build" / "mutants.equivalent"
MIN_SCORE = 85  # per cent


def equivalent() -> dict[str, str]:
    """Return the listed mutants that no test can notice, by key, with the reason. Raises StaleError."""
    found: dict[str, str] = {}
    for block in re.split(r"\n{2,}", EQUIVALENT.read_text().strip()):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        reason = [line for line in lines if line.startswith("= ")]
        if lines and len(reason) != 1:
            raise StaleError(f"{EQUIVALENT.name}: expected one reason: {lines[0]}")
        if lines:
            found["\n".join(line for line in lines if not line.startswith("= "))] = reason[0][2:]
    return found


class Row(NamedTuple):
    """The counts of a module's mutants."""

    title: str
    mutants: int
    equivalent: int
    killed: int
    by_time: int
    survived: int

    @property
    def score(self) -> float:
        """The percentage of noticeable mutants that were noticed."""
        return 100 * self.killed / max(1, self.killed + self.survived)

    def __str__(self) -> str:
        """Return a line of a Markdown table."""
        counts = f"{self.mutants} | {self.equivalent} | {self.killed} | {self.by_time} | {self.survived}"
        return f"| {self.title} | {counts} | {self.score:.1f} % |"


def row(title: str, listed: Iterable[str], found: dict[Mutant, Outcome], left: Iterable[Mutant]) -> Row:
    """Return the counts; ``left`` are the mutants that were not run because they are listed as equivalent."""
    keys = set(listed)
    counted = {mutant: outcome for mutant, outcome in found.items() if mutant.key not in keys}
    killed = [outcome for outcome in counted.values() if outcome.noticed]
    unnoticeable = {mutant.key for mutant in (*found, *left)} & keys
    return Row(
        title,
        len(counted) + len(unnoticeable),
        len(unnoticeable),
        len(killed),
        len([outcome for outcome in killed if outcome.by == "time"]),
        len(counted) - len(killed),
    )


def stale(listed: Iterable[str], every: Iterable[Mutant], found: dict[Mutant, Outcome]) -> Iterator[str]:
    """Yield the errors in the list of equivalent mutants."""
    keys = {mutant.key for mutant in every}
    modules = tuple(f"{module}: " for module in {mutant.module for mutant in every})
    noticed = {mutant.key: outcome.by for mutant, outcome in found.items() if outcome.noticed}
    for key in listed:
        if key.startswith(modules) and key not in keys:
            yield f"this mutant no longer exists:\n{key}"
        if key in noticed:
            yield f"{noticed[key]} notices it:\n{key}"
        if not key.startswith(tuple(f"{module}: " for module in TESTS)):
            yield f"no mutants are made of this module:\n{key}"


def report(listed: dict[str, str], every: Sequence[Mutant], left: list[Mutant], found: dict[Mutant, Outcome]) -> bool:
    """Print the table, the survivors and the errors in the list; return whether there is nothing to mend."""
    print("| module | mutants | equivalent | killed | of these by the time limit | survived | score |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    rows = []
    for module in dict.fromkeys(mutant.module for mutant in every):
        ran = {mutant: outcome for mutant, outcome in found.items() if mutant.module == module}
        rows.append(row(f"`{module}`", listed, ran, [mutant for mutant in left if mutant.module == module]))
        print(rows[-1])
    print(row("all", listed, found, left))
    for mutant, outcome in found.items():
        if not outcome.noticed and mutant.key not in listed:
            print(f"\n{mutant.key}")
    wrong = list(stale(listed, every, found))
    for line in wrong:
        print(f"\nmutants: error: build/{EQUIVALENT.name}: {line}", file=sys.stderr)
    low = [row.title for row in rows if row.score < MIN_SCORE]
    for title in low:
        print(f"mutants: error: {title}: the score is below {MIN_SCORE} %", file=sys.stderr)
    return not wrong and not low
