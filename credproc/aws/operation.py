"""One operation of a service: called by its deadline, and its failure in our words."""

from credproc.aws.answer import Element
from credproc.aws.client import Call, Client
from credproc.aws.errors import FAILURES, Explainer
from credproc.aws.transport import READ_SECONDS, Timeouts
from credproc.errors import DeadlineError
from credproc.process.deadline import within


def called(client: Client, call: Call, explainer: Explainer, read_seconds: float = READ_SECONDS) -> Element:
    """Return what the answer holds as the operation's result; ``read_seconds`` are for each part of the answer.

    Raises ServiceError, NetworkError or ConfigError.
    """
    explainer.with_code = "TokenCode" in call.parameters
    timeouts = Timeouts(client.deadline(), read_seconds)
    try:
        answer = within(timeouts.deadline, lambda: client.call(call, timeouts))
    except DeadlineError:
        raise explainer.unanswered() from None
    except FAILURES as error:
        raise explainer.explained(error) from None
    return answer.find(f"{call.action}Result") or Element("")
