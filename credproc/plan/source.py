"""Make a Source from the settings of one profile, without following another profile."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from credproc.config.settings import ACCESS_KEY_NAMES, IDENTITY_CENTER_NAMES, SESSION_TOKEN_NAMES, CredentialSource
from credproc.config.shared_config import Section, Setting, SharedConfig, variable_text
from credproc.credentials import ACCESS_KEY_ID, UNSENDABLE, Credentials
from credproc.errors import ConfigError, for_shell, quoted
from credproc.plan.endpoint import CONTAINER_VARIABLES, check_container_url, checked_region
from credproc.plan.role import Role, check_role_arn, web_identity_role_in

_IDENTITY_CENTER_FIELDS = tuple(name for name in IDENTITY_CENTER_NAMES if name != "sso_session")
IDENTITY_CENTER_SERVICES = ("sso", "sso_oidc")  # the portal, and what renews the token of an sso-session
_WEB_IDENTITY_VARIABLES = {
    "web_identity_token_file": "AWS_WEB_IDENTITY_TOKEN_FILE",
    "role_arn": "AWS_ROLE_ARN",
    "role_session_name": "AWS_ROLE_SESSION_NAME",
}

# Each ``match`` over a kind has a case for every kind, or mypy reports it
SourceKind = (
    CredentialSource | Literal["StaticKeys", "KeyringKeys", "WebIdentity", "IdentityCenter", "LoginSession", "Process"]
)


class Source(NamedTuple):
    """Where the first credentials come from. ``identity`` is what determines them, without a secret."""

    kind: SourceKind
    where: str
    profile: str | None = None
    identity: tuple[tuple[str, str], ...] = ()
    keys: Credentials | None = None  # of StaticKeys; its repr does not show the secret
    role: Role | None = None  # of WebIdentity
    program: Setting | None = None  # of Process
    is_fallback: bool = False  # chosen because no profile is named: the error without credentials then says so

    def field(self, name: str) -> str:
        """Return one field of the identity. Raises KeyError."""
        return dict(self.identity)[name]

    @property
    def urls(self) -> dict[str, str]:
        """The URLs that settings name for IDENTITY_CENTER_SERVICES, by service."""
        return {name: url for name, url in self.identity if name in IDENTITY_CENTER_SERVICES}

    @property
    def access_key_id(self) -> str | None:
        """The access key id, if the files or the environment hold it."""
        identity = dict(self.identity)
        return identity.get("access_key_id") or identity.get("AWS_ACCESS_KEY_ID")

    @property
    def is_local(self) -> bool:
        """Whether a program or an endpoint of this machine gives the credentials, to each caller its own."""
        return self.kind in ("Process", "LoginSession", "Ec2InstanceMetadata", "EcsContainer")

    @property
    def is_long_term(self) -> bool:
        """Whether the settings hold a user's long-term keys; those of the environment may be long-term or temporary."""
        return self.kind == "KeyringKeys" or (self.keys is not None and not self.keys.temporary)

    def is_temporary(self, environ: Mapping[str, str]) -> bool:
        """Return whether the credentials have a session token, as far as the settings tell before they are fetched.

        A program may print either kind; the answer is True for it, as most print temporary credentials.
        """
        if self.kind == "Environment":
            return bool(environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN"))
        return not self.is_long_term


def source_in(section: Section, config: SharedConfig, session_name: str, environ: Mapping[str, str]) -> Source:
    """Return the source that the profile's own settings name, in botocore's order. Raises ConfigError."""
    login = section.setting("login_session")
    process = section.setting("credential_process")
    if section.setting("web_identity_token_file") is not None:
        return _web_identity(section, session_name)
    if is_identity_center(section):
        return _identity_center(section, config)
    if keys_from_credentials_file(section) is not None:
        return _static(section, config.missing, environ)
    in_keyring = keys_in_keyring(section)
    if in_keyring is not None:
        return _keyring(section, in_keyring)
    if login is not None:
        return Source("LoginSession", login.where, section.name, (("login_session", login.value),))
    if process is not None:
        return Source("Process", process.where, section.name, (("command", process.value),), program=process)
    if section.setting("sso_session") is not None and not has_keys(section):
        return _identity_center(section, config)  # raises with the names of the missing settings
    return _static(section, config.missing, environ)


def _static(section: Section, missing: str | None, environ: Mapping[str, str]) -> Source:
    access_key_id = section.setting("aws_access_key_id")
    secret = section.setting("aws_secret_access_key")
    if access_key_id is None or not access_key_id.value:
        if secret is not None:
            raise ConfigError(
                f"{secret.where}: aws_secret_access_key without aws_access_key_id",
                f"add aws_access_key_id to [{section.name}]",
            )
        raise ConfigError(
            f"{section.where}: profile {quoted(section.name)} holds no credentials, and no setting names their source",
            missing
            or environment_hint(environ)
            or "add role_arn and source_profile, keys, sso_session, or credential_process",
        )
    if secret is None or not secret.value:
        raise ConfigError(
            f"{access_key_id.where}: aws_access_key_id without aws_secret_access_key",
            f"add aws_secret_access_key to [{section.name}]",
        )
    token = next((found for found in map(section.setting, SESSION_TOKEN_NAMES) if found and found.value), None)
    account_id = section.value("aws_account_id") or None
    keys = Credentials(access_key_id.value, secret.value, token and token.value, account_id=account_id)
    for setting, name in ((access_key_id, "AccessKeyId"), (secret, "SecretAccessKey"), (token, "SessionToken")):
        if setting is not None and name == keys.unsendable:
            raise ConfigError(f"{setting.where}: {name} {UNSENDABLE}", "copy it from where it was given out")
    return Source("StaticKeys", access_key_id.where, section.name, (("access_key_id", access_key_id.value),), keys=keys)


def _keyring(section: Section, access_key_id: Setting) -> Source:
    if not ACCESS_KEY_ID.fullmatch(access_key_id.value):
        raise ConfigError(
            f"{access_key_id.where}: credproc_access_key_id must be 16 to 128 letters, digits or underscores,"
            f" not {quoted(access_key_id.value[:40])}",
            f"run credproc keys list, or credproc keys add {for_shell(section.name)}",
        )
    return Source("KeyringKeys", access_key_id.where, section.name, (("access_key_id", access_key_id.value),))


def _web_identity(section: Section, session_name: str) -> Source:
    token_file = section.setting("web_identity_token_file")
    role = web_identity_role_in(section, session_name)
    path = token_file.value if token_file else ""
    return Source("WebIdentity", role.where, section.name, (("token_file", path),), role=role)


def _identity_center(section: Section, config: SharedConfig) -> Source:
    reference = section.setting("sso_session")
    settings = {key: section.value(key) for key in _IDENTITY_CENTER_FIELDS}
    named = next((key for key in ("sso_account_id", "sso_role_name") if settings[key]), "sso_session")
    where = section.where_set(named)
    session: Section | None = None
    if reference is not None:
        session = config.sso_sessions.get(reference.value)
        if session is None:
            raise ConfigError(
                f"{reference.where}: there is no section [sso-session {reference.value[:80]}]",
                "check the name, or run aws configure sso",
            )
        for key in ("sso_start_url", "sso_region"):
            value = session.value(key)
            if settings[key] is not None and settings[key] != value:
                raise ConfigError(
                    f"{section.where_set(key)}: {key} differs from the one in [sso-session {reference.value}]",
                    f"remove {key} from [{section.name}]",
                )
            settings[key] = value
    missing = [key for key in _IDENTITY_CENTER_FIELDS if not settings[key]]
    if missing:
        raise ConfigError(
            f"{where}: profile {quoted(section.name)} uses IAM Identity Center but lacks {', '.join(missing)}",
            "run aws configure sso, or add what is missing",
        )
    region = section if section.setting("sso_region") is not None or session is None else session
    checked_region(Setting(settings["sso_region"] or "", region.where_set("sso_region")))
    identity = tuple((key, settings[key] or "") for key in _IDENTITY_CENTER_FIELDS)
    if reference is not None:
        identity += (("sso_session", reference.value),)
    return Source("IdentityCenter", where, section.name, identity)


def environment_hint(environ: Mapping[str, str]) -> str | None:
    """Return what to write where a source is missing and the environment has keys, which by themselves are none."""
    if not environ.get("AWS_ACCESS_KEY_ID"):
        return None
    return "keys in the environment alone are no source: write role_arn and credential_source = Environment"


def environment_source(
    kind: CredentialSource, where: str, environ: Mapping[str, str], *, is_fallback: bool = False
) -> Source:
    """Return the source of that kind; ``where`` is the line or variable that chooses it. Raises ConfigError."""
    identity = tuple((name, text) for name in _variables_of(kind) if (text := variable_text(name, environ)) is not None)
    if kind == "EcsContainer" and identity:
        check_container_url(*identity[0])
    return Source(kind, where, identity=identity[:1], is_fallback=is_fallback)


def _variables_of(kind: CredentialSource) -> tuple[str, ...]:
    """Return the variables that identify the source; the first that is set counts."""
    match kind:
        case "Environment":
            return ("AWS_ACCESS_KEY_ID",)
        case "EcsContainer":
            return CONTAINER_VARIABLES
        case "Ec2InstanceMetadata":
            return ()


def web_identity_variables(environ: Mapping[str, str], session_name: str) -> Source:
    """Return the web identity that the variables describe. Raises ConfigError if one is missing or invalid."""
    section = Section("the environment", "AWS_WEB_IDENTITY_TOKEN_FILE")
    for key, name in _WEB_IDENTITY_VARIABLES.items():
        value = variable_text(name, environ)
        if value is not None:
            section[key] = Setting(value, name)
    if "role_arn" not in section:
        raise ConfigError("AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN", "set AWS_ROLE_ARN")
    check_role_arn(section["role_arn"])
    role = web_identity_role_in(section, session_name)
    path = section["web_identity_token_file"].value
    return Source("WebIdentity", "AWS_WEB_IDENTITY_TOKEN_FILE", identity=(("token_file", path),), role=role)


def has_source(section: Section) -> bool:
    """Return whether any setting of the profile says where credentials come from."""
    settings = ("role_arn", "web_identity_token_file", "login_session", "credential_process")
    return any(map(section.setting, settings)) or is_identity_center(section) or has_keys(section)


def has_role(section: Section) -> bool:
    """Return whether the profile assumes a role with the credentials of another source."""
    return section.setting("role_arn") is not None and section.setting("web_identity_token_file") is None


def has_keys(section: Section) -> bool:
    """Return whether the profile holds keys, one half of them, or the id of keys in the keyring."""
    return any(section.setting(key) is not None for key in ACCESS_KEY_NAMES) or keys_in_keyring(section) is not None


def keys_in_keyring(section: Section) -> Setting | None:
    """Return the setting with the id of keys in the keyring, or None; keys in a file take precedence."""
    found = section.credproc_setting("access_key_id")
    return found if found is not None and section.setting("aws_access_key_id") is None else None


def is_identity_center(section: Section) -> bool:
    """Return whether the profile gets its credentials from IAM Identity Center."""
    return any(section.setting(key) is not None for key in ("sso_account_id", "sso_role_name"))


def keys_from_credentials_file(section: Section) -> Setting | None:
    """Return the access key id if the credentials file holds it: it takes precedence over credential_process."""
    found = section.setting("aws_access_key_id")
    return found if found is not None and found.from_credentials_file else None
