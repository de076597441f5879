"""One GET that is no call of an AWS API, by the same transports: its proxies, authorities and deadlines count."""

import time
from typing import NamedTuple

from credproc.aws.client import USER_AGENT, Settings
from credproc.aws.errors import FAILURES, Explainer
from credproc.aws.message import Request, Response
from credproc.aws.routing import transport_for
from credproc.aws.transport import Timeouts
from credproc.errors import DeadlineError
from credproc.plan.url import Url
from credproc.process.deadline import within


class Answer(NamedTuple):
    """What came back, and after how many seconds."""

    response: Response
    seconds: float


def get(url: Url, operation: str, settings: Settings) -> Answer:
    """Return the answer, whatever its status; redirections are not followed.

    ``operation`` is what messages call it; the query, which may
    hold a secret, is in none of them. Raises NetworkError, ConfigError or ServiceError.
    """
    explainer = Explainer(operation, "", url)
    began, deadline = time.monotonic(), settings.deadline()

    def send() -> Answer:
        transport = transport_for(url, settings.section, settings.environ)
        response = transport.send(Request("GET", url, {"User-Agent": USER_AGENT}), Timeouts(deadline))
        return Answer(response, time.monotonic() - began)

    try:
        return within(deadline, send)
    except DeadlineError:
        raise explainer.unanswered() from None
    except FAILURES as error:
        raise explainer.explained(error) from None
