"""Settings → Plan, or a ConfigError: source → MFA session? → roles, in order. Pure: no network, no keyring.

The rules are botocore's, and the tests hold this module against botocore itself; what differs on purpose is listed
there with its reason.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from credproc.config.shared_config import Section, SharedConfig
from credproc.config.suggestions import likely_typos
from credproc.errors import ConfigError
from credproc.plan.endpoint import Endpoint, endpoint_for, region_of
from credproc.plan.mfa import SESSION_SECONDS, Mfa, mfa_of, session_seconds_of
from credproc.plan.resolver import Walk
from credproc.plan.role import Role, default_session_name, role_in
from credproc.plan.source import Source
from credproc.request import Request


class Plan(NamedTuple):
    """How to come by the credentials of a profile."""

    profile: str | None
    source: Source
    endpoint: Endpoint
    roles: tuple[Role, ...] = ()
    mfa: Mfa | None = None
    account_id: str | None = None  # as the profile says, where no answer tells
    session_seconds: int = SESSION_SECONDS
    region: str | None = None  # for programs that use the credentials, as far as the profile that was named says

    @property
    def is_users_own(self) -> bool:
        """Whether the credentials are a session of a user's long-term keys (GetSessionToken), and no role's."""
        return not self.roles and self.source.is_long_term

    def compared(self) -> dict[str, Any]:
        """Return all that determines the result, as values of JSON without a secret."""
        mfa = None if self.mfa is None else self.mfa.serial
        source_role = None if self.source.role is None else self.source.role.parameters()
        return {
            "source": [self.source.kind, *map(list, self.source.identity)],
            "source_role": source_role,
            "roles": [role.parameters() for role in self.roles],
            "mfa_serial": mfa,
            "session_seconds": self.session_seconds if not self.roles else None,
            "region": self.endpoint.region,
            "issuer": self.endpoint.issuer,
            "fips": self.endpoint.use_fips,
            "dualstack": self.endpoint.use_dualstack,
            "sts_regional_endpoints": self.endpoint.sts_regional_endpoints,
            "account_id": self.account_id,
        }


def plan_for(config: SharedConfig, request: Request) -> Plan:
    """Return the plan for the request's profile.

    Raises ConfigError, with file and line and what to do; keys that look misspelt are named in its hint.
    """
    environ, session_name = request.environ, default_session_name(request.user)
    walk = Walk(config, environ, session_name, request.program)
    try:
        way = walk.way(request.profile)
        roles = tuple(role_in(hop, session_name) for hop in reversed(way.hops))
        root = config.profiles.get(way.source.profile) if way.source.profile is not None else None
        innermost = roles[-1] if roles else way.source.role
        ignores_mfa = way.source.kind == "WebIdentity" and not roles
        return Plan(
            profile=way.profile,
            source=way.source,
            endpoint=endpoint_for(way.selected, config, environ, innermost.role_arn if innermost else None),
            roles=roles,
            mfa=None if ignores_mfa else mfa_of(way.hops, root, way.selected, environ),
            account_id=way.selected.value("aws_account_id") if not roles else None,
            session_seconds=session_seconds_of(root, way.selected),
            region=_region(walk.seen, way.selected, environ),
        )
    except ConfigError as error:
        reasons = [] if config.read_error is None else [config.read_error]  # what is missing may stand there
        reasons += [remark for section in walk.seen for remark in likely_typos(section)]
        if reasons:
            error.hint = "; ".join([*reasons, *([error.hint] if error.hint else [])])
        raise


def _region(seen: Sequence[Section], selected: Section, environ: Mapping[str, str]) -> str | None:
    """Return the region of the profile that was named, before that of the one that it is an alias of."""
    for section in seen:
        region = region_of(section, environ)
        if region is not None or section is selected:
            return region
    return region_of(selected, environ)
