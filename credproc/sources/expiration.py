"""The expiration of credentials, as a program prints it or a variable holds it."""

import time

from credproc.credentials import epoch_seconds

FORM = "a time with its zone, such as 2030-01-31T12:00:00Z"


class ExpiredError(Exception):
    """The credentials have expired."""


def parse_expiration(text: str) -> int:
    """Return the expiration in epoch seconds, read as botocore reads it: other formats than ISO 8601 are allowed too.

    A time without a zone is none: it would be another one on another machine, and botocore cannot sign with it.
    Raises ExpiredError if the time has passed, and ValueError or OverflowError if the text is not of this ``FORM``.
    """
    try:
        seconds = epoch_seconds(text)
    except ValueError:
        from dateutil.parser import parse  # type: ignore[import-untyped]  # noqa: PLC0415 - botocore's; 30 ms, for the few

        moment = parse(text)
        if moment.tzinfo is None:
            raise ValueError("no zone") from None
        seconds = int(moment.timestamp())
    if seconds <= time.time():
        raise ExpiredError
    return seconds
