"""credproc policy: the two IAM policies that a profile's role asks for, as the AWS CLI guide describes them."""

import argparse
import json
import re
from typing import Any, NamedTuple

from credproc.commands.arguments import add_name
from credproc.commands.profile_state import ProfileInspector
from credproc.commands.ui.output import Said
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
    "Print the role's trust policy and the caller's permission to assume it, as the profile implies them. Where the"
    " profile does not say something, a word in capitals stands for it."
)

_VERSION = "2012-10-17"  # of the policy language
# A virtual device is named after its user by habit only, so the ARN is a guess that the heading names
_VIRTUAL_DEVICE = re.compile(r"arn:([\w-]+):iam::(\d{12}):mfa/([\w+=,.@/-]+)")
_ROLE_NAME = re.compile(r"arn:([\w-]+):iam::(\d*):role/(.+)")


class Policies(NamedTuple):
    """The two policies of a role, and to whom each belongs."""

    role_arn: str
    caller: str
    trust: dict[str, Any]
    permission: dict[str, Any] | None  # None: a web identity needs none
    source_trust: dict[str, Any] | None  # of the role that a machine or container has; None: the source is none
    remarks: tuple[str, ...]


class _Caller(NamedTuple):
    """Who assumes the role, as far as the profile says."""

    arn: str
    words: str
    remark: str | None = None


class _Service(NamedTuple):
    """A service of AWS that gives a role to what runs there, and a word that stands for the role's name."""

    role: str
    principal: str


def policies(plan: Plan) -> Policies:
    """Return the policies of the plan's last role. Raises ConfigError if it has none."""
    if plan.roles:
        return _of_role(plan, plan.roles[-1])
    if plan.source.role is not None:
        return _of_web_identity(plan.source.role)
    raise ConfigError(
        f"{plan.source.where}: profile {quoted(plan.profile or 'default')} assumes no role",
        "name a profile with role_arn: credproc list shows them",
    )


def words(found: Policies) -> str:
    """Return the policies as JSON documents, each below a line that says where it belongs."""
    lines = [f"trust policy of {inert(found.role_arn)}:", _document(found.trust)]
    if found.permission is not None:
        lines += ["", f"permission of {inert(found.caller)}:", _document(found.permission)]
    if found.source_trust is not None:
        lines += ["", f"trust policy of {inert(found.caller)}:", _document(found.source_trust)]
    if found.remarks:
        lines += ["", *(f"remark: {remark}" for remark in found.remarks)]
    return "\n".join(lines) + "\n"


def as_json(found: Policies) -> str:
    """Return all of it as one JSON object."""
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
            "the MFA condition belongs to the first role of the chain: a session of a role does not carry it on"
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
    remark = "PROVIDER is the token's issuer without https://, AUDIENCE and SUBJECT are the token's aud and sub"
    return Policies(role.role_arn, "the token's bearer", trust, None, None, (remark,))


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
        return _Caller(arn, arn, "the user is taken to have the name of the MFA device")
    service = _service(plan.source.kind)
    if service is not None:
        arn = f"arn:{partition}:iam::{account}:role/{service.role}"
        return _Caller(arn, arn, f"{service.role} stands for the name of the role that the machine or container has")
    if plan.source.kind == "IdentityCenter":
        settings = dict(plan.source.identity)
        arn = f"arn:{partition}:iam::{settings['sso_account_id']}:root"
        remark = (
            "the account stands for the role that IAM Identity Center makes for the permission set"
            f" {inert(settings['sso_role_name'], 64)}: its name begins with AWSReservedSSO_"
        )
        return _Caller(arn, f"the permission set {settings['sso_role_name']}", remark)
    known = plan.source.keys.account_id if plan.source.keys is not None else None
    arn = f"arn:{partition}:iam::{known or account}:root"
    return _Caller(
        arn,
        "the caller",
        "the account stands for any of its users and roles that may assume the role: the profile does not say which",
    )


def _service_trust(plan: Plan) -> dict[str, Any] | None:
    """Return the trust policy of the role that a machine or container has, or None where the source is none."""
    service = _service(plan.source.kind)
    if service is None or len(plan.roles) != 1:
        return None
    principal = service.principal
    if principal.startswith("ec2.") and plan.roles[0].role_arn.startswith("arn:aws-cn:"):
        principal += ".cn"  # IAM user guide, "AWS service principals": EC2's differs in China
    return _statement(["sts:AssumeRole"], {}, principal={"Service": principal})


def _service(kind: SourceKind) -> _Service | None:
    """Return the service that gives the source its role, or None where none does."""
    match kind:
        case "Ec2InstanceMetadata":
            return _Service("INSTANCE-ROLE", "ec2.amazonaws.com")
        case "EcsContainer":
            return _Service("TASK-ROLE", "ecs-tasks.amazonaws.com")
        case "StaticKeys" | "KeyringKeys" | "Environment" | "WebIdentity" | "IdentityCenter" | "Process":
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
    """Return the partition, account and name in a role's ARN, with words in capitals where it has none."""
    found = _ROLE_NAME.fullmatch(role_arn)
    partition = role_arn.split(":")[1]
    return (partition, account_in(role_arn) or "ACCOUNT", found[3] if found else "ROLE")


def _document(policy: dict[str, Any]) -> str:
    return json.dumps(policy, indent=2)


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_name(one, "the profile (default: AWS_PROFILE)", optional=True)
    one.add_argument("--json", action="store_true", help="as one JSON object")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    plan = ProfileInspector(read(request.environ), request).plan(request.profile)
    found = policies(plan)
    return Said(as_json(found) if options.json else words(found))
