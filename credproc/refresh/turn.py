"""Refresh each cache entry in one run at a time: take the turn, or return what another run has stored meanwhile.

A thousand runs may wait here, so nothing heavy is imported before this run holds the lock.
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
    """One request's turn: a context manager that shares a declined prompt, logs a failure and releases the lock."""

    def __init__(self, request: Request) -> None:
        """Open credproc's own directory; wait for nothing yet."""
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
        """Share and log the error, if there is one, and let the next run take its turn."""
        failure = error.declined if isinstance(error, SignalError) else error
        if isinstance(failure, PersonNeededError):
            self._refusal.publish(failure, self.request)
        if isinstance(failure, CredprocError):
            log.write_failure(self.directory, failure, profile=self.request.profile)
        self._lock.close()

    def release(self) -> None:
        """Let the next run have its turn at once."""
        self._lock.close()

    def served_meanwhile(self) -> bytes | None:
        """Return the document that another run has stored meanwhile, or None once this run has the turn.

        Raises DeadlineError if that takes too long, PersonNeededError if another run's prompt was declined, ConfigError
        if resolving this very profile has started credproc again through other programs.
        """
        self._check_recursion()
        return self._cached_document() if self._lock.try_acquire() else self._wait()

    def _cached_document(self) -> bytes | None:
        if self.request.is_login or self.directory is None:
            return None
        return cache.fresh(self.directory, self.name, self.request.environ, self.request.clock())

    def _poll(self) -> bytes | None:
        """Return the document if another run has stored it. Raises PersonNeededError if its prompt was declined."""
        document = self._cached_document()
        if document is None:
            self._refusal.check(self.request, self._can_ask)
        return document

    def _can_ask(self) -> bool:
        from credproc import terminal  # noqa: PLC0415 - after a declined prompt

        environ = self.request.environ
        # By a profile's setting it may be able to ask in a window, too; then only its display is known here
        is_window_wanted = environ.get("CREDPROC_PROMPT", "terminal") != "terminal"
        return is_window_wanted or terminal.noninteractive_reason(environ) is None

    def _wait(self) -> bytes | None:
        from credproc.locking.notice import wait_deadline, wait_with_notice  # noqa: PLC0415 - for a run that waits

        request = self.request
        deadline = wait_deadline(request.environ, request.started + request.deadlines.waiting)
        document = wait_with_notice(self._lock, self.directory, self._poll, deadline, request.subject)
        return document or self._poll()

    def _check_recursion(self) -> None:
        if self.request.environ.get("CREDPROC_PROFILE_CHAIN"):
            from credproc.process import recursion  # noqa: PLC0415 - only in a chain of programs

            recursion.check(self.request.profile, self.request.environ)
