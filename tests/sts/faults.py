"""What can go wrong between a client and a service. Each is a function of one exchange; some take another as `then`.

sts.once(throttle(), hang_up(reset=True))         the next two calls
sts.always(delay(0.2, then=without("SessionToken")), action="AssumeRole")
"""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.sts.answers import error_answer, iso
from tests.sts.wire import Answer, Exchange, Fault, whole

if TYPE_CHECKING:
    from collections.abc import Callable

# No XML, as pages of captive portals and proxies are; of a page that happens to be XML botocore makes a KeyError.
HTML = b"<!DOCTYPE html><html><head><title>Sign in</title><meta charset=utf-8></head><body>Please sign in<br></html>"


def fail(status: int, code: str, message: str) -> Fault:
    """Refuse without deciding: no MFA code is spent."""
    return lambda exchange: exchange.send(error_answer(status, code, message))


def throttle() -> Fault:
    """Refuse as STS does when it is called too often (a 400, and an error that SDKs repeat)."""
    return fail(400, "Throttling", "Rate exceeded")


def hang(*, decided: bool = False) -> Fault:
    """Never answer; `decided`: the service did its part, and the client does not learn it."""
    return hold(threading.Event(), then=hang_up(), decided=decided)


def hang_up(*, reset: bool = False, decided: bool = False) -> Fault:
    """Read the request and close the connection without a byte: FIN, or RST with `reset`."""

    def fault(exchange: Exchange) -> None:
        if decided:
            exchange.decide()
        exchange.hang_up(reset=reset)

    return fault


def cut_off(keep: float = 0.5, *, reset: bool = False) -> Fault:
    """Decide, announce the whole length, send this share of the body, and hang up."""

    def fault(exchange: Exchange) -> None:
        answer = exchange.decide()
        data = exchange.encode(answer)
        exchange.write(data[: len(data) - len(answer.body) + int(len(answer.body) * keep)])
        exchange.hang_up(reset=reset)

    return fault


def say(body: bytes, status: int = 200, content_type: str = "text/xml") -> Fault:
    """Answer these bytes without deciding: garbage, nothing, HTML of a captive portal."""
    return lambda exchange: exchange.send(Answer(status, body, content_type))


def redirect(location: str) -> Fault:
    """Answer 302 with this location."""
    return lambda exchange: exchange.send(Answer(302, b"", headers=(("Location", location),)))


def drip(seconds: float = 1.0) -> Fault:
    """Decide, and send the answer's bytes, head first, one by one, with this pause between them."""

    def fault(exchange: Exchange) -> None:
        for byte in exchange.encode(exchange.decide()):
            exchange.write(bytes([byte]))
            if exchange.gone() or exchange.stopped.wait(seconds):
                break
        exchange.hang_up()

    return fault


def delay(seconds: float, then: Fault = whole) -> Fault:
    """Wait, then go on."""

    def fault(exchange: Exchange) -> None:
        exchange.stopped.wait(seconds)
        then(exchange)

    return fault


def hold(until: threading.Event | Path | Callable[[], object], then: Fault = whole, *, decided: bool = False) -> Fault:
    """Answer only when the event is set, the file exists, or the call says yes (asked every 10 ms).

    The rules are applied after the wait, or before it with `decided`. The double's end ends the wait without an answer.
    """
    ready = until.is_set if isinstance(until, threading.Event) else until.exists if isinstance(until, Path) else until

    def fault(exchange: Exchange) -> None:
        answer = exchange.decide() if decided else None
        while not ready():
            if exchange.stopped.wait(0.01):
                exchange.hang_up()
                return
        if answer is not None and then is whole:
            exchange.send(answer)
        else:
            then(exchange)

    return fault


def changed(change: Callable[[bytes], bytes]) -> Fault:
    """Decide, and change the answer's body on its way."""

    def fault(exchange: Exchange) -> None:
        answer = exchange.decide()
        exchange.send(replace(answer, body=change(answer.body)))

    return fault


def truncated(keep: float = 0.5) -> Fault:
    """Decide, and send this share of the body as if it were all: XML that ends in the middle."""
    return changed(lambda body: body[: int(len(body) * keep)])


def without(element: str) -> Fault:
    """Decide, and leave this XML element out (`SessionToken`, `Credentials`, …)."""
    pattern = re.compile(rf"<{element}>.*?</{element}>".encode(), re.DOTALL)
    return changed(lambda body: pattern.sub(b"", body))


def with_text(element: str, text: str) -> Fault:
    """Decide, and put this text (XML, not escaped) into the element."""
    pattern = re.compile(rf"(<{element}>).*?(</{element}>)".encode(), re.DOTALL)
    return changed(lambda body: pattern.sub(rb"\g<1>" + text.encode() + rb"\g<2>", body))


def expired(seconds: float = 60) -> Fault:
    """Decide, and date the credentials' end this many seconds back."""
    return lambda exchange: with_text("Expiration", iso(exchange.now() - seconds))(exchange)
