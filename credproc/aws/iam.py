"""A user's access keys in IAM: list, create, deactivate, delete."""

from collections.abc import Mapping
from typing import NamedTuple

from credproc.aws.answer import Element
from credproc.aws.client import Call, Client, Service, Settings
from credproc.aws.errors import MALFORMED_HINT, Explainer
from credproc.aws.operation import called
from credproc.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Credentials, epoch_seconds
from credproc.errors import ServiceError
from credproc.plan.url import Url

VERSION = "2010-05-08"
_READ_SECONDS = 10


class AccessKey(NamedTuple):
    """What IAM says of an access key."""

    access_key_id: str
    created: int  # epoch seconds


class Iam:
    """IAM, called with some credentials about one user.

    All raise ServiceError, NetworkError or ConfigError.
    """

    def __init__(self, endpoint: tuple[str, str], settings: Settings, caller: Credentials, user: str) -> None:
        """Take its URL and the region that it signs for, the profile's settings for calls, who calls, about whom."""
        self.url = Url.of(endpoint[0])
        self._client = Client(Service("iam", VERSION, self.url, endpoint[1]), settings)
        self._caller = caller
        self._user = user

    def access_keys(self) -> list[AccessKey]:
        """Return the user's access keys."""
        answer = self._call("ListAccessKeys", self._user, {})
        found = answer.all("AccessKeyMetadata", "member")
        try:
            keys = [AccessKey(_access_key_id(key), epoch_seconds(key.text("CreateDate") or "")) for key in found]
        except ValueError:
            keys = [AccessKey("", 0)]
        if answer.find("AccessKeyMetadata") is None or not all(key.access_key_id for key in keys):
            raise ServiceError("ListAccessKeys: the answer cannot be understood", MALFORMED_HINT)
        return keys

    def create(self) -> Credentials:
        """Return a new access key; the call is sent once, as a second one could make a second key."""
        answer = self._call("CreateAccessKey", self._user, {})
        key = answer.find("AccessKey") or Element("")
        access_key_id, secret_access_key = _access_key_id(key), key.text("SecretAccessKey") or ""
        if not access_key_id or not SECRET_ACCESS_KEY.fullmatch(secret_access_key):
            raise ServiceError("CreateAccessKey: the answer holds no complete key", MALFORMED_HINT)
        return Credentials(access_key_id, secret_access_key)

    def deactivate(self, access_key_id: str) -> None:
        """Make the key inactive; one that is not there any more is that already."""
        self._on_key("UpdateAccessKey", access_key_id, {"Status": "Inactive"})

    def delete(self, access_key_id: str) -> None:
        """Delete the key, if it is still there."""
        self._on_key("DeleteAccessKey", access_key_id, {})

    def _on_key(self, operation: str, access_key_id: str, parameters: Mapping[str, str]) -> None:
        try:
            self._call(operation, access_key_id, {"AccessKeyId": access_key_id, **parameters})
        except ServiceError as error:
            if error.code != "NoSuchEntity":
                raise

    def _call(self, operation: str, subject: str, parameters: Mapping[str, str]) -> Element:
        call = Call(
            operation, {"UserName": self._user, **parameters}, self._caller, is_once=operation == "CreateAccessKey"
        )
        explainer = Explainer(operation, subject, self.url, mfa=self._caller.temporary)
        try:
            return called(self._client, call, explainer, _READ_SECONDS)
        except ServiceError as error:
            if error.code == "AccessDenied":
                error.hint = f"a policy must allow iam:{operation} on the user itself" + (
                    "" if self._caller.temporary else "; if it asks for MFA, mfa_serial is missing in the profile"
                )
            raise


def _access_key_id(key: Element) -> str:
    """Return the id in IAM's description of a key, or "" if it is no access key id."""
    found = key.text("AccessKeyId") or ""
    return found if ACCESS_KEY_ID.fullmatch(found) else ""
