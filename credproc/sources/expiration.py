"""The expiration of credentials, as a program prints it or a variable holds it."""

import time

from credproc.credentials import epoch_seconds


class ExpiredError(Exception):
    """The credentials have expired."""


def parse_expiration(text: str) -> int:
    """Return the expiration in epoch seconds, read as botocore reads it: other formats than ISO 8601 are allowed too.

    Raises ExpiredError if that time has passed, and ValueError or OverflowError if the text is not a time.
    """
    try:
        seconds = epoch_seconds(text)
    except ValueError:
        from dateutil.parser import parse  # type: ignore[import-untyped]  # noqa: PLC0415 - botocore's; 30 ms, for the few

        seconds = int(parse(text).timestamp())
    if seconds <= time.time():
        raise ExpiredError
    return seconds
