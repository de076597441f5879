"""One client for the services of the Query protocol: sign, send, try again, read the answer."""

import time
from collections.abc import Callable, Mapping
from math import inf
from typing import NamedTuple

from credproc import __version__
from credproc.aws import query
from credproc.aws.answer import Element, RefusedError, read
from credproc.aws.message import Request, Response, TransportError, without_secrets
from credproc.aws.routing import transport_for
from credproc.aws.signature import Scope, signed
from credproc.aws.transport import Timeouts, Transport
from credproc.aws.tries import Retries, retries_for
from credproc.config.shared_config import Section, SharedConfig
from credproc.credentials import Credentials
from credproc.plan.url import Url

CALL_SECONDS = 9  # a run that asks nobody must notice within ten that the network is dead
USER_AGENT = f"credproc/{__version__}"
_SKEWED = frozenset(("InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch"))
_SKEW_SECONDS = 240  # what AWS refuses is five minutes off
# Parameters of STS that a person keeps to themselves
_CONFIDENTIAL = ("ExternalId", "Policy", "TokenCode", "WebIdentityToken")


class Service(NamedTuple):
    """Which service is called, and where."""

    name: str  # for which its signatures are good: sts
    version: str  # of its API: 2011-06-15
    url: Url
    region: str  # that is signed for


class Settings(NamedTuple):
    """What a profile and the environment say of how calls are made, and how long one call may take."""

    section: Section | None  # the profile's; None: no profile is named, and there is no default
    environ: Mapping[str, str]
    note: Callable[[str], None] = lambda _text: None  # writes a line into the log
    seconds: float = CALL_SECONDS  # for one call, with all its tries
    last: float = inf  # in seconds of time.monotonic(); then every call has ended

    def deadline(self) -> float:
        """Return until when a call that begins now may take, in seconds of ``time.monotonic()``."""
        return min(time.monotonic() + self.seconds, self.last)

    @classmethod
    def of(
        cls,
        config: SharedConfig,
        profile: str | None,
        environ: Mapping[str, str],
        seconds: float = CALL_SECONDS,
    ) -> "Settings":
        """Return those of a profile; None: of the default one, if there is one."""
        return cls(config.profiles.get(profile or "default"), environ, seconds=seconds)


class Call(NamedTuple):
    """One call of an operation."""

    action: str
    parameters: Mapping[str, query.Value]
    keys: Credentials | None  # None: it is not signed
    is_once: bool = False  # whether it must not be sent again, whatever comes: it carries an MFA code, or makes a key


class Client:
    """Calls of one service, with one profile's settings.

    Whoever calls sees to the deadline of all of it (``process.deadline.within``): looking up a name has none.
    """

    def __init__(self, service: Service, settings: Settings) -> None:
        """Take the service and the settings; they are read with the first call, or by ``warm``."""
        self.service = service
        self._settings = settings
        self._ready: tuple[Transport, Retries] | None = None
        self._skew = 0.0  # seconds by which the clock here is behind

    def deadline(self) -> float:
        """Return until when a call that begins now may take, in seconds of ``time.monotonic()``."""
        return self._settings.deadline()

    def warm(self) -> None:
        """Import and read what the first call would. Raises ConfigError."""
        self._prepared()[0].warm()

    def call(self, call: Call, timeouts: Timeouts) -> Element:
        """Return the root of the answer.

        Raises RefusedError, MalformedAnswerError, TransportError, ConfigError, or UnsendableError.
        """
        transport, retries = self._prepared()
        has_set_clock = False
        attempt = 1
        while True:
            try:
                request = request_of(self.service, call, time.time() + self._skew)
                return read(without_secrets(transport.send(request, timeouts), request))
            except (RefusedError, TransportError) as error:
                if call.is_once:
                    raise
                if not has_set_clock and call.keys is not None and self._sets_clock(error):
                    has_set_clock = True
                    continue
                pause = retries.pause(error, attempt, _chance())
                if pause is None or time.monotonic() + pause >= timeouts.deadline:
                    raise
                self._settings.note(f"{call.action}: {error}: again in {pause:.2f} s")
                time.sleep(pause)
                attempt += 1

    def _prepared(self) -> tuple[Transport, Retries]:
        if self._ready is None:
            section, environ = self._settings.section, self._settings.environ
            retries = retries_for(section, environ)
            self._ready = (transport_for(self.service.url, section, environ), retries)
        return self._ready

    def _sets_clock(self, error: Exception) -> bool:
        """Go by the service's clock from now on, if that explains its refusal; return whether it does."""
        if not isinstance(error, RefusedError):
            return False
        skew = skew_of(error, time.time() + self._skew)
        if skew is None:
            return False
        self._skew -= skew
        self._settings.note(
            f"the clock here is {abs(skew)} s {'ahead of' if skew > 0 else 'behind'} the one of {self.service.url}"
        )
        return True


def request_of(service: Service, call: Call, now: float) -> Request:
    """Return the call as it is sent at that time (epoch seconds). Raises UnsendableError."""
    headers = {"Content-Type": query.CONTENT_TYPE, "User-Agent": USER_AGENT}
    body = query.form(call.action, service.version, call.parameters)
    secrets = tuple(str(call.parameters[name]) for name in _CONFIDENTIAL if name in call.parameters)
    request = Request("POST", service.url, headers, body, secrets)
    return request if call.keys is None else signed(request, call.keys, Scope(service.region, service.name, now))


def skew_of(error: RefusedError, now: float) -> int | None:
    """Return by how many seconds ``now`` is ahead of the service's clock, where that explains its refusal."""
    if error.code not in _SKEWED:
        return None
    seconds = date_of(error.response)
    skew = None if seconds is None else int(now - seconds)
    return skew if skew is not None and abs(skew) > _SKEW_SECONDS else None


def date_of(response: Response) -> float | None:
    """Return what time it is where the response comes from, in epoch seconds, or None where it does not say."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - 15 ms, for a clock that may be wrong

    try:
        return parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return None


def _chance() -> float:
    from random import random  # noqa: PLC0415 - 3 ms, once something has failed

    return random()  # noqa: S311 - no secret
