"""Split an http or https URL into the parts that a request needs, and check that secrets may be sent there.

``urllib.parse`` is not used: it takes 4 ms of processor time to import, and accepts more than is safe to sign.
"""

import re
from collections.abc import Container
from typing import NamedTuple

from credproc.config.shared_config import Setting
from credproc.errors import ConfigError

DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+")
_HINT = "write https://HOST[:PORT][/PATH]"
HTTP_HINT = "write https; http is for this machine only"


class Url(NamedTuple):
    """An http or https URL."""

    scheme: str
    host: str  # in lower case; an IPv6 address without brackets
    port: int
    target: str  # path and query, as in the request line

    @classmethod
    def of(cls, text: str) -> "Url":
        """Return the parts of an http or https URL without user and fragment. Raises ValueError for other text."""
        scheme, separator, rest = text.partition("://")
        scheme = scheme.lower()
        netloc, slash, path = rest.partition("/")
        host, port = _split(netloc)
        if not separator or scheme not in DEFAULT_PORTS or not host or not _is_visible(text) or "#" in text:
            raise ValueError("not an http or https URL")
        return cls(scheme, host, DEFAULT_PORTS[scheme] if port is None else port, slash + path or "/")

    @property
    def host_header(self) -> str:
        """The ``Host`` header, as botocore signs it: with the port unless that is the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        """Return the URL as text."""
        return f"{self.scheme}://{self.host_header}{self.target}"


def _split(netloc: str) -> tuple[str, int | None]:
    """Return host and port. Raises ValueError if either is invalid."""
    if netloc.startswith("["):
        host, bracket, rest = netloc[1:].partition("]")
        colon, port = rest[:1], rest[1:]
        if not bracket or colon not in ("", ":") or ":" not in host:
            raise ValueError("invalid host")
    else:
        host, colon, port = netloc.partition(":")
    if "@" in netloc or not all(character.isalnum() or character in "-._:" for character in host):
        raise ValueError("invalid host")
    if not port:
        return host.lower(), None
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError("invalid port")
    return host.lower(), int(port)


def _is_visible(text: str) -> bool:
    return all("!" <= character <= "~" for character in text)


def check_url(name: str, setting: Setting, http_hint: str = HTTP_HINT, http_hosts: Container[str] = ()) -> Url:
    """Return the URL of the endpoint ``name``; all that settings say of where secrets go passes here.

    Raises ConfigError, with ``http_hint``, for http to another host than this machine and ``http_hosts``; and for text
    in which programs could see different hosts.
    """
    netloc = setting.value.partition("://")[2].partition("/")[0]
    try:
        url = Url.of(setting.value)
    except ValueError:
        url = None
    has_more = "?" in setting.value or "#" in setting.value or "@" in netloc
    if has_more and _is_visible(setting.value):
        raise ConfigError(f"{setting.where}: the {name} endpoint may have a scheme, host, port and path only", _HINT)
    if url is None or not _HOST.fullmatch(url.host):
        raise ConfigError(f"{setting.where}: the {name} endpoint must be an http or https URL", _HINT)
    if url.scheme == "http" and not is_loopback(url.host) and url.host not in http_hosts:
        raise ConfigError(
            f"{setting.where}: the {name} endpoint is plain http to {url.host}: others could read the credentials",
            http_hint,
        )
    return url


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine's loopback address or ``localhost``."""
    parts = host.split(".")
    if ":" in host:
        from ipaddress import ip_address  # noqa: PLC0415 - 1 ms, for IPv6 alone

        try:
            return ip_address(host).is_loopback
        except ValueError:
            return False
    # some resolvers look up 127.1 and 0x7f.0.0.1 as names in a search domain
    return host == "localhost" or (
        len(parts) == 4
        and parts[0] == "127"
        and all(part.isdecimal() and str(int(part)) == part for part in parts)
        and max(map(int, parts)) < 256
    )
