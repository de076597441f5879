"""Which STS answers: region and endpoint, as boto3 resolves them for the selected profile."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from credproc.config.parser import Section, Setting, SharedConfig, nested
from credproc.errors import ConfigError

GLOBAL_REGION = "aws-global"
SIGNING_REGION = "us-east-1"  # of the global endpoint (AWS general reference, "AWS STS endpoints and quotas")

# Where a profile names no region, a role's partition chooses (botocore, partitions.json, implicitGlobalRegion)
PARTITION_REGIONS = {
    "aws": GLOBAL_REGION,
    "aws-cn": "cn-northwest-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-eusc": "eusc-de-east-1",
}
_PARTITION_PREFIXES = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
)
# Regions whose sts_regional_endpoints = legacy means the global endpoint (AWS SDKs and Tools reference guide)
LEGACY_REGIONS = frozenset(
    (
        "ap-northeast-1 ap-south-1 ap-southeast-1 ap-southeast-2 aws-global ca-central-1 eu-central-1 eu-north-1"
        " eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2"
    ).split()
)
# DNS suffixes (botocore, partitions.json: dnsSuffix, and dualStackDnsSuffix)
_SUFFIXES = {
    "aws": ("amazonaws.com", "api.aws"),
    "aws-cn": ("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    "aws-us-gov": ("amazonaws.com", "api.aws"),
    "aws-iso": ("c2s.ic.gov", "api.aws.ic.gov"),
    "aws-iso-b": ("sc2s.sgov.gov", "api.aws.scloud"),
    "aws-iso-e": ("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    "aws-iso-f": ("csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    "aws-eusc": ("amazonaws.eu", "api.amazonwebservices.eu"),
}
_REGION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")  # a host label, as botocore checks it
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+")


@dataclass(frozen=True)
class Endpoint:
    """Where STS calls go, for every hop of a plan."""

    region: str
    url: str | None = None  # a configured one
    use_fips: bool = False
    use_dualstack: bool = False
    sts_regional_endpoints: str = "regional"

    @property
    def issuer(self) -> str:
        """Whom a session comes from, as far as it decides where the session is valid: never a single region."""
        if self.url is not None:
            return self.url
        if self.region == GLOBAL_REGION or (
            self.sts_regional_endpoints == "legacy"
            and self.region in LEGACY_REGIONS
            and not (self.use_fips or self.use_dualstack)
        ):
            return "global"
        return partition_of(self.region)

    @property
    def address(self) -> str:
        """The URL that calls go to, for people; what is sent goes where botocore says, and a test compares the two."""
        if self.issuer == "global" and not (self.use_fips or self.use_dualstack):
            return "https://sts.amazonaws.com"
        if self.url is not None:
            return self.url
        partition = partition_of(self.region)
        plain, dualstack = _SUFFIXES[partition]
        # the plain endpoints of GovCloud are FIPS ones (STS's endpoint rules)
        fips = "-fips" if self.use_fips and (self.use_dualstack or partition != "aws-us-gov") else ""
        return f"https://sts{fips}.{self.region}.{dualstack if self.use_dualstack else plain}"

    @property
    def signing_region(self) -> str:
        """The region that calls are signed for."""
        return SIGNING_REGION if self.issuer == "global" else self.region


def partition_of(region: str) -> str:
    """Return the partition that a region belongs to."""
    return next((name for prefix, name in _PARTITION_PREFIXES if region.startswith(prefix)), "aws")


def endpoint_for(section: Section, config: SharedConfig, environ: Mapping[str, str], role_arn: str | None) -> Endpoint:
    """Return the STS endpoint of the selected profile; ``role_arn`` chooses the partition where no region is known.

    Raises ConfigError, with file and line or the variable's name.
    """
    url = _configured_url(section, config, environ)
    fips = _flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", section, environ)
    dualstack = _flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", section, environ)
    if url is not None and (fips or dualstack):
        raise ConfigError(
            f"{url.where}: a configured STS endpoint cannot be combined with FIPS or dual stack",
            "remove the endpoint, or use_fips_endpoint and use_dualstack_endpoint",
        )
    region = region_of(section, environ)
    if region is None:
        region = PARTITION_REGIONS.get(role_arn.split(":")[1], GLOBAL_REGION) if role_arn else GLOBAL_REGION
        if url is not None and region == GLOBAL_REGION:
            region = SIGNING_REGION
    return Endpoint(
        region=region,
        url=None if url is None else url.value,
        use_fips=fips,
        use_dualstack=dualstack,
        sts_regional_endpoints=_regional(section, environ),
    )


def _from(variable: str, key: str, section: Section, environ: Mapping[str, str]) -> Setting | None:
    """Return the variable's value if it is set, else the profile's."""
    if environ.get(variable):
        return Setting(environ[variable], variable)
    return section.setting(key)


def region_of(section: Section, environ: Mapping[str, str]) -> str | None:
    """Return the region that the environment or else the profile names, or None. Raises ConfigError."""
    setting = _from("AWS_DEFAULT_REGION", "region", section, environ)
    if environ.get("AWS_REGION"):
        setting = Setting(environ["AWS_REGION"], "AWS_REGION")
    if setting is None or not setting.value:
        return None
    if not _REGION.fullmatch(setting.value):
        raise ConfigError(f"{setting.where}: is no region: {setting.value[:80]}", "write a region such as us-east-1")
    return setting.value


def _flag(variable: str, key: str, section: Section, environ: Mapping[str, str]) -> bool:
    setting = _from(variable, key, section, environ)
    return setting is not None and setting.value.strip().lower() == "true"


def _regional(section: Section, environ: Mapping[str, str]) -> str:
    setting = _from("AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints", section, environ)
    if setting is None:
        return "regional"
    if setting.value not in ("regional", "legacy"):
        raise ConfigError(
            f"{setting.where}: sts_regional_endpoints is neither regional nor legacy: {setting.value[:40]}",
            "remove it: regional is the default",
        )
    return setting.value


def _configured_url(section: Section, config: SharedConfig, environ: Mapping[str, str]) -> Setting | None:
    if _flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls", section, environ):
        return None
    for variable in ("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"):
        if environ.get(variable):
            return _checked_url(Setting(environ[variable], variable))
    services = section.setting("services")
    if services is not None:
        if services.value not in config.services:
            raise ConfigError(
                f"{services.where}: there is no section [services {services.value}]", "add it, or remove this line"
            )
        sts = config.services[services.value].setting("sts")
        url = nested(sts).get("endpoint_url") if sts is not None else None
        if sts is not None and url:
            return _checked_url(Setting(url, sts.where))
    found = section.setting("endpoint_url")
    return _checked_url(found) if found is not None and found.value else None


def _checked_url(setting: Setting) -> Setting:
    """Return the setting if signed requests, which buy credentials, may be sent to its URL."""
    try:
        parts = urlsplit(setting.value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    plain = not any(character.isspace() or not character.isprintable() for character in setting.value)
    if host and ("[" in parts.netloc) != (":" in host):  # brackets are for IPv6, and newer Pythons let more pass
        host = None
    if not plain or not host or parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise ConfigError(f"{setting.where}: the STS endpoint is no URL of http or https", "write https://HOST[:PORT]")
    # Looked for in the text, as an empty query or fragment leaves no trace in its parts
    more = "?" in setting.value or "#" in setting.value
    if more or parts.username is not None or parts.path not in ("", "/"):
        raise ConfigError(
            f"{setting.where}: the STS endpoint has more than a scheme, host and port", "write https://HOST[:PORT]"
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(
            f"{setting.where}: the STS endpoint is plain http to {host}: others could read the credentials",
            "write https; http is for this machine only (AWS_ENDPOINT_URL_STS sets the endpoint of STS alone)",
        )
    return setting


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name; one that looks like an address may be resolved in a search domain
        return False
