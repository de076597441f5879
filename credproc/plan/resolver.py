"""Resolve a named profile to a source and roles: follow aliases, then ``source_profile`` from role to role.

The rules are botocore's (``botocore.credentials.AssumeRoleProvider`` and ``ProfileProviderBuilder``).
"""

import os
import sys
from collections.abc import Mapping
from typing import NamedTuple

from credproc.config.grammar import split_command
from credproc.config.settings import CREDENTIAL_SOURCES, credential_source_named
from credproc.config.shared_config import Section, Setting, SharedConfig
from credproc.config.suggestions import nearest
from credproc.errors import ConfigError, UsageError, quoted
from credproc.plan.endpoint import CONTAINER_VARIABLES
from credproc.plan.source import (
    Source,
    environment_hint,
    environment_source,
    has_keys,
    has_role,
    has_source,
    is_identity_center,
    keys_from_credentials_file,
    keys_in_keyring,
    source_in,
    web_identity_variables,
)

_MAX_ALIAS_LINE = 8192  # characters; on longer lines shlex, which takes quadratic time, is not called


class Resolution(NamedTuple):
    """What a profile resolves to: a source, and the profiles whose roles are assumed."""

    profile: str | None  # the selected profile; None if no profile was named
    selected: Section  # its settings of region, endpoint and session apply to the whole plan
    source: Source
    hops: tuple[Section, ...]  # the profiles with roles, outermost first


def alias_target(command: str, program: str | None, platform: str = sys.platform) -> str | None:
    """Return the profile that a ``credential_process`` line passes to credproc itself, or None for another program.

    ``program`` is the path of this credproc. Raises UsageError if the line runs credproc without naming a profile.
    """
    if len(command) > _MAX_ALIAS_LINE:
        return None
    try:
        words = split_command(command, platform)
    except ValueError:
        return None
    if not words or not _is_credproc(words[0], program):
        return None
    if len(words) == 3 and words[1] == "--profile":
        return words[2]
    if len(words) == 2 and words[1].startswith("--profile="):
        return words[1].partition("=")[2]
    raise UsageError(
        "credential_process runs credproc without --profile NAME, or with other arguments",
        "write credential_process = credproc --profile NAME, without a comment after it",
    )


def _is_credproc(word: str, program: str | None) -> bool:
    if os.path.basename(word.replace("\\", "/")).lower() in ("credproc", "credproc.exe"):
        return True
    try:
        return program is not None and os.path.samefile(word, program)
    except OSError:
        return False


