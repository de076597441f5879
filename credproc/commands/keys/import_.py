"""credproc keys import: move a profile's access key from the AWS files into the keyring, and leave no copy."""

from contextlib import closing

from credproc import paths
from credproc.commands.keys.config import SETTING, both_files, profile_section
from credproc.commands.keys.keyring import store_key
from credproc.commands.ui.prompt import Prompter
from credproc.config import writer
from credproc.config.lines import line_numbers, with_setting, without_settings
from credproc.config.parser import read
from credproc.config.settings import ACCESS_KEY_NAMES, PREFIX, SESSION_TOKEN_NAMES
from credproc.config.shared_config import Section, Setting
from credproc.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Credentials
from credproc.errors import ConfigError, quoted
from credproc.plan.source import keys_in_keyring
from credproc.request import Request

_KEYS = frozenset((*ACCESS_KEY_NAMES, *(PREFIX + name for name in ACCESS_KEY_NAMES)))


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
            f"run credproc keys add {profile}",
        )
    _check(request, section, access_key_id, secret)
    file = access_key_id.where.rpartition(":")[0]
    warning = f"tools that read this access key from {file} themselves stop working; use them through credproc"
    if not yes:
        question = f"Move {access_key_id.value} of profile {quoted(profile)} from {file} into the keyring?"
        with closing(Prompter("keys import", request, "give --yes to skip the confirmation")) as prompter:
            prompter.confirm(question, lines=[f"credproc: {warning}"])
    keys = Credentials(access_key_id.value, secret.value)
    store_key(request, keys)
    _edit_files(request, profile, keys.access_key_id, of_credentials=access_key_id.from_credentials_file)
    copies = _copies(request, secret.value)
    also = "" if copies else ", and setup has left no copy of it"
    return [
        f"{keys.access_key_id} is in the keyring; its secret was removed from {file}{also}",
        f"warning: {warning}",
        *(f"warning: {copy}, a copy made by credproc setup, still contains the secret: remove it" for copy in copies),
    ]


def _copies(request: Request, secret: str) -> list[str]:
    """Return the copies made by credproc setup that contain the secret; they are the user's and are not removed."""
    found = []
    for path in both_files(request.environ):
        copy = path + writer.BACKUP
        shown = paths.shown(copy, request.environ)
        try:
            has_secret = secret.encode() in writer.read(copy, shown).data
        except ConfigError:  # unreadable, so it may
            has_secret = True
        found += [shown] if has_secret else []
    return found


def _check(request: Request, section: Section, access_key_id: Setting, secret: Setting) -> None:
    """Raise ConfigError if this is not a long-term access key, or not the only one of the profile."""
    for key in SESSION_TOKEN_NAMES:
        token = section.setting(key)
        if token is not None:
            raise ConfigError(
                f"{token.where}: these are temporary credentials, which expire", "import the access key of an IAM user"
            )
    if not ACCESS_KEY_ID.fullmatch(access_key_id.value) or not SECRET_ACCESS_KEY.fullmatch(secret.value):
        raise ConfigError(f"{access_key_id.where}: this is not an access key of an IAM user", "correct the two lines")
    if not access_key_id.from_credentials_file and not secret.from_credentials_file:
        return
    path = both_files(request.environ)[0]
    shown = paths.shown(path, request.environ)
    found = line_numbers(writer.read(path, shown).text, section.name, _KEYS)
    if found:
        raise ConfigError(
            f"{shown}:{found[0]}: profile {quoted(section.name)} has an access key in both files",
            "remove the one that is not used",
        )


def _edit_files(request: Request, profile: str, access_key_id: str, *, of_credentials: bool) -> None:
    """Name the access key in the config file, then remove it from its file: at each moment one of both is there."""
    config, credentials = both_files(request.environ)

    def replace_key(text: str) -> str:
        named = with_setting(text, profile, SETTING, access_key_id, replaced_key=ACCESS_KEY_NAMES[0])
        return without_settings(named, profile, _KEYS)

    def add_name(text: str) -> str:
        return with_setting(text, profile, SETTING, access_key_id)

    def remove_key(text: str) -> str:
        return without_settings(text, profile, _KEYS, of_credentials=True)

    writer.edit(config, paths.shown(config, request.environ), add_name if of_credentials else replace_key)
    if of_credentials:
        writer.edit(credentials, paths.shown(credentials, request.environ), remove_key)
