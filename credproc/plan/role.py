"""Make a Role from the settings of a profile; each parameter of its AssumeRole call is checked before any call."""

import json
import re
from typing import Any, NamedTuple

from credproc.config.settings import ROLE_PARAMETERS
from credproc.config.shared_config import Section, Setting
from credproc.errors import ConfigError, quoted

# Limits: STS API reference, AssumeRole
DURATION_RANGE = (900, 43200)  # seconds
CHAINED_DURATION_LIMIT = 3600  # seconds; "role chaining limits your session to a maximum of one hour"
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_NOT_IN_SESSION_NAME = re.compile(r"[^\w+=,.@-]+", re.ASCII)
_DECLINED = ("", "none")
_SERIAL = re.compile(r"[\w+=/:,.@-]{9,256}", re.ASCII)
_ROLE_ARN = "arn:aws:iam::123456789012:role/NAME"
_ARN_WITHOUT_COLON = re.compile(r"(arn:[\w-]+:iam):(\d+:.+)")  # the AWS CLI guide itself has this typo


class Role(NamedTuple):
    """A role to assume, and the parameters of the call, under the names of the settings."""

    role_arn: str
    role_session_name: str
    where: str
    external_id: str | None = None
    duration_seconds: int | None = None
    policy: str | None = None
    policy_arns: tuple[str, ...] = ()
    session_tags: tuple[tuple[str, str], ...] = ()
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str | None = None

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of AssumeRole that are set, under STS's names."""
        values: dict[str, Any] = {
            "role_arn": self.role_arn,
            "role_session_name": self.role_session_name,
            "external_id": self.external_id,
            "duration_seconds": self.duration_seconds,
            "policy": self.policy,
            "policy_arns": [{"arn": arn} for arn in self.policy_arns],
            "session_tags": [{"Key": key, "Value": value} for key, value in self.session_tags],
            "transitive_tag_keys": list(self.transitive_tag_keys),
            "source_identity": self.source_identity,
        }
        return {ROLE_PARAMETERS[name]: value for name, value in values.items() if value not in (None, [])}


def role_in(section: Section, default_session_name: str) -> Role:
    """Return the role of a profile with ``role_arn``. Raises ConfigError with file and line."""
    return Role(
        role_arn=role_arn_of(section),
        role_session_name=session_name_of(section) or default_session_name,
        where=section.where_set("role_arn"),
        external_id=section.value("external_id"),
        duration_seconds=_integer(section.setting("duration_seconds"), "duration_seconds", DURATION_RANGE),
        policy=_policy(section.credproc_setting("policy")),
        policy_arns=_comma_separated(section.credproc_setting("policy_arns")),
        session_tags=_session_tags(section.credproc_setting("session_tags")),
        transitive_tag_keys=_comma_separated(section.credproc_setting("transitive_tag_keys")),
        source_identity=_value_or_none(section.credproc_setting("source_identity")),
    )


def web_identity_role_in(section: Section, default_session_name: str) -> Role:
    """Return the role of a web identity profile; like botocore, it has only an ARN and a session name."""
    if section.setting("role_arn") is None:
        raise ConfigError(
            f"{section.where_set('web_identity_token_file')}: web_identity_token_file without role_arn",
            f"add role_arn to [{section.name}]",
        )
    return Role(
        role_arn=role_arn_of(section),
        role_session_name=session_name_of(section) or default_session_name,
        where=section.where_set("role_arn"),
    )


def role_arn_of(section: Section) -> str:
    """Return the profile's ``role_arn``. Raises ConfigError if it is not an ARN."""
    setting = section.setting("role_arn")
    if setting is None:  # pragma: no cover - the callers check it
        raise ConfigError(f"{section.where}: role_arn is missing")
    check_role_arn(setting)
    return setting.value


