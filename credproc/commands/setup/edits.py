"""The edits of credproc setup: each takes the lines of the file and returns new lines by index; it can be undone.

Edits of several profiles change different lines, so that they can be made together.

``in_place`` gives the profile's role settings the prefix that SDKs ignore, and inserts a ``credential_process`` line
before the first of them. ``separate`` renames the profile, and inserts a short profile with the old name, for SDKs,
before it.
"""

from collections.abc import Mapping

from credproc.config.lines import ConfigLines, end_of
from credproc.config.settings import OWN_NAMES, PREFIX, ROLE_NAMES

_PREFIXED = frozenset(PREFIX + name for name in ROLE_NAMES)
_PROCESS = "credential_process"


class EditError(ValueError):
    """The file cannot be edited; ``line`` is the number of the line that prevents it, or 0."""

    def __init__(self, message: str, line: int = 0) -> None:
        """Create the error from its message and line number."""
        super().__init__(message)
        self.line = line


def in_place(file: ConfigLines, profile: str, command: str) -> Mapping[int, str]:
    """Return the lines with the profile's role settings prefixed, and a ``credential_process`` line before the first.

    Raises EditError if the profile already has such a line, or has a setting both with and without the prefix.
    """
    _check_no_process(file, profile)
    prefixed = {setting.key for setting in file.settings(profile, _PREFIXED)}
    new_lines: dict[int, str] = {}
    for key, (number, *_) in file.settings(profile, ROLE_NAMES):
        if PREFIX + key in prefixed:
            raise EditError(f"the profile has both {key} and {PREFIX}{key}", number + 1)
        process = "" if new_lines else f"{_PROCESS} = {command}{file.line_end(number)}"
        new_lines[number] = process + PREFIX + file.lines[number]
    if not new_lines:
        raise EditError("the file contains no role settings of the profile")
    return new_lines


def undo_in_place(file: ConfigLines, profile: str) -> Mapping[int, str]:
    """Return the lines without the profile's ``credential_process`` line and its role settings without the prefix."""
    new_lines = {number: "" for setting in file.settings(profile, {_PROCESS}) for number in setting.numbers}
    for _, (number, *_) in file.settings(profile, _PREFIXED):
        new_lines[number] = file.lines[number][len(PREFIX) :]
    return new_lines


def separate(file: ConfigLines, profile: str, role_profile: str, command: str) -> Mapping[int, str]:
    """Return the lines with the profile renamed to ``role_profile``, and a new profile with the old name before it.

    The new profile has a ``credential_process`` line, and copies of all settings that do not belong to the role.
    Raises EditError.
    """
    header = _only_header(file, profile)
    there = file.headers(role_profile)
    if there:
        raise EditError(f"profile {role_profile} already exists", there[0] + 1)
    _check_no_process(file, profile)
    if not file.settings(profile, ROLE_NAMES):
        raise EditError("the file contains no role settings of the profile")
    end = file.line_end(header)
    bracket, rest = _bracket(file.lines[header])
    short = [bracket + end, f"{_PROCESS} = {command}{end}"]
    for key, numbers in file.settings(profile):
        if key not in ROLE_NAMES and not key.startswith(PREFIX) and key not in OWN_NAMES:
            lines = (file.lines[number] for number in numbers)
            short += [line if end_of(line) else line + end for line in lines]
    return {header: "".join([*short, end, f"[profile {role_profile}]{rest}"])}


def undo_separate(file: ConfigLines, profile: str, role_profile: str) -> Mapping[int, str]:
    """Return the lines without the short profile, and with ``role_profile`` renamed to ``profile``.

    Raises EditError if the short profile contains a line that the other one lacks, and that would be lost.
    """
    short, whole = _only_header(file, profile), _only_header(file, role_profile)
    bracket, rest = _bracket(file.lines[short])
    if rest.strip():
        raise EditError("the comment would be lost", short + 1)
    known = {file.lines[number].rstrip("\r\n") for number in file.section_lines(whole)}
    process = {number for setting in file.settings(profile, {_PROCESS}) for number in setting.numbers}
    for number in file.section_lines(short)[1:]:
        line = file.lines[number].rstrip("\r\n")
        if line.strip() and number not in process and line not in known:
            raise EditError(f"the line is in {bracket} alone, and would be lost", number + 1)
    renamed = bracket + _bracket(file.lines[whole])[1]
    return {**dict.fromkeys(file.section_lines(short), ""), whole: renamed}


def replace_command(file: ConfigLines, profile: str, command: str) -> Mapping[int, str]:
    """Return the lines with ``command`` in the profile's ``credential_process`` line."""
    new_lines = {}
    for _, (number, *_) in file.settings(profile, {_PROCESS}):
        line = file.lines[number]
        new_lines[number] = f"{line.partition('=')[0]}= {command}{end_of(line)}"
    return new_lines


def _check_no_process(file: ConfigLines, profile: str) -> None:
    for setting in file.settings(profile, {_PROCESS}):
        raise EditError("the profile already has a credential_process", setting.numbers[0] + 1)


def _only_header(file: ConfigLines, profile: str) -> int:
    """Return the index of the profile's one header. Raises EditError."""
    found = file.headers(profile)
    if not found:
        raise EditError("the file does not contain the profile")
    if len(found) > 1:
        raise EditError("the file contains the profile twice", found[1] + 1)
    return found[0]


def _bracket(header: str) -> tuple[str, str]:
    inside, _, rest = header.partition("]")
    return inside + "]", rest
