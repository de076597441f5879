"""credproc keys add: a person types an access key, and the profile's keys are in the keyring."""

from contextlib import closing

from credproc.commands.keys.config import set_key
from credproc.commands.keys.keyring import SECRET, arn_of, keep_key
from credproc.commands.ui.prompt import Person
from credproc.config.parser import read
from credproc.config.shared_config import Section
from credproc.credentials import Credentials
from credproc.errors import ConfigError, quoted
from credproc.plan.source import ACCESS_KEY_ID, keys_in_keyring
from credproc.request import Request


def add(request: Request, profile: str, *, offline: bool) -> str:
    """Ask for an access key and put it into the keyring for the profile; return what was done, in words.

    ``offline``: without asking STS whether the key is right. Raises CredprocError.
    """
    config = read(request.environ)
    section = config.profiles.get(profile, Section(profile, ""))
    held = section.get("aws_access_key_id")
    if held is not None:
        raise ConfigError(
            f"{held.where}: profile {quoted(profile)} has its keys in the file, and those come before the keyring's",
            f"run credproc keys import {profile}",
        )
    before = keys_in_keyring(section)
    keys = _typed(request, profile)
    whose = "" if offline else f" of {arn_of(keys, profile, config, request.environ)}"
    keep_key(request, keys)
    set_key(request, section, keys.access_key_id)
    said = f"{keys.access_key_id}{whose} is in the keyring, for profile {quoted(profile)}\n"
    if before is not None and before.value != keys.access_key_id:
        said += f"{before.value}, which the profile had before, is still in the keyring\n"
    return said


def _typed(request: Request, profile: str) -> Credentials:
    with closing(Person("keys add", request, "run it in a terminal: keys are taken from nowhere else")) as person:
        access_key_id = person.ask(f"AWS access key id for profile {quoted(profile)}: ")
        if not ACCESS_KEY_ID.fullmatch(access_key_id):
            raise ConfigError("keys add: that is no access key id", "it looks like AKIAIOSFODNN7EXAMPLE")
        if access_key_id.startswith("ASIA"):
            raise ConfigError(
                "keys add: that is the id of temporary keys, which end by themselves", "take the keys of an IAM user"
            )
        secret = person.ask(f"AWS secret access key for {access_key_id} (not shown): ", shown=False)
        if not SECRET.fullmatch(secret):
            raise ConfigError("keys add: that is no secret access key", "it has 40 characters, without spaces")
    return Credentials(access_key_id, secret)
