"""An action's parameters as the query protocol sends them, and STS's constraints on them.

Source: STS API reference, version 2011-06-15, the "Request Parameters" of each action.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.sts.answers import RefusedError, validation_error

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_POLICY_ARNS = 10
MAX_TAGS = 50
MAX_POLICY_LENGTH = 2048
# AWS does not publish the packed format's size; compressed bytes against this number come near enough to refuse
# what is far too large.
PACKED_BYTES = 2048


@dataclass(frozen=True)
class Text:
    """A string parameter: its least and greatest length, and the pattern of the whole."""

    least: int
    most: int
    pattern: str = r"[\s\S]*"

    def complaint(self, value: str) -> str | None:
        """Return what AWS says of a value that does not fit, or None."""
        if len(value) < self.least:
            return f"Member must have length greater than or equal to {self.least}"
        if len(value) > self.most:
            return f"Member must have length less than or equal to {self.most}"
        if not re.fullmatch(self.pattern, value, re.ASCII):
            return f"Member must satisfy regular expression pattern: {self.pattern}"
        return None


@dataclass(frozen=True)
class Seconds:
    """A duration: its least and greatest value in seconds."""

    least: int
    most: int

    def complaint(self, value: str) -> str | None:
        """Return what AWS says of a value that does not fit, or None."""
        if not re.fullmatch(r"-?\d+", value, re.ASCII):
            return "Member must be an integer"
        if int(value) < self.least:
            return f"Member must have value greater than or equal to {self.least}"
        if int(value) > self.most:
            return f"Member must have value less than or equal to {self.most}"
        return None


ROLE_ARN = Text(20, 2048)
SESSION_NAME = Text(2, 64, r"[\w+=,.@-]*")
SERIAL_NUMBER = Text(9, 256, r"[\w+=/:,.@-]*")
TOKEN_CODE = Text(6, 6, r"[\d]*")

CONSTRAINTS: Mapping[str, Mapping[str, Text | Seconds]] = {
    "AssumeRole": {
        "RoleArn": ROLE_ARN,
        "RoleSessionName": SESSION_NAME,
        "DurationSeconds": Seconds(900, 43200),
        "ExternalId": Text(2, 1224, r"[\w+=,.@:\/-]*"),
        "Policy": Text(1, MAX_POLICY_LENGTH),
        "SerialNumber": SERIAL_NUMBER,
        "TokenCode": TOKEN_CODE,
        "SourceIdentity": Text(2, 64, r"[\w+=,.@-]*"),
    },
    "AssumeRoleWithWebIdentity": {
        "RoleArn": ROLE_ARN,
        "RoleSessionName": SESSION_NAME,
        "DurationSeconds": Seconds(900, 43200),
        "Policy": Text(1, MAX_POLICY_LENGTH),
        "ProviderId": Text(4, 2048),
        "WebIdentityToken": Text(4, 20000),
    },
    "GetSessionToken": {
        "DurationSeconds": Seconds(900, 129600),
        "SerialNumber": SERIAL_NUMBER,
        "TokenCode": TOKEN_CODE,
    },
    "GetCallerIdentity": {},
}
REQUIRED = {
    "AssumeRole": ("RoleArn", "RoleSessionName"),
    "AssumeRoleWithWebIdentity": ("RoleArn", "RoleSessionName", "WebIdentityToken"),
}
LISTS = {
    "AssumeRole": ("PolicyArns", "Tags", "TransitiveTagKeys"),
    "AssumeRoleWithWebIdentity": ("PolicyArns",),
}
LIST_MEMBER = re.compile(
    r"(PolicyArns\.member\.\d+\.arn|Tags\.member\.\d+\.(Key|Value)|TransitiveTagKeys\.member\.\d+)"
)


def check(action: str, parameters: Mapping[str, str]) -> None:
    """Raise a ValidationError that names everything that is wrong with the parameters, as AWS does."""
    constraints, lists = CONSTRAINTS[action], LISTS.get(action, ())
    for name in parameters:
        known_list = name.partition(".")[0] in lists and (LIST_MEMBER.fullmatch(name) or name in lists)
        if name not in constraints and not known_list:
            raise validation_error(f"Unknown parameter {name} for {action}")
    complaints = [
        f"Value null at '{_member(name)}' failed to satisfy constraint: Member must not be null"
        for name in REQUIRED.get(action, ())
        if name not in parameters
    ]
    for name, constraint in constraints.items():
        value = parameters.get(name)
        complaint = None if value is None else constraint.complaint(value)
        if complaint:
            complaints.append(f"Value '{value}' at '{_member(name)}' failed to satisfy constraint: {complaint}")
    if complaints:
        noun = "error" if len(complaints) == 1 else "errors"
        raise validation_error(f"{len(complaints)} validation {noun} detected: {'; '.join(complaints)}")


def check_policy(parameters: Mapping[str, str]) -> int | None:
    """Return how many percent of the allotted space policies and tags take, None where there are none.

    Raises MalformedPolicyDocument and PackedPolicyTooLarge.
    """
    policy = parameters.get("Policy")
    packed = [
        policy or "",
        *(name + value for name, value in sorted(parameters.items()) if LIST_MEMBER.fullmatch(name)),
    ]
    if not any(packed):
        return None
    if policy is not None:
        try:
            sound = isinstance(json.loads(policy), dict)
        except ValueError:
            sound = False
        if not sound:
            raise RefusedError(400, "MalformedPolicyDocument", "This policy contains invalid Json")
    arns = members(parameters, "PolicyArns", ".arn")
    if len(arns) > MAX_POLICY_ARNS or not all(arn.startswith("arn:") and len(arn) >= 20 for arn in arns):
        raise validation_error("The specified policy ARNs are not valid or too many")
    percent = -(-100 * len(zlib.compress("\n".join(packed).encode(), 9)) // PACKED_BYTES)
    if percent > 100:
        message = f"Packed policy consumes {percent}% of allotted space, please use smaller policy."
        raise RefusedError(400, "PackedPolicyTooLarge", message)
    return percent


def tags(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the session tags; raise a ValidationError where a key or value cannot be one."""
    keys, values = members(parameters, "Tags", ".Key"), members(parameters, "Tags", ".Value")
    if len(keys) != len(values) or len(keys) > MAX_TAGS:
        raise validation_error("Each tag needs a key and a value, and there can be at most 50")
    if len({key.lower() for key in keys}) != len(keys):
        raise RefusedError(
            400, "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    for key, value in zip(keys, values, strict=True):
        allowed = all(character.isalnum() or character in " _.:/=+-@" for character in key + value)
        if not 1 <= len(key) <= 128 or len(value) > 256 or not allowed or key.lower().startswith("aws:"):
            raise validation_error(f"1 validation error detected: the tag '{key}' failed to satisfy constraint")
    return dict(zip(keys, values, strict=True))


def members(parameters: Mapping[str, str], name: str, suffix: str = "") -> list[str]:
    """Return a list's members; `Name.member.1`, `.2`, … without a gap, or raise a ValidationError."""
    prefix = f"{name}.member."
    found = {}
    for key, value in parameters.items():
        if key.startswith(prefix) and key.endswith(suffix):
            found[int(key[len(prefix) : len(key) - len(suffix)])] = value
    if sorted(found) != list(range(1, len(found) + 1)):
        raise validation_error(f"The members of {name} are not numbered from 1 without a gap")
    return [found[number] for number in sorted(found)]


def _member(name: str) -> str:
    return name[0].lower() + name[1:]
