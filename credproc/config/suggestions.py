"""What a name or a key that means nothing may have been meant for. Bounded: to compare takes the square of a length."""

from collections.abc import Iterable
from itertools import islice

from credproc.config.parser import Section
from credproc.config.settings import NAMES, PREFIX

_NAMES = 5000  # that one is compared with
_KEYS = 200  # of a section
_LENGTH = 100  # characters of a name or key


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
        plain = key.removeprefix(PREFIX)
        if plain in NAMES or len(plain) > _LENGTH:
            continue
        near = _nearest(plain, NAMES, cutoff=0.8)
        if near is not None:
            remarks.append(f"{setting.where}: {key[:40]} looks like {near}")
    return remarks
