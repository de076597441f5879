"""A plan in words: the steps that a refresh makes of it, what is asked, and what is easily overlooked. No secret."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from credproc.errors import inert, quoted
from credproc.mfa.signin import is_long
from credproc.plan import Plan
from credproc.plan.endpoint import Endpoint
from credproc.plan.role import CHAINED_DURATION_LIMIT, Role

SHOWN = 200  # characters of a value
_SECRET_KEYS = frozenset(("aws_secret_access_key", "aws_session_token", "aws_security_token"))
_COMMAND_KEYS = frozenset(("credential_process", "mfa_process"))  # an argument may be a password
_WEB_IDENTITY_SECONDS = _ROLE_SECONDS = 3600  # STS's own default (STS API reference, AssumeRole)
_NO_IAM = "a session without MFA cannot call IAM, nor STS but for AssumeRole and GetCallerIdentity"


class Step(NamedTuple):
    """One step of a plan; a call of STS where ``operation`` is not None."""

    words: str
    where: str
    operation: str | None = None
    endpoint: str | None = None
    region: str | None = None


def steps(plan: Plan) -> Iterator[Step]:
    """Yield the steps by which a refresh follows the plan, in order."""
    yield _source_step(plan)
    long_lived = _is_long_lived(plan)
    roles = list(plan.roles)
    code = None if plan.mfa is None or not long_lived else f"the code of {inert(plan.mfa.serial)}"
    if code is not None and plan.mfa is not None and roles and (is_long(plan) or plan.mfa.session_store == "none"):
        yield _role_step(plan, roles.pop(0), f" with {code}", chained=False)
    elif code is not None and plan.mfa is not None:
        kept = {"keyring": "the OS keyring", "file": "a private file", "none": "the cache"}[plan.mfa.session_store]
        yield _call(
            plan.endpoint,
            "GetSessionToken",
            f"get a session of {_lasting(plan.session_seconds)} with {code}, kept in {kept}"
            + (" and shared by every role behind these keys" if plan.mfa.session_store != "none" else ""),
            plan.mfa.where,
        )
        long_lived = False
    elif long_lived and not roles:
        lasting = _lasting(plan.session_seconds)
        yield _call(plan.endpoint, "GetSessionToken", f"get a session of {lasting} without MFA", plan.source.where)
    for number, role in enumerate(roles):
        yield _role_step(plan, role, "", chained=not long_lived or number > 0 or len(roles) < len(plan.roles))


def asked(plan: Plan, signed_in_until: int | None) -> str:
    """Return what a person is asked for; ``signed_in_until`` is the end of the MFA session, in epoch seconds."""
    device = plan.mfa
    if device is None or not _is_long_lived(plan):
        return "nothing"
    if signed_in_until is not None and not is_long(plan):
        return "nothing while signed in; then an MFA code"
    code = f"the MFA code of {inert(device.serial)}"
    if device.process is not None:
        return f"nobody: {code} is printed by {setting_shown('mfa_process', device.process.value)}"
    return f"{code}, at the terminal"


def remarks(plan: Plan) -> Iterator[str]:
    """Yield what follows from the plan and is easily overlooked."""
    if plan.is_users_own and plan.mfa is None:
        yield _NO_IAM
    if plan.source.kind == "Environment" and plan.mfa is not None:
        yield "if the environment's keys are temporary they cannot use an MFA device"
    if plan.mfa is not None and plan.mfa.on_role and not _is_long_lived(plan):
        yield f"{plan.mfa.where}: mfa_serial cannot be used: the source's credentials are temporary"
    if plan.mfa is not None and is_long(plan):
        yield "with nobody to ask, a valid MFA session gives the role for 1 h"


def setting_shown(key: str, value: str) -> str:
    """Return a setting's value without what could be a secret."""
    if key in _SECRET_KEYS:
        return "(not shown)"
    if key in _COMMAND_KEYS:
        program, _, rest = value.partition(" ")
        is_ours = program.rpartition("/")[2] == "credproc"
        return inert(value if is_ours or not rest else f"{program} ...", SHOWN)
    return inert(value, SHOWN)


def _source_step(plan: Plan) -> Step:
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
    if source.kind == "Process":
        program = setting_shown("credential_process", source["command"])
        return Step(f"run the program{profile}: {program}", source.where)
    said = {
        "StaticKeys": f"take the keys {identity.get('access_key_id')}{profile}",
        "KeyringKeys": f"take the keys {identity.get('access_key_id')}{profile} from the OS keyring",
        "Environment": f"take the keys {identity.get('AWS_ACCESS_KEY_ID', '')} from the environment".replace("  ", " "),
        "Ec2InstanceMetadata": "ask the metadata service of this instance (IMDSv2) for its role's credentials",
        "EcsContainer": f"ask the container's endpoint for credentials{_endpoint_named(identity)}",
        "IdentityCenter": (
            f"ask IAM Identity Center for role {identity.get('sso_role_name')} in account"
            f" {identity.get('sso_account_id')}, with the token of aws sso login{profile}"
        ),
    }
    return Step(said.get(source.kind, f"take the credentials of {source.kind}{profile}"), source.where)


def _endpoint_named(identity: Mapping[str, str]) -> str:
    return "".join(f" ({value})" for value in identity.values())


def _role_step(plan: Plan, role: Role, with_code: str, *, chained: bool) -> Step:
    wanted = role.duration_seconds or _ROLE_SECONDS
    seconds = min(wanted, CHAINED_DURATION_LIMIT) if chained else wanted
    capped = f" (capped; {_lasting(wanted)} are set)" if seconds < wanted else ""
    more = [] if role.external_id is None else [f"external id {inert(role.external_id, 60)}"]
    more += [] if role.policy is None and not role.policy_arns else ["a session policy"]
    more += [] if not role.session_tags else ["session tags"]
    more += [] if role.source_identity is None else [f"source identity {inert(role.source_identity, 64)}"]
    sent = f", sending {', '.join(more)}" if more else ""
    return _call(
        plan.endpoint,
        "AssumeRole",
        f"assume {inert(role.role_arn)}{with_code}, as {role.role_session_name}, for {_lasting(seconds)}{capped}{sent}",
        role.where,
    )


def _call(endpoint: Endpoint, operation: str, said: str, where: str) -> Step:
    return Step(said, where, operation, endpoint.address, endpoint.signing_region)


def _is_long_lived(plan: Plan) -> bool:
    """Whether the source gives long-term keys, as far as one can tell; those of the environment may be temporary."""
    return plan.source.is_long_term or plan.source.kind == "Environment"


def _lasting(seconds: int) -> str:
    """Return a duration: ``12 h``, ``1 h 30 min``."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if number]
    return " ".join(parts)
