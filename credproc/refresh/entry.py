"""The cache entry of one plan: how long it may be served, and whether it still matches."""

import json
from typing import Any, NamedTuple

from credproc import cache, log
from credproc.credentials import LATEST, Credentials, document
from credproc.errors import ServiceError
from credproc.files import PrivateDirectory
from credproc.plan import Plan
from credproc.sources.identity import NO_IDENTITY, Identity

# Seconds before the expiration at which an entry is no longer served
RENEWAL_MARGIN = 16 * 60  # below 15 minutes botocore runs the helper again at each request (CONTRACT.md, 1.3)
PASS_THROUGH_MARGIN = 60  # for credentials that credproc cannot renew
MIN_SECONDS_LEFT = 60  # for an entry that is served because a refresh failed
MAX_LIFETIME = 129600  # seconds, of credentials from STS (GetSessionToken, DurationSeconds); more is a wrong answer
_EXTENSION_SECONDS = 60  # after a failed refresh, so that the next callers hit instead of failing again


class Fetched(NamedTuple):
    """Credentials, whether credproc can renew them (then it does so early), and whether they may be stored.

    ``no_session`` is why the MFA session of a new code could not be kept.
    """

    credentials: Credentials
    renewable: bool
    is_storable: bool = True
    no_session: str | None = None


class CachedEntry(NamedTuple):
    """An entry that an equal plan has stored."""

    entry: cache.Entry
    expiration: int  # epoch seconds
    now: float

    @property
    def document(self) -> bytes:
        """The document, ready to be printed."""
        return self.entry.document

    @property
    def is_fresh(self) -> bool:
        """Whether the entry can be served: only the fingerprint of the files differs."""
        return self.entry.served_from <= self.now < self.entry.served_until

    @property
    def is_valid(self) -> bool:
        """Whether the document may still be served if a refresh fails."""
        return self.entry.served_from <= self.now and self.expiration - self.now > MIN_SECONDS_LEFT


class EntryStore:
    """Read and write the entry of one plan; a write that fails is logged and raises nothing."""

    def __init__(  # noqa: PLR0913 - where the entry is, and all that it is compared with
        self,
        directory: PrivateDirectory | None,
        name: str,
        fingerprint: str,
        plan: Plan,
        profile: str | None,
        *,
        identity: Identity = NO_IDENTITY,
    ) -> None:
        """Take the entry's directory and name, the fingerprint of the AWS files, the plan, and the named profile.

        ``identity`` is that of the plan's source.
        """
        self._directory = directory
        self._name = name
        self._fingerprint = fingerprint
        self._plan = plan
        self._identity = identity
        self._profile = profile
        self.has_stored = False

    def find(self, now: float) -> CachedEntry | None:
        """Return the entry if plan and identity that it was made from equal these in all that determines the result."""
        entry = cache.load(self._directory, self._name) if self._directory is not None else None
        if entry is None:
            if self._directory is not None and self._directory.status(self._name) is not None:
                log.write(
                    self._directory, "entry not used: it is damaged, or another user owns it", profile=self._profile
                )
            return None
        metadata = entry_metadata(entry)
        if not was_made_for(metadata, self._plan, self._identity):
            return None
        return CachedEntry(entry, metadata["expiration"], now)

    def store(self, fetched: Fetched, now: float) -> bytes:
        """Return the document of the credentials; store it if they have an expiration.

        ``now`` is in epoch seconds. Raises ServiceError if they have expired meanwhile: this machine may have slept.
        """
        credentials = fetched.credentials
        if credentials.expiration is not None and credentials.expiration <= now:
            raise ServiceError("credentials: they expired before they could be returned", "check the clock")
        printed = document(credentials)
        log.write(self._directory, f"{log.REFRESHED}{credentials!r}", profile=self._profile)
        if credentials.expiration is None or not fetched.is_storable or self._identity.compared is None:
            return printed
        expiration = min(credentials.expiration, int(now) + MAX_LIFETIME)  # until then a failed refresh may extend it
        metadata = {
            "profile": self._profile,
            "plan": self._plan.compared(),
            "identity": self._identity.compared,
            "issued": int(now),
            "expiration": expiration,
        }
        entry = cache.Entry(
            served_from=max(0, int(now) - cache.CLOCK_SLACK),
            served_until=max(0, served_until(expiration, now, renewable=fetched.renewable)),
            fingerprint=self._fingerprint,
            document=printed,
            compared=json.dumps(metadata, sort_keys=True).encode(),
            depends_on=self._identity.depends_on,
        )
        self._store(entry)
        return printed

    def restamp(self, cached: CachedEntry) -> None:
        """Store the entry with the fingerprint of the files, and the states of its dependencies, as they are now."""
        entry = cached.entry
        if (entry.fingerprint, entry.depends_on) != (self._fingerprint, self._identity.depends_on):
            self._store(self._with_stamp(entry, entry.served_until))

    def restamp_for_a_minute(self, cached: CachedEntry, now: float) -> None:
        """Store the entry to be served for a minute more, so that the next callers hit instead of failing again."""
        until = int(min(now + _EXTENSION_SECONDS, cached.expiration - MIN_SECONDS_LEFT))
        self._store(self._with_stamp(cached.entry, until))

    def _with_stamp(self, entry: cache.Entry, until: int) -> cache.Entry:
        return cache.Entry(
            served_from=entry.served_from,
            served_until=until,
            fingerprint=self._fingerprint,
            document=entry.document,
            compared=entry.compared,
            depends_on=self._identity.depends_on,
        )

    def _store(self, entry: cache.Entry) -> None:
        directory = self._directory
        if directory is None:
            return
        try:
            cache.store(directory, self._name, entry)
            self.has_stored = True
        except OSError as error:  # TimedDirectory raises it for a disk that hangs, too
            log.write(directory, f"not stored: {error}", profile=self._profile)


def served_until(expiration: int, now: float, *, renewable: bool) -> int:
    """Return until when credentials that expire at ``expiration`` are served from the cache, all in epoch seconds."""
    expiration = min(expiration, int(now) + MAX_LIFETIME)
    if not renewable:
        return expiration - PASS_THROUGH_MARGIN
    return expiration - min(RENEWAL_MARGIN, max(0, int(expiration - now)) // 3)


def was_made_for(metadata: dict[str, Any], plan: Plan, identity: Identity) -> bool:
    """Return whether an entry with this metadata was made for an equal plan and the same identity."""
    compared = identity.compared
    return metadata.get("plan") == plan.compared() and compared is not None and metadata.get("identity") == compared


def entry_metadata(entry: cache.Entry) -> dict[str, Any]:
    """Return an entry's profile, plan, identity, issued and expiration; an empty dict if they cannot be read."""
    try:
        metadata = json.loads(entry.compared)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(metadata, dict):
        return {}
    expiration = metadata.get("expiration")
    return metadata if isinstance(expiration, int) and 0 <= expiration <= LATEST else {}
