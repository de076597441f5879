"""A user's access keys in IAM: list, create, deactivate, delete; each by its deadline."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config

from credproc.aws.errors import MALFORMED_HINT, Call
from credproc.credentials import Credentials
from credproc.errors import ConfigError, DeadlineError, ServiceError
from credproc.plan.endpoint import Endpoint, is_loopback
from credproc.process.deadline import within

_CONNECT_SECONDS = 3
_READ_SECONDS = 10
_METHODS = {
    "ListAccessKeys": "list_access_keys",
    "CreateAccessKey": "create_access_key",
    "UpdateAccessKey": "update_access_key",
    "DeleteAccessKey": "delete_access_key",
}


class AccessKey(NamedTuple):
    """What IAM says of an access key."""

    access_key_id: str
    created: int  # epoch seconds


class Iam:
    """IAM, called with some credentials about one user; deadlines are in seconds of ``time.monotonic()``.

    All raise ServiceError, NetworkError or ConfigError.
    """

    def __init__(self, session: botocore.session.Session, endpoint: Endpoint, caller: Credentials, user: str) -> None:
        """Take a session that knows the profile's settings, the STS endpoint for its region, who calls, about whom."""
        self._session = session
        self._endpoint = endpoint
        self._caller = caller
        self._user = user

    def access_keys(self, deadline: float) -> list[AccessKey]:
        """Return the user's access keys."""
        answer = self._call("ListAccessKeys", self._user, {}, deadline)
        try:
            return [
                AccessKey(found["AccessKeyId"], int(found["CreateDate"].timestamp()))
                for found in answer["AccessKeyMetadata"]
            ]
        except (KeyError, TypeError, AttributeError):
            raise ServiceError("ListAccessKeys: the answer cannot be understood", MALFORMED_HINT) from None

    def create(self, deadline: float) -> Credentials:
        """Return a new access key; the call is sent once, as a second one could make a second key."""
        found = self._call("CreateAccessKey", self._user, {}, deadline).get("AccessKey") or {}
        keys = (found.get("AccessKeyId"), found.get("SecretAccessKey"))
        if not all(keys):
            raise ServiceError("CreateAccessKey: the answer holds no complete key", MALFORMED_HINT)
        return Credentials(str(keys[0]), str(keys[1]))

    def deactivate(self, access_key_id: str, deadline: float) -> None:
        """Make the key inactive; one that is not there any more is that already."""
        self._on_key("UpdateAccessKey", access_key_id, {"Status": "Inactive"}, deadline)

    def delete(self, access_key_id: str, deadline: float) -> None:
        """Delete the key, if it is still there."""
        self._on_key("DeleteAccessKey", access_key_id, {}, deadline)

    def _on_key(self, operation: str, access_key_id: str, parameters: Mapping[str, str], deadline: float) -> None:
        try:
            self._call(operation, access_key_id, {"AccessKeyId": access_key_id, **parameters}, deadline)
        except ServiceError as error:
            if error.code != "NoSuchEntity":
                raise

    def _call(self, operation: str, subject: str, parameters: Mapping[str, str], deadline: float) -> Mapping[str, Any]:
        call = Call(operation, subject, "IAM", mfa=self._caller.temporary)

        def send() -> Mapping[str, Any]:
            with call.set_up():
                client = self._client(once=operation == "CreateAccessKey")
            call.endpoint = client.meta.endpoint_url
            _check(call.endpoint)
            with call.sent():
                answer: Mapping[str, Any] = getattr(client, _METHODS[operation])(UserName=self._user, **parameters)
            return answer

        try:
            return within(deadline, send)
        except DeadlineError:
            raise call.unanswered() from None
        except ServiceError as error:
            if error.code == "AccessDenied":
                error.hint = f"a policy must allow iam:{operation} on the user itself" + (
                    "" if self._caller.temporary else "; if it asks for MFA, mfa_serial is missing in the profile"
                )
            raise

    def _client(self, *, once: bool) -> Any:  # noqa: ANN401 - botocore makes its classes up
        options: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS}
        if once:
            options["retries"] = {"total_max_attempts": 1}
        return self._session.create_client(
            "iam",
            region_name=self._endpoint.region,
            aws_access_key_id=self._caller.access_key_id,
            aws_secret_access_key=self._caller.secret_access_key,
            aws_session_token=self._caller.session_token,
            config=Config(**options),
        )


def _check(url: str) -> None:
    """Raise ConfigError if secrets would be sent where others could read them."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ConfigError(
            f"{url}: the IAM endpoint is plain http: others could read the new key",
            "write https; http is for this machine only (AWS_ENDPOINT_URL_IAM sets the endpoint of IAM alone)",
        )
