"""Read and parse the two AWS files. The credentials file overrides the config file, setting by setting."""

import os
import time
from collections.abc import Mapping
from types import MappingProxyType

from credproc import cache, paths
from credproc.config.files import ACCESS_HINT, read_file, readable_by_others
from credproc.config.grammar import (
    KINDS,
    Remarks,
    config_header,
    credentials_header,
    header_for,
    is_printable_name,
    sections,
)
from credproc.config.shared_config import Section, SharedConfig
from credproc.errors import CONFIG_FILE, CREDENTIALS_FILE, ConfigError
from credproc.trust import UntrustedFile, untrusted_file


def read(environ: Mapping[str, str], now: float | None = None) -> SharedConfig:
    """Read both files, at the paths that the environment names; a missing file counts as empty.

    A credentials file without read permission counts as empty too, because the config file may have all that is
    needed. ``now`` is in epoch seconds (default: the current time). Raises ConfigError, with file and line.
    """
    fingerprint = cache.fingerprint(environ, time.time() if now is None else now)
    config_path, credentials_path = paths.config_file(environ), paths.credentials_file(environ)
    config, credentials = read_file(config_path, environ), read_file(credentials_path, environ)
    if config.read_error is not None:
        raise ConfigError(config.read_error, ACCESS_HINT)
    names = (
        paths.shown(config_path or CONFIG_FILE, environ),
        paths.shown(credentials_path or CREDENTIALS_FILE, environ),
    )
    untrusted = {
        name: found
        for name, file in zip(names, (config, credentials), strict=True)
        if (found := untrusted_file(file.status, name)) is not None
    }
    warnings = [f"{name}: {found.reason}" for name, found in untrusted.items()]
    warnings += readable_by_others(credentials.status, names[1]) if names[1] not in untrusted else []
    warnings += [] if credentials.read_error is None else [credentials.read_error]
    return parse(config.text, credentials.text, *names, untrusted=untrusted)._replace(
        warnings=tuple(warnings),
        read_error=credentials.read_error,
        fingerprint=fingerprint,
        missing=_missing(dict(zip(paths.VARIABLES, (config_path, credentials_path), strict=True)), environ),
    )


def _missing(named: Mapping[str, str | None], environ: Mapping[str, str]) -> str | None:
    """Return a sentence about the files that are not there though their variable is set; None if there are none."""
    absent = [
        f"{variable} names {paths.shown(path, environ)}"
        for variable, path in named.items()
        if path and environ.get(variable) and not os.path.exists(path)
    ]
    return f"{' and '.join(absent)}, which {'do' if len(absent) > 1 else 'does'} not exist" if absent else None


def parse(
    config_text: str,
    credentials_text: str,
    config_name: str = "config",
    credentials_name: str = "credentials",
    *,
    untrusted: Mapping[str, UntrustedFile] = MappingProxyType({}),
) -> SharedConfig:
    """Parse the texts of the two files; the names are for messages.

    ``untrusted`` says how another user can change a file, by its name. What is wrong with one section is its ``error``.
    Raises ConfigError, with file and line, for a line before the first section.
    """
    found = _Sections()
    found.add_config(config_text, config_name, untrusted.get(config_name))
    found.add_credentials(credentials_text, credentials_name, untrusted.get(credentials_name))
    return SharedConfig(
        profiles=found.by_kind["profile"],
        sso_sessions=found.by_kind["sso-session"],
        services=found.by_kind["services"],
        remarks=tuple(found.remarks),
        files=(config_name, credentials_name),
        misplaced=found.misplaced,
    )


class _Sections:
    """The sections of both files, by kind and name, and what was remarkable about them."""

    def __init__(self) -> None:
        self.by_kind: dict[str, dict[str, Section]] = {kind: {} for kind in KINDS}
        self.remarks = Remarks()
        self.misplaced: dict[str, str] = {}

    def add_config(self, text: str, file: str, untrusted: UntrustedFile | None) -> None:
        """Add the sections of the config file."""
        starts: dict[str, str] = {}
        prefixed_default = False
        for header, section in sections(text, file, self.remarks, untrusted):
            kind, name = config_header(header)
            if kind == "profile" and name == "default":
                # "[profile default]" wins over "[default]", in whatever order they stand
                prefixed = header != "default"
                if prefixed and not prefixed_default:
                    self.by_kind["profile"].pop("default", None)
                elif prefixed_default and not prefixed:
                    self.remarks.add(f"{section.where}: [default] is ignored beside [profile default]")
                    continue
                prefixed_default = prefixed
            if kind is None or name is None:
                what = "is not a profile, sso-session or services section"
                self._ignore(header, section, what, header.removeprefix("profile "), of_credentials=False)
                continue
            self._remark_repeated(starts, header, section)
            _merge(self.by_kind[kind], name, section)

    def add_credentials(self, text: str, file: str, untrusted: UntrustedFile | None) -> None:
        """Add the profiles of the credentials file."""
        starts: dict[str, str] = {}
        for header, section in sections(text, file, self.remarks, untrusted, from_credentials_file=True):
            name = credentials_header(header)
            if name is None:
                self._ignore(
                    header, section, "is not a valid profile name", config_header(header)[1], of_credentials=True
                )
                continue
            self._remark_repeated(starts, header, section)
            _merge(self.by_kind["profile"], name, section)

    def _ignore(self, header: str, section: Section, what: str, meant: str | None, *, of_credentials: bool) -> None:
        """Remember a section that declares no profile, and of which profile it was probably ``meant``."""
        self.remarks.add(f"{section.where}: [{header}] {what}")
        if meant is not None and is_printable_name(meant):
            right = header_for(meant, of_credentials=of_credentials)
            self.misplaced.setdefault(meant, f"{section.where}: [{header}] must be {right} in this file")

    def _remark_repeated(self, starts: dict[str, str], header: str, section: Section) -> None:
        """Remark on a section that the file has begun before, which botocore rejects; ``starts`` has the places."""
        first = starts.setdefault(" ".join(header.split()), section.where)
        if first != section.where:
            self.remarks.add(f"{section.where}: [{header}] repeats the section at {first}")


def _merge(merged: dict[str, Section], name: str, section: Section) -> None:
    target = merged.get(name)
    if target is None:
        section.name = name
        merged[name] = section
    else:
        target.update(section)
        target.error = target.error or section.error
