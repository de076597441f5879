"""credproc keys add: ask for an access key and store it in the keyring."""

from collections.abc import Callable, Sequence
from contextlib import closing

from credproc.commands.keys.config import set_key
from credproc.commands.keys.keyring import check_keyring, identity_arn, store_key
from credproc.commands.ui.prompt import Prompter
from credproc.config.parser import read
from credproc.config.shared_config import Section, Setting
from credproc.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Credentials, account_in
from credproc.errors import ConfigError, DeadlineError, NetworkError, ServiceError, for_shell, quoted
from credproc.plan.role import mfa_serial_of
from credproc.plan.source import keys_in_keyring
from credproc.request import Request

_HINT = "run it in a terminal: it reads access keys from nowhere else"
_TRIES = 3
_MISTYPED = ("InvalidClientTokenId", "SignatureDoesNotMatch")  # what STS says of a wrong id and of a wrong secret


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
    with closing(Prompter("keys add", request, _HINT)) as prompter:
        prompter.open()
        check_keyring("keys add", request)
        owner = None if offline else lambda keys: identity_arn(keys, profile, config, request.environ)
        keys, arn = _valid_keys(prompter, profile, owner)
        device = _device(prompter, arn) if section.setting("mfa_serial") is None else ""
    store_key(request, keys)
    set_key(request, section, keys.access_key_id, device)
    of = f" of {arn}" if arn else ""
    lines = [f"{keys.access_key_id}{of} is in the keyring, for profile {quoted(profile)}"]
    lines += [f"its MFA device is {device}"] if device else []
    if before is not None and before.value != keys.access_key_id:
        lines.append(f"{before.value}, the profile's previous access key, is still in the keyring")
    return lines


def _valid_keys(
    prompter: Prompter, profile: str, owner: Callable[[Credentials], str] | None
) -> tuple[Credentials, str]:
    """Return the access key that the user types, and whose it is; empty if ``owner`` is None, as nobody is asked then.

    Whoever mistypes it has three tries, in which Enter takes what was typed before. A key that cannot be checked is
    stored, with an empty owner, if the user says so. Raises CredprocError.
    """
    typed = _keys(prompter, profile, None, ())
    number = 1
    while owner is not None:
        try:
            return typed, owner(typed)
        except (ServiceError, NetworkError, DeadlineError) as error:
            if not isinstance(error, ServiceError) or error.code not in _MISTYPED:
                prompter.confirm("Store the access key without a check?", lines=[f"credproc: {error}"])
                break
            number += 1
            if number > _TRIES:
                raise
            typed = _keys(prompter, profile, typed, [f"credproc: {error} (try {number} of {_TRIES})"])
    return typed, ""


def _keys(prompter: Prompter, profile: str, before: Credentials | None, remark: Sequence[str]) -> Credentials:
    takes_id = "" if before is None else f" (Enter: {before.access_key_id})"
    question = f"AWS access key id for profile {quoted(profile)}{takes_id}: "
    previous = (None, None) if before is None else (before.access_key_id, before.secret_access_key)
    access_key_id = _typed(prompter, question, _check_id, previous[0], lines=remark)
    takes_secret = "" if before is None else "; Enter: the same"
    question = f"AWS secret access key for {access_key_id} (not shown{takes_secret}): "
    return Credentials(access_key_id, _typed(prompter, question, _check_secret, previous[1], shown=False))


def _device(prompter: Prompter, arn: str) -> str:
    """Return the MFA device that the user names; empty for none."""
    account = account_in(arn) or "123456789012"
    question = f"MFA device, such as arn:aws:iam::{account}:mfa/NAME (Enter: none): "
    return _typed(prompter, question, _check_device, "")


def _typed(  # noqa: PLR0913 - a question and what is right
    prompter: Prompter,
    question: str,
    check: Callable[[str], None],
    default: str | None,
    *,
    lines: Sequence[str] = (),
    shown: bool = True,
) -> str:
    """Return what the user types, in at most three tries; an empty line is ``default``, or no try.

    Raises the ConfigError of ``check`` for the last of them.
    """
    number = 1
    while True:
        typed = prompter.ask(question, lines=lines, shown=shown)
        lines = ()
        if not typed:
            if default is None:
                continue
            return default
        try:
            check(typed)
        except ConfigError as error:
            number += 1
            if number > _TRIES:
                raise
            lines = (f"credproc: {error}; {error.hint} (try {number} of {_TRIES})",)
        else:
            return typed


def _check_id(typed: str) -> None:
    if not ACCESS_KEY_ID.fullmatch(typed):
        raise ConfigError("keys add: not an access key id", "an access key id looks like AKIAIOSFODNN7EXAMPLE")
    if typed.startswith("ASIA"):
        raise ConfigError(
            "keys add: this is the id of temporary credentials, which expire", "enter the access key of an IAM user"
        )


def _check_secret(typed: str) -> None:
    if not SECRET_ACCESS_KEY.fullmatch(typed):
        raise ConfigError("keys add: not a secret access key", "a secret access key has 40 characters and no spaces")


def _check_device(typed: str) -> None:
    """Raise ConfigError by the rule for ``mfa_serial`` in a profile."""
    section = Section("", "keys add")
    section["mfa_serial"] = Setting(typed, "keys add")
    mfa_serial_of(section)
