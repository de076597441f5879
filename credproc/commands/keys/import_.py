"""credproc keys import: move a profile's access key from the AWS files into the keyring, and leave no copy."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import NamedTuple

from credproc import paths
from credproc.commands.keys.config import SETTING, both_files, profile_section
from credproc.commands.keys.copies import copies_of
from credproc.commands.keys.keyring import check_keyring, store_key
from credproc.commands.ui.prompt import Prompter
from credproc.config import writer
from credproc.config.lines import ConfigLines, line_numbers, with_setting, without_settings
from credproc.config.parser import read
from credproc.config.settings import ACCESS_KEY_NAMES, PREFIX, SESSION_TOKEN_NAMES
from credproc.config.shared_config import Section, Setting
from credproc.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Credentials
from credproc.errors import ConfigError, for_shell, quoted
from credproc.plan.source import keys_in_keyring
from credproc.request import Request

_KEYS = frozenset((*ACCESS_KEY_NAMES, *(PREFIX + name for name in ACCESS_KEY_NAMES)))


class _Edit(NamedTuple):
    """An edit of one of the two files; ``change`` raises ConfigError if the text is not what it was made for."""

    path: str
    shown: str
    change: Callable[[str], str]


def move(request: Request, profile: str, *, yes: bool) -> list[str]:
    """Move the profile's access key into the keyring; return lines with what was done. Raises CredprocError."""
    section = profile_section(read(request.environ), profile)
    access_key_id, secret = (section.setting(key) for key in ACCESS_KEY_NAMES)
    if access_key_id is None or secret is None:
        in_keyring = keys_in_keyring(section)
        if in_keyring is not None:
            return [f"{in_keyring.value} is already in the keyring"]
        raise ConfigError(
            f"{section.where}: profile {quoted(profile)} has no access key in a file",
            f"run credproc keys add {for_shell(profile)}",
        )
    _check(section, access_key_id, secret)
    keys = Credentials(access_key_id.value, secret.value)
    of_credentials = access_key_id.from_credentials_file or secret.from_credentials_file
    edits = _edits(request.environ, profile, keys, of_credentials=of_credentials)
    _check_edits(edits)
    file = edits[-1].shown
    warning = f"tools that read this access key from {file} themselves stop working; use them through credproc"
    if yes:
        check_keyring("keys import", request)
    else:
        question = f"Move {keys.access_key_id} of profile {quoted(profile)} from {file} into the keyring?"
        with closing(Prompter("keys import", request, "give --yes to skip the confirmation")) as prompter:
            prompter.open()
            check_keyring("keys import", request)
            prompter.confirm(question, lines=[f"credproc: {warning}"])
        _check_edits(edits)  # another program may have written another key meanwhile
    store_key(request, keys)
    for edit in edits:
        writer.edit(*edit)
    copies = copies_of(secret.value, request.environ)
    also = "" if copies else ", and no file beside it contains it"
    return [
        f"{keys.access_key_id} is in the keyring; its secret was removed from {file}{also}",
        *([f"warning: {warning}"] if yes else []),  # else it was read before the question
        *(f"warning: {copy}" for copy in copies),
    ]


def _check(section: Section, access_key_id: Setting, secret: Setting) -> None:
    """Raise ConfigError if this is not a long-term access key."""
    for key in SESSION_TOKEN_NAMES:
        token = section.setting(key)
        if token is not None:
            raise ConfigError(
                f"{token.where}: these are temporary credentials, which expire", "import the access key of an IAM user"
            )
    if not ACCESS_KEY_ID.fullmatch(access_key_id.value) or not SECRET_ACCESS_KEY.fullmatch(secret.value):
        raise ConfigError(f"{access_key_id.where}: this is not an access key of an IAM user", "correct the two lines")


def _check_edits(edits: list[_Edit]) -> None:
    """Raise ConfigError, before anything is changed, if an edit cannot be made."""
    for path, shown, change in edits:
        change(writer.read(path, shown).text)


def _edits(environ: Mapping[str, str], profile: str, keys: Credentials, *, of_credentials: bool) -> list[_Edit]:
    """Return the edits that name the access key in the config file and then remove it from its file.

    At each moment one of both is there. Only lines that hold these very keys are removed.
    """
    config, credentials = both_files(environ)
    shown, shown_credentials = paths.shown(config, environ), paths.shown(credentials, environ)

    def add_name(text: str) -> str:
        found = line_numbers(text, profile, _KEYS)
        if found:
            raise ConfigError(
                f"{shown}:{found[0]}: profile {quoted(profile)} has an access key in both files",
                "remove the one that is not used",
            )
        return with_setting(text, profile, SETTING, keys.access_key_id)

    def replace_key(text: str) -> str:
        _check_lines(text, shown, profile, keys, of_credentials=False)
        named = with_setting(text, profile, SETTING, keys.access_key_id, replaced_key=ACCESS_KEY_NAMES[0])
        return without_settings(named, profile, _values(keys))

    def remove_key(text: str) -> str:
        _check_lines(text, shown_credentials, profile, keys, of_credentials=True)
        return without_settings(text, profile, _values(keys), of_credentials=True)

    if of_credentials:
        return [_Edit(config, shown, add_name), _Edit(credentials, shown_credentials, remove_key)]
    return [_Edit(config, shown, replace_key)]


def _check_lines(text: str, shown: str, profile: str, keys: Credentials, *, of_credentials: bool) -> None:
    """Raise ConfigError if the profile does not hold these keys in the text, or holds others too."""
    file, values = ConfigLines(text, of_credentials=of_credentials), _values(keys)
    found = file.settings(profile, _KEYS)
    for setting in found:
        if file.value(setting) != values[setting.key]:
            raise ConfigError(
                f"{shown}:{setting.numbers[0] + 1}: belongs to another access key than {keys.access_key_id}",
                "remove what is not used, and run the command again",
            )
    if not found:
        raise ConfigError(f"{shown}: was changed by another program; nothing was written", "run the command again")


def _values(keys: Credentials) -> dict[str, str]:
    """Return the settings that hold the keys in a file."""
    pairs = list(zip(ACCESS_KEY_NAMES, (keys.access_key_id, keys.secret_access_key), strict=True))
    return {prefix + name: value for prefix in ("", PREFIX) for name, value in pairs}
