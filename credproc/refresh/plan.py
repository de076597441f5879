"""Settings → Plan, or a ConfigError: source → MFA session? → roles, in order. Pure: no network, no keyring.

The rules are botocore's (``botocore.credentials.AssumeRoleProvider`` and ``ProfileProviderBuilder``), and the tests
hold this module against botocore itself; what differs on purpose is listed there with its reason.
"""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any
from unicodedata import normalize

from credproc.errors import ConfigError, UsageError, quoted
from credproc.refresh.device import SESSION_SECONDS, Mfa, mfa_of, session_seconds_of
from credproc.refresh.endpoint import Endpoint, endpoint_for, region_of
from credproc.refresh.roles import (
    Role,
    default_session_name,
    role_in,
)
from credproc.refresh.sharedconfig import Section, Setting, SharedConfig
from credproc.refresh.sourcesettings import (
    Source,
    environment_source,
    has_keys,
    has_role,
    is_identity_center,
    keys_from_credentials_file,
    keys_in_keyring,
    source_in,
    web_identity_variables,
)

CREDENTIAL_SOURCES = ("Environment", "Ec2InstanceMetadata", "EcsContainer")
_CREDENTIAL_KEYS = (
    "role_arn",
    "web_identity_token_file",
    "sso_account_id",
    "sso_role_name",
    "login_session",
    "credential_process",
    "aws_access_key_id",
    "aws_secret_access_key",
)

_OUR_LINE_LIMIT = 8192  # characters of a credential_process line that may be ours; shlex takes the square of the length
_COMPARED_NAMES = 5000  # with a name that does not exist; and of keys with those that do:
_COMPARED_KEYS = 200
_COMPARED_LENGTH = 100  # characters of a name or key

# What a misspelt key may have been meant for: what takes part in resolving a profile
KNOWN_KEYS = frozenset(
    (
        "role_arn source_profile credential_source external_id mfa_serial role_session_name duration_seconds"
        " web_identity_token_file aws_access_key_id aws_secret_access_key aws_session_token aws_security_token"
        " aws_account_id credential_process sso_session sso_start_url sso_region sso_account_id sso_role_name"
        " sso_registration_scopes login_session region output services endpoint_url ignore_configured_endpoint_urls"
        " sts_regional_endpoints use_fips_endpoint use_dualstack_endpoint ca_bundle mfa_process policy policy_arns"
        " session_tags transitive_tag_keys source_identity mfa_session_duration_seconds session_store retry_mode"
        " max_attempts defaults_mode access_key_id"
    ).split()
)


@dataclass(frozen=True)
class Plan:
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
        source_role = None if self.source.role is None else _determining(self.source.role)
        return {
            "source": [self.source.kind, *map(list, self.source.identity)],
            "source_role": source_role,
            "roles": [_determining(role) for role in self.roles],
            "mfa_serial": mfa,
            "session_seconds": self.session_seconds if not self.roles else None,
            "region": self.endpoint.region,
            "issuer": self.endpoint.issuer,
            "fips": self.endpoint.use_fips,
            "dualstack": self.endpoint.use_dualstack,
            "sts_regional_endpoints": self.endpoint.sts_regional_endpoints,
            "account_id": self.account_id,
        }


@dataclass(frozen=True)
class Asker:
    """Who asks: what a plan needs to know besides the settings."""

    user: str = "user"  # of the operating system, for the session name
    program: str | None = None  # path of this credproc, to know it in a credential_process line


def plan_for(config: SharedConfig, profile: str | None, environ: Mapping[str, str], asker: Asker) -> Plan:
    """Return the plan for a profile; None: none was named.

    Raises ConfigError, with file and line and what to do; keys that look misspelt are named in its hint.
    """
    resolution = _Resolution(config, environ, asker)
    try:
        return resolution.plan(profile)
    except ConfigError as error:
        reasons = [] if config.unread is None else [config.unread]  # what is missing may stand there
        reasons += [remark for section in resolution.seen for remark in _misspelt(section)]
        if reasons:
            error.hint = "; ".join([*reasons, *([error.hint] if error.hint else [])])
        raise


