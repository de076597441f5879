"""STS's answers and refusals as it writes them: the XML of the AWS query protocol, version 2011-06-15."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Union
from xml.sax.saxutils import escape

from tests.sts.wire import Answer

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"

# What an action returns: element names to text, to further elements, or to a list of those.
Elements = Mapping[str, Union[str, "Elements", Sequence["Elements"]]]


class RefusedError(Exception):
    """STS says no: HTTP status, AWS's error code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


def validation_error(message: str) -> RefusedError:
    """Return the refusal of a request whose parameters are wrong."""
    return RefusedError(400, "ValidationError", message)


def access_denied(message: str) -> RefusedError:
    """Return the refusal of a request that is well formed and not allowed."""
    return RefusedError(403, "AccessDenied", message)


def iso(seconds: float) -> str:
    """Return epoch seconds as AWS prints times: `2026-01-31T12:00:00Z`, cut to the second."""
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def result_answer(action: str, result: Elements) -> Answer:
    """Return the success of an action."""
    request_id = str(uuid.uuid4())
    body = (
        f'<{action}Response xmlns="{NAMESPACE}">\n'
        f"<{action}Result>{_xml(result)}</{action}Result>\n"
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\n"
        f"</{action}Response>\n"
    )
    return Answer(200, body.encode(), headers=(("x-amzn-RequestId", request_id),))


def error_answer(status: int, code: str, message: str) -> Answer:
    """Return a refusal; `Sender` or `Receiver` by whose fault the status says it is."""
    request_id = str(uuid.uuid4())
    at_fault = "Sender" if status < 500 else "Receiver"
    error = _xml({"Type": at_fault, "Code": code, "Message": message})
    body = (
        f'<ErrorResponse xmlns="{NAMESPACE}">\n<Error>{error}</Error>\n'
        f"<RequestId>{request_id}</RequestId>\n</ErrorResponse>\n"
    )
    return Answer(status, body.encode(), headers=(("x-amzn-RequestId", request_id),), code=code)


def _xml(elements: Elements) -> str:
    return "".join(f"<{name}>{_value(value)}</{name}>" for name, value in elements.items())


def _value(value: str | Elements | Sequence[Elements]) -> str:
    if isinstance(value, str):
        return escape(value)
    return _xml(value) if isinstance(value, Mapping) else "".join(f"<member>{_xml(one)}</member>" for one in value)
