"""The store that is chosen where no setting names one: the desktop's keyring, or on Linux without one the kernel's.

In the kernel's keyring of root, and of any user of a container, lie the sessions of all that have the same number
there: those who want that name ``kernel`` themselves. No file is ever chosen.
"""

import os
import sys
from collections.abc import Iterable, Mapping

from credproc.config.settings import StoreKind
from credproc.errors import SessionStoreError
from credproc.process.container import is_container
from credproc.stores import keyctl
from credproc.stores.backends import NoKeyringError
from credproc.stores.kernel import KernelStore
from credproc.stores.keyring import KeyringStore


class AutomaticStore:
    """The keyring, until it is known that there is none."""

    def __init__(self, keyring: KeyringStore, kernel: KernelStore, environ: Mapping[str, str]) -> None:
        """Take both stores."""
        self._keyring = keyring
        self._kernel = kernel
        self._environ = environ
        self._chosen: KeyringStore | KernelStore = keyring

    @property
    def kind(self) -> StoreKind:
        """The kind of the store that is used; settled once ``unavailable_reason`` has returned."""
        return self._chosen.kind

    def unavailable_reason(self) -> str | None:
        """Choose a store, and return why nothing can be stored in it, or None."""
        try:
            self._keyring.check()
        except NoKeyringError as error:
            if not keyctl.are_known():
                return str(error)
            reason = self._no_kernel_reason()
            if reason is None:
                self._chosen = self._kernel
            return None if reason is None else f"{error}, and {reason}"
        except SessionStoreError as error:
            return str(error)
        return None

    def get(self, name: str) -> str | None:
        """Return the value with this name, or None. Raises SessionStoreError."""
        return self._chosen.get(name)

    def set(self, name: str, value: str, seconds: int) -> None:
        """Store the value for so many seconds. Raises SessionStoreError."""
        self._chosen.set(name, value, seconds)

    def delete(self, name: str) -> None:
        """Delete the value. Raises SessionStoreError."""
        self._chosen.delete(name)

    def names(self, candidates: Iterable[str]) -> list[str]:
        """Return the names of the values. Raises SessionStoreError."""
        return self._chosen.names(candidates)

    def _no_kernel_reason(self) -> str | None:
        if sys.platform == "linux" and os.geteuid() == 0:
            return "root's kernel keyring is used only if a setting names it"
        if is_container(self._environ):
            return "a container's kernel keyring is used only if a setting names it"
        return self._kernel.unavailable_reason()
