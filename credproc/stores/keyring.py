"""The OS keyring as a store of MFA sessions and access keys.

The store loads one of the ``keyring`` library's own backends for this platform by name: it searches for no plug-in,
reads no configuration file and stores nothing in plain text. Every call has a deadline, as the keyring may be asking
the user for a password, or not answer at all.
"""

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from typing import Any, TypeVar

from credproc import log, notes
from credproc.config.settings import SessionStore
from credproc.errors import DeadlineError, SessionStoreError, inert
from credproc.files import PrivateDirectory, digest
from credproc.process.deadline import BackgroundCall

T = TypeVar("T")
_SERVICE = "credproc MFA session"
_BACKENDS = {
    "darwin": ("keyring.backends.macOS.Keyring",),
    "win32": ("keyring.backends.Windows.WinVaultKeyring",),
}
_OTHER_BACKENDS = ("keyring.backends.SecretService.Keyring", "keyring.backends.kwallet.DBusKeyring")
# In keyring.backends: two that store nothing, and one that searches for others
_NO_KEYRINGS = ("fail", "null", "chainer")
_READ_SECONDS = 3
_WRITE_SECONDS = 5
_UNLOCK_SECONDS = 20  # where the system may be asking the user for the password
_NOTICE_SECONDS = 1
_VALUE_LIMIT = 1200  # characters on Windows, which takes 2,560 bytes of UTF-16
_PARTS = "credproc-parts:"


class NoKeyringError(SessionStoreError):
    """There is no keyring in this login session."""


class KeyringStore:
    """Store values of one ``service`` (MFA sessions, access keys) in the OS keyring."""

    kind: SessionStore = "keyring"

    def __init__(
        self,
        directory: PrivateDirectory | None,
        environ: Mapping[str, str],
        notify_unlocking: Callable[[], None] | None = None,
        limit: int | None = _VALUE_LIMIT if sys.platform == "win32" else None,
        service: str = _SERVICE,
    ) -> None:
        """Take the directory of the note about an unresponsive keyring, the environment, and the service.

        ``notify_unlocking`` is called when a read or a removal takes longer than a second. ``limit`` is the number of
        characters above which a value is stored in parts.
        """
        self._service = service
        self._directory = directory
        self._note = notes.Note(directory, notes.UNRESPONSIVE, "keyring")
        self._environ = environ
        self._notify_unlocking = notify_unlocking
        self._read_seconds = _READ_SECONDS if notify_unlocking is None else _UNLOCK_SECONDS
        self._limit = limit
        self._backend: Any = None

    def unavailable_reason(self) -> str | None:
        """Return why no keyring can be used, or None; this loads what a write needs, within 3 s."""
        try:
            self._call(_load_encryption, _READ_SECONDS)
        except SessionStoreError as error:
            return str(error)
        return None

    def get(self, name: str) -> str | None:
        """Return the value with this name, or None. Raises SessionStoreError."""

        def read(backend: Any) -> str | None:  # noqa: ANN401 - keyring's backends share no type
            value: str | None = backend.get_password(self._service, name)
            if value is None or not value.startswith(_PARTS):
                return value
            count = value.removeprefix(_PARTS)
            numbers = range(1, min(int(count), 99) + 1 if count.isdigit() else 1)
            return "".join(backend.get_password(self._service, f"{name}/{number}") or "" for number in numbers)

        return self._call(read, self._read_seconds)

    def set(self, name: str, value: str) -> None:
        """Store the value, in parts if the keyring limits its length. Raises SessionStoreError."""

        def write(backend: Any) -> None:  # noqa: ANN401 - keyring's backends share no type
            if self._limit is None or len(value) <= self._limit:
                backend.set_password(self._service, name, value)
                return
            parts = [value[start : start + self._limit] for start in range(0, len(value), self._limit)]
            for number, part in enumerate(parts, start=1):
                backend.set_password(self._service, f"{name}/{number}", part)
            # last: until then a reader gets the old value
            backend.set_password(self._service, name, f"{_PARTS}{len(parts)}")

        self._call(write, _WRITE_SECONDS)

    def delete(self, name: str) -> None:
        """Delete the value and its parts. Raises SessionStoreError."""

        def remove(backend: Any) -> None:  # noqa: ANN401 - keyring's backends share no type
            value = backend.get_password(self._service, name)
            if value is None:
                return
            count = value.removeprefix(_PARTS)
            parts = int(count) if value.startswith(_PARTS) and count.isdigit() else 0
            backend.delete_password(self._service, name)
            for number in range(1, min(parts, 99) + 1):
                if backend.get_password(self._service, f"{name}/{number}") is not None:
                    backend.delete_password(self._service, f"{name}/{number}")

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

    def _call(self, use: Callable[[Any], T], seconds: float) -> T:
        """Call ``use`` with the backend and return its result within ``seconds``. Raises SessionStoreError."""
        if self._is_unresponsive():
            raise SessionStoreError(
                "the keyring did not answer a short time ago, and credproc waits 5 minutes before it tries again"
            )

        deadline = time.monotonic() + seconds
        running = BackgroundCall(lambda: self._call_backend(use, deadline)).start()
        try:
            if self._notify_unlocking is None or seconds <= _NOTICE_SECONDS:
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
                    self._backend = _load(self._environ)
                return use(self._backend)
            except TimeoutError as error:  # jeepney waits one second for D-Bus to accept it; a busy machine needs more
                if time.monotonic() >= deadline:
                    raise SessionStoreError(f"the keyring {_describe(error)}") from None
            except _backend_errors() as error:
                if not (is_first and _service_exited(error)):
                    raise SessionStoreError(f"the keyring {_describe(error)}") from None
                is_first = False

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


