"""The AWS console, signed in with a role's credentials: getSigninToken, and the URL that a browser opens.

IAM User Guide, "Enable custom identity broker access to the AWS console". The credentials go in a query over TLS, as
the guide sends them; the URL for the browser holds the token in their place, which is good for fifteen minutes.
"""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from credproc.aws import http
from credproc.aws.client import Settings
from credproc.aws.errors import MALFORMED_HINT
from credproc.aws.message import Response
from credproc.config.shared_config import Setting
from credproc.errors import ConfigError, ServiceError, quoted
from credproc.plan import Plan
from credproc.plan.endpoint import partition_of
from credproc.plan.url import Url, check_url, is_loopback

VARIABLE = "CREDPROC_FEDERATION_ENDPOINT"
_OPERATION = "getSigninToken"
_ISSUER = "credproc"
_SERVICE = re.compile(r"[a-z0-9-]+")
_TOKEN = re.compile(r"[!-~]+")
# AWS General Reference, "AWS Sign-In endpoints", and the guides of the partitions
_HOSTS = {
    "aws": ("signin.aws.amazon.com", "console.aws.amazon.com"),
    "aws-cn": ("signin.amazonaws.cn", "console.amazonaws.cn"),
    "aws-us-gov": ("signin.amazonaws-us-gov.com", "console.amazonaws-us-gov.com"),
}


class Console(NamedTuple):
    """Where one signs in, and where one is then."""

    federation: str  # URL
    destination: str  # URL


def console_for(plan: Plan, service: str | None, environ: Mapping[str, str]) -> Console:
    """Return the console of the plan's partition, region and, where one is named, service.

    Raises ConfigError if there is none, or the plan's credentials cannot sign in there.
    """
    if plan.is_user_session:
        subject = "the environment" if plan.profile is None else f"profile {quoted(plan.profile)}"
        raise ConfigError(
            f"console: {subject}: only a role can sign in to the console, and this is a user's own session",
            "name a profile with role_arn",
        )
    if service is not None and not _SERVICE.fullmatch(service):
        raise ConfigError(
            f"console: {service[:40]!a} is no service's name",
            "write it as in the console's address: s3, ec2, cloudwatch",
        )
    partition = _partition(plan)
    if partition not in _HOSTS:
        raise ConfigError(f"console: it is not known where the console of {partition} is", "open it by other means")
    signin, console = _HOSTS[partition]
    query = "" if plan.region is None else f"?region={plan.region}"
    return Console(_federation(environ) or f"https://{signin}/federation", f"https://{console}/{_path(service)}{query}")


def sign_in_url(console: Console, document: bytes, settings: Settings) -> str:
    """Return the URL that signs whoever opens it in to the console; it is a secret, as the credentials are.

    Raises NetworkError, ConfigError or ServiceError.
    """
    fields = json.loads(document)
    if "SessionToken" not in fields:
        raise ServiceError(
            f"console: {_OPERATION}: the credentials are long-term keys, which cannot sign in to the console",
            "name a profile with role_arn",
        )
    about = {
        "sessionId": fields["AccessKeyId"],
        "sessionKey": fields["SecretAccessKey"],
        "sessionToken": fields["SessionToken"],
    }
    # No SessionDuration: AWS refuses it for roles that were assumed with temporary credentials
    query = urlencode({"Action": _OPERATION, "Session": json.dumps(about, separators=(",", ":"))}, quote_via=quote)
    url = Url.of(console.federation)
    answer = http.get(url._replace(target=f"{url.target}?{query}"), _OPERATION, settings).response
    login = {
        "Action": "login",
        "Issuer": _ISSUER,
        "Destination": console.destination,
        "SigninToken": _token(answer, console.federation),
    }
    return f"{console.federation}?{urlencode(login, quote_via=quote)}"


def _token(answer: Response, url: str) -> str:
    """Return the token in an answer, of which nothing is quoted: it may repeat what it was asked with."""
    where = f"{urlsplit(url).netloc}: {_OPERATION}"
    if answer.status in (400, 403):
        raise ServiceError(
            f"{where}: refused with {answer.status}",
            "the console takes a role's credentials, and a role that was assumed by another role's may be refused",
        )
    if answer.status != 200:
        raise ServiceError(f"{where}: answered with {answer.status}", "try again; check the proxy")
    try:
        token = json.loads(answer.body)["SigninToken"]
    except (ValueError, KeyError, TypeError, RecursionError):
        token = None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise ServiceError(f"{where}: the answer cannot be understood", MALFORMED_HINT)
    return token


def _partition(plan: Plan) -> str:
    """Return the partition of the role, which its ARN names; else that of the region."""
    role = plan.roles[-1] if plan.roles else plan.source.role
    return role.role_arn.split(":")[1] if role is not None else partition_of(plan.region or plan.endpoint.region)


def _path(service: str | None) -> str:
    return "console/home" if service is None else f"{service}/home"


def _federation(environ: Mapping[str, str]) -> str | None:
    """Return the stand-in that the variable names, for tests and demos: this machine's own, as it gets credentials."""
    url = environ.get(VARIABLE)
    if not url:
        return None
    if not is_loopback(check_url("sign-in", Setting(url, VARIABLE)).host):
        raise ConfigError(
            f"{VARIABLE}: is no http or https URL of this machine",
            "remove it: it is for tests, and AWS's own endpoints need no setting",
        )
    return url
