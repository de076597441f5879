"""credproc explain: a profile's plan in words, with the line of every setting that took part; from files alone."""

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from credproc.commands.entries import until_shown
from credproc.commands.profiles import Cached, Look, aliased
from credproc.commands.said import Said
from credproc.errors import ConfigError, inert, quoted
from credproc.refresh.endpoint import Endpoint
from credproc.refresh.plan import Plan
from credproc.refresh.request import Request
from credproc.refresh.roles import CHAINED_DURATION_LIMIT, Role
from credproc.refresh.sharedconfig import Section, Setting, SharedConfig, read
from credproc.refresh.signin import is_long

GROUP = "set up"
HELP = "show how a profile is resolved, step by step"
DESCRIPTION = (
    "Say in words how a profile is resolved: which settings take part, which calls are made where, what is cached, and"
    " what is asked. No network, no secret."
)

_SECRET_KEYS = frozenset(("aws_secret_access_key", "aws_session_token", "aws_security_token"))
_COMMAND_KEYS = frozenset(("credential_process", "mfa_process"))  # an argument may be a password
_SHOWN = 200  # characters of a value
_WEB_IDENTITY_SECONDS = _ROLE_SECONDS = 3600  # STS's own default (STS API reference, AssumeRole)
NO_IAM = "a session without MFA cannot call IAM, nor STS but for AssumeRole and GetCallerIdentity"


class Taken(NamedTuple):
    """A setting or variable that took part."""

    name: str
    value: str
    where: str


class Step(NamedTuple):
    """One step of a plan; a call of STS where ``operation`` is not None."""

    words: str
    where: str
    operation: str | None = None
    endpoint: str | None = None
    region: str | None = None


class Explained(NamedTuple):
    """All that is said of a profile; words and JSON are made of it."""

    profile: str | None
    alias_of: str | None
    settings: list[Taken]
    steps: list[Step]
    cached: Cached | None
    signed_in_until: int | None  # epoch seconds
    asked: str
    remarks: list[str]


class _Noting(Section):
    """A section that notes which of its settings have been looked at and were there."""

    def __init__(self, section: Section, taken: dict[tuple[str, str], Taken]) -> None:
        super().__init__(section.name, section.where)
        self.update(section)
        self._taken = taken

    def setting(self, key: str) -> Setting | None:
        found = super().setting(key)
        if found is not None:
            name = f"credproc_{key}" if f"credproc_{key}" in self else key
            self._taken[found.where, name] = Taken(name, _shown(key, found.value), found.where)
        return found


class _NotingVariables(Mapping[str, str]):
    """The environment, noting which variables have been looked at and were there."""

    def __init__(self, environ: Mapping[str, str], taken: dict[tuple[str, str], Taken]) -> None:
        self._environ = environ
        self._taken = taken

    def __getitem__(self, name: str) -> str:
        value = self._environ[name]
        if value:
            self._taken["", name] = Taken(name, inert(value, _SHOWN), "the environment")
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def explained(config: SharedConfig, request: Request) -> Explained:
    """Return what there is to say of the request's profile. Raises ConfigError."""
    taken: dict[tuple[str, str], Taken] = {}
    noting = replace(
        config,
        profiles={name: _Noting(section, taken) for name, section in config.profiles.items()},
        sso_sessions={name: _Noting(section, taken) for name, section in config.sso_sessions.items()},
        services={name: _Noting(section, taken) for name, section in config.services.items()},
    )
    look = Look(noting, request)
    plan = look.plan(request.profile, _NotingVariables(request.environ, taken))
    section = config.profiles.get(request.profile or "default")
    alias = None if section is None or plan.profile == section.name else aliased(section, request.program)
    session = look.session(plan)
    until = None if session is None else session.expiration
    return Explained(
        profile=request.profile,
        alias_of=alias,
        settings=list(taken.values()),
        steps=list(_steps(plan)),
        cached=look.cached(request.profile, plan),
        signed_in_until=until,
        asked=_asked(plan, until),
        remarks=list(_remarks(plan)),
    )


