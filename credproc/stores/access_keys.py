"""Long-term access keys in the OS keyring, each under its id, and the state of a rotation.

The config file says which key a profile uses (``credproc_access_key_id``); its secret is in the keyring only. While a
key is rotated the keyring also holds its replacement (``ID pending``), and under the replacement's id the id of the old
key (``ID replaces``): so an interrupted rotation is found from either key.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from credproc import log, notes
from credproc.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Credentials
from credproc.errors import SessionStoreError
from credproc.files import PrivateDirectory, digest
from credproc.stores.keyring import KeyringStore

SERVICE = "credproc access key"
_FORMAT = 1
_CHECK_SECONDS = 10  # a person waits, and a busy machine loads the backend slowly


class Pending(NamedTuple):
    """A key that will replace another: recorded before IAM creates it, and then again with its secret."""

    since: int  # epoch seconds
    before: tuple[str, ...]  # the user's access key ids at that time
    keys: Credentials | None = None


class AccessKeyStore:
    """The access keys in the keyring. Each method raises SessionStoreError if the keyring fails."""

    def __init__(
        self,
        directory: PrivateDirectory | None,
        environ: Mapping[str, str],
        notify_unlocking: Callable[[], None] | None = None,
    ) -> None:
        """Take the arguments of ``KeyringStore``."""

        def new_store() -> KeyringStore:
            return KeyringStore(directory, environ, notify_unlocking, service=SERVICE)

        self._new_store = new_store
        self._store = self._new_store()

    def check(self) -> None:
        """Look whether there is a keyring, for 10 s. Raises NoKeyringError if there is none."""
        self._store.check(_CHECK_SECONDS)

    def read(self, access_key_id: str) -> Credentials | None:
        """Return the key, or None if the keyring holds no valid one."""
        return _credentials(self._read(access_key_id), access_key_id)

    def save(self, keys: Credentials) -> None:
        """Store the key, and check that the keyring returns it."""
        self._save(keys.access_key_id, _fields(keys))

    def delete(self, access_key_id: str) -> None:
        """Delete the key."""
        self._store.delete(access_key_id)

    def read_pending(self, access_key_id: str) -> Pending | None:
        """Return the key that will replace this one, or None if it is not being rotated."""
        fields = self._read(f"{access_key_id} pending")
        if fields is None:
            return None
        since, before = fields.get("since"), fields.get("before")
        if not isinstance(since, int) or not isinstance(before, list):
            return None
        return Pending(since, tuple(map(str, before)), _credentials(fields, None))

    def save_pending(self, access_key_id: str, pending: Pending) -> None:
        """Store the key that will replace this one, and check that the keyring returns it."""
        keys = {} if pending.keys is None else _fields(pending.keys)
        self._save(f"{access_key_id} pending", {"since": pending.since, "before": list(pending.before), **keys})

    def read_replaced(self, access_key_id: str) -> str | None:
        """Return the id of the key that this one has replaced, or None once that key is deleted."""
        fields = self._read(f"{access_key_id} replaces")
        found = "" if fields is None else str(fields.get("replaces", ""))
        return found if ACCESS_KEY_ID.fullmatch(found) else None

    def save_replaced(self, access_key_id: str, old: str) -> None:
        """Store the id of the key that this one replaces."""
        self._save(f"{access_key_id} replaces", {"replaces": old})

    def delete_pending(self, access_key_id: str) -> None:
        """Delete the record of the key that will replace this one."""
        self._store.delete(f"{access_key_id} pending")

    def delete_replaced(self, access_key_id: str) -> None:
        """Delete the record of the key that this one has replaced."""
        self._store.delete(f"{access_key_id} replaces")

    def _read(self, name: str) -> dict[str, Any] | None:
        return _parsed(self._store.get(name))

    def _save(self, name: str, fields: Mapping[str, Any]) -> None:
        value = json.dumps({"format": _FORMAT, **fields}, separators=(",", ":"))
        self._store.set(name, value)
        if self._new_store().get(name) != value:  # over a connection of its own, so that no copy in this one answers
            raise SessionStoreError("the keyring does not return the value that was just stored")


def _fields(keys: Credentials) -> dict[str, str]:
    return {"access_key_id": keys.access_key_id, "secret_access_key": keys.secret_access_key}


def _parsed(value: str | None) -> dict[str, Any] | None:
    try:
        fields = None if value is None else json.loads(value)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) and fields.get("format") == _FORMAT else None


def _credentials(fields: Mapping[str, Any] | None, access_key_id: str | None) -> Credentials | None:
    """Return the key in a stored value, or None if the value is not a key, or another key than ``access_key_id``."""
    found = {} if fields is None else fields
    texts = [str(found.get(name, "")) for name in ("access_key_id", "secret_access_key")]
    if not ACCESS_KEY_ID.fullmatch(texts[0]) or not SECRET_ACCESS_KEY.fullmatch(texts[1]):
        return None
    return None if access_key_id not in (None, texts[0]) else Credentials(texts[0], texts[1])


# The notes in credproc's directory, without the secret


def save_note(directory: PrivateDirectory | None, access_key_id: str, *, pending: bool) -> None:
    """Record for ``keys list`` that the key is in the keyring, and whether another key will replace it."""
    try:
        _note(directory, access_key_id).save({"access_key_id": access_key_id, "pending": pending})
    except OSError as error:
        log.write(directory, f"cannot record that {access_key_id} is in the keyring: {error}")


def remove_note(directory: PrivateDirectory | None, access_key_id: str) -> None:
    """Remove the note."""
    _note(directory, access_key_id).remove()


def is_pending(directory: PrivateDirectory | None, access_key_id: str) -> bool:
    """Return whether a note says that another key will replace this one."""
    found = _note(directory, access_key_id).load()
    return found is not None and found["access_key_id"] == access_key_id and found["pending"]


def _note(directory: PrivateDirectory | None, access_key_id: str) -> notes.Note:
    return notes.Note(directory, notes.ACCESS_KEY, digest(access_key_id))
