"""Checks of what credproc depends on: the store of MFA sessions, STS, and the clock."""

import os
import time
from email.utils import parsedate_to_datetime

from credproc.commands.doctor.check import Check, fail, ok, warn
from credproc.config.settings import StoreKind
from credproc.errors import CLOCK_HINT, SessionStoreError, removing
from credproc.plan.endpoint import Endpoint
from credproc.stores import Store

_TRIAL_SECONDS = 60
_WARN_SKEW, _MAX_SKEW = 60, 240  # seconds; STS rejects a signature that is more than five minutes off


def session_store(store: Store) -> Check:
    """Check the store of MFA sessions by writing, reading and deleting a random value."""
    reason = store.unavailable_reason()  # which chooses a store where no setting does
    place = _store_name(store.kind)
    if place is None:
        return warn(
            "MFA sessions: the session store 'none' is set, so every role needs a code of its own",
            removing("CREDPROC_SESSION_STORE"),
        )
    if reason is not None:
        return _no_store(reason)
    name, value = f"doctor-{os.urandom(8).hex()}", os.urandom(8).hex()
    began = time.monotonic()
    try:
        store.set(name, value, _TRIAL_SECONDS)
        read = store.get(name)
        store.delete(name)
    except SessionStoreError as error:
        return _no_store(str(error))
    if read != value:
        return fail(f"MFA sessions: {place} does not return what was written to it", "set CREDPROC_SESSION_STORE=file")
    return ok(f"MFA sessions: {place} works (written, read and deleted in {time.monotonic() - began:.2f} s)")


def _no_store(reason: str) -> Check:
    return warn(
        f"MFA sessions: {reason}",
        "until that works, every role needs a code of its own; CREDPROC_SESSION_STORE=file stores sessions in a"
        " private file",
    )


def _store_name(store: StoreKind) -> str | None:
    match store:
        case "keyring":
            return "the keyring"
        case "kernel":
            return "the kernel's keyring"
        case "file":
            return "a private file"
        case "none":
            return None


def sts_name(endpoint: Endpoint) -> str:
    """Return the name of an STS endpoint in a sentence."""
    return endpoint.url or f"STS in {endpoint.region}"


def sts_response(host: str, status: int, seconds: float, proxy: str | None) -> Check:
    """Check the status of a response of STS, which came after ``seconds``, through ``proxy`` if there is one."""
    through = "" if proxy is None else f" through the proxy {proxy}"
    if status == 407 or status >= 500:
        return fail(f"STS: {host}{through} answers with status {status}", "check the proxy, and AWS's health dashboard")
    return ok(f"STS: {host} answers{through} in {seconds:.2f} s")


def clock(date: str | None, now: float) -> Check:
    """Compare the clock, ``now`` in epoch seconds, with the ``Date`` header of a response that has just arrived."""
    try:
        skew = now - parsedate_to_datetime(date or "").timestamp()
    except (TypeError, ValueError):
        return warn("clock: the response of STS has no valid Date header", "check whether a proxy answers for STS")
    if abs(skew) < _WARN_SKEW:
        return ok("clock: agrees with the clock of STS")
    direction = "ahead of" if skew > 0 else "behind"
    message = f"clock: {abs(skew):.0f} s {direction} the clock of STS"
    if abs(skew) > _MAX_SKEW:
        return fail(f"{message}; STS rejects requests that are five minutes off", CLOCK_HINT)
    return warn(message, CLOCK_HINT)
