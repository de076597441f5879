"""The grammar of the two AWS files: lines to sections of settings, and the command in a setting to its words.

It is the SDKs' common grammar (its test suite is tests/cases/profile-parser.json). Beyond it a profile has whatever
name botocore reads: in the config file one word as a shell splits it, in the credentials file all that the brackets
hold. White space is what ``str.strip`` takes away, as for botocore: a no-break space that was copied with a value is
not part of it.
"""

import re
import shlex
import sys
from collections.abc import Iterator

from credproc.config.shared_config import Section, Setting
from credproc.errors import ConfigError, quoted
from credproc.trust import UntrustedFile

LINE_END = re.compile(r"\r\n|\r|\n")
# Of a setting, as the test suite defines it, or of a profile without quotes
NAME = re.compile(r"[A-Za-z0-9_\-/.%@:+]+")
KINDS = ("profile", "sso-session", "services")
_COMMENT = re.compile(r"(?:^|[ \t])[#;].*", re.DOTALL)
_HEADER_COMMENT = re.compile(r"[ \t]*[#;]")
_QUOTED = re.compile(r""""([^"\\]+)"|'([^']+)'""")
_QUOTED_LIMIT = 1024  # characters of a name; the time of shlex grows with the square of the length
_REMARKS_LIMIT = 100  # a damaged file could otherwise fill the memory with remarks
NO_END = "has a quotation that does not end, so nothing was started"
CLOSE_HINT = "close the quotes, or write a backslash before a quote that is part of a word"
_SECTION_HINT = "settings stand below a line such as [profile NAME]"
_INDENT_HINT = "an indented line continues the setting above it; remove the indentation"


class Remarks(list[str]):
    """The first hundred remarks on the files."""

    def add(self, remark: str) -> None:
        """Append the remark, unless there are a hundred."""
        if len(self) < _REMARKS_LIMIT:
            self.append(remark)


def sections(
    text: str, file: str, remarks: Remarks, untrusted: UntrustedFile | None, *, from_credentials_file: bool = False
) -> Iterator[tuple[str, Section]]:
    """Yield the header (without brackets) and the settings of each section, in the file's order.

    ``file`` is the file's name for messages; ``untrusted`` says how another user can change it. What is wrong with a
    section is its ``error``. Raises ConfigError for a line before the first section.
    """
    header: str | None = None
    section = Section("", file)
    key: str | None = None  # the setting that an indented line continues
    continuation: list[str] = []  # its indented lines, joined once, as there may be a million
    for where, line in _lines(text, file):
        stripped = line.strip()
        if line[0] not in " \t":
            _append_continuation(section, key, continuation)
            continuation = []
        if line[0] == "[":
            if header is not None:
                yield header, section
            section, key = Section("", where), None
            header, section.error = header_in(stripped, where)
        elif header is None:
            raise ConfigError(f"{where}: Expected a profile definition", _SECTION_HINT)
        elif line[0] in " \t":
            section.error = section.error or _continuation_error(section, key, stripped, where)
            continuation.append(stripped)
        else:
            key, value, error = _property(stripped, where)
            section.error = section.error or error
            if NAME.fullmatch(key):
                section[key] = Setting(value, where, from_credentials_file, untrusted)
            elif error is None:
                remarks.add(f"{where}: a key with a space or a special character is ignored")
    if header is not None:
        _append_continuation(section, key, continuation)
        yield header, section


def _lines(text: str, file: str) -> Iterator[tuple[str, str]]:
    """Yield the place of each line that is neither blank nor a comment, and the line."""
    for number, line in enumerate(LINE_END.split(text), start=1):
        if line.strip()[:1] not in ("", "#", ";"):
            yield f"{file}:{number}", line


def header_in(stripped: str, where: str) -> tuple[str, ConfigError | None]:
    """Return the text between the brackets of a section's line, and what is wrong with the line."""
    header, bracket, rest = stripped[1:].partition("]")
    if bracket and (not rest.strip() or _HEADER_COMMENT.match(rest)):
        return header.strip(), None
    return header.strip(), ConfigError(f"{where}: Profile definition must end with ']'", "write it as [profile NAME]")


