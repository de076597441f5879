"""Keys in environment variables, read as botocore's ``EnvProvider`` reads them."""

from collections.abc import Mapping

from credproc.config.shared_config import variable_text
from credproc.credentials import Credentials
from credproc.errors import SourceError
from credproc.plan.source import Source

_HINT = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment of the program that runs credproc"


def fetch(source: Source, environ: Mapping[str, str]) -> Credentials:
    """Return the environment's keys. Raises SourceError, or ConfigError if a variable's value cannot be sent."""
    access_key_id = variable_text("AWS_ACCESS_KEY_ID", environ)
    secret_access_key = variable_text("AWS_SECRET_ACCESS_KEY", environ)
    if not access_key_id:
        raise SourceError(f"{source.where}: credential_source = Environment, but AWS_ACCESS_KEY_ID is not set", _HINT)
    if not secret_access_key:
        raise _failed(source, "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY")
    end = variable_text("AWS_CREDENTIAL_EXPIRATION", environ)
    return Credentials(
        access_key_id,
        secret_access_key,
        variable_text("AWS_SECURITY_TOKEN", environ) or variable_text("AWS_SESSION_TOKEN", environ),
        None if end is None else _expiration(source, end),
        variable_text("AWS_ACCOUNT_ID", environ),
    )


def _expiration(source: Source, text: str) -> int:
    from credproc.sources.expiration import FORM, ExpiredError, parse_expiration  # noqa: PLC0415 - where there is one

    try:
        return parse_expiration(text)
    except ExpiredError:
        raise _failed(source, "the credentials have expired") from None
    except (ValueError, OverflowError):
        raise _failed(source, f"AWS_CREDENTIAL_EXPIRATION must be {FORM}") from None


def _failed(source: Source, reason: str) -> SourceError:
    return SourceError(f"{source.where}: Environment: {reason}", _HINT)
