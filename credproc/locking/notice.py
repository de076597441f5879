"""Words for a person who waits: on each terminal one of those that wait says for whom."""

from collections.abc import Callable

from credproc.files import PrivateDirectory
from credproc.locking.lock import Lock

_AFTER_SECONDS = 5


def prompt_lock(directory: PrivateDirectory | None) -> Lock:
    """Return the lock that is held while a prompt is up on this process's terminal."""
    from credproc.terminal.last_message import terminal_name  # noqa: PLC0415 - not for a thousand that wait a second

    return Lock(directory, terminal_name())


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
        from credproc.terminal.last_message import terminal_name  # noqa: PLC0415

        if not terminal.is_there():
            return
        prompt = prompt_lock(self._directory)
        is_free = prompt.try_acquire()
        prompt.close()
        speaker = Lock(self._directory, f"{terminal_name()}.speaker")
        if is_free and speaker.try_acquire():
            self._speaker = speaker  # held for as long as we wait
            terminal.notify(f"credproc: waiting for {self._holder()}, which may be asking for an MFA code elsewhere")
        else:
            speaker.close()

    def close(self) -> None:
        """Let another one speak."""
        if self._speaker is not None:
            self._speaker.close()
