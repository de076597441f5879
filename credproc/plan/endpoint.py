"""The endpoint of STS: region and URL, as boto3 resolves them for the selected profile.

And the URLs that settings and variables name for the other services that get secrets.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from credproc.config.shared_config import Section, Setting, SharedConfig, chosen, is_true, variable
from credproc.errors import ConfigError, quoted
from credproc.plan.url import HTTP_HINT, check_url

GLOBAL_REGION = "aws-global"
SIGNING_REGION = "us-east-1"  # of the global endpoint (AWS general reference, "AWS STS endpoints and quotas")

# Without a region in the settings, the partition of the role chooses (botocore, partitions.json, implicitGlobalRegion)
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
# FIPS 140 is of the United States and Canada: no other region of the aws partition has such endpoints (AWS, "Federal
# Information Processing Standard (FIPS) 140-3", endpoints by service)
_FIPS_PREFIXES = ("us-", "ca-")
FIPS_HINT = (
    "STS has FIPS endpoints in us-east-1, us-east-2, us-west-1, us-west-2 and GovCloud: name one of these regions"
)
_REGION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")  # a host label, as botocore checks it

# The first that is set counts
CONTAINER_VARIABLES = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
# Of ECS, to whose agent the relative URI is relative, and of EKS (AWS SDKs and Tools reference guide, "Container
# credential provider")
_AGENTS = ("169.254.170.2", "169.254.170.23", "fd00:ec2::23")


class Endpoint(NamedTuple):
    """Where STS calls go, for every hop of a plan."""

    region: str
    url: str | None = None  # the configured URL
    use_fips: bool = False
    use_dualstack: bool = False
    sts_regional_endpoints: str = "regional"

    @property
    def issuer(self) -> str:
        """What issues a session, as far as it decides where the session is valid; never a single region."""
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
        """The URL that calls go to; a test compares it with botocore's."""
        if self.issuer == "global" and not (self.use_fips or self.use_dualstack):
            return "https://sts.amazonaws.com"
        if self.url is not None:
            return self.url
        partition = partition_of(self.region)
        plain, dualstack = _SUFFIXES[partition]
        # the default endpoints of GovCloud are FIPS endpoints (STS's endpoint rules)
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
    """Return the STS endpoint of the selected profile; without a region ``role_arn`` chooses the partition.

    Raises ConfigError, with file and line or the variable's name.
    """
    url = configured_url("sts", section, config, environ)
    fips = chosen("use_fips_endpoint", section, environ)
    use_fips = is_true(fips)
    use_dualstack = is_true(chosen("use_dualstack_endpoint", section, environ))
    if url is not None and (use_fips or use_dualstack):
        raise ConfigError(
            f"{url.where}: a configured STS endpoint cannot be combined with FIPS or dual stack",
            "remove the endpoint, or use_fips_endpoint and use_dualstack_endpoint",
        )
    region = region_of(section, environ)
    if region is None:
        region = PARTITION_REGIONS.get(role_arn.split(":")[1], GLOBAL_REGION) if role_arn else GLOBAL_REGION
        if url is not None and region == GLOBAL_REGION:
            region = SIGNING_REGION
    if fips is not None and use_fips and partition_of(region) == "aws" and not region.startswith(_FIPS_PREFIXES):
        where = "without a region" if region == GLOBAL_REGION else f"in {region}"
        raise ConfigError(f"{fips.where}: STS has no FIPS endpoint {where}", FIPS_HINT)
    return Endpoint(
        region=region,
        url=None if url is None else url.value,
        use_fips=use_fips,
        use_dualstack=use_dualstack,
        sts_regional_endpoints=_regional_endpoints_mode(section, environ),
    )


def region_of(section: Section, environ: Mapping[str, str]) -> str | None:
    """Return the region that the environment or else the profile names, or None. Raises ConfigError."""
    setting = variable("AWS_REGION", environ) or variable("AWS_DEFAULT_REGION", environ) or section.setting("region")
    return None if setting is None or not setting.value else checked_region(setting)


def checked_region(setting: Setting) -> str:
    """Return the setting's value. Raises ConfigError if it cannot be a part of a host's name."""
    if not _REGION.fullmatch(setting.value):
        raise ConfigError(
            f"{setting.where}: the region must be a name such as us-east-1, not {quoted(setting.value[:80])}",
            "write the name of an AWS region",
        )
    return setting.value


def _regional_endpoints_mode(section: Section, environ: Mapping[str, str]) -> str:
    setting = variable("AWS_STS_REGIONAL_ENDPOINTS", environ) or section.setting("sts_regional_endpoints")
    if setting is None:
        return "regional"
    if setting.value not in ("regional", "legacy"):
        raise ConfigError(
            f"{setting.where}: sts_regional_endpoints must be regional or legacy, not {quoted(setting.value[:40])}",
            "remove it: regional is the default",
        )
    return setting.value


def configured_url(service: str, section: Section, config: SharedConfig, environ: Mapping[str, str]) -> Setting | None:
    """Return the URL that the environment or the profile sets for a service, or None.

    ``service`` is ``sts``, ``iam``, ``sso`` or ``sso_oidc``. Raises ConfigError if no secret may be sent to the URL.
    """
    if is_true(chosen("ignore_configured_endpoint_urls", section, environ)):
        return None
    own_variable = f"AWS_ENDPOINT_URL_{service.upper()}"
    found = (
        variable(own_variable, environ)
        or variable("AWS_ENDPOINT_URL", environ)
        or _in_services(service, section, config)
        or section.setting("endpoint_url")
    )
    if found is None or not found.value:
        return None
    name = service.upper().replace("_", " ")
    check_url(name, found, f"{HTTP_HINT} ({own_variable} sets the endpoint of {name} alone)")
    return found


def _in_services(service: str, section: Section, config: SharedConfig) -> Setting | None:
    """Return the URL of the service in the section that ``services`` names, or None. Raises ConfigError."""
    services = section.setting("services")
    if services is None:
        return None
    if services.value not in config.services:
        raise ConfigError(
            f"{services.where}: there is no section [services {services.value}]", "add it, or remove this line"
        )
    block = config.services[services.value].setting(service)
    found = None if block is None else block.sub_setting("endpoint_url")
    return found if found is not None and found.value else None


def check_container_url(name: str, value: str) -> None:
    """Raise ConfigError if a container's token must not be sent to ``value``, of the variable ``name``.

    Botocore's own check is not enough: it reads the host by ``urllib.parse``, and urllib3 may connect to another one.
    """
    url = f"http://{_AGENTS[0]}{value}" if name == CONTAINER_VARIABLES[0] else value
    hint = f"{HTTP_HINT}, and for the agents of ECS and EKS"
    check_url("container", Setting(url.partition("?")[0], name), hint, _AGENTS)
