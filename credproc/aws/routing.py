"""Which way a request takes: directly, or through the proxy that botocore would choose."""

from collections.abc import Mapping

from credproc.aws import proxies
from credproc.aws.authorities import authorities_for
from credproc.aws.transport import Transport
from credproc.config.shared_config import Section
from credproc.plan.url import Url


def transport_for(url: Url, section: Section | None, environ: Mapping[str, str]) -> Transport:
    """Return the transport for requests to the URL, with the profile's and the environment's settings.

    Raises ConfigError if one of them cannot be followed.
    """
    authorities = authorities_for(section, environ)
    proxy = proxies.proxy_for(url.scheme, url.host_header)
    if proxy is None:
        from credproc.aws.direct import Direct  # noqa: PLC0415 - one of the two

        return Direct(authorities)
    from credproc.aws.proxied import Proxied  # noqa: PLC0415 - botocore

    return Proxied(proxy, authorities, section)
