"""Text as a terminal shows it: which characters, how wide they are, and where a line that is too long is broken.

Loaded where a text is not plain ASCII, or where it is for a terminal.
"""

import os
import sys
import unicodedata
from collections.abc import Iterable, Mapping

_MIN_COLUMNS = 40  # in a narrower window the terminal may break lines anywhere
_INDENT = 2  # spaces before what goes on with a line
_COERCED = "C.UTF-8"  # what Python sets LC_CTYPE to where the locale is C (PEP 538)

_MARKS = ("Mn", "Me")  # they take no column of their own
_MAX_MARKS = 3  # in a row: Thai and Hebrew have two, and more would reach into the lines above and below
# Letters and a symbol without a glyph: fillers, braille without dots, two vowels of Khmer
_BLANK = "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"

# What stays on one line: what is pasted (commands, settings, names and arguments in quotes), and times and counts
_WORD = r"""(?:(?<!\w)'[^']*'|(?<!\w)"[^"]*"|[^\s])+"""
_OPTIONS = rf"(?: --?[a-z][a-z-]*(?:[ =]{_WORD})?)*(?: -- COMMAND(?: \.\.\.)?)?(?: \| [A-Za-z][\w-]*)*"
_PASTED = (
    rf"credproc(?: keys)?(?: [a-z]+(?: (?!-){_WORD})?)?{_OPTIONS}(?<!credproc)",
    rf"aws(?: [a-z][a-z-]*){{1,3}}{_OPTIONS}",
    rf"(?:chmod|set -gx) {_WORD} {_WORD}",
    rf"(?:export|set|eval) {_WORD}",
    rf"[A-Za-z_$][\w:]* = {_WORD}{_OPTIONS}",
    r"\((?:try \d|in \d|less than|\d\d:\d\d here)[^()]*\)",
)
# Of prompts: whom a code is for, and how a question is answered
_ASKED = rf"(?<!\S)\(profile [^()]*\)\S*|{_WORD}(?<=\?) \[y/N\]"
_TOKEN = rf"(?P<pasted>(?<!\S)(?:{'|'.join(_PASTED)})\S*)|{_ASKED}|{_WORD}"


class Whole(str):
    """A line, already inert, that is not broken: it has columns, or is a line of a file."""

    __slots__ = ()


def escaped(text: str) -> str:
    """Return the text on one line, with each character escaped that is no glyph or that the terminal cannot show.

    No glyphs are control, bidirectional and invisible characters, and marks that combine with any letter, which can
    make one name look like another. The marks of a script, such as vowels of Hindi and Thai, stay behind their letters.
    """
    if text.isascii() and text.isprintable():
        return text
    is_unicode = shows_unicode(os.environ)
    shown: list[str] = []
    marks = 0
    for character in text:
        is_mark = unicodedata.category(character) in _MARKS
        marks = marks + 1 if is_mark else 0
        if character in "\t\n\r":
            shown.append(" ")
        elif ord(character) < 0x80:
            shown.append(character if character.isprintable() else f"\\x{ord(character):02x}")
        elif is_unicode and _is_glyph(character) and (not is_mark or (marks <= _MAX_MARKS and _is_letter(shown))):
            shown.append(character)
        else:
            shown.append(character.encode("ascii", "backslashreplace").decode())
    return "".join(shown)


def _is_glyph(character: str) -> bool:
    if unicodedata.category(character) in _MARKS:
        name = unicodedata.name(character, "COMBINING")
        return not name.startswith("COMBINING") and "SELECTOR" not in name and character not in _BLANK
    return character.isprintable() and character not in _BLANK


def _is_letter(shown: list[str]) -> bool:
    """Return whether the last of the characters is a letter of another script than Latin, or a mark behind one."""
    last = shown[-1] if shown else ""
    return len(last) == 1 and not last.isascii() and unicodedata.category(last)[0] in "LM"


def shows_unicode(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal shows more than ASCII: its locale, on Windows its code page, is UTF-8.

    Any other encoding counts as ASCII, as callers read stderr as UTF-8, whatever the locale is.
    """
    if sys.platform == "win32":
        return "cp65001" in (os.device_encoding(1), os.device_encoding(2))
    else:  # noqa: RET505 - by this mypy knows that it is not for Windows
        name = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
        if name == _COERCED and sys.flags.utf8_mode and not environ.get("LC_ALL"):
            name = environ.get("LANG") or ""
        return name.partition("@")[0].rpartition(".")[2].replace("-", "").lower() == "utf8"


def ellipsis() -> str:
    """Return what stands for the rest of a text that is cut."""
    return "…" if shows_unicode(os.environ) else "..."


def width(text: str) -> int:
    """Return how many columns the text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in _MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, columns: int, end: str) -> str:
    """Return the text cut to so many columns, the last of which are ``end`` if anything is cut."""
    if width(text) <= columns:
        return text
    while text and width(text) > columns - width(end):
        text = text[:-1]
    return text + end


def terminal_columns(fd: int) -> int | None:
    """Return the width of the terminal behind a file descriptor; None if it is no terminal or does not know."""
    try:
        return os.get_terminal_size(fd).columns or None
    except (OSError, ValueError):  # on Windows it takes the standard streams alone
        return None


def paragraphs(lines: Iterable[str], fd: int) -> list[str]:
    """Return the lines as inert ones, broken between words to the width of the terminal behind ``fd``, if it is one.

    What goes on with a line is indented two spaces more than its start.
    """
    columns = terminal_columns(fd)
    return [part for line in lines for part in wrapped(line, columns, len(line) - len(line.lstrip(" ")) + _INDENT)]


def wrapped(line: str, columns: int | None, indent: int) -> list[str]:
    """Return the line as inert lines of so many columns, the later ones indented by ``indent`` spaces.

    It is broken between words, and never within what is pasted. None: it is not for a terminal, and stays one line.
    Behind a line that ends in a space, a prompt, there is room for the cursor.
    """
    if isinstance(line, Whole):
        return [line]
    line = escaped(line)  # whose width is that on the screen
    if columns is None or columns < _MIN_COLUMNS:
        return [line]
    columns -= line.endswith(" ")
    if width(line) <= columns:
        return [line]
    lines: list[str] = []
    current = ""
    for gap, token in _tokens(line, columns - indent):
        if not lines and not current:
            current = gap + token
        elif not gap or width(current + gap + token) <= columns:
            current += gap + token
        else:
            lines.append(current)
            current = " " * indent + token
    return [*lines, current]


def _tokens(line: str, columns: int) -> list[tuple[str, str]]:
    """Return what is not broken, each with the white space before it."""
    import re

    found: list[tuple[str, str]] = []
    end = 0
    for token in re.finditer(_TOKEN, line):
        gap, end = line[end : token.start()], token.end()
        if token["pasted"] is None and width(token[0]) > columns:  # a long quotation is no name
            first, *others = token[0].split(" ")
            found += [(gap, first), *((" ", other) for other in others)]
        else:
            found.append((gap, token[0]))
    if found:
        found[-1] = (found[-1][0], found[-1][1] + line[end:])
    return found
