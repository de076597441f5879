"""credproc setup: edit the config file so that SDKs use credproc for a role profile, try it, and undo the edit."""

import argparse
import difflib
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import NamedTuple

from credproc import paths, terminal
from credproc.commands.arguments import add_profile_argument
from credproc.commands.plan_text import NOT_SHOWN, setting_shown
from credproc.commands.profile_state import alias_of
from credproc.commands.setup import edits
from credproc.commands.setup.edits import EditError
from credproc.commands.setup.profiles import (
    ROLE_SUFFIX,
    check_name,
    check_profile,
    choose_profile,
    find_profile,
    role_profile_for,
)
from credproc.commands.setup.trial import try_profile
from credproc.commands.ui.output import Output
from credproc.commands.ui.prompt import Prompter
from credproc.config import writer
from credproc.config.parser import read
from credproc.config.settings import BEFORE_PROCESS, PREFIX, SETTINGS
from credproc.config.shared_config import Section, SharedConfig
from credproc.errors import EXAMPLE_PROGRAM, ConfigError, by_platform, quoted
from credproc.process.command_line import executable_at, programs_in_path
from credproc.request import Request

GROUP = "set up"
HELP = "make SDKs use credproc for a role profile"
DESCRIPTION = (
    "Edit the config file so that SDKs use credproc for a role profile, and try the profile. Setup shows the change and"
    " asks first, and keeps a copy of the old file beside it."
)

# Paths that every SDK reads alike in a credential_process line (CONTRACT.md, 1.1)
_PATH = re.compile(by_platform(posix=r"[A-Za-z0-9_./-]+", windows=r"[A-Za-z0-9_.:~\\-]+"))
_PATH_HINT = by_platform(
    posix=f"start credproc through a link whose path has only letters, digits and _ . / -, such as {EXAMPLE_PROGRAM}",
    windows=f"move credproc to a path with only letters, digits and _ . : ~ \\ -, such as {EXAMPLE_PROGRAM}",
)
_PARTLY_SHOWN = "|".join(setting.name for setting in SETTINGS if setting.shown != "all")
_CONFIDENTIAL = re.compile(rf"([\s#;]*(?:{PREFIX})?({_PARTLY_SHOWN})\s*[=:]\s*)(.*)", re.IGNORECASE)


class Options(NamedTuple):
    """The options of the command line."""

    separate: bool
    undo: bool
    yes: bool


def setup(request: Request, name: str | None, options: Options) -> list[str]:
    """Edit the config file for the profile, or for one that the user chooses, and try it.

    Return lines with what was done. Raises CredprocError. The edit stays if the trial fails.
    """
    config = read(request.environ)
    hint = "run the command in a terminal, or with --yes"
    with closing(Prompter("setup", request, hint, abort_note="nothing was written")) as prompter:
        chosen = name or choose_profile(config, request, prompter, undo=options.undo)
        lines = _edit_config(config, request, chosen, options, prompter)
    if options.undo:
        return lines
    return lines + try_profile(request._replace(profile=chosen, started=time.monotonic()))


def _edit_config(config: SharedConfig, request: Request, name: str, options: Options, prompter: Prompter) -> list[str]:
    """Edit the config file after confirmation; return what was done, unless it was written to the terminal."""
    path = paths.config_file(request.environ)
    if path is None:
        raise ConfigError("setup: there is no home directory", f"set {paths.HOME_VARIABLE}, or AWS_CONFIG_FILE")
    shown = paths.shown(path, request.environ)
    section = find_profile(config, name)
    if not options.undo and alias_of(section, request.program) is None:
        if not options.separate:
            check_name(name)
        check_profile(section, config, request)
    file = writer.read(path, shown)
    before = file.text
    try:
        after = _undo_edit(before, section, request) if options.undo else _edit(before, section, request, options)
    except EditError as error:
        where = f"{shown}:{error.line}" if error.line else shown
        raise ConfigError(f"{where}: {error}", "edit the file by hand, and run the command again") from None
    if after == before:
        return [f"{shown}: profile {quoted(name)} already uses credproc"]
    lines = list(difference(before, after, shown))
    if not options.yes:
        prompter.confirm("write this?", lines=lines)
    writer.replace(file, after, keep_old=True)
    written = f"{shown}: written; the old file is {shown}{writer.BACKUP}"
    report = [*lines, written] if options.yes else [written]
    if options.undo or (options.yes and not os.isatty(1)):
        return report
    terminal.notify(*report)  # before the trial, which may prompt for a code
    return []


def _edit(text: str, section: Section, request: Request, options: Options) -> str:
    """Return the config file's text with the profile set up. Raises ConfigError and EditError."""
    program = helper_path(request.program, request.environ)
    target = alias_of(section, request.program)
    if target is not None:
        if not any(key in section for key in BEFORE_PROCESS):
            return _update_path(text, section, program, target)
        winner = next(key for key in BEFORE_PROCESS if key in section)
        raise ConfigError(
            f"{section[winner].where}: {winner} wins over the credential_process beside it in SDKs",
            "remove the credential_process line, and run the command again",
        )
    if options.separate:
        role_profile = role_profile_for(section.name)
        return edits.separate(text, section.name, role_profile, f"{program} --profile {role_profile}")
    return edits.in_place(text, section.name, f"{program} --profile {section.name}")


def _update_path(text: str, section: Section, program: str, target: str) -> str:
    """Return the text with the current path of credproc in the profile's ``credential_process`` line."""
    word = section["credential_process"].value.split()[0]
    return text if word == program else edits.replace_command(text, section.name, f"{program} --profile {target}")


def _undo_edit(text: str, section: Section, request: Request) -> str:
    """Return the config file's text as it was before setup. Raises ConfigError and EditError."""
    target = alias_of(section, request.program)
    process = section.get("credential_process")
    if process is not None and process.from_credentials_file:
        raise ConfigError(
            f"{process.where}: credential_process is in the credentials file, which setup does not edit",
            "edit the file by hand",
        )
    if target == section.name:
        return edits.undo_in_place(text, section.name)
    if target == role_profile_for(section.name):
        return edits.undo_separate(text, section.name, target)
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


def difference(before: str, after: str, shown: str) -> Iterator[str]:
    """Yield the lines of a unified diff of the file ``shown``, without secrets."""
    old, new = (list(_without_secrets(re.split(r"\r\n|\r|\n", text))) for text in (before, after))
    yield from difflib.unified_diff(old, new, shown, shown, lineterm="")


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


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_profile_argument(parser, "the profile (default: choose one from a list)", optional=True)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--separate", action="store_true", help=f"move the role to a second profile, NAME{ROLE_SUFFIX}")
    how.add_argument("--undo", action="store_true", help="revert the edit")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def run(options: argparse.Namespace, request: Request) -> Output:
    """Run the command."""
    chosen = Options(options.separate, options.undo, options.yes)
    return Output(setup(request, options.command_profile or options.profile, chosen))
