"""credproc keys: long-term access keys in the OS keyring instead of ~/.aws/credentials."""

import argparse
import dataclasses
import json
import os
import re
import time
from collections.abc import Callable

from credproc import paths
from credproc.commands.entries import described, remove
from credproc.commands.logout import sign_out
from credproc.commands.person import Person
from credproc.commands.said import Said
from credproc.errors import ConfigError, CredprocError, DeadlineError, SessionStoreError, UsageError, quoted
from credproc.refresh import FOR_PEOPLE, longterm, own_directory, terminal
from credproc.refresh.configedit import edit, lines_of, with_setting, without_settings
from credproc.refresh.credentials import Credentials
from credproc.refresh.lock import Lock
from credproc.refresh.plan import Asker, Plan, plan_for
from credproc.refresh.request import Request, Turn
from credproc.refresh.session import SUFFIX as SESSION_SUFFIX
from credproc.refresh.session import read_index, session_id
from credproc.refresh.sharedconfig import Section, Setting, SharedConfig, read
from credproc.refresh.sourcesettings import ACCESS_KEY_ID, Source, keys_in_keyring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credproc.refresh.iam import Iam

_SETTING = "credproc_access_key_id"
_IN_FILE = {"aws_access_key_id", "aws_secret_access_key"}
_IN_FILE_TOO = _IN_FILE | {f"credproc_{key}" for key in _IN_FILE}
_SECRET = re.compile(r"[!-~]{16,256}")
_CALL_SECONDS = 10
_PATIENCE = 5  # seconds for another rotation that is under way
_SESSION_LEFT = 300  # seconds that an MFA session must have for a rotation

GROUP = "keys"
HELP = "keep long-term keys in the keyring"
DESCRIPTION = "Keep long-term access keys in the OS keyring instead of ~/.aws/credentials."


# --- add -------------------------------------------------------------------------------------------------------


def add_keys(request: Request, *, offline: bool) -> str:
    """Ask for an access key and put it into the keyring for the profile; return what was done, in words."""
    profile = _profile(request)
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
    whose = "" if offline else f" of {_whose(request, config, keys)}"
    _keep(request, keys)
    _point(request, profile, keys.access_key_id, section)
    said = f"{keys.access_key_id}{whose} is in the keyring, for profile {quoted(profile)}\n"
    if before is not None and before.value != keys.access_key_id:
        said += f"{before.value}, which the profile had before, is still in the keyring\n"
    return said


def _typed(request: Request, profile: str) -> Credentials:
    person = Person("keys add", request.environ, "run it in a terminal: keys are taken from nowhere else")
    try:
        access_key_id = person.ask(f"AWS access key id for profile {quoted(profile)}: ", shown=True)
        if not ACCESS_KEY_ID.fullmatch(access_key_id):
            raise ConfigError("keys add: that is no access key id", "it looks like AKIAIOSFODNN7EXAMPLE")
        if access_key_id.startswith("ASIA"):
            raise ConfigError(
                "keys add: that is the id of temporary keys, which end by themselves", "take the keys of an IAM user"
            )
        secret = person.ask(f"AWS secret access key for {access_key_id} (not shown): ", shown=False)
        if not _SECRET.fullmatch(secret):
            raise ConfigError("keys add: that is no secret access key", "it has 40 characters, without spaces")
    finally:
        person.close()
    return Credentials(access_key_id, secret)


# --- import ----------------------------------------------------------------------------------------------------


