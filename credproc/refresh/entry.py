"""What is kept of an answer, for how long it is served, and whether it still answers the plan."""

import json
from typing import Any, NamedTuple

from credproc import cache, log
from credproc.credentials import LATEST, Credentials, document
from credproc.errors import ServiceError
from credproc.files import PrivateDirectory
from credproc.plan import Plan

# Seconds of life left
MARGIN = 16 * 60  # botocore runs the helper anew at every request below 15 minutes (CONTRACT.md, 1.3)
PASSED_THROUGH_MARGIN = 60  # of credentials that are not ours to renew
LAST_MINUTE = 60
LONGEST = 129600  # seconds that credentials of STS may live (GetSessionToken, DurationSeconds); more is a mistake
_SERVED_AFTER_FAILURE = 60  # seconds, so that the next callers hit instead of failing again


class Fetched(NamedTuple):
    """Credentials, and whether they are ours to renew: then they are renewed early."""

    credentials: Credentials
    renewable: bool


class CachedEntry(NamedTuple):
    """An entry that was made by an equal plan."""

    entry: cache.Entry
    expiration: int  # epoch seconds
    now: float

    @property
    def document(self) -> bytes:
        """The document as it is to be printed."""
        return self.entry.document

    @property
    def is_fresh(self) -> bool:
        """Whether nothing but the look of the files has changed."""
        return self.entry.served_from <= self.now < self.entry.served_until

    @property
    def is_valid(self) -> bool:
        """Whether the document may still be handed out where a refresh fails."""
        return self.entry.served_from <= self.now and self.expiration - self.now > LAST_MINUTE


class EntryStore:
    """Reads and writes one entry for one plan; what cannot be kept is logged and does no harm."""

    def __init__(
        self, directory: PrivateDirectory | None, name: str, fingerprint: str, plan: Plan, profile: str | None
    ) -> None:
        """Take the entry's place, the fingerprint of the files that the plan was made from, and the plan."""
        self._directory = directory
        self._name = name
        self._fingerprint = fingerprint
        self._compared = plan.compared()
        self._profile = profile
        self.has_stored = False

    def find(self, now: float) -> CachedEntry | None:
        """Return the entry if the plan that made it was equal to this one in all that determines the result."""
        entry = cache.load(self._directory, self._name) if self._directory is not None else None
        if entry is None:
            if self._directory is not None and self._directory.status(self._name) is not None:
                log.write(self._directory, "passed over: the entry is damaged, or not ours", profile=self._profile)
            return None
        about = about_entry(entry)
        if about.get("plan") != self._compared:
            return None
        return CachedEntry(entry, about["expiration"], now)

    def store(self, fetched: Fetched, now: float) -> bytes:
        """Return the document of the credentials, stored if they say when they end.

        Raises ServiceError if that has been meanwhile: this machine may have slept.
        """
        credentials = fetched.credentials
        if credentials.expiration is not None and credentials.expiration <= now:
            raise ServiceError("credentials: have expired before they could be handed out", "check the clock")
        printed = document(credentials)
        log.write(self._directory, f"refreshed: {credentials!r}", profile=self._profile)
        if credentials.expiration is None:
            return printed
        until = served_until(credentials.expiration, now, renewable=fetched.renewable)
        about = {
            "profile": self._profile,
            "plan": self._compared,
            "issued": int(now),
            "expiration": credentials.expiration,
        }
        entry = cache.Entry(
            served_from=max(0, int(now) - cache.CLOCK_SLACK),
            served_until=max(0, until),
            fingerprint=self._fingerprint,
            document=printed,
            compared=json.dumps(about, sort_keys=True).encode(),
        )
        self._store(entry)
        return printed

    def restamp(self, cached: CachedEntry) -> None:
        """Let the entry answer for the files as they are now."""
        entry = cached.entry
        if entry.fingerprint != self._fingerprint:
            self._store(_stamped(entry, self._fingerprint, entry.served_until))

    def restamp_for_a_minute(self, cached: CachedEntry, now: float) -> None:
        """Let the entry be served a little longer, so that the next callers hit instead of failing again."""
        until = int(min(now + _SERVED_AFTER_FAILURE, cached.expiration - LAST_MINUTE))
        self._store(_stamped(cached.entry, self._fingerprint, until))

    def _store(self, entry: cache.Entry) -> None:
        directory = self._directory
        if directory is None:
            return
        try:
            cache.store(directory, self._name, entry)
            self.has_stored = True
        except OSError as error:  # one that does not answer too: TimedDirectory gives it up
            log.write(directory, f"not kept: {error}", profile=self._profile)


def served_until(expiration: int, now: float, *, renewable: bool) -> int:
    """Return the epoch second until which credentials that end at ``expiration`` are served from the cache."""
    expiration = min(expiration, int(now) + LONGEST)
    if not renewable:
        return expiration - PASSED_THROUGH_MARGIN
    return expiration - min(MARGIN, max(0, int(expiration - now)) // 3)


def _stamped(entry: cache.Entry, fingerprint: str, until: int) -> cache.Entry:
    return cache.Entry(
        served_from=entry.served_from,
        served_until=until,
        fingerprint=fingerprint,
        document=entry.document,
        compared=entry.compared,
    )


def about_entry(entry: cache.Entry) -> dict[str, Any]:
    """Return what an entry says of itself: profile, plan, issued, expiration; empty if it says nothing sound."""
    try:
        about = json.loads(entry.compared)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(about, dict):
        return {}
    expiration = about.get("expiration")
    return about if isinstance(expiration, int) and 0 <= expiration <= LATEST else {}
