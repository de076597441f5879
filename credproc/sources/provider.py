"""One of botocore's own credential providers, asked once, and what it answers."""

import time
from typing import Any

import botocore.exceptions as boto
from botocore.credentials import CredentialProvider

from credproc.credentials import Credentials

# What botocore raises over an answer that is none: JSON of another shape, a time that is no time
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
FAILURES = (boto.BotoCoreError, boto.ClientError, OSError, RuntimeError, *_MALFORMED)


def load(provider: CredentialProvider) -> Credentials | None:
    """Return what the provider loads, or None where it finds nothing. Raises one of ``FAILURES``."""
    found = provider.load()
    return None if found is None else _taken(found)


def _taken(found: Any) -> Credentials:  # noqa: ANN401 - botocore is not typed
    """Return the credentials that a provider has just loaded.

    Not by ``get_frozen_credentials`` where they are there already: within fifteen minutes of the end it would load
    them once more, and start the program a second time. The expiry has no public name. Raises RuntimeError if they
    have expired, as that one would, and TypeError if what an answer calls a key is no text.
    """
    frozen = getattr(found, "_frozen_credentials", None) or found.get_frozen_credentials()
    expiry = getattr(found, "_expiry_time", None)
    if expiry is not None and expiry.timestamp() <= time.time():
        raise RuntimeError("expired")
    if not all(isinstance(text, str) for text in (frozen.access_key, frozen.secret_key, frozen.token or "")):
        raise TypeError("no text")
    return Credentials(
        frozen.access_key,
        frozen.secret_key,
        frozen.token or None,
        None if expiry is None else int(expiry.timestamp()),
        frozen.account_id if isinstance(frozen.account_id, str) else None,
    )