def import_keys(request: Request, *, yes: bool) -> str:
    """Move the profile's keys from its file into the keyring; return what was done, in words."""
    profile = _profile(request)
    section = _section(read(request.environ), profile)
    access_key_id = section.setting("aws_access_key_id")
    secret = section.setting("aws_secret_access_key")
    if access_key_id is None or secret is None:
        there = keys_in_keyring(section)
        if there is not None:
            return f"{there.value} is in the keyring already\n"
        raise ConfigError(
            f"{section.where}: profile {quoted(profile)} has no keys in a file", f"run credproc keys add {profile}"
        )
    for key in ("aws_session_token", "aws_security_token"):
        token = section.setting(key)
        if token is not None:
            raise ConfigError(
                f"{token.where}: these keys are temporary, and end by themselves", "import the keys of an IAM user"
            )
    if not ACCESS_KEY_ID.fullmatch(access_key_id.value) or not _SECRET.fullmatch(secret.value):
        raise ConfigError(f"{access_key_id.where}: these are no keys of an IAM user", "look at the two lines")
    of_credentials = access_key_id.from_credentials_file
    if of_credentials or secret.from_credentials_file:
        _check_not_in_config(request, profile)
    place = access_key_id.where.rpartition(":")[0]
    warning = f"other tools that read {place} lose these keys: they reach AWS through credproc alone"
    if not yes:
        person = Person("keys import", request.environ, "give --yes to go on without a question")
        try:
            person.say(f"credproc: {warning}")
            person.confirm(f"Move {access_key_id.value} of profile {quoted(profile)} from {place} into the keyring?")
        finally:
            person.close()
    keys = Credentials(access_key_id.value, secret.value)
    _keep(request, keys)
    _move(request, profile, keys, of_credentials=of_credentials)
    return (
        f"{keys.access_key_id} is in the keyring; its secret is not in {place} any more, and in no copy of it\n"
        f"warning: {warning}\n"
    )


def _check_not_in_config(request: Request, profile: str) -> None:
    path = paths.config_file(request.environ)
    found: list[int] = []

    def look(text: str) -> str:
        found.extend(lines_of(text, profile, _IN_FILE_TOO))
        return text

    if path is not None and os.path.exists(path):
        edit(path, paths.shown(path, request.environ), look)
        if found:
            raise ConfigError(
                f"{paths.shown(path, request.environ)}:{found[0]}: profile {quoted(profile)} has keys in both files",
                "remove those that are not used",
            )


def _move(request: Request, profile: str, keys: Credentials, *, of_credentials: bool) -> None:
    """Let the config say where the keys are, then take them out of the file: no moment is without either."""
    config, credentials = _files(request)

    def in_place(text: str) -> str:
        renamed = with_setting(text, profile, _SETTING, keys.access_key_id, instead_of="aws_access_key_id")
        return without_settings(renamed, profile, _IN_FILE_TOO)

    if not of_credentials:
        edit(config, paths.shown(config, request.environ), in_place)
        return
    edit(
        config,
        paths.shown(config, request.environ),
        lambda text: with_setting(text, profile, _SETTING, keys.access_key_id),
    )
    edit(
        credentials,
        paths.shown(credentials, request.environ),
        lambda text: without_settings(text, profile, _IN_FILE_TOO, of_credentials=True),
    )


# --- list ------------------------------------------------------------------------------------------------------


