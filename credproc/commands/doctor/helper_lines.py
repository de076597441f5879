"""The credential_process lines of the AWS files that start credproc, and whether a comment follows the command."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from credproc import paths
from credproc.config.shared_config import Section, Setting, SharedConfig
from credproc.errors import UsageError
from credproc.plan.resolver import alias_target

_KEY = "credential_process"
_CREDPROC = re.compile(r"(?:^|[\s\\/\"'])credproc(?:\.exe)?(?=[\s\"']|$)", re.IGNORECASE)


class Line(NamedTuple):
    """A credential_process line that starts credproc."""

    where: str
    command: str  # as most SDKs read it: without the comment after it
    comment: bool  # whether there is a comment
    section: Section


def helper_lines(config: SharedConfig, environ: Mapping[str, str], program: str | None) -> Iterator[Line]:
    """Yield all lines that start credproc, or that are meant to and that no SDK understands.

    ``program`` is the path of this credproc, or None if it is unknown.
    """
    texts: dict[bool, list[str]] = {}
    for section in config.profiles.values():
        setting = section.get(_KEY)
        if setting is None or not _starts_credproc(setting.value, program):
            continue
        if setting.from_credentials_file not in texts:
            texts[setting.from_credentials_file] = _file_lines(environ, credentials=setting.from_credentials_file)
        yield Line(setting.where, setting.value, _has_comment(setting, texts[setting.from_credentials_file]), section)


def _starts_credproc(command: str, program: str | None) -> bool:
    if _CREDPROC.search(command):
        return True
    try:
        return alias_target(command, program) is not None
    except UsageError:
        return True


def _file_lines(environ: Mapping[str, str], *, credentials: bool) -> list[str]:
    path = paths.credentials_file(environ) if credentials else paths.config_file(environ)
    try:
        with open(path or "", encoding="utf-8-sig", errors="replace", newline="") as file:
            return re.split(r"\r\n|\r|\n", file.read())
    except OSError:  # it was removed after it was parsed
        return []


def _has_comment(setting: Setting, texts: list[str]) -> bool:
    number = int(setting.where.rpartition(":")[2])
    raw = texts[number - 1] if number <= len(texts) else ""
    return raw.partition("=")[2].strip(" \t") != setting.value.partition("\n")[0]
