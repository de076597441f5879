"""The profile that credproc setup edits: found by name or chosen from a list, and checked."""

import difflib
import re
from collections.abc import Iterator

from credproc.commands.profile_state import alias_of, is_typable
from credproc.commands.ui.menu import Item, choose
from credproc.commands.ui.prompt import Prompter, declined
from credproc.config.settings import BEFORE_PROCESS, ROLE_NAMES
from credproc.config.shared_config import Section, SharedConfig
from credproc.errors import ConfigError, for_shell, quoted
from credproc.request import Request

ROLE_SUFFIX = "-role"  # of the second profile that --separate makes
_NAME = re.compile(r"[A-Za-z0-9_.@:+/][A-Za-z0-9_.@:+/-]*")  # passed on by every SDK (CONTRACT.md, 1.1)
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9_.@:+/-]+")
_MAX_NAMES = 5  # in a hint


def role_profile_for(name: str) -> str:
    """Return the name of the second profile that --separate makes; every SDK can pass it on."""
    return (_NOT_IN_NAME.sub("-", name).strip("-") or "profile") + ROLE_SUFFIX


def check_name(name: str) -> None:
    """Raise ConfigError if SDKs cannot pass on the profile's name in its own ``credential_process`` line."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"setup: SDKs cannot pass on the profile name {quoted(name)}",
            f"run credproc setup {for_shell(name)} --separate: SDKs then name {role_profile_for(name)} to credproc, and"
            f" people go on with {quoted(name)}",
        )


def find_profile(config: SharedConfig, name: str) -> Section:
    """Return the profile's section. Raises ConfigError if there is none."""
    section = config.profiles.get(name)
    if section is None:
        near = difflib.get_close_matches(name, config.profiles, n=1)
        raise ConfigError(
            f"{config.shown_files()}: no profile named {quoted(name)}",
            config.missing or (f"did you mean {quoted(near[0])}?" if near else _list_hint(config)),
        )
    return section


def check_profile(section: Section, config: SharedConfig) -> None:
    """Raise ConfigError if an edit of the config file would not make SDKs use credproc for the profile."""
    name = quoted(section.name)
    for key in sorted(ROLE_NAMES & set(section)):
        if section[key].from_credentials_file:
            raise ConfigError(
                f"{section[key].where}: {key} of profile {name} is in the credentials file, where SDKs would still"
                " read it",
                f"move the line to the config file ({config.files[0]})",
            )
    for key in BEFORE_PROCESS:
        if key in section and key not in ROLE_NAMES:
            raise ConfigError(
                f"{section[key].where}: {key} of profile {name} wins over credential_process in SDKs",
                "move it to a profile of its own, and name that profile in source_profile",
            )
    if "role_arn" not in section:
        raise ConfigError(
            f"{section.where}: profile {name} has no role_arn",
            "run credproc setup without a name to see the profiles that have one",
        )


def choose_profile(config: SharedConfig, request: Request, prompter: Prompter, *, undo: bool) -> str:
    """Ask which profile to set up (or to undo), and return its name.

    Raises ConfigError if there is no such profile, PersonNeededError if none is chosen, and SignalError.
    """
    found = _candidates(config, request, undo=undo)
    names = [item.name for item in found]
    hint = f"name one: {' '.join(names[:_MAX_NAMES])}" + (" ..." if len(names) > _MAX_NAMES else "")
    chosen = choose(found, prompter, "profile", hint)
    if chosen is None:
        raise declined("setup: no profile was chosen; nothing was written", hint)
    return chosen


def all_profiles(config: SharedConfig, request: Request, *, undo: bool) -> list[str]:
    """Return the names of all profiles that can be set up, or undone. Raises ConfigError if there is none."""
    return [item.name for item in _candidates(config, request, undo=undo)]


def _candidates(config: SharedConfig, request: Request, *, undo: bool) -> list[Item]:
    """Return each profile, with its role's ARN, that can be set up, or undone. Raises ConfigError if there is none."""
    found = list(_possible(config, request, undo=undo))
    if not found:
        what = "that credproc setup has made" if undo else "with role_arn that SDKs resolve by themselves"
        raise ConfigError(f"{config.shown_files()}: no profile {what}", config.missing or _list_hint(config))
    return found


def _possible(config: SharedConfig, request: Request, *, undo: bool) -> Iterator[Item]:
    for name, section in config.profiles.items():
        target = alias_of(section, request.program)
        if undo and target in (name, role_profile_for(name)):
            role_section = config.profiles.get(target, section)
            yield Item(name, role_section.value("role_arn") or "-")
        if not undo and target is None and "role_arn" in section and is_typable(name):
            yield Item(name, section["role_arn"].value)


def _list_hint(config: SharedConfig) -> str:
    if not config.profiles:
        return "these files define no profiles: run aws configure, or name another file in AWS_CONFIG_FILE"
    return "run credproc list to see the profiles"
