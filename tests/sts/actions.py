"""What STS decides: AssumeRole, AssumeRoleWithWebIdentity, GetSessionToken, GetCallerIdentity.

Source: STS API reference, version 2011-06-15. The order is: parameters, MFA code (which is spent even if the request
is then refused), trust, limits that depend on the role.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tests.sts.answers import Elements, RefusedError, access_denied, iso, validation_error
from tests.sts.iam import Credentials, Iam, Role, session_arn
from tests.sts.parameters import check_policy, members, tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CHAINED_LIMIT = 3600


@dataclass(frozen=True)
class Asked:
    """A request whose signer is known and whose parameters have the right form."""

    iam: Iam
    caller: Credentials
    parameters: Mapping[str, str]

    def get(self, name: str) -> str | None:
        """Return the parameter, or None."""
        return self.parameters.get(name)

    def seconds(self, default: int) -> int:
        """Return DurationSeconds."""
        return int(self.parameters.get("DurationSeconds", default))


def assume_role(asked: Asked) -> Elements:
    """Give out a role session."""
    packed = check_policy(asked.parameters)
    role_arn = asked.parameters["RoleArn"]
    if role_arn.count(":") < 5 or not role_arn.startswith("arn:"):
        raise validation_error("Request ARN is invalid")
    mfa_at = _mfa(asked)
    role = asked.iam.role(role_arn)
    if role is None or not _trusted(asked, role, mfa_at):
        raise _not_authorized(asked.caller, "sts:AssumeRole", role_arn)
    transitive = _tag_session(asked, role)
    source_identity = _source_identity(asked, role)
    if asked.caller.expiration is not None and asked.seconds(CHAINED_LIMIT) > CHAINED_LIMIT:
        raise validation_error(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        )
    _check_role_limit(asked, role)
    issued = _issue(asked, role, source_identity, transitive)
    result: dict[str, str | Elements] = {
        "AssumedRoleUser": _assumed_role_user(asked, role),
        "Credentials": _credentials(issued),
    }
    if packed is not None:
        result["PackedPolicySize"] = str(packed)
    if source_identity is not None:
        result["SourceIdentity"] = source_identity
    return result


def assume_role_with_web_identity(asked: Asked) -> Elements:
    """Give out a role session for the token of an OIDC issuer that the role trusts."""
    packed = check_policy(asked.parameters)
    claims = asked.iam.claims(asked.parameters["WebIdentityToken"])
    if claims is None:
        raise RefusedError(
            400,
            "InvalidIdentityToken",
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        )
    now = int(asked.iam.now())
    if int(claims["exp"]) <= now:
        message = f"Token expired: current date/time {now} must be before the expiration date/time {claims['exp']}"
        raise RefusedError(400, "ExpiredTokenException", message)
    role = asked.iam.role(asked.parameters["RoleArn"])
    if role is None or not _trusted_by_claims(role, asked, claims):
        raise access_denied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
    _check_role_limit(asked, role)
    issued = _issue(asked, role, None, ())
    result: dict[str, str | Elements] = {
        "SubjectFromWebIdentityToken": str(claims["sub"]),
        "Audience": str(claims["aud"]),
        "Provider": f"arn:aws:iam::{issued.account}:oidc-provider/{str(claims['iss']).partition('//')[2]}",
        "AssumedRoleUser": _assumed_role_user(asked, role),
        "Credentials": _credentials(issued),
    }
    if packed is not None:
        result["PackedPolicySize"] = str(packed)
    return result


def get_session_token(asked: Asked) -> Elements:
    """Give out a session of the user who asks."""
    caller = asked.caller
    if caller.expiration is not None:
        raise access_denied("Cannot call GetSessionToken with session credentials")
    mfa_at = _mfa(asked)
    session = Credentials("", caller.arn, "user session", "", mfa_at=mfa_at)
    return {"Credentials": _credentials(asked.iam.issue(session, asked.seconds(43200)))}


def get_caller_identity(asked: Asked) -> Elements:
    """Say who asks; nobody can be denied this."""
    caller = asked.caller
    return {"Arn": caller.arn, "UserId": _user_id(caller.arn), "Account": caller.account}


ACTIONS: Mapping[str, Callable[[Asked], Elements]] = {
    "AssumeRole": assume_role,
    "AssumeRoleWithWebIdentity": assume_role_with_web_identity,
    "GetSessionToken": get_session_token,
    "GetCallerIdentity": get_caller_identity,
}


def _mfa(asked: Asked) -> float | None:
    """Return when the caller's MFA was checked (now, if a code came and is right), or None."""
    serial, code = asked.get("SerialNumber"), asked.get("TokenCode")
    if serial is None and code is None:
        return asked.caller.mfa_at
    if serial is None or code is None:
        raise access_denied(
            "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
        )
    user = asked.iam.user(asked.caller.arn)  # a role session has no device
    if user is None or user.mfa_serial != serial:
        raise access_denied(
            "MultiFactorAuthentication failed, unable to validate MFA code.  "
            "Please verify your MFA serial number is valid and associated with this user."
        )
    if not asked.iam.spend(user, code):
        raise access_denied("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
    return asked.iam.now()


def _trusted(asked: Asked, role: Role, mfa_at: float | None) -> bool:
    trust = role.trust
    return (
        trust.admits(asked.caller)
        and trust.admits_mfa(mfa_at, asked.iam.now())
        and trust.external_id in {None, asked.get("ExternalId")}
        and role.admits_name(asked.parameters["RoleSessionName"])
    )


def _trusted_by_claims(role: Role, asked: Asked, claims: Mapping[str, str | int]) -> bool:
    trust = role.trust
    return (
        trust.federated == claims["iss"]
        and trust.audience == claims["aud"]
        and fnmatchcase(str(claims["sub"]), trust.subject)
        and role.admits_name(asked.parameters["RoleSessionName"])
    )


def _tag_session(asked: Asked, role: Role) -> tuple[str, ...]:
    """Return the tags' keys that go on along the chain."""
    given = tags(asked.parameters)
    transitive = members(asked.parameters, "TransitiveTagKeys")
    inherited = asked.caller.transitive_tags
    if (given or transitive) and not role.trust.tag_session:
        raise _not_authorized(asked.caller, "sts:TagSession", role.arn)
    if not {key.lower() for key in transitive} <= {key.lower() for key in given}:
        raise validation_error("The specified transitive tag key must be included in the requested tags.")
    if not {key.lower() for key in inherited}.isdisjoint(key.lower() for key in given):
        raise RefusedError(
            400,
            "InvalidParameterValue",
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
            "from the calling session.",
        )
    return (*inherited, *transitive)


def _source_identity(asked: Asked, role: Role) -> str | None:
    """Return the session's source identity, which once set goes along the chain and cannot change."""
    asked_for, inherited = asked.get("SourceIdentity"), asked.caller.source_identity
    if asked_for is None and inherited is None:
        return None
    if not role.trust.set_source_identity or (inherited is not None and asked_for not in {None, inherited}):
        raise _not_authorized(asked.caller, "sts:SetSourceIdentity", role.arn)
    return asked_for if inherited is None else inherited


def _check_role_limit(asked: Asked, role: Role) -> None:
    if asked.seconds(3600) > role.max_session_duration:
        raise validation_error("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")


def _issue(asked: Asked, role: Role, source_identity: str | None, transitive: tuple[str, ...]) -> Credentials:
    # A role session says nothing of its caller's MFA (IAM user guide, "Secure API access with MFA").
    session = Credentials(
        "",
        role.session_arn(asked.parameters["RoleSessionName"]),
        "role session",
        "",
        role_arn=role.arn,
        source_identity=source_identity,
        transitive_tags=transitive,
    )
    return asked.iam.issue(session, asked.seconds(3600))


def _assumed_role_user(asked: Asked, role: Role) -> Elements:
    name = asked.parameters["RoleSessionName"]
    return {"AssumedRoleId": f"{role.role_id}:{name}", "Arn": role.session_arn(name)}


def _credentials(issued: Credentials) -> Elements:
    return {
        "AccessKeyId": issued.access_key_id,
        "SecretAccessKey": issued.secret_access_key,
        "SessionToken": issued.session_token or "",
        "Expiration": issued.expiration_text,
    }


def _not_authorized(caller: Credentials, action: str, resource: str) -> RefusedError:
    return access_denied(f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource}")


def _user_id(arn: str) -> str:
    prefix, _, name = ("AROA", "", arn.rpartition("/")[2]) if ":assumed-role/" in arn else ("AIDA", "", "")
    unique = hashlib.sha256(arn.rpartition("/")[0].encode() if name else arn.encode()).hexdigest()[:17].upper()
    return f"{prefix}{unique}:{name}" if name else f"{prefix}{unique}"


def permissive(action: str, parameters: Mapping[str, str], access_key_id: str, now: float) -> Elements:
    """Answer anybody anything, with keys that depend on signer, action and role alone.

    So two programs that ask the same in the same order show the same signers, and their calls can be compared.
    """
    role_arn = parameters.get("RoleArn", "")
    sound = role_arn.startswith("arn:") and role_arn.count(":") >= 5
    name = parameters.get("RoleSessionName", "")
    digest = hashlib.sha256(f"{access_key_id}\x00{action}\x00{role_arn}".encode()).hexdigest().upper()
    if action == "GetCallerIdentity":
        return {"Arn": "arn:aws:iam::123456789012:user/any", "UserId": "AIDAANY", "Account": "123456789012"}
    credentials: Elements = {
        "AccessKeyId": f"ASIA{digest[:16]}",
        "SecretAccessKey": digest[16:56],
        "SessionToken": f"FwoGZXIvYXdzE{digest}",
        "Expiration": iso(now + float(parameters.get("DurationSeconds", 3600))),
    }
    if action == "GetSessionToken":
        return {"Credentials": credentials}
    arn = session_arn(role_arn, name) if sound else "arn:aws:sts::123456789012:assumed-role/any/any"
    return {"Credentials": credentials, "AssumedRoleUser": {"AssumedRoleId": f"AROAANY:{name}", "Arn": arn}}
