"""Get the credentials of a plan's source: one file a kind; botocore's providers get the configuration from credproc."""

from collections.abc import Mapping

from credproc.config.shared_config import SharedConfig
from credproc.credentials import Credentials
from credproc.plan import Plan
from credproc.sources.children import ChildProcesses


def fetch(plan: Plan, config: SharedConfig, environ: Mapping[str, str], children: ChildProcesses) -> Credentials:
    """Return the credentials of the plan's source, of any kind but WebIdentity, whose credentials come from STS.

    Programs that are started are added to ``children``. Raises SourceError, and ConfigError for a setting or variable
    of the connection.
    """
    source = plan.source
    if source.keys is not None:
        return source.keys
    match source.kind:
        case "Process":
            from credproc.sources import process  # noqa: PLC0415 - one kind alone

            return process.fetch(source, environ, children)
        case "LoginSession":
            from credproc.sources import login_session  # noqa: PLC0415

            return login_session.fetch(source, environ, children)
        case "Environment":
            from credproc.sources import environment  # noqa: PLC0415

            return environment.fetch(source, environ)
        case "IdentityCenter":
            from credproc.sources import identity_center  # noqa: PLC0415 - botocore

            return identity_center.fetch(plan, config, environ)
        case "Ec2InstanceMetadata" | "EcsContainer" as kind:
            from credproc.sources import machine  # noqa: PLC0415 - botocore

            return machine.fetch(plan, kind, config, environ)
        case "StaticKeys" | "KeyringKeys" | "WebIdentity":
            raise TypeError(f"{source.kind}: fetch() does not get the credentials of this kind")
