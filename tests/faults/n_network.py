"""N. Network and STS."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from typing import TYPE_CHECKING

from tests.faults.rows import Case, Kind, each, row
from tests.program import ROLE
from tests.sts import HTML, Answer, Sts, Trust, drip, fail, hang_up, redirect, say, throttle, truncated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.faults.rows import Run, Step
    from tests.faults.scene import Result, Scene
    from tests.sts import Exchange, Fault

_ISSUER = "https://issuer.example.com"
_NAME_SERVER = "127.53.53.53"
_MIB = 1 << 20
_SIZE = 1 << 30  # bytes of address space: a run needs a third of that
_XML = b'<?xml version="1.0"?>\n<!DOCTYPE r [%s]>\n<r>%s</r>'
_NOT_UNDERSTOOD = r"AssumeRole: the answer (cannot be understood|is longer than 64 KiB|holds no complete credentials)"


# Where the calls go


def _endpoint(url: str) -> Step:
    """Return the step that sends the calls of the faulty run elsewhere."""
    return lambda scene: scene.home.environ.update(AWS_ENDPOINT_URL_STS=url)


def _back(scene: Scene) -> None:
    scene.sts.heal()
    scene.home.environ["AWS_ENDPOINT_URL_STS"] = scene.sts.url


def _refuses(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        _endpoint(f"http://127.0.0.1:{closed.getsockname()[1]}")(scene)


def _into_the_dark(scene: Scene) -> Result:
    """Run with an endpoint whose machine drops what comes: its queue is full."""
    with contextlib.ExitStack() as stack:
        dark = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(dark.getsockname())
        _endpoint(f"http://127.0.0.1:{dark.getsockname()[1]}")(scene)
        return scene.run()


@contextlib.contextmanager
def _name_server(answer: Callable[[bytes], bytes | None]) -> Iterator[None]:
    """Give a name server that answers so, or with None not at all."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind((_NAME_SERVER, 53))
        server.settimeout(0.2)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    query, client = server.recvfrom(4096)
                    found = answer(query)
                    if found is not None:
                        server.sendto(found, client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _unknown(query: bytes) -> bytes:
    """Return the answer that there is no such name (RFC 1035, 4.1.1)."""
    return query[:2] + b"\x81\x83" + query[4:]


def _asking(answer: Callable[[bytes], bytes | None]) -> Run:
    """Return the run that has this name server alone."""

    def run(scene: Scene) -> Result:
        resolv = scene.path / "resolv.conf"
        resolv.write_text(f"nameserver {_NAME_SERVER}\n")
        resolv.chmod(0o644)
        hide = f'mount --bind {resolv} /etc/resolv.conf && exec "$@"'
        argv = scene.argv(wrapper=("unshare", "--mount", "sh", "-c", hide, "sh"))
        with _name_server(answer):
            return scene.process(argv, scene.environ())

    return run


# What is answered


def _always(fault: Fault, action: str = "AssumeRole") -> Step:
    return lambda scene: scene.sts.always(fault, action)


def _first(*faults: Fault) -> Step:
    return lambda scene: scene.sts.once(*faults)


def _padded(before: bytes, pad: bytes, after: bytes = b"") -> Fault:
    """Answer 50 MiB, which are made when they are asked for."""

    def fault(exchange: Exchange) -> None:
        say(before + pad * (50 * _MIB) + after)(exchange)

    return fault


def _bomb(exchange: Exchange) -> None:
    """Answer a gzip stream of 64 members that would be a gigabyte."""
    data = gzip.compress(bytes(16 * _MIB), 9) * 64
    exchange.send(Answer(200, data, headers=(("Content-Encoding", "gzip"),)))


def _laughs() -> bytes:
    """Return ten entities, each ten times the one before: a gigabyte and more."""
    entities = [b'<!ENTITY e0 "%s">' % (b"ha" * 50)]
    entities += [b'<!ENTITY e%d "%s">' % (number, b"&e%d;" % (number - 1) * 10) for number in range(1, 10)]
    return _XML % (b"".join(entities), b"&e9;")


def _external(scene: Scene) -> None:
    """Answer with entities that are a file, and a page of another server."""
    scene.canaries["what is in the file"] = secret = scene.canary("file")
    file = scene.path / "secret"
    file.write_text(secret)
    elsewhere = _other_sts(scene)
    entities = b'<!ENTITY f SYSTEM "file://%s"><!ENTITY u SYSTEM "%s/x">' % (str(file).encode(), elsewhere.url.encode())
    scene.sts.always(say(_XML % (entities, b"<Code>&f;&u;</Code>")), "AssumeRole")


# Another server


def _other_sts(scene: Scene) -> Sts:
    """Start a server that must see nothing."""
    return scene._stack.enter_context(Sts())


def _redirected(scene: Scene) -> None:
    scene.sts.always(redirect(f"{_other_sts(scene).url}/"))


def _not_followed(scene: Scene, _: Result) -> None:
    other = Sts.made[-1]
    assert other is not scene.sts
    assert other.count() == 0, "the other server was asked"


def _with_web_identity(scene: Scene) -> None:
    """Let the role be assumed with a token from a file."""
    token = scene.path / "token"
    scene.canaries["token"] = text = scene.sts.web_identity_token(_ISSUER)
    token.write_text(text)
    scene.sts.role(ROLE, Trust(federated=_ISSUER))
    lines = ["[profile admin]", "region = us-west-2", f"role_arn = {ROLE}", f"web_identity_token_file = {token}"]
    scene.home.config("\n".join([*lines, ""]))


def _code_once(scene: Scene, result: Result) -> None:
    assert result.prompts == 1
    assert scene.sts.count("GetSessionToken") == 1, "a call with a code was repeated"


def _code_is_over(scene: Scene) -> None:
    """Let the device show another code, which a person has waited for."""
    scene.user.spent.update(scene.codes)


def _reset(*, decided: bool) -> Case:
    return Case(
        "reset once decided" if decided else "reset once sent",
        Kind.NETWORK,
        before=_always(hang_up(reset=True, decided=decided), "GetSessionToken"),
        undo=each(_back, _code_is_over),
        says="(?s)GetSessionToken: .*the MFA code may have been used: wait for the next one",
        mfa=True,
        calls=1,
        check=_code_once,
        loses=decided,
    )


def _garbled(name: str, fault: Fault, *, deep: bool = False) -> Case:
    return Case(
        name,
        Kind.NETWORK,
        before=_always(fault),
        undo=_back,
        says=_NOT_UNDERSTOOD,
        wrapper=("prlimit", f"--as={_SIZE}"),
        deep=deep,
    )


def _failing(*faults: Fault) -> Case:
    return Case(f"{len(faults)} times", before=_first(*faults), calls=len(faults) + 1)


_ERROR = fail(500, "InternalFailure", "internal")
_UNAVAILABLE = fail(503, "ServiceUnavailable", "unavailable")

ROWS = (
    row(
        "F131",
        "a connection refused, a name that is unknown, a name server or a machine that does not answer",
        Case("refused", Kind.NETWORK, before=_refuses, undo=_back, says="AssumeRole: cannot be reached", calls=0),
        Case(
            "NXDOMAIN",
            Kind.NETWORK,
            before=_endpoint("https://sts.example"),
            run=_asking(_unknown),
            undo=_back,
            says="https://sts.example: AssumeRole: cannot be reached",
            calls=0,
        ),
        Case(
            "name server hangs",
            Kind.NETWORK,
            before=_endpoint("https://sts.example"),
            run=_asking(lambda _: None),
            undo=_back,
            says="https://sts.example: AssumeRole: no answer in time",
            calls=0,
        ),
        Case("blackhole", Kind.NETWORK, run=_into_the_dark, undo=_back, says="AssumeRole: no (answer|connection) in"),
    ),
    row(
        "F132",
        "500 and 503, then an answer",
        _failing(_ERROR),
        _failing(_ERROR, _UNAVAILABLE),
    ),
    row(
        "F133",
        "throttled for ever",
        Case("Throttling", Kind.NETWORK, before=_always(throttle()), undo=_back, says="Throttling: .*", calls=5),
        Case(
            "429",
            Kind.NETWORK,
            before=_always(fail(429, "TooManyRequestsException", "Too many")),
            undo=_back,
            says="AssumeRole: TooManyRequestsException",
            calls=5,
        ),
    ),
    row(
        "F134",
        "an answer that is a page, empty, cut off, large or packed",
        _garbled("HTML", say(HTML, content_type="text/html")),
        _garbled("empty", say(b"")),
        _garbled("truncated", truncated()),
        _garbled("50 MiB", _padded(b"", b"x")),
        _garbled("50 MiB of XML", _padded(b"<x>", b" ", b"</x>")),
        _garbled("gzip bomb", _bomb),
    ),
    row(
        "F135",
        "XML entities",
        _garbled("a billion laughs", say(_laughs())),
        Case(
            "a file and a page",
            Kind.NETWORK,
            before=_external,
            undo=_back,
            says=_NOT_UNDERSTOOD,
            check=_not_followed,
        ),
    ),
    row(
        "F136",
        "an answer of a byte a second",
        Case("drip", Kind.NETWORK, before=_always(drip(1.0)), undo=_back, says="AssumeRole: no answer in time"),
    ),
    row(
        "F137",
        "a redirect to another host",
        Case("a role", Kind.NETWORK, before=_redirected, undo=_back, says="AssumeRole: ", check=_not_followed),
        Case(
            "web identity",
            Kind.NETWORK,
            before=each(_with_web_identity, _redirected),
            undo=_back,
            says="AssumeRoleWithWebIdentity: ",
            check=_not_followed,
        ),
    ),
    row("F138", "a reset after a code was sent", _reset(decided=False), _reset(decided=True)),
)
