"""The steps of a key rotation. It may be interrupted at any of them; the next run goes on from there.

1. Announce in the keyring that a key will be created, 2. create it, 3. store it as pending, 4. wait until STS knows it,
5. store it and name it in the config file, 6. deactivate the old key, 7. delete the old key.

The old key works until the config file names the new one, which is in the keyring before that. The announcement lets
the next run recognise a key that was created but whose secret was lost: nobody can use it, so it is deleted. A key that
somebody else has created is left alone.
"""

import os
import time
from collections.abc import Callable

from credproc import terminal
from credproc.aws.iam import AccessKey, Iam
from credproc.commands.keys.config import switch_key
from credproc.commands.keys.iam_user import IamUser
from credproc.commands.keys.keyring import delete_sessions
from credproc.credentials import Credentials
from credproc.errors import ConfigError, CredprocError, ServiceError, quoted
from credproc.stores import access_keys
from credproc.stores.access_keys import Pending

MAX_KEYS = 2  # access keys of a user; IAM user guide, "IAM and AWS STS quotas"
_VERIFY_SECONDS = 60  # within this time, a new key is known in all regions
_VERIFY_PAUSE = 1  # seconds between two calls of STS
_LOST_SECONDS = 300  # a key created within this time of the announcement is the announced one
_UNKNOWN_KEY = ("InvalidClientTokenId", "UnrecognizedClientException")
_UNUSABLE_CALLER = (*_UNKNOWN_KEY, "ExpiredToken")


class Rotation:
    """One rotation of the access key that a user's profile names."""

    def __init__(self, user: IamUser) -> None:
        """Create the rotation; ``run`` starts it."""
        self._user = user
        self._keyring = user.keyring
        self._subject = f"profile {quoted(user.profile.name)}"
        self._iam: Iam | None = None

    def run(self) -> list[str]:
        """Rotate the key, or finish an interrupted rotation; return lines with what was done. Raises CredprocError."""
        current = self._user.access_key_id()
        old = self._keyring.read_replaced(current)
        if old is None:
            old, new = current, self._pending_key(current)
            self._verify(old, new)
            _report(f"switching from {old} to {new.access_key_id}")
            self._store(old, new)
            current = new.access_key_id
        switch_key(self._user.request, self._user.profile.name, old, current)
        return [*self._remove_old_key(old, current), f"{current} has replaced {old}, which was deleted"]

    def _pending_key(self, old: str) -> Credentials:
        """Return the new key, from an interrupted rotation or from IAM."""
        pending = self._keyring.read_pending(old)
        iam = self._iam = self._user.iam(old)
        existing = iam.access_keys()
        if pending is not None and pending.keys is not None:
            if pending.keys.access_key_id in [key.access_key_id for key in existing]:
                return pending.keys
            _report(f"{pending.keys.access_key_id}, the pending key, no longer exists")
        for key in _lost_keys(existing, old, pending):
            _report(f"deleting {key}, which was created but whose secret was lost")
            iam.delete(key)
            existing = [other for other in existing if other.access_key_id != key]
        self._check_limit(existing, old)
        return self._create(iam, old, existing)

    def _check_limit(self, existing: list[AccessKey], old: str) -> None:
        if len(existing) >= MAX_KEYS:
            others = " and ".join(key.access_key_id for key in existing if key.access_key_id != old)
            raise ConfigError(
                f"{self._subject}: the user already has two access keys: {others} beside {old}",
                f"delete the one that is not used: aws iam delete-access-key --access-key-id {others}",
            )

    def _create(self, iam: Iam, old: str, existing: list[AccessKey]) -> Credentials:
        announced = Pending(int(self._user.request.clock()), tuple(key.access_key_id for key in existing))
        access_keys.save_note(self._user.directory, old, pending=True)
        self._keyring.save_pending(old, announced)
        _report("creating a new access key")
        new = iam.create()
        try:
            self._keyring.save_pending(old, announced._replace(keys=new))
        except CredprocError:  # the secret exists in this process alone, so the key cannot be used later
            iam.delete(new.access_key_id)
            raise
        return new

    def _verify(self, old: str, new: Credentials) -> None:
        """Wait until STS knows the new key. Raises ConfigError if it belongs to another user than the old one."""
        _report(f"waiting until AWS knows {new.access_key_id}")
        arn = self._wait_until_known(new)
        keys = self._keyring.read(old)
        if keys is not None and self._user.identity_arn(keys) != arn:
            raise ConfigError(
                f"{self._subject}: {new.access_key_id} and {old} belong to different users", "compare both in IAM"
            )

    def _wait_until_known(self, new: Credentials) -> str:
        """Return the ARN of the new key's user as soon as STS knows the key."""
        last = time.monotonic() + _VERIFY_SECONDS
        while True:
            try:
                return self._user.identity_arn(new)
            except ServiceError as error:
                if error.code not in _UNKNOWN_KEY or time.monotonic() >= last:
                    raise
            time.sleep(_VERIFY_PAUSE)

    def _store(self, old: str, new: Credentials) -> None:
        self._keyring.save(new)
        self._keyring.save_replaced(new.access_key_id, old)
        access_keys.save_note(self._user.directory, new.access_key_id, pending=True)

    def _remove_old_key(self, old: str, new: str) -> list[str]:
        """Delete the old key, and the sessions made with it; return lines with the sessions that were deleted."""
        _report(f"deactivating {old}")
        self._call_iam(new, lambda iam: iam.deactivate(old))
        _report(f"deleting {old}")
        self._call_iam(new, lambda iam: iam.delete(old))
        lines = delete_sessions(self._user.request, old, "keys rotate")
        access_keys.remove_note(self._user.directory, old)
        self._keyring.delete(old)
        self._keyring.delete_pending(old)
        self._keyring.delete_replaced(new)
        access_keys.save_note(self._user.directory, new, pending=False)
        return lines

    def _call_iam(self, new: str, call: Callable[[Iam], None]) -> None:
        """Call IAM with the credentials used before; with the new key if there are none, or if they are unusable."""
        if self._iam is not None:
            try:
                call(self._iam)
            except ServiceError as error:
                if error.code not in _UNUSABLE_CALLER:
                    raise
            else:
                return
        self._iam = self._user.iam(new)
        call(self._iam)


def _lost_keys(existing: list[AccessKey], old: str, announced: Pending | None) -> list[str]:
    """Return the ids of keys that were created after the announcement and whose secret was never stored."""
    if announced is None:
        return []
    known = {old, *announced.before}
    return [
        key.access_key_id
        for key in existing
        if key.access_key_id not in known and abs(key.created - announced.since) <= _LOST_SECONDS
    ]


def _report(line: str) -> None:
    """Print a line of progress, on a terminal only."""
    if os.isatty(1):
        terminal.notify(f"credproc: {line}")