def list_keys(request: Request, *, as_json: bool) -> str:
    """Return the profiles whose keys are in the keyring, in words or as JSON; from files alone."""
    directory = own_directory(request.environ)
    found = [
        {
            "profile": section.name,
            "access_key_id": setting.value,
            "pending": longterm.is_pending(directory, setting.value),
        }
        for section in read(request.environ).profiles.values()
        if (setting := keys_in_keyring(section)) is not None
    ]
    found.sort(key=lambda one: str(one["profile"]))
    if as_json:
        return json.dumps({"keys": found}, indent=2, sort_keys=True) + "\n"
    if not found:
        return "no profile has its keys in the keyring\n"
    rows = [
        (
            ascii(one["profile"])[1:-1],
            ascii(one["access_key_id"])[1:-1],
            "rotation begun: credproc keys rotate ends it" if one["pending"] else "",
        )
        for one in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "".join(f"{row[0].ljust(widths[0])}  {row[1].ljust(widths[1])}  {row[2]}".rstrip() + "\n" for row in rows)


# --- remove ----------------------------------------------------------------------------------------------------


def remove_keys(request: Request, *, yes: bool) -> str:
    """Remove the profile's keys from the keyring, and what hangs on them; return what was done, in words."""
    profile = _profile(request)
    config = read(request.environ)
    section = _section(config, profile)
    setting = _in_keyring(section)
    others = [
        other.name
        for other in config.profiles.values()
        if other is not section and (its := keys_in_keyring(other)) is not None and its.value == setting.value
    ]
    if not yes:
        person = Person("keys remove", request.environ, "give --yes to go on without a question")
        try:
            person.confirm(f"Remove {setting.value} of profile {quoted(profile)} from the keyring, for good?")
        finally:
            person.close()
    keyring = _keyring(request)
    said = []
    if not others:
        with_errors = _named("keys remove", setting.value)
        if with_errors(lambda: _is_rotated(keyring, setting.value)):
            raise ConfigError(
                f"{setting.where}: the rotation of {setting.value} has not ended, and its new key would be lost",
                f"run credproc keys rotate {profile} first",
            )
        with_errors(lambda: keyring.drop(setting.value))
        with_errors(lambda: keyring.drop_pending(setting.value))
        longterm.forget(own_directory(request.environ), setting.value)
        said = [f"removed: {setting.value} from the keyring"]
        said += _end(request, setting.value, "keys remove")
    _unpoint(request, section)
    said.append(f"removed: {_SETTING} from profile {quoted(profile)}")
    if others:
        said.append(f"{setting.value} stays in the keyring: profile {quoted(others[0])} has it too")
    return "".join(f"{line}\n" for line in said)


def _is_rotated(keyring: longterm.LongTermKeys, access_key_id: str) -> bool:
    pending = keyring.pending(access_key_id)
    return (pending is not None and pending.keys is not None) or keyring.replaced_by(access_key_id) is not None


def _end(request: Request, access_key_id: str, command: str) -> list[str]:
    """End the MFA sessions of the key and the cached credentials behind it; return what was done, in words."""
    directory = own_directory(request.environ)
    if directory is None:
        return []
    said = []
    for name in directory.names():
        index = read_index(directory, name) if name.endswith(SESSION_SUFFIX) else None
        if index is not None and session_id(access_key_id, index.serial, index.issuer).name == index.name:
            said.append(sign_out(index, request, directory, command))
    entries = [entry for entry in described(directory) if entry.source_access_key_id == access_key_id]
    return said + [f"removed: {entry.words}" for entry in entries if remove(directory, entry.name, command)]


# --- rotate ----------------------------------------------------------------------------------------------------


def rotate_keys(request: Request) -> str:
    """Put a new access key in the place of the profile's, or end a rotation that was interrupted; in words."""
    from credproc.refresh.rotation import Means, Rotation  # noqa: PLC0415 - botocore

    profile = _profile(request)
    section = _section(read(request.environ), profile)
    _in_keyring(section)
    directory = own_directory(request.environ)
    lock = Lock(directory, f"keys-{session_id('', profile, '').name}")
    keyring = _keyring(request)

    def note(access_key_id: str, pending: bool) -> None:  # noqa: FBT001 - Means' signature
        longterm.note(directory, access_key_id, pending=pending)

    ended: list[str] = []
    means = Means(
        keyring=keyring,
        iam=lambda _access_key_id: _iam(request, profile, keyring),
        whose=lambda keys: _whose(request, read(request.environ), keys, profile),
        switch=lambda old, new: _switch(request, old, new),
        end=lambda old: ended.extend([*_end(request, old, "keys rotate"), _forgotten(request, old)]),
        note=note,
        tell=_tell,
        clock=request.clock,
    )
    try:
        lock.wait(lambda: None, time.monotonic() + _PATIENCE)
        # again: another rotation may have ended just now
        setting = _in_keyring(_section(read(request.environ), profile))
        old, new = Rotation(means, f"profile {quoted(profile)}").rotate(setting.value)
    except DeadlineError as error:
        raise CredprocError(f"keys rotate: {error}", "wait until it has ended, or end that process") from None
    except SessionStoreError as error:
        raise CredprocError(
            f"keys rotate: profile {quoted(profile)}: {error}",
            "unlock the keyring and run the same command: it goes on",
        ) from None
    finally:
        lock.close()
    said = "".join(f"{line}\n" for line in ended if line)
    return f"{said}{new} has taken the place of {old}, which is deleted\n"


def _forgotten(request: Request, access_key_id: str) -> str:
    longterm.forget(own_directory(request.environ), access_key_id)
    return ""


def _tell(line: str) -> None:
    if os.isatty(1):
        terminal.notify(f"credproc: {line}")


def _iam(request: Request, profile: str, keyring: longterm.LongTermKeys) -> "Iam":
    """Return IAM for the profile's user: through their MFA session where they have a device, else by the keys."""
    from credproc.refresh.botosession import botocore_session  # noqa: PLC0415 - botocore
    from credproc.refresh.iam import Iam  # noqa: PLC0415
    from credproc.refresh.obtain import obtain  # noqa: PLC0415

    config = read(request.environ)
    plan = _user_plan(request, config, profile)
    keys = longterm.read(plan.source, keyring)
    arn = _whose(request, config, keys, profile)
    kind, _, name = arn.rpartition(":")[2].partition("/")
    if kind != "user" or not name:
        raise ConfigError(f"{arn}: is no IAM user, whose keys could be rotated", "make a user in IAM, and keys of it")
    caller = keys
    if plan.mfa is not None:
        wanted = request._replace(profile=profile, deadlines=FOR_PEOPLE, renew_below=_SESSION_LEFT)
        turn = Turn(wanted, own_directory(request.environ), time.monotonic(), may_ask=True)
        caller = obtain(plan, config, turn).credentials
    return Iam(botocore_session(config, profile), plan.endpoint, caller, name.rpartition("/")[2])


def _user_plan(request: Request, config: SharedConfig, profile: str) -> Plan:
    plan = plan_for(config, profile, request.environ, Asker(program=request.program))
    if plan.source.kind != "KeyringKeys" or plan.source.profile != profile:
        setting = _in_keyring(_section(config, profile))
        source = Source("KeyringKeys", setting.where, profile, (("access_key_id", setting.value),))
        return dataclasses.replace(plan, source=source, roles=(), mfa=None)
    return dataclasses.replace(plan, roles=())


def _switch(request: Request, old: str, new: str) -> None:
    """Let all profiles that have the old key have the new one."""
    for section in read(request.environ).profiles.values():
        setting = keys_in_keyring(section)
        if setting is not None and setting.value == old:
            _point(request, section.name, new, section)


# --- what they share -------------------------------------------------------------------------------------------


def _profile(request: Request) -> str:
    if not request.profile:
        raise UsageError("usage: keys needs the name of a profile", "credproc keys --help shows what there is")
    return request.profile


def _section(config: SharedConfig, profile: str) -> Section:
    section = config.profiles.get(profile)
    if section is None:
        raise ConfigError(
            f"{config.shown_files()}: no profile named {quoted(profile)}", f"run credproc keys add {profile} to make it"
        )
    return section


def _in_keyring(section: Section) -> Setting:
    setting = keys_in_keyring(section)
    if setting is None:
        raise ConfigError(
            f"{section.where}: profile {quoted(section.name)} has no keys in the keyring",
            f"run credproc keys import {section.name}, or keys add",
        )
    return setting


def _keyring(request: Request) -> longterm.LongTermKeys:
    # no directory: a person who has mended the keyring need not wait until it is asked again
    can_ask = request.environ.get("CREDPROC_INTERACTIVE") != "never" and terminal.is_there()
    return longterm.LongTermKeys(None, request.environ, longterm.notify_unlocking if can_ask else None)


def _named(command: str, access_key_id: str) -> Callable[[Callable[[], object]], object]:
    """Return what calls, and names the command and the key if the keyring fails."""

    def call(use: Callable[[], object]) -> object:
        try:
            return use()
        except SessionStoreError as error:
            raise CredprocError(
                f"{command}: {access_key_id}: {error}", "unlock the keyring, or start it, and try again"
            ) from None

    return call


def _keep(request: Request, keys: Credentials) -> None:
    _named("keyring", keys.access_key_id)(lambda: _keyring(request).keep(keys))
    longterm.note(own_directory(request.environ), keys.access_key_id, pending=False)


def _whose(request: Request, config: SharedConfig, keys: Credentials, profile: str | None = None) -> str:
    """Return the ARN of whose keys these are, as STS says it."""
    from credproc.refresh.botosession import botocore_session  # noqa: PLC0415 - botocore
    from credproc.refresh.endpoint import endpoint_for  # noqa: PLC0415
    from credproc.refresh.sts import Sts  # noqa: PLC0415

    name = profile or request.profile or "default"
    endpoint = endpoint_for(config.profiles.get(name, Section(name, name)), config, request.environ, None)
    sts = Sts(botocore_session(config, name), endpoint, mfa=False)
    return sts.get_caller_identity(keys, time.monotonic() + _CALL_SECONDS)


def _files(request: Request) -> tuple[str, str]:
    config, credentials = paths.config_file(request.environ), paths.credentials_file(request.environ)
    if config is None or credentials is None:
        raise ConfigError("keys: there is no home directory, and so no config file", "set HOME or AWS_CONFIG_FILE")
    return config, credentials


def _file_of(request: Request, section: Section) -> tuple[str, bool]:
    """Return the file that says, or is to say, where the profile's keys are, and whether it is the credentials file."""
    config, credentials = _files(request)
    setting = section.get(_SETTING)
    of_credentials = setting is not None and setting.from_credentials_file
    return credentials if of_credentials else config, of_credentials


def _point(request: Request, profile: str, access_key_id: str, section: Section) -> None:
    """Let the profile say that the secret of this key is in the keyring."""
    path, of_credentials = _file_of(request, section)
    edit(
        path,
        paths.shown(path, request.environ),
        lambda text: with_setting(text, profile, _SETTING, access_key_id, of_credentials=of_credentials),
    )


def _unpoint(request: Request, section: Section) -> None:
    path, of_credentials = _file_of(request, section)
    edit(
        path,
        paths.shown(path, request.environ),
        lambda text: without_settings(text, section.name, {_SETTING}, of_credentials=of_credentials),
    )


# --- the command line ------------------------------------------------------------------------------------------

_ACTIONS = {
    "add": "ask for an access key and keep it in the keyring",
    "import": "move a profile's keys from its file into the keyring",
    "list": "show which profiles have their keys in the keyring",
    "remove": "remove a profile's keys from the keyring, and what hangs on them",
    "rotate": "put a new access key in the place of a profile's, or go on with that",
}


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from credproc.commands import add_help  # noqa: PLC0415 - it imports this module

    actions = one.add_subparsers(dest="action", metavar="ACTION", parser_class=type(one), prog="credproc keys")
    for name, text in _ACTIONS.items():
        action = actions.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.", add_help=False, allow_abbrev=False
        )
        add_help(action)
        if name == "list":
            action.add_argument("--json", action="store_true", help="as JSON")
            continue
        action.add_argument("command_profile", metavar="USER", help="the profile of the user whose keys they are")
        if name == "add":
            action.add_argument("--offline", action="store_true", help="do not ask STS whether the keys are right")
        if name in ("import", "remove"):
            action.add_argument("--yes", action="store_true", help="do not ask")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    if options.action == "add":
        return Said(add_keys(request, offline=options.offline))
    if options.action == "import":
        return Said(import_keys(request, yes=options.yes))
    if options.action == "list":
        return Said(list_keys(request, as_json=options.json))
    if options.action == "remove":
        return Said(remove_keys(request, yes=options.yes))
    if options.action == "rotate":
        return Said(rotate_keys(request))
    raise UsageError(f"usage: keys needs one of {', '.join(_ACTIONS)}", "credproc keys --help shows what there is")
