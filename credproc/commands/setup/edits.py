"""The edits of credproc setup: text in, text out; each can be undone exactly.

In place, a profile's role settings get the prefix that SDKs pass over, and the line that starts credproc stands before
the first of them. Separate, the profile's lines stay where they are below a new name, and a short profile of the old
name stands before them: what SDKs read.
"""

from credproc.config.lines import ConfigLines, end_of
from credproc.config.settings import OWN_NAMES, PREFIX, ROLE_NAMES

_PREFIXED = frozenset(PREFIX + name for name in ROLE_NAMES)
_PROCESS = "credential_process"


class EditError(ValueError):
    """The file is not as the edit needs it; ``line`` counts from 1, and is 0 where no line is to blame."""

    def __init__(self, what: str, line: int = 0) -> None:
        """Take what is wrong, and where."""
        super().__init__(what)
        self.line = line


def in_place(text: str, profile: str, command: str) -> str:
    """Return the text with the profile's role settings prefixed and a ``credential_process`` line before the first.

    Raises EditError where the profile has such a line already, or a setting both with and without prefix.
    """
    file = ConfigLines(text)
    _check_no_process(file, profile)
    prefixed = {setting.key for setting in file.settings(profile, _PREFIXED)}
    instead: dict[int, str] = {}
    for key, (number, *_) in file.settings(profile, ROLE_NAMES):
        if PREFIX + key in prefixed:
            raise EditError(f"{key} stands beside {PREFIX}{key}", number + 1)
        process = "" if instead else f"{_PROCESS} = {command}{file.line_end(number)}"
        instead[number] = process + PREFIX + file.lines[number]
    if not instead:
        raise EditError("no role settings of the profile are in this file")
    return file.with_lines(instead)


def undo_in_place(text: str, profile: str) -> str:
    """Return the text without the profile's ``credential_process`` line and its role settings without the prefix."""
    file = ConfigLines(text)
    instead = {number: "" for setting in file.settings(profile, {_PROCESS}) for number in setting.numbers}
    for _, (number, *_) in file.settings(profile, _PREFIXED):
        instead[number] = file.lines[number][len(PREFIX) :]
    return file.with_lines(instead)


def separate(text: str, profile: str, behind: str, command: str) -> str:
    """Return the text with the profile's lines below the name ``behind``, and a new profile of its name before them.

    The new one has the line that starts credproc and a copy of all settings that are not the role's. Raises EditError.
    """
    file = ConfigLines(text)
    header = _only_header(file, profile)
    there = file.headers(behind)
    if there:
        raise EditError(f"there is a profile {behind} already", there[0] + 1)
    _check_no_process(file, profile)
    if not file.settings(profile, ROLE_NAMES):
        raise EditError("no role settings of the profile are in this file")
    end = file.line_end(header)
    bracket, rest = _bracket(file.lines[header])
    short = [bracket + end, f"{_PROCESS} = {command}{end}"]
    for key, numbers in file.settings(profile):
        if key not in ROLE_NAMES and not key.startswith(PREFIX) and key not in OWN_NAMES:
            lines = (file.lines[number] for number in numbers)
            short += [line if end_of(line) else line + end for line in lines]
    return file.with_lines({header: "".join([*short, end, f"[profile {behind}]{rest}"])})


def undo_separate(text: str, profile: str, behind: str) -> str:
    """Return the text without the short profile that SDKs read, and the other one with its name.

    Raises EditError where a line stands in the short one alone, and would be lost.
    """
    file = ConfigLines(text)
    short, whole = _only_header(file, profile), _only_header(file, behind)
    bracket, rest = _bracket(file.lines[short])
    if rest.strip():
        raise EditError("a comment that would be lost", short + 1)
    known = {file.lines[number].rstrip("\r\n") for number in file.section_lines(whole)}
    process = {number for setting in file.settings(profile, {_PROCESS}) for number in setting.numbers}
    for number in file.section_lines(short)[1:]:
        line = file.lines[number].rstrip("\r\n")
        if line.strip() and number not in process and line not in known:
            raise EditError(f"a line of {bracket} alone, which would be lost", number + 1)
    renamed = bracket + _bracket(file.lines[whole])[1]
    return file.with_lines({**dict.fromkeys(file.section_lines(short), ""), whole: renamed})


def renewed(text: str, profile: str, command: str) -> str:
    """Return the text with another command in the profile's ``credential_process`` line."""
    file = ConfigLines(text)
    instead = {}
    for _, (number, *_) in file.settings(profile, {_PROCESS}):
        line = file.lines[number]
        instead[number] = f"{line.partition('=')[0]}= {command}{end_of(line)}"
    return file.with_lines(instead)


def _check_no_process(file: ConfigLines, profile: str) -> None:
    for setting in file.settings(profile, {_PROCESS}):
        raise EditError("the profile has a credential_process already", setting.numbers[0] + 1)


def _only_header(file: ConfigLines, profile: str) -> int:
    """Return the index of the profile's one header. Raises EditError."""
    found = file.headers(profile)
    if not found:
        raise EditError("the profile is not in this file")
    if len(found) > 1:
        raise EditError("the profile stands there twice", found[1] + 1)
    return found[0]


def _bracket(header: str) -> tuple[str, str]:
    inside, _, rest = header.partition("]")
    return inside + "]", rest
