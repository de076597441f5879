"""The grammar of the two AWS files: lines to sections of settings.

It is the SDKs' common grammar (its test suite is tests/cases/profile-parser.json), and beyond it names with spaces may
stand in quotes, as for the AWS CLI.
"""

import re
import shlex
from collections.abc import Iterator

from credproc.config.shared_config import Section, Setting
from credproc.errors import ConfigError

LINE_END = re.compile(r"\r\n|\r|\n")
NAME = re.compile(r"[A-Za-z0-9_\-/.%@:+]+")  # of a profile or a setting, as the test suite defines it
_COMMENT = re.compile(r"(?:^|[ \t])[#;].*", re.DOTALL)
_HEADER_COMMENT = re.compile(r"[ \t]*[#;]")
_QUOTED = re.compile(r""""([^"\\]+)"|'([^']+)'""")
_QUOTED_LIMIT = 1024  # characters of a name; the time of shlex grows with the square of the length
_REMARKS_LIMIT = 100  # a damaged file could otherwise fill the memory with remarks
_SECTION_HINT = "settings stand below a line such as [profile NAME]"
_INDENT_HINT = "an indented line continues the setting above it; remove the indentation"


class Remarks(list[str]):
    """The first hundred remarks on the files."""

    def add(self, remark: str) -> None:
        """Append the remark, unless there are a hundred."""
        if len(self) < _REMARKS_LIMIT:
            self.append(remark)


def sections(
    text: str, file: str, remarks: Remarks, *, from_credentials_file: bool = False
) -> Iterator[tuple[str, Section]]:
    """Yield the header (without brackets) and the settings of each section, in the file's order.

    ``file`` is the file's name for messages. Raises ConfigError.
    """
    header: str | None = None
    section = Section("", file)
    key: str | None = None  # the setting that an indented line continues
    continuation: list[str] = []  # its indented lines, joined once, as there may be a million
    for number, line in enumerate(LINE_END.split(text), start=1):
        stripped = line.strip(" \t")
        if not stripped or stripped[0] in "#;":
            continue
        where = f"{file}:{number}"
        if line[0] in " \t":
            _check_continuation(header, section, key, stripped, where)
            continuation.append(stripped)
            continue
        _append_continuation(section, key, continuation)
        continuation = []
        if line[0] == "[":
            if header is not None:
                yield header, section
            header = header_in(stripped, where)
            section, key = Section(header, where), None
        else:
            if header is None:
                raise ConfigError(f"{where}: Expected a profile definition", _SECTION_HINT)
            key, value = _property(stripped, where)
            if NAME.fullmatch(key):
                section[key] = Setting(value, where, from_credentials_file)
            else:
                remarks.add(f"{where}: a key with a space or a special character is ignored")
    if header is not None:
        _append_continuation(section, key, continuation)
        yield header, section


def header_in(stripped: str, where: str) -> str:
    """Return the text between the brackets of a section's line. Raises ConfigError."""
    end = stripped.find("]")
    rest = stripped[end + 1 :]
    if end < 0 or (rest.strip() and not _HEADER_COMMENT.match(rest)):
        raise ConfigError(f"{where}: Profile definition must end with ']'", "write it as [profile NAME]")
    return stripped[1:end].strip(" \t")


def config_header(header: str) -> tuple[str, str] | tuple[None, None]:
    """Return the kind of section and its name that a header of the config file declares; Nones if it is ignored.

    ``header`` is without brackets; the kinds are ``profile``, ``sso-session`` and ``services``.
    """
    if header == "default":
        return "profile", "default"
    kind, _, rest = header.replace("\t", " ").partition(" ")
    if kind not in ("profile", "sso-session", "services"):
        return None, None
    name = rest.strip()
    if name[:1] in ("'", '"'):
        words = _quoted_words(name)
        return (kind, words[0]) if len(words) == 1 and words[0] else (None, None)
    return (kind, name) if NAME.fullmatch(name) else (None, None)


def _quoted_words(name: str) -> list[str]:
    """Return the words of a name in quotes as a shell splits them; none if a quotation mark is missing."""
    whole = _QUOTED.fullmatch(name)
    if whole:
        return [whole[1] or whole[2]]
    if len(name) > _QUOTED_LIMIT:
        return []
    try:
        return shlex.split(name)
    except ValueError:
        return []


def _check_continuation(header: str | None, section: Section, key: str | None, stripped: str, where: str) -> None:
    """Raise ConfigError if an indented line cannot follow; below a key without a value it must be a sub-property."""
    if header is None:
        raise ConfigError(f"{where}: Expected a profile definition, found continuation", _SECTION_HINT)
    if key is None:
        raise ConfigError(f"{where}: Expected a property definition, found continuation", _INDENT_HINT)
    if key not in section or section[key].value:
        return
    name, equals, _ = stripped.partition("=")
    if not equals:
        raise ConfigError(
            f"{where}: Expected an '=' sign defining a sub-property of {key}",
            "below a setting without a value stand lines of the form key = value",
        )
    if not name.strip():
        raise ConfigError(f"{where}: Sub-property did not have a name", f"write key = value below {key}")


def _append_continuation(section: Section, key: str | None, lines: list[str]) -> None:
    if lines and key is not None and key in section:  # otherwise they continue a key that is ignored
        section[key] = section[key]._replace(value="\n".join([section[key].value, *lines]))


def _property(stripped: str, where: str) -> tuple[str, str]:
    name, equals, value = stripped.partition("=")
    if not equals:
        raise ConfigError(f"{where}: Expected an '=' sign defining a property", "write the line as key = value")
    name = name.strip(" \t").lower()
    if not name:
        raise ConfigError(f"{where}: Property did not have a name", "write the line as key = value")
    return name, _COMMENT.sub("", value, count=1).strip(" \t")
