"""The command behind build/faults."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby

from tests.faults.harness import Evidence, Harness, sampler
from tests.faults.rows import Amount
from tests.faults.table import ROWS, SHARED, identifiers
from tests.program import heed_signals

WAITING = 4  # rows that mostly wait for a deadline, at once
SEED = 20261124  # the same sample at each run, so that a fall is a change of credproc and not of luck


def play(identifier: str, amount: Amount, samples: str) -> list[Evidence]:
    """Play one row in this process; ``samples`` is the file of the sampler."""
    (row,) = (row for row in ROWS if row.id == identifier)
    with Harness(samples) as harness:
        return list(harness.play(row, amount))


def main() -> int:
    """Play the rows that are asked for, print a line for each, and the sum."""
    arguments = command_line().parse_args()
    part, parts = arguments.part
    amount = Amount(arguments.deep, part, parts, arguments.seed)
    wanted = list(dict.fromkeys(arguments.rows)) or [
        row.id for row in ROWS if arguments.all or not (arguments.deep and not row.sweep)
    ]
    for name in [name for name in os.environ if name.upper().startswith(("AWS_", "_AWS_", "CREDPROC_"))]:
        if name != "CREDPROC_TEST_PROGRAM":
            del os.environ[name]
    heed_signals()
    began = time.monotonic()
    context = multiprocessing.get_context("spawn")
    found: list[Evidence] = []
    with (
        sampler() as looking,
        ProcessPoolExecutor(arguments.jobs, mp_context=context) as pool,
        ProcessPoolExecutor(WAITING, mp_context=context) as beside,
        open(arguments.evidence, "w", encoding="utf-8") as file,
    ):
        waits = {row.id for row in ROWS if row.waits}
        played = [(beside if name in waits else pool).submit(play, name, amount, looking.path) for name in wanted]
        for future in played:
            evidence = future.result()
            found += evidence
            file.writelines(f"{one.line()}\n" for one in evidence)
            file.flush()
            _print_row(evidence)
    rows = _survived(found)
    missing = [] if arguments.rows or arguments.deep else [name for name in identifiers() if name not in rows]
    for name in missing:
        print(f"{name:9} FELL  it is not in the table")
    total = len(rows) + len(missing)
    print(f"seed {amount.seed}, evidence in {arguments.evidence}, {time.monotonic() - began:.0f} s")
    print(f"{time.strftime('%Y-%m-%d')}, {platform.system()} {platform.release()}, Python {platform.python_version()}")
    print(f"faults survived: {sum(rows.values())} of {total} rows ({sum(one.injections for one in found)} injections)")
    return 0 if all(rows.values()) and not missing else 1


def _survived(found: list[Evidence]) -> dict[str, bool]:
    return {name: survived(list(group)) for name, group in groupby(found, lambda one: one.row)}


def survived(evidence: list[Evidence]) -> bool:
    """Return whether a row with this evidence was survived; one into which nothing was injected was not."""
    return not any(one.broken for one in evidence) and any(one.injections for one in evidence)


def _print_row(evidence: list[Evidence]) -> None:
    name = evidence[0].row
    (row,) = (row for row in ROWS if row.id == name)
    injections = sum(one.injections for one in evidence)
    seconds = sum(one.seconds for one in evidence)
    verdict = "ok" if survived(evidence) else "FELL"
    print(f"{name:9} {verdict:5} {injections:5} {seconds:7.1f} s  {row.fault}", flush=True)
    for one in evidence:
        for sentence in one.broken or ([] if one.injections else ["not injected, as its call did not come"]):
            print(f"{'':16}{one.case or '-'}: {sentence}", flush=True)


def _identifier(text: str) -> str:
    """Return the id of the row that this is, or that it shares with others."""
    first, _, last = SHARED.partition("-")
    name = SHARED if first <= text <= last else text
    if name not in identifiers():
        raise argparse.ArgumentTypeError(f"there is no row {text!a}")
    return name


def _part(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text!a} is not K/N, as 1/6 to 6/6 are")
    return int(part), int(parts)


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!a} is no number from 1")
    return int(text)


def command_line() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = argparse.ArgumentParser(prog="build/faults", description="Play the faults that credproc survives.")
    rows = "F047, F072a, ...; all where none is named"
    parser.add_argument("rows", nargs="*", metavar="ROW", type=_identifier, help=rows)
    parser.add_argument("--deep", action="store_true", help="the sweeps whole; other rows only where named or --all")
    parser.add_argument("--all", action="store_true", help="with --deep, the rows that are no sweeps as well")
    parser.add_argument("--part", type=_part, default="1/1", metavar="K/N", help="the K-th of N parts of a deep sweep")
    parser.add_argument("--seed", type=int, default=SEED, help="chooses what is sampled (default: %(default)s)")
    parser.add_argument("--jobs", type=_jobs, default=1 + (os.cpu_count() or 1), help="rows at once")
    parser.add_argument("--evidence", default="build/work/faults.jsonl", metavar="FILE", help="a line of JSON per case")
    return parser
