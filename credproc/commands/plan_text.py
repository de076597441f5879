"""A plan in words: the steps of the next refresh, what a person is asked, what is easily overlooked. No secret."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from credproc.commands.ui.times import until_shown
from credproc.config.settings import SessionStore, setting_named
from credproc.errors import inert, quoted
from credproc.plan import Plan
from credproc.plan.endpoint import Endpoint
from credproc.plan.source import Source
from credproc.plan.steps import AssumeRole, Circumstances, GetSession, UseSession, is_long, steps

SHOWN = 200  # characters of a value
_WEB_IDENTITY_SECONDS = _ROLE_SECONDS = 3600  # STS's own default (STS API reference, AssumeRole)
_NO_IAM = "a session without MFA cannot call IAM, nor STS but for AssumeRole and GetCallerIdentity"


class StepText(NamedTuple):
    """One step of a plan in words; ``operation`` is None where it calls nothing of AWS's Query APIs."""

    words: str
    where: str
    operation: str | None = None
    endpoint: str | None = None
    region: str | None = None


class Standing(NamedTuple):
    """How a plan stands now: what its steps depend on, where its MFA session is, and why none can be kept."""

    circumstances: Circumstances
    session_store: SessionStore  # the store of the session that there is, or that the settings choose
    signed_in_until: int | None = None  # epoch seconds
    why_no_store: str | None = None


def step_texts(plan: Plan, standing: Standing, now: float) -> list[StepText]:
    """Return the steps of the next refresh, in order; ``now`` is in epoch seconds. Raises ConfigError."""
    found = [_source_text(plan)]
    for step in steps(plan, standing.circumstances):
        if isinstance(step, AssumeRole):
            found.append(_role_text(plan, step))
        elif isinstance(step, GetSession):
            found.append(_session_text(plan, step, standing.session_store))
        else:
            found.append(_shared_session_text(plan, standing, now))
    return found


def asked(plan: Plan, standing: Standing) -> str:
    """Return what a person is asked for. Raises ConfigError."""
    device = plan.mfa
    found = steps(plan, standing.circumstances)
    if device is None or not any(isinstance(step, UseSession) or step.with_code for step in found):
        return "nothing"
    if isinstance(found[0], UseSession):
        return "nothing while signed in; then an MFA code"
    code = f"the MFA code of {inert(device.serial)}"
    if device.process is not None:
        return f"nobody: {setting_shown('mfa_process', device.process.value)} prints {code}"
    return f"{code}, at the terminal"


def remarks(plan: Plan, standing: Standing) -> Iterator[str]:
    """Yield what follows from the plan and is easily overlooked."""
    is_temporary = standing.circumstances.is_source_temporary
    if plan.is_users_own and plan.mfa is None:
        yield _NO_IAM
    if plan.mfa is None:
        return
    if is_temporary and not plan.mfa.on_role:
        yield f"{plan.mfa.where}: mfa_serial is ignored: the source's credentials are temporary"
    if is_long(plan):
        yield "where nobody can be asked, a valid MFA session gets the role for 1 h"
    elif standing.why_no_store is not None and not is_temporary:
        yield f"the MFA session cannot be kept, so each role asks for a code of its own: {inert(standing.why_no_store)}"


def store_shown(store: SessionStore) -> str:
    """Return where a store keeps MFA sessions."""
    match store:
        case "keyring":
            return "the OS keyring"
        case "file":
            return "a private file"
        case "none":
            return "no store"


def setting_shown(key: str, value: str) -> str:
    """Return a setting's value without what could be a secret."""
    known = setting_named(key)
    match "all" if known is None else known.shown:
        case "nothing":
            return "(not shown)"
        case "the program":
            program, _, rest = value.partition(" ")
            is_ours = program.rpartition("/")[2] == "credproc"
            return inert(value if is_ours or not rest else f"{program} ...", SHOWN)
        case "all":
            return inert(value, SHOWN)


