"""credproc setup: make a role profile one that SDKs resolve through credproc, by an edit that can be undone."""

import argparse
import difflib
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import NamedTuple

from credproc import paths, terminal
from credproc.commands.arguments import add_name
from credproc.commands.profile_state import ProfileInspector, aliased, is_typable
from credproc.commands.setup import edits
from credproc.commands.setup.edits import EditError
from credproc.commands.ui.output import Said
from credproc.commands.ui.progress import Progress
from credproc.commands.ui.prompt import Person
from credproc.commands.ui.wrap import columns, wrapped
from credproc.config import writer
from credproc.config.parser import read
from credproc.config.settings import BEFORE_PROCESS, PREFIX, ROLE_NAMES, SECRET_NAMES
from credproc.config.shared_config import Section, SharedConfig
from credproc.errors import ConfigError, CredprocError, PersonNeededError, inert, quoted
from credproc.plan import plan_for
from credproc.refresh import FOR_PEOPLE, refresh
from credproc.request import Request

GROUP = "set up"
HELP = "let SDKs resolve a role profile through credproc"
DESCRIPTION = (
    "Edit the config file so that SDKs resolve a role profile through credproc, and try it. The difference is shown and"
    " confirmed first; the old file is kept beside."
)

_BEHIND = "-role"
# What every SDK reads alike in a credential_process line (CONTRACT.md, 1.1)
_PATH = re.compile(r"[A-Za-z0-9_./-]+" if os.name == "posix" else r"[A-Za-z0-9_./:\\-]+")
_NAME = re.compile(r"[A-Za-z0-9_.@:+/][A-Za-z0-9_.@:+/-]*")
_SECRET = re.compile(rf"(?i)(\s*(?:{PREFIX})?(?:{'|'.join(sorted(SECRET_NAMES))})\s*=\s*)\S.*")
_TRIAL_SECONDS = 10
_FEW = 5  # names in a hint


class Wanted(NamedTuple):
    """What a person wants of setup."""

    separate: bool
    undo: bool
    yes: bool


def setup(request: Request, name: str | None, wanted: Wanted) -> str:
    """Edit the config file for the profile (None: one is chosen) and try it; return what was done, in words.

    Raises CredprocError; if the trial fails the edit stays.
    """
    config = read(request.environ)
    hint = "run the command in a terminal, or with --yes"
    with closing(Person("setup", request, hint, undone="nothing was written")) as person:
        chosen = name or _chosen(config, request, wanted, person)
        said = _edited(config, request, chosen, wanted, person)
    if wanted.undo:
        return said
    return said + _tried(request._replace(profile=chosen, started=time.monotonic()))


def _edited(config: SharedConfig, request: Request, name: str, wanted: Wanted, person: Person) -> str:
    path = paths.config_file(request.environ)
    if path is None:
        raise ConfigError("setup: there is no home directory", "set HOME, or AWS_CONFIG_FILE")
    shown = paths.shown(path, request.environ)
    section = _section(config, name)
    if not wanted.undo and aliased(section, request.program) is None:
        _check(section, config, request)
    file = writer.read(path, shown)
    before = file.text
    try:
        after = _undone(before, section, request) if wanted.undo else _set_up(before, section, request, wanted)
    except EditError as error:
        where = f"{shown}:{error.line}" if error.line else shown
        raise ConfigError(f"{where}: {error}", "edit that by hand, and run the command again") from None
    if after == before:
        return f"{shown}: profile {quoted(name)} goes through credproc already\n"
    lines = list(difference(before, after, shown))
    if not wanted.yes:
        person.confirm("write this?", lines=lines)
    writer.replace(file, after, keep_old=True)
    written = f"{shown}: written; the old file is {shown}{writer.BACKUP}"
    told = [*lines, written] if wanted.yes else [written]
    if wanted.undo or (wanted.yes and not os.isatty(1)):
        return "".join(f"{line}\n" for line in told)
    terminal.notify("\n".join(told))  # before the trial, which may ask for a code
    return ""


