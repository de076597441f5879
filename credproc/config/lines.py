"""Edit the text of an AWS file line by line: text in, text out, and all other lines stay as they are, byte for byte.

``grammar``, by which the files are read, also finds the lines to edit. An edit replaces lines by index, so that it
cannot change any other line.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from credproc.config.grammar import LINE_END, config_header, credentials_header, header_for, header_in, value_in

_BOM = "\ufeff"
_PREFIXED_DEFAULT = "profile default"


class SettingLines(NamedTuple):
    """The lines of one setting of a profile."""

    key: str  # lower case
    numbers: tuple[int, ...]  # indices: of the line that sets the key, then of the lines that continue it


class _Line(NamedTuple):
    profile: str | None  # None: outside of a profile, or in one that is ignored
    key: str | None  # the key that the line sets or continues
    is_header: bool = False
    is_first: bool = False  # whether the line sets the key


class ConfigLines:
    """The lines of a config or credentials file, with their line ends."""

    def __init__(self, text: str, *, of_credentials: bool = False) -> None:
        """Split the text; a line that ``grammar`` rejects belongs to no profile."""
        self._bom = _BOM if text.startswith(_BOM) else ""
        self.lines: Sequence[str] = tuple(_split(text.removeprefix(_BOM)))
        self._parsed = list(_parse_lines(self.lines, of_credentials=of_credentials))
        if any(line.profile == _PREFIXED_DEFAULT for line in self._parsed):  # then "[default]" is ignored
            names = {"default": None, _PREFIXED_DEFAULT: "default"}
            self._parsed = [line._replace(profile=names.get(line.profile or "", line.profile)) for line in self._parsed]

        self._numbers: dict[str | None, list[int]] = {}  # of the lines of each profile
        for number, line in enumerate(self._parsed):
            self._numbers.setdefault(line.profile, []).append(number)

    def headers(self, profile: str) -> list[int]:
        """Return the indices of the profile's headers."""
        return [number for number in self._numbers.get(profile, []) if self._parsed[number].is_header]

    def settings(self, profile: str, keys: Collection[str] | None = None) -> list[SettingLines]:
        """Return the settings of the profile in the file's order, all or those with these keys."""
        found: list[SettingLines] = []
        for number in self._numbers.get(profile, []):
            line = self._parsed[number]
            if line.key is None:
                continue
            if line.is_first:
                found.append(SettingLines(line.key, (number,)))
            else:
                found[-1] = found[-1]._replace(numbers=(*found[-1].numbers, number))
        return [setting for setting in found if keys is None or setting.key in keys]

    def value(self, setting: SettingLines) -> str:
        """Return the setting's value, as the parser reads it."""
        first, *others = (self.lines[number].strip() for number in setting.numbers)
        return "\n".join([value_in(first.partition("=")[2]), *others])

    def section_lines(self, header: int) -> range:
        """Return the indices of the header and of all lines before the next header."""
        stop = next((number for number in range(header + 1, len(self.lines)) if self._parsed[number].is_header), None)
        return range(header, len(self.lines) if stop is None else stop)

    def line_end(self, number: int = 0) -> str:
        """Return the line end for a new line beside this one: its own, else that of the first line, else LF."""
        ends = (end_of(self.lines[one]) for one in (number, 0) if one < len(self.lines))
        return next((end for end in ends if end), "\n")

    def with_lines(self, replacements: Mapping[int, str]) -> str:
        """Return the text with these lines replaced, by index."""
        return self._bom + "".join(replacements.get(number, line) for number, line in enumerate(self.lines))


def with_setting(  # noqa: PLR0913 - a setting and its place
    text: str, profile: str, key: str, value: str, *, of_credentials: bool = False, replaced_key: str | None = None
) -> str:
    """Return the text with ``key = value`` in the profile: in place of the key's lines, else below the header.

    If the key is not set but ``replaced_key`` is, the setting takes the place of that one. A missing profile is
    appended. Raises ConfigError if the name is not valid for a profile.
    """
    file = ConfigLines(text, of_credentials=of_credentials)
    setting = f"{key} = {value}"
    old = file.settings(profile, {key}) or ([] if replaced_key is None else file.settings(profile, {replaced_key}))
    if old:
        numbers = [number for one in old for number in one.numbers]
        return file.with_lines({**dict.fromkeys(numbers, ""), numbers[0]: setting + end_of(file.lines[numbers[0]])})
    headers = file.headers(profile)
    if not headers:
        return _appended(text, file, header_for(profile, of_credentials=of_credentials), setting)
    header, end = file.lines[headers[-1]], file.line_end(headers[-1])
    below = f"{header}{setting}{end}" if end_of(header) else f"{header}{end}{setting}"
    return file.with_lines({headers[-1]: below})


def without_settings(
    text: str, profile: str, values: Mapping[str, str], *, of_credentials: bool = False, instead: str = ""
) -> str:
    """Return the text without the profile's lines that set a key of ``values`` to its value there.

    A line that sets the key to anything else stays: another program has written it. ``instead`` takes the place of the
    first setting that is taken out.
    """
    file = ConfigLines(text, of_credentials=of_credentials)
    found = [setting for setting in file.settings(profile, values) if file.value(setting) == values[setting.key]]
    replacements = dict.fromkeys((number for setting in found for number in setting.numbers), "")
    if found and instead:
        first = found[0].numbers[0]
        replacements[first] = instead + end_of(file.lines[first])
    return file.with_lines(replacements)


def line_numbers(text: str, profile: str, keys: Collection[str], *, of_credentials: bool = False) -> list[int]:
    """Return the numbers, from 1, of the lines that set these keys in the profile."""
    return [one.numbers[0] + 1 for one in ConfigLines(text, of_credentials=of_credentials).settings(profile, keys)]


def end_of(line: str) -> str:
    """Return the line's end; it is empty for a last line without one."""
    return line[len(line.rstrip("\r\n")) :]


def _split(text: str) -> Iterator[str]:
    start = 0
    for found in LINE_END.finditer(text):
        yield text[start : found.end()]
        start = found.end()
    if start < len(text):
        yield text[start:]


def _parse_lines(lines: Sequence[str], *, of_credentials: bool) -> Iterator[_Line]:
    """Yield what each line is, by the grammar of ``grammar.sections``."""
    profile: str | None = None
    key: str | None = None
    for whole in lines:
        line = whole.rstrip("\r\n")
        stripped = line.strip()
        if line[:1] == "[":
            profile, key = _profile(stripped, of_credentials=of_credentials), None
            yield _Line(profile, None, is_header=True)
        elif not stripped or stripped[0] in "#;":
            yield _Line(profile, None)
        elif line[0] in " \t":
            yield _Line(profile, key)
        else:
            key = stripped.partition("=")[0].strip().lower()
            yield _Line(profile, key, is_first=True)


def _profile(stripped: str, *, of_credentials: bool) -> str | None:
    """Return the profile that a header declares, or None; for ``[profile default]``, ``profile default``."""
    header, error = header_in(stripped, "")
    if error is not None:
        return None
    if of_credentials:
        return credentials_header(header)
    kind, name = config_header(header)
    if kind != "profile":
        return None
    return _PREFIXED_DEFAULT if name == "default" and header != "default" else name


def _appended(text: str, file: ConfigLines, header: str, setting: str) -> str:
    end = file.line_end()
    gap = "" if not text.strip(_BOM) else end if end_of(text) else end + end
    return f"{text}{gap}{header}{end}{setting}{end}"
