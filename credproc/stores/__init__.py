"""Stores for secrets: the OS keyring, a private file for machines without a keyring, or none."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from credproc.config.settings import SessionStore
from credproc.files import PrivateDirectory
from credproc.stores.file import FileStore, NoStore
from credproc.stores.keyring import KeyringStore


class Store(Protocol):
    """A place for secrets. Each method but ``unavailable_reason`` raises SessionStoreError if it fails."""

    kind: SessionStore

    def unavailable_reason(self) -> str | None:
        """Return why nothing can be stored here, or None if it can."""

    def get(self, name: str) -> str | None:
        """Return the value with this name, or None."""

    def set(self, name: str, value: str) -> None:
        """Store the value under the name."""

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
        case "keyring":
            return KeyringStore(directory, environ, notify_unlocking)
        case "file":
            return FileStore(directory)
        case "none":
            return NoStore()
