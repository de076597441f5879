"""credproc policy: the IAM policies with which a profile's role can be assumed, as the AWS CLI guide has them."""

import argparse
import json
import re
from typing import Any, NamedTuple

from credproc.commands.arguments import add_profile_choice
from credproc.commands.profile_state import ProfileInspector
from credproc.commands.ui.output import Document, Output
from credproc.config.parser import read
from credproc.credentials import account_in
from credproc.errors import ConfigError, inert, quoted
from credproc.plan import Plan
from credproc.plan.role import Role
from credproc.plan.source import SourceKind
from credproc.request import Request

GROUP = "set up"
HELP = "print the IAM policies that a role profile needs"
DESCRIPTION = (
    "Print the role's trust policy and the policy that permits the caller to assume it, as the profile implies them."
    " A word in capitals stands for what the profile does not say."
)

_VERSION = "2012-10-17"  # of the policy language
# A virtual device usually has its user's name, but need not; a remark says that the user is a guess
_VIRTUAL_DEVICE = re.compile(r"arn:([\w-]+):iam::(\d{12}):mfa/([\w+=,.@/-]+)")
_ROLE_NAME = re.compile(r"arn:([\w-]+):iam::(\d*):role/(.+)")


class Policies(NamedTuple):
    """The policies with which a role can be assumed."""

    role_arn: str
    caller: str
    trust: dict[str, Any]
    permission: dict[str, Any] | None  # the caller's; None: a web identity needs no permission
    source_trust: dict[str, Any] | None  # of the instance's or container's role; None: the source is neither
    remarks: tuple[str, ...]


class _Caller(NamedTuple):
    """The principal that assumes the role, as far as the profile says; ``words`` names it in a sentence."""

    arn: str
    words: str
    remark: str | None = None


class _Service(NamedTuple):
    """An AWS service that gives its machines a role: the placeholder for the role's name, and the principal."""

    role: str
    principal: str


def policies(plan: Plan) -> Policies:
    """Return the policies of the plan's last role. Raises ConfigError if the plan has no role."""
    if plan.roles:
        return _of_role(plan, plan.roles[-1])
    if plan.source.role is not None:
        return _of_web_identity(plan.source.role)
    subject = "no profile is named, and the environment" if plan.profile is None else f"profile {quoted(plan.profile)}"
    raise ConfigError(
        f"{plan.source.where}: {subject} assumes no role",
        "name a profile with role_arn; credproc list shows them",
    )


def as_lines(found: Policies) -> list[str]:
    """Return the policies as JSON documents, each below a line that says what it belongs to."""
    lines = [f"trust policy of {found.role_arn}:", *_document(found.trust)]
    if found.permission is not None:
        lines += ["", f"permissions policy of {found.caller}:", *_document(found.permission)]
    if found.source_trust is not None:
        lines += ["", f"trust policy of {found.caller}:", *_document(found.source_trust)]
    if found.remarks:
        lines += ["", *(f"remark: {remark}" for remark in found.remarks)]
    return lines


def as_json(found: Policies) -> str:
    """Return the policies and the remarks as one JSON object."""
    return json.dumps(found._asdict(), indent=2) + "\n"


