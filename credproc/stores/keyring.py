"""The OS keyring as a store of MFA sessions and access keys.

Every call of its backend (``backends``) has a deadline, as the keyring may be asking the user for a password, or not
answer at all.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from typing import Any, TypeVar

from credproc import log, notes
from credproc.config.settings import StoreKind
from credproc.errors import DeadlineError, SessionStoreError
from credproc.files import PrivateDirectory, digest
from credproc.process.deadline import BackgroundCall
from credproc.stores import backends

T = TypeVar("T")
_SERVICE = "credproc MFA session"
_READ_SECONDS = 3
_WRITE_SECONDS = 5
_UNLOCK_SECONDS = 20  # where the system may be asking the user for the password
_NOTICE_SECONDS = 1


class KeyringStore:
    """Store values of one ``service`` (MFA sessions, access keys) in the OS keyring."""

    kind: StoreKind = "keyring"

    def __init__(
        self,
        directory: PrivateDirectory | None,
        environ: Mapping[str, str],
        notify_unlocking: Callable[[], None] | None = None,
        service: str = _SERVICE,
    ) -> None:
        """Take the directory of the note about an unresponsive keyring, the environment, and the service.

        ``notify_unlocking`` is called when a read, a write or a removal takes longer than a second.
        """
        self._service = service
        self._directory = directory
        self._note = notes.Note(directory, notes.UNRESPONSIVE, "keyring")
        self._environ = environ
        self._notify_unlocking = notify_unlocking
        self._read_seconds = _READ_SECONDS if notify_unlocking is None else _UNLOCK_SECONDS
        self._backend: Any = None

    def check(self, seconds: float = _READ_SECONDS) -> None:
        """Load what a write needs, within so many seconds.

        Raises SessionStoreError, and NoKeyringError where there is none.
        """
        self._call(backends.load_encryption, seconds, may_unlock=False)

    def unavailable_reason(self) -> str | None:
        """Return why no keyring can be used, or None; see ``check``."""
        try:
            self.check()
        except SessionStoreError as error:
            return str(error)
        return None

    def get(self, name: str) -> str | None:
        """Return the value with this name, or None. Raises SessionStoreError."""

        def read(backend: Any) -> str | None:  # noqa: ANN401 - keyring's backends share no type
            value: str | None = backend.get_password(self._service, name)
            return value

        return self._call(read, self._read_seconds)

    def set(self, name: str, value: str, seconds: int = 0) -> None:  # noqa: ARG002 - Store's signature
        """Store the value. Raises SessionStoreError."""
        self._call(lambda backend: backend.set_password(self._service, name, value), _WRITE_SECONDS)

    def delete(self, name: str) -> None:
        """Delete the value. Raises SessionStoreError."""

        def remove(backend: Any) -> None:  # noqa: ANN401 - keyring's backends share no type
            if getattr(backend, "deletes_missing", False) or backend.get_password(self._service, name) is not None:
                backend.delete_password(self._service, name)

        self._call(remove, self._read_seconds)

    def names(self, candidates: Iterable[str]) -> list[str]:
        """Return the names of all values, or of the candidates where the keyring cannot be listed.

        Raises SessionStoreError.
        """

        def find(backend: Any) -> list[str]:  # noqa: ANN401 - keyring's backends share no type
            if not hasattr(backend, "get_preferred_collection"):  # only the Secret Service's has it
                return [name for name in candidates if backend.get_password(self._service, name) is not None]
            collection = backend.get_preferred_collection()
            with closing(collection.connection):
                items = collection.search_items({"service": self._service})
                return [item.get_attributes().get("username", "") for item in items]

        return self._call(find, self._read_seconds)

    def _call(self, use: Callable[[Any], T], seconds: float, *, may_unlock: bool = True) -> T:
        """Call ``use`` with the backend and return its result within ``seconds``. Raises SessionStoreError.

        ``may_unlock``: whether the system may be asking the user for the keyring's password meanwhile.
        """
        if self._is_unresponsive():
            raise SessionStoreError(
                "the keyring did not answer a short time ago, and credproc waits 5 minutes before it tries again"
            )

        deadline = time.monotonic() + seconds
        running = BackgroundCall(lambda: self._call_backend(use, deadline)).start()
        try:
            if self._notify_unlocking is None or not may_unlock:
                return running.result(deadline)
            try:
                return running.result(time.monotonic() + _NOTICE_SECONDS)
            except DeadlineError:
                self._notify_unlocking()
                return running.result(deadline)
        except DeadlineError:
            self._note_unresponsive()
            error = SessionStoreError(f"the keyring did not answer in {seconds} s")
            error.has_answered = False
            raise error from None

    def _call_backend(self, use: Callable[[Any], T], deadline: float) -> T:
        """Call ``use`` with the backend, and once more if the keyring service has exited. Raises SessionStoreError."""
        is_first = True
        while True:
            try:
                if self._backend is None:
                    self._backend = backends.load(self._environ)
                return use(self._backend)
            except TimeoutError as error:  # jeepney waits one second for D-Bus to accept it; a busy machine needs more
                if time.monotonic() >= deadline:
                    raise self._failure(error) from None
            except backends.NoKeyringError as error:
                if error.__cause__ is not None:
                    self._failure(error.__cause__)
                raise
            except backends.errors() as error:
                if not (is_first and backends.has_exited(error)):
                    raise self._failure(error) from None
                is_first = False

    def _failure(self, error: BaseException) -> SessionStoreError:
        """Log what the backend has raised, and return the error that says it in words."""
        log.write(self._directory, f"keyring: {backends.as_logged(error)}")
        return SessionStoreError(f"the keyring {backends.described(error)}")

    def _is_unresponsive(self) -> bool:
        note = self._note.load()
        if note is None or note["bus"] != self._bus_digest():
            return False
        since: float = note["since"]
        return 0 <= time.time() - since < notes.UNRESPONSIVE_SECONDS

    def _note_unresponsive(self) -> None:
        try:
            self._note.save({"since": int(time.time()), "bus": self._bus_digest()})
        except OSError as error:
            log.write(self._directory, f"cannot record that the keyring does not answer: {error}")

    def _bus_digest(self) -> str:
        """Return a digest of the session bus: the keyrings of a desktop and of an ssh login are different ones."""
        address = self._environ.get("DBUS_SESSION_BUS_ADDRESS", "")
        return digest(address, size=8)