def _source_text(plan: Plan) -> StepText:
    source = plan.source
    identity = {key: inert(value, SHOWN) for key, value in source.identity}
    profile = "" if source.profile is None else f" of profile {quoted(source.profile)}"
    if source.role is not None:
        return _call(
            plan.endpoint,
            "AssumeRoleWithWebIdentity",
            f"take the role {inert(source.role.role_arn)} with the token in {identity['token_file']},"
            f" as {source.role.role_session_name}, for {_lasting(_WEB_IDENTITY_SECONDS)}; the call is not signed",
            source.where,
        )
    return StepText(_source_words(source, identity, profile), source.where)


def _source_words(source: Source, identity: Mapping[str, str], profile: str) -> str:
    match source.kind:
        case "StaticKeys":
            return f"take the keys {identity['access_key_id']}{profile}"
        case "KeyringKeys":
            return f"take the keys {identity['access_key_id']}{profile} from the OS keyring"
        case "Environment":
            which = "".join(f" {value}" for value in identity.values())
            return f"take the keys{which} from the environment"
        case "Ec2InstanceMetadata":
            return "ask the metadata service of this instance (IMDSv2) for its role's credentials"
        case "EcsContainer":
            return f"ask the container's endpoint for credentials{_endpoint_named(identity)}"
        case "IdentityCenter":
            return (
                f"ask IAM Identity Center for role {identity['sso_role_name']} in account"
                f" {identity['sso_account_id']}, with the token of aws sso login{profile}"
            )
        case "Process":
            return f"run the program{profile}: {setting_shown('credential_process', source.named('command'))}"
        case "WebIdentity":
            return f"take the token in {identity['token_file']}"


def _endpoint_named(identity: Mapping[str, str]) -> str:
    return "".join(f" ({value})" for value in identity.values())


def _role_text(plan: Plan, step: AssumeRole) -> StepText:
    role = step.role
    wanted = role.duration_seconds or _ROLE_SECONDS
    seconds = step.duration_seconds or _ROLE_SECONDS
    capped = f" (capped; {_lasting(wanted)} are set)" if seconds < wanted else ""
    code = f" with {_code(plan)}" if step.with_code else ""
    more = [] if role.external_id is None else [f"external id {inert(role.external_id, 60)}"]
    more += [] if role.policy is None and not role.policy_arns else ["a session policy"]
    more += [] if not role.session_tags else ["session tags"]
    more += [] if role.source_identity is None else [f"source identity {inert(role.source_identity, 64)}"]
    sent = f", sending {', '.join(more)}" if more else ""
    return _call(
        plan.endpoint,
        "AssumeRole",
        f"assume {inert(role.role_arn)}{code}, as {role.role_session_name}, for {_lasting(seconds)}{capped}{sent}",
        role.where,
    )


def _session_text(plan: Plan, step: GetSession, store: SessionStore) -> StepText:
    lasting = _lasting(step.duration_seconds)
    if not step.with_code or plan.mfa is None:
        return _call(plan.endpoint, "GetSessionToken", f"get a session of {lasting} without MFA", plan.source.where)
    kept = "kept in the cache for this profile alone"
    if step.is_kept:
        kept = f"kept in {store_shown(store)} and shared by every role behind these keys"
    words = f"get a session of {lasting} with {_code(plan)}, {kept}"
    return _call(plan.endpoint, "GetSessionToken", words, plan.mfa.where)


def _shared_session_text(plan: Plan, standing: Standing, now: float) -> StepText:
    until = "" if standing.signed_in_until is None else f", valid {until_shown(standing.signed_in_until, now)}"
    where = plan.source.where if plan.mfa is None else plan.mfa.where
    return StepText(f"use the MFA session in {store_shown(standing.session_store)}{until}", where)


def _code(plan: Plan) -> str:
    return "" if plan.mfa is None else f"the code of {inert(plan.mfa.serial)}"


def _call(endpoint: Endpoint, operation: str, words: str, where: str) -> StepText:
    return StepText(words, where, operation, endpoint.address, endpoint.signing_region)


def _lasting(seconds: int) -> str:
    """Return a duration: ``12 h``, ``1 h 30 min``."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if number]
    return " ".join(parts)
