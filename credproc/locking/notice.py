"""Words for a person who waits: on each terminal one of those that wait says for whom."""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from credproc.errors import DeadlineError
from credproc.files import PrivateDirectory
from credproc.locking.lock import Lock

T = TypeVar("T")
_CHAINED_WAIT = 2  # seconds; the credproc that started us may hold what we wait for
_AFTER_SECONDS = 5


def prompt_lock(directory: PrivateDirectory | None) -> Lock:
    """Return the lock that is held while a prompt is up on this process's terminal."""
    from credproc.terminal.last_message import terminal_lock_name  # noqa: PLC0415 - not for a thousand that wait a second

    return Lock(directory, terminal_lock_name())


class Notice:
    """Says once, after five seconds of waiting, who holds what is waited for."""

    def __init__(self, directory: PrivateDirectory | None, holder: Callable[[], str]) -> None:
        """Take where the locks are, and who holds the one that is waited for, in words."""
        self._directory = directory
        self._holder = holder
        self._speaker: Lock | None = None
        self._settled = False

    def __call__(self, waited: float) -> None:
        """Speak, if so many seconds are enough, nobody else does, and no prompt is up on this terminal."""
        if self._settled or waited < _AFTER_SECONDS:
            return
        self._settled = True
        from credproc import terminal  # noqa: PLC0415 - not for a thousand that wait a second
        from credproc.terminal.last_message import terminal_lock_name  # noqa: PLC0415

        if not terminal.is_available():
            return
        prompt = prompt_lock(self._directory)
        is_free = prompt.try_acquire()
        prompt.close()
        speaker = Lock(self._directory, f"{terminal_lock_name()}.speaker")
        if is_free and speaker.try_acquire():
            self._speaker = speaker  # held for as long as we wait
            terminal.notify(f"credproc: waiting for {self._holder()}, which may be asking for an MFA code elsewhere")
        else:
            speaker.close()

    def close(self) -> None:
        """Let another one speak."""
        if self._speaker is not None:
            self._speaker.close()


def waits_until(environ: Mapping[str, str], deadline: float) -> float:
    """Return until when to wait for a turn, in seconds of ``time.monotonic()``: the deadline, or sooner in a chain."""
    is_chained = bool(environ.get("CREDPROC_PROFILE_CHAIN"))
    return time.monotonic() + _CHAINED_WAIT if is_chained else deadline


def wait_with_notice(
    lock: Lock, directory: PrivateDirectory | None, look: Callable[[], T | None], deadline: float, subject: str
) -> T | None:
    """Wait until the lock is ours (None is returned) or ``look`` returns something, and say whom we wait for.

    ``deadline`` is in seconds of ``time.monotonic()``. Raises DeadlineError, which begins with ``subject``, when it has
    passed, and what ``look`` raises.
    """
    notice = Notice(directory, lock.holder)
    try:
        return lock.wait(look, deadline, notice)
    except DeadlineError as error:
        raise DeadlineError(f"{subject}: {error}", "wait until it has ended, or end that process") from None
    finally:
        notice.close()