def check_role_arn(setting: Setting) -> None:
    """Raise ConfigError unless the value is the ARN of a role, as far as its form tells; STS checks the rest."""
    fields = setting.value.split(":", 5)
    if len(fields) != 6 or fields[0] != "arn" or not (fields[1] and fields[2] and fields[5]):
        match = _ARN_WITHOUT_COLON.fullmatch(setting.value)
        hint = f"a colon is missing: write {match[1]}::{match[2]}" if match else f"write it as {_ROLE_ARN}"
        raise ConfigError(f"{setting.where}: role_arn must be an ARN, not '{setting.value}'", hint)
    _, partition, service, _, account, resource = fields
    if "$" in setting.value:
        raise ConfigError(
            f"{setting.where}: role_arn contains a variable, which no program expands: {quoted(setting.value)}",
            "write the number of the account and the name of the role",
        )
    kind, _, name = resource.partition("/")
    if not partition.startswith("aws") or (service, kind) == ("iam", "role"):  # another service than AWS has others
        return
    what, hint = f"something else of AWS ({service} {kind})", f"write it as {_ROLE_ARN.replace('aws', partition)}"
    if (service, kind) == ("sts", "assumed-role"):
        role = f"arn:{partition}:iam::{account}:role/{name.partition('/')[0]}"
        what, hint = "a session of a role", f"write the ARN of the role: {role} (with its path, if it has one)"
    raise ConfigError(f"{setting.where}: role_arn names no role but {what}: {quoted(setting.value)}", hint)


def session_name_of(section: Section) -> str | None:
    """Return the profile's ``role_session_name`` or None. Raises ConfigError if STS would reject it."""
    setting = section.setting("role_session_name")
    if setting is not None and not _SESSION_NAME.fullmatch(setting.value):
        raise ConfigError(
            f"{setting.where}: role_session_name must be 2 to 64 letters, digits or characters of _+=,.@-",
            "shorten it, or replace the characters that AWS does not allow",
        )
    return None if setting is None else setting.value


def default_session_name(user: str) -> str:
    """Return the session name for a user of the operating system, which CloudTrail then shows."""
    cleaned = _NOT_IN_SESSION_NAME.sub("-", user).strip("-")
    return f"credproc-{cleaned}"[:64] if cleaned else "credproc"


def mfa_serial_of(section: Section) -> Setting | None:
    """Return the profile's ``mfa_serial``; None also if it declines MFA. Raises ConfigError if STS would reject it."""
    setting = section.setting("mfa_serial")
    if setting is None or declines_mfa(section):
        return None
    if ":u2f/" in setting.value:
        raise ConfigError(
            f"{setting.where}: mfa_serial names a security key, which cannot be used for API calls",
            "register a TOTP device (an authenticator app) for the same user, and name that device",
        )
    if not _SERIAL.fullmatch(setting.value):
        raise ConfigError(
            f"{setting.where}: mfa_serial must be an ARN, or a serial number of 9 to 256 characters",
            "copy it from the user's security credentials in IAM: arn:aws:iam::123456789012:mfa/NAME"
            if setting.value not in _DECLINED
            else "write credproc_mfa_serial = none for a role that needs no MFA",
        )
    return setting


def declines_mfa(section: Section) -> bool:
    """Whether the profile says that its role needs no MFA, whatever its source profile says.

    The AWS CLI reads ``mfa_serial`` of the role's profile alone, so a job without a terminal may count on that.
    """
    setting = section.credproc_setting("mfa_serial")
    return setting is not None and setting.value in _DECLINED


def integer_of(section: Section, key: str, allowed: tuple[int, int]) -> int | None:
    """Return the seconds in credproc's own setting ``key``, or None. Raises ConfigError if they are out of range."""
    return _integer(section.credproc_setting(key), f"credproc_{key}", allowed)


def _integer(setting: Setting | None, key: str, allowed: tuple[int, int]) -> int | None:
    if setting is None:
        return None
    lowest, highest = allowed
    if not re.fullmatch(r"[0-9]{1,9}", setting.value) or not lowest <= int(setting.value) <= highest:
        raise ConfigError(
            f"{setting.where}: {key} must be an integer from {lowest} to {highest}, not {quoted(setting.value[:40])}",
            "write the seconds in digits",
        )
    return int(setting.value)


def _value_or_none(setting: Setting | None) -> str | None:
    return None if setting is None else setting.value


def _comma_separated(setting: Setting | None) -> tuple[str, ...]:
    if setting is None:
        return ()
    return tuple(part for part in (word.strip() for word in setting.value.split(",")) if part)


def _session_tags(setting: Setting | None) -> tuple[tuple[str, str], ...]:
    pairs = []
    for part in _comma_separated(setting):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            where = setting.where if setting else ""
            raise ConfigError(f"{where}: credproc_session_tags contains a tag without '='", "write Key=Value,Key=Value")
        pairs.append((key.strip(), value.strip()))
    return tuple(pairs)


def _policy(setting: Setting | None) -> str | None:
    if setting is None:
        return None
    try:
        json.loads(setting.value)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"{setting.where}: credproc_policy must be JSON: {error}",
            "write the policy on one line; credproc sends its text unchanged",
        ) from None
    return setting.value
