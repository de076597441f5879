"""Edits of the config file, line by line: text in, text out. What an edit is not about stays byte for byte.

In place, a profile's role settings get the prefix that SDKs pass over, and the line that starts credproc stands before
the first of them. Separate, the profile's lines stay where they are below a new name, and a short profile of the old
name stands before them: what SDKs read. So each can be undone exactly.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from credproc.refresh.sharedconfig import config_header

# What makes SDKs assume the role by themselves, or belongs to it
ROLE_KEYS = frozenset(
    (
        "role_arn source_profile credential_source external_id mfa_serial role_session_name duration_seconds"
        " web_identity_token_file"
    ).split()
)
_PREFIX = "credproc_"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_END = re.compile(r"[\r\n]*\Z")
_BOM = "\ufeff"


class EditError(ValueError):
    """The file is not as the edit needs it; ``line`` counts from 1, and is 0 where no line is to blame."""

    def __init__(self, what: str, line: int = 0) -> None:
        """Take what is wrong, and where."""
        super().__init__(what)
        self.line = line


class _Part(NamedTuple):
    """A section of the file: lines from its header to before the next one, by index."""

    profile: str | None  # None: no profile's
    is_prefixed: bool  # [profile NAME], not [default]
    start: int
    stop: int


class _File:
    """The lines of a text, with their ends, and its sections."""

    def __init__(self, text: str) -> None:
        self.bom = _BOM if text.startswith(_BOM) else ""
        self.lines: list[str] = _LINE.findall(text[len(self.bom) :])
        starts = [number for number, line in enumerate(self.lines) if line.startswith("[")]
        self.parts = [
            self._part(start, stop) for start, stop in zip(starts, [*starts[1:], len(self.lines)], strict=True)
        ]

    def _part(self, start: int, stop: int) -> _Part:
        header = self.lines[start][1:].partition("]")[0].strip(" \t")
        kind, name = config_header(header)
        return _Part(name if kind == "profile" else None, header != "default", start, stop)

    def of(self, profile: str) -> list[_Part]:
        """Return the sections of the profile that count."""
        found = [part for part in self.parts if part.profile == profile]
        prefixed = [part for part in found if part.is_prefixed]
        return prefixed or found

    def only(self, profile: str) -> _Part:
        """Return the one section of the profile. Raises EditError."""
        found = self.of(profile)
        if not found:
            raise EditError("the profile is not in this file")
        if len(found) > 1:
            raise EditError("the profile stands there twice", found[1].start + 1)
        return found[0]

    def properties(self, part: _Part) -> Iterator[tuple[int, str]]:
        """Yield index and lower-case key of each setting of a section."""
        for number in range(part.start + 1, part.stop):
            line = self.lines[number]
            if line[0] not in " \t#;\r\n" and "=" in line:
                yield number, line.partition("=")[0].strip(" \t").lower()

    def text(self) -> str:
        return self.bom + "".join(self.lines)


def in_place(text: str, profile: str, command: str) -> str:
    """Return the text with the profile's role settings prefixed and a ``credential_process`` line before the first.

    Raises EditError where the profile has such a line already, or a setting both with and without prefix.
    """
    file = _File(text)
    first = None
    found = [one for part in file.of(profile) for one in file.properties(part)]
    keys = {key for _, key in found}
    for number, key in found:
        if key == "credential_process":
            raise EditError("the profile has a credential_process already", number + 1)
        if key in ROLE_KEYS and _PREFIX + key in keys:
            raise EditError(f"{key} stands beside {_PREFIX}{key}", number + 1)
        if key in ROLE_KEYS:
            file.lines[number] = _PREFIX + file.lines[number]
            first = number if first is None else first
    if first is None:
        raise EditError("no role settings of the profile are in this file")
    end = _end(file.lines, first)
    file.lines.insert(first, f"credential_process = {command}{end}")
    return file.text()


def undo_in_place(text: str, profile: str) -> str:
    """Return the text without the profile's ``credential_process`` line and its role settings without the prefix."""
    file = _File(text)
    found = [one for part in file.of(profile) for one in file.properties(part)]
    for number, key in found:
        if key.startswith(_PREFIX) and key.removeprefix(_PREFIX) in ROLE_KEYS:
            file.lines[number] = file.lines[number][len(_PREFIX) :]
    for number in sorted((number for number, key in found if key == "credential_process"), reverse=True):
        del file.lines[number : _after(file.lines, number)]
    return file.text()


def separate(text: str, profile: str, behind: str, command: str) -> str:
    """Return the text with the profile's lines below the name ``behind``, and a new profile of its name before them.

    The new one has the line that starts credproc and a copy of all settings that are not the role's. Raises EditError.
    """
    file = _File(text)
    part = file.only(profile)
    if file.of(behind):
        raise EditError(f"there is a profile {behind} already", file.of(behind)[0].start + 1)
    copied: list[str] = []
    header, end = file.lines[part.start], _end(file.lines, part.start)
    for number, key in file.properties(part):
        if key == "credential_process":
            raise EditError("the profile has a credential_process already", number + 1)
        if key not in ROLE_KEYS and not key.startswith(_PREFIX) and key != "mfa_process":
            copied += file.lines[number : _after(file.lines, number)]
    if not any(key in ROLE_KEYS for _, key in file.properties(part)):
        raise EditError("no role settings of the profile are in this file")
    copied = [line if _end_of(line) else line + end for line in copied]
    bracket, rest = _bracket(header)
    file.lines[part.start] = f"[profile {behind}]{rest}"
    file.lines[part.start : part.start] = [bracket + end, f"credential_process = {command}{end}", *copied, end]
    return file.text()


def undo_separate(text: str, profile: str, behind: str) -> str:
    """Return the text without the short profile that SDKs read, and the other one with its name.

    Raises EditError where a line stands in the short one alone, and would be lost.
    """
    file = _File(text)
    short, whole = file.only(profile), file.only(behind)
    known = {_END.sub("", line) for line in file.lines[whole.start : whole.stop]}
    bracket, rest = _bracket(file.lines[short.start])
    if rest.strip():
        raise EditError("a comment that would be lost", short.start + 1)
    process = {number for number, key in file.properties(short) if key == "credential_process"}
    for number in range(short.start + 1, short.stop):
        line = _END.sub("", file.lines[number])
        if line.strip() and number not in process and line not in known:
            raise EditError(f"a line of [{bracket[1:-1]}] alone, which would be lost", number + 1)
    file.lines[whole.start] = bracket + _bracket(file.lines[whole.start])[1]
    del file.lines[short.start : short.stop]
    return file.text()


def renewed(text: str, profile: str, command: str) -> str:
    """Return the text with another command in the profile's ``credential_process`` line."""
    file = _File(text)
    for part in file.of(profile):
        for number, key in file.properties(part):
            if key == "credential_process":
                name = file.lines[number].partition("=")[0]
                file.lines[number] = f"{name}= {command}{_end_of(file.lines[number])}"
    return file.text()


def _bracket(header: str) -> tuple[str, str]:
    inside, _, rest = header.partition("]")
    return inside + "]", rest


def _after(lines: Sequence[str], number: int) -> int:
    """Return the index behind a setting and the indented lines that continue it."""
    number += 1
    while number < len(lines) and lines[number][0] in " \t" and lines[number].strip():
        number += 1
    return number


def _end_of(line: str) -> str:
    found = _END.search(line)
    return found[0] if found else ""


def _end(lines: Sequence[str], number: int) -> str:
    """Return the line end to use beside this line: its own, else that of the first line."""
    return _end_of(lines[number]) or _end_of(lines[0]) or "\n"
