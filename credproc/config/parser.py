"""The two AWS files, read once: text → profiles, whose settings know their file and line.

The grammar is the SDKs' common one (test suite in tests/cases/profile-parser.json), and beyond it profile names with
spaces in quotes, as the AWS CLI takes them. The credentials file overrides the config file key by key.
"""

import re
import shlex
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from credproc import cache, paths
from credproc.config.files import ACCESS_HINT, Doubt, content, doubt_about, readable_by_others
from credproc.config.settings import PREFIX
from credproc.errors import ConfigError

LINE_END = re.compile(r"\r\n|\r|\n")
_NAME = re.compile(r"[A-Za-z0-9_\-/.%@:+]+")  # profile and property names, by the suite
_COMMENT = re.compile(r"(?:^|[ \t])[#;].*", re.DOTALL)
_HEADER_COMMENT = re.compile(r"[ \t]*[#;]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_QUOTED = re.compile(r""""([^"\\]+)"|'([^']+)'""")
_QUOTED_LIMIT = 1024  # characters of a name; shlex takes the square of a text's length
_REMARKS = 100  # a file of nothing else must not fill the memory


class Setting(NamedTuple):
    """A value and where it was read, as ``~/.aws/config:12``."""

    value: str
    where: str
    from_credentials_file: bool = False


class Section(dict[str, Setting]):
    """The settings of one profile (or sso-session, or services section), by lower-case key."""

    def __init__(self, name: str, where: str) -> None:
        """Start empty; ``where`` is the line of the header."""
        super().__init__()
        self.name = name
        self.where = where

    def setting(self, key: str) -> Setting | None:
        """Return the setting that counts for ``key``: ``credproc_<key>`` before ``<key>``; None if neither is there.

        Raises ConfigError if its value holds a control character: such a value would mean one thing to one reader
        and another to the next.
        """
        found = self.get(PREFIX + key) or self.get(key)
        if found is not None and _CONTROL.search(found.value):
            raise ConfigError(f"{found.where}: {key} holds a control character", "type the line anew")
        return found

    def own(self, key: str) -> Setting | None:
        """Return the setting ``credproc_<key>``, for what only credproc knows; None if it is not there."""
        return self.setting(key) if PREFIX + key in self else None

    def value(self, key: str) -> str | None:
        """Return only the value of the setting that counts for ``key``."""
        found = self.setting(key)
        return None if found is None else found.value

    def line_of(self, key: str) -> str:
        """Return where ``key`` is set, or where the section begins."""
        found = self.get(PREFIX + key) or self.get(key)
        return self.where if found is None else found.where


class SharedConfig(NamedTuple):
    """What the two files say."""

    profiles: dict[str, Section]
    sso_sessions: dict[str, Section]
    services: dict[str, Section]
    doubts: Mapping[str, Doubt]  # by the file, as shown to people
    remarks: tuple[str, ...] = ()  # what others may read differently, each with file and line, for the log and doctor
    files: tuple[str, ...] = ()  # their paths, as shown to people
    warnings: tuple[str, ...] = ()  # what is amiss with the files themselves, for the log
    unread: str | None = None  # why the credentials file could not be read
    fingerprint: str = cache.UNSURE  # what the files looked like before they were read

    def shown_files(self) -> str:
        """Return the names of the files, for a message."""
        return " and ".join(self.files) or "the AWS config files"

    def check_program(self, key: str, where: str) -> None:
        """Raise ConfigError unless the program that ``key`` names, in this file and line, may be started.

        Who may write the file would choose what we start.
        """
        doubt = self.doubts.get(where.rpartition(":")[0])
        if doubt is not None:
            raise ConfigError(f"{where}: {key} is not started: the file {doubt.what}", doubt.hint)


