"""What this machine gives: the container's endpoint, the instance's metadata service."""

from collections.abc import Mapping
from typing import Literal

import botocore.exceptions as boto
import botocore.session
from botocore.credentials import ContainerProvider, CredentialProvider, InstanceMetadataProvider
from botocore.utils import InstanceMetadataFetcher, resolve_imds_endpoint_mode

from credproc.credentials import Credentials
from credproc.errors import SourceError, inert
from credproc.plan.source import Source
from credproc.sources.provider import FAILURES, load

_METADATA_WINDOW = 900  # seconds; botocore's own default
MachineKind = Literal["Ec2InstanceMetadata", "EcsContainer"]


def fetch(
    source: Source, kind: MachineKind, session: botocore.session.Session, environ: Mapping[str, str]
) -> Credentials:
    """Return the machine's credentials; ``kind`` is the source's. Raises SourceError."""
    try:
        found = load(_provider(kind, session, environ))
    except FAILURES as error:
        raise _explained(source, kind, error) from None
    if found is not None:
        return found
    if source.if_any:
        raise SourceError(
            "no profile is named, and this machine has no role",
            "name one with --profile or AWS_PROFILE; credproc --help shows the commands",
        )
    raise SourceError(f"{source.where}: {_nothing(kind)}", _hint(kind))


def _provider(kind: MachineKind, session: botocore.session.Session, environ: Mapping[str, str]) -> CredentialProvider:
    match kind:
        case "EcsContainer":
            return ContainerProvider(environ=dict(environ))
        case "Ec2InstanceMetadata":
            return _instance_metadata(session)


def _nothing(kind: MachineKind) -> str:
    """Return what is so where there are no credentials."""
    match kind:
        case "EcsContainer":
            return "credential_source = EcsContainer, and no container endpoint is set in the environment"
        case "Ec2InstanceMetadata":
            return "the instance metadata service does not answer, or has no role"


def _hint(kind: MachineKind) -> str:
    match kind:
        case "EcsContainer":
            return "it works inside ECS and EKS, where AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI is set"
        case "Ec2InstanceMetadata":
            return "attach a role to the instance, and check AWS_EC2_METADATA_DISABLED"


def _instance_metadata(session: botocore.session.Session) -> CredentialProvider:
    setting = session.get_config_variable
    return InstanceMetadataProvider(
        iam_role_fetcher=InstanceMetadataFetcher(
            timeout=setting("metadata_service_timeout"),
            num_attempts=setting("metadata_service_num_attempts"),
            user_agent=session.user_agent(),
            config={
                "ec2_metadata_service_endpoint": setting("ec2_metadata_service_endpoint"),
                "ec2_metadata_service_endpoint_mode": resolve_imds_endpoint_mode(session),
                "ec2_credential_refresh_window": _METADATA_WINDOW,
                "ec2_metadata_v1_disabled": setting("ec2_metadata_v1_disabled"),
            },
        )
    )


def _explained(source: Source, kind: MachineKind, error: Exception) -> SourceError:
    """Return a provider's failure in our words; what it quotes of an answer stays inside."""
    reason = {
        boto.MetadataRetrievalError: "cannot be reached, or refuses",
        boto.CredentialRetrievalError: "cannot be reached, or refuses",
        RuntimeError: "has credentials that have expired",
        TypeError: "gives an answer that holds no credentials",
        AttributeError: "gives an answer that holds no credentials",
    }.get(type(error))
    if kind == "EcsContainer" and isinstance(error, ValueError):
        reason = "names a host that is not this machine or the container agent, or a token with a line end"
    if isinstance(error, OSError) and error.filename:
        reason = f"{inert(str(error.filename), 200)}: {(error.strerror or 'cannot be read').lower()}"
    return SourceError(f"{source.where}: {kind} {reason or type(error).__name__}", _hint(kind))
