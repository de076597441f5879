"""The ``keyring`` library's own backends for this platform: loaded by name, and what they raise.

No plug-in is searched for, no configuration file is read, and no backend that stores plain text is used.
"""

import sys
from collections.abc import Mapping
from typing import Any

from credproc.errors import SessionStoreError, inert

_CREDENTIAL_MANAGER = "keyring.backends.Windows.WinVaultKeyring"
_BACKENDS = {
    "darwin": ("keyring.backends.macOS.Keyring",),
    "win32": (_CREDENTIAL_MANAGER,),
}
_OTHER_BACKENDS = ("keyring.backends.SecretService.Keyring", "keyring.backends.kwallet.DBusKeyring")
# In keyring.backends: two that store nothing, and one that searches for others
_NO_KEYRINGS = ("fail", "null", "chainer")


class NoKeyringError(SessionStoreError):
    """There is no keyring in this login session."""


def load(environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - keyring's backends share no type
    """Return the platform's backend.

    Raises NoKeyringError if none works, TimeoutError if D-Bus does not answer in time.
    """
    failures: list[Exception] = []
    for name in _backend_names(environ):
        try:
            import keyring.core  # noqa: PLC0415 - only when a value is read or written

            backend = keyring.core.load_keyring(name)
            if name != _CREDENTIAL_MANAGER:
                return backend
            from credproc.stores.credential_manager import CredentialManager  # noqa: PLC0415 - Windows only

            return CredentialManager(backend)
        except TimeoutError:
            raise
        except errors() as error:
            failures.append(error)
    failure = failures[0] if failures else None
    raise NoKeyringError(f"there is no keyring here: {_no_keyring_reason(failure, environ)}") from failure


def _no_keyring_reason(error: Exception | None, environ: Mapping[str, str]) -> str:
    """Return in words why no backend works; ``error`` is what the first one raised, None if none was tried."""
    if error is None:
        return "PYTHON_KEYRING_BACKEND names none"
    if sys.platform in _BACKENDS:
        return "the system's cannot be used"
    if not environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return "no D-Bus session"
    if isinstance(error, OSError):
        return "D-Bus cannot be reached"
    return "nothing on D-Bus offers one"


def load_encryption(_backend: object) -> None:
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


def errors() -> tuple[type[Exception], ...]:
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


def has_exited(error: BaseException | None) -> bool:
    """Return whether the Secret Service exited during the call, as gnome-keyring may: the next call starts it again."""
    while error is not None and type(error).__name__ != "SecretServiceNotAvailableException":
        error = error.__cause__
    return error is not None


def described(error: BaseException) -> str:
    """Return a backend's failure as the rest of a sentence; its text is about the keyring and quotes no value."""
    kind = type(error).__name__
    if kind == "KeyringLocked":
        return "is locked, and was not unlocked"
    if kind in ("InitError", "PromptDismissedException"):
        return "is not set up, and its question was dismissed or could not be asked"
    if isinstance(error, TimeoutError):
        return "did not answer"
    text = inert((isinstance(error, OSError) and error.strerror) or str(error), 200).strip()
    return f"failed: {text[:1].lower()}{text[1:]}" if text else "failed"


def as_logged(error: BaseException) -> str:
    """Return the failure as the library says it, for the log."""
    return f"{type(error).__name__}: {inert(str(error), 200)}"
