"""Checks of profiles: their credential_process lines, what SDKs read before those, and whether a plan can be made."""

import os
import re
from collections.abc import Iterator, Mapping

from credproc.commands.doctor.check import Check, fail, from_error, ok, warn
from credproc.commands.doctor.helper_lines import Line
from credproc.config.settings import PREFIX, ROLE_NAMES, SESSION_TOKEN_NAMES, SETTINGS
from credproc.config.shared_config import Section, SharedConfig
from credproc.errors import EXAMPLE_PROGRAM, ConfigError, by_platform, for_shell, quoted
from credproc.plan import Plan
from credproc.process.command_line import executable_at, programs_in_path
from credproc.sources.sign_in import is_signed_in


def settings_that_win(section: Section) -> Iterator[Check]:
    """Yield a failure for each setting of the section that SDKs prefer to its ``credential_process``."""
    for setting in SETTINGS:
        found = section.get(setting.name)
        if found is None or not setting.wins_in:
            continue
        hint = "move it to a profile of its own"
        if setting.name in ROLE_NAMES:
            hint = f"rename it to {PREFIX}{setting.name}, or move it to a profile of its own"
        sdks = ", ".join(setting.wins_in)
        yield fail(f"{found.where}: {setting.name} wins over credential_process in {sdks}", hint)


def helper_line(line: Line, program: str | None, environ: Mapping[str, str]) -> Iterator[Check]:
    """Yield what makes a credential_process line that starts credproc fail in one SDK or another.

    ``program`` is the path of this credproc, or None if it is unknown.
    """
    where, command = line.where, line.command
    own = _absolute_path(program, environ)
    hint = f"write credential_process = {own or EXAMPLE_PROGRAM} --profile NAME"
    if line.comment:
        yield fail(
            f"{where}: boto3 and the AWS CLI pass the comment after credential_process to the program as arguments",
            "put the comment on a line of its own",
        )
    if re.search(by_platform(posix=r"[\"'\\]", windows=r"[\"']"), command):
        yield fail(f"{where}: credential_process contains quotes, which SDKs interpret differently", hint)
        return
    if re.search(by_platform(posix=r"~|\$|%|[|&;<>`(){}*?]", windows=r"^~|\$|%|[|&;<>`(){}*?^]"), command):
        yield fail(f"{where}: credential_process needs a shell to expand it, and not every SDK starts one", hint)
        return
    path = command.split()[0] if command.split() else ""
    if not os.path.isabs(path):
        yield warn(f"{where}: credential_process contains no absolute path, so PATH chooses the program", hint)
        return
    found = executable_at(path, environ)
    if found is None and not os.path.exists(path):
        yield fail(f"{where}: {path} does not exist", f"{hint}, if credproc has moved")
    elif found is None:
        yield fail(f"{where}: {path} cannot be executed", hint)
    elif not _is_this_program(found, own):
        yield warn(f"{where}: {path} is a different credproc than this one", hint)


def _absolute_path(program: str | None, environ: Mapping[str, str]) -> str | None:
    if program is None:
        return None
    has_directory = bool(os.path.dirname(program))
    found = executable_at(program, environ) if has_directory else next(programs_in_path(program, environ), None)
    return None if found is None else os.path.abspath(found)


def _is_this_program(path: str, own: str | None) -> bool:
    try:
        return own is None or os.path.samefile(path, own)
    except OSError:
        return True  # nothing shows that it is another one


def plan_result(profile: str, error: ConfigError | None) -> Check:
    """Return whether a plan can be made for the profile; ``error`` says why not."""
    if error is None:
        return ok(f"profile {quoted(profile)}: its settings are valid")
    return from_error(error, f"profile {quoted(profile)}: ")


def keys_in_plain_sight(config: SharedConfig) -> Iterator[Check]:
    """Yield a warning for each profile whose long-term keys lie in the credentials file.

    Some programs take the first that they find there instead of the role (CONTRACT.md, 1.6).
    """
    for section in config.profiles.values():
        key = section.get("aws_access_key_id")
        is_temporary = any(section.get(name) for name in SESSION_TOKEN_NAMES)
        if key is not None and key.value and key.from_credentials_file and not is_temporary:
            yield warn(
                f"{key.where}: some programs use these long-term keys, whatever AWS_PROFILE says",
                f"run credproc keys import {for_shell(section.name)} to move them into the keyring",
            )


def signed_out(plan: Plan, profile: str, environ: Mapping[str, str], now: float) -> Iterator[Check]:
    """Yield a warning if the user is not signed in where the source of the profile wants that."""
    if not is_signed_in(plan.source, environ, now):
        yield warn(f"profile {quoted(profile)}: signed out", f"run credproc login {for_shell(profile)}")


def session_without_iam(plan: Plan, subject: str) -> Iterator[Check]:
    """Yield a warning if the credentials are a session that cannot call IAM (STS API reference, GetSessionToken)."""
    if plan.is_user_session and plan.mfa is None:
        yield warn(
            f"{subject}: its credentials are a session without MFA, which cannot call IAM",
            "set mfa_serial in it, or name a role in role_arn",
        )
