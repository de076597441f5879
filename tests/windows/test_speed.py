"""What a start costs on Windows, beside a bare Python, in one run."""

import json
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sdk.results import MEASURED
from tests.windows.world import HELPERS, START, world
from tests.windows_console import PYTHON

RATIO = 1.8
RUNS = 31
# Times each command in turn; the first runs warm up the disk
_MEASURE = """
import json, subprocess, sys, time
commands = json.loads(sys.argv[1])
times = [[] for _ in commands]
for _ in range(int(sys.argv[2]) + 3):
    for number, command in enumerate(commands):
        began = time.perf_counter()
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        times[number].append(time.perf_counter() - began)
print(json.dumps([each[3:] for each in times]))
"""


@pytest.mark.measure
def test_a_frozen_hit_is_nearly_as_fast_as_a_bare_python(
    tmp_path: Path, pytestconfig: pytest.Config, record_property: Callable[[str, object], None]
) -> None:
    if not pytestconfig.getoption("frozen"):
        pytest.skip("it is about the frozen program: build/test --windows --frozen")
    with world(tmp_path / "home", HELPERS["frozen"]) as w:
        w.home.settle()
        assert w.credproc("--profile", "admin").outcome(START).document["Version"] == 1
        commands = [PYTHON, "-I", "-S", "-c", "pass"], [w.helper, "--profile", "admin"]
        ended = w.start(PYTHON, "-c", _MEASURE, json.dumps(commands), str(RUNS)).outcome(10 * START)
        bare, hit = (statistics.median(each) for each in json.loads(ended.stdout))
        assert w.helped == ["AssumeRole"]
    record_property(MEASURED, f"bare Python {bare * 1000:.0f} ms, frozen hit {hit * 1000:.0f} ms: {hit / bare:.2f}")
    assert hit <= RATIO * bare