def _load(environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - keyring's backends share no type
    """Return the platform's backend.

    Raises NoKeyringError if none works, TimeoutError if D-Bus does not answer in time.
    """
    reasons = []
    for name in _backend_names(environ):
        try:
            import keyring.core  # noqa: PLC0415 - only when a value is read or written

            return keyring.core.load_keyring(name)
        except TimeoutError:
            raise
        except _backend_errors() as error:
            reasons.append(_describe(error))
    raise NoKeyringError(f"there is no keyring: {reasons[0] if reasons else 'credproc knows none for this platform'}")


def _load_encryption(_backend: object) -> None:
    """Import what the Secret Service's backend would with the first secret: 20 ms, for which nobody need wait then."""
    if "secretstorage" in sys.modules:
        from cryptography.hazmat.backends import default_backend  # noqa: PLC0415 - as above

        default_backend()


def _backend_names(environ: Mapping[str, str]) -> tuple[str, ...]:
    chosen = environ.get("PYTHON_KEYRING_BACKEND", "")
    package, _, rest = chosen.partition("keyring.backends.")
    if not package and rest.count(".") == 1 and rest.replace(".", "").isidentifier():
        return () if rest.partition(".")[0] in _NO_KEYRINGS else (chosen,)
    return _BACKENDS.get(sys.platform, _OTHER_BACKENDS)


def _backend_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that a backend and the libraries it uses raise, of those that are loaded."""
    found: list[type[Exception]] = [OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError]
    found.append(ImportError)
    for module, name in (
        ("keyring.errors", "KeyringError"),
        ("secretstorage.exceptions", "SecretStorageException"),
        ("jeepney.wrappers", "DBusErrorResponse"),
    ):
        if module in sys.modules:
            found.append(getattr(sys.modules[module], name))
    return tuple(found)


def _service_exited(error: BaseException | None) -> bool:
    """Return whether the Secret Service exited during the call, as gnome-keyring may: the next call starts it again."""
    while error is not None and type(error).__name__ != "SecretServiceNotAvailableException":
        error = error.__cause__
    return error is not None


def _describe(error: Exception) -> str:
    """Return a backend's failure as the rest of a sentence; its text is about the keyring and quotes no value."""
    kind = type(error).__name__
    if kind == "KeyringLocked":
        return "is locked, and was not unlocked"
    text = inert(str(error), 200).strip()
    return f"failed: {kind}: {text}" if text else f"failed: {kind}"