def read(environ: Mapping[str, str], now: float | None = None) -> SharedConfig:
    """Read both files, wherever the environment says they are; an absent one is empty.

    A credentials file that we may not read is taken for an empty one: all that is wanted may stand in the other.
    ``now`` is in epoch seconds, of this moment if it is not given. Raises ConfigError, with file and line, for what no
    reader could make sense of.
    """
    fingerprint = cache.fingerprint(environ, time.time() if now is None else now)
    config_path, credentials_path = paths.config_file(environ), paths.credentials_file(environ)
    config, credentials = content(config_path, environ), content(credentials_path, environ)
    if config.unread is not None:
        raise ConfigError(config.unread, ACCESS_HINT)
    found = parse(
        config.text,
        credentials.text,
        config_name=paths.shown(config_path or "~/.aws/config", environ),
        credentials_name=paths.shown(credentials_path or "~/.aws/credentials", environ),
    )
    doubts = {
        name: doubt
        for name, file in zip(found.files, (config, credentials), strict=True)
        if (doubt := doubt_about(file.status, name)) is not None
    }
    warnings = [f"{name}: {doubt.what}" for name, doubt in doubts.items()]
    warnings += readable_by_others(credentials.status, found.files[1]) if found.files[1] not in doubts else []
    warnings += [] if credentials.unread is None else [credentials.unread]
    return found._replace(warnings=tuple(warnings), doubts=doubts, unread=credentials.unread, fingerprint=fingerprint)


def parse(
    config_text: str,
    credentials_text: str,
    config_name: str = "config",
    credentials_name: str = "credentials",
) -> SharedConfig:
    """Return what the two texts say; the names are for messages. Raises ConfigError, with file and line."""
    remarks = _Remarks()
    found: dict[str, dict[str, Section]] = {"profile": {}, "sso-session": {}, "services": {}}
    prefixed_default = False
    begun: dict[str, str] = {}
    for header, section in _sections(config_text, config_name, from_credentials_file=False, remarks=remarks):
        kind, name = config_header(header)
        if kind == "profile" and name == "default":
            # "[profile default]" wins over "[default]", whatever their order
            prefixed = header != "default"
            if prefixed and not prefixed_default:
                found["profile"].pop("default", None)
            elif prefixed_default and not prefixed:
                remarks.add(f"{section.where}: [default] is ignored beside [profile default]")
                continue
            prefixed_default = prefixed
        if kind is None or name is None:
            remarks.add(f"{section.where}: [{header}] is no profile, sso-session or services section")
            continue
        _note_twice(begun, header, section, remarks)
        _merge(found[kind], name, section)
    begun.clear()
    for header, section in _sections(credentials_text, credentials_name, from_credentials_file=True, remarks=remarks):
        if not _NAME.fullmatch(header):
            remarks.add(f"{section.where}: [{header}] is no profile name")
            continue
        _note_twice(begun, header, section, remarks)
        _merge(found["profile"], header, section)
    return SharedConfig(
        found["profile"],
        found["sso-session"],
        found["services"],
        {},
        tuple(remarks),
        (config_name, credentials_name),
    )


def nested(setting: Setting) -> dict[str, str]:
    """Return the sub-properties in a setting's value (lines of ``key = value`` below an empty one)."""
    pairs = (line.partition("=") for line in setting.value.split("\n") if line.strip())
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _note_twice(begun: dict[str, str], header: str, section: Section, remarks: "_Remarks") -> None:
    """Note where a section of the file begins, and remark on one that has begun before: botocore refuses those."""
    first = begun.setdefault(" ".join(header.split()), section.where)
    if first != section.where:
        remarks.add(f"{section.where}: [{header}] goes on with what {first} begins")


def _merge(sections: dict[str, Section], name: str, section: Section) -> None:
    target = sections.get(name)
    if target is None:
        section.name = name
        sections[name] = section
    else:
        target.update(section)


def config_header(header: str) -> tuple[str | None, str | None]:
    """Return the kind and the name that a header in the config file (without brackets) declares; None: ignored."""
    if header == "default":
        return "profile", "default"
    kind, _, rest = header.replace("\t", " ").partition(" ")
    if kind not in ("profile", "sso-session", "services"):
        return None, None
    name = rest.strip()
    if name[:1] in ("'", '"'):
        words = _words(name)
        return (kind, words[0]) if len(words) == 1 and words[0] else (None, None)
    return (kind, name) if _NAME.fullmatch(name) else (None, None)


