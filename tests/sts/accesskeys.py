"""What IAM decides of a user's access keys: ListAccessKeys, CreateAccessKey, UpdateAccessKey, DeleteAccessKey.

Source: IAM API reference, version 2010-05-08. A user may do these to itself; where its policy asks for MFA
(``Iam.mfa_for_keys``), only by a session that was signed in with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sts.answers import Elements, RefusedError, access_denied, iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.sts.actions import Asked
    from tests.sts.iam import Credentials

VERSION = "2010-05-08"
LIMIT = 2  # IAM user guide, "IAM and AWS STS quotas"


def list_access_keys(asked: Asked) -> Elements:
    """Say which keys the user has."""
    shown = [_shown(asked, key) for key in _keys(asked, "ListAccessKeys")]
    return {"UserName": asked.parameters["UserName"], "AccessKeyMetadata": shown, "IsTruncated": "false"}


def create_access_key(asked: Asked) -> Elements:
    """Make another key."""
    if len(_keys(asked, "CreateAccessKey")) >= LIMIT:
        raise RefusedError(409, "LimitExceeded", f"Cannot exceed quota for AccessKeysPerUser: {LIMIT}")
    key = asked.iam.add_key(asked.caller.arn)
    return {"AccessKey": {**_shown(asked, key), "SecretAccessKey": key.secret_access_key}}


def update_access_key(asked: Asked) -> Elements:
    """Make a key active or inactive."""
    key = _key(asked, "UpdateAccessKey")
    asked.iam.set_active(key.access_key_id, active=asked.parameters["Status"] == "Active")
    return {}


def delete_access_key(asked: Asked) -> Elements:
    """Delete a key."""
    asked.iam.revoke(_key(asked, "DeleteAccessKey").access_key_id)
    return {}


ACTIONS: Mapping[str, Callable[[Asked], Elements]] = {
    "ListAccessKeys": list_access_keys,
    "CreateAccessKey": create_access_key,
    "UpdateAccessKey": update_access_key,
    "DeleteAccessKey": delete_access_key,
}


def _keys(asked: Asked, action: str) -> list[Credentials]:
    """Return the keys of the user who asks, and is asked about."""
    caller, name = asked.caller, asked.parameters.get("UserName", "")
    if caller.kind == "user session" and caller.mfa_at is None:  # STS API reference, GetSessionToken
        raise RefusedError(403, "InvalidClientTokenId", "The security token included in the request is invalid")
    refusal = f"User: {caller.arn} is not authorized to perform: iam:{action} on resource: user {name}"
    if caller.kind == "role session" or caller.arn.rpartition("/")[2] != name:
        raise access_denied(refusal)
    if asked.iam.mfa_for_keys and caller.mfa_at is None:
        raise access_denied(f"{refusal} with an explicit deny in an identity-based policy")
    return asked.iam.keys_of(caller.arn)


def _key(asked: Asked, action: str) -> Credentials:
    wanted = asked.parameters["AccessKeyId"]
    for key in _keys(asked, action):
        if key.access_key_id == wanted:
            return key
    raise RefusedError(404, "NoSuchEntity", f"The Access Key with id {wanted} cannot be found.")


def _shown(asked: Asked, key: Credentials) -> dict[str, str]:
    return {
        "UserName": asked.parameters["UserName"],
        "AccessKeyId": key.access_key_id,
        "Status": "Active" if asked.iam.is_active(key.access_key_id) else "Inactive",
        "CreateDate": iso(asked.iam.made_at(key.access_key_id)),
    }
