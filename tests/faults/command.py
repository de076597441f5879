"""The command behind build/faults."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby

from tests.faults.harness import Evidence, Harness
from tests.faults.rows import Amount
from tests.faults.table import ROWS, identifiers

WAITING = 4  # rows that mostly wait for a deadline, at once
SEED = 20261124  # the same sample at each run, so that a fall is a change of credproc and not of luck


def play(identifier: str, amount: Amount) -> list[Evidence]:
    """Play one row in this process."""
    (row,) = (row for row in ROWS if row.id == identifier)
    with Harness() as harness:
        return list(harness.play(row, amount))


def main() -> int:
    """Play the rows that are asked for, print a line for each, and the sum."""
    arguments = _parser().parse_args()
    part, parts = (int(number) for number in arguments.part.split("/"))
    amount = Amount(arguments.deep, part, parts, arguments.seed)
    wanted = arguments.rows or [row.id for row in ROWS if arguments.all or not (arguments.deep and not row.sweep)]
    for name in [name for name in os.environ if name.upper().startswith(("AWS_", "_AWS_", "CREDPROC_"))]:
        if name != "CREDPROC_TEST_PROGRAM":
            del os.environ[name]
    began = time.monotonic()
    context = multiprocessing.get_context("spawn")
    found: list[Evidence] = []
    with (
        ProcessPoolExecutor(arguments.jobs, mp_context=context) as pool,
        ProcessPoolExecutor(WAITING, mp_context=context) as beside,
        open(arguments.evidence, "w", encoding="utf-8") as file,
    ):
        waits = {row.id for row in ROWS if row.waits}
        played = [(beside if name in waits else pool).submit(play, name, amount) for name in wanted]
        for future in played:
            evidence = future.result()
            found += evidence
            file.writelines(f"{one.line()}\n" for one in evidence)
            file.flush()
            _print_row(evidence)
    survived = _survived(found)
    missing = [] if arguments.rows or arguments.deep else [name for name in identifiers() if name not in survived]
    for name in missing:
        print(f"{name:9} FELL  it is not in the table")
    total = len(survived) + len(missing)
    print(f"seed {amount.seed}, evidence in {arguments.evidence}, {time.monotonic() - began:.0f} s")
    print(f"{time.strftime('%Y-%m-%d')}, {platform.system()} {platform.release()}, Python {platform.python_version()}")
    print(
        f"faults survived: {sum(survived.values())} of {total} rows ({sum(one.injections for one in found)} injections)"
    )
    return 0 if all(survived.values()) and not missing else 1


def _survived(found: list[Evidence]) -> dict[str, bool]:
    return {name: not any(one.broken for one in group) for name, group in groupby(found, lambda one: one.row)}


def _print_row(evidence: list[Evidence]) -> None:
    name = evidence[0].row
    (row,) = (row for row in ROWS if row.id == name)
    broken = [one for one in evidence if one.broken]
    injections = sum(one.injections for one in evidence)
    seconds = sum(one.seconds for one in evidence)
    verdict = "FELL" if broken else "ok"
    print(f"{name:9} {verdict:5} {injections:5} {seconds:7.1f} s  {row.fault}", flush=True)
    for one in broken:
        for sentence in one.broken:
            print(f"{'':16}{one.case or '-'}: {sentence}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="build/faults", description="Play the faults that credproc survives.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="F047, F087-F093, ...; all where none is named")
    parser.add_argument("--deep", action="store_true", help="the sweeps whole; other rows only where named or --all")
    parser.add_argument("--all", action="store_true", help="with --deep, the rows that are no sweeps as well")
    parser.add_argument("--part", default="1/1", metavar="K/N", help="the K-th of N parts of a deep sweep")
    parser.add_argument("--seed", type=int, default=SEED, help="chooses what is sampled (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=1 + (os.cpu_count() or 1), help="rows at once")
    parser.add_argument("--evidence", default="build/work/faults.jsonl", metavar="FILE", help="a line of JSON per case")
    return parser
