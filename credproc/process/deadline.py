"""A deadline for calls that cannot be interrupted: name resolution, STS, keyrings, other programs, stuck disks."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from credproc.errors import DeadlineError

T = TypeVar("T")


class BackgroundCall(Generic[T]):
    """A call that runs in a daemon thread; a caller that has no time left abandons the thread.

    credproc ends by ``os._exit``, which does not wait for abandoned threads.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        """Store the call; ``start`` or ``result`` runs it."""
        self._call = call
        self._thread: threading.Thread | None = None
        self._ran_inline = False  # no thread could be started
        self._returned: list[T] = []
        self._raised: list[BaseException] = []

    def start(self) -> "BackgroundCall[T]":
        """Start the call unless it has started; return self.

        Where no thread can be started (process limit, no memory), run the call right here, without a deadline.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                self._ran_inline = True
                self._run()
        return self

    def result(self, deadline: float) -> T:
        """Wait until ``deadline`` (``time.monotonic()`` seconds) and return or raise what the call does.

        Raises DeadlineError if the call has not ended by then; a later ``result`` may still get its outcome.
        """
        thread = self.start()._thread  # noqa: SLF001 - of this class
        if thread is not None and not self._ran_inline:
            thread.join(max(0.0, deadline - time.monotonic()))
        if self._returned:
            return self._returned[0]
        if self._raised:
            raise self._raised[0]
        raise DeadlineError("no answer in time")

    def _run(self) -> None:
        try:
            self._returned.append(self._call())
        except BaseException as error:  # noqa: BLE001 - result raises it again in the caller's thread
            self._raised.append(error)


def within(deadline: float, call: Callable[[], T]) -> T:
    """Run ``call`` until ``deadline`` (``time.monotonic()`` seconds) and return or raise what it does.

    Raises DeadlineError if the call has not ended by then.
    """
    return BackgroundCall(call).result(deadline)
