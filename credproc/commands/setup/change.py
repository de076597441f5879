"""What credproc setup changes in the config file: the new lines of each profile, and the difference that it shows."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from credproc.commands.plan_text import NOT_SHOWN, setting_shown
from credproc.commands.profile_state import alias_of
from credproc.commands.setup import edits
from credproc.commands.setup.edits import EditError
from credproc.commands.setup.profiles import role_profile_for
from credproc.config.lines import ConfigLines, end_of
from credproc.config.settings import BEFORE_PROCESS, PREFIX, SETTINGS
from credproc.config.shared_config import Section
from credproc.errors import EXAMPLE_PROGRAM, ConfigError, by_platform, inert, quoted
from credproc.glyphs import Whole
from credproc.process.command_line import executable_at, programs_in_path
from credproc.request import Request

_CONTEXT = 3  # lines around a change that are shown
# Paths that every SDK reads alike in a credential_process line (CONTRACT.md, 1.1)
_PATH = re.compile(by_platform(posix=r"[A-Za-z0-9_./-]+", windows=r"[A-Za-z0-9_.:~\\-]+"))
_PATH_HINT = by_platform(
    posix=f"start credproc through a link whose path has only letters, digits and _ . / -, such as {EXAMPLE_PROGRAM}",
    windows=f"move credproc to a path with only letters, digits and _ . : ~ \\ -, such as {EXAMPLE_PROGRAM}",
)
_PARTLY_SHOWN = "|".join(setting.name for setting in SETTINGS if setting.shown != "all")
_CONFIDENTIAL = re.compile(rf"([\s#;]*(?:{PREFIX})?({_PARTLY_SHOWN})\s*[=:]\s*)(.*)", re.IGNORECASE)


class How(NamedTuple):
    """How profiles are edited."""

    helper: str  # the path of credproc for their lines; empty to undo
    separate: bool
    shown: str  # the file, for messages


def new_lines(file: ConfigLines, section: Section, request: Request, how: How) -> Mapping[int, str]:
    """Return the new lines of a profile, by their indices in the file; none if it is as it should be.

    Raises ConfigError, with the place.
    """
    try:
        return _edit(file, section, request, how) if how.helper else _undo_edit(file, section, request)
    except EditError as error:
        where = f"{how.shown}:{error.line}" if error.line else how.shown
        raise ConfigError(f"{where}: {error}", "edit the file by hand, and run the command again") from None


def _edit(file: ConfigLines, section: Section, request: Request, how: How) -> Mapping[int, str]:
    """Return the lines with the profile set up. Raises ConfigError and EditError."""
    target = alias_of(section, request.program)
    if target is not None:
        if not any(key in section for key in BEFORE_PROCESS):
            return _update_path(file, section, how.helper, target)
        winner = next(key for key in BEFORE_PROCESS if key in section)
        raise ConfigError(
            f"{section[winner].where}: {winner} wins over the credential_process beside it in SDKs",
            "remove the credential_process line, and run the command again",
        )
    if how.separate:
        role_profile = role_profile_for(section.name)
        return edits.separate(file, section.name, role_profile, f"{how.helper} --profile {role_profile}")
    return edits.in_place(file, section.name, f"{how.helper} --profile {section.name}")


def _update_path(file: ConfigLines, section: Section, program: str, target: str) -> Mapping[int, str]:
    """Return the lines with the current path of credproc in the profile's ``credential_process`` line."""
    word = section["credential_process"].value.split()[0]
    return {} if word == program else edits.replace_command(file, section.name, f"{program} --profile {target}")


def _undo_edit(file: ConfigLines, section: Section, request: Request) -> Mapping[int, str]:
    """Return the lines as they were before setup. Raises ConfigError and EditError."""
    target = alias_of(section, request.program)
    process = section.get("credential_process")
    if process is not None and process.from_credentials_file:
        raise ConfigError(
            f"{process.where}: credential_process is in the credentials file, which setup does not edit",
            "edit the file by hand",
        )
    if target == section.name:
        return edits.undo_in_place(file, section.name)
    if target == role_profile_for(section.name):
        return edits.undo_separate(file, section.name, target)
    raise ConfigError(
        f"{section.where}: credproc setup has not made profile {quoted(section.name)}",
        "run credproc list to see which profiles use credproc",
    )


