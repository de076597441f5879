"""Suggest the name or key that was probably meant by an unknown one.

The inputs are bounded, because the time of a comparison grows with the square of the length.
"""

from collections.abc import Iterable
from itertools import islice

from credproc.config.settings import NAMES, PREFIX
from credproc.config.shared_config import Section

_NAMES_LIMIT = 5000  # names to compare with
_KEYS_LIMIT = 200  # keys of a section
_LENGTH_LIMIT = 100  # characters of a name or key


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most similar, or None if none is similar."""
    by_form = {_normalized(one): one for one in islice(known, _NAMES_LIMIT)}
    form = _normalized(name)
    if form in by_form:
        return by_form[form]
    similar = _most_similar(form, by_form) if len(form) <= _LENGTH_LIMIT else None
    return None if similar is None else by_form[similar]


def _normalized(name: str) -> str:
    """Return the name without differences that a person does not see, such as an accent of one character or two."""
    from unicodedata import normalize  # noqa: PLC0415 - only for an error message

    return normalize("NFC", name).casefold()


def _most_similar(text: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - only for an error message

    return next(iter(get_close_matches(text, known, n=1, cutoff=cutoff)), None)


def likely_typos(section: Section) -> list[str]:
    """Return a message for each unknown key of the section that is similar to a known one."""
    messages = []
    for key, setting in islice(section.items(), _KEYS_LIMIT):
        plain = key.removeprefix(PREFIX)
        if plain in NAMES or len(plain) > _LENGTH_LIMIT:
            continue
        similar = _most_similar(plain, NAMES, cutoff=0.8)
        if similar is not None:
            messages.append(f"{setting.where}: {key[:40]} looks like {similar}")
    return messages
