"""Credentials, and the Version 1 document in which SDKs read them."""

import json
import re
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from credproc.errors import ServiceError

LIMIT = 8192  # bytes; version 1 of the Go SDK truncates there silently, fluent-bit fails
LATEST = 253_402_300_799  # epoch seconds; 9999-12-31T23:59:59Z, the latest time with a four-digit year
ACCESS_KEY_ID = re.compile(r"[A-Za-z0-9_]{16,128}")  # IAM API reference, AccessKey
SECRET_ACCESS_KEY = re.compile(r"[!-~]{16,256}")
UNSENDABLE = "is empty or holds characters that cannot be sent"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PRINTABLE = re.compile(r"[!-~]+")


class Credentials(NamedTuple):
    """Keys as a source or STS returned them; ``repr`` does not show the secrets."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
    expiration: int | None = None  # epoch seconds; None if unknown
    account_id: str | None = None

    @property
    def temporary(self) -> bool:
        """Whether these expire: long-term keys have no session token."""
        return self.session_token is not None

    @property
    def unsendable(self) -> str | None:
        """The name of a part that no header can hold, as the document calls it; None: all can be sent."""
        parts = {"AccessKeyId": self.access_key_id, "SecretAccessKey": self.secret_access_key}
        if self.session_token is not None:
            parts["SessionToken"] = self.session_token
        return next((name for name, value in parts.items() if not _PRINTABLE.fullmatch(value)), None)

    def __repr__(self) -> str:
        """Return the values that are not secret."""
        return f"Credentials({self.access_key_id!r}, expiration={self.expiration}, account_id={self.account_id!r})"


def utc(seconds: float) -> datetime:
    """Return epoch seconds as a time in UTC, by arithmetic: the C library of Windows ends with the year 3000."""
    return _EPOCH + timedelta(seconds=seconds)


def document(credentials: Credentials) -> bytes:
    """Return the Version 1 document, one line of compact JSON and a newline.

    Raises ServiceError if no SDK could use it: a value contains a character that no header may contain, or the document
    has 8,192 bytes or more, which not every SDK reads.
    """
    fields: dict[str, str | int] = {
        "Version": 1,
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
    }
    if credentials.session_token is not None:
        fields["SessionToken"] = credentials.session_token
    if credentials.expiration is not None:
        if not 0 <= credentials.expiration <= LATEST:
            raise ServiceError("credentials: Expiration is no time that can be written", "check the clock")
        fields["Expiration"] = utc(credentials.expiration).strftime("%Y-%m-%dT%H:%M:%SZ")
    if credentials.account_id:
        fields["AccountId"] = credentials.account_id
    unsendable = credentials.unsendable
    if credentials.account_id and not _PRINTABLE.fullmatch(credentials.account_id):
        unsendable = "AccountId"
    if unsendable is not None:
        raise ServiceError(f"credentials: {unsendable} {UNSENDABLE}")
    line = json.dumps(fields, separators=(",", ":")).encode() + b"\n"
    if len(line) >= LIMIT:
        raise ServiceError(
            f"credentials: the document has {len(line)} bytes, and SDKs read fewer than {LIMIT}",
            "use a shorter session policy, or fewer session tags",
        )
    return line


def credentials_in(document: bytes) -> Credentials:
    """Return the keys in a Version 1 document of ours."""
    fields = json.loads(document)
    return Credentials(fields["AccessKeyId"], fields["SecretAccessKey"], fields.get("SessionToken"))


def epoch_seconds(text: str, zone: timezone | None = None) -> int:
    """Return a time in ISO 8601 in epoch seconds; ``zone`` is that of a time which names none.

    Raises ValueError if the text is no time, or names no zone where none is given.
    """
    moment = datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith("Z") else text)
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError("no zone")
        moment = moment.replace(tzinfo=zone)
    return int(moment.timestamp())


def account_in(arn: str) -> str | None:
    """Return the account id in an ARN, or None if it has none."""
    fields = arn.split(":")
    return fields[4] if len(fields) >= 6 and re.fullmatch(r"[0-9]+", fields[4]) else None
