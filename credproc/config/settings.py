"""The settings of a profile, each once: what it is called, what it means, and what must be known of it.

Every list of settings elsewhere is chosen from ``SETTINGS``; docs/settings.md and the man page are made from it.
"""

from typing import Literal, NamedTuple, get_args

PREFIX = "credproc_"

# Who defines a setting: AWS, for all SDKs, or credproc, which SDKs do not know
Owner = Literal["AWS", "credproc"]
# ``optional``: ``credproc_NAME`` is read before ``NAME``; ``required``: only that is; ``none``: credproc reads neither
Prefix = Literal["optional", "required", "none"]
# What it takes part in
Group = Literal[
    "role", "MFA", "access key", "session token", "Identity Center", "source", "endpoint", "connection", "other"
]
# How much of its value a person is shown: an argument of a program may be a password
Shown = Literal["all", "the program", "nothing"]
# What becomes of it in a file that another user can change: what it names would be started, or get secrets
InUntrustedFile = Literal["used", "refused", "not started"]
# Whose order of a profile's settings is known (CONTRACT.md, 1.6)
Sdk = Literal["boto3 and the AWS CLI", "Go", "JavaScript", "Java", "Rust", "Ruby", "CRT", "minio-go"]

# Where MFA sessions are kept
StoreKind = Literal["keyring", "kernel", "file", "none"]
STORE_KINDS: tuple[StoreKind, ...] = get_args(StoreKind)
# What ``session_store`` may be; the first is what it is if not set
SessionStore = Literal["auto", StoreKind]
SESSION_STORES: tuple[SessionStore, ...] = get_args(SessionStore)
# What ``prompt`` may be: where a code is asked for
PromptPlace = Literal["terminal", "dialog", "dialog-always"]
PROMPT_PLACES: tuple[PromptPlace, ...] = get_args(PromptPlace)
# What ``credential_source`` may be (AWS SDKs and Tools reference guide, "Assume role credential provider")
CredentialSource = Literal["Environment", "Ec2InstanceMetadata", "EcsContainer"]
CREDENTIAL_SOURCES: tuple[CredentialSource, ...] = get_args(CredentialSource)


class KnownSetting(NamedTuple):
    """One setting; ``meaning`` is a line for people, in the Markdown of docs/settings.md."""

    name: str  # without the prefix
    meaning: str
    group: Group
    owner: Owner = "AWS"
    prefix: Prefix = "optional"
    parameter: str | None = None  # of the call of STS that its value is sent in
    shown: Shown = "all"
    wins_in: tuple[Sdk, ...] = ()  # the SDKs that pass over a credential_process for it
    in_untrusted_file: InUntrustedFile = "used"
    is_block: bool = False  # it has no value, but settings of its own, indented below it

    @property
    def written(self) -> str:
        """The name as people write it."""
        return PREFIX + self.name if self.prefix == "required" else self.name


_BOTO3: Sdk = "boto3 and the AWS CLI"
_WITH_ROLE: tuple[Sdk, ...] = (_BOTO3, "Go", "JavaScript", "Java", "Rust", "Ruby", "CRT")
_WITH_TOKEN: tuple[Sdk, ...] = (_BOTO3, "Go", "JavaScript", "Java", "Rust", "Ruby")
_WITH_KEYS: tuple[Sdk, ...] = (_BOTO3, "Go", "JavaScript", "Ruby", "CRT", "minio-go")
_WITH_ACCOUNT: tuple[Sdk, ...] = (_BOTO3, "Go", "Java", "Rust", "Ruby")
# These two take any of the settings for an attempt at Identity Center (hasSSOConfiguration, sso_from_profile)
_WITH_ANY_SSO: tuple[Sdk, ...] = ("Go", "Rust")

_KEYS = "the keys of a user, or temporary ones with a session token"
_SSO = "IAM Identity Center, after `aws sso login`"
_ENDPOINT = (
    "where STS, IAM and Identity Center are; credproc reads them from the profile that is asked for. A URL may have a"
    " path. Plain `http` is allowed to this machine only"
)
_CONNECTION = "as in boto3"
_IGNORED = "for SDKs and the AWS CLI; credproc does not read them"