def _words(name: str) -> list[str]:
    """Return the words of a name in quotes, as a shell would read it; none where a quotation does not end."""
    whole = _QUOTED.fullmatch(name)
    if whole:
        return [whole[1] or whole[2]]
    if len(name) > _QUOTED_LIMIT:
        return []
    try:
        return shlex.split(name)
    except ValueError:
        return []


class _Remarks(list[str]):
    """The first hundred."""

    def add(self, remark: str) -> None:
        if len(self) < _REMARKS:
            self.append(remark)


def _sections(text: str, file: str, *, from_credentials_file: bool, remarks: _Remarks) -> Iterator[tuple[str, Section]]:
    """Yield each section's header and settings, in order of appearance."""
    header: str | None = None
    section = Section("", file)
    key: str | None = None  # the property that a continuation line would belong to
    more: list[str] = []  # lines that continue it; joined once, as there may be a million
    for number, line in enumerate(LINE_END.split(text), start=1):
        stripped = line.strip(" \t")
        if not stripped or stripped[0] in "#;":
            continue
        where = f"{file}:{number}"
        if line[0] in " \t":
            _check_continuation(header, section, key, stripped, where)
            more.append(stripped)
            continue
        _continue(section, key, more)
        more = []
        if line[0] == "[":
            if header is not None:
                yield header, section
            header = header_in(stripped, where)
            section, key = Section(header, where), None
        else:
            if header is None:
                raise ConfigError(f"{where}: Expected a profile definition", _SECTION_HINT)
            key, value = _property(stripped, where)
            if _NAME.fullmatch(key):
                section[key] = Setting(value, where, from_credentials_file)
            else:
                remarks.add(f"{where}: a key with a space or a special character is ignored")
    if header is not None:
        _continue(section, key, more)
        yield header, section


_SECTION_HINT = "settings stand below a line such as [profile NAME]"
_INDENT_HINT = "an indented line continues the setting above it; remove the indentation"


def _check_continuation(header: str | None, section: Section, key: str | None, stripped: str, where: str) -> None:
    """Raise ConfigError unless the line can stand below the key: one without a value has sub-properties."""
    if header is None:
        raise ConfigError(f"{where}: Expected a profile definition, found continuation", _SECTION_HINT)
    if key is None:
        raise ConfigError(f"{where}: Expected a property definition, found continuation", _INDENT_HINT)
    if key not in section or section[key].value:
        return
    name, equals, _ = stripped.partition("=")
    if not equals:
        raise ConfigError(
            f"{where}: Expected an '=' sign defining a sub-property of {key}",
            "below a setting without a value stand lines of the form key = value",
        )
    if not name.strip():
        raise ConfigError(f"{where}: Sub-property did not have a name", f"write key = value below {key}")


def _continue(section: Section, key: str | None, more: list[str]) -> None:
    if more and key is not None and key in section:  # else they continue a key that is ignored
        section[key] = section[key]._replace(value="\n".join([section[key].value, *more]))


def header_in(stripped: str, where: str) -> str:
    """Return what stands between the brackets of a section's line. Raises ConfigError."""
    end = stripped.find("]")
    rest = stripped[end + 1 :]
    if end < 0 or (rest.strip() and not _HEADER_COMMENT.match(rest)):
        raise ConfigError(f"{where}: Profile definition must end with ']'", "write it as [profile NAME]")
    return stripped[1:end].strip(" \t")


def _property(stripped: str, where: str) -> tuple[str, str]:
    name, equals, value = stripped.partition("=")
    if not equals:
        raise ConfigError(f"{where}: Expected an '=' sign defining a property", "write the line as key = value")
    name = name.strip(" \t").lower()
    if not name:
        raise ConfigError(f"{where}: Property did not have a name", "write the line as key = value")
    return name, _COMMENT.sub("", value, count=1).strip(" \t")
