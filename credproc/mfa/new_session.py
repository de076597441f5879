"""The MFA session that a code gets, on its way into the store.

Whether it can be stored is found out while the user types. It is stored beside the calls that are made with it: a
keyring takes as long as half a call of STS. Nothing is printed before both have ended.
"""

import time

from credproc import log
from credproc.config.settings import SessionStore
from credproc.credentials import Credentials
from credproc.errors import DeadlineError, SessionStoreError
from credproc.locking.lock import Lock
from credproc.process.deadline import BackgroundCall
from credproc.request import Attempt
from credproc.stores import advice
from credproc.stores.mfa_sessions import StoredSession

_CHECK_SECONDS = 4  # to find out whether a session can be stored; a keyring gives up a little earlier
_STORE_SECONDS = 9  # to store it; a keyring and then a disk give up a little earlier


class NewSession:
    """A session that this run, which has the turn, may get."""

    def __init__(
        self, stored: StoredSession, lock: Lock, profile: str | None, setting: SessionStore, attempt: Attempt
    ) -> None:
        """Take where it is stored, the lock of that, the profile of the long-term keys, and who needs the session.

        ``setting`` is what the settings say about the store.
        """
        self._stored = stored
        self._lock = lock
        self._profile = profile
        self._setting = setting
        self._attempt = attempt
        self._reason: str | None = None
        self._check = BackgroundCall(stored.unavailable_reason)
        self._storing: BackgroundCall[None] | None = None

    def prepare(self) -> None:
        """Begin to find out whether it can be stored."""
        self._check.start()

    def can_be_stored(self) -> bool:
        """Return whether it can be stored; if not, log why."""
        try:
            reason = self._check.result(time.monotonic() + _CHECK_SECONDS)
        except DeadlineError:
            reason = "the keyring did not answer in time"
        if reason is not None:
            self._reason = reason
            self._log(f"no MFA session can be stored: {reason}")
        return reason is None

    @property
    def not_stored(self) -> str | None:
        """Why a session could not be stored, in words, and what would change that; known after ``close``."""
        if self._reason is None:
            return None
        to_do = advice(self._setting, self._attempt.directory)
        return self._reason if to_do is None else f"{self._reason}; {to_do}"

    @property
    def remark(self) -> str | None:
        """What whoever was asked for the code is told after ``close``; None for ``login``, which says it in the end."""
        if self.not_stored is None or self._setting == "none" or self._attempt.request.is_login:
            return None
        return f"the next role asks for a code again: {self.not_stored}"

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
        except DeadlineError:
            self._fail("the keyring did not answer in time")

    def _store(self, session: Credentials) -> None:
        try:
            self._stored.save(session, self._profile, self._attempt.request.clock())
        except SessionStoreError as error:
            self._fail(str(error))
        finally:
            self._lock.close()

    def _fail(self, reason: str) -> None:
        self._reason = reason
        self._log(f"cannot store the MFA session: {reason}")

    def _log(self, text: str) -> None:
        log.write(self._attempt.directory, text, profile=self._attempt.request.profile)