class ProfileResolver:
    """Resolves one profile; ``visited`` lists the profiles that it has read on the way."""

    def __init__(
        self, config: SharedConfig, environ: Mapping[str, str], session_name: str, program: str | None
    ) -> None:
        """Take the configuration, the default session name of a web identity, and the path of this credproc."""
        self.visited: list[Section] = []
        self._config = config
        self._environ = environ
        self._session_name = session_name
        self._program = program
        self._path: dict[str, None] = {}  # the names of the visited profiles, in order

    def resolve(self, profile: str | None) -> Resolution:
        """Return what the profile resolves to; None stands for no named profile. Raises ConfigError."""
        if profile is None and not self._default_has_source():
            section = self._config.profiles.get("default", Section("default", "default"))
            return Resolution(None, section, self._source_without_profile(), ())
        selected = self._selected(profile or "default")
        if has_role(selected):
            source, hops = self._role_chain(selected)
        elif profile is None and self._has_web_identity_variables():
            return Resolution(None, selected, web_identity_variables(self._environ, self._session_name), ())
        else:
            source, hops = source_in(selected, self._config, self._session_name, self._environ), []
        return Resolution(selected.name, selected, source, tuple(hops))

    def _selected(self, name: str) -> Section:
        """Return the profile with that name, or the one that it is an alias of."""
        section = self._config.profiles.get(name)
        if section is None:
            raise ConfigError(f"{self._config.shown_files()}: no profile named {quoted(name)}", self._hint(name))
        while True:
            self._visit(section)
            target = self._alias_setting(section)
            if target is None:
                return section
            if target.value in self._path:
                raise self._cycle(target.value, target.where)
            if target.value not in self._config.profiles:
                raise ConfigError(
                    f"{target.where}: credential_process names profile {quoted(target.value)}, which does not exist",
                    self._hint(target.value),
                )
            section = self._config.profiles[target.value]

    def _alias_setting(self, section: Section) -> Setting | None:
        """Return the profile that the section is an alias of, by its ``credential_process`` line, or None."""
        command = section.setting("credential_process")
        if command is None or has_role(section) or section.setting("web_identity_token_file") is not None:
            return None
        if is_identity_center(section) or keys_from_credentials_file(section) is not None:
            return None
        if keys_in_keyring(section) is not None:  # the profile holds its own settings beside the line that SDKs read
            return None
        try:
            target = alias_target(command.value, self._program)
        except UsageError as error:
            raise ConfigError(f"{command.where}: {error}", error.hint) from None
        return None if target is None else Setting(target, command.where)

    def _visit(self, section: Section) -> None:
        self.visited.append(section)
        self._path[section.name] = None

    def _hint(self, name: str) -> str:
        if name in self._config.misplaced:
            return self._config.misplaced[name]
        if self._config.missing is not None:
            return self._config.missing
        suggestion = nearest(name, self._config.profiles)
        if suggestion is not None:
            return f"did you mean {quoted(suggestion)}?"
        if not self._config.profiles:
            return "the files define no profiles; set AWS_CONFIG_FILE to use another file"
        return "check the spelling: credproc list shows the profiles"

    def _cycle(self, name: str, where: str) -> ConfigError:
        path = [*self._path, name]
        cycle = " -> ".join(quoted(step)[1:-1] for step in path[path.index(name) :])
        return ConfigError(
            f"{where}: the profiles refer to each other in a cycle: {cycle}",
            "let one of them name a profile that has credentials",
        )

    def _role_chain(self, section: Section) -> tuple[Source, list[Section]]:
        """Return the source and the profiles with roles, outermost first."""
        hops = [section]
        while True:
            source_profile = section.setting("source_profile")
            credential_source = section.setting("credential_source")
            where = section.where_set("role_arn")
            if source_profile is not None and credential_source is not None:
                raise ConfigError(
                    f"{where}: [{section.name}] has both source_profile and credential_source", "keep one of them"
                )
            if credential_source is not None:
                return self._credential_source(credential_source), hops
            if source_profile is None:
                raise ConfigError(
                    f"{where}: role_arn without source_profile or credential_source",
                    f"add source_profile to [{section.name}] (source_profile = {section.name} to use its own keys)"
                    if has_keys(section)
                    else environment_hint(self._environ) or f"add source_profile to [{section.name}]",
                )
            source_section = self._source_section(section, source_profile)
            if has_keys(source_section) or not has_role(source_section):
                return source_in(source_section, self._config, self._session_name, self._environ), hops
            section = source_section
            hops.append(section)

    def _source_section(self, section: Section, reference: Setting) -> Section:
        """Return the profile that ``source_profile`` names, or the one that it is an alias of."""
        name = reference.value
        if name not in self._config.profiles:
            raise ConfigError(f"{reference.where}: source_profile {quoted(name)} does not exist", self._hint(name))
        if name == section.name and has_keys(section):
            return section
        if name in self._path:
            raise self._cycle(name, reference.where)
        return self._selected(name)

    def _credential_source(self, setting: Setting) -> Source:
        kind = credential_source_named(setting.value)
        if kind is None:
            suggestion = nearest(setting.value, CREDENTIAL_SOURCES)
            raise ConfigError(
                f"{setting.where}: credential_source must be one of {', '.join(CREDENTIAL_SOURCES)},"
                f" not {quoted(setting.value[:40])}",
                f"did you mean {suggestion}?" if suggestion else "write one of these names, exactly so",
            )
        return environment_source(kind, setting.where, self._environ)

    def _default_has_source(self) -> bool:
        """Return whether [default] names a source; with a region alone it must not hide the machine's role."""
        section = self._config.profiles.get("default")
        return section is not None and has_source(section)

    def _has_web_identity_variables(self) -> bool:
        return bool(self._environ.get("AWS_WEB_IDENTITY_TOKEN_FILE"))

    def _source_without_profile(self) -> Source:
        if self._has_web_identity_variables():
            return web_identity_variables(self._environ, self._session_name)
        for variable in CONTAINER_VARIABLES:
            if self._environ.get(variable):
                return environment_source("EcsContainer", variable, self._environ)
        return environment_source("Ec2InstanceMetadata", "instance metadata", self._environ, is_fallback=True)
