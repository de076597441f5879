"""MFA sessions, shared by every role behind one user: the secret in the OS keyring, a note of it in a file beside.

A keyring cannot be listed, and reading it may take seconds or prompt the person. So each session has a note in
credproc's directory, without a secret: absent or expired means that there is none, and the keyring is not even loaded.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from credproc import log, notes
from credproc.config.settings import SessionStore, session_store_named
from credproc.credentials import LATEST, Credentials
from credproc.errors import SessionStoreError
from credproc.files import PrivateDirectory, digest
from credproc.stores import Store

LEAST_LEFT = 60  # seconds; a session with less is none
_FORMAT = 1  # of the value in the store
_UNKNOWN = 1 << 40  # epoch seconds that no session lasts to


class SessionId(NamedTuple):
    """Which session it is; the name stands for all that it belongs to, in the store and among the files."""

    name: str
    serial: str
    issuer: str  # partition, "global", or the URL of a configured endpoint; never a region


def session_id(access_key_id: str, serial: str, issuer: str) -> SessionId:
    """Return which session belongs to the user with these long-term keys, the device and the issuer."""
    text = f"{access_key_id}\0{serial}\0{issuer}"
    return SessionId(digest(text), serial, issuer)


class Index(NamedTuple):
    """What can be known of a session without its secret."""

    name: str
    serial: str
    issuer: str
    profile: str | None  # whose keys they are
    access_key_id: str  # of the session itself
    issued: int  # epoch seconds
    expiration: int  # epoch seconds
    store: SessionStore


class Sessions:
    """One session, in one store."""

    def __init__(
        self,
        directory: PrivateDirectory | None,
        session: SessionId,
        store: Store,
        store_named: Callable[[SessionStore], Store] | None = None,
    ) -> None:
        """Take the place of the index, which session it is, and the store that a new one is put into.

        ``store_named`` gives the store of another kind, into which an earlier run may have put the session.
        """
        self._directory = directory
        self._note = notes.Note(directory, notes.SESSION, session.name)
        self._id = session
        self._store = store
        self._store_named = store_named

    def index(self) -> Index | None:
        """Return what is noted of the session; None where there is none.

        Where nothing can be noted, there may be one: only the store knows.
        """
        if self._store.kind == "none":
            return None
        if self._directory is None:
            return Index(*self._id, None, "", 0, _UNKNOWN, self._store.kind)
        return read_index(self._directory, self._id.name)

    def read(self) -> Credentials | None:
        """Return the session that the store holds, whatever its age; None where it holds none that can be used.

        Raises SessionStoreError.
        """
        store = self._current_store()
        value = store.get(self._id.name)
        found = None if value is None else _credentials(value)
        if value is not None and found is None:
            log.write(self._directory, f"{store.kind}: what is kept for {self._id.serial} is no session")
        return found

    def keep(self, session: Credentials, profile: str | None, now: float) -> None:
        """Put the session into the store, and note it. Raises SessionStoreError."""
        self._store.set(self._id.name, _value(session))
        if session.expiration is None:
            return
        fields = {
            "serial": self._id.serial,
            "issuer": self._id.issuer,
            "profile": profile,
            "access_key_id": session.access_key_id,
            "issued": int(now),
            "expiration": session.expiration,
            "store": self._store.kind,
        }
        try:
            self._note.save(fields)
        except OSError as error:
            raise SessionStoreError(f"the session's index: {(error.strerror or 'cannot be written').lower()}") from None

    def drop(self) -> None:
        """Remove the session and the note of it. Raises SessionStoreError, and then the note stays."""
        self._current_store().delete(self._id.name)
        self._note.remove()

    def _current_store(self) -> Store:
        """Return the store that the index names, whatever the settings say by now."""
        index = self.index()
        if index is None or self._store_named is None or index.store == self._store.kind:
            return self._store
        return self._store_named(index.store)


def read_index(directory: PrivateDirectory, name: str) -> Index | None:
    """Return what is noted of the session with this name, or None where no note of it can be used."""
    note = notes.Note(directory, notes.SESSION, name).load()
    if note is None or not all(0 <= note[moment] <= LATEST for moment in ("issued", "expiration")):
        return None
    return Index(name, **note) if session_store_named(note["store"]) else None


def _value(session: Credentials) -> str:
    return json.dumps({"format": _FORMAT, **session._asdict()}, separators=(",", ":"))


def _credentials(value: str) -> Credentials | None:
    """Return the session in a stored value, or None where it is none."""
    try:
        about = json.loads(value)
        if not isinstance(about, dict) or about.pop("format", None) != _FORMAT:
            return None
        session = Credentials(**about)
    except (ValueError, TypeError, RecursionError):
        return None
    texts: tuple[Any, ...] = (session.access_key_id, session.secret_access_key, session.session_token)
    sound = all(isinstance(text, str) and text and text.isascii() and text.isprintable() for text in texts)
    return session if sound and isinstance(session.expiration, int) else None
