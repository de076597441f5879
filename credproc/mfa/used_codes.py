"""Remember which MFA codes have been sent: AWS accepts each code once, so that sending it again only wastes a call.

A note with the name of the MFA session holds digests of the codes. A code that has been used needs no protection.
"""

import time

from credproc import log, notes
from credproc.files import PrivateDirectory, digest

STEP_SECONDS = 30  # for which a device shows a code; RFC 6238, and AWS's devices


class UsedCodes:
    """The codes of one device that any run has sent."""

    def __init__(self, directory: PrivateDirectory | None, name: str) -> None:
        """Take credproc's directory and the name of the MFA session that the codes are for."""
        self._directory = directory
        self._note = notes.Note(directory, notes.USED_CODES, name)
        self._key = name.encode()
        self._sent: dict[str, float] = {}  # this run's own, for a directory that cannot be written

    def contains(self, code: str, now: float) -> bool:
        """Return whether any run has sent this code in the 90 seconds before ``now`` (epoch seconds)."""
        return self._digest(code) in self._recent(now)

    def add(self, code: str, now: float) -> None:
        """Record the code, before it is sent at ``now`` (epoch seconds)."""
        self._sent = {**self._recent(now), self._digest(code): now}
        try:
            self._note.save({"codes": self._sent})
        except OSError as error:
            log.write(self._directory, f"cannot record that the code has been used: {error}")

    def _recent(self, now: float) -> dict[str, float]:
        note = self._note.load()
        sent = self._sent if note is None else {**self._sent, **note["codes"]}
        return {code: at for code, at in sent.items() if abs(now - at) < notes.USED_CODE_SECONDS}

    def _digest(self, code: str) -> str:
        return digest(code, key=self._key[:64])


def seconds_to_next_step(now: float) -> float:
    """Return for how many seconds from ``now`` (epoch seconds) a device still shows the current code."""
    return STEP_SECONDS - now % STEP_SECONDS


def wait_for_next_step(now: float) -> None:
    """Sleep until a device shows the code after the one of ``now`` (epoch seconds)."""
    time.sleep(seconds_to_next_step(now) + 0.2)
