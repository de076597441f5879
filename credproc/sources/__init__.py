"""The plan's source → credentials, one file a kind; botocore's own providers are fed with our reading."""

from collections.abc import Mapping

from credproc.credentials import Credentials
from credproc.plan.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    import botocore.session

    from credproc.sources.process import Started


def fetch(
    source: Source, session: "botocore.session.Session", environ: Mapping[str, str], started: "Started"
) -> Credentials:
    """Return the source's credentials (those of WebIdentity come from STS, not from here).

    Children that are started on the way are put into ``started``. Raises SourceError.
    """
    if source.keys is not None:
        return source.keys
    from credproc.sources import identity_center, machine, process  # noqa: PLC0415 - botocore

    if source.kind == "IdentityCenter":
        return identity_center.fetch(source, session)
    if source.kind == "Process":
        return process.fetch(source, session, environ, started)
    return machine.fetch(source, session, environ)
