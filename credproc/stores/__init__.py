"""Where an MFA session's secret is kept: the OS keyring, a private file for machines without one, or nowhere."""

from collections.abc import Callable, Mapping
from typing import Protocol

from credproc.config.settings import SessionStore
from credproc.files import PrivateDirectory
from credproc.stores.file import FileStore, NoStore
from credproc.stores.keyring import KeyringStore


class Store(Protocol):
    """Where the secrets are: keyring, file or none. All raise SessionStoreError if they fail."""

    kind: SessionStore

    def why_unusable(self) -> str | None:
        """Return why nothing can be kept here, or None: it can."""

    def get(self, name: str) -> str | None:
        """Return what is kept under the name, or None."""

    def set(self, name: str, value: str) -> None:
        """Keep the value under the name."""

    def delete(self, name: str) -> None:
        """Remove what is kept under the name, if anything is."""


def store_for(
    kind: SessionStore,
    directory: PrivateDirectory | None,
    environ: Mapping[str, str],
    unlocking: Callable[[], None] | None,
) -> Store:
    """Return the store of that kind; ``unlocking`` tells a person that the keyring may be waiting for them."""
    match kind:
        case "keyring":
            return KeyringStore(directory, environ, unlocking)
        case "file":
            return FileStore(directory)
        case "none":
            return NoStore()