def config_header(header: str) -> tuple[str, str] | tuple[None, None]:
    """Return the kind of section and its name that a header of the config file declares; Nones if it is ignored.

    ``header`` is without brackets; the kinds are ``profile``, ``sso-session`` and ``services``.
    """
    if header == "default":
        return "profile", "default"
    kind, _, rest = header.replace("\t", " ").partition(" ")
    name = rest.strip()
    if kind not in KINDS or not name:
        return None, None
    words = [name] if NAME.fullmatch(name) else _words(name)
    return (kind, words[0]) if len(words) == 1 and words[0] else (None, None)


def credentials_header(header: str) -> str | None:
    """Return the profile that a header (without brackets) of the credentials file declares, or None.

    A header that would be one of the config file declares none, as the test suite has it.
    """
    kind, _, rest = header.replace("\t", " ").partition(" ")
    return None if not header or (kind in KINDS and rest) else header


def is_printable_name(profile: str) -> bool:
    """Whether a section's line can name the profile."""
    return profile.isprintable() and "]" not in profile and bool(profile.strip())


def header_for(profile: str, *, of_credentials: bool) -> str:
    """Return the line that begins the section of a profile. Raises ConfigError if no line can name it."""
    if not is_printable_name(profile):
        raise ConfigError(f"{quoted(profile)}: is not a valid profile name", "use letters, digits, and . _ - / @ : +")
    if profile == "default" or of_credentials:
        return f"[{profile}]"
    return f"[profile {profile if NAME.fullmatch(profile) else shlex.quote(profile)}]"


def _words(name: str) -> list[str]:
    """Return the words of a name as a shell splits them; none if a quotation mark is missing."""
    whole = _QUOTED.fullmatch(name)
    if whole:
        return [whole[1] or whole[2]]
    if len(name) > _QUOTED_LIMIT:
        return []
    try:
        return shlex.split(name)
    except ValueError:
        return []


def _continuation_error(section: Section, key: str | None, stripped: str, where: str) -> ConfigError | None:
    """Return why an indented line cannot follow, or None; below a key without a value it must be a sub-property."""
    if key is None:
        return ConfigError(f"{where}: Expected a property definition, found continuation", _INDENT_HINT)
    if key not in section or section[key].value:
        return None
    name, equals, _ = stripped.partition("=")
    if not equals:
        return ConfigError(
            f"{where}: Expected an '=' sign defining a sub-property of {key}",
            "below a setting without a value stand lines of the form key = value",
        )
    if not name.strip():
        return ConfigError(f"{where}: Sub-property did not have a name", f"write key = value below {key}")
    return None


def _append_continuation(section: Section, key: str | None, lines: list[str]) -> None:
    if lines and key is not None and key in section:  # otherwise they continue a key that is ignored
        section[key] = section[key]._replace(value="\n".join([section[key].value, *lines]))


def _property(stripped: str, where: str) -> tuple[str, str, ConfigError | None]:
    """Return key and value of a line, and what is wrong with it."""
    name, equals, value = stripped.partition("=")
    name = name.strip().lower()
    error = None
    if not equals:
        error = ConfigError(f"{where}: Expected an '=' sign defining a property", "write the line as key = value")
    elif not name:
        error = ConfigError(f"{where}: Property did not have a name", "write the line as key = value")
    return name, value_in(value), error


def value_in(text: str) -> str:
    """Return the value in what follows the equals sign: without a comment, and white space around it."""
    return _COMMENT.sub("", text, count=1).strip()


def split_command(command: str, platform: str = sys.platform) -> list[str]:
    """Return the words of a command in a setting, as botocore splits a ``credential_process`` line on this system.

    Raises ValueError if a quotation has no end.
    """
    return _split_as_windows_does(command) if platform == "win32" else shlex.split(command)


def _split_as_windows_does(command: str) -> list[str]:
    """Return the words by the rules of Microsoft's C runtime.

    Blanks and tabs part words, double quotes hold them together, and a backslash means something before a double quote
    alone: two are one, and an odd one makes the quote a character (Microsoft, "Parsing C command-line arguments").
    """
    words: list[str] = []
    word: str | None = None
    backslashes, is_quoted = 0, False
    for character in f"{command} ":
        if character == "\\":
            backslashes += 1
            continue
        if character == '"':
            word = (word or "") + "\\" * (backslashes // 2) + '"' * (backslashes % 2)
            is_quoted ^= backslashes % 2 == 0
        else:
            if backslashes:
                word = (word or "") + "\\" * backslashes
            if character in " \t" and not is_quoted:
                words += [] if word is None else [word]
                word = None
            else:
                word = (word or "") + character
        backslashes = 0
    if is_quoted:
        raise ValueError("No closing quotation")
    return words
