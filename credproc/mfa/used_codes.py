"""Which MFA codes have been sent: AWS takes each once, and a second one in the same half minute only costs a call.

CachedEntry as digests under the key of the session that they were for. A code is worth nothing once it was used.
"""

import time

from credproc import log
from credproc.files import PrivateDirectory, digest

STEP = 30  # seconds that a code is shown; RFC 6238, and what AWS's devices use
_REMEMBERED = 3 * STEP  # STS takes the code before and the one after the current one too
_SUFFIX = ".used"
_LIMIT = 4096  # bytes


class UsedCodes:
    """The codes of one device that have been sent, by any run."""

    def __init__(self, directory: PrivateDirectory | None, name: str) -> None:
        """Take the name of the session that the codes are for."""
        self._directory = directory
        self._name = name + _SUFFIX
        self._key = name.encode()
        self._sent: dict[str, float] = {}  # where nothing can be kept, at least this run's own

    def holds(self, code: str, now: float) -> bool:
        """Whether this code has been sent in the last three steps before ``now`` (epoch seconds)."""
        return abs(now - self._known().get(self._digest(code), 0.0)) < _REMEMBERED

    def add(self, code: str, now: float) -> None:
        """Remember the code, before it is sent at ``now``."""
        self._sent = {digest: at for digest, at in self._known().items() if abs(now - at) < _REMEMBERED}
        self._sent[self._digest(code)] = now
        if self._directory is None:
            return
        try:
            lines = "".join(f"{digest} {at:.0f}\n" for digest, at in self._sent.items())
            self._directory.write(self._name, lines.encode("ascii"))
        except OSError as error:
            log.write(self._directory, f"the code's use is not kept: {error}")

    def _known(self) -> dict[str, float]:
        data = (self._directory.read(self._name, _LIMIT) if self._directory is not None else None) or b""
        known = dict(self._sent)
        for line in data.decode("ascii", "replace").splitlines():
            digest, _, at = line.partition(" ")
            if at.isdigit():
                known[digest] = float(at)
        return known

    def _digest(self, code: str) -> str:
        return digest(code, key=self._key[:64])


def seconds_to_next_step(now: float) -> float:
    """Return how long the device still shows the current code, at ``now`` in epoch seconds."""
    return STEP - now % STEP


def wait_for_next_step(now: float) -> None:
    """Sleep until the device shows another code."""
    time.sleep(seconds_to_next_step(now) + 0.2)
