"""The ``keyring`` library's own backends for this platform: loaded by name, and what they raise.

No plug-in is searched for, no configuration file is read, and no backend that stores plain text is used.
"""

import sys
from collections.abc import Mapping
from typing import Any

from credproc.errors import SessionStoreError, inert
from credproc.stores.credential_manager import CredentialManager

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
    reasons = []
    for name in _backend_names(environ):
        try:
            import keyring.core  # noqa: PLC0415 - only when a value is read or written

            backend = keyring.core.load_keyring(name)
            return CredentialManager(backend) if name == _CREDENTIAL_MANAGER else backend
        except TimeoutError:
            raise
        except errors() as error:
            reasons.append(described(error))
    raise NoKeyringError(f"there is no keyring: {reasons[0] if reasons else 'credproc knows none for this platform'}")


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


def described(error: Exception) -> str:
    """Return a backend's failure as the rest of a sentence; its text is about the keyring and quotes no value."""
    kind = type(error).__name__
    if kind == "KeyringLocked":
        return "is locked, and was not unlocked"
    text = inert(str(error), 200).strip()
    return f"failed: {kind}: {text}" if text else f"failed: {kind}"
