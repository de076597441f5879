"""Read and parse the two AWS files. The credentials file overrides the config file, setting by setting."""

import time
from collections.abc import Mapping

from credproc import cache, paths
from credproc.config.files import ACCESS_HINT, read_file, readable_by_others, untrusted_file
from credproc.config.grammar import NAME, Remarks, config_header, sections
from credproc.config.shared_config import Section, SharedConfig
from credproc.errors import ConfigError


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
    parsed = parse(
        config.text,
        credentials.text,
        config_name=paths.shown(config_path or "~/.aws/config", environ),
        credentials_name=paths.shown(credentials_path or "~/.aws/credentials", environ),
    )
    untrusted = {
        name: found
        for name, file in zip(parsed.files, (config, credentials), strict=True)
        if (found := untrusted_file(file.status, name)) is not None
    }
    warnings = [f"{name}: {found.reason}" for name, found in untrusted.items()]
    warnings += readable_by_others(credentials.status, parsed.files[1]) if parsed.files[1] not in untrusted else []
    warnings += [] if credentials.read_error is None else [credentials.read_error]
    return parsed._replace(
        warnings=tuple(warnings), untrusted=untrusted, read_error=credentials.read_error, fingerprint=fingerprint
    )


def parse(
    config_text: str,
    credentials_text: str,
    config_name: str = "config",
    credentials_name: str = "credentials",
) -> SharedConfig:
    """Parse the texts of the two files; the names are for messages. Raises ConfigError, with file and line."""
    remarks = Remarks()
    found: dict[str, dict[str, Section]] = {"profile": {}, "sso-session": {}, "services": {}}
    _add_config(found, config_text, config_name, remarks)
    _add_credentials(found["profile"], credentials_text, credentials_name, remarks)
    return SharedConfig(
        found["profile"],
        found["sso-session"],
        found["services"],
        {},
        tuple(remarks),
        (config_name, credentials_name),
    )


def _add_config(found: dict[str, dict[str, Section]], text: str, file: str, remarks: Remarks) -> None:
    """Add the sections of the config file to ``found``, by kind and name."""
    starts: dict[str, str] = {}
    prefixed_default = False
    for header, section in sections(text, file, remarks):
        kind, name = config_header(header)
        if kind == "profile" and name == "default":
            # "[profile default]" wins over "[default]", in whatever order they stand
            prefixed = header != "default"
            if prefixed and not prefixed_default:
                found["profile"].pop("default", None)
            elif prefixed_default and not prefixed:
                remarks.add(f"{section.where}: [default] is ignored beside [profile default]")
                continue
            prefixed_default = prefixed
        if kind is None or name is None:
            remarks.add(f"{section.where}: [{header}] is not a profile, sso-session or services section")
            continue
        _remark_repeated(starts, header, section, remarks)
        _merge(found[kind], name, section)


def _add_credentials(profiles: dict[str, Section], text: str, file: str, remarks: Remarks) -> None:
    """Add the profiles of the credentials file to ``profiles``, by name."""
    starts: dict[str, str] = {}
    for header, section in sections(text, file, remarks, from_credentials_file=True):
        if not NAME.fullmatch(header):
            remarks.add(f"{section.where}: [{header}] is not a valid profile name")
            continue
        _remark_repeated(starts, header, section, remarks)
        _merge(profiles, header, section)


def _remark_repeated(starts: dict[str, str], header: str, section: Section, remarks: Remarks) -> None:
    """Remark on a section that the same file has begun before, which botocore rejects; ``starts`` has the places."""
    first = starts.setdefault(" ".join(header.split()), section.where)
    if first != section.where:
        remarks.add(f"{section.where}: [{header}] repeats the section at {first}")


def _merge(merged: dict[str, Section], name: str, section: Section) -> None:
    target = merged.get(name)
    if target is None:
        section.name = name
        merged[name] = section
    else:
        target.update(section)
