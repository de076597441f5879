"""What is kept: the cache's entries and the notes of MFA sessions, what they say of themselves, and their removal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from credproc import cache, notes
from credproc.commands.ui.times import moment_shown
from credproc.errors import CredprocError, DeadlineError
from credproc.files import PrivateDirectory
from credproc.locking.lock import Lock
from credproc.refresh.entry import about_entry
from credproc.stores.mfa_sessions import Index, read_index

_PATIENCE = 5  # seconds for who is under way; it may be waiting for a person


class Described(NamedTuple):
    """An entry, and what it says of itself; all None in one that cannot be read."""

    name: str
    about: dict[str, Any]

    @property
    def profile(self) -> str | None:
        """The profile, or None where none was named."""
        found = self.about.get("profile")
        return found if isinstance(found, str) else None

    @property
    def is_unnamed(self) -> bool:
        """Whether it was made with no profile named, which is what ``default`` means then."""
        return "profile" in self.about and self.about["profile"] is None

    @property
    def expiration(self) -> int | None:
        """When the credentials end, in epoch seconds."""
        found = self.about.get("expiration")
        return found if isinstance(found, int) else None

    @property
    def role_arn(self) -> str | None:
        """The role that the credentials are of, if they are a role's."""
        plan = self._plan
        last = plan["roles"][-1] if plan.get("roles") else plan.get("source_role")
        return last.get("RoleArn") if isinstance(last, dict) else None

    @property
    def mfa_serial(self) -> str | None:
        """The device behind the credentials, if there is one."""
        found = self._plan.get("mfa_serial")
        return found if isinstance(found, str) else None

    @property
    def source_access_key_id(self) -> str | None:
        """The access key of the user behind the credentials, if there is one."""
        source = self._plan.get("source")
        pairs = source[1:] if isinstance(source, list) else []
        return next((pair[1] for pair in pairs if pair[0] in ("access_key_id", "AWS_ACCESS_KEY_ID")), None)

    @property
    def words(self) -> str:
        """The entry in words, for a person."""
        if not self.about:
            return "an entry that cannot be read"
        subject = "no profile named" if self.profile is None else f"profile {self.profile!a}"
        moment = "?" if self.expiration is None else moment_shown(self.expiration)
        return f"{subject}, credentials that expire at {moment}"

    @property
    def _plan(self) -> dict[str, Any]:
        found = self.about.get("plan")
        return found if isinstance(found, dict) else {}


def described(directory: PrivateDirectory) -> list[Described]:
    """Return all entries of the cache."""
    found = []
    for name in directory.names():
        if name.endswith(cache.SUFFIX):
            entry = cache.load(directory, name)
            found.append(Described(name, {} if entry is None else about_entry(entry)))
    return found


def sessions(directory: PrivateDirectory) -> list[Index]:
    """Return the notes of all MFA sessions."""
    found = (read_index(directory, name) for name in notes.names(directory, notes.SESSION))
    return [index for index in found if index is not None]


def remove(directory: PrivateDirectory, name: str, command: str) -> bool:
    """Remove an entry under its lock, so that no run restamps what was just removed; return whether it was there.

    Raises CredprocError, named after the command, while a refresh holds the lock.
    """
    with in_turn(directory, name, command):
        return directory.remove(name)


@contextmanager
def in_turn(directory: PrivateDirectory | None, name: str, command: str) -> Iterator[None]:
    """Hold the lock of this name meanwhile. Raises CredprocError, named after the command, if another run does."""
    lock = Lock(directory, name)
    try:
        try:
            lock.wait(lambda: None, time.monotonic() + _PATIENCE)
        except DeadlineError as error:
            raise CredprocError(f"{command}: {error}", "wait until it has ended, or end that process") from None
        yield
    finally:
        lock.close()
