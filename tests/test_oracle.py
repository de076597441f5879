"""Botocore resolves the same profiles with the same requests; the deep sweep is ``python -m tests.oracle``."""

from pathlib import Path

import pytest

from tests.oracle import sweep


@pytest.mark.posix("scripts with #!, which Wine starts by itself and leaves Python without a handle of them")
def test_five_hundred_generated_examples_are_resolved_as_botocore_resolves_them(tmp_path: Path) -> None:
    tally = sweep(tmp_path, 500, number=2026)
    assert tally["examples"] >= 500
    compared = tally["both succeed"] + tally["both fail"]
    assert compared > tally["examples"] / 2, tally
    assert tally["roles assumed"] > 80, tally
    assert tally["chains"] > 10, tally
    assert tally["signed as botocore signs"] > 100, tally
    for difference in ("refused before any call", "no region", "keys without a role"):
        assert tally[difference] > 0, tally
