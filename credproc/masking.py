"""Secrets taken out of other people's words: a service, a proxy or a program may quote what it was given.

What quotes may also escape (a URL, XML, HTML, JSON), fold, shorten or change the case. Both texts are therefore
compared by their ASCII letters and digits, between which everything else, escapes too, is one separator.
"""

import re
from collections.abc import Iterable, Iterator

_MASK = "***"
_SEPARATOR = re.compile(
    r"(?:%(?:25)*[0-9a-f]{2}|&(?:amp;)*(?:#x?)?[0-9a-z]{1,8};|\\+(?:u[0-9a-f]{4}|x[0-9a-f]{2})?|[^0-9a-z])+",
    re.IGNORECASE | re.ASCII,
)
# Keys, tokens and signatures are one long word, of which a part is a secret as well. Other values hold words that are
# no secret, such as a role's ARN in a policy, and are looked for as a whole.
_LONG_WORD = re.compile(r"[\w+/=.~-]{32,}", re.ASCII)
_PART = 12  # characters; shorter parts of a long word are of no use to anybody


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return the text with ``***`` in place of each of the secrets, and of each part of a long one."""
    plain, places = _plain(text)
    hidden = bytearray(len(plain))
    for secret in secrets:
        for start, end in _occurrences(secret, plain):
            hidden[start:end] = b"x" * (end - start)
    kept, last = [], 0
    for found in re.finditer(b"x+", hidden):
        kept += [text[last : places[found.start()][0]], _MASK]
        last = places[found.end() - 1][1]
    return "".join((*kept, text[last:]))


def _plain(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the text as it is compared, and where in it each character has come from."""
    characters: list[str] = []
    places: list[tuple[int, int]] = []
    position = 0
    while position < len(text):
        separator = _SEPARATOR.match(text, position)
        end = position + 1 if separator is None else separator.end()
        characters.append(text[position].lower() if separator is None else ".")
        places.append((position, end))
        position = end
    return "".join(characters), places


def _occurrences(secret: str, plain: str) -> Iterator[tuple[int, int]]:
    """Yield where the secret stands, or with a long word each part of it."""
    wanted = _plain(secret)[0].strip(".")
    if _LONG_WORD.fullmatch(secret) is None:
        if wanted:
            pattern = rf"(?<![0-9a-z]){re.escape(wanted)}(?![0-9a-z])"
            yield from (found.span() for found in re.finditer(pattern, plain))
        return
    parts = {wanted[start : start + _PART] for start in range(len(wanted) - _PART + 1)}
    for start in range(len(plain) - _PART + 1):
        if plain[start : start + _PART] in parts:
            yield start, start + _PART
