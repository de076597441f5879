"""Keys in environment variables, read as botocore's ``EnvProvider`` reads them."""

from collections.abc import Mapping

from credproc.config.shared_config import variable
from credproc.credentials import Credentials
from credproc.errors import SourceError
from credproc.plan.source import Source
from credproc.sources.expiration import FORM, ExpiredError, parse_expiration

_HINT = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment of the program that runs credproc"


def fetch(source: Source, environ: Mapping[str, str]) -> Credentials:
    """Return the environment's keys. Raises SourceError, or ConfigError if a variable's value cannot be sent."""
    access_key_id, secret_access_key = (
        variable(environ, "AWS_ACCESS_KEY_ID"),
        variable(environ, "AWS_SECRET_ACCESS_KEY"),
    )
    if not access_key_id:
        raise SourceError(f"{source.where}: credential_source = Environment, but AWS_ACCESS_KEY_ID is not set", _HINT)
    if not secret_access_key:
        raise _failed(source, "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY")
    end = variable(environ, "AWS_CREDENTIAL_EXPIRATION")
    try:
        expiration = parse_expiration(end) if end else None
    except ExpiredError:
        raise _failed(source, "the credentials have expired") from None
    except (ValueError, OverflowError):
        raise _failed(source, f"AWS_CREDENTIAL_EXPIRATION must be {FORM}") from None
    return Credentials(
        access_key_id,
        secret_access_key,
        variable(environ, "AWS_SECURITY_TOKEN") or variable(environ, "AWS_SESSION_TOKEN"),
        expiration,
        variable(environ, "AWS_ACCOUNT_ID"),
    )


def _failed(source: Source, reason: str) -> SourceError:
    return SourceError(f"{source.where}: Environment: {reason}", _HINT)
