"""credproc keys remove: delete a profile's access key, its MFA sessions and the credentials cached for it."""

from contextlib import closing

from credproc.commands.keys.config import SETTING, key_setting, profile_section, unset_key
from credproc.commands.keys.keyring import delete_sessions, key_lock, raise_with_key
from credproc.commands.ui.prompt import Prompter
from credproc.config.parser import read
from credproc.config.shared_config import Section, Setting, SharedConfig
from credproc.errors import ConfigError, for_shell, quoted
from credproc.locking.directory import own_directory
from credproc.plan.source import keys_in_keyring
from credproc.request import Request
from credproc.sources.keyring import open_keyring
from credproc.stores import access_keys


def remove(request: Request, profile: str, *, yes: bool) -> list[str]:
    """Delete the profile's access key from the keyring; return lines with what was done. Raises CredprocError.

    An access key that another profile names too stays in the keyring.
    """
    config = read(request.environ)
    section = profile_section(config, profile)
    setting = key_setting(section)
    others = other_profiles(config, section, setting.value)
    if not yes:
        with closing(Prompter("keys remove", request, "give --yes to skip the confirmation")) as prompter:
            prompter.confirm(f"Delete {setting.value} of profile {quoted(profile)} from the keyring?")
    with key_lock(own_directory(request.environ), setting.value, "keys remove"):
        lines = [] if others else _delete_key(request, profile, setting)
        unset_key(request, section, setting.value)
    lines.append(f"removed: {SETTING} from profile {quoted(profile)}")
    if others:
        lines.append(f"{setting.value} stays in the keyring, because profile {quoted(others[0])} uses it too")
    return lines


def _delete_key(request: Request, profile: str, setting: Setting) -> list[str]:
    access_key_id, keyring = setting.value, open_keyring(None, request.environ)
    with raise_with_key("keys remove", access_key_id):
        check_not_rotated(keyring, profile, setting)
        keyring.delete(access_key_id)
        keyring.delete_pending(access_key_id)
    access_keys.remove_note(own_directory(request.environ), access_key_id)
    sessions = delete_sessions(request, access_key_id, "keys remove")
    return [f"deleted: {access_key_id} from the keyring", *sessions]


def other_profiles(config: SharedConfig, section: Section, access_key_id: str) -> list[str]:
    """Return the names of the other profiles that name this access key of the keyring."""
    return [
        other.name
        for other in config.profiles.values()
        if other is not section and (its := keys_in_keyring(other)) is not None and its.value == access_key_id
    ]


def check_not_rotated(keyring: access_keys.AccessKeyStore, profile: str, setting: Setting) -> None:
    """Raise ConfigError if a rotation of the access key is unfinished; SessionStoreError if the keyring fails."""
    pending = keyring.read_pending(setting.value)
    if (pending is not None and pending.keys is not None) or keyring.read_replaced(setting.value) is not None:
        raise ConfigError(
            f"{setting.where}: the rotation of {setting.value} is unfinished, and the new access key would be lost",
            f"run credproc keys rotate {for_shell(profile)} first",
        )
