"""Which MFA codes have been sent: AWS takes each once, so that sending one again only costs a call.

A note holds their digests, under the name of the session that they were for. A used code is worth nothing.
"""

import time

from credproc import log, notes
from credproc.files import PrivateDirectory, digest

STEP = 30  # seconds that a code is shown; RFC 6238, and what AWS's devices use


class UsedCodes:
    """The codes of one device that have been sent, by any run."""

    def __init__(self, directory: PrivateDirectory | None, name: str) -> None:
        """Take the name of the session that the codes are for."""
        self._directory = directory
        self._note = notes.Note(directory, notes.USED_CODES, name)
        self._key = name.encode()
        self._sent: dict[str, float] = {}  # where nothing can be kept, at least this run's own

    def holds(self, code: str, now: float) -> bool:
        """Whether this code has been sent in the last three steps before ``now`` (epoch seconds)."""
        return self._digest(code) in self._known(now)

    def add(self, code: str, now: float) -> None:
        """Remember the code, before it is sent at ``now``."""
        self._sent = {**self._known(now), self._digest(code): now}
        try:
            self._note.save({"codes": self._sent})
        except OSError as error:
            log.write(self._directory, f"the code's use is not noted: {error}")

    def _known(self, now: float) -> dict[str, float]:
        note = self._note.load()
        sent = self._sent if note is None else {**self._sent, **note["codes"]}
        return {code: at for code, at in sent.items() if abs(now - at) < notes.USED_CODE_SECONDS}

    def _digest(self, code: str) -> str:
        return digest(code, key=self._key[:64])


def seconds_to_next_step(now: float) -> float:
    """Return how long the device still shows the current code, at ``now`` in epoch seconds."""
    return STEP - now % STEP


def wait_for_next_step(now: float) -> None:
    """Sleep until the device shows another code."""
    time.sleep(seconds_to_next_step(now) + 0.2)