def _role(name: str, meaning: str, parameter: str | None = None, wins_in: tuple[Sdk, ...] = ()) -> KnownSetting:
    return KnownSetting(name, meaning, "role", parameter=parameter, wins_in=wins_in)


def _own_role(name: str, meaning: str, parameter: str) -> KnownSetting:
    return KnownSetting(name, meaning, "role", "credproc", "required", parameter)


def _own_mfa(name: str, meaning: str, parameter: str | None = None) -> KnownSetting:
    return KnownSetting(name, meaning, "MFA", "credproc", "required", parameter)


def _sso(name: str, wins_in: tuple[Sdk, ...]) -> KnownSetting:
    return KnownSetting(name, _SSO, "Identity Center", wins_in=wins_in)


def _token(name: str) -> KnownSetting:
    return KnownSetting(name, _KEYS, "session token", shown="nothing")


SETTINGS: tuple[KnownSetting, ...] = (
    _role("role_arn", "the role to assume", "RoleArn", _WITH_ROLE),
    _role("source_profile", "the profile whose credentials assume it, which may be a role itself", None, _WITH_ROLE),
    _role(
        "credential_source",
        "whose credentials assume it where no profile has them: `Environment`, `Ec2InstanceMetadata` or `EcsContainer`",
        None,
        _WITH_ROLE,
    ),
    _role(
        "web_identity_token_file",
        "a file with the token of a web identity, which assumes the role without other credentials",
        "WebIdentityToken",
        _WITH_TOKEN,
    ),
    _role("external_id", "what the role's trust policy asks of others than its own account", "ExternalId"),
    _role("role_session_name", "what CloudTrail shows; `credproc-` and your user name if not set", "RoleSessionName"),
    _role(
        "duration_seconds",
        "lifetime of the role's credentials, 900 to 43200; 3600 if not set. AWS caps a role that is assumed with"
        " temporary credentials at 3600 seconds, and so does credproc",
        "DurationSeconds",
    ),
    _own_role("policy", "session policy, JSON in one line", "Policy"),
    _own_role("policy_arns", "session policies, ARNs separated by commas", "PolicyArns"),
    _own_role("session_tags", "tags of the session: `Key=Value,Key=Value`", "Tags"),
    _own_role(
        "transitive_tag_keys", "which of the tags the roles that follow in a chain keep: `Key,Key`", "TransitiveTagKeys"
    ),
    _own_role("source_identity", "who is behind the session", "SourceIdentity"),
    _role(
        "mfa_serial",
        "ARN of a TOTP device, or the serial number of a hardware device. `credproc_mfa_serial = none`: the role needs"
        " no MFA, whatever its source profile says",
        "SerialNumber",
    ),
    KnownSetting(
        "mfa_process",
        "a program that prints the MFA code",
        "MFA",
        "credproc",
        shown="the program",
        in_untrusted_file="not started",
    ),
    _own_mfa(
        "mfa_session_duration_seconds",
        "lifetime of a GetSessionToken session, 900 to 129600; 43200 if not set",
        "DurationSeconds",
    ),
    _own_mfa(
        "session_store",
        "where MFA sessions are kept: `auto` (if not set), `keyring`, `kernel`, `file` or `none`. `auto` is the"
        " desktop's keyring, or on Linux, where no desktop offers one, the kernel's, though not for root and not in a"
        " container. `none` in the profile of a role asks for a code each time that credproc assumes the role, whatever"
        " else is set: for a trust policy that limits the age of the MFA (`aws:MultiFactorAuthAge`)",
    ),
    _own_mfa(
        "prompt",
        "where the MFA code is asked for: `terminal` (if not set), `dialog`, which is in a window where there is no"
        " terminal, or `dialog-always`",
    ),
    KnownSetting("aws_access_key_id", _KEYS, "access key", wins_in=_WITH_KEYS),
    KnownSetting("aws_secret_access_key", _KEYS, "access key", shown="nothing", wins_in=_WITH_KEYS),
    _token("aws_security_token"),  # its older name, which botocore reads first
    _token("aws_session_token"),
    KnownSetting("aws_account_id", "the account of the keys, where no answer of AWS names it", "other"),
    KnownSetting(
        "access_key_id",
        "which key in the keyring belongs to the profile; keys in a file come before it",
        "source",
        "credproc",
        "required",
    ),
    _sso("sso_session", _WITH_ANY_SSO),
    _sso("sso_account_id", _WITH_ACCOUNT),
    _sso("sso_role_name", (*_WITH_ACCOUNT, "minio-go")),
    _sso("sso_start_url", _WITH_ANY_SSO),
    _sso("sso_region", _WITH_ANY_SSO),
    KnownSetting(
        "credential_process",
        "a program that prints the credentials",
        "source",
        shown="the program",
        in_untrusted_file="not started",
    ),
    KnownSetting(
        "login_session",
        "the sign-in of `aws login`, whose credentials credproc gets through the AWS CLI (2.32 or newer)",
        "source",
        wins_in=(_BOTO3, "Java", "Rust"),
    ),
    KnownSetting("region", _ENDPOINT, "endpoint"),
    KnownSetting("endpoint_url", _ENDPOINT, "endpoint", in_untrusted_file="refused"),
    KnownSetting("services", _ENDPOINT, "endpoint", in_untrusted_file="refused"),
    *(
        KnownSetting(name, _ENDPOINT, "endpoint")
        for name in (
            "ignore_configured_endpoint_urls sts_regional_endpoints use_fips_endpoint use_dualstack_endpoint"
        ).split()
    ),
    KnownSetting("ca_bundle", _CONNECTION, "connection", in_untrusted_file="refused"),
    KnownSetting("proxies_config", _CONNECTION, "connection", in_untrusted_file="refused", is_block=True),
    *(
        KnownSetting(name, _CONNECTION, "connection")
        for name in (
            "retry_mode max_attempts"
            " defaults_mode metadata_service_timeout metadata_service_num_attempts ec2_metadata_service_endpoint"
            " ec2_metadata_service_endpoint_mode ec2_metadata_v1_disabled imds_use_ipv6"
        ).split()
    ),
    *(KnownSetting(name, _IGNORED, "other", prefix="none") for name in ("output", "sso_registration_scopes")),
)

