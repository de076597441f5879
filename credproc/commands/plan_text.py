"""Descriptions of a plan without secrets: the steps of the next refresh, what it asks for, and remarks."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from credproc.commands.ui.times import format_duration
from credproc.config.grammar import split_command
from credproc.config.settings import PromptPlace, StoreKind, setting_named
from credproc.errors import inert, quoted
from credproc.plan import Plan
from credproc.plan.endpoint import Endpoint
from credproc.plan.source import Source
from credproc.plan.steps import AssumeRole, Circumstances, GetSession, UseSession, is_long, steps
from credproc.refresh.denied_session import ADVICE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credproc.mfa.dialog.programs import Found

MAX_VALUE = 200  # characters of a setting's value; a longer value is cut
NOT_SHOWN = "(not shown)"
_WEB_IDENTITY_SECONDS = _ROLE_SECONDS = 3600  # STS's own default (STS API reference, AssumeRole)
# STS API reference, GetSessionToken
_NO_IAM = "a session without MFA cannot call IAM, and of STS only AssumeRole and GetCallerIdentity"


class StepText(NamedTuple):
    """The description of one step; ``operation``, ``endpoint`` and ``region`` are None if it does not call STS."""

    words: str
    where: str
    operation: str | None = None
    endpoint: str | None = None
    region: str | None = None


class PlanContext(NamedTuple):
    """What the steps of a plan depend on right now: circumstances, and the MFA session and its store."""

    circumstances: Circumstances
    session_store: StoreKind  # of the existing session, or the one that the settings choose
    signed_in_until: int | None = None  # epoch seconds
    no_store_reason: str | None = None  # why no session can be stored
    windows: "Found | None" = None  # the programs that show windows, where one is wanted
    denied_age: int | None = None  # seconds; how old an MFA session was that AWS denied the role a short time ago


def step_texts(plan: Plan, context: PlanContext) -> list[StepText]:
    """Return the steps of the next refresh, in order. Raises ConfigError."""
    found = [_source_text(plan)]
    for step in steps(plan, context.circumstances):
        if isinstance(step, AssumeRole):
            found.append(_role_text(plan, step))
        elif isinstance(step, GetSession):
            found.append(_session_text(plan, step, context.session_store))
        else:
            found.append(_shared_session_text(plan, context))
    return found


def asked(plan: Plan, context: PlanContext) -> str:
    """Return what the next refresh asks the user for. Raises ConfigError."""
    device = plan.mfa
    found = steps(plan, context.circumstances)
    if device is None or not any(isinstance(step, UseSession) or step.with_code for step in found):
        return "nothing"
    if isinstance(found[0], UseSession):
        return "nothing while signed in, then an MFA code"
    code = f"the MFA code of {device.serial}"
    if device.process is not None:
        return f"nothing: {setting_shown('mfa_process', device.process.value)} prints {code}"
    return f"{code}, {_asking_place(device.prompt, context.windows)}"


def _asking_place(prompt: PromptPlace, windows: "Found | None") -> str:
    if windows is None:
        return "at the terminal"
    if not windows.is_available:
        return f"at the terminal, and in no window: {windows.unavailable_reason}"
    window = f"in a window of {inert(windows.shown_by, MAX_VALUE)}"
    return window if prompt == "dialog-always" else f"at the terminal, or {window} where there is none"


def remarks(plan: Plan, context: PlanContext) -> Iterator[str]:
    """Yield consequences of the plan that are easy to overlook."""
    is_temporary = context.circumstances.is_source_temporary
    if plan.is_user_session and plan.mfa is None:
        yield _NO_IAM
    if plan.mfa is None:
        return
    if is_temporary and not plan.mfa.on_role:
        yield f"{plan.mfa.where}: mfa_serial is ignored, because the source's credentials are temporary"
    if context.denied_age is not None and plan.mfa.session_store != "none":
        age = format_duration(context.denied_age // 60 * 60)
        yield f"AWS denied the role to an MFA session that was {age} old; if the trust policy limits that, {ADVICE}"
    if is_long(plan):
        yield "if nobody can be asked, credproc assumes the role with a valid MFA session, for 1 h"
    elif context.no_store_reason is not None and not is_temporary:
        yield f"the MFA session cannot be stored, so each role needs a code of its own: {context.no_store_reason}"


def store_name(store: StoreKind) -> str:
    """Return the name of a session store in a sentence."""
    match store:
        case "keyring":
            return "the OS keyring"
        case "kernel":
            return "the kernel's keyring"
        case "file":
            return "a private file"
        case "none":
            return "no store"


def setting_shown(key: str, value: str) -> str:
    """Return the value of the setting ``key``, or as much of it as cannot be a secret."""
    known = setting_named(key)
    match "all" if known is None else known.shown:
        case "nothing":
            return NOT_SHOWN
        case "the program":
            return inert(_command_shown(value), MAX_VALUE)
        case "all":
            return inert(value, MAX_VALUE)


def _command_shown(command: str) -> str:
    """Return a command without its arguments, unless it is a line as ``setup`` writes it."""
    try:
        words = split_command(command)
    except ValueError:  # a quotation without end
        words = command.split()
    is_ours = re.split(r"[/\\]", words[0])[-1] in ("credproc", "credproc.exe") if words else False
    if len(words) < 2 or (is_ours and len(words) == 3 and words[1] == "--profile"):
        return command
    return f"{words[0]} ..."


def _source_text(plan: Plan) -> StepText:
    source = plan.source
    identity = {key: inert(value, MAX_VALUE) for key, value in source.identity}
    profile = "" if source.profile is None else f" of profile {quoted(source.profile)}"
    if source.role is not None:
        return _call(
            plan.endpoint,
            "AssumeRoleWithWebIdentity",
            f"assume {source.role.role_arn} with the token in {identity['token_file']},"
            f" as {source.role.role_session_name}, for {format_duration(_WEB_IDENTITY_SECONDS)}",
            source.where,
        )
    return StepText(_source_words(source, identity, profile), source.where)


def _source_words(source: Source, identity: Mapping[str, str], profile: str) -> str:
    match source.kind:
        case "StaticKeys":
            return f"read the access key {identity['access_key_id']}{profile}"
        case "KeyringKeys":
            return f"read the access key {identity['access_key_id']}{profile} from the OS keyring"
        case "Environment":
            which = "".join(f" {value}" for value in identity.values())
            return f"read the access key{which} from the environment"
        case "Ec2InstanceMetadata":
            return "get the credentials of this instance's role from the metadata service (IMDSv2)"
        case "EcsContainer":
            return f"get credentials from the container's endpoint{_endpoint_variable(identity)}"
        case "IdentityCenter":
            return (
                f"get credentials of the role {identity['sso_role_name']} in account {identity['sso_account_id']}"
                f" from IAM Identity Center, with the token of aws sso login{profile}{_token_receivers(source)}"
            )
        case "LoginSession":
            return f"get credentials from the AWS CLI, which has them from aws login{profile}"
        case "Process":
            return f"run the program{profile}: {setting_shown('credential_process', source.field('command'))}"
        case "WebIdentity":
            return f"read the token in {identity['token_file']}"


def _token_receivers(source: Source) -> str:
    """Return where Identity Center's token is sent, as far as that is not AWS's own; checked, and so inert."""
    verbs = {"sso": "goes to", "sso_oidc": "is renewed at"}
    sent = [f"{verbs[name]} {url[:MAX_VALUE]}" for name, url in source.urls.items()]
    return f", which {' and '.join(sent)}" if sent else ""


def _endpoint_variable(identity: Mapping[str, str]) -> str:
    return "".join(f" ({value})" for value in identity.values())


def _role_text(plan: Plan, step: AssumeRole) -> StepText:
    role = step.role
    wanted = role.duration_seconds or _ROLE_SECONDS
    seconds = step.duration_seconds or _ROLE_SECONDS
    capped = f" (capped by AWS; the profile sets {format_duration(wanted)})" if seconds < wanted else ""
    code = f" with {_code(plan)}" if step.with_code else ""
    sent = [] if role.external_id is None else [f"external id {inert(role.external_id, 60)}"]
    sent += [] if role.policy is None and not role.policy_arns else ["a session policy"]
    sent += [] if not role.session_tags else ["session tags"]
    sent += [] if role.source_identity is None else [f"source identity {inert(role.source_identity, 64)}"]
    parameters = f", sending {', '.join(sent)}" if sent else ""
    return _call(
        plan.endpoint,
        "AssumeRole",
        f"assume {role.role_arn}{code}, as {role.role_session_name},"
        f" for {format_duration(seconds)}{capped}{parameters}",
        role.where,
    )


def _session_text(plan: Plan, step: GetSession, store: StoreKind) -> StepText:
    duration = format_duration(step.duration_seconds)
    if not step.with_code or plan.mfa is None:
        return _call(plan.endpoint, "GetSessionToken", f"get a session of {duration} without MFA", plan.source.where)
    use = "which is cached for this profile alone"
    if step.is_shared:
        use = f"store it in {store_name(store)}, and use it for every role of this user"
    words = f"get an MFA session of {duration} with {_code(plan)}, {use}"
    return _call(plan.endpoint, "GetSessionToken", words, plan.mfa.where)


def _shared_session_text(plan: Plan, context: PlanContext) -> StepText:
    where = plan.source.where if plan.mfa is None else plan.mfa.where
    return StepText(f"use the MFA session in {store_name(context.session_store)}", where)


def _code(plan: Plan) -> str:
    return "" if plan.mfa is None else f"the code of {plan.mfa.serial}"


def _call(endpoint: Endpoint, operation: str, words: str, where: str) -> StepText:
    return StepText(words, where, operation, endpoint.address, endpoint.signing_region)
