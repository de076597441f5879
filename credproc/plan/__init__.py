"""Make a plan from settings: a source, an MFA device if there is one, and roles in order. No network, no keyring.

The rules are botocore's, and the tests compare this module with botocore itself; they list each intended difference
with its reason.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from credproc.config.shared_config import Section, SharedConfig
from credproc.config.suggestions import likely_typos
from credproc.errors import ConfigError
from credproc.plan.endpoint import Endpoint, configured_url, endpoint_for, region_of
from credproc.plan.mfa import SESSION_SECONDS, Mfa, mfa_of, session_seconds_of
from credproc.plan.resolver import ProfileResolver
from credproc.plan.role import Role, default_session_name, role_in
from credproc.plan.source import IDENTITY_CENTER_SERVICES, Source
from credproc.request import Request


class Plan(NamedTuple):
    """How to get the credentials of a profile."""

    profile: str | None
    source: Source
    endpoint: Endpoint
    roles: tuple[Role, ...] = ()
    mfa: Mfa | None = None
    account_id: str | None = None  # from the settings, for credentials that come without one
    session_seconds: int = SESSION_SECONDS
    region: str | None = None  # for programs that use the credentials; from the named profile

    @property
    def is_user_session(self) -> bool:
        """Whether the credentials are a session of a user's long-term keys (GetSessionToken), not those of a role."""
        return not self.roles and self.source.is_long_term

    @property
    def is_passed_on(self) -> bool:
        """Whether what is local is printed as it is and not stored, as SDKs would do it."""
        return not self.roles and self.mfa is None and self.source.is_local

    def compared(self) -> dict[str, Any]:
        """Return all that determines the resulting credentials, as JSON values without a secret."""
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

    Raises ConfigError with file, line and a hint; the hint also names settings that are likely typos.
    """
    environ, session_name = request.environ, default_session_name(request.user)
    resolver = ProfileResolver(config, environ, session_name, request.program)
    try:
        resolution = resolver.resolve(request.profile)
        roles = tuple(role_in(hop, session_name) for hop in reversed(resolution.hops))
        root = config.profiles.get(resolution.source.profile) if resolution.source.profile is not None else None
        innermost = roles[-1] if roles else resolution.source.role
        ignores_mfa = resolution.source.kind == "WebIdentity" and not roles
        return Plan(
            profile=resolution.profile,
            source=_with_urls(resolution.source, resolution.selected, config, environ),
            endpoint=endpoint_for(resolution.selected, config, environ, innermost.role_arn if innermost else None),
            roles=roles,
            mfa=None if ignores_mfa else mfa_of(resolution.hops, root, resolution.selected, environ),
            account_id=resolution.selected.value("aws_account_id") if not roles else None,
            session_seconds=session_seconds_of(root, resolution.selected),
            region=_region(resolver.visited, resolution.selected, environ),
        )
    except ConfigError as error:
        reasons = [] if config.read_error is None else [config.read_error]  # the missing setting may be in that file
        reasons += [remark for section in resolver.visited for remark in likely_typos(section)]
        if reasons:
            error.hint = "; ".join([*reasons, *([error.hint] if error.hint else [])])
        raise


def _with_urls(source: Source, selected: Section, config: SharedConfig, environ: Mapping[str, str]) -> Source:
    """Return the source with the URLs that settings name for Identity Center, if it is that. Raises ConfigError."""
    if source.kind != "IdentityCenter":
        return source
    services = IDENTITY_CENTER_SERVICES if "sso_session" in dict(source.identity) else IDENTITY_CENTER_SERVICES[:1]
    found = ((name, configured_url(name, selected, config, environ)) for name in services)
    urls = tuple((name, url.value) for name, url in found if url is not None)
    return source._replace(identity=source.identity + urls)


def _region(visited: Sequence[Section], selected: Section, environ: Mapping[str, str]) -> str | None:
    """Return the region of the named profile, or else of the profile that it is an alias of."""
    for section in visited:
        region = region_of(section, environ)
        if region is not None or section is selected:
            return region
    return region_of(selected, environ)
