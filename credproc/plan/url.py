"""An http or https URL, in the parts that a request needs.

Not ``urllib.parse``, which takes 4 ms of processor time to import, and lets more pass.
"""

from typing import NamedTuple

DEFAULT_PORTS = {"http": 80, "https": 443}


class Url(NamedTuple):
    """An http or https URL."""

    scheme: str
    host: str  # in lower case; an IPv6 address without brackets
    port: int
    target: str  # path and query, as they stand in the request line

    @classmethod
    def of(cls, text: str) -> "Url":
        """Return the parts of a URL without user, password and fragment. Raises ValueError if it is none."""
        scheme, separator, rest = text.partition("://")
        scheme = scheme.lower()
        netloc, slash, path = rest.partition("/")
        host, port = _split(netloc)
        if not separator or scheme not in DEFAULT_PORTS or not host or not _is_visible(text):
            raise ValueError("no http or https URL")
        return cls(scheme, host, DEFAULT_PORTS[scheme] if port is None else port, slash + path or "/")

    @property
    def host_header(self) -> str:
        """The ``Host`` header: the port is in it unless it is the scheme's own, as botocore signs it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        """Return the URL as text."""
        return f"{self.scheme}://{self.host_header}{self.target}"


def _split(netloc: str) -> tuple[str, int | None]:
    """Return host and port; raises ValueError if the port is no number of one."""
    if netloc.startswith("["):
        host, bracket, rest = netloc[1:].partition("]")
        colon, port = rest[:1], rest[1:]
        if not bracket or colon not in ("", ":") or ":" not in host:
            raise ValueError("no host")
    else:
        host, colon, port = netloc.partition(":")
    if "@" in netloc or not all(character.isalnum() or character in "-._:" for character in host):
        raise ValueError("no host")
    if not port:
        return host.lower(), None
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError("no port")
    return host.lower(), int(port)


def _is_visible(text: str) -> bool:
    return all("!" <= character <= "~" and character != "#" for character in text)
