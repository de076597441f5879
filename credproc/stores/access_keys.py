"""Long-term access keys in the OS keyring: each under its id, and what a rotation must not forget.

The config file says which key a profile has (``credproc_access_key_id``); the secret is here alone. Beside an access
key stand, while it is rotated, the key that will take its place (``ID pending``) and, under the new one's id, whose
place it took (``ID replaces``): a rotation that was interrupted is found again from either side.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from credproc import log, notes
from credproc.credentials import Credentials
from credproc.errors import SessionStoreError
from credproc.files import PrivateDirectory, digest
from credproc.stores.keyring import KeyringStore

SERVICE = "credproc access key"
_FORMAT = 1


class Pending(NamedTuple):
    """A key that is to take another's place: announced before IAM makes it, then with its secret."""

    since: int  # epoch seconds
    before: tuple[str, ...]  # the user's access key ids then
    keys: Credentials | None = None


class LongTermKeys:
    """The keys in the keyring. All raise SessionStoreError if the keyring fails."""

    def __init__(
        self,
        directory: PrivateDirectory | None,
        environ: Mapping[str, str],
        unlocking: Callable[[], None] | None = None,
    ) -> None:
        """Take where a failing keyring is remembered, and what tells a person that the keyring waits for them."""

        def new_store() -> KeyringStore:
            return KeyringStore(directory, environ, unlocking, service=SERVICE)

        self._new_store = new_store
        self._store = self._new_store()

    def read(self, access_key_id: str) -> Credentials | None:
        """Return the key, or None where the keyring holds none that can be used."""
        return _credentials(self._read(access_key_id), access_key_id)

    def keep(self, keys: Credentials) -> None:
        """Put the key into the keyring, and see that it is there."""
        self._keep(keys.access_key_id, _about(keys))

    def drop(self, access_key_id: str) -> None:
        """Remove the key."""
        self._store.delete(access_key_id)

    def pending(self, access_key_id: str) -> Pending | None:
        """Return the key that is to take this one's place; None: it is not being rotated."""
        about = self._read(f"{access_key_id} pending")
        if about is None:
            return None
        since, before = about.get("since"), about.get("before")
        if not isinstance(since, int) or not isinstance(before, list):
            return None
        return Pending(since, tuple(map(str, before)), _credentials(about, None))

    def keep_pending(self, access_key_id: str, pending: Pending) -> None:
        """Note which key is to take this one's place, and see that it is noted."""
        keys = {} if pending.keys is None else _about(pending.keys)
        self._keep(f"{access_key_id} pending", {"since": pending.since, "before": list(pending.before), **keys})

    def replaced_by(self, access_key_id: str) -> str | None:
        """Return whose place this key has taken, as long as that one's end is not seen to."""
        about = self._read(f"{access_key_id} replaces")
        found = None if about is None else about.get("replaces")
        return found if isinstance(found, str) else None

    def keep_replaced(self, access_key_id: str, old: str) -> None:
        """Note whose place this key takes."""
        self._keep(f"{access_key_id} replaces", {"replaces": old})

    def drop_pending(self, access_key_id: str) -> None:
        """Forget which key is to take this one's place."""
        self._store.delete(f"{access_key_id} pending")

    def drop_replaced(self, access_key_id: str) -> None:
        """Forget whose place this key has taken."""
        self._store.delete(f"{access_key_id} replaces")

    def _read(self, name: str) -> dict[str, Any] | None:
        return _parsed(self._store.get(name))

    def _keep(self, name: str, about: Mapping[str, Any]) -> None:
        value = json.dumps({"format": _FORMAT, **about}, separators=(",", ":"))
        self._store.set(name, value)
        if self._new_store().get(name) != value:  # over a connection of its own
            raise SessionStoreError("the keyring does not give back what was put into it")


def _about(keys: Credentials) -> dict[str, str]:
    return {"access_key_id": keys.access_key_id, "secret_access_key": keys.secret_access_key}


def _parsed(value: str | None) -> dict[str, Any] | None:
    try:
        about = None if value is None else json.loads(value)
    except (ValueError, RecursionError):
        return None
    return about if isinstance(about, dict) and about.get("format") == _FORMAT else None


def _credentials(about: Mapping[str, Any] | None, access_key_id: str | None) -> Credentials | None:
    """Return the key in a stored value, or None where it is none, or another one."""
    found = {} if about is None else about
    texts = (found.get("access_key_id"), found.get("secret_access_key"))
    if not all(isinstance(text, str) and text and text.isascii() and text.isprintable() for text in texts):
        return None
    return None if access_key_id not in (None, texts[0]) else Credentials(str(texts[0]), str(texts[1]))


# --- what is noted of a key beside the cache's entries, without its secret -------------------------------------


def note(directory: PrivateDirectory | None, access_key_id: str, *, pending: bool) -> None:
    """Note that the key is in the keyring, and whether another is to take its place; a help for ``keys list`` alone."""
    try:
        _note(directory, access_key_id).save({"access_key_id": access_key_id, "pending": pending})
    except OSError as error:
        log.write(directory, f"not noted that {access_key_id} is in the keyring: {error}")


def forget(directory: PrivateDirectory | None, access_key_id: str) -> None:
    """Remove the note."""
    _note(directory, access_key_id).remove()


def is_pending(directory: PrivateDirectory | None, access_key_id: str) -> bool:
    """Whether it is noted that another key is to take this one's place."""
    found = _note(directory, access_key_id).load()
    return found is not None and found["access_key_id"] == access_key_id and found["pending"]


def _note(directory: PrivateDirectory | None, access_key_id: str) -> notes.Note:
    return notes.Note(directory, notes.ACCESS_KEY, digest(access_key_id))
