"""Get the credentials of a plan's source: one file a kind; botocore's providers get the configuration from credproc."""

from collections.abc import Callable, Mapping

from credproc.credentials import Credentials
from credproc.plan.source import Source
from credproc.sources.children import ChildProcesses

TYPE_CHECKING = False
if TYPE_CHECKING:
    import botocore.session


def fetch(
    source: Source,
    new_session: "Callable[[], botocore.session.Session]",
    environ: Mapping[str, str],
    children: ChildProcesses,
) -> Credentials:
    """Return the source's credentials, of any kind but WebIdentity, whose credentials come from STS.

    ``new_session`` returns a botocore session, for the kinds that need botocore. Programs that are started are added to
    ``children``. Raises SourceError.
    """
    if source.keys is not None:
        return source.keys
    match source.kind:
        case "Process":
            from credproc.sources import process  # noqa: PLC0415 - one kind alone

            return process.fetch(source, environ, children)
        case "Environment":
            from credproc.sources import environment  # noqa: PLC0415

            return environment.fetch(source, environ)
        case "IdentityCenter":
            from credproc.sources import identity_center  # noqa: PLC0415 - botocore

            return identity_center.fetch(source, new_session())
        case "Ec2InstanceMetadata" | "EcsContainer" as kind:
            from credproc.sources import machine  # noqa: PLC0415 - botocore

            return machine.fetch(source, kind, new_session(), environ)
        case "StaticKeys" | "KeyringKeys" | "WebIdentity":
            raise TypeError(f"{source.kind}: fetch() does not get the credentials of this kind")
