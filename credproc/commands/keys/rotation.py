"""A new access key in the place of an old one, step by step; each can be the last, and the next run goes on from there.

Announce, create, keep as pending, verify, switch, deactivate, delete. The old key works until the config names the new
one, and the new one is in the keyring before. What is announced tells a key that was made and whose secret never
arrived (nobody can use it, and it is deleted) from one that somebody else has made.
"""

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from credproc.aws.iam import AccessKey
from credproc.credentials import Credentials
from credproc.errors import ConfigError, CredprocError, ServiceError
from credproc.stores.access_keys import LongTermKeys, Pending

LIMIT = 2  # access keys of a user; IAM user guide, "IAM and AWS STS quotas"
_VERIFY_SECONDS = 60  # a new key is known everywhere only after some seconds
_VERIFY_PAUSE = 1
_LOST_SECONDS = 300  # around the announcement, in which a key is the one that was announced
_UNKNOWN = ("InvalidClientTokenId", "UnrecognizedClientException")
_ENDED = (*_UNKNOWN, "ExpiredToken")


class Keys(Protocol):
    """IAM, about the user's keys."""

    def access_keys(self) -> list[AccessKey]:
        """Return them."""

    def create(self) -> Credentials:
        """Make one."""

    def deactivate(self, access_key_id: str) -> None:
        """Make one inactive."""

    def delete(self, access_key_id: str) -> None:
        """Delete one."""


class Means(NamedTuple):
    """What a rotation works with."""

    keyring: LongTermKeys
    iam: Callable[[str], Keys]  # called anew: with the credentials of who has this access key now
    whose: Callable[[Credentials], str]  # the ARN of a key's user, as STS says it
    switch: Callable[[str, str], None]  # the config from one key to another
    end: Callable[[str], None]  # what hangs on a key
    note: Callable[[str, bool], None]  # a key, and whether another is to take its place
    tell: Callable[[str], None]  # a person how far it is
    clock: Callable[[], float]


class Rotation:
    """One rotation of the key that the config names."""

    def __init__(self, means: Means, subject: str) -> None:
        """Take the means, and what it is about, for messages."""
        self._means = means
        self._subject = subject
        self._iam: Keys | None = None

    def rotate(self, current: str) -> tuple[str, str]:
        """Rotate the key, or end what was begun; return the old one's id and the new one's. Raises CredprocError."""
        keyring = self._means.keyring
        old = keyring.replaced_by(current)
        if old is None:
            old, new = current, self._pending_key(current)
            self._verify(old, new)
            self._switch(old, new)
            current = new.access_key_id
        self._finish(old, current)
        return old, current

    def _pending_key(self, old: str) -> Credentials:
        pending = self._means.keyring.pending(old)
        iam = self._iam = self._means.iam(old)
        there = iam.access_keys()
        if pending is not None and pending.keys is not None:
            if pending.keys.access_key_id in [key.access_key_id for key in there]:
                return pending.keys
            self._means.tell(f"{pending.keys.access_key_id} has been deleted meanwhile")
        for key in _lost(there, old, pending):
            self._means.tell(f"deleting {key}, which was made and whose secret did not arrive")
            iam.delete(key)
            there = [other for other in there if other.access_key_id != key]
        if len(there) >= LIMIT:
            others = " and ".join(key.access_key_id for key in there if key.access_key_id != old)
            raise ConfigError(
                f"{self._subject}: the user has two access keys already: {others} beside {old}",
                f"delete the one that nobody uses: aws iam delete-access-key --access-key-id {others}",
            )
        announced = Pending(int(self._means.clock()), tuple(key.access_key_id for key in there))
        self._means.note(old, True)
        self._means.keyring.keep_pending(old, announced)
        self._means.tell("creating a new access key")
        new = iam.create()
        try:
            self._means.keyring.keep_pending(old, announced._replace(keys=new))
        except CredprocError:  # the secret is lost with this process: so is the key
            iam.delete(new.access_key_id)
            raise
        return new

    def _verify(self, old: str, new: Credentials) -> None:
        """See that STS knows the new key, as one of the same user."""
        self._means.tell(f"waiting until AWS knows {new.access_key_id}")
        arn = self._known(new)
        keys = self._means.keyring.read(old)
        if keys is not None and self._means.whose(keys) != arn:
            raise ConfigError(
                f"{self._subject}: {new.access_key_id} is not of the user whom {old} is of", "look at both in IAM"
            )

    def _known(self, new: Credentials) -> str:
        """Return whose key it is, once STS knows it."""
        last = time.monotonic() + _VERIFY_SECONDS
        while True:
            try:
                return self._means.whose(new)
            except ServiceError as error:
                if error.code not in _UNKNOWN or time.monotonic() >= last:
                    raise
            time.sleep(_VERIFY_PAUSE)

    def _switch(self, old: str, new: Credentials) -> None:
        self._means.tell(f"switching from {old} to {new.access_key_id}")
        self._means.keyring.keep(new)
        self._means.keyring.keep_replaced(new.access_key_id, old)
        self._means.note(new.access_key_id, True)
        self._means.switch(old, new.access_key_id)

    def _finish(self, old: str, new: str) -> None:
        """End the old key; the config names the new one."""
        self._means.switch(old, new)  # in other profiles too, had that been interrupted
        self._means.tell(f"deactivating {old}")
        self._with_iam(new, lambda iam: iam.deactivate(old))
        self._means.tell(f"deleting {old}")
        self._with_iam(new, lambda iam: iam.delete(old))
        self._means.end(old)
        keyring = self._means.keyring
        keyring.drop(old)
        keyring.drop_pending(old)
        keyring.drop_replaced(new)
        self._means.note(new, False)

    def _with_iam(self, new: str, call: Callable[[Keys], None]) -> None:
        """Call with who called before; the new key's where there is none, or where the old one's session has ended."""
        if self._iam is not None:
            try:
                call(self._iam)
            except ServiceError as error:
                if error.code not in _ENDED:
                    raise
            else:
                return
        self._iam = self._means.iam(new)
        call(self._iam)


def _lost(there: list[AccessKey], old: str, announced: Pending | None) -> list[str]:
    """Return the key that was made after it had been announced, and whose secret was never kept."""
    if announced is None:
        return []
    known = {old, *announced.before}
    return [
        key.access_key_id
        for key in there
        if key.access_key_id not in known and abs(key.created - announced.since) <= _LOST_SECONDS
    ]
