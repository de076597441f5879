"""Edits of the two AWS files, by lines: text in, text out. What an edit is not about stays byte for byte.

The lines are found by the grammar with which ``parser`` reads them. An edit says what stands in the place of
which lines, by index, so that it cannot touch any other.
"""

import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from credproc.config.parser import LINE_END, config_header, header_in
from credproc.errors import ConfigError, quoted

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_\-/.%@:+]+")
_BOM = "\ufeff"
_PREFIXED_DEFAULT = "profile default"


class Setting(NamedTuple):
    """A setting of a profile, and the lines that make it."""

    key: str  # lower case
    numbers: tuple[int, ...]  # indices: of the line that sets it, and of those that go on with it


class _Line(NamedTuple):
    profile: str | None  # whose it is; None: no profile's, or one that does not count
    key: str | None  # that it sets, or goes on with
    is_header: bool = False
    is_first: bool = False  # it sets the key


class ConfigLines:
    """The lines of a config file, or a credentials file: ``text`` split where lines end, the ends included."""

    def __init__(self, text: str, *, of_credentials: bool = False) -> None:
        """Take the file's text, which ``parser`` can read; a line that it cannot belongs to no profile."""
        self._bom = _BOM if text.startswith(_BOM) else ""
        self.lines: Sequence[str] = tuple(_split(text.removeprefix(_BOM)))
        self._kinds = list(_kinds(self.lines, of_credentials=of_credentials))
        if any(line.profile == _PREFIXED_DEFAULT for line in self._kinds):  # wins over "[default]", which is not read
            names = {"default": None, _PREFIXED_DEFAULT: "default"}
            self._kinds = [line._replace(profile=names.get(line.profile or "", line.profile)) for line in self._kinds]

    def headers(self, profile: str) -> list[int]:
        """Return the indices of the profile's headers."""
        return [number for number, line in enumerate(self._kinds) if line.is_header and line.profile == profile]

    def settings(self, profile: str, keys: Collection[str] | None = None) -> list[Setting]:
        """Return the settings of the profile (with these keys), in their order."""
        found: list[Setting] = []
        for number, line in enumerate(self._kinds):
            if line.profile != profile or line.key is None:
                continue
            if line.is_first:
                found.append(Setting(line.key, (number,)))
            else:
                found[-1] = found[-1]._replace(numbers=(*found[-1].numbers, number))
        return [setting for setting in found if keys is None or setting.key in keys]

    def section(self, header: int) -> range:
        """Return the indices of the header and of all lines to before the next one."""
        stop = next((number for number in range(header + 1, len(self.lines)) if self._kinds[number].is_header), None)
        return range(header, len(self.lines) if stop is None else stop)

    def end(self, number: int = 0) -> str:
        """Return the line end to use beside this line: its own, else that of the first line."""
        ends = (end_of(self.lines[one]) for one in (number, 0) if one < len(self.lines))
        return next((end for end in ends if end), "\n")

    def edited(self, instead: Mapping[int, str]) -> str:
        """Return the text with another one in the place of each of these lines."""
        return self._bom + "".join(instead.get(number, line) for number, line in enumerate(self.lines))


def with_setting(  # noqa: PLR0913 - a line, and where it stands
    text: str, profile: str, key: str, value: str, *, of_credentials: bool = False, instead_of: str | None = None
) -> str:
    """Return the text with ``key = value`` in the profile, in the place of the key's line or as its first setting.

    A profile that is not there is appended. ``instead_of`` is a key in whose place it stands, if its own is not there.
    Raises ConfigError if no profile can have this name.
    """
    file = ConfigLines(text, of_credentials=of_credentials)
    setting = f"{key} = {value}"
    old = file.settings(profile, {key}) or ([] if instead_of is None else file.settings(profile, {instead_of}))
    if old:
        numbers = [number for one in old for number in one.numbers]
        return file.edited({**dict.fromkeys(numbers, ""), numbers[0]: setting + end_of(file.lines[numbers[0]])})
    headers = file.headers(profile)
    if not headers:
        return _appended(text, file, _header_of(profile, of_credentials=of_credentials), setting)
    header, end = file.lines[headers[-1]], file.end(headers[-1])
    below = f"{header}{setting}{end}" if end_of(header) else f"{header}{end}{setting}"
    return file.edited({headers[-1]: below})


def without_settings(text: str, profile: str, keys: Collection[str], *, of_credentials: bool = False) -> str:
    """Return the text without the lines that set these keys in the profile, and those that go on with them."""
    file = ConfigLines(text, of_credentials=of_credentials)
    return file.edited({number: "" for setting in file.settings(profile, keys) for number in setting.numbers})


def lines_of(text: str, profile: str, keys: Collection[str], *, of_credentials: bool = False) -> list[int]:
    """Return the numbers of the lines that set these keys in the profile, from 1."""
    return [one.numbers[0] + 1 for one in ConfigLines(text, of_credentials=of_credentials).settings(profile, keys)]


def end_of(line: str) -> str:
    """Return the line's end, empty in a last line without one."""
    return line[len(line.rstrip("\r\n")) :]


def _split(text: str) -> Iterator[str]:
    start = 0
    for found in LINE_END.finditer(text):
        yield text[start : found.end()]
        start = found.end()
    if start < len(text):
        yield text[start:]


def _kinds(lines: Sequence[str], *, of_credentials: bool) -> Iterator[_Line]:
    """Yield what each line is, as ``parser`` takes it."""
    profile: str | None = None
    key: str | None = None
    for whole in lines:
        line = whole.rstrip("\r\n")
        stripped = line.strip(" \t")
        if line[:1] == "[":
            profile, key = _profile(stripped, of_credentials=of_credentials), None
            yield _Line(profile, None, is_header=True)
        elif not stripped or stripped[0] in "#;":
            yield _Line(profile, None)
        elif line[0] in " \t":
            yield _Line(profile, key)
        else:
            key = stripped.partition("=")[0].strip(" \t").lower()
            yield _Line(profile, key, is_first=True)


def _profile(stripped: str, *, of_credentials: bool) -> str | None:
    """Return the profile that a header declares, or None; ``[profile default]`` by its whole name."""
    try:
        header = header_in(stripped, "")
    except ConfigError:  # no reader takes the file
        return None
    if of_credentials:
        return header if _PLAIN_NAME.fullmatch(header) else None
    kind, name = config_header(header)
    if kind != "profile":
        return None
    return _PREFIXED_DEFAULT if name == "default" and header != "default" else name


def _appended(text: str, file: ConfigLines, header: str, setting: str) -> str:
    end = file.end()
    gap = "" if not text.strip(_BOM) else end if end_of(text) else end + end
    return f"{text}{gap}{header}{end}{setting}{end}"


def _header_of(profile: str, *, of_credentials: bool) -> str:
    if any(not character.isprintable() for character in profile) or "]" in profile or not profile.strip():
        raise ConfigError(f"{quoted(profile)}: no profile can have this name", "use letters, digits, and . _ - / @ : +")
    if profile == "default" or of_credentials:
        return f"[{profile}]"
    return f"[profile {profile if _PLAIN_NAME.fullmatch(profile) else shlex.quote(profile)}]"
