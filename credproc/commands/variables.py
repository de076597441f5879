"""A profile's credentials for a program that does not run us by itself: its variables, and the document."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from credproc import cache
from credproc.config.parser import read
from credproc.config.shared_config import SharedConfig
from credproc.plan import Plan, plan_for
from credproc.refresh import FOR_PEOPLE, Refreshed, refresh
from credproc.request import Request

# What would win over the credentials or name other ones; AWS_SECURITY_TOKEN is AWS_SESSION_TOKEN's old name
_MISLEADING = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN")
_FIELDS = {
    "AWS_ACCESS_KEY_ID": "AccessKeyId",
    "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
    "AWS_SESSION_TOKEN": "SessionToken",
    "AWS_CREDENTIAL_EXPIRATION": "Expiration",
    "AWS_ACCOUNT_ID": "AccountId",
}


class Resolved(NamedTuple):
    """What a profile resolves to, and what the two AWS files say."""

    document: bytes
    plan: Plan
    config: SharedConfig

    def variables(self) -> dict[str, str | None]:
        """Return the environment's variables; None: it must not be set."""
        fields = json.loads(self.document)
        found: dict[str, str | None] = {name: fields.get(field) for name, field in _FIELDS.items()}
        if self.plan.region is not None:
            found |= {"AWS_REGION": self.plan.region, "AWS_DEFAULT_REGION": self.plan.region}
        return found | dict.fromkeys(_MISLEADING)

    def __repr__(self) -> str:
        """Show what may be shown."""
        return f"Resolved({self.plan.profile!r})"


def resolve(request: Request, config: SharedConfig | None = None) -> Resolved:
    """Return what the request's profile resolves to, as the main form does; a person may be asked.

    ``config`` is what the two AWS files say, where the caller has read them already. Raises CredprocError.
    """
    config = read(request.environ, request.clock()) if config is None else config
    document = cache.hit(request.profile, request.environ, request.clock())
    found = Refreshed(document) if document is not None else refresh(request._replace(deadlines=FOR_PEOPLE), config)
    return Resolved(found.document, found.plan or plan_for(config, request), config)


def with_variables(environ: Mapping[str, str], variables: Mapping[str, str | None]) -> dict[str, str]:
    """Return the environment with these variables, and without those that are None."""
    kept = {name: value for name, value in environ.items() if name not in variables}
    return kept | {name: value for name, value in variables.items() if value is not None}
