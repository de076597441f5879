"""The setting that keeps MFA sessions elsewhere, below a comment by which ``setup --undo`` takes it out again."""

from collections.abc import Mapping

from credproc.config.grammar import header_for
from credproc.config.lines import ConfigLines, end_of

SETTING = "credproc_session_store"
OFFERED = ("kernel", "file")
_ADDED = "# credproc setup added the next line"
_ADDED_PROFILE = "# credproc setup added this profile"
_REPLACED = "# before credproc setup: "


def with_store(text: str, profile: str, store: str) -> str:
    """Return the text with the setting in the profile: in place of its lines, else below the header.

    The lines that it replaces become comments. A missing profile is appended. Raises ConfigError if the name is not
    valid for a profile.
    """
    file = ConfigLines(text)
    setting = f"{SETTING} = {store}"
    old = [number for one in file.settings(profile, {SETTING}) for number in one.numbers]
    if old:
        commented = {number: f"{_REPLACED}{file.lines[number]}" for number in old}
        last = file.lines[old[-1]]
        commented[old[-1]] = f"{_REPLACED}{_ended(last, file.line_end())}{setting}{end_of(last)}"
        return file.with_lines(commented)
    headers = file.headers(profile)
    if headers:
        header, end = file.lines[headers[-1]], file.line_end(headers[-1])
        return file.with_lines({headers[-1]: f"{_ended(header, end)}{_ADDED}{end}{setting}{end_of(header)}"})
    end = file.line_end(max(len(file.lines) - 1, 0))
    ended = _ended(text, end) if file.lines else text
    last_end = end if ended == text else ""
    return f"{ended}{end}{header_for(profile, of_credentials=False)}{end}{_ADDED_PROFILE}{end}{setting}{last_end}"


def without_store(file: ConfigLines, profile: str, changed: Mapping[int, str]) -> Mapping[int, str]:
    """Return the lines, by index, with the profile as it was before ``with_store``; of others ``changed`` has new text.

    A setting that has been written or changed by hand since stays as it is.
    """
    new_lines: dict[int, str] = {}
    for one in file.settings(profile, {SETTING}):
        number = one.numbers[0]
        note = file.lines[number - 1].rstrip("\r\n")
        if _bare(file, number) not in {f"{SETTING} = {store}" for store in OFFERED}:
            continue
        if note.startswith(_REPLACED):
            new_lines |= {number: "", **_as_before(file, profile)}
        elif note == _ADDED:
            new_lines |= {number: "", number - 1: ""}
        elif note == _ADDED_PROFILE:
            new_lines |= {number: "", number - 1: "", **_without_header(file, number)}
        if number in new_lines and not end_of(file.lines[number]):  # then no line of the file may end
            kept = next(index for index in range(number - 1, -1, -1) if new_lines.get(index, "kept"))
            text = new_lines.get(kept, changed.get(kept, file.lines[kept]))
            new_lines[kept] = text[: len(text) - len(end_of(text))]
    return new_lines


def _as_before(file: ConfigLines, profile: str) -> Mapping[int, str]:
    """Return the lines of the profile that ``with_store`` has made comments, as settings."""
    numbers = (number for header in file.headers(profile) for number in file.section_lines(header))
    return {
        number: file.lines[number][len(_REPLACED) :] for number in numbers if file.lines[number].startswith(_REPLACED)
    }


def _without_header(file: ConfigLines, setting: int) -> Mapping[int, str]:
    """Return the lines without the header two lines above the setting, and the empty line above, if that is all."""
    header = setting - 2
    others = set(file.section_lines(header)) - {header, header + 1, setting}
    if any(file.lines[number].strip() for number in others):
        return {}
    gap = {header - 1: ""} if header and not _bare(file, header - 1) else {}
    return {header: "", **gap}


def _bare(file: ConfigLines, number: int) -> str:
    return file.lines[number].rstrip("\r\n")


def _ended(text: str, end: str) -> str:
    """Return the text with an end of its last line."""
    return text if end_of(text) else text + end
