"""credproc keys add: ask for an access key and store it in the keyring."""

from contextlib import closing

from credproc.commands.keys.config import set_key
from credproc.commands.keys.keyring import check_keyring, identity_arn, store_key
from credproc.commands.ui.prompt import Prompter
from credproc.config.parser import read
from credproc.config.shared_config import Section
from credproc.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Credentials
from credproc.errors import ConfigError, for_shell, quoted
from credproc.plan.source import keys_in_keyring
from credproc.request import Request


def add(request: Request, profile: str, *, offline: bool) -> list[str]:
    """Ask for an access key and store it in the keyring for the profile; return lines with what was done.

    ``offline``: do not ask STS whether the key is valid. Raises CredprocError.
    """
    config = read(request.environ)
    section = config.profiles.get(profile, Section(profile, ""))
    in_file = section.get("aws_access_key_id")
    if in_file is not None:
        raise ConfigError(
            f"{in_file.where}: profile {quoted(profile)} has its access key in the file, which wins over the keyring",
            f"run credproc keys import {for_shell(profile)} to move it into the keyring",
        )
    before = keys_in_keyring(section)
    keys = _prompt(request, profile)
    owner = "" if offline else f" of {identity_arn(keys, profile, config, request.environ)}"
    store_key(request, keys)
    set_key(request, section, keys.access_key_id)
    lines = [f"{keys.access_key_id}{owner} is in the keyring, for profile {quoted(profile)}"]
    if before is not None and before.value != keys.access_key_id:
        lines.append(f"{before.value}, the profile's previous access key, is still in the keyring")
    return lines


def _prompt(request: Request, profile: str) -> Credentials:
    with closing(
        Prompter("keys add", request, "run it in a terminal: it reads access keys from nowhere else")
    ) as prompter:
        prompter.open()
        check_keyring("keys add", request)
        access_key_id = prompter.ask(f"AWS access key id for profile {quoted(profile)}: ")
        if not ACCESS_KEY_ID.fullmatch(access_key_id):
            raise ConfigError("keys add: not an access key id", "an access key id looks like AKIAIOSFODNN7EXAMPLE")
        if access_key_id.startswith("ASIA"):
            raise ConfigError(
                "keys add: this is the id of temporary credentials, which expire", "enter the access key of an IAM user"
            )
        secret = prompter.ask(f"AWS secret access key for {access_key_id} (not shown): ", shown=False)
        if not SECRET_ACCESS_KEY.fullmatch(secret):
            raise ConfigError(
                "keys add: not a secret access key", "a secret access key has 40 characters and no spaces"
            )
    return Credentials(access_key_id, secret)