def _set_up(text: str, section: Section, request: Request, wanted: Wanted) -> str:
    program = helper_path(request.program, request.environ)
    target = aliased(section, request.program)
    if target is not None:
        if not any(key in section for key in BEFORE_PROCESS):
            return _renewed(text, section, program, target)
        in_the_way = next(key for key in BEFORE_PROCESS if key in section)
        raise ConfigError(
            f"{section[in_the_way].where}: {in_the_way} stands beside credential_process, and SDKs read it first",
            "remove the credential_process line, and run the command again",
        )
    if wanted.separate:
        behind = section.name + _BEHIND
        return edits.separate(text, section.name, behind, f"{program} --profile {behind}")
    return edits.in_place(text, section.name, f"{program} --profile {section.name}")


def _renewed(text: str, section: Section, program: str, target: str) -> str:
    """Return the text with the path of this program, where that has moved."""
    word = section["credential_process"].value.split()[0]
    return text if word == program else edits.renewed(text, section.name, f"{program} --profile {target}")


def _undone(text: str, section: Section, request: Request) -> str:
    target = aliased(section, request.program)
    process = section.get("credential_process")
    if process is not None and process.from_credentials_file:
        raise ConfigError(
            f"{process.where}: credential_process stands in the credentials file, which setup does not edit",
            "edit that by hand",
        )
    if target == section.name:
        return edits.undo_in_place(text, section.name)
    if target == section.name + _BEHIND:
        return edits.undo_separate(text, section.name, target)
    raise ConfigError(
        f"{section.where}: profile {quoted(section.name)} is not one that credproc setup has made",
        "credproc list shows which profiles go through credproc",
    )


def _section(config: SharedConfig, name: str) -> Section:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"setup: SDKs cannot pass on the profile name {quoted(name)}",
            "rename it: letters, digits and _ . @ : + / - are safe in a credential_process line",
        )
    section = config.profiles.get(name)
    if section is None:
        near = difflib.get_close_matches(name, config.profiles, n=1)
        raise ConfigError(
            f"{config.shown_files()}: no profile named {quoted(name)}",
            f"did you mean {quoted(near[0])}?" if near else _look_hint(config),
        )
    return section


def _look_hint(config: SharedConfig) -> str:
    if not config.profiles:
        return "no profiles are defined there; aws configure makes one, and AWS_CONFIG_FILE names another file"
    return "credproc list shows the profiles"


def _check(section: Section, config: SharedConfig, request: Request) -> None:
    """Raise ConfigError if an edit of the config file would not make SDKs resolve the profile through credproc."""
    name = quoted(section.name)
    for key in sorted(ROLE_NAMES & set(section)):
        if section[key].from_credentials_file:
            raise ConfigError(
                f"{section[key].where}: {key} of profile {name} stands in the credentials file, and SDKs would read it"
                " there",
                f"move the line to the config file ({config.files[0]})",
            )
    for key in BEFORE_PROCESS:
        if key in section and key not in ROLE_NAMES:
            raise ConfigError(
                f"{section[key].where}: {key} stands in profile {name}, and SDKs read it before credential_process",
                "keep it in a profile of its own, and name that one in source_profile",
            )
    if "role_arn" not in section:
        raise ConfigError(
            f"{section.where}: profile {name} has no role_arn", "credproc setup without a name shows those that have"
        )
    ProfileInspector(config, request).plan(section.name)


def helper_path(program: str | None, environ: Mapping[str, str]) -> str:
    """Return the absolute path of this executable, as every SDK can read it. Raises ConfigError."""
    found: str | None = program or "credproc"
    if found and (os.sep not in found or os.path.basename(found).endswith(".py")):
        found = shutil.which("credproc", path=environ.get("PATH"))
    if found is None:
        raise ConfigError("setup: the path of credproc is not known", "start it by its absolute path")
    path = os.path.abspath(found)
    if not _PATH.fullmatch(path):
        raise ConfigError(
            f"{inert(path)}: SDKs cannot read this path in a credential_process line",
            "link to it from a path of letters, digits and _ . / - alone, such as /usr/local/bin/credproc, and start"
            " that",
        )
    return path


