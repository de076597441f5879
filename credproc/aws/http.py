"""One GET that is no call of an AWS API, over botocore's own HTTP: its proxies, authorities and time-outs count."""

import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import botocore.session
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from credproc.aws.errors import Call
from credproc.aws.sts import CONNECT_SECONDS, READ_SECONDS
from credproc.errors import DeadlineError
from credproc.process.deadline import within


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]  # of lower-case names
    body: bytes
    seconds: float


def get(session: botocore.session.Session, url: str, operation: str, deadline: float) -> Answer:
    """Return the answer, whatever its status; redirections are not followed.

    ``deadline`` is in seconds of ``time.monotonic()``. ``operation`` is what messages call it; the query, which may
    hold a secret, is in none of them. Raises NetworkError, ConfigError or ServiceError.
    """
    parts = urlsplit(url)
    call = Call(operation, "", f"{parts.scheme}://{parts.netloc}", mfa=False)
    began = time.monotonic()

    def send() -> Answer:
        with call.set_up():
            http = URLLib3Session(
                verify=session.get_config_variable("ca_bundle") or True,
                proxies=get_environ_proxies(url),
                timeout=(CONNECT_SECONDS, READ_SECONDS),  # type: ignore[arg-type]  # the stubs know no pairs
                proxies_config=session.get_config_variable("proxies_config"),
            )
        with call.sent():
            answer = http.send(AWSRequest("GET", url).prepare())
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status_code, headers, answer.content, time.monotonic() - began)

    try:
        return within(deadline, send)
    except DeadlineError:
        raise call.unanswered() from None
