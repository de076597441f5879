"""The plan's source → credentials, one file a kind; botocore's own providers are fed with our reading."""

from collections.abc import Callable, Mapping

from credproc.credentials import Credentials
from credproc.plan.source import Source
from credproc.sources.started import Started

TYPE_CHECKING = False
if TYPE_CHECKING:
    import botocore.session


def fetch(
    source: Source,
    new_session: "Callable[[], botocore.session.Session]",
    environ: Mapping[str, str],
    started: Started,
) -> Credentials:
    """Return the source's credentials (those of WebIdentity come from STS, not from here).

    ``new_session`` is called for the sources that are botocore's. Children that are started on the way are put into
    ``started``. Raises SourceError.
    """
    if source.keys is not None:
        return source.keys
    match source.kind:
        case "Process":
            from credproc.sources import process  # noqa: PLC0415 - one of them

            return process.fetch(source, environ, started)
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
            raise TypeError(f"{source.kind}: no source that is fetched from here")
