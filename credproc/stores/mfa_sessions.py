"""MFA sessions, which all roles of one user share: the secret is in a store, an index without it in a note.

A keyring cannot be listed, and reading it may take seconds or prompt the user. So the index of each session is a note
in credproc's directory. If it is missing or expired there is no session, and the keyring is not even loaded.
"""

import binascii
import json
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from credproc import log, notes
from credproc.config.settings import STORE_KINDS, StoreKind
from credproc.credentials import LATEST, Credentials
from credproc.errors import SessionStoreError
from credproc.files import PrivateDirectory, digest
from credproc.stores import Store
from credproc.stores.kernel import KernelStore

MIN_SECONDS_LEFT = 60  # a session with less is not used
_FORMAT = 1  # of the value in the store
_UNKNOWN_EXPIRATION = 1 << 40  # epoch seconds, later than any session's


class SessionId(NamedTuple):
    """Identifies a session. The name, in the store and of the files, is a digest of all that the session belongs to."""

    name: str
    serial: str
    issuer: str  # partition, "global", or the URL of a configured endpoint; never a region


def session_id(access_key_id: str, serial: str, issuer: str) -> SessionId:
    """Return the id of the session for these long-term keys, this device and this issuer."""
    text = f"{access_key_id}\0{serial}\0{issuer}"
    return SessionId(digest(text), serial, issuer)


class SessionIndex(NamedTuple):
    """What is known about a session without reading its secret."""

    name: str
    serial: str
    issuer: str
    profile: str | None  # of the long-term keys
    access_key_id: str  # of the session itself
    issued: int  # epoch seconds
    expiration: int  # epoch seconds
    store: StoreKind


class StoredSession:
    """One session in a store, with its index."""

    def __init__(
        self,
        directory: PrivateDirectory | None,
        session: SessionId,
        store: Store,
        other_store: Callable[[StoreKind], Store] | None = None,
    ) -> None:
        """Take the directory of the index, the session's id, and the store for a new session.

        ``other_store`` returns the store of another kind, where an earlier run may have stored the session.
        """
        self._directory = directory
        self._note = notes.Note(directory, notes.SESSION, session.name)
        self._id = session
        self._store = store
        self._other_store = other_store

    def index(self) -> SessionIndex | None:
        """Return the session's index, or None if there is no session.

        Without a directory the index says that there may be a session: only the store knows.
        """
        if self._store.kind == "none":
            return None
        if self._directory is None:
            return SessionIndex(*self._id, None, "", 0, _UNKNOWN_EXPIRATION, self._store.kind)
        return read_index(self._directory, self._id.name)

    def unavailable_reason(self) -> str | None:
        """Return why a new session cannot be stored, or None if it can."""
        return self._store.unavailable_reason() or self._no_half_reason()

    def read(self) -> Credentials | None:
        """Return the stored session, even an expired one; None without a valid one. Raises SessionStoreError."""
        note, store = self._note.load(), self._current_store()
        value = store.get(self._id.name)
        found = None if value is None else _from_json(_whole(value, None if note is None else note["other_half"]))
        if value is not None and found is None:
            log.write(self._directory, f"{store.kind}: the value for {self._id.serial} is not an MFA session")
        return found

    def save(self, session: Credentials, profile: str | None, now: float) -> None:
        """Store the session and write its index; ``now`` is in epoch seconds. Raises SessionStoreError.

        An index that has expired comes first: a run that is ended in between leaves an index without a session, and
        never a session that ``logout`` does not know of. Other runs look for the session once it is stored.
        """
        if session.expiration is None:  # it would never be used
            return
        fields = {
            "serial": self._id.serial,
            "issuer": self._id.issuer,
            "profile": profile,
            "access_key_id": session.access_key_id,
            "issued": int(now),
            "expiration": session.expiration,
            "store": self._store.kind,
            "other_half": None,
        }
        value, reason = _to_json(session), self._no_half_reason()
        if reason is not None:
            raise SessionStoreError(reason)
        if self._store.kind == "kernel":
            value, fields["other_half"] = _halves(value)
        before = self._note.load()
        if before is None or before["store"] != self._store.kind or fields["other_half"] is not None:
            self._save_note({**fields, "expiration": int(now)})
        try:
            self._store.set(self._id.name, value, session.expiration - int(now))
        except SessionStoreError as error:
            if error.has_answered:  # else it may be stored all the same
                self._restore_note(before)
            raise
        self._save_note(fields)

    def delete(self) -> None:
        """Delete the session, then its index. Raises SessionStoreError; the index stays then."""
        self._current_store().delete(self._id.name)
        self._note.remove()

    def _no_half_reason(self) -> str | None:
        """Return why a session for the kernel cannot be divided, or None."""
        is_missing = self._store.kind == "kernel" and self._directory is None
        return "there is no private directory for the other half of the session" if is_missing else None

    def _save_note(self, fields: Mapping[str, Any]) -> None:
        try:
            self._note.save(fields)
        except OSError as error:
            raise SessionStoreError(f"the session's index: {(error.strerror or 'cannot be written').lower()}") from None

    def _restore_note(self, before: Mapping[str, Any] | None) -> None:
        if before is None:
            self._note.remove()
        else:
            self._save_note(before)

    def _current_store(self) -> Store:
        """Return the store that the index names, even if the settings name another one now."""
        index = self.index()
        if index is None or self._other_store is None or index.store == self._store.kind:
            return self._store
        return self._other_store(index.store)


def read_index(directory: PrivateDirectory, name: str) -> SessionIndex | None:
    """Return the index of the session with this name, or None if it is missing or damaged."""
    note = notes.Note(directory, notes.SESSION, name).load()
    if note is None or not all(0 <= note[moment] <= LATEST for moment in ("issued", "expiration")):
        return None
    del note["other_half"]
    return SessionIndex(name, **note) if note["store"] in STORE_KINDS else None


def is_forgotten(index: SessionIndex) -> bool:
    """Return whether the session is no longer where its index says, as far as that is known without a secret.

    The kernel forgets its keys with the machine's end, and older kernels with the user's last process.
    """
    return index.store == "kernel" and KernelStore().has_forgotten(index.name)


def _halves(value: str) -> tuple[str, str]:
    """Return two texts, each of which is random bytes by itself: a pad, and the value combined with it."""
    data = value.encode()
    pad = os.urandom(len(data))
    return _as_text(_combined(data, pad)), _as_text(pad)


def _whole(half: str, other_half: str | None) -> str:
    """Return the value in two halves; what is stored whole has no other half."""
    if other_half is None:
        return half
    try:
        return _combined(binascii.a2b_base64(half), binascii.a2b_base64(other_half)).decode("utf-8", "replace")
    except ValueError:
        return ""


def _combined(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _as_text(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _to_json(session: Credentials) -> str:
    return json.dumps({"format": _FORMAT, **session._asdict()}, separators=(",", ":"))


def _from_json(value: str) -> Credentials | None:
    """Return the session in a stored value, or None if the value is not one."""
    try:
        fields = json.loads(value)
        if not isinstance(fields, dict) or fields.pop("format", None) != _FORMAT:
            return None
        session = Credentials(**fields)
    except (ValueError, TypeError, RecursionError):
        return None
    texts: tuple[Any, ...] = (session.access_key_id, session.secret_access_key, session.session_token)
    is_valid = all(isinstance(text, str) and text and text.isascii() and text.isprintable() for text in texts)
    return session if is_valid and isinstance(session.expiration, int) else None
