"""credproc keys remove: a profile's keys leave the keyring, and what hangs on them ends."""

from contextlib import closing

from credproc.commands.keys.config import SETTING, key_setting, section_of, unset_key
from credproc.commands.keys.keyring import end_sessions, naming_errors
from credproc.commands.ui.prompt import Person
from credproc.config.parser import read
from credproc.config.shared_config import Setting
from credproc.errors import ConfigError, quoted
from credproc.locking.directory import own_directory
from credproc.plan.source import keys_in_keyring
from credproc.request import Request
from credproc.sources.keyring import open_keyring
from credproc.stores import access_keys


def remove(request: Request, profile: str, *, yes: bool) -> str:
    """Remove the profile's keys from the keyring; return what was done, in words. Raises CredprocError.

    Keys that another profile has too stay there.
    """
    config = read(request.environ)
    section = section_of(config, profile)
    setting = key_setting(section)
    others = [
        other.name
        for other in config.profiles.values()
        if other is not section and (its := keys_in_keyring(other)) is not None and its.value == setting.value
    ]
    if not yes:
        with closing(Person("keys remove", request, "give --yes to go on without a question")) as person:
            person.confirm(f"Remove {setting.value} of profile {quoted(profile)} from the keyring, for good?")
    said = [] if others else _drop(request, profile, setting)
    unset_key(request, section)
    said.append(f"removed: {SETTING} from profile {quoted(profile)}")
    if others:
        said.append(f"{setting.value} stays in the keyring: profile {quoted(others[0])} has it too")
    return "".join(f"{line}\n" for line in said)


def _drop(request: Request, profile: str, setting: Setting) -> list[str]:
    access_key_id, keyring = setting.value, open_keyring(None, request.environ)
    with naming_errors("keys remove", access_key_id):
        if _is_being_rotated(keyring, access_key_id):
            raise ConfigError(
                f"{setting.where}: the rotation of {access_key_id} has not ended, and its new key would be lost",
                f"run credproc keys rotate {profile} first",
            )
        keyring.drop(access_key_id)
        keyring.drop_pending(access_key_id)
    access_keys.forget(own_directory(request.environ), access_key_id)
    ended = end_sessions(request, access_key_id, "keys remove")
    return [f"removed: {access_key_id} from the keyring", *ended]


def _is_being_rotated(keyring: access_keys.LongTermKeys, access_key_id: str) -> bool:
    pending = keyring.pending(access_key_id)
    return (pending is not None and pending.keys is not None) or keyring.replaced_by(access_key_id) is not None
