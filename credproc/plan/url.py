"""Split an http or https URL into the parts that a request needs.

``urllib.parse`` is not used: it takes 4 ms of processor time to import, and accepts more than is safe to sign.
"""

from typing import NamedTuple

DEFAULT_PORTS = {"http": 80, "https": 443}


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
        if not separator or scheme not in DEFAULT_PORTS or not host or not _is_visible(text):
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
    return all("!" <= character <= "~" and character != "#" for character in text)