def _of_role(plan: Plan, role: Role) -> Policies:
    caller = _caller(plan, role)
    with_mfa = plan.mfa is not None and len(plan.roles) == 1
    actions = ["sts:AssumeRole"]
    actions += ["sts:TagSession"] if role.session_tags else []
    actions += ["sts:SetSourceIdentity"] if role.source_identity is not None else []
    condition: dict[str, dict[str, str]] = {}
    if with_mfa:
        condition["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
    if role.external_id is not None:
        condition["StringEquals"] = {"sts:ExternalId": role.external_id}
    remarks = [] if caller.remark is None else [caller.remark]
    if plan.mfa is not None and not with_mfa:
        remarks.append(
            "the MFA condition belongs to the first role of the chain; credentials of a role do not pass it on"
        )
    if (role.duration_seconds or 0) > 3600 and len(plan.roles) == 1:
        remarks.append(f"the role's maximum session duration must be at least {role.duration_seconds} seconds")
    trust = _statement(actions, condition, principal={"AWS": caller.arn})
    permission = _statement(actions, {}, resource=role.role_arn)
    return Policies(role.role_arn, caller.words, trust, permission, _service_trust(plan), tuple(remarks))


def _of_web_identity(role: Role) -> Policies:
    partition, account, _ = _parts(role.role_arn)
    provider = f"arn:{partition}:iam::{account}:oidc-provider/PROVIDER"
    condition = {"StringEquals": {"PROVIDER:aud": "AUDIENCE", "PROVIDER:sub": "SUBJECT"}}
    trust = _statement(["sts:AssumeRoleWithWebIdentity"], condition, principal={"Federated": provider})
    remark = "PROVIDER is the token's issuer without https://; AUDIENCE and SUBJECT are its claims aud and sub"
    return Policies(role.role_arn, "the bearer of the token", trust, None, None, (remark,))


def _caller(plan: Plan, role: Role) -> _Caller:
    partition, account, _ = _parts(role.role_arn)
    if len(plan.roles) > 1:
        before = plan.roles[-2].role_arn
        return _Caller(before, before)
    if plan.source.role is not None:
        return _Caller(plan.source.role.role_arn, plan.source.role.role_arn)
    device = None if plan.mfa is None else _VIRTUAL_DEVICE.fullmatch(plan.mfa.serial)
    if device is not None:
        arn = f"arn:{device[1]}:iam::{device[2]}:user/{device[3]}"
        return _Caller(arn, arn, "this assumes that the user has the name of the MFA device")
    service = _service(plan.source.kind)
    if service is not None:
        arn = f"arn:{partition}:iam::{account}:role/{service.role}"
        return _Caller(arn, arn, f"{service.role} stands for the name of the instance's or container's role")
    if plan.source.kind == "IdentityCenter":
        settings = dict(plan.source.identity)
        arn = f"arn:{partition}:iam::{settings['sso_account_id']}:root"
        remark = (
            "the account stands for the role that IAM Identity Center creates for the permission set"
            f" {inert(settings['sso_role_name'], 64)}: its name begins with AWSReservedSSO_"
        )
        return _Caller(arn, f"the permission set {settings['sso_role_name']}", remark)
    known = plan.source.keys.account_id if plan.source.keys is not None else None
    arn = f"arn:{partition}:iam::{known or account}:root"
    return _Caller(
        arn,
        "the caller",
        "the account stands for all of its users and roles, because the profile does not say which of them calls",
    )


def _service_trust(plan: Plan) -> dict[str, Any] | None:
    """Return the trust policy of the instance's or container's role, or None if the source is neither."""
    service = _service(plan.source.kind)
    if service is None or len(plan.roles) != 1:
        return None
    principal = service.principal
    if principal.startswith("ec2.") and plan.roles[0].role_arn.startswith("arn:aws-cn:"):
        principal += ".cn"  # IAM user guide, "AWS service principals": EC2's differs in China
    return _statement(["sts:AssumeRole"], {}, principal={"Service": principal})


def _service(kind: SourceKind) -> _Service | None:
    """Return the AWS service that gives the source its role, or None if there is none."""
    match kind:
        case "Ec2InstanceMetadata":
            return _Service("INSTANCE-ROLE", "ec2.amazonaws.com")
        case "EcsContainer":
            return _Service("TASK-ROLE", "ecs-tasks.amazonaws.com")
        case (
            "StaticKeys" | "KeyringKeys" | "Environment" | "WebIdentity" | "IdentityCenter" | "LoginSession" | "Process"
        ):
            return None


def _statement(
    actions: list[str],
    condition: dict[str, dict[str, str]],
    *,
    principal: dict[str, str] | None = None,
    resource: str | None = None,
) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow"}
    if principal is not None:
        statement["Principal"] = principal
    statement["Action"] = actions[0] if len(actions) == 1 else actions
    if resource is not None:
        statement["Resource"] = resource
    if condition:
        statement["Condition"] = condition
    return {"Version": _VERSION, "Statement": [statement]}


def _parts(role_arn: str) -> tuple[str, str, str]:
    """Return the partition, account and name in a role's ARN; a word in capitals stands for a missing part."""
    found = _ROLE_NAME.fullmatch(role_arn)
    partition = role_arn.split(":")[1]
    return (partition, account_in(role_arn) or "ACCOUNT", found[3] if found else "ROLE")


def _document(policy: dict[str, Any]) -> list[str]:
    return json.dumps(policy, indent=2).split("\n")


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_profile_choice(
        parser,
        "the profile",
        wanted=lambda _, plan: plan is not None and (bool(plan.roles) or plan.source.role is not None),
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace, request: Request) -> Output | Document:
    """Run the command."""
    plan = ProfileInspector(read(request.environ), request).plan(request.profile)
    found = policies(plan)
    return Document(as_json(found)) if options.json else Output(as_lines(found))
