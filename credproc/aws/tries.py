"""When a call is made again, and how long is waited before: botocore's rules for these services.

AWS SDKs and Tools Reference Guide, "Retry behavior"; botocore, ``retries/standard.py`` and ``data/_retry.json``.
"""

from collections.abc import Mapping
from typing import NamedTuple

from credproc.aws.answer import RefusedError
from credproc.aws.message import Kind, TransportError
from credproc.config.shared_config import Section, chosen
from credproc.errors import ConfigError

_ATTEMPTS = {"legacy": 5, "standard": 3, "adaptive": 3}
_DEFAULTS_MODES = ("legacy", "standard", "in-region", "cross-region", "mobile", "auto")
_THROTTLING = frozenset(
    (
        "BandwidthLimitExceeded EC2ThrottledException LimitExceededException PriorRequestNotComplete"
        " ProvisionedThroughputExceededException RequestLimitExceeded RequestThrottled RequestThrottledException"
        " SlowDown ThrottledException Throttling ThrottlingException TooManyRequestsException"
        " TransactionInProgressException"
    ).split()
)
_TRANSIENT = frozenset(("IDPCommunicationError", "RequestTimeout", "RequestTimeoutException"))
_TRANSIENT_STATUS = frozenset((500, 502, 503, 504, 509))
# A certificate that is not trusted, and a proxy that refuses, are the same a moment later
_PASSING: frozenset[Kind] = frozenset(
    ("resolve", "connect", "connect timeout", "read timeout", "closed", "cut off", "tls")
)
_HINT = "correct it, or remove it"
_LONGEST = 20  # seconds
_LONGEST_ASKED = 5  # seconds that a service's own wish adds at most


class Retries(NamedTuple):
    """How often a call is made at most, and by which rule it is waited in between."""

    mode: str = "standard"
    attempts: int = _ATTEMPTS["standard"]

    def pause(self, error: Exception, attempt: int, chance: float) -> float | None:
        """Return for how many seconds to wait after this attempt (the first is 1) has failed; None: give up.

        ``chance`` is a number from 0 to 1, so that many who fail together do not come again together.
        """
        if attempt >= self.attempts or not _may_pass(error):
            return None
        if self.mode == "legacy":
            return chance * 2.0 ** (attempt - 1)
        scale = 1.0 if _is_throttled(error) else 0.05
        return _as_asked(error, chance * min(scale * 2.0 ** (attempt - 1), _LONGEST))


def retries_for(section: Section | None, environ: Mapping[str, str]) -> Retries:
    """Return what environment and profile say. Raises ConfigError, with the variable, or file and line."""
    mode, attempts, defaults = (
        chosen(key, section, environ) for key in ("retry_mode", "max_attempts", "defaults_mode")
    )
    if mode is not None and mode.value not in _ATTEMPTS:
        raise ConfigError(f"{mode.where}: retry_mode must be {' or '.join(_ATTEMPTS)}, not {mode.value[:40]!a}", _HINT)
    if defaults is not None and defaults.value.lower() not in _DEFAULTS_MODES:
        names = ", ".join(_DEFAULTS_MODES)
        raise ConfigError(f"{defaults.where}: defaults_mode must be one of {names}, not {defaults.value[:40]!a}", _HINT)
    name = "standard" if mode is None else mode.value
    if attempts is None:
        return Retries(name, _ATTEMPTS[name])
    try:
        return Retries(name, max(1, int(attempts.value)))
    except ValueError:
        what = f"{attempts.where}: max_attempts must be an integer, not {attempts.value[:40]!a}"
        raise ConfigError(what, _HINT) from None


def _may_pass(error: Exception) -> bool:
    """Whether the call may do better the next time."""
    if isinstance(error, TransportError):
        return error.kind in _PASSING
    if not isinstance(error, RefusedError):
        return False
    return error.code in _TRANSIENT or error.response.status in _TRANSIENT_STATUS or _is_throttled(error)


def _is_throttled(error: Exception) -> bool:
    return isinstance(error, RefusedError) and (error.code in _THROTTLING or error.response.status == 429)


def _as_asked(error: Exception, pause: float) -> float:
    """Return the pause, or the longer one that the service wishes for."""
    asked = error.response.headers.get("x-amz-retry-after", "") if isinstance(error, RefusedError) else ""
    if not (asked.isascii() and asked.isdecimal()):
        return pause
    return max(pause, min(int(asked[:9]) / 1000, pause + _LONGEST_ASKED))
