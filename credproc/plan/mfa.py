"""The MFA device of a plan: its serial, what provides its codes, and the store of its session."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from credproc.config.settings import (
    PROMPT_PLACES,
    SESSION_STORES,
    PromptPlace,
    SessionStore,
    prompt_place_named,
    session_store_named,
)
from credproc.config.shared_config import Section, Setting
from credproc.errors import ConfigError, quoted
from credproc.plan.role import declines_mfa, integer_of, mfa_serial_of

SESSION_SECONDS = 43200
_SESSION_RANGE = (900, 129600)  # seconds; STS API reference, GetSessionToken
_STORE_VARIABLE = "CREDPROC_SESSION_STORE"
PROMPT_VARIABLE = "CREDPROC_PROMPT"


class Mfa(NamedTuple):
    """The MFA device of the user at the root of a chain, what provides its codes, and the store of its session."""

    serial: str
    where: str
    on_role: bool  # set on a role profile, not only in the profile with the user's keys
    process: Setting | None = None
    session_store: SessionStore = SESSION_STORES[0]
    prompt: PromptPlace = PROMPT_PLACES[0]


def mfa_of(hops: Sequence[Section], root: Section | None, selected: Section, environ: Mapping[str, str]) -> Mfa | None:
    """Return the device that a role of the chain names, or the profile with the keys at its root; None without one.

    A role that declines MFA declines the device beside the keys; one that another role names is that role's own.
    Raises ConfigError, with file and line, if two different devices are named.
    """
    on_roles = [serial for serial in map(mfa_serial_of, hops) if serial is not None]
    beside_keys = None
    if root is not None and root.setting("web_identity_token_file") is None and not any(map(declines_mfa, hops)):
        beside_keys = mfa_serial_of(root)
    found = on_roles + ([] if beside_keys is None else [beside_keys])
    if not found:
        return None
    first = found[0]
    for serial in found[1:]:
        if serial.value != first.value:
            raise ConfigError(
                f"{serial.where}: mfa_serial differs from the one in {first.where}",
                "all roles of a chain use the device of the user whose keys it starts with: remove the wrong one",
            )
    sections = [*hops, *([] if root is None else [root]), selected]
    processes = (section.setting("mfa_process") for section in sections)
    process = next((found for found in processes if found is not None and found.value), None)
    return Mfa(
        first.value,
        first.where,
        bool(on_roles),
        process,
        _session_store(root, selected, environ),
        _prompt(root, selected, environ),
    )


def session_seconds_of(root: Section | None, selected: Section) -> int:
    """Return the seconds that a session lasts, from the source profile or else the selected one. Raises ConfigError."""
    for section in (root, selected):
        if section is not None:
            seconds = integer_of(section, "mfa_session_duration_seconds", _SESSION_RANGE)
            if seconds is not None:
                return seconds
    return SESSION_SECONDS


def _session_store(root: Section | None, selected: Section, environ: Mapping[str, str]) -> SessionStore:
    variable = environ.get(_STORE_VARIABLE)
    own = selected.credproc_setting("session_store")
    settings = [own] if root is None else [root.credproc_setting("session_store"), own]
    chosen = [Setting(variable, _STORE_VARIABLE)] if variable else [found for found in settings if found]
    if own is not None and own.value == "none":  # its role wants a new code each time, whatever store others use
        chosen = [own]
    if not chosen:
        return SESSION_STORES[0]
    store = session_store_named(chosen[0].value)
    if store is None:
        raise ConfigError(
            f"{chosen[0].where}: the session store must be one of {', '.join(SESSION_STORES)},"
            f" not {quoted(chosen[0].value[:40])}",
            "remove it: the keyring is the default, and on Linux without a desktop the kernel's",
        )
    return store


def _prompt(root: Section | None, selected: Section, environ: Mapping[str, str]) -> PromptPlace:
    """Return where the code is asked for, from the variable, the source profile or the selected one."""
    variable = environ.get(PROMPT_VARIABLE)
    sections = [selected] if root is None else [root, selected]
    settings = [section.credproc_setting("prompt") for section in sections]
    chosen = Setting(variable, PROMPT_VARIABLE) if variable else next((found for found in settings if found), None)
    if chosen is None:
        return PROMPT_PLACES[0]
    place = prompt_place_named(chosen.value)
    if place is None:
        raise ConfigError(
            f"{chosen.where}: the prompt must be one of {', '.join(PROMPT_PLACES)}, not {quoted(chosen.value[:40])}",
            "remove it: the terminal is the default",
        )
    return place
