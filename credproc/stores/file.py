"""The private file as a store, for machines without a keyring; and the store that holds nothing."""

from collections.abc import Iterable

from credproc.config.settings import StoreKind
from credproc.errors import SessionStoreError
from credproc.files import PrivateDirectory
from credproc.own_files import own_names

_NONE = "the session store is none"
_NO_DIRECTORY = "there is no private directory to store a session in"


class NoStore:
    """Store nothing: each role of the user needs a code of its own."""

    kind: StoreKind = "none"

    def unavailable_reason(self) -> str | None:
        """Return that the setting says so."""
        return _NONE

    def get(self, name: str) -> str | None:  # noqa: ARG002 - Store's signature
        """Return None."""
        return None

    def set(self, name: str, value: str, seconds: int) -> None:  # noqa: ARG002
        """Raise SessionStoreError."""
        raise SessionStoreError(_NONE)

    def delete(self, name: str) -> None:
        """Do nothing."""

    def names(self, candidates: Iterable[str]) -> list[str]:  # noqa: ARG002
        """Return nothing."""
        return []


class FileStore:
    """Store each value in a file of mode 0600 beside the cache entries, which hold credentials too."""

    kind: StoreKind = "file"
    suffix = ".credentials"

    def __init__(self, directory: PrivateDirectory | None) -> None:
        """Take credproc's directory."""
        self._directory = directory

    def unavailable_reason(self) -> str | None:
        """Return that there is no directory, or None."""
        return _NO_DIRECTORY if self._directory is None else None

    def get(self, name: str) -> str | None:
        """Return the content of the file, or None."""
        data = None if self._directory is None else self._directory.read(name + self.suffix, 64 * 1024)
        return None if data is None else data.decode("utf-8", "replace")

    def set(self, name: str, value: str, seconds: int = 0) -> None:  # noqa: ARG002 - Store's signature
        """Write the file. Raises SessionStoreError."""
        if self._directory is None:
            raise SessionStoreError(_NO_DIRECTORY)
        try:
            self._directory.write(name + self.suffix, value.encode())
        except OSError as error:
            raise SessionStoreError(f"the session's file: {(error.strerror or 'error').lower()}") from None

    def delete(self, name: str) -> None:
        """Delete the file."""
        if self._directory is not None:
            self._directory.remove(name + self.suffix)

    def names(self, candidates: Iterable[str]) -> list[str]:  # noqa: ARG002
        """Return the names of all files of the store. Raises SessionStoreError."""
        try:
            found = [] if self._directory is None else own_names(self._directory, self.suffix)
        except OSError as error:
            raise SessionStoreError(f"the session files: {(error.strerror or 'error').lower()}") from None
        return [name.removesuffix(self.suffix) for name in found]
