"""Many processes at once on Windows: the locks of its files, and what is left when their holder is killed."""

import threading

from tests.windows.world import START, World


def test_twenty_processes_at_once_and_nothing_cached_cost_one_call_of_sts(w: World) -> None:
    jobs = [w.credproc("--profile", "admin") for _ in range(20)]
    documents = {job.outcome(2 * START).document["AccessKeyId"] for job in jobs}
    assert len(documents) == 1
    assert w.helped == ["AssumeRole"]


def test_those_that_wait_go_on_when_the_holder_of_the_lock_is_killed(w: World) -> None:
    released = threading.Event()
    w.sts.hold(released, "AssumeRole")
    holder = w.credproc("--profile", "admin")
    assert w.sts.wait_for(1, "AssumeRole", timeout=START)
    waiting = [w.credproc("--profile", "admin") for _ in range(3)]
    w.kill(holder)
    assert w.sts.wait_for(2, "AssumeRole", timeout=START)
    released.set()
    assert len({job.outcome(START).document["AccessKeyId"] for job in waiting}) == 1
    assert holder.outcome(START).stdout == ""
    assert w.helped == ["AssumeRole", "AssumeRole"]