NAMES = frozenset(setting.name for setting in SETTINGS)
BLOCK_NAMES = frozenset(setting.name for setting in SETTINGS if setting.is_block)
COMMAND_NAMES = frozenset(setting.name for setting in SETTINGS if setting.shown == "the program")
# What makes SDKs resolve a profile by themselves, whatever its credential_process says
BEFORE_PROCESS = tuple(setting.name for setting in SETTINGS if setting.wins_in)
# AWS's settings of a role: with the prefix SDKs pass over them
ROLE_NAMES = frozenset(setting.name for setting in SETTINGS if setting.group == "role" and setting.owner == "AWS")
ACCESS_KEY_NAMES = tuple(setting.name for setting in SETTINGS if setting.group == "access key")
SESSION_TOKEN_NAMES = tuple(setting.name for setting in SETTINGS if setting.group == "session token")
IDENTITY_CENTER_NAMES = tuple(setting.name for setting in SETTINGS if setting.group == "Identity Center")
# What SDKs do not know though it has no prefix
OWN_NAMES = frozenset(
    setting.name for setting in SETTINGS if setting.owner == "credproc" and setting.prefix == "optional"
)
# What says where secrets go, and so counts in no file that another user can change
REFUSED_NAMES = frozenset(setting.name for setting in SETTINGS if setting.in_untrusted_file == "refused")
# The parameters of AssumeRole, by the settings
ROLE_PARAMETERS = {
    setting.name: setting.parameter for setting in SETTINGS if setting.group == "role" and setting.parameter is not None
}


def setting_named(name: str) -> KnownSetting | None:
    """Return the setting of that name (without the prefix), or None where there is none."""
    return next((setting for setting in SETTINGS if setting.name == name), None)


def session_store_named(value: str) -> SessionStore | None:
    """Return the value as one that ``session_store`` may have, or None."""
    return next((store for store in SESSION_STORES if store == value), None)


def prompt_place_named(value: str) -> PromptPlace | None:
    """Return the value as one that ``prompt`` may have, or None."""
    return next((place for place in PROMPT_PLACES if place == value), None)


def credential_source_named(value: str) -> CredentialSource | None:
    """Return the value as one that ``credential_source`` may have, or None; it is compared as it is written."""
    return next((source for source in CREDENTIAL_SOURCES if source == value), None)
