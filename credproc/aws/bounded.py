"""Botocore's HTTP session with a limit on what it reads, and with our words for a proxy that is set wrongly.

By itself it reads an answer to its end, however long.
"""

from collections.abc import Iterator
from typing import Any

import botocore.exceptions as boto
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from urllib3.exceptions import HTTPError, ReadTimeoutError

from credproc import limits
from credproc.aws import proxies

_PIECE = 16 * 1024  # bytes that are asked for at once


class TooLongAnswerError(boto.HTTPClientError):
    """An answer is longer than it can be. Not a kind of error after which botocore tries again."""

    fmt = "the answer is longer than it can be"


class BoundedSession:
    """Sends requests by a session of botocore's; stands where botocore takes a session."""

    def __init__(self, session: URLLib3Session) -> None:
        """Take the session."""
        self._session = session

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Return the response with its whole body, which has at most ``limits.SOURCE`` bytes.

        Raises what botocore's session does, TooLongAnswerError, and ConfigError if the URL of a proxy is wrong.
        """
        request.stream_output = True  # so that the session does not read the body
        response = self._sent(request)
        raw = response.raw
        try:
            body = limits.whole(raw.stream(_PIECE, decode_content=False), limits.SOURCE)
        except limits.TooLongError:
            raise TooLongAnswerError from None
        except ReadTimeoutError as error:
            raise boto.ReadTimeoutError(endpoint_url=request.url, error=error) from None
        except (HTTPError, OSError) as error:
            raise boto.ConnectionClosedError(endpoint_url=request.url, error=error, request=request) from None
        finally:
            raw.close()
        headers: Any = response.headers  # the stubs know only the type that urllib3 gives
        return AWSResponse(response.url, response.status_code, headers, _Body(body))

    def _sent(self, request: AWSPreparedRequest) -> AWSResponse:
        scheme = request.url.partition(":")[0]
        # No public way to learn whether this session has a proxy for it: the one for a container never has
        proxy = self._session._proxy_config.proxy_url_for(request.url)  # type: ignore[attr-defined]  # noqa: SLF001
        if proxy:
            proxies.check(proxy, scheme)
        try:
            return self._session.send(request)
        except boto.HTTPClientError as error:
            unusable = proxies.unusable(error.kwargs.get("error"), scheme) if proxy else None
            raise unusable or error from None

    def close(self) -> None:
        """Close the session's connections."""
        self._session.close()


class _Body:
    """A body that has been read, as an AWSResponse reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        """Yield the body."""
        yield self._body
