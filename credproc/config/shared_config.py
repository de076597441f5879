"""What the two AWS files say: settings, each with its file and line, in the sections of profiles and of what they name.

``parser`` makes these values; nothing here reads a file.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from credproc import cache
from credproc.config.settings import BLOCK_NAMES, COMMAND_NAMES, NAMES, PREFIX, REFUSED_NAMES, setting_named
from credproc.errors import ConfigError
from credproc.trust import UntrustedFile

_INDENT_HINT = "write it on one line, without indented lines below it"
_OF_ONE_LINE = NAMES - BLOCK_NAMES - {"policy"}  # to JSON, blanks and line ends mean nothing
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def variable_text(name: str, environ: Mapping[str, str]) -> str | None:
    """Return an environment variable's value without white space around it; None if it is not set, or blank.

    Raises ConfigError, without the value, if that contains a control character: a line end in the middle of it, say.
    """
    value = environ.get(name, "").strip()
    if any(character < " " or "\x7f" <= character < "\xa0" for character in value):
        raise ConfigError(f"{name}: contains a control character or a line end", "set it anew, on one line")
    return value or None


class Setting(NamedTuple):
    """A value and the place where it was read, as ``~/.aws/config:12``."""

    value: str
    where: str
    from_credentials_file: bool = False
    untrusted: UntrustedFile | None = None  # how another user can change its file

    def trusted(self, name: str) -> "Setting":
        """Return this, the setting ``name``. Raises ConfigError if another user can change it, and must not choose it.

        ``Section.setting`` calls it for the settings in REFUSED_NAMES. Whoever starts a program calls it before.
        """
        known = setting_named(name)
        if self.untrusted is not None and known is not None and known.in_untrusted_file != "used":
            raise ConfigError(
                f"{self.where}: {name} is {known.in_untrusted_file}: the file {self.untrusted.reason}",
                self.untrusted.hint,
            )
        return self

    def sub_properties(self) -> dict[str, str]:
        """Return the ``key = value`` lines that are indented below a setting without a value of its own."""
        pairs = (line.partition("=") for line in self.value.split("\n") if line.strip())
        return {key.strip().lower(): value.strip() for key, _, value in pairs}

    def sub_setting(self, name: str) -> "Setting | None":
        """Return the setting that is indented below this one, with this one's place, or None. Raises ConfigError."""
        value = self.sub_properties().get(name)
        return None if value is None else self._replace(value=value).trusted(name)


class Section(dict[str, Setting]):
    """The settings of one profile, sso-session or services section, by lower-case key.

    ``error`` is what is wrong with its lines, or None. Whoever uses the section gets it; other sections do not depend
    on it.
    """

    def __init__(self, name: str, where: str) -> None:
        """Create an empty section; ``where`` is the place of its header."""
        super().__init__()
        self.name = name
        self.where = where
        self.error: ConfigError | None = None

    def setting(self, key: str) -> Setting | None:
        """Return the setting ``credproc_<key>`` if it is set, else ``<key>``, else None.

        Raises ConfigError if the section is broken, if the value cannot be one of that setting (it contains a control
        character, or goes over several lines), or if it says where secrets go and another user can change it.
        """
        if self.error is not None:
            raise self.error
        found = self.get(PREFIX + key) or self.get(key)
        if found is not None:
            _check_value(key, found)
        return found.trusted(key) if found is not None and key in REFUSED_NAMES else found

    def credproc_setting(self, key: str) -> Setting | None:
        """Return the setting ``credproc_<key>``, or None; for settings that only credproc reads."""
        return self.setting(key) if PREFIX + key in self else None

    def block(self, key: str) -> dict[str, str]:
        """Return the settings that are indented below ``key``, by lower-case name; {} if it is not set.

        Raises ConfigError if it has a value.
        """
        found = self.setting(key)
        if found is not None and found.value and not found.value.startswith("\n"):
            raise ConfigError(
                f"{found.where}: {key} must be a block of settings, not a value", f"indent key = value below {key} ="
            )
        return {} if found is None else found.sub_properties()

    def value(self, key: str) -> str | None:
        """Return the value of ``setting(key)``, or None."""
        found = self.setting(key)
        return None if found is None else found.value

    def where_set(self, key: str) -> str:
        """Return the place where ``key`` is set, else that of the section's header."""
        found = self.get(PREFIX + key) or self.get(key)
        return self.where if found is None else found.where


def variable(name: str, environ: Mapping[str, str]) -> Setting | None:
    """Return what an environment variable says, or None if it is not set, or empty."""
    return Setting(environ[name], name) if environ.get(name) else None


def chosen(key: str, section: Section | None, environ: Mapping[str, str]) -> Setting | None:
    """Return what the variable AWS_KEY says, or else the profile, where that is not empty; None: neither says a thing.

    Raises ConfigError, with file and line.
    """
    found = variable(f"AWS_{key.upper()}", environ)
    if found is None and section is not None:
        found = section.setting(key)
    return found if found is not None and found.value else None


def is_true(setting: Setting | None) -> bool:
    """Return whether the setting is ``true``, in letters of either case; False for None."""
    return setting is not None and setting.value.strip().lower() == "true"


def _check_value(key: str, found: Setting) -> None:
    """Raise ConfigError if the value has characters that programs read in different ways, or is a block of settings."""
    of_one_line = key in _OF_ONE_LINE
    if _CONTROL.search(found.value) or (of_one_line and key not in COMMAND_NAMES and "\t" in found.value):
        raise ConfigError(f"{found.where}: {key} contains a control character", "retype the line")
    if of_one_line and "\n" in found.value:
        what = "must be a value, not a block of settings" if found.value[0] == "\n" else "goes over several lines"
        raise ConfigError(f"{found.where}: {key} {what}", _INDENT_HINT)


class SharedConfig(NamedTuple):
    """Both files as one."""

    profiles: dict[str, Section]
    sso_sessions: dict[str, Section]
    services: dict[str, Section]
    remarks: tuple[str, ...] = ()  # lines that other readers may take differently, for the log and ``doctor``
    files: tuple[str, ...] = ()  # the paths of the two files, as messages show them
    warnings: tuple[str, ...] = ()  # about owner, mode and access of the files, for the log
    read_error: str | None = None  # why the credentials file could not be read
    fingerprint: str = cache.UNSURE  # of both files, taken before they were read
    missing: str | None = None  # that a file is not there which a variable names
    misplaced: Mapping[str, str] = {}  # of profiles that only the wrong kind of header names: what it must be

    def shown_files(self) -> str:
        """Return the paths of the files for a message."""
        return " and ".join(self.files) or "the AWS config files"

    def errors(self) -> list[ConfigError]:
        """Return what is wrong with sections, whether a profile leads there or not."""
        kinds = (self.profiles, self.sso_sessions, self.services)
        return [section.error for kind in kinds for section in kind.values() if section.error is not None]