def helper_path(program: str | None, environ: Mapping[str, str]) -> str:
    """Return the absolute path of this credproc for a ``credential_process`` line; ``program`` is how it was started.

    Raises ConfigError if the path is unknown, or not read alike by every SDK.
    """
    word = program or "credproc"
    found: str | None
    if not os.path.dirname(word) or os.path.basename(word).endswith(".py"):
        found = next(programs_in_path("credproc", environ), None)
    else:
        found = executable_at(word, environ) or word  # on Windows pip's launcher gives its path without .exe
    if found is None:
        raise ConfigError("setup: the path of credproc is unknown", "start credproc by its absolute path")
    path = os.path.abspath(found)
    if not _PATH.fullmatch(path):
        raise ConfigError(
            f"{path}: SDKs cannot read this path in a credential_process line",
            _PATH_HINT,
        )
    return path


def difference(file: ConfigLines, changed: Mapping[int, str], shown: str) -> Iterator[str]:
    """Yield the lines of a unified diff of the file ``shown``, without secrets; of ``changed`` by index.

    No comparison of texts: which lines change is known, and difflib takes lines that are frequent for changed ones.
    """
    marked = list(_marked(file, changed))
    old = iter(list(_without_secrets(text for mark, text in marked if mark != "+")))
    new = iter(list(_without_secrets(text for mark, text in marked if mark != "-")))
    safe = []
    for mark, _ in marked:
        text = next(new) if mark == "+" else next(old)
        if mark == " ":
            next(new)
        safe.append(mark + text)
    if changed:
        yield from (f"--- {shown}", f"+++ {shown}")
    end = old_lines = new_lines = 0  # of what is behind us
    for first, last in _hunks(safe):
        between, hunk = first - end, safe[first:last]  # between hunks no line changes
        before = (old_lines + between, sum(line[0] != "+" for line in hunk))
        after = (new_lines + between, sum(line[0] != "-" for line in hunk))
        yield f"@@ -{_range(*before)} +{_range(*after)} @@"
        yield from (Whole(inert(line)) for line in hunk)
        end, old_lines, new_lines = last, sum(before), sum(after)


def _range(before: int, count: int) -> str:
    """Return a hunk's range: the number of its first line, from 1, and how many lines it has."""
    start = before + 1 if count else before
    return str(start) if count == 1 else f"{start},{count}"


def _hunks(marked: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the ranges of lines that are shown: changes with their context, joined where they touch."""
    at: tuple[int, int] | None = None
    for number, line in enumerate(marked):
        if line[0] == " ":
            continue
        first, last = max(0, number - _CONTEXT), min(len(marked), number + _CONTEXT + 1)
        if at is not None and first <= at[1]:
            at = (at[0], last)
            continue
        if at is not None:
            yield at
        at = (first, last)
    if at is not None:
        yield at


def _marked(file: ConfigLines, changed: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    """Yield each line with its mark, as diff has them: of neighbours that change, first all old ones, then all new."""
    removed: list[str] = []
    added: list[str] = []
    for number, line in enumerate(file.lines):
        new = ConfigLines(changed[number]).lines if number in changed else [line]
        kept = 0 if line in new[:1] else -1 if line in new[-1:] else None
        if kept is None:
            removed.append(_bare(line))
            added += map(_bare, new)
            continue
        before, behind = (new[:0], new[1:]) if kept == 0 else (new[:-1], new[:0])
        yield from (("-", one) for one in removed)
        yield from (("+", one) for one in (*added, *map(_bare, before)))
        yield " ", _bare(line)
        removed, added = [], [*map(_bare, behind)]
    yield from (("-", one) for one in removed)
    yield from (("+", one) for one in added)


def _bare(line: str) -> str:
    return line.removesuffix(end_of(line))


def _without_secrets(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a config file with what ``explain`` shows of their values, comments too."""
    is_within = False  # whether an indented line goes on with a value that is not shown
    for line in lines:
        found = _CONFIDENTIAL.fullmatch(line)
        if found is not None:
            is_within = True
            yield found[1] + setting_shown(found[2].lower(), found[3])
        elif is_within and line[:1].isspace() and line.strip():
            yield f"{line[: -len(line.lstrip())]}{NOT_SHOWN}"
        else:
            is_within = is_within and line.lstrip()[:1] in ("", "#", ";")
            yield line
