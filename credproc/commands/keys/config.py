"""The setting of the AWS files that names a profile's access key in the keyring, read and written."""

from collections.abc import Callable, Mapping

from credproc import paths
from credproc.config import writer
from credproc.config.lines import with_setting, without_settings
from credproc.config.parser import read
from credproc.config.shared_config import Section, Setting, SharedConfig
from credproc.errors import ConfigError, for_shell, quoted
from credproc.plan.source import keys_in_keyring
from credproc.request import Request

SETTING = "credproc_access_key_id"


def profile_section(config: SharedConfig, profile: str) -> Section:
    """Return the profile's section. Raises ConfigError."""
    found = config.profiles.get(profile)
    if found is None:
        raise ConfigError(
            f"{config.shown_files()}: no profile named {quoted(profile)}",
            f"run credproc keys add {for_shell(profile)} to create it",
        )
    return found


def key_setting(profile: Section, *, unused: bool = False) -> Setting:
    """Return the setting that names the profile's access key in the keyring. Raises ConfigError if it is not set.

    ``unused``: also a setting that keys in a file take precedence over.
    """
    setting = profile.credproc_setting("access_key_id") if unused else keys_in_keyring(profile)
    if setting is None:
        raise ConfigError(
            f"{profile.where}: profile {quoted(profile.name)} has no access key in the keyring",
            f"run credproc keys import {for_shell(profile.name)} or credproc keys add {for_shell(profile.name)}",
        )
    return setting


def set_key(request: Request, profile: Section, access_key_id: str, mfa_serial: str = "") -> None:
    """Write the access key id into the profile, and the MFA device if there is one. Raises ConfigError."""

    def change(text: str, of_credentials: bool) -> str:  # noqa: FBT001 - as _edit calls it
        if mfa_serial:
            text = with_setting(text, profile.name, "mfa_serial", mfa_serial, of_credentials=of_credentials)
        return with_setting(text, profile.name, SETTING, access_key_id, of_credentials=of_credentials)

    _edit(request.environ, profile, change)


def unset_key(request: Request, profile: Section, access_key_id: str) -> None:
    """Remove the setting from the profile. Raises ConfigError, also if it names another access key by now."""
    _replace_key(request, profile, access_key_id, "")


def switch_key(request: Request, profile: str, old: str, new: str) -> None:
    """Write the new access key id into each profile that names the old one.

    Raises ConfigError, also if the profile named ``profile`` names neither of both by now.
    """
    profiles = read(request.environ).profiles
    for section in profiles.values():
        setting = keys_in_keyring(section)
        if setting is not None and setting.value == old:
            _replace_key(request, section, old, f"{SETTING} = {new}")
        elif section.name == profile and (setting is None or setting.value != new):
            raise ConfigError(
                f"{section.where_set(SETTING)}: profile {quoted(profile)} does not name {old} any more",
                f"{new} is in the keyring too: delete in IAM the one of both that is not used",
            )


def _replace_key(request: Request, profile: Section, access_key_id: str, instead: str) -> None:
    """Put the line ``instead`` in the place of the lines that name the access key; none if it is empty.

    Raises ConfigError, also if there is no such line by now: another program has changed it.
    """

    def change(text: str, of_credentials: bool) -> str:  # noqa: FBT001 - as _edit calls it
        changed = without_settings(
            text, profile.name, {SETTING: access_key_id}, of_credentials=of_credentials, instead=instead
        )
        if changed == text:
            raise ConfigError(
                f"{profile.where_set(SETTING)}: was changed by another program; nothing was written",
                "run the command again",
            )
        return changed

    _edit(request.environ, profile, change)


def both_files(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the paths of the config and the credentials file. Raises ConfigError."""
    config, credentials = paths.config_file(environ), paths.credentials_file(environ)
    if config is None or credentials is None:
        raise ConfigError(
            "keys: the config file cannot be located: there is no home directory",
            f"set {paths.HOME_VARIABLE} or AWS_CONFIG_FILE",
        )
    return config, credentials


def check_owner(environ: Mapping[str, str]) -> None:
    """Raise ConfigError if root may not edit the two files, before anything is asked or stored."""
    for path in both_files(environ):
        writer.check_owner(path, paths.shown(path, environ))


def _edit(environ: Mapping[str, str], profile: Section, change: Callable[[str, bool], str]) -> None:
    """Edit the file that contains the setting, or the config file if none does.

    ``change`` takes the text, and whether it is the credentials file's.
    """
    config, credentials = both_files(environ)
    setting = profile.get(SETTING)
    of_credentials = setting is not None and setting.from_credentials_file
    path = credentials if of_credentials else config
    writer.edit(path, paths.shown(path, environ), lambda text: change(text, of_credentials))
