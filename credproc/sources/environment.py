"""The keys in the environment, read as botocore's ``EnvProvider`` reads them."""

from collections.abc import Mapping

from credproc.credentials import Credentials
from credproc.errors import SourceError
from credproc.plan.source import Source
from credproc.sources.expiration import ExpiredError, expiration_in

_HINT = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where the program starts"


def fetch(source: Source, environ: Mapping[str, str]) -> Credentials:
    """Return the environment's keys. Raises SourceError."""
    access_key_id, secret_access_key = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if not access_key_id:
        raise SourceError(f"{source.where}: credential_source = Environment, and AWS_ACCESS_KEY_ID is not set", _HINT)
    if not secret_access_key:
        raise _failed(source, "is incomplete: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together")
    end = environ.get("AWS_CREDENTIAL_EXPIRATION")
    try:
        expiration = expiration_in(end) if end else None
    except ExpiredError:
        raise _failed(source, "has credentials that have expired") from None
    except (ValueError, OverflowError):
        raise _failed(source, "says in AWS_CREDENTIAL_EXPIRATION what is no time") from None
    return Credentials(
        access_key_id,
        secret_access_key,
        environ.get("AWS_SECURITY_TOKEN") or environ.get("AWS_SESSION_TOKEN") or None,
        expiration,
        environ.get("AWS_ACCOUNT_ID") or None,
    )


def _failed(source: Source, reason: str) -> SourceError:
    return SourceError(f"{source.where}: Environment {reason}", _HINT)
