"""C. Resolution graph, endpoints, chain."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.faults.rows import Case, Kind, row
from tests.sts import HTML, Trust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.faults.scene import Result, Scene

_STS = "AWS_ENDPOINT_URL_STS"
_ISSUER = "https://oidc.example.com/id/1"
_TRACED = ("strace", "-f", "-qq", "-o", "trace", "-e", "trace=connect,sendto,sendmsg,sendmmsg")


# --- services that are none -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def _listening(serve: Callable[[socket.socket], object]) -> Iterator[int]:
    """Listen on the loopback, and let `serve` have each connection; give the port."""

    def accept(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection:
                connection.settimeout(5)
                serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(6)


def _certificate(directory: Path, host: str, *, ended: bool) -> Path:
    """Write a certificate of its own authority, with its key, and return the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    end = datetime.now(timezone.utc) + timedelta(days=-1 if ended else 1)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(end - timedelta(days=30))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = directory / "certificate.pem"
    path.write_bytes(
        made.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@contextlib.contextmanager
def _tls(scene: Scene, host: str = "127.0.0.1", *, ended: bool = False) -> Iterator[tuple[str, Path]]:
    """Give the URL of a TLS server with such a certificate, and the authority's file; it must not get a request."""
    certificate = _certificate(scene.path, host, ended=ended)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    got: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            got.append(inside.recv(65536))

    with _listening(serve) as port:
        yield f"https://127.0.0.1:{port}", certificate
    assert not any(got), "it got a request"


def _to_tls(host: str = "127.0.0.1", *, ended: bool = False, trusted: bool = False) -> Callable[[Scene], Result]:
    """Return a run against such a server; `trusted`: its authority is."""

    def run(scene: Scene) -> Result:
        with _tls(scene, host, ended=ended) as (url, authority):
            more = {"AWS_CA_BUNDLE": str(authority)} if trusted else {}
            return scene.process(scene.argv(), scene.environ({_STS: url, **more}))

    return run


def _with_bundle(path: str) -> Callable[[Scene], Result]:
    """Return a run against a TLS server with this in AWS_CA_BUNDLE, relative to the working directory."""

    def run(scene: Scene) -> Result:
        (scene.work / "empty").touch()
        (scene.work / "garbage").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        with _tls(scene) as (url, _):
            return scene.process(scene.argv(), scene.environ({_STS: url, "AWS_CA_BUNDLE": path}))

    return run


def _no_advice_to_trust(_scene: Scene, result: Result) -> None:
    assert not re.search("verif|insecure|disable", result.said), result.said


def _behind_proxy(
    answer: bytes, hosts: tuple[str, ...] = (), *, url: str = "", variable: str = "HTTPS_PROXY"
) -> Callable[[Scene], Result]:
    """Return a run in which a proxy answers so to whatever is asked, and only for these hosts if any are given."""

    def run(scene: Scene) -> Result:
        asked: list[str] = []

        def serve(connection: socket.socket) -> None:
            asked.append(connection.recv(65536).split(b" ")[1].decode())
            connection.sendall(answer)

        with _listening(serve) as port:
            if variable == "HTTPS_PROXY":  # it may stay, as STS is on http otherwise
                scene.home.environ[variable] = f"http://user:{scene.canary('proxy password')}@127.0.0.1:{port}"
            more = {_STS: url, "AWS_MAX_ATTEMPTS": "1"}
            given = {} if variable in scene.home.environ else {variable: f"http://127.0.0.1:{port}"}
            result = scene.process(scene.argv(), scene.environ({**more, **given}))
        assert asked, "the proxy was not asked"
        assert not hosts or set(asked) == {f"{host}:443" for host in hosts}, asked
        return result

    return run


_REFUSED = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
_AUTHENTICATE = (
    b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'
)
_PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(HTML) + HTML


# --- F036 to F038, F040: whom not to call -----------------------------------------------------------------------


def _no_connection(scene: Scene, _result: Result) -> None:
    trace = (scene.work / "trace").read_text()
    assert "AF_INET" not in trace, trace[-2000:]


def _refused_url(name: str, url: str, says: str, *, deep: bool = False) -> list[Case]:
    """Return the cases in which the variable or the profile names this endpoint."""
    return [
        Case(
            f"{name}, variable",
            Kind.UNSAFE,
            environ={_STS: url},
            wrapper=_TRACED,
            says=f"^credproc: error: {_STS}: {says}",
            check=_no_connection,
            calls=0,
        ),
        Case(
            f"{name}, profile",
            Kind.UNSAFE,
            before=lambda s: s.config(f"endpoint_url = {url}"),
            undo=lambda s: s.config(),
            environ={_STS: ""},
            says=rf"^credproc: error: ~/\.aws/config:\d+: {says}",
            calls=0,
            deep=deep,
        ),
    ]


_PLAIN = "the STS endpoint is plain http to"
_NO_URL = "the STS endpoint .* URL"
_MORE = "the STS endpoint .*path only"


def _with_password(scene: Scene) -> None:
    scene.config(f"endpoint_url = https://user:{scene.canary('password')}@sts.us-west-2.amazonaws.com")


def _container(uri: str) -> Case:
    """Return a case in which a foreign host would be given the container's token."""

    def before(scene: Scene) -> None:
        scene.canaries["container's token"] = _TOKEN
        scene.home.config(f"[profile admin]\nrole_arn = {scene.role.arn}\ncredential_source = EcsContainer\n")

    return Case(
        uri,
        Kind.UNSAFE,
        before=before,
        undo=lambda s: s.config(),
        environ={"AWS_CONTAINER_CREDENTIALS_FULL_URI": uri, "AWS_CONTAINER_AUTHORIZATION_TOKEN": _TOKEN},
        wrapper=_TRACED,
        says="AWS_CONTAINER_CREDENTIALS_FULL_URI: the container endpoint is plain http",
        check=_no_connection,
        calls=0,
    )


_TOKEN = "canary-of-the-container"


# --- F043 -----------------------------------------------------------------------------------------------------------


def _netrc(scene: Scene) -> None:
    path = scene.home.path / ".netrc"
    password = scene.canary("password of .netrc")
    path.write_text(f"machine 127.0.0.1 login user password {password}\ndefault login user password {password}\n")
    path.chmod(0o600)


def _netrc_and_web_identity(scene: Scene) -> None:
    _netrc(scene)
    token = scene.sts.web_identity_token(_ISSUER)
    scene.canaries["web identity token"] = token
    (scene.path / "token").write_text(token)
    scene.sts.role(scene.role.arn, Trust((scene.user.arn,), federated=_ISSUER, external_id=scene.external_id))
    scene.home.config(f"[profile admin]\nrole_arn = {scene.role.arn}\nweb_identity_token_file = {scene.path}/token\n")


def _signed(scene: Scene, _result: Result) -> None:
    """Check that the request has no Authorization, or one that the strict STS took for a signature."""
    (call,) = scene.sts.calls
    assert call.outcome == "OK"
    assert call.signed is (call.action == "AssumeRole")


# --- F044 -----------------------------------------------------------------------------------------------------------


def _partition(name: str, host: str, region: str | None, partition: str = "aws") -> Case:
    """Return a case in which a proxy sees that this host is called, and no other."""
    arn = f"arn:{partition}:iam::123456789012:role/marketingadmin"

    def before(scene: Scene) -> None:
        lines = [] if region is None else [f"region = {region}"]
        text = ["[profile admin]", f"role_arn = {arn}", "source_profile = user1", *lines, ""]
        scene.home.config("\n".join(text))

    return Case(
        name,
        Kind.NETWORK,
        before=before,
        undo=lambda s: s.config(),
        run=_behind_proxy(_REFUSED, (host,)),
        says=f"https://{host}: AssumeRole: the proxy",
        calls=0,
    )


def _no_region(region: str) -> Case:
    return Case(
        f"region {region!a}",
        Kind.CONFIG,
        environ={"AWS_REGION": region, _STS: ""},
        wrapper=_TRACED,
        says="^credproc: error: AWS_REGION: the region",
        check=_no_connection,
        calls=0,
    )


# --- F045, F046: circles --------------------------------------------------------------------------------------------


def _aliases(**targets: str) -> Callable[[Scene], None]:
    """Return a set-up of profiles whose credential_process is credproc for another; {} stands for its path."""

    def before(scene: Scene) -> None:
        lines = [f"[profile {name}]\ncredential_process = {line}\n" for name, line in targets.items()]
        scene.config(other="".join(lines).replace("{}", scene.program))

    return before


def _one_process(scene: Scene, _result: Result) -> None:
    trace = (scene.work / "trace").read_text()
    made = [line for line in trace.splitlines() if re.search(r"(fork|clone3?)\(", line) and "CLONE_THREAD" not in line]
    assert not made, made
    assert trace.count("execve(") == 1, trace


def _few_processes(scene: Scene, _result: Result) -> None:
    trace = (scene.work / "trace").read_text()
    assert trace.count(f'"{scene.program}"') <= 4, trace  # each is in the line of its shell too


def _circle(name: str, says: str, kind: Kind = Kind.PROFILE, *, traced: bool, **targets: str) -> Case:
    return Case(
        name,
        kind,
        before=_aliases(**targets),
        arguments=("--profile", "x"),
        wrapper=("strace", "-f", "-qq", "-s", "400", "-o", "trace", "-e", "trace=process") if traced else (),
        says=says,
        check=_one_process if traced and kind is Kind.PROFILE else _few_processes if traced else lambda *_: None,
        seconds=1 if not traced else 0,
        calls=0,
    )


def _roles(scene: Scene, *links: tuple[str, str]) -> None:
    """Write role profiles, each with its source."""
    scene.config(
        other="".join(
            f"[profile {name}]\nrole_arn = {_arn(name)}\nsource_profile = {source}\n" for name, source in links
        )
    )


def _arn(name: str) -> str:
    return f"arn:aws:iam::123456789012:role/{name}"


def _deep(scene: Scene) -> None:
    """Make a chain of twenty roles, each of which trusts the next one alone."""
    names = [f"r{number}" for number in range(20)]
    trusted = [*map(_arn, names[1:]), scene.user.arn]
    for name, principal in zip(names, trusted, strict=True):
        scene.sts.role(_arn(name), Trust((principal,)))
    _roles(scene, *zip(names, [*names[1:], "user1"], strict=True))


def _is_outermost(scene: Scene, result: Result) -> None:
    key = result.stdout.partition(b'"AccessKeyId":"')[2].partition(b'"')[0].decode()
    credentials = scene.sts.iam.credentials(key)
    assert credentials is not None
    assert credentials.role_arn == _arn("r0")


def _of_itself(scene: Scene) -> None:
    keys = scene.user.credentials
    scene.sts.role(_arn("own"), Trust((scene.user.arn,)))
    scene.config(
        other=f"[profile own]\nrole_arn = {_arn('own')}\nsource_profile = own\n"
        f"aws_access_key_id = {keys.access_key_id}\naws_secret_access_key = {keys.secret_access_key}\n"
    )


_ROUND = "cycle: "


ROWS = (
    row(
        "F036",
        "an STS endpoint of plain http",
        *_refused_url("a host", "http://evil.example", _PLAIN),
        *_refused_url("looks like the loopback", "http://127.0.0.1.evil.example", _PLAIN),
        *_refused_url("an address", "http://192.0.2.1:4566", _PLAIN, deep=True),
        Case(
            "every service's",
            Kind.UNSAFE,
            environ={_STS: "", "AWS_ENDPOINT_URL": "http://evil.example"},
            wrapper=_TRACED,
            says=f"^credproc: error: AWS_ENDPOINT_URL: {_PLAIN}",
            check=_no_connection,
            calls=0,
        ),
    ),
    row(
        "F037",
        "an STS endpoint of plain http on the loopback",
        Case("127.0.0.1"),
        Case(
            "localhost", before=lambda s: s.config(f"endpoint_url = http://localhost:{s.sts.port}"), environ={_STS: ""}
        ),
        Case("with a prompt", mfa=True),
    ),
    row(
        "F038",
        "an STS endpoint with a user, a query, blanks, line ends, or letters that look alike",
        *_refused_url("a user", "https://user@sts.us-west-2.amazonaws.com", _MORE),
        *_refused_url("a query", "https://sts.us-west-2.amazonaws.com?x", _MORE, deep=True),
        *_refused_url("a fragment", "https://sts.us-west-2.amazonaws.com/#x", _MORE, deep=True),
        *_refused_url("an alike letter", "https://sts.us-west-2.\u0430mazonaws.com", _NO_URL),
        *_refused_url(
            "a backslash", "https://evil.example\\@sts.us-west-2.amazonaws.com", f"({_NO_URL}|{_MORE})", deep=True
        ),
        *_refused_url("a scheme", "ftp://sts.us-west-2.amazonaws.com", _NO_URL, deep=True),
        *(
            Case(
                f"{name}, variable",
                Kind.UNSAFE,
                environ={_STS: url},
                wrapper=_TRACED,
                says=f"^credproc: error: {_STS}: {_NO_URL}",
                check=_no_connection,
                calls=0,
            )
            for name, url in (
                ("a leading space", " https://sts.us-west-2.amazonaws.com"),
                ("line ends", "https://sts.us-west-2.amazonaws.com\r\nHost: evil.example"),
                ("a tab", "https://sts.us-west-2\t.amazonaws.com"),
            )
        ),
        Case(
            "a password",
            Kind.UNSAFE,
            before=_with_password,
            undo=lambda s: s.config(),
            environ={_STS: ""},
            says=_MORE,
            calls=0,
        ),
    ),
    row(
        "F039",
        "TLS: self-signed, expired, another host",
        *(
            Case(name, Kind.NETWORK, run=run, says=": AssumeRole: TLS: ", check=_no_advice_to_trust, calls=0)
            for name, run in (
                ("self-signed", _to_tls()),
                ("expired", _to_tls(ended=True, trusted=True)),
                ("another host", _to_tls("192.0.2.1", trusted=True)),
            )
        ),
    ),
    row(
        "F040",
        "a container endpoint on a public host",
        _container("http://192.0.2.1/credentials"),
        _container("http://evil.example/credentials"),
        _container("http://169.254.170.2.evil.example/credentials"),
    ),
    row(
        "F041",
        "a proxy that is dead, wants a password, or answers with a page",
        Case(
            "dead",
            Kind.NETWORK,
            environ={_STS: "", "HTTPS_PROXY": "http://127.0.0.1:9"},
            says="AssumeRole: the proxy does not answer, or refuses",
            calls=0,
        ),
        Case(
            "407",
            Kind.NETWORK,
            run=_behind_proxy(_AUTHENTICATE),
            says=r"AssumeRole: the proxy asks for .* \(407\)",
            calls=0,
        ),
        Case("a page", Kind.NETWORK, run=_behind_proxy(_PAGE), says=r"the proxy is 127\.0\.0\.1:\d+", calls=0),
        Case(
            "a page, http",
            Kind.NETWORK,
            run=_behind_proxy(_PAGE, url="http://localhost:9", variable="HTTP_PROXY"),
            says="(?s)the answer cannot be understood.*check the proxy",
            calls=0,
        ),
    ),
    row(
        "F042",
        "AWS_CA_BUNDLE is missing, empty, no certificate, or a directory",
        *(
            Case(path, (Kind.CONFIG, Kind.NETWORK), run=_with_bundle(path), says="AWS_CA_BUNDLE", calls=0)
            for path in ("missing", "empty", "garbage", "../work")
        ),
    ),
    row(
        "F043",
        "a .netrc with a password for STS's host",
        Case("signed", before=_netrc, check=_signed),
        Case("unsigned", before=_netrc_and_web_identity, check=_signed),
    ),
    row(
        "F044",
        "no region, one that is not known, those of other partitions",
        _partition("no region", "sts.amazonaws.com", None),
        _partition("unknown", "sts.us-moon-1.amazonaws.com", "us-moon-1"),
        _partition("China", "sts.cn-north-1.amazonaws.com.cn", "cn-north-1", "aws-cn"),
        _partition("China, no region", "sts.cn-northwest-1.amazonaws.com.cn", None, "aws-cn"),
        _partition("GovCloud", "sts.us-gov-east-1.amazonaws.com", "us-gov-east-1", "aws-us-gov"),
        _partition("GovCloud, no region", "sts.us-gov-west-1.amazonaws.com", None, "aws-us-gov"),
        _no_region("evil.example/"),
        _no_region("us west 2"),
    ),
    row(
        "F045",
        "a credential_process that asks credproc for its own profile",
        _circle("in time", f"{_ROUND}x -> x", traced=False, x="credproc --profile x"),
        _circle("by its name", f"{_ROUND}x -> x", traced=True, x="credproc --profile x"),
        _circle("by its path", f"{_ROUND}x -> x", traced=True, x="{} --profile=x"),
        _circle("of two", f"{_ROUND}x -> y -> x", traced=True, x="{} --profile y", y="credproc --profile x"),
        _circle("through a shell", f"{_ROUND}x -> x", Kind.SOURCE, traced=True, x='sh -c "exec {} --profile x"'),
    ),
    row(
        "F046",
        "circles, a chain of twenty roles, a profile that is its own source",
        Case(
            "two",
            Kind.PROFILE,
            before=lambda s: _roles(s, ("a", "b"), ("b", "a")),
            arguments=("--profile", "a"),
            says=f"{_ROUND}a -> b -> a",
            calls=0,
        ),
        Case(
            "itself, without keys",
            Kind.PROFILE,
            before=lambda s: _roles(s, ("a", "a")),
            arguments=("--profile", "a"),
            says=f"{_ROUND}a -> a",
            calls=0,
        ),
        Case("twenty", before=_deep, arguments=("--profile", "r0"), calls=20, check=_is_outermost),
        Case("itself, with keys", before=_of_itself, arguments=("--profile", "own")),
    ),
)
