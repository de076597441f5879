"""credproc keys import: a profile's keys move from its file into the keyring, and no copy is left."""

from contextlib import closing

from credproc import paths
from credproc.commands.keys.config import SETTING, both_files, section_of
from credproc.commands.keys.keyring import SECRET, keep_key
from credproc.commands.ui.prompt import Person
from credproc.config import writer
from credproc.config.lines import line_numbers, with_setting, without_settings
from credproc.config.parser import read
from credproc.config.settings import ACCESS_KEY_NAMES, PREFIX, SESSION_TOKEN_NAMES
from credproc.config.shared_config import Section, Setting
from credproc.credentials import Credentials
from credproc.errors import ConfigError, quoted
from credproc.plan.source import ACCESS_KEY_ID, keys_in_keyring
from credproc.request import Request

_KEYS = frozenset((*ACCESS_KEY_NAMES, *(PREFIX + name for name in ACCESS_KEY_NAMES)))


def move(request: Request, profile: str, *, yes: bool) -> str:
    """Move the profile's keys from its file into the keyring; return what was done, in words. Raises CredprocError."""
    section = section_of(read(request.environ), profile)
    access_key_id, secret = (section.setting(key) for key in ACCESS_KEY_NAMES)
    if access_key_id is None or secret is None:
        there = keys_in_keyring(section)
        if there is not None:
            return f"{there.value} is in the keyring already\n"
        raise ConfigError(
            f"{section.where}: profile {quoted(profile)} has no keys in a file", f"run credproc keys add {profile}"
        )
    _check(request, section, access_key_id, secret)
    place = access_key_id.where.rpartition(":")[0]
    warning = f"other tools that read {place} lose these keys: they reach AWS through credproc alone"
    if not yes:
        question = f"Move {access_key_id.value} of profile {quoted(profile)} from {place} into the keyring?"
        with closing(Person("keys import", request, "give --yes to go on without a question")) as person:
            person.confirm(question, lines=[f"credproc: {warning}"])
    keys = Credentials(access_key_id.value, secret.value)
    keep_key(request, keys)
    _take_out(request, profile, keys.access_key_id, of_credentials=access_key_id.from_credentials_file)
    copies = _copies(request, secret.value)
    also = "" if copies else ", and in no copy of it"
    return "".join(
        [
            f"{keys.access_key_id} is in the keyring; its secret is not in {place} any more{also}\n",
            f"warning: {warning}\n",
            *(f"warning: {copy}, which setup has kept, holds the secret still: remove it\n" for copy in copies),
        ]
    )


def _copies(request: Request, secret: str) -> list[str]:
    """Return which of the copies that setup keeps of the files hold the secret. They are the person's, and stay."""
    found = []
    for path in both_files(request.environ):
        copy = path + writer.BACKUP
        shown = paths.shown(copy, request.environ)
        try:
            held = secret.encode() in writer.read(copy, shown).data
        except ConfigError:  # not to be known
            held = True
        found += [shown] if held else []
    return found


def _check(request: Request, section: Section, access_key_id: Setting, secret: Setting) -> None:
    """Raise ConfigError if these are not the one long-term key that the profile has."""
    for key in SESSION_TOKEN_NAMES:
        token = section.setting(key)
        if token is not None:
            raise ConfigError(
                f"{token.where}: these keys are temporary, and end by themselves", "import the keys of an IAM user"
            )
    if not ACCESS_KEY_ID.fullmatch(access_key_id.value) or not SECRET.fullmatch(secret.value):
        raise ConfigError(f"{access_key_id.where}: these are no keys of an IAM user", "look at the two lines")
    if not access_key_id.from_credentials_file and not secret.from_credentials_file:
        return
    path = both_files(request.environ)[0]
    shown = paths.shown(path, request.environ)
    found = line_numbers(writer.read(path, shown).text, section.name, _KEYS)
    if found:
        raise ConfigError(
            f"{shown}:{found[0]}: profile {quoted(section.name)} has keys in both files",
            "remove those that are not used",
        )


def _take_out(request: Request, profile: str, access_key_id: str, *, of_credentials: bool) -> None:
    """Let the config say where the keys are, then take them out of the file: no moment is without either."""
    config, credentials = both_files(request.environ)

    def in_place(text: str) -> str:
        named = with_setting(text, profile, SETTING, access_key_id, replaced_key=ACCESS_KEY_NAMES[0])
        return without_settings(named, profile, _KEYS)

    def named(text: str) -> str:
        return with_setting(text, profile, SETTING, access_key_id)

    def taken_out(text: str) -> str:
        return without_settings(text, profile, _KEYS, of_credentials=True)

    writer.edit(config, paths.shown(config, request.environ), named if of_credentials else in_place)
    if of_credentials:
        writer.edit(credentials, paths.shown(credentials, request.environ), taken_out)