def words(about: Explained, now: float) -> str:
    """Return it as lines for a person; ``now`` is in epoch seconds."""
    lines = ["no profile is named" if about.profile is None else f"profile {quoted(about.profile)}"]
    if about.alias_of is not None:
        lines[0] += f", which is profile {quoted(about.alias_of)} through credproc"
    lines += ["", "settings that take part:"]
    width = max((len(one.where) for one in about.settings), default=0)
    lines += [f"  {one.where.ljust(width)}  {one.name} = {one.value}" for one in about.settings] or ["  none"]
    lines += ["", "steps:"]
    for number, step in enumerate(about.steps, start=1):
        lines.append(f"  {number}. {step.words}")
        lines.append(f"     by {inert(step.where)}")
        if step.operation is not None:
            lines.append(f"     {step.operation} at {step.endpoint}, signed for {step.region}")
    lines.append("")
    if about.cached is None:
        lines.append("cached: nothing")
    else:
        lines.append(
            f"cached: credentials {until_shown(about.cached.expiration, now)}; until a refresh no step is made"
        )
    if about.signed_in_until is not None:
        lines.append(f"signed in: {until_shown(about.signed_in_until, now)}")
    lines.append(f"asked: {about.asked}")
    lines += [f"remark: {remark}" for remark in about.remarks]
    return "\n".join(lines) + "\n"


def as_json(about: Explained) -> str:
    """Return it as JSON."""
    fields = about._asdict() | {
        "settings": [one._asdict() for one in about.settings],
        "steps": [one._asdict() for one in about.steps],
        "cached": None if about.cached is None else about.cached._asdict(),
    }
    return json.dumps(fields, indent=2) + "\n"


def _shown(key: str, value: str) -> str:
    """Return a setting's value without what could be a secret."""
    if key in _SECRET_KEYS:
        return "(not shown)"
    if key in _COMMAND_KEYS:
        program, _, rest = value.partition(" ")
        is_ours = program.rpartition("/")[2] == "credproc"
        return inert(value if is_ours or not rest else f"{program} ...", _SHOWN)
    return inert(value, _SHOWN)


def _steps(plan: Plan) -> Iterator[Step]:
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


def _source_step(plan: Plan) -> Step:
    source = plan.source
    identity = {key: inert(value, _SHOWN) for key, value in source.identity}
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
        program = _shown("credential_process", source["command"])
        return Step(f"run the program{profile}: {program}", source.where)
    said = {
        "StaticKeys": f"take the keys {identity.get('access_key_id')}{profile}",
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
    """Whether the source gives long-term keys, as far as the files tell; those of the environment may be temporary."""
    keys = plan.source.keys
    return (keys is not None and not keys.temporary) or plan.source.kind == "Environment"


def _asked(plan: Plan, signed_in_until: int | None) -> str:
    device = plan.mfa
    if device is None or not _is_long_lived(plan):
        return "nothing"
    if signed_in_until is not None and not is_long(plan):
        return "nothing while signed in; then an MFA code"
    code = f"the MFA code of {inert(device.serial)}"
    if device.process is not None:
        return f"nobody: {code} is printed by {_shown('mfa_process', device.process.value)}"
    return f"{code}, at the terminal"


def _remarks(plan: Plan) -> Iterator[str]:
    keys = plan.source.keys
    if keys is not None and not keys.temporary and plan.mfa is None and not plan.roles:
        yield NO_IAM
    if plan.source.kind == "Environment" and plan.mfa is not None:
        yield "if the environment's keys are temporary they cannot use an MFA device"
    if plan.mfa is not None and plan.mfa.on_role and not _is_long_lived(plan):
        yield f"{plan.mfa.where}: mfa_serial cannot be used: the source's credentials are temporary"
    if plan.mfa is not None and is_long(plan):
        yield "with nobody to ask, a valid MFA session gives the role for 1 h"


def _lasting(seconds: int) -> str:
    """Return a duration: ``12 h``, ``1 h 30 min``."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if number]
    return " ".join(parts)


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    one.add_argument("name", nargs="?", metavar="NAME", help="the profile (default: AWS_PROFILE)")
    one.add_argument("--json", action="store_true", help="as JSON")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    request = request._replace(profile=options.name or request.profile)
    config = read(request.environ)
    try:
        about = explained(config, request)
    except ConfigError as error:
        error.hint = error.hint or "credproc list shows the profiles"
        raise
    return Said(as_json(about) if options.json else words(about, request.clock()))
