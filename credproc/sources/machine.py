"""The credentials of this machine: a container's endpoint, or the metadata service of an instance."""

import re
from collections.abc import Mapping
from typing import Any, Literal

import botocore.exceptions as boto
from botocore.credentials import ContainerProvider, CredentialProvider, InstanceMetadataProvider
from botocore.httpsession import URLLib3Session
from botocore.utils import METADATA_ENDPOINT_MODES, ContainerMetadataFetcher, InstanceMetadataFetcher

from credproc import limits
from credproc.aws.bounded import BoundedSession, TooLongAnswerError
from credproc.aws.client import USER_AGENT
from credproc.aws.transport import ignore_key_log
from credproc.config.shared_config import Section, Setting, SharedConfig, chosen, is_true
from credproc.credentials import Credentials
from credproc.errors import ConfigError, SourceError, inert, quoted
from credproc.plan import Plan
from credproc.plan.source import Source, environment_hint
from credproc.plan.url import Url
from credproc.sources.provider import FAILURES, load

_SETTING_HINT = "correct it, or remove it"
_REFRESH_WINDOW = 900  # seconds; botocore's own default
MachineKind = Literal["Ec2InstanceMetadata", "EcsContainer"]


def fetch(plan: Plan, kind: MachineKind, config: SharedConfig, environ: Mapping[str, str]) -> Credentials:
    """Return the machine's credentials; ``kind`` is the kind of the source. Raises SourceError, or ConfigError."""
    source = plan.source
    ignore_key_log()
    try:
        found = load(_provider(kind, config.profiles.get(plan.profile or "default"), environ))
    except FAILURES as error:
        raise _failed(source, kind, error) from None
    if found is not None:
        return found
    if source.is_fallback:
        raise SourceError(
            "no profile is named, and this machine provides no credentials",
            environment_hint(environ) or "name one with --profile or AWS_PROFILE; credproc --help shows the commands",
        )
    raise SourceError(f"{source.where}: {_describe_absence(kind)}", _hint(kind))


def _provider(kind: MachineKind, section: Section | None, environ: Mapping[str, str]) -> CredentialProvider:
    match kind:
        case "EcsContainer":
            http_session = BoundedSession(URLLib3Session(timeout=ContainerMetadataFetcher.TIMEOUT_SECONDS))
            fetcher: Any = ContainerMetadataFetcher(http_session)  # the stubs want another kind of fetcher
            return ContainerProvider(environ=dict(environ), fetcher=fetcher)
        case "Ec2InstanceMetadata":
            return _instance_metadata(section, environ)


def _describe_absence(kind: MachineKind) -> str:
    """Return why there are no credentials."""
    match kind:
        case "EcsContainer":
            return "credential_source = EcsContainer, but the environment names no container endpoint"
        case "Ec2InstanceMetadata":
            return "the instance metadata service does not answer, or the instance has no role"


def _hint(kind: MachineKind) -> str:
    match kind:
        case "EcsContainer":
            return "run it in ECS or EKS, where AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI is set"
        case "Ec2InstanceMetadata":
            return "attach a role to the instance, and check AWS_EC2_METADATA_DISABLED"


def _instance_metadata(section: Section | None, environ: Mapping[str, str]) -> CredentialProvider:
    """Return botocore's provider with the settings that it needs, in the form that it takes. Raises ConfigError."""

    def setting(key: str) -> Setting | None:
        return chosen(key, section, environ)

    fetcher: Any = InstanceMetadataFetcher(
        timeout=_number("metadata_service_timeout", setting("metadata_service_timeout")),
        num_attempts=_number("metadata_service_num_attempts", setting("metadata_service_num_attempts")),
        user_agent=USER_AGENT,
        config={
            "ec2_metadata_service_endpoint": _endpoint(setting("ec2_metadata_service_endpoint")),
            "ec2_metadata_service_endpoint_mode": _mode(setting("ec2_metadata_service_endpoint_mode"))
            or ("ipv6" if is_true(setting("imds_use_ipv6")) else "ipv4"),
            "ec2_credential_refresh_window": _REFRESH_WINDOW,
            "ec2_metadata_v1_disabled": is_true(setting("ec2_metadata_v1_disabled")),
        },
    )
    # No public way to give it another HTTP session, as the container's fetcher has
    fetcher._session = BoundedSession(fetcher._session)  # noqa: SLF001
    return InstanceMetadataProvider(iam_role_fetcher=fetcher)


def _number(key: str, setting: Setting | None) -> int:
    """Return seconds, or a number of tries; 1 where nothing is set, as in botocore."""
    if setting is None:
        return 1
    if not re.fullmatch(r"[0-9]{1,4}", setting.value) or not int(setting.value):
        raise ConfigError(
            f"{setting.where}: {key} must be an integer from 1 to 9999, not {quoted(setting.value[:40])}", _SETTING_HINT
        )
    return int(setting.value)


def _endpoint(setting: Setting | None) -> str | None:
    if setting is None:
        return None
    try:
        Url.of(setting.value)
    except ValueError:
        raise ConfigError(
            f"{setting.where}: ec2_metadata_service_endpoint must be an http or https URL", _SETTING_HINT
        ) from None
    return setting.value


def _mode(setting: Setting | None) -> str | None:
    if setting is None:
        return None
    if setting.value.lower() not in METADATA_ENDPOINT_MODES:
        modes = " or ".join(METADATA_ENDPOINT_MODES)
        raise ConfigError(
            f"{setting.where}: ec2_metadata_service_endpoint_mode must be {modes}, not {quoted(setting.value[:40])}",
            _SETTING_HINT,
        )
    return setting.value.lower()


def _failed(source: Source, kind: MachineKind, error: Exception) -> SourceError:
    """Return the error for a provider's exception, whose own text is left out: it may quote credentials."""
    reason = {
        boto.MetadataRetrievalError: "the endpoint cannot be reached, or refuses the request",
        boto.CredentialRetrievalError: "the endpoint cannot be reached, or refuses the request",
        TooLongAnswerError: f"the answer is {limits.TooLongError(limits.SOURCE)}",
        RuntimeError: "the credentials have expired",
        TypeError: "the answer does not hold credentials",
        AttributeError: "the answer does not hold credentials",
        ValueError: "the answer does not hold credentials",
    }.get(type(error))
    if kind == "EcsContainer" and isinstance(error, ValueError):
        reason = "the endpoint is neither on this machine nor the container agent's, or the token contains a line break"
    if isinstance(error, OSError) and error.filename:
        reason = f"{inert(str(error.filename), 200)}: {(error.strerror or 'cannot be read').lower()}"
    return SourceError(f"{source.where}: {kind}: {reason or type(error).__name__}", _hint(kind))
