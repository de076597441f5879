"""One mechanism for all that cannot be interrupted: name resolution, STS, keyrings, foreign programs, stuck disks."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from credproc.errors import DeadlineError

T = TypeVar("T")


def within(deadline: float, call: Callable[[], T]) -> T:
    """Return what ``call`` returns, or raise what it raises, if that happens before the deadline.

    ``deadline`` is in seconds of ``time.monotonic()``. Raises DeadlineError otherwise; the call then goes on in a
    daemon thread that nobody waits for, which is why credproc leaves by ``os._exit``.
    """
    returned: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            returned.append(call())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the caller stands
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    if returned:
        return returned[0]
    if raised:
        raise raised[0]
    raise DeadlineError("no answer in time")
