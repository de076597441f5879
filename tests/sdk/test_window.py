"""A process that lives longer than its credentials: how often it runs the helper, and what it signs with."""

import subprocess
import time

from tests.sdk.world import World


def test_credentials_that_are_short_from_the_start_cost_runs_and_one_call_of_sts(w: World) -> None:
    w.sts.lifetime = w.sdk.short
    with w.process() as call:
        for expected in w.sdk.within:
            call()
            _runs_become(w, expected)
    assert w.sts.count("AssumeRole") == 1
    assert len(set(w.signers)) == 1


def test_credentials_that_come_near_their_end_are_renewed_once(w: World) -> None:
    w.sts.lifetime = w.sdk.window + 8
    with w.process() as call:
        call()
        call()
        _runs_become(w, w.sdk.starts + w.sdk.each)
        (old,) = set(w.signers)
        w.sts.lifetime = None
        _wait_for_window(w, old or "")
        call()
        renewed = w.sdk.starts + w.sdk.each + (w.sdk.each or 1)
        _runs_become(w, renewed)
        assert w.sts.wait_for(2, "AssumeRole", "OK", timeout=30)
        time.sleep(1)  # for those who renew in the background
        for _ in range(2):
            call()
        _runs_become(w, renewed + 2 * w.sdk.each)
    new = [key != old for key in w.signers[:5]]
    assert new == [False, False, not w.sdk.old_in_window, True, True]
    assert w.sts.count("AssumeRole") == 2


def _runs_become(w: World, count: int) -> None:
    """Wait until the helper has been run so often, and some more for runs that would be too many."""
    end = time.monotonic() + 10
    while w.runs < count and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.3)
    assert w.runs == count


def _wait_for_window(w: World, key: str) -> None:
    """Wait until the SDK will ask anew, and have credproc forget: it would serve such short ones for longer yet.

    Those of an hour it renews before any SDK asks (C6), and that a test cannot wait for.
    """
    held = w.sts.iam.credentials(key)
    assert held is not None
    assert held.expiration is not None
    # Ruby compares whole seconds
    time.sleep(max(0.0, held.expiration - w.sdk.window + w.sdk.jitter - time.time() + 1.1))
    subprocess.run([w.program, "clear", "--all"], env=w.home.environ, stdout=subprocess.DEVNULL, check=True)