def alias_target(command: str, program: str | None) -> str | None:
    """Return the profile that a ``credential_process`` line asks credproc itself for; None for another program.

    Raises UsageError if it is credproc, but with arguments that name no profile.
    """
    if len(command) > _OUR_LINE_LIMIT:
        return None
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if not words or not _is_credproc(words[0], program):
        return None
    if len(words) == 3 and words[1] == "--profile":
        return words[2]
    if len(words) == 2 and words[1].startswith("--profile="):
        return words[1].partition("=")[2]
    raise UsageError(
        "credential_process starts credproc with arguments that name no profile",
        "write credential_process = credproc --profile NAME, without a comment behind it",
    )


def _is_credproc(word: str, program: str | None) -> bool:
    if os.path.basename(word.replace("\\", "/")).lower() in ("credproc", "credproc.exe"):
        return True
    try:
        return program is not None and os.path.samefile(word, program)
    except OSError:
        return False


class _Resolution:
    """One walk through the profiles; remembers which it has seen."""

    def __init__(self, config: SharedConfig, environ: Mapping[str, str], asker: Asker) -> None:
        self.config = config
        self.environ = environ
        self.asker = asker
        self.session_name = default_session_name(asker.user)
        self.seen: list[Section] = []
        self.path: dict[str, None] = {}  # their names, in order

    def plan(self, profile: str | None) -> Plan:
        if profile is None and not self._default_counts():
            source = self._unnamed_source()
            section = self.config.profiles.get("default", Section("default", "default"))
            return self._assembled(None, section, source, [])
        selected = self._selected(profile or "default")
        if profile is None and self._has_web_identity_variables() and not has_role(selected):
            return self._assembled(None, selected, web_identity_variables(self.environ, self.session_name), [])
        if has_role(selected):
            source, hops = self._role_chain(selected)
        else:
            source, hops = source_in(selected, self.config, self.session_name), []
        return self._assembled(selected.name, selected, source, hops)

    def _assembled(self, profile: str | None, selected: Section, source: Source, hops: list[Section]) -> Plan:
        roles = tuple(role_in(hop, self.session_name) for hop in reversed(hops))
        root = self.config.profiles.get(source.profile) if source.profile is not None else None
        innermost = roles[-1] if roles else source.role
        return Plan(
            profile=profile,
            source=source,
            endpoint=endpoint_for(selected, self.config, self.environ, innermost.role_arn if innermost else None),
            roles=roles,
            mfa=None if source.kind == "WebIdentity" and not hops else mfa_of(hops, root, selected, self.environ),
            account_id=selected.value("aws_account_id") if not roles else None,
            session_seconds=session_seconds_of(root, selected),
            region=self._region(selected),
        )

    def _region(self, selected: Section) -> str | None:
        """Return the region of the profile that was named, before that of the one that it is an alias of."""
        for section in [*self.seen, selected]:
            region = region_of(section, self.environ)
            if region is not None or section is selected:
                return region
        return None

    # --- which profile -----------------------------------------------------------------------------------------

    def _selected(self, name: str) -> Section:
        """Return the profile of that name, or the one that it is an alias of."""
        section = self.config.profiles.get(name)
        if section is None:
            raise ConfigError(f"{self.config.shown_files()}: no profile named {quoted(name)}", self._nearest(name))
        while True:
            self._visit(section)
            target = self._alias(section)
            if target is None:
                return section
            if target.value in self.path:
                raise self._cycle(target.value, target.where)
            if target.value not in self.config.profiles:
                raise ConfigError(
                    f"{target.where}: credential_process names profile {quoted(target.value)}, which does not exist",
                    self._nearest(target.value),
                )
            section = self.config.profiles[target.value]

    def _alias(self, section: Section) -> Setting | None:
        """Return the profile that the section's own ``credential_process`` names, if that is what the section is."""
        command = section.setting("credential_process")
        if command is None or has_role(section) or section.setting("web_identity_token_file") is not None:
            return None
        if is_identity_center(section) or keys_from_credentials_file(section) is not None:
            return None
        if keys_in_keyring(section) is not None:  # one profile for credproc's settings and the line that SDKs read
            return None
        try:
            target = alias_target(command.value, self.asker.program)
        except UsageError as error:
            raise ConfigError(f"{command.where}: {error}", error.hint) from None
        return None if target is None else Setting(target, command.where)

    def _visit(self, section: Section) -> None:
        self.seen.append(section)
        self.path[section.name] = None

    def _nearest(self, name: str) -> str:
        known = list(islice(self.config.profiles, _COMPARED_NAMES))
        # An accent may be one character or two, and looks the same: SDKs compare bytes
        near = [one for one in known if normalize("NFC", one) == normalize("NFC", name)]
        near += get_close_matches(name, known, n=1) if len(name) <= _COMPARED_LENGTH else []
        if near:
            return f"did you mean {quoted(near[0])}?"
        if not self.config.profiles:
            return "no profiles are defined there; AWS_CONFIG_FILE names another file"
        return "check the spelling: credproc list shows the profiles"

    def _cycle(self, name: str, where: str) -> ConfigError:
        path = [*self.path, name]
        cycle = " -> ".join(quoted(step)[1:-1] for step in path[path.index(name) :])
        return ConfigError(
            f"{where}: the profiles form a circle: {cycle}", "let one of them name a profile that has credentials"
        )

    # --- with roles --------------------------------------------------------------------------------------------

    def _role_chain(self, section: Section) -> tuple[Source, list[Section]]:
        """Return the source and the profiles with roles, outermost first."""
        hops = [section]
        while True:
            source_profile = section.setting("source_profile")
            credential_source = section.setting("credential_source")
            where = section.line_of("role_arn")
            if source_profile is not None and credential_source is not None:
                raise ConfigError(
                    f"{where}: [{section.name}] has both source_profile and credential_source", "keep one of them"
                )
            if credential_source is not None:
                return self._named_source(credential_source), hops
            if source_profile is None:
                raise ConfigError(
                    f"{where}: role_arn without source_profile or credential_source",
                    f"add source_profile to [{section.name}]"
                    + (f" (source_profile = {section.name} if its own keys are meant)" if has_keys(section) else ""),
                )
            source_section = self._source_section(section, source_profile)
            if has_keys(source_section) or not has_role(source_section):
                return source_in(source_section, self.config, self.session_name), hops
            section = source_section
            hops.append(section)

    def _source_section(self, section: Section, reference: Setting) -> Section:
        """Return the profile that ``source_profile`` names, or the one that it is an alias of."""
        name = reference.value
        if name not in self.config.profiles:
            raise ConfigError(f"{reference.where}: source_profile {quoted(name)} does not exist", self._nearest(name))
        if name == section.name and has_keys(section):
            return section
        if name in self.path:
            raise self._cycle(name, reference.where)
        return self._selected(name)

    def _named_source(self, setting: Setting) -> Source:
        name = setting.value
        if name not in CREDENTIAL_SOURCES:
            near = get_close_matches(
                name[:_COMPARED_LENGTH].lower(), [known.lower() for known in CREDENTIAL_SOURCES], n=1
            )
            exact = next((known for known in CREDENTIAL_SOURCES if near and known.lower() == near[0]), None)
            raise ConfigError(
                f"{setting.where}: credential_source is none that is known: {name[:40]}",
                f"did you mean {exact}?" if exact else "write Environment, Ec2InstanceMetadata or EcsContainer",
            )
        return environment_source(name, setting.where, self.environ)

    # --- with no profile named ---------------------------------------------------------------------------------

    def _default_counts(self) -> bool:
        """Whether [default] has to do with credentials; a lone region in it does not hide the machine's role."""
        section = self.config.profiles.get("default")
        if section is None:
            return False
        return any(section.setting(key) is not None for key in _CREDENTIAL_KEYS) or has_keys(section)

    def _has_web_identity_variables(self) -> bool:
        return bool(self.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE"))

    def _unnamed_source(self) -> Source:
        if self._has_web_identity_variables():
            return web_identity_variables(self.environ, self.session_name)
        for variable in ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
            if self.environ.get(variable):
                return environment_source("EcsContainer", variable, self.environ)
        return environment_source("Ec2InstanceMetadata", "instance metadata", self.environ, if_any=True)


def _determining(role: Role) -> dict[str, Any]:
    return role.parameters()


def _misspelt(section: Section) -> list[str]:
    remarks = []
    for key, setting in islice(section.items(), _COMPARED_KEYS):
        plain = key.removeprefix("credproc_")
        if plain in KNOWN_KEYS or len(plain) > _COMPARED_LENGTH:
            continue
        near = get_close_matches(plain, KNOWN_KEYS, n=1, cutoff=0.8)
        if near:
            remarks.append(f"{setting.where}: {key[:40]} looks like {near[0]}")
    return remarks
