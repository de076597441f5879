"""How a request travels: directly, or through a proxy as boto3 does it. One interface, two implementations."""

import os
import time
from typing import NamedTuple, Protocol

from credproc.aws.message import Request, Response

CONNECT_SECONDS = 3
READ_SECONDS = 5


class Timeouts(NamedTuple):
    """How long one try of a request may take."""

    deadline: float  # of the whole try, in seconds of time.monotonic()
    read_seconds: float = READ_SECONDS  # between two parts of the response
    connect_seconds: float = CONNECT_SECONDS

    def left(self, most: float) -> float:
        """Return how many seconds a step may take: ``most``, or what is left until the deadline."""
        return max(0.001, min(most, self.deadline - time.monotonic()))


class Transport(Protocol):
    """Sends one request, and returns the whole response; redirects are not followed."""

    def warm(self) -> None:
        """Import and read what the first request would. Raises ConfigError."""

    def send(self, request: Request, timeouts: Timeouts) -> Response:
        """Return the response, whatever its status. Raises TransportError or ConfigError."""


def ignore_key_log() -> None:
    """Have no TLS of botocore's write its keys into the file that SSLKEYLOGFILE names.

    Whoever has that file and what went over the network reads the credentials. Botocore and urllib3 look for the
    variable wherever they make an SSLContext; an SSLContext by itself does not.
    """
    os.environ.pop("SSLKEYLOGFILE", None)
