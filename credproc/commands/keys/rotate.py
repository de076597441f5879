"""credproc keys rotate: what a rotation (``refresh.rotation``) works with, for the profile of a user."""

import os
import time
from functools import partial

from credproc import terminal
from credproc.aws.client import Settings
from credproc.aws.iam import Iam
from credproc.commands.inventory import in_turn
from credproc.commands.keys.config import key_setting, section_of, switch_key
from credproc.commands.keys.keyring import CALL_SECONDS, arn_of, end_sessions
from credproc.commands.keys.rotation import Means, Rotation
from credproc.config.parser import read
from credproc.config.shared_config import Section, SharedConfig
from credproc.credentials import Credentials
from credproc.errors import ConfigError, CredprocError, SessionStoreError, quoted
from credproc.locking.directory import own_directory
from credproc.plan import Plan, plan_for
from credproc.plan.iam_endpoint import iam_endpoint_for
from credproc.plan.source import Source
from credproc.refresh import FOR_PEOPLE
from credproc.refresh.execute import execute
from credproc.request import Attempt, Request
from credproc.sources.keyring import open_keyring
from credproc.sources.keyring import read as read_keys
from credproc.stores import access_keys
from credproc.stores.mfa_sessions import session_id

_SESSION_LEFT = 300  # seconds that an MFA session must have for a rotation


def rotate(request: Request, profile: str) -> str:
    """Put a new access key in the place of the profile's, or end a rotation that was interrupted; in words.

    Raises CredprocError.
    """
    _access_key_id(request, profile)
    user = _User(request, profile)
    try:
        with in_turn(user.directory, f"keys-{session_id('', profile, '').name}", "keys rotate"):
            # again: another rotation may have ended just now
            current = _access_key_id(request, profile)
            old, new = Rotation(user.means(), f"profile {quoted(profile)}").rotate(current)
    except SessionStoreError as error:
        raise CredprocError(
            f"keys rotate: profile {quoted(profile)}: {error}",
            "unlock the keyring and run the same command: it goes on",
        ) from None
    said = [*user.ended, f"{new} has taken the place of {old}, which is deleted"]
    return "".join(f"{line}\n" for line in said)


class _User:
    """The user of a profile, whose key is rotated."""

    def __init__(self, request: Request, profile: str) -> None:
        self.directory = own_directory(request.environ)
        self.ended: list[str] = []  # what hung on the old key, in words
        self._request = request
        self._profile = profile
        self._keyring = open_keyring(None, request.environ)

    def means(self) -> Means:
        """Return what a rotation works with."""
        return Means(
            keyring=self._keyring,
            iam=self._iam,
            whose=lambda keys: self._arn(keys, read(self._request.environ)),
            switch=partial(switch_key, self._request),
            end=self._end,
            note=lambda access_key_id, pending: access_keys.note(self.directory, access_key_id, pending=pending),
            tell=_tell,
            clock=self._request.clock,
        )

    def _iam(self, _access_key_id: str) -> Iam:
        """Return IAM for the user: through their MFA session where they have a device, else by the keys."""
        request, profile = self._request, self._profile
        config = read(request.environ)
        plan = self._plan(config)
        keys = read_keys(plan.source, self._keyring)
        arn = self._arn(keys, config)
        kind, _, name = arn.rpartition(":")[2].partition("/")
        if kind != "user" or not name:
            raise ConfigError(
                f"{arn}: is no IAM user, whose keys could be rotated", "make a user in IAM, and keys of it"
            )
        caller = keys
        if plan.mfa is not None:
            wanted = request._replace(profile=profile, deadlines=FOR_PEOPLE, min_session_seconds=_SESSION_LEFT)
            turn = Attempt(wanted, self.directory, time.monotonic(), may_ask=True)
            caller = execute(plan, config, turn).credentials
        section = config.profiles.get(profile, Section(profile, profile))
        endpoint = iam_endpoint_for(section, config, request.environ, plan.endpoint)
        settings = Settings.of(config, profile, request.environ, CALL_SECONDS)
        return Iam(endpoint, settings, caller, name.rpartition("/")[2])

    def _plan(self, config: SharedConfig) -> Plan:
        """Return the plan that ends with the user, whatever role the profile takes with these keys."""
        profile = self._profile
        plan = plan_for(config, self._request._replace(profile=profile))
        if plan.source.kind == "KeyringKeys" and plan.source.profile == profile:
            return plan._replace(roles=())
        setting = key_setting(section_of(config, profile))
        source = Source("KeyringKeys", setting.where, profile, (("access_key_id", setting.value),))
        return plan._replace(source=source, roles=(), mfa=None)

    def _arn(self, keys: Credentials, config: SharedConfig) -> str:
        return arn_of(keys, self._profile, config, self._request.environ)

    def _end(self, access_key_id: str) -> None:
        self.ended += end_sessions(self._request, access_key_id, "keys rotate")
        access_keys.forget(self.directory, access_key_id)


def _access_key_id(request: Request, profile: str) -> str:
    return key_setting(section_of(read(request.environ), profile)).value


def _tell(line: str) -> None:
    if os.isatty(1):
        terminal.notify(f"credproc: {line}")
