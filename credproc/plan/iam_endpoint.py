"""The endpoint of IAM: each partition has one for all regions, with one signing region (IAM's endpoint rules).

tests/test_endpoint.py compares it with botocore.
"""

from collections.abc import Mapping
from typing import NamedTuple

from credproc.config.shared_config import Section, SharedConfig
from credproc.errors import ConfigError
from credproc.plan.endpoint import GLOBAL_REGION, SIGNING_REGION, Endpoint, configured_url, partition_of


class _Hosts(NamedTuple):
    region: str  # the signing region
    plain: str
    fips: str
    dualstack: str | None  # None: the partition has no such endpoint
    both: str | None


_HOSTS = {
    "aws": _Hosts(
        "us-east-1", "iam.amazonaws.com", "iam-fips.amazonaws.com", "iam.global.api.aws", "iam-fips.global.api.aws"
    ),
    "aws-cn": _Hosts(
        "cn-north-1",
        "iam.cn-north-1.amazonaws.com.cn",
        "iam-fips.amazonaws.com.cn",
        "iam.global.api.amazonwebservices.com.cn",
        "iam-fips.api.amazonwebservices.com.cn",
    ),
    "aws-us-gov": _Hosts(
        "us-gov-west-1",
        "iam.us-gov.amazonaws.com",
        "iam.us-gov.amazonaws.com",
        "iam.us-gov.api.aws",
        "iam.us-gov.api.aws",
    ),
    "aws-iso": _Hosts(
        "us-iso-east-1",
        "iam.us-iso-east-1.c2s.ic.gov",
        "iam-fips.us-iso-east-1.c2s.ic.gov",
        "iam.api.aws.ic.gov",
        "iam-fips.api.aws.ic.gov",
    ),
    "aws-iso-b": _Hosts(
        "us-isob-east-1",
        "iam.us-isob-east-1.sc2s.sgov.gov",
        "iam-fips.us-isob-east-1.sc2s.sgov.gov",
        "iam.api.aws.scloud",
        "iam-fips.api.aws.scloud",
    ),
    "aws-iso-e": _Hosts("eu-isoe-west-1", "iam.eu-isoe-west-1.cloud.adc-e.uk", "iam-fips.cloud.adc-e.uk", None, None),
    "aws-iso-f": _Hosts("us-isof-south-1", "iam.us-isof-south-1.csp.hci.ic.gov", "iam-fips.csp.hci.ic.gov", None, None),
    "aws-eusc": _Hosts(
        "eusc-de-east-1",
        "iam.eusc-de-east-1.amazonaws.eu",
        "iam-fips.amazonaws.eu",
        "iam.global.api.amazonwebservices.eu",
        "iam-fips.api.amazonwebservices.eu",
    ),
}


def iam_endpoint_for(
    section: Section, config: SharedConfig, environ: Mapping[str, str], sts: Endpoint
) -> tuple[str, str]:
    """Return the URL of IAM in the partition of this STS endpoint, and the signing region.

    Raises ConfigError if a configured URL cannot be used, or the partition has no dual-stack endpoint.
    """
    url = configured_url("iam", section, config, environ)
    if url is not None:
        return url.value, SIGNING_REGION if sts.region == GLOBAL_REGION else sts.region
    hosts = _HOSTS[partition_of(sts.region)]
    host = (hosts.both if sts.use_fips else hosts.dualstack) if sts.use_dualstack else None
    if sts.use_dualstack and host is None:
        raise ConfigError(
            f"IAM: the partition of {sts.region} has no endpoint with dual stack",
            "remove use_dualstack_endpoint and AWS_USE_DUALSTACK_ENDPOINT",
        )
    return f"https://{host or (hosts.fips if sts.use_fips else hosts.plain)}", hosts.region
