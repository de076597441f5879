"""Break a module in one place at a time and run its tests: which of the mutants does no test notice?"""

import argparse
import os
import random
import sys
import time

from jobs import outcomes
from mutant import TESTS, StaleError
from operators import mutants
from report import equivalent, report


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="mutants", allow_abbrev=False)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    # Twice the number of processors, because tests that wait for a prompt need none
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--listed", action="store_true")
    options = parser.parse_args()
    unknown = set(options.modules) - set(TESTS)
    if unknown:
        sys.exit(f"mutants: error: {', '.join(sorted(unknown))}: build/mutation/mutant.py names no tests of it")

    began = time.monotonic()
    listed = equivalent()
    every = [mutant for module in options.modules or TESTS for mutant in mutants(module)]
    drawn = every
    if options.sample is not None and options.sample < len(every):
        print(f"mutants: {options.sample} of {len(every)}, --seed {options.seed}", file=sys.stderr)
        drawn = random.Random(options.seed).sample(every, options.sample)  # noqa: S311 - no secret
    left = [] if options.listed else [mutant for mutant in drawn if mutant.key in listed]
    try:
        found = outcomes([mutant for mutant in drawn if mutant not in left], options.jobs)
    except StaleError as error:
        sys.exit(f"mutants: error: {error}")
    good = report(listed, every, left, found)
    print(f"mutants: {len(found)} in {(time.monotonic() - began) / 60:.0f} minutes", file=sys.stderr)
    sys.exit(not good)


if __name__ == "__main__":
    main()
