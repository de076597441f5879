"""Whether the user is signed in to IAM Identity Center: the token file of ``aws sso login``, read without botocore.

Botocore keeps it as ``~/.aws/sso/cache/SHA1.json``, the SHA-1 of the session's name, or of the start URL where the
profile names no session (botocore, ``utils.SSOTokenLoader``); it refreshes the token of a session by itself for as long
as the client's registration lasts (botocore, ``tokens.SSOTokenProvider``).
"""

import json
import os
from datetime import datetime, timezone
from hashlib import sha1
from typing import Any

from credproc.plan.source import Source

_LIMIT = 64 * 1024  # bytes
_FOR_REFRESH = ("refreshToken", "clientId", "clientSecret")


def is_signed_in(source: Source, now: float) -> bool:
    """Return whether the source's token is valid at ``now`` (epoch seconds), or botocore can refresh it."""
    identity = dict(source.identity)
    token = _token(source)
    if _epoch_seconds(token.get("expiresAt")) > now and isinstance(token.get("accessToken"), str):
        return True
    can_refresh = "sso_session" in identity and all(isinstance(token.get(key), str) for key in _FOR_REFRESH)
    return can_refresh and _epoch_seconds(token.get("registrationExpiresAt")) > now


def path(source: Source) -> str:
    """Return the path of the source's token file, with ``~`` for the home directory."""
    identity = dict(source.identity)
    name = identity.get("sso_session") or identity["sso_start_url"]
    file_name = sha1(name.encode(), usedforsecurity=False).hexdigest() + ".json"
    return os.path.join("~", ".aws", "sso", "cache", file_name)


def access_token(source: Source) -> str | None:
    """Return the access token in the source's token file, valid or not, or None if there is none."""
    token = _token(source).get("accessToken")
    return token if isinstance(token, str) else None


def _token(source: Source) -> dict[str, Any]:
    """Return the content of the token file, or an empty dict if it is missing or not a JSON object."""
    try:
        with open(os.path.expanduser(path(source)), "rb") as file:
            token = json.loads(file.read(_LIMIT))
    except (OSError, ValueError, RecursionError):
        return {}
    return token if isinstance(token, dict) else {}


def _epoch_seconds(text: object) -> float:
    """Return a time of the file in epoch seconds, or 0 if it is not a time; old AWS CLIs wrote ``UTC`` for ``Z``."""
    if not isinstance(text, str):
        return 0
    for zone in ("UTC", "Z"):
        text = text.removesuffix(zone)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)).timestamp()
