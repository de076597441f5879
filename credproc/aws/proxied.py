"""A request through a proxy, over botocore's own HTTP session, as boto3 sends it: proxies are no business of ours."""

import ssl
import warnings
from typing import Any

import botocore.exceptions as boto
from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.httpsession import URLLib3Session
from botocore.utils import normalize_boolean
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.util.ssl_match_hostname import CertificateError

from credproc import limits
from credproc.aws import proxies
from credproc.aws.authorities import Authorities
from credproc.aws.http1 import TOO_LONG
from credproc.aws.message import Kind, Request, Response, TransportError
from credproc.aws.transport import Timeouts, ignore_key_log
from credproc.config.shared_config import Section
from credproc.errors import ConfigError

_KINDS: tuple[tuple[type[Exception], Kind], ...] = (
    (boto.ConnectTimeoutError, "connect timeout"),
    (boto.ReadTimeoutError, "read timeout"),
    (boto.EndpointConnectionError, "connect"),
    (boto.ConnectionClosedError, "closed"),
)


def proxies_config(section: Section | None) -> dict[str, Any]:
    """Return the profile's ``proxies_config`` as botocore takes it. Raises ConfigError, with file and line."""
    block = {} if section is None else section.block("proxies_config")
    return {
        name: normalize_boolean(value) if name == "proxy_use_forwarding_for_https" else value
        for name, value in block.items()
    }


class Proxied:
    """Connections through one proxy."""

    def __init__(self, proxy: str, authorities: Authorities, section: Section | None) -> None:
        """Take the proxy's URL, whose certificates are trusted, and the profile. Raises ConfigError."""
        self._proxy = proxy
        self._authorities = authorities
        self._config = proxies_config(section)
        self._config_place = "proxies_config" if section is None else section.where_set("proxies_config")

    def warm(self) -> None:
        """Read the certificate authorities, if settings name some. Raises ConfigError."""
        self._authorities.check()

    def send(self, request: Request, timeouts: Timeouts) -> Response:
        """Return the response to the request. Raises TransportError or ConfigError."""
        if request.url.scheme == "https":
            self.warm()
        try:
            session = self._session(request.url.scheme, timeouts)
            # What urllib3 says of botocore's use of it would stand on stderr, which some SDKs take for an answer
            warnings.simplefilter("ignore", FutureWarning)
            try:
                return _whole(session, request)
            finally:
                session.close()
        except (boto.BotoCoreError, HTTPError) as error:
            raise _failed(error, request.url.scheme, self._config_place) from None

    def _session(self, scheme: str, timeouts: Timeouts) -> URLLib3Session:
        ignore_key_log()
        timeout = (timeouts.left(timeouts.connect_seconds), timeouts.left(timeouts.read_seconds))
        # True: botocore's own choice, which is ours, too, where nobody names another
        verify = True if self._authorities.where is None else self._authorities.path
        return URLLib3Session(
            verify=verify,  # type: ignore[arg-type]  # the stubs know no paths
            proxies={scheme: self._proxy},
            timeout=timeout,  # type: ignore[arg-type]  # the stubs know no pairs
            proxies_config=self._config,
        )


def _whole(session: URLLib3Session, request: Request) -> Response:
    """Return the response with its body, which botocore would read without a limit, and short as it may be."""
    headers: Any = HeadersDict(request.headers)  # as botocore makes them; the stubs know another type
    headers["Content-Length"] = str(len(request.body))
    answer = session.send(
        AWSPreparedRequest(request.method, str(request.url), headers, request.body, stream_output=True)
    )
    raw: Any = answer.raw
    try:
        body = _body(raw)
    finally:
        raw.close()  # else it stays open where it was not read to its end
    found = {name.lower(): value for name, value in answer.headers.items()}
    length = found.get("content-length", "")
    if length.isdecimal() and len(body) < int(length) and request.method != "HEAD":
        raise TransportError("cut off")
    if answer.status_code == 407:
        raise TransportError("proxy", "407")
    return Response(answer.status_code, raw.reason or "", found, body)


def _body(raw: Any) -> bytes:  # noqa: ANN401 - urllib3's response, which botocore wraps
    try:
        return limits.whole(raw.stream(limits.ANSWER, decode_content=False), limits.ANSWER)
    except limits.TooLongError:
        raise TransportError("malformed", TOO_LONG) from None


def _failed(error: boto.BotoCoreError | HTTPError, scheme: str, config: str) -> TransportError | ConfigError:
    """Return botocore's exception, or urllib3's from reading the body, in our words; ``config`` is a place."""
    if isinstance(error, HTTPError):
        return TransportError("read timeout" if isinstance(error, ReadTimeoutError) else "cut off")
    cause = error.kwargs.get("error")
    if isinstance(error, boto.ProxyConnectionError):
        return TransportError("proxy", "407" if "407 " in str(cause) else "")
    if isinstance(cause, boto.InvalidProxiesConfigError):
        return ConfigError(f"{config}: proxies_config: the certificates cannot be used", "check the paths in it")
    if (unusable := proxies.unusable(cause, scheme)) is not None:
        return unusable
    if isinstance(error, boto.SSLError):
        untrusted = _untrusted(error)
        return TransportError("tls") if untrusted is None else TransportError("certificate", untrusted)
    return TransportError(next((kind for kinds, kind in _KINDS if isinstance(error, kinds)), "proxy"))


def _untrusted(error: BaseException) -> str | None:
    """Return what OpenSSL says against a certificate, from wherever the exceptions hold it; None: it says nothing."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, CertificateError):  # urllib3 compares the names itself
        return str(error)
    wrapped = getattr(error, "kwargs", {}).get("error")
    inner = [each for each in (wrapped, *error.args) if isinstance(each, BaseException)]
    return next((found for each in inner if (found := _untrusted(each)) is not None), None)
