"""One run at a time for each cache entry: take the turn, or leave with what another run has brought meanwhile.

A thousand runs may wait here, so nothing heavy is imported before the lock is ours.
"""

from credproc import cache, log
from credproc.errors import CredprocError, PersonNeededError, SignalError
from credproc.locking.directory import own_directory
from credproc.locking.lock import Lock
from credproc.locking.refusal import SharedRefusal
from credproc.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class Turn:
    """The turn of one request: a context manager that shares a declined prompt and logs a failure at its end."""

    def __init__(self, request: Request) -> None:
        """Open credproc's own directory; nothing is waited for yet."""
        self.request = request
        self.directory = own_directory(request.environ)
        self.name = cache.entry_name(request.profile, request.environ)
        self._lock = Lock(self.directory, self.name)
        self._refusal = SharedRefusal(self.directory, self.name)

    def __enter__(self) -> "Self":
        """Return self."""
        return self

    def __exit__(
        self, _kind: "type[BaseException] | None", error: "BaseException | None", _traceback: "TracebackType | None"
    ) -> None:
        """Let the next run have its turn."""
        failure = error.declined if isinstance(error, SignalError) else error
        if isinstance(failure, PersonNeededError):
            self._refusal.publish(failure, self.request.clock())
        if isinstance(failure, CredprocError):
            log.write_failure(self.directory, failure, profile=self.request.profile)
        self._lock.close()

    def served_meanwhile(self) -> bytes | None:
        """Wait, and return the document that another run has stored, or None once it is our turn.

        Raises DeadlineError if the turn does not come in time, PersonNeededError if another run's prompt was declined,
        ConfigError if resolving this very profile has led here, through programs that started programs.
        """
        self._check_recursion()
        return self._look() if self._lock.try_acquire() else self._wait()

    def _look(self) -> bytes | None:
        if self.request.is_login or self.directory is None:
            return None
        return cache.fresh(self.directory, self.name, self.request.environ, self.request.clock())

    def _look_or_decline(self) -> bytes | None:
        document = self._look()
        if document is None:
            self._refusal.check(self.request, self._can_ask)
        return document

    def _can_ask(self) -> bool:
        from credproc import terminal  # noqa: PLC0415 - once somebody has declined

        return terminal.noninteractive_reason(self.request.environ) is None

    def _wait(self) -> bytes | None:
        from credproc.locking.notice import wait_with_notice, waits_until  # noqa: PLC0415 - for those who wait

        request = self.request
        deadline = waits_until(request.environ, request.started + request.deadlines.waiting)
        found = wait_with_notice(self._lock, self.directory, self._look_or_decline, deadline, request.subject)
        return found or self._look_or_decline()

    def _check_recursion(self) -> None:
        if self.request.environ.get("CREDPROC_PROFILE_CHAIN"):
            from credproc.process import recursion  # noqa: PLC0415 - only where a credproc has started a program

            recursion.check(self.request.profile, self.request.environ)
