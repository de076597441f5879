"""Whether a URL has a proxy, decided as botocore decides it (``botocore.utils.get_environ_proxies``)."""

import os
import sys

from credproc.errors import ConfigError

_HAS_SYSTEM_SETTINGS = sys.platform in ("darwin", "win32")  # in which proxies may stand that no variable names
_BREAKING = "/?#"  # end the host of a URL wherever they stand


def proxy_for(scheme: str, netloc: str) -> str | None:
    """Return the URL of the proxy for requests to there, as it is set, or None.

    ``netloc`` is host, and port where the URL has one. Raises ConfigError, without the password, if its user or
    password breaks the URL.
    """
    proxy = proxies(scheme).get(scheme)
    if not proxy:
        return None
    from urllib.request import proxy_bypass  # noqa: PLC0415 - loaded by now

    try:
        if proxy_bypass(netloc):
            return None
    except (OSError, TypeError):  # macOS's settings, and a look-up that fails: as botocore
        pass
    check(proxy, scheme)
    return proxy


def proxies(scheme: str = "") -> dict[str, str]:
    """Return the URLs of the proxies that are set, by scheme; ``scheme`` names the only one that matters."""
    end = f"{scheme}_proxy"
    if not _HAS_SYSTEM_SETTINGS and not any(each.lower().endswith(end) and found for each, found in os.environ.items()):
        return {}
    from urllib.request import getproxies  # noqa: PLC0415 - 30 ms, only where there may be one

    return getproxies()


def check(proxy: str, scheme: str) -> None:
    """Raise ConfigError, without the password, if the user or password breaks the URL of the scheme's proxy."""
    user = proxy.partition("://")[2] if "://" in proxy else proxy
    user = user.removeprefix("//").rpartition("@")[0]
    broken = next((character for character in user if character in _BREAKING), None)
    if broken is not None:
        raise ConfigError(
            f"{variable_of(scheme)}: the user or password of the proxy holds a {broken} that is not escaped",
            f"write %{ord(broken):02X} in its place",
        )


def unusable(cause: object, scheme: str) -> ConfigError | None:
    """Return the error for what botocore wraps if the URL of the scheme's proxy is why it fails, else None."""
    if isinstance(cause, UnicodeError):
        return ConfigError(
            f"{variable_of(scheme)}: the user or password of the proxy is not plain ASCII", "use one that is"
        )
    if isinstance(cause, ValueError):
        return ConfigError(f"{variable_of(scheme)}: is no URL of a proxy", "write http://HOST:PORT")
    return None


def variable_of(scheme: str) -> str:
    """Return the name of the variable that sets the scheme's proxy: the one in lower case wins, as in urllib."""
    name = f"{scheme}_proxy"
    found = [each for each in os.environ if each.lower() == name]
    return name if name in found or not found else found[-1]


def shown(proxy: str) -> str:
    """Return the proxy's host and port, without user and password, for a person."""
    return proxy.rpartition("://")[2].rpartition("@")[2].rstrip("/")
