"""credproc keys remove --restore: move a profile's access key from the keyring back into the credentials file.

For those who leave credproc. The secret is in plain text again, so that the user has to type the profile's name.
"""

import os
import stat
import sys
from contextlib import closing

from credproc import paths
from credproc.commands.keys.config import SETTING, both_files, key_setting, profile_section, unset_key
from credproc.commands.keys.keyring import key_lock, raise_with_key
from credproc.commands.keys.remove import check_not_rotated, other_profiles
from credproc.commands.ui.prompt import Prompter, declined
from credproc.config import writer
from credproc.config.lines import ConfigLines, with_setting
from credproc.config.parser import read
from credproc.config.settings import ACCESS_KEY_NAMES, SESSION_TOKEN_NAMES
from credproc.credentials import Credentials
from credproc.errors import ConfigError, CredprocError, for_shell, inert, quoted
from credproc.locking.directory import own_directory
from credproc.request import Request
from credproc.sources.keyring import open_keyring
from credproc.stores import access_keys

_OTHERS = 0o077  # the mode bits that let others read or write


def restore(request: Request, profile: str) -> list[str]:
    """Write the profile's access key into the credentials file, and then delete it from the keyring.

    Returns lines with what was done. Nothing is deleted before the file has been read back. An access key that another
    profile names too stays in the keyring. Raises CredprocError.
    """
    config = read(request.environ)
    section = profile_section(config, profile)
    setting = key_setting(section, unused=True)  # a run that was interrupted has written the file already
    others = other_profiles(config, section, setting.value)
    _, path = both_files(request.environ)
    shown = inert(paths.shown(path, request.environ))
    _check_file(path, shown)
    keyring = open_keyring(None, request.environ)
    with raise_with_key("keys remove", setting.value):
        check_not_rotated(keyring, profile, setting)
        keys = keyring.read(setting.value)
    if keys is None:
        raise CredprocError(
            f"{setting.where}: the keyring holds no secret access key of {setting.value}",
            f"run credproc keys remove {for_shell(profile)} without --restore",
        )
    _with_keys(request, profile, keys)
    _confirm(request, profile, keys.access_key_id, shown)
    with key_lock(own_directory(request.environ), setting.value, "keys remove"):
        with raise_with_key("keys remove", setting.value):
            check_not_rotated(keyring, profile, setting)  # which may have begun while the user typed
        writer.edit(path, shown, lambda _: _with_keys(request, profile, keys))
        _check_written(request, profile, keys, shown)
        unset_key(request, section, setting.value)
        if not others:
            _delete(request, keyring, setting.value)
    kept = f"stays in the keyring, because profile {quoted(others[0])} uses it too" if others else "left the keyring"
    return [
        f"written in plain text to {shown}: {keys.access_key_id} and its secret",
        f"removed: {SETTING} from profile {quoted(profile)}",
        f"{keys.access_key_id} {kept}",
    ]


def _delete(request: Request, keyring: access_keys.AccessKeyStore, access_key_id: str) -> None:
    with raise_with_key("keys remove", access_key_id):
        keyring.delete(access_key_id)
    access_keys.remove_note(own_directory(request.environ), access_key_id)


def _check_file(path: str, shown: str) -> None:
    """Raise ConfigError unless the secret may be written there: this user's own private file, or none yet."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{shown}: cannot be read: {(error.strerror or '').lower()}") from None
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(
            f"{shown}: is not a regular file; no secret is written there", "name a file in AWS_SHARED_CREDENTIALS_FILE"
        )
    if sys.platform != "win32":
        if status.st_uid != os.geteuid():
            raise ConfigError(f"{shown}: belongs to another user ({status.st_uid}); no secret is written there")
        if status.st_mode & _OTHERS:
            raise ConfigError(
                f"{shown}: other users may read or write it (mode {stat.S_IMODE(status.st_mode):04o})",
                f"run chmod 600 {for_shell(path)}",
            )


def _confirm(request: Request, profile: str, access_key_id: str, shown: str) -> None:
    question = "Type the profile's name to go on: "
    lines = [f"credproc: the secret of {access_key_id} will be in plain text in {shown}, for every program and backup"]
    with closing(Prompter("keys remove", request, "run the command in a terminal")) as prompter:
        if prompter.ask(question, lines=lines) != profile:
            raise declined("keys remove: that is not the profile's name; nothing was changed")


def _with_keys(request: Request, profile: str, keys: Credentials) -> str:
    """Return the text of the credentials file with the keys in the profile.

    Raises ConfigError if one of both files holds another access key, or a session token, of this profile.
    """
    values = dict(zip(ACCESS_KEY_NAMES, (keys.access_key_id, keys.secret_access_key), strict=True))
    text = ""
    for path, of_credentials in zip(both_files(request.environ), (False, True), strict=True):
        shown = inert(paths.shown(path, request.environ))
        text = writer.read(path, shown).text
        file = ConfigLines(text, of_credentials=of_credentials)
        for setting in file.settings(profile, {*ACCESS_KEY_NAMES, *SESSION_TOKEN_NAMES}):
            if not of_credentials or file.value(setting) != values.get(setting.key):
                raise ConfigError(
                    f"{shown}:{setting.numbers[0] + 1}: profile {quoted(profile)} has other keys here",
                    "remove the lines that are not used, and run the command again",
                )
    for name in reversed(ACCESS_KEY_NAMES):  # each goes below the header
        text = with_setting(text, profile, name, values[name], of_credentials=True)
    return text


def _check_written(request: Request, profile: str, keys: Credentials, shown: str) -> None:
    """Raise ConfigError unless the files give this very access key for the profile."""
    section = read(request.environ).profiles.get(profile)
    found = [None if section is None else section.setting(name) for name in ACCESS_KEY_NAMES]
    if [None if one is None else one.value for one in found] != [keys.access_key_id, keys.secret_access_key]:
        raise ConfigError(
            f"{shown}: does not hold the access key that was just written",
            "the key is still in the keyring; look there",
        )
