"""What an entry of the cache says of itself."""

import json
from typing import Any

from credproc import cache
from credproc.credentials import LATEST


def about_entry(entry: cache.Entry) -> dict[str, Any]:
    """Return what an entry says of itself: profile, plan, issued, expiration; empty if it says nothing sound."""
    try:
        about = json.loads(entry.compared)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(about, dict):
        return {}
    expiration = about.get("expiration")
    return about if isinstance(expiration, int) and 0 <= expiration <= LATEST else {}
