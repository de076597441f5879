"""The credentials of this machine: a container's endpoint, or the metadata service of an instance."""

from collections.abc import Mapping
from typing import Any, Literal

import botocore.exceptions as boto
import botocore.session
from botocore.credentials import ContainerProvider, CredentialProvider, InstanceMetadataProvider
from botocore.httpsession import URLLib3Session
from botocore.utils import ContainerMetadataFetcher, InstanceMetadataFetcher, resolve_imds_endpoint_mode

from credproc import limits
from credproc.aws.bounded import BoundedSession, TooLongAnswerError
from credproc.credentials import Credentials
from credproc.errors import SourceError, inert
from credproc.plan.source import Source
from credproc.sources.provider import FAILURES, load

_REFRESH_WINDOW = 900  # seconds; botocore's own default
MachineKind = Literal["Ec2InstanceMetadata", "EcsContainer"]


def fetch(
    source: Source, kind: MachineKind, session: botocore.session.Session, environ: Mapping[str, str]
) -> Credentials:
    """Return the machine's credentials; ``kind`` is the kind of the source. Raises SourceError."""
    try:
        found = load(_provider(kind, session, environ))
    except FAILURES as error:
        raise _failed(source, kind, error) from None
    if found is not None:
        return found
    if source.is_fallback:
        raise SourceError(
            "no profile is named, and this machine provides no credentials",
            "name one with --profile or AWS_PROFILE; credproc --help shows the commands",
        )
    raise SourceError(f"{source.where}: {_describe_absence(kind)}", _hint(kind))


def _provider(kind: MachineKind, session: botocore.session.Session, environ: Mapping[str, str]) -> CredentialProvider:
    match kind:
        case "EcsContainer":
            http_session = BoundedSession(URLLib3Session(timeout=ContainerMetadataFetcher.TIMEOUT_SECONDS))
            fetcher: Any = ContainerMetadataFetcher(http_session)  # the stubs want another kind of fetcher
            return ContainerProvider(environ=dict(environ), fetcher=fetcher)
        case "Ec2InstanceMetadata":
            return _instance_metadata(session)


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


def _instance_metadata(session: botocore.session.Session) -> CredentialProvider:
    setting = session.get_config_variable
    fetcher: Any = InstanceMetadataFetcher(
        timeout=setting("metadata_service_timeout"),
        num_attempts=setting("metadata_service_num_attempts"),
        user_agent=session.user_agent(),
        config={
            "ec2_metadata_service_endpoint": setting("ec2_metadata_service_endpoint"),
            "ec2_metadata_service_endpoint_mode": resolve_imds_endpoint_mode(session),
            "ec2_credential_refresh_window": _REFRESH_WINDOW,
            "ec2_metadata_v1_disabled": setting("ec2_metadata_v1_disabled"),
        },
    )
    # No public way to give it another HTTP session, as the container's fetcher has
    fetcher._session = BoundedSession(fetcher._session)  # noqa: SLF001
    return InstanceMetadataProvider(iam_role_fetcher=fetcher)


def _failed(source: Source, kind: MachineKind, error: Exception) -> SourceError:
    """Return the error for a provider's exception, whose own text is left out: it may quote credentials."""
    reason = {
        boto.MetadataRetrievalError: "the endpoint cannot be reached, or refuses the request",
        boto.CredentialRetrievalError: "the endpoint cannot be reached, or refuses the request",
        TooLongAnswerError: f"the answer is {limits.TooLongError(limits.SOURCE)}",
        RuntimeError: "the credentials have expired",
        TypeError: "the answer does not hold credentials",
        AttributeError: "the answer does not hold credentials",
    }.get(type(error))
    if kind == "EcsContainer" and isinstance(error, ValueError):
        reason = "the endpoint is neither on this machine nor the container agent's, or the token contains a line break"
    if isinstance(error, OSError) and error.filename:
        reason = f"{inert(str(error.filename), 200)}: {(error.strerror or 'cannot be read').lower()}"
    return SourceError(f"{source.where}: {kind}: {reason or type(error).__name__}", _hint(kind))
