"""Stores for secrets: the OS keyring, the Linux kernel's, a private file, or none."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from credproc.config.settings import SessionStore, StoreKind
from credproc.files import PrivateDirectory
from credproc.stores.automatic import AutomaticStore
from credproc.stores.file import FileStore, NoStore
from credproc.stores.kernel import KernelStore
from credproc.stores.keyring import KeyringStore

_ADVICE_ON_DIRECTORY = "set CREDPROC_CACHE_DIR to a directory of yours that others may not write to"


class Store(Protocol):
    """A place for secrets. Each method but ``unavailable_reason`` raises SessionStoreError if it fails."""

    @property
    def kind(self) -> StoreKind:
        """The kind of the store."""

    def unavailable_reason(self) -> str | None:
        """Return why nothing can be stored here, or None if it can."""

    def get(self, name: str) -> str | None:
        """Return the value with this name, or None."""

    def set(self, name: str, value: str, seconds: int) -> None:
        """Store the value under the name; it is worth nothing after so many seconds."""

    def delete(self, name: str) -> None:
        """Delete the value with this name, if there is one."""

    def names(self, candidates: Iterable[str]) -> list[str]:
        """Return the names of all values; where the store cannot be listed, those of the candidates that it holds."""


def store_for(
    kind: SessionStore,
    directory: PrivateDirectory | None,
    environ: Mapping[str, str],
    notify_unlocking: Callable[[], None] | None,
) -> Store:
    """Return the store of that kind; ``notify_unlocking`` tells the user that the keyring may wait to be unlocked."""
    match kind:
        case "auto":
            keyring = KeyringStore(directory, environ, notify_unlocking)
            return AutomaticStore(keyring, KernelStore(), environ)
        case "keyring":
            return KeyringStore(directory, environ, notify_unlocking)
        case "kernel":
            return KernelStore()
        case "file":
            return FileStore(directory)
        case "none":
            return NoStore()


def advice(kind: SessionStore, directory: PrivateDirectory | None) -> str | None:
    """Return what would let MFA sessions be kept where a store of that kind cannot keep them; None for ``none``."""
    match kind:
        case "none":
            return None
        case "file":
            return _ADVICE_ON_DIRECTORY
        case "auto" | "keyring" | "kernel":
            if directory is None:
                return _ADVICE_ON_DIRECTORY
            return f"credproc_session_store = {' or '.join(other_stores(kind))} would keep it"


def other_stores(kind: SessionStore) -> list[StoreKind]:
    """Return the stores that would keep MFA sessions where one of that kind does not; the best first."""
    has_kernel = kind in ("auto", "keyring") and KernelStore().unavailable_reason() is None
    found: list[StoreKind] = ["kernel"] if has_kernel else []
    return found if kind == "file" else [*found, "file"]
