"""The steps of a key rotation. It may be interrupted at any of them; the next run goes on from there.

1. Announce in the keyring that a key will be created, 2. create it, 3. store it as pending, 4. wait until STS knows it,
5. store it and name it in the config file, 6. deactivate the old key, 7. delete the old key.

The old key works until the config file names the new one, which is in the keyring before that. The announcement lets
the next run recognise a key that may have been created and its secret lost. Somebody else may have created that key in
the same minutes, so a person decides whether it is deleted; ``--yes`` does not. If IAM refuses to create a key there is
none, and the announcement is withdrawn.
"""

import os
import time
from collections.abc import Callable
from contextlib import closing, suppress

from credproc import terminal
from credproc.aws.iam import AccessKey, Iam
from credproc.commands.keys.config import switch_key
from credproc.commands.keys.iam_user import IamUser
from credproc.commands.keys.keyring import delete_sessions
from credproc.commands.ui.prompt import Prompter
from credproc.commands.ui.times import format_age
from credproc.credentials import Credentials
from credproc.errors import ConfigError, CredprocError, ServiceError, SessionStoreError, quoted
from credproc.stores import access_keys
from credproc.stores.access_keys import Pending

MAX_KEYS = 2  # access keys of a user; IAM user guide, "IAM and AWS STS quotas"
_VERIFY_SECONDS = 60  # within this time, a new key is known in all regions
_VERIFY_PAUSE = 1  # seconds between two calls of STS
_LOST_SECONDS = 300  # a key created within this time of the announcement may be the announced one
_UNKNOWN_KEY = ("InvalidClientTokenId", "UnrecognizedClientException")
_UNUSABLE_CALLER = (*_UNKNOWN_KEY, "ExpiredToken")


class Rotation:
    """One rotation of the access key that a user's profile names."""

    def __init__(self, user: IamUser, *, yes: bool) -> None:
        """Create the rotation; ``run`` starts it. ``yes``: do not ask whether to replace and delete the old key."""
        self._user = user
        self._yes = yes
        self._keyring = user.keyring
        self._subject = f"profile {quoted(user.profile.name)}"
        self._iam: Iam  # as which user and with which keys IAM is called; from ``run`` on

    def run(self) -> list[str]:
        """Rotate the key, or finish an interrupted rotation; return lines with what was done. Raises CredprocError."""
        current = self._user.access_key_id()
        old = self._keyring.read_replaced(current)
        self._iam = self._user.iam(current)
        existing = {key.access_key_id: key for key in self._iam.access_keys()}
        if old is None:
            old, new = current, self._new_key(current, existing)
            self._verify(old, new)
            _report(f"switching from {old} to {new.access_key_id}")
            self._store(old, new)
            current = new.access_key_id
        elif old in existing:
            self._confirm(f"Delete {old}, which {current} has replaced?", existing[old], f"{old} was not deleted")
        switch_key(self._user.request, self._user.profile.name, old, current)
        return [*self._remove_old_key(old, current), f"{current} has replaced {old}, which was deleted"]

    def _new_key(self, old: str, existing: dict[str, AccessKey]) -> Credentials:
        """Return the new key, from an interrupted rotation or from IAM; ask before anything is changed."""
        pending = self._keyring.read_pending(old)
        has_pending = pending is not None and pending.keys is not None and pending.keys.access_key_id in existing
        lost = None if has_pending else _lost_key(existing, old, pending)
        if not has_pending and lost is None and len(existing) >= MAX_KEYS:
            raise self._limit_error(existing, old)
        self._confirm(f"Replace {old} with a new access key, and delete it?", existing.get(old))
        if pending is not None and pending.keys is not None:
            if has_pending:
                return pending.keys
            _report(f"{pending.keys.access_key_id}, the pending key, no longer exists")
        if lost is not None:
            self._delete_lost_key(lost)
            del existing[lost.access_key_id]
        return self._create(old, tuple(existing))

    def _confirm(self, question: str, key: AccessKey | None, abort_note: str = "nothing was changed") -> None:
        """Ask whether to delete the profile's old key, unless ``--yes`` was given. Raises PersonNeededError."""
        if self._yes:
            return
        lines = (
            [] if key is None else [self._age(key), "credproc: whatever else uses it stops working when it is deleted"]
        )
        hint = "give --yes to skip the confirmation"
        with closing(Prompter("keys rotate", self._user.request, hint, abort_note=abort_note)) as prompter:
            prompter.confirm(question, lines=lines)

    def _delete_lost_key(self, key: AccessKey) -> None:
        """Ask whether to delete a key that may be the announced one, and delete it. Raises CredprocError."""
        hint = f"if nobody uses it, delete it: aws iam delete-access-key --access-key-id {key.access_key_id}"
        lines = [
            self._age(key),
            "credproc: an earlier rotation may have created it and lost its secret; or it is somebody else's",
        ]
        with closing(Prompter("keys rotate", self._user.request, hint)) as prompter:
            prompter.confirm(f"Delete {key.access_key_id}?", lines=lines)
        _report(f"deleting {key.access_key_id}")
        self._iam.delete(key.access_key_id)

    def _age(self, key: AccessKey) -> str:
        return f"credproc: {key.access_key_id} was created {format_age(key.created, self._user.request.clock())}"

    def _limit_error(self, existing: dict[str, AccessKey], old: str) -> ConfigError:
        others = " and ".join(access_key_id for access_key_id in existing if access_key_id != old)
        return ConfigError(
            f"{self._subject}: the user already has two access keys: {others} beside {old}",
            f"delete the one that is not used: aws iam delete-access-key --access-key-id {others}",
        )

    def _create(self, old: str, existing: tuple[str, ...]) -> Credentials:
        announced = Pending(int(self._user.request.clock()), existing)
        access_keys.save_note(self._user.directory, old, pending=True)
        self._keyring.save_pending(old, announced)
        _report("creating a new access key")
        try:
            new = self._iam.create()
        except ServiceError as error:
            if error.is_refusal:
                self._withdraw(old)
            raise
        try:
            self._keyring.save_pending(old, announced._replace(keys=new))
        except CredprocError:  # the secret exists in this process alone, so the key cannot be used later
            self._iam.delete(new.access_key_id)
            raise
        return new

    def _withdraw(self, old: str) -> None:
        """Delete the announcement: no key was created, and one that turns up later is somebody else's."""
        with suppress(SessionStoreError):  # then the next run asks about such a key; IAM's refusal is the news
            self._keyring.delete_pending(old)
            access_keys.save_note(self._user.directory, old, pending=False)

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
        """Call IAM with the credentials used before, or with the new key once they are unusable."""
        try:
            call(self._iam)
        except ServiceError as error:
            if error.code not in _UNUSABLE_CALLER:
                raise
            self._iam = self._user.iam(new)
            call(self._iam)


def _lost_key(existing: dict[str, AccessKey], old: str, announced: Pending | None) -> AccessKey | None:
    """Return a key that was created about when one was announced and whose secret was never stored."""
    if announced is None:
        return None
    unknown = (key for name, key in existing.items() if name not in (old, *announced.before))
    return next((key for key in unknown if abs(key.created - announced.since) <= _LOST_SECONDS), None)


def _report(line: str) -> None:
    """Print a line of progress, on a terminal only."""
    if os.isatty(1):
        terminal.notify(f"credproc: {line}")
