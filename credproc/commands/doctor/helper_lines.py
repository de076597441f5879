"""The credential_process lines in the two files that start credproc, as they stand there: with their comments."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from credproc import paths
from credproc.config.shared_config import Section, Setting, SharedConfig
from credproc.errors import UsageError
from credproc.plan.resolver import alias_target

_KEY = "credential_process"
_OURS = re.compile(r"(?:^|[\s\\/\"'])credproc(?:\.exe)?(?=[\s\"']|$)", re.IGNORECASE)


class Line(NamedTuple):
    """One such line."""

    where: str
    command: str  # as most SDKs read it: without the comment behind it
    comment: bool  # whether there is one
    section: Section


def lines(config: SharedConfig, environ: Mapping[str, str], program: str | None) -> Iterator[Line]:
    """Yield all lines that start credproc, or were meant to: also those that no SDK would read so."""
    files: dict[bool, list[str]] = {}
    for section in config.profiles.values():
        setting = section.get(_KEY)
        if setting is None or not _is_ours(setting.value, program):
            continue
        if setting.from_credentials_file not in files:
            files[setting.from_credentials_file] = _texts(environ, credentials=setting.from_credentials_file)
        yield Line(setting.where, setting.value, _has_comment(setting, files[setting.from_credentials_file]), section)


def _is_ours(command: str, program: str | None) -> bool:
    if _OURS.search(command):
        return True
    try:
        return alias_target(command, program) is not None
    except UsageError:
        return True


def _texts(environ: Mapping[str, str], *, credentials: bool) -> list[str]:
    path = paths.credentials_file(environ) if credentials else paths.config_file(environ)
    try:
        with open(path or "", encoding="utf-8-sig", errors="replace", newline="") as file:
            return re.split(r"\r\n|\r|\n", file.read())
    except OSError:  # it was there a moment ago
        return []


def _has_comment(setting: Setting, texts: list[str]) -> bool:
    number = int(setting.where.rpartition(":")[2])
    raw = texts[number - 1] if number <= len(texts) else ""
    return raw.partition("=")[2].strip(" \t") != setting.value.partition("\n")[0]
