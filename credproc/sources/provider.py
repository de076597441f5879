"""Load credentials from one of botocore's own credential providers, once."""

import time
from typing import Any

import botocore.exceptions as boto
from botocore.credentials import CredentialProvider

from credproc.credentials import Credentials

# What botocore raises for a malformed answer: JSON of another shape, text that is not a time
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
FAILURES = (boto.BotoCoreError, boto.ClientError, OSError, RuntimeError, *MALFORMED)


def load(provider: CredentialProvider) -> Credentials | None:
    """Return the provider's credentials, or None if it has none. Raises one of ``FAILURES``."""
    found = provider.load()
    return None if found is None else _converted(found)


def _converted(found: Any) -> Credentials:  # noqa: ANN401 - botocore is not typed
    """Return a provider's credentials as credproc's own type.

    ``get_frozen_credentials`` is called only if they are not loaded yet: less than fifteen minutes before their
    expiration it would load them a second time. The expiration has no public name. Raises RuntimeError if they have
    expired, as that method would, and TypeError if a key is not a string.
    """
    frozen = getattr(found, "_frozen_credentials", None) or found.get_frozen_credentials()
    expiry = getattr(found, "_expiry_time", None)
    if expiry is not None and expiry.timestamp() <= time.time():
        raise RuntimeError("expired")
    if not all(isinstance(text, str) for text in (frozen.access_key, frozen.secret_key, frozen.token or "")):
        raise TypeError("not a string")
    return Credentials(
        frozen.access_key,
        frozen.secret_key,
        frozen.token or None,
        None if expiry is None else int(expiry.timestamp()),
        frozen.account_id if isinstance(frozen.account_id, str) else None,
    )
