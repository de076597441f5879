"""A private file for machines without a keyring, and no store at all."""

from credproc.config.settings import SessionStore
from credproc.errors import SessionStoreError
from credproc.files import PrivateDirectory


class NoStore:
    """Keeps nothing: every role behind the user costs a code."""

    kind: SessionStore = "none"

    def why_unusable(self) -> str | None:
        """Return that it was chosen so."""
        return "the session store is none"

    def get(self, name: str) -> str | None:  # noqa: ARG002 - Store's signature
        """Return None."""
        return None

    def set(self, name: str, value: str) -> None:  # noqa: ARG002
        """Raise SessionStoreError."""
        raise SessionStoreError("the session store is none")

    def delete(self, name: str) -> None:
        """Do nothing."""


class FileStore:
    """Keeps a session in a file of ours, 0600, beside the cache's entries, which hold credentials too."""

    kind: SessionStore = "file"
    suffix = ".credentials"

    def __init__(self, directory: PrivateDirectory | None) -> None:
        """Take credproc's directory."""
        self._directory = directory

    def why_unusable(self) -> str | None:
        """Return that there is no directory, or None."""
        return "there is no private directory to keep a session in" if self._directory is None else None

    def get(self, name: str) -> str | None:
        """Return what the file holds, or None."""
        data = None if self._directory is None else self._directory.read(name + self.suffix, 64 * 1024)
        return None if data is None else data.decode("utf-8", "replace")

    def set(self, name: str, value: str) -> None:
        """Write the file; raises SessionStoreError."""
        if self._directory is None:
            raise SessionStoreError("there is no private directory to keep a session in")
        try:
            self._directory.write(name + self.suffix, value.encode())
        except OSError as error:
            raise SessionStoreError(f"the session's file: {(error.strerror or 'error').lower()}") from None

    def delete(self, name: str) -> None:
        """Remove the file."""
        if self._directory is not None:
            self._directory.remove(name + self.suffix)
