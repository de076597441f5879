"""credproc setup: edit the config file so that SDKs use credproc for a role profile, try it, and undo the edit."""

import argparse
import os
from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

from credproc import paths, terminal
from credproc.commands.arguments import help_hint
from credproc.commands.profile_state import ProfileInspector, alias_of
from credproc.commands.setup.change import How, difference, helper_path, new_lines
from credproc.commands.setup.profiles import (
    ROLE_SUFFIX,
    all_profiles,
    check_name,
    check_profile,
    choose_profile,
    find_profile,
)
from credproc.commands.setup.store import offer_store, undo_store
from credproc.commands.setup.trial import next_step, try_each, try_profile
from credproc.commands.ui.output import Output
from credproc.commands.ui.progress import show_now
from credproc.commands.ui.prompt import Prompter
from credproc.config import writer
from credproc.config.lines import ConfigLines
from credproc.config.parser import read
from credproc.errors import ConfigError, UsageError, quoted
from credproc.plan import Plan
from credproc.request import Request

GROUP = "set up"
HELP = "make SDKs use credproc for a role profile"
DESCRIPTION = (
    "Edit the config file so that SDKs use credproc for a role profile, and try the profile. Setup shows the change and"
    " asks first, and keeps a copy of the old file beside it."
)


class Options(NamedTuple):
    """The options of the command line."""

    separate: bool
    undo: bool
    yes: bool
    every: bool


class _Edit(NamedTuple):
    """The profiles that are edited, why others are left out, and their new lines by index."""

    plans: dict[str, Plan | None]  # None: the profile is undone
    left_out: list[str]
    lines: dict[int, str]


def setup(request: Request, names: Sequence[str], options: Options) -> Output:
    """Edit the config file for the profiles, or for one that the user chooses, and try one of each source.

    Return lines with what was done. Raises CredprocError. The edit stays if a trial fails.
    """
    inspector = ProfileInspector(read(request.environ, request.clock()), request)
    hint = "run the command in a terminal, or with --yes"
    with closing(Prompter("setup", request, hint, abort_note="nothing was written")) as prompter:
        if options.every:
            chosen = all_profiles(inspector.config, request, undo=options.undo)
        else:
            chosen = list(dict.fromkeys(names)) or [
                choose_profile(inspector.config, request, prompter, undo=options.undo)
            ]
        edit, lines = _edit_config(inspector, request, chosen, options, prompter)
    lines += show_now([f"left out: {reason}" for reason in edit.left_out])
    done = list(edit.plans)
    if not done:
        return Output(lines, 1)
    if options.undo:
        undone = (
            f"profile {quoted(done[0])} is as it was" if len(done) == 1 else f"{len(done)} profiles are as they were"
        )
        return Output([*lines, f"{undone} before setup"])
    lines += offer_store(inspector, request, edit.plans.values(), yes=options.yes)
    if len(done) == 1:
        return Output([*lines, *try_profile(request, done[0]), *next_step(done[0], request.environ)])
    report, failed = try_each(request, edit.plans)
    lines += [*report, f"{len(done)} profiles are used through credproc", *next_step(done[0], request.environ)]
    return Output(lines, 1 if failed else 0)


def _edit_config(
    inspector: ProfileInspector, request: Request, names: Sequence[str], options: Options, prompter: Prompter
) -> tuple[_Edit, list[str]]:
    """Edit the config file after confirmation; return also what was done, unless it was written to the terminal."""
    path = paths.config_file(request.environ)
    if path is None:
        raise ConfigError("setup: there is no home directory", f"set {paths.HOME_VARIABLE}, or AWS_CONFIG_FILE")
    shown = paths.shown(path, request.environ)
    helper = "" if options.undo else helper_path(request.program, request.environ)
    file = writer.read(path, shown)
    lines = ConfigLines(file.text)
    edit = _edit_of(lines, inspector, request, names, (options, How(helper, options.separate, shown)))
    after = lines.with_lines(edit.lines)
    if after == file.text:
        return edit, [f"{shown}: profile {quoted(name)} already uses credproc" for name in edit.plans]
    changes = list(difference(lines, edit.lines, shown))
    if not options.yes:
        prompter.confirm("write this?", lines=changes)
    writer.replace(file, after, keep_old=True)
    written = f"{shown}: written; the old file is {shown}{writer.BACKUP}"
    report = [*changes, written] if options.yes else [written]
    if options.undo or (options.yes and not os.isatty(1)):
        return edit, report
    terminal.notify(*report)  # before the trial, which may prompt for a code
    return edit, []


def _edit_of(
    file: ConfigLines, inspector: ProfileInspector, request: Request, names: Sequence[str], asked: tuple[Options, How]
) -> _Edit:
    """Return the edit of the profiles. Raises ConfigError if one cannot be edited; with --all that one is left out."""
    options, how = asked
    edit = _Edit({}, [], {})
    for name in names:
        try:
            section = find_profile(inspector.config, name)
            if not options.undo and alias_of(section, request.program) is None:
                if not options.separate:
                    check_name(name)
                check_profile(section, inspector.config)
            plan = None if options.undo else inspector.plan(name)
            edit.lines.update(new_lines(file, section, request, how))
        except ConfigError as error:
            if not options.every:
                raise
            edit.left_out.append(f"profile {quoted(name)}: {error}")
        else:
            edit.plans[name] = plan
    if options.undo:
        edit.lines.update(undo_store(file, inspector, request, edit.plans, edit.lines))
    return edit


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("names", metavar="NAME", nargs="*", help="the profiles (default: choose one from a list)")
    parser.set_defaults(wanted=lambda section, _: "role_arn" in section or "credential_process" in section)
    parser.add_argument("--all", action="store_true", help="all profiles with role_arn; with --undo, all that use it")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--separate", action="store_true", help=f"move the role to a second profile, NAME{ROLE_SUFFIX}")
    how.add_argument("--undo", action="store_true", help="revert the edit")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def run(options: argparse.Namespace, request: Request) -> Output:
    """Run the command."""
    names = [*options.names, *([options.profile] if options.profile is not None else [])]
    if "" in names:  # a shell variable that is not set
        raise UsageError("usage: argument NAME: needs a name", help_hint("credproc setup"))
    if options.all and names:
        raise UsageError("usage: argument --all: not allowed with argument NAME", help_hint("credproc setup"))
    return setup(request, names, Options(options.separate, options.undo, options.yes, options.all))
