"""The IAM user whose access key is rotated: the profile, the keyring, and IAM called as this user."""

import time
from typing import NamedTuple

from credproc.aws.client import Settings
from credproc.aws.iam import Iam
from credproc.commands.keys.config import key_setting
from credproc.commands.keys.keyring import CALL_SECONDS, identity_arn
from credproc.config.shared_config import Section, SharedConfig
from credproc.credentials import Credentials
from credproc.errors import ConfigError
from credproc.files import PrivateDirectory
from credproc.plan import Plan, plan_for
from credproc.plan.iam_endpoint import iam_endpoint_for
from credproc.plan.source import Source
from credproc.refresh import FOR_PEOPLE
from credproc.refresh.execute import execute
from credproc.request import Attempt, Request
from credproc.sources.keyring import read_keys
from credproc.stores.access_keys import AccessKeyStore

# That an MFA session must last, so that it does not expire during a rotation, which asks two questions at most
_MIN_SESSION_SECONDS = 300 + 2 * FOR_PEOPLE.prompt


class IamUser(NamedTuple):
    """A profile whose access key is in the keyring, and the configuration that it is part of, read once."""

    request: Request
    profile: Section
    config: SharedConfig
    keyring: AccessKeyStore
    directory: PrivateDirectory | None

    def access_key_id(self) -> str:
        """Return the id of the access key that the profile names. Raises ConfigError if it names none."""
        return key_setting(self.profile).value

    def rotated_key_id(self) -> str:
        """Return the id of the key that a rotation replaces: the profile's, or the one that it has just replaced.

        Raises ConfigError if the profile names none, and SessionStoreError.
        """
        current = self.access_key_id()
        return self.keyring.read_replaced(current) or current

    def identity_arn(self, keys: Credentials) -> str:
        """Return the ARN of the identity to which the keys belong. Raises CredprocError."""
        return identity_arn(keys, self.profile.name, self.config, self.request.environ)

    def iam(self, access_key_id: str) -> Iam:
        """Return a client of IAM that calls as this user, with one of the user's access keys.

        A user with an MFA device calls with an MFA session, for which this function may prompt. Raises CredprocError.
        """
        plan = self._plan(access_key_id)
        keys = read_keys(plan.source, self.keyring)
        arn = self.identity_arn(keys)
        kind, _, name = arn.rpartition(":")[2].partition("/")
        if kind != "user" or not name:
            raise ConfigError(
                f"{arn}: is not an IAM user, so its access key cannot be rotated",
                "create an IAM user and an access key of this user",
            )
        caller = keys if plan.mfa is None else self._mfa_session(plan)
        endpoint = iam_endpoint_for(self.profile, self.config, self.request.environ, plan.endpoint)
        settings = Settings.of(self.config, self.profile.name, self.request.environ, CALL_SECONDS)
        return Iam(endpoint, settings, caller, name.rpartition("/")[2])

    def _mfa_session(self, plan: Plan) -> Credentials:
        request = self.request._replace(
            profile=self.profile.name, deadlines=FOR_PEOPLE, min_session_seconds=_MIN_SESSION_SECONDS
        )
        attempt = Attempt(request, self.directory, time.monotonic(), may_ask=True)
        return execute(plan, self.config, attempt).credentials

    def _plan(self, access_key_id: str) -> Plan:
        """Return the plan for the user's own session with this access key, without any role of the profile."""
        plan = plan_for(self.config, self.request._replace(profile=self.profile.name))
        where = key_setting(self.profile).where
        source = Source("KeyringKeys", where, self.profile.name, (("access_key_id", access_key_id),))
        has_own_device = plan.source.kind == "KeyringKeys" and plan.source.profile == self.profile.name
        return plan._replace(source=source, roles=(), mfa=plan.mfa if has_own_device else None)
