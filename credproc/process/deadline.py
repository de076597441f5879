"""One mechanism for all that cannot be interrupted: name resolution, STS, keyrings, foreign programs, stuck disks."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from credproc.errors import DeadlineError

T = TypeVar("T")


class Call(Generic[T]):
    """A call that runs in a daemon thread, once begun; who has no more time for it leaves it there.

    Nobody waits for such threads at the end, which is why credproc leaves by ``os._exit``.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        """Take the call; nothing runs yet."""
        self._call = call
        self._thread: threading.Thread | None = None
        self._has_ended = False  # of itself, and no thread is to be waited for
        self._returned: list[T] = []
        self._raised: list[BaseException] = []

    def begin(self) -> "Call[T]":
        """Let the call run, if it does not yet; return self.

        Where no thread can be had (the limit of processes, or no memory) it is made at once, without a deadline.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                self._has_ended = True
                self._run()
        return self

    def result(self, deadline: float) -> T:
        """Return what the call returns, or raise what it raises, if that happens before the deadline.

        ``deadline`` is in seconds of ``time.monotonic()``. Raises DeadlineError otherwise; asking again is allowed.
        """
        thread = self.begin()._thread  # noqa: SLF001 - ours
        if thread is not None and not self._has_ended:
            thread.join(max(0.0, deadline - time.monotonic()))
        if self._returned:
            return self._returned[0]
        if self._raised:
            raise self._raised[0]
        raise DeadlineError("no answer in time")

    def _run(self) -> None:
        try:
            self._returned.append(self._call())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the caller stands
            self._raised.append(error)


def within(deadline: float, call: Callable[[], T]) -> T:
    """Return what ``call`` returns, or raise what it raises, if that happens before the deadline.

    ``deadline`` is in seconds of ``time.monotonic()``. Raises DeadlineError otherwise.
    """
    return Call(call).result(deadline)