def difference(before: str, after: str, shown: str) -> Iterator[str]:
    """Yield the lines of a unified difference, inert and without secrets."""
    old, new = (re.split(r"\r\n|\r|\n", text) for text in (before, after))
    for line in difflib.unified_diff(old, new, shown, shown, lineterm=""):
        yield inert(line[:1] + _SECRET.sub(r"\1(not shown)", line[1:]))


def _chosen(config: SharedConfig, request: Request, wanted: Wanted, person: Person) -> str:
    """Return the profile that a person chooses among those that can be set up, or undone."""
    found = list(_candidates(config, request, undo=wanted.undo))
    if not found:
        what = "that credproc setup has made" if wanted.undo else "with role_arn that SDKs resolve by themselves"
        raise ConfigError(f"{config.shown_files()}: no profile {what}", _look_hint(config))
    width = max(len(name) for name, _ in found)
    lines = [f"{number:>3}  {name.ljust(width)}  {inert(role, 80)}" for number, (name, role) in enumerate(found, 1)]
    few = " ".join(name for name, _ in found[:_FEW]) + (" ..." if len(found) > _FEW else "")
    hint = f"name one: {few}"
    typed = person.ask(f"which profile? [1-{len(found)}] ", lines=lines, hint=hint)
    names = [name for name, _ in found]
    if typed.isascii() and typed.isdigit() and 1 <= int(typed[:9]) <= len(names):
        return names[int(typed[:9]) - 1]
    if typed in names:
        return typed
    raise PersonNeededError("setup: no profile was chosen; nothing was written", hint, "cancelled")


def _candidates(config: SharedConfig, request: Request, *, undo: bool) -> Iterator[tuple[str, str]]:
    for name, section in config.profiles.items():
        target = aliased(section, request.program)
        if undo and target in (name, name + _BEHIND):
            behind = config.profiles.get(target, section)
            yield name, behind.value("role_arn") or "-"
        if not undo and target is None and "role_arn" in section and is_typable(name):
            yield name, section["role_arn"].value


def _tried(request: Request) -> str:
    """Resolve the profile as an SDK would and return in words whose credentials came."""
    progress = Progress()
    progress.say("trying it ...")
    try:
        config = read(request.environ, request.clock())
        found = refresh(request._replace(deadlines=FOR_PEOPLE), config)
        progress.say("asking STS whose credentials these are ...")
        from credproc.aws.client import Settings  # noqa: PLC0415 - ssl
        from credproc.aws.sts import Sts  # noqa: PLC0415
        from credproc.credentials import credentials_in  # noqa: PLC0415

        plan = found.plan or plan_for(config, request)
        sts = Sts(plan.endpoint, Settings.of(config, plan.profile, request.environ, _TRIAL_SECONDS), mfa=False)
        arn = sts.get_caller_identity(credentials_in(found.document))
    except CredprocError as error:
        undo = f"credproc setup {request.profile} --undo takes the edit back"
        hint = f"{error.hint}; {undo}" if error.hint else undo
        raise CredprocError(f"setup: the edit stands, and trying it failed: {error}", hint) from None
    finally:
        progress.end()
    return wrapped(f"{request.subject} works: {inert(arn)}", columns(1), 2) + "\n"


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_name(one, "the profile; without it one can be chosen", optional=True)
    how = one.add_mutually_exclusive_group()
    how.add_argument("--separate", action="store_true", help=f"move the role to a second profile, NAME{_BEHIND}")
    how.add_argument("--undo", action="store_true", help="make it what it was")
    one.add_argument("--yes", action="store_true", help="do not ask")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    wanted = Wanted(options.separate, options.undo, options.yes)
    return Said(setup(request, options.command_profile or options.profile, wanted))
