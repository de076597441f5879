"""What a name or a key that means nothing may have been meant for. Bounded: to compare takes the square of a length."""

from collections.abc import Iterable
from itertools import islice

from credproc.config.parser import Section

_NAMES = 5000  # that one is compared with
_KEYS = 200  # of a section
_LENGTH = 100  # characters of a name or key

# What a misspelt key may have been meant for: what takes part in resolving a profile
KNOWN_KEYS = frozenset(
    (
        "role_arn source_profile credential_source external_id mfa_serial role_session_name duration_seconds"
        " web_identity_token_file aws_access_key_id aws_secret_access_key aws_session_token aws_security_token"
        " aws_account_id credential_process sso_session sso_start_url sso_region sso_account_id sso_role_name"
        " sso_registration_scopes login_session region output services endpoint_url ignore_configured_endpoint_urls"
        " sts_regional_endpoints use_fips_endpoint use_dualstack_endpoint ca_bundle mfa_process policy policy_arns"
        " session_tags transitive_tag_keys source_identity mfa_session_duration_seconds session_store retry_mode"
        " max_attempts defaults_mode access_key_id"
    ).split()
)


def like(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is nearest, or None."""
    by_looks = {_looks(one): one for one in islice(known, _NAMES)}
    looks = _looks(name)
    if looks in by_looks:
        return by_looks[looks]
    near = _nearest(looks, by_looks) if len(looks) <= _LENGTH else None
    return None if near is None else by_looks[near]


def _looks(name: str) -> str:
    """Return how it looks to a person: SDKs compare bytes, but an accent may be one character or two."""
    from unicodedata import normalize  # noqa: PLC0415 - once something is wrong

    return normalize("NFC", name).casefold()


def _nearest(text: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - once something is wrong

    return next(iter(get_close_matches(text, known, n=1, cutoff=cutoff)), None)


def misspelt(section: Section) -> list[str]:
    """Return a sentence for each key of the section that looks like one that counts."""
    remarks = []
    for key, setting in islice(section.items(), _KEYS):
        plain = key.removeprefix("credproc_")
        if plain in KNOWN_KEYS or len(plain) > _LENGTH:
            continue
        near = _nearest(plain, KNOWN_KEYS, cutoff=0.8)
        if near is not None:
            remarks.append(f"{setting.where}: {key[:40]} looks like {near}")
    return remarks
