"""When credentials end, as a program or a variable says it."""

import time

from credproc.credentials import epoch_seconds


class ExpiredError(Exception):
    """The credentials have ended."""


def expiration_in(text: str) -> int:
    """Return the end in epoch seconds, read as botocore reads it: what is not in ISO 8601, too, and without a zone.

    Raises ExpiredError if it has come, and ValueError or OverflowError if the text is no time.
    """
    try:
        seconds = epoch_seconds(text)
    except ValueError:
        from dateutil.parser import parse  # type: ignore[import-untyped]  # noqa: PLC0415 - botocore's; 30 ms, for the few

        seconds = int(parse(text).timestamp())
    if seconds <= time.time():
        raise ExpiredError
    return seconds
