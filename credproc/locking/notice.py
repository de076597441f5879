"""Tell the user why a run waits: on each terminal, one of the waiting runs says which process holds the lock."""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from credproc.errors import DeadlineError
from credproc.files import PrivateDirectory
from credproc.locking.lock import Lock

T = TypeVar("T")
_CHAINED_WAIT_SECONDS = 2  # the credproc that started this one may hold the very lock
_NOTICE_AFTER_SECONDS = 5


def prompt_lock(directory: PrivateDirectory | None) -> Lock:
    """Return the lock that a run holds while it prompts on this process's terminal."""
    from credproc.terminal.last_message import terminal_lock_name  # noqa: PLC0415 - not for a thousand runs that wait a second

    return Lock(directory, terminal_lock_name())


def window_lock(directory: PrivateDirectory | None) -> Lock:
    """Return the lock that a run holds while it prompts in a window: a user sees one at a time."""
    return Lock(directory, "window")


class WaitNotice:
    """Say once, after five seconds of waiting, which process holds the lock."""

    def __init__(self, directory: PrivateDirectory | None, describe_holder: Callable[[], str]) -> None:
        """Take the directory of the locks, and what describes the holder of the lock that this run waits for."""
        self._directory = directory
        self._describe_holder = describe_holder
        self._notice_lock: Lock | None = None
        self._is_decided = False

    def __call__(self, waited: float) -> None:
        """Show the notice once ``waited`` reaches 5 s, unless another run shows one or prompts on this terminal."""
        if self._is_decided or waited < _NOTICE_AFTER_SECONDS:
            return
        self._is_decided = True
        from credproc import terminal  # noqa: PLC0415 - not for a thousand runs that wait a second
        from credproc.terminal.last_message import terminal_lock_name  # noqa: PLC0415

        if not terminal.is_available():
            return
        prompt = prompt_lock(self._directory)
        is_free = prompt.try_acquire()
        prompt.close()
        notice_lock = Lock(self._directory, f"{terminal_lock_name()}.notice")
        if is_free and notice_lock.try_acquire():
            self._notice_lock = notice_lock  # held for as long as this run waits
            terminal.notify(
                f"credproc: waiting: {self._describe_holder()}; it may be asking for an MFA code in another terminal"
            )
        else:
            notice_lock.close()

    def close(self) -> None:
        """Let another waiting run show its notice."""
        if self._notice_lock is not None:
            self._notice_lock.close()


def wait_deadline(environ: Mapping[str, str], deadline: float) -> float:
    """Return until when to wait for a lock, in seconds of ``time.monotonic()``.

    That is ``deadline``, or 2 s from now in a run that another credproc has started.
    """
    is_chained = bool(environ.get("CREDPROC_PROFILE_CHAIN"))
    return time.monotonic() + _CHAINED_WAIT_SECONDS if is_chained else deadline


def wait_with_notice(
    lock: Lock, directory: PrivateDirectory | None, poll: Callable[[], T | None], deadline: float, subject: str
) -> T | None:
    """Do as ``Lock.wait`` does, and tell the user after 5 s which process holds the lock.

    ``deadline`` is in seconds of ``time.monotonic()``. Raises DeadlineError, whose message begins with ``subject``,
    when it has passed, and what ``poll`` raises.
    """
    notice = WaitNotice(directory, lock.describe_holder)
    try:
        return lock.wait(poll, deadline, notice)
    except DeadlineError as error:
        raise DeadlineError(f"{subject}: {error}", "wait for that process to end, or end it") from None
    finally:
        notice.close()
