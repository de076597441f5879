"""The MFA session that a code gets, on its way into the store.

Whether it can be stored is found out while the user types. It is stored beside the calls that are made with it: a
keyring takes as long as half a call of STS. Nothing is printed before both have ended.
"""

import time

from credproc import log
from credproc.credentials import Credentials
from credproc.errors import DeadlineError, SessionStoreError
from credproc.locking.lock import Lock
from credproc.process.deadline import BackgroundCall
from credproc.request import Attempt
from credproc.stores.mfa_sessions import StoredSession

_CHECK_SECONDS = 4  # to find out whether a session can be stored; a keyring gives up a little earlier
_STORE_SECONDS = 9  # to store it; a keyring and then a disk give up a little earlier


class NewSession:
    """A session that this run, which has the turn, may get."""

    def __init__(self, stored: StoredSession, lock: Lock, profile: str | None, attempt: Attempt) -> None:
        """Take where it is stored, the lock of that, the profile of the long-term keys, and who needs the session."""
        self._stored = stored
        self._lock = lock
        self._profile = profile
        self._attempt = attempt
        self._check = BackgroundCall(stored.unavailable_reason)
        self._storing: BackgroundCall[None] | None = None

    def prepare(self) -> None:
        """Begin to find out whether it can be stored."""
        self._check.start()

    def can_be_stored(self) -> bool:
        """Return whether it can be stored; if not, log why."""
        try:
            reason = self._check.result(time.monotonic() + _CHECK_SECONDS)
        except DeadlineError as error:
            reason = str(error)
        if reason is not None:
            self._log(f"no MFA session can be stored: {reason}")
        return reason is None

    def store(self, session: Credentials) -> None:
        """Begin to store it; once it is stored, or cannot be, other runs may take their turn."""
        self._storing = BackgroundCall(lambda: self._store(session)).start()

    def close(self) -> None:
        """Wait until it is stored, if there is one, and let other runs take their turn."""
        if self._storing is None:
            self._lock.close()
            return
        try:
            self._storing.result(time.monotonic() + _STORE_SECONDS)
        except DeadlineError as error:
            self._log(f"cannot store the MFA session: {error}")

    def _store(self, session: Credentials) -> None:
        try:
            self._stored.save(session, self._profile, self._attempt.request.clock())
        except SessionStoreError as error:
            self._log(f"cannot store the MFA session: {error}")
        finally:
            self._lock.close()

    def _log(self, text: str) -> None:
        log.write(self._attempt.directory, text, profile=self._attempt.request.profile)
