"""The contents of the cache directory: cache entries, which can be removed, and the index files of MFA sessions."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from credproc import cache, notes
from credproc.commands.ui.times import format_time
from credproc.errors import CredprocError, DeadlineError, quoted
from credproc.files import PrivateDirectory
from credproc.locking.lock import Lock
from credproc.own_files import own_names
from credproc.refresh.entry import entry_metadata
from credproc.stores.mfa_sessions import SessionIndex, read_index

_LOCK_SECONDS = 5  # longer is not worth it: the run that holds the lock may be prompting


class EntryInfo(NamedTuple):
    """The metadata of a cache entry; ``fields`` is empty, and so each property None, if the entry is unreadable."""

    name: str
    fields: dict[str, Any]

    @property
    def profile(self) -> str | None:
        """The profile, or None if the request named none."""
        found = self.fields.get("profile")
        return found if isinstance(found, str) else None

    @property
    def is_unnamed(self) -> bool:
        """Whether the request named no profile, which then means ``default``."""
        return "profile" in self.fields and self.fields["profile"] is None

    @property
    def expiration(self) -> int | None:
        """When the credentials expire, in epoch seconds."""
        found = self.fields.get("expiration")
        return found if isinstance(found, int) else None

    @property
    def role_arn(self) -> str | None:
        """The ARN of the role that the credentials belong to, or None if they are no role's."""
        plan = self._plan
        last = plan["roles"][-1] if plan.get("roles") else plan.get("source_role")
        return last.get("RoleArn") if isinstance(last, dict) else None

    @property
    def mfa_serial(self) -> str | None:
        """The MFA device with which the user signed in, or None."""
        found = self._plan.get("mfa_serial")
        return found if isinstance(found, str) else None

    @property
    def source_access_key_id(self) -> str | None:
        """The id of the access key from which the credentials were obtained, or None if there was none."""
        source = self._plan.get("source")
        pairs = source[1:] if isinstance(source, list) else []
        return next((pair[1] for pair in pairs if pair[0] in ("access_key_id", "AWS_ACCESS_KEY_ID")), None)

    @property
    def description(self) -> str:
        """The entry in words: whose credentials, and when they expire."""
        if not self.fields:
            return "an unreadable cache entry"
        subject = "no profile" if self.profile is None else f"profile {quoted(self.profile)}"
        expiration = "an unknown time" if self.expiration is None else format_time(self.expiration)
        return f"cached credentials of {subject} that expire at {expiration}"

    @property
    def _plan(self) -> dict[str, Any]:
        found = self.fields.get("plan")
        return found if isinstance(found, dict) else {}


def cache_entries(directory: PrivateDirectory | None) -> list[EntryInfo]:
    """Return all entries of the cache, by profile; none without a directory."""
    if directory is None:
        return []
    found = []
    for name in own_names(directory, cache.SUFFIX):
        entry = cache.load(directory, name)
        found.append(EntryInfo(name, {} if entry is None else entry_metadata(entry)))
    return sorted(found, key=lambda entry: entry.profile or "")


def mfa_sessions(directory: PrivateDirectory | None) -> list[SessionIndex]:
    """Return the index files of all MFA sessions, by device; none without a directory."""
    if directory is None:
        return []
    suffix = notes.SESSION.suffix
    found = (read_index(directory, name.removesuffix(suffix)) for name in own_names(directory, suffix))
    return sorted((index for index in found if index is not None), key=lambda index: (index.serial, index.issuer))


def remove_entries(directory: PrivateDirectory | None, entries: Iterable[EntryInfo], command: str) -> list[str]:
    """Remove cache entries and return a line for each that existed.

    The entry's lock is held meanwhile, so that no other run writes the entry again. Raises CredprocError, which names
    ``command``, if a refresh holds the lock.
    """
    lines = []
    for entry in entries:
        with hold_lock(directory, entry.name, command):
            if directory is not None and directory.remove(entry.name):
                lines.append(f"deleted: {entry.description}")
    return lines


@contextmanager
def hold_lock(directory: PrivateDirectory | None, name: str, command: str) -> Iterator[None]:
    """Hold the lock ``name`` during a ``with`` block. Raises CredprocError, which names ``command``, if it is taken."""
    lock = Lock(directory, name)
    try:
        try:
            lock.wait(lambda: None, time.monotonic() + _LOCK_SECONDS)
        except DeadlineError as error:
            raise CredprocError(f"{command}: {error}", "wait until that process ends, or end it") from None
        yield
    finally:
        lock.close()
