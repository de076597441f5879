"""A profile's credentials for programs that do not start credproc: environment variables and the JSON document."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from credproc import cache
from credproc.config.parser import read
from credproc.config.shared_config import SharedConfig
from credproc.credentials import epoch_seconds
from credproc.plan import Plan, plan_for
from credproc.process.child_environment import is_identity
from credproc.refresh import FOR_PEOPLE, RefreshResult, refresh
from credproc.request import Request

# Are unset whether they are set here or not; AWS_SECURITY_TOKEN is the old name of AWS_SESSION_TOKEN
_CONFLICTING = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN")
_FIELDS = {
    "AWS_ACCESS_KEY_ID": "AccessKeyId",
    "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
    "AWS_SESSION_TOKEN": "SessionToken",
    "AWS_CREDENTIAL_EXPIRATION": "Expiration",
    "AWS_ACCOUNT_ID": "AccountId",
}
KEY_VARIABLES = tuple(_FIELDS)  # those that hold the credentials, or belong to them


class ProfileCredentials(NamedTuple):
    """The credentials of a profile as SDKs get them, the plan that led to them, and the configuration."""

    document: bytes
    plan: Plan
    config: SharedConfig

    def variables(self, environ: Mapping[str, str]) -> dict[str, str | None]:
        """Return the environment variables to set; a variable whose value is None must be unset.

        Those are also the variables of ``environ`` by which an SDK may find another identity first.
        """
        fields = json.loads(self.document)
        found: dict[str, str | None] = {name: fields.get(field) for name, field in _FIELDS.items()}
        if self.plan.region is not None:
            found |= {"AWS_REGION": self.plan.region, "AWS_DEFAULT_REGION": self.plan.region}
        others = sorted(name for name in environ if is_identity(name) and name not in found)
        return found | dict.fromkeys((*_CONFLICTING, *others))

    def in_region(self, region: str | None) -> "ProfileCredentials":
        """Return the same for programs that work in another region; None: in that of the profile."""
        return self if region is None else self._replace(plan=self.plan._replace(region=region))

    @property
    def expiration(self) -> int | None:
        """When the credentials expire, in epoch seconds; None if that is not known."""
        text = json.loads(self.document).get("Expiration")
        return epoch_seconds(text) if isinstance(text, str) else None

    def __repr__(self) -> str:
        """Return a text without secrets."""
        return f"ProfileCredentials({self.plan.profile!r})"


def resolve(request: Request, config: SharedConfig | None = None) -> ProfileCredentials:
    """Return the credentials of the request's profile from the cache or a refresh, which may prompt.

    ``config`` is the configuration if the caller has already read it. Raises CredprocError.
    """
    config = read(request.environ, request.clock()) if config is None else config
    document = cache.hit(request.profile, request.environ, request.clock())
    found = RefreshResult(document) if document is not None else refresh(request._replace(deadlines=FOR_PEOPLE), config)
    return ProfileCredentials(found.document, found.plan or plan_for(config, request), config)


def with_variables(environ: Mapping[str, str], variables: Mapping[str, str | None]) -> dict[str, str]:
    """Return a copy of the environment with the variables set, and those whose value is None unset."""
    kept = {name: value for name, value in environ.items() if name not in variables}
    return kept | {name: value for name, value in variables.items() if value is not None}
