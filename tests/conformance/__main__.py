"""``python -m tests.conformance``: arguments in, report and exit status out."""

import argparse
import os
import shlex
import subprocess
import sys

from tests.conformance import __doc__ as description
from tests.conformance.report import as_json, as_markdown, as_text, broken, examined
from tests.conformance.subject import Limits, Subject


def main(arguments: list[str]) -> int:
    """Examine the command; return 0, 1 where a rule is broken, 2 where the command cannot be run."""
    parser = argparse.ArgumentParser(
        "python -m tests.conformance", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="one argument is a line, several are its words")
    parser.add_argument("--failing", metavar="LINE", help="a command of the helper that fails")
    parser.add_argument("--asking", metavar="LINE", help="a command of the helper that asks a person")
    parser.add_argument("--reset", metavar="LINE", help="a command that empties its cache")
    parser.add_argument("--short-lived", action="store_true", help="the sessions are of 30 minutes or less")
    parser.add_argument("--patient", action="store_true", help="wait a minute for a prompt that nobody answers")
    parser.add_argument("--parallel", type=int, default=Limits().parallel, metavar="N", help="how many run at once")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--markdown", action="store_true")
    asked = parser.parse_args(arguments)
    line = asked.command[0] if len(asked.command) == 1 else shlex.join(asked.command)
    subject = Subject(
        line,
        os.environ,
        failing=asked.failing,
        asking=asked.asking,
        reset=asked.reset,
        short_lived=asked.short_lived,
        patient=asked.patient,
        limits=Limits(parallel=asked.parallel),
    )
    try:
        rows = examined(subject)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"conformance: error: {line}: {error}\n")
        return 2
    if asked.json:
        sys.stdout.write(as_json(line, rows))
    else:
        sys.stdout.write(as_markdown({"observed": rows}) if asked.markdown else as_text(rows))
    return bool(broken(rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
