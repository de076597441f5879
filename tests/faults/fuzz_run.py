"""`python -m tests.faults.fuzz_run TARGET --seconds N --directory D`: one target by libFuzzer, through atheris.

Prints a row with what was done: executions, coverage, seed, findings. The inputs that lead somewhere stay in
D/TARGET/corpus, and those that fail in D/TARGET/found: once mended, they belong into the target's ``FOUND``.
"""

import argparse
import importlib
import json  # noqa: F401 - before atheris: its stand-in for compiled patterns lacks what json calls
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

TARGETS = ("config", "plan", "entry")
_SECONDS_EACH = 10  # for one input; libFuzzer calls more a finding
_MEBIBYTES = 1024
_STEP = re.compile(r"^#(\d+)\s.*?cov: (\d+) ft: (\d+) corp: (\d+)", re.MULTILINE)
_DONE = re.compile(r"^Done (\d+) runs", re.MULTILINE)


class Row(NamedTuple):
    """What one run of a target has come to."""

    date: str
    what: str
    seconds: int
    executions: int
    edges: int
    inputs: int
    seed: int
    findings: int

    def __str__(self) -> str:
        """Return it as it is quoted."""
        return (
            f"{self.date} fuzz {self.what}: {self.executions:,} executions in {self.seconds:,} s, {self.edges:,} edges,"
            f" {self.inputs:,} inputs kept, seed {self.seed}, {self.findings} findings"
        )


def main() -> int:
    """Run the target that the arguments name; return 1 where something was found.

    Given options of libFuzzer's, this is the process that ``_run`` has started.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--directory", type=Path, required=True)
    options, passed = parser.parse_known_args()
    if passed:
        return _fuzz(options.target, passed)
    row = _run(options.target, options.seconds, options.seed, options.directory)
    sys.stdout.write(f"{row}\n")
    return bool(row.findings)


def _run(target: str, seconds: int, seed: int, directory: Path) -> Row:
    """Let libFuzzer run in a process of its own, which it ends, and read what it says."""
    from tests.faults.fuzz_corpus import dictionary  # noqa: PLC0415 - imports credproc, which atheris must see happen

    corpus, found = directory / target / "corpus", directory / target / "found"
    for each in (corpus, found):
        each.mkdir(parents=True, exist_ok=True)
    for data in importlib.import_module(f"tests.faults.fuzz_{target}").corpus():
        (corpus / sha256(data).hexdigest()[:16]).write_bytes(data)
    (directory / "words").write_text(dictionary())
    before = set(found.iterdir())
    options = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-timeout={_SECONDS_EACH}",
        f"-rss_limit_mb={_MEBIBYTES}",
        f"-artifact_prefix={found}/",
        "-max_len=4096",
        "-len_control=0",
        f"-dict={directory / 'words'}",
        "-print_final_stats=1",
        str(corpus),
    ]
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.faults.fuzz_run", target, "--directory", str(directory), *options]
    with (directory / f"{target}.log").open("w+") as log:
        status = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
        log.seek(0)
        said = log.read()
    steps, done = _STEP.findall(said), _DONE.search(said)
    last = steps[-1] if steps else ("0", "0", "0", "0")
    new = [path for path in found.iterdir() if path not in before]
    return Row(
        date=time.strftime("%Y-%m-%d", time.gmtime()),
        what=target,
        seconds=round(time.monotonic() - began),
        executions=int(done[1] if done else last[0]),
        edges=int(last[1]),
        inputs=int(last[3]),
        seed=seed,
        findings=max(len(new), int(status != 0)),
    )


def _fuzz(target: str, options: Sequence[str]) -> int:
    """Hand the process over to libFuzzer, which does not come back."""
    atheris: Any = importlib.import_module("atheris")  # lives in an environment of its own

    for hook in ("RegEx", "str"):
        atheris.enabled_hooks.add(hook)
    with atheris.instrument_imports(include=["credproc"], enable_loader_override=False):
        check = importlib.import_module(f"tests.faults.fuzz_{target}").check
    atheris.Setup([sys.argv[0], *options], check)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
