"""Botocore as the oracle of single calls: the same operation and parameters through both, byte for byte.

`python -m tests.queries --examples 20000` is the deep sweep; tests/test_query.py runs 500 examples. What must be equal:
method, URL, each header that is signed, body and signature, at one time. What botocore sends besides, and signs not
(`User-Agent`, `amz-sdk-…`), is its own.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cache
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import urlsplit

import botocore
import botocore.session
from botocore.config import Config
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from credproc.aws.client import Call, Service, request_of
from credproc.aws.message import Request
from credproc.credentials import Credentials
from credproc.plan.url import Url

VERSIONS = {"sts": "2011-06-15", "iam": "2010-05-08"}
_ARN = "arn:aws:iam::123456789012:role/x"


class Example(NamedTuple):
    """One call."""

    service: str
    action: str
    parameters: Mapping[str, Any]
    keys: Credentials | None
    url: str
    region: str
    time: int


def botocore_request(example: Example) -> Any:
    """Return what botocore would send."""
    client = _client(example.service, example.url, example.region, example.keys)
    operation = client.meta.service_model.operation_model(example.action)
    moment = datetime.fromtimestamp(example.time, timezone.utc)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        context: dict[str, Any] = {"client_region": example.region, "client_config": client.meta.config}
        context |= {"has_streaming_input": False, "auth_type": operation.auth_type}
        request = client._convert_to_request_dict(dict(example.parameters), operation, example.url, context)
        return client._endpoint.create_request(request, operation)


@cache
def _client(service: str, url: str, region: str, keys: Credentials | None) -> Any:
    options: dict[str, Any] = {} if keys is not None else {"signature_version": botocore.UNSIGNED}
    named = Credentials("", "") if keys is None else keys
    return _session().create_client(
        service,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=named.access_key_id or None,
        aws_secret_access_key=named.secret_access_key or None,
        aws_session_token=named.session_token,
        config=Config(parameter_validation=False, **options),
    )


@cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


def our_request(example: Example) -> Request:
    """Return what credproc would send."""
    version = VERSIONS[example.service]
    service = Service(example.service, version, Url.of(example.url), example.region)
    return request_of(service, Call(example.action, example.parameters, example.keys), example.time)


def compare(example: Example) -> None:
    """Assert that both send the same, as far as it is signed."""
    theirs, ours = botocore_request(example), our_request(example)
    headers = {name.lower(): _text(value) for name, value in theirs.headers.items()}
    assert (ours.method, str(ours.url)) == (theirs.method, _with_its_path(theirs.url)), example
    assert ours.body == _bytes(theirs.body), example
    assert ours.headers.get("Authorization") == headers.get("authorization"), example
    signed_names = headers.get("authorization", "").partition("SignedHeaders=")[2].partition(",")[0].split(";")
    sent = {name.lower(): value for name, value in ours.headers.items()}
    for name in signed_names if "authorization" in headers else ["content-type"]:
        if name != "host":  # which botocore leaves to its HTTP client, and signs
            assert sent[name] == headers[name], (name, example)
    assert ("x-amz-security-token" in sent) == ("x-amz-security-token" in headers), example


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _with_its_path(url: str) -> str:
    """Return the URL as it travels: without a port that its scheme has anyway, and with a path."""
    return str(Url.of(url)) if urlsplit(url).netloc else url


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
_ODD = st.one_of(
    _TEXT, st.sampled_from(["+ ~ /", "a=b&c=d", "%41%zz", "é\u202e\U0001f600", "", " ", "\x7f\n", "a;b#c?"])
)
_LONG = st.sampled_from(['{"Statement": "' + "é~ +/" * 400 + '"}', "x" * 2048, "/" * 4096, "IQoJ+/=" * 600])
_TAGS = st.lists(st.fixed_dictionaries({"Key": _ODD, "Value": _ODD}), max_size=50)
_ASSUMED = {
    "Policy": st.one_of(_ODD, _LONG),
    "PolicyArns": st.lists(st.fixed_dictionaries({"arn": _ODD}), max_size=10),
    "DurationSeconds": st.integers(-(2**31), 2**31),
}
_ROLE = {"RoleArn": st.one_of(st.just(_ARN), _ODD), "RoleSessionName": _ODD}
_CODE = {"SerialNumber": _ODD, "TokenCode": st.sampled_from(["123456", "000000", " 12"])}


def _parameters(
    required: dict[str, st.SearchStrategy[Any]], optional: dict[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy of parameters in any order, which the form keeps."""
    found = st.fixed_dictionaries(required, optional=optional)
    return found.flatmap(lambda given: st.permutations(list(given.items())).map(dict))


_CALLS: dict[tuple[str, str], st.SearchStrategy[dict[str, Any]]] = {
    ("sts", "AssumeRole"): _parameters(
        _ROLE,
        _ASSUMED
        | _CODE
        | {
            "Tags": _TAGS,
            "TransitiveTagKeys": st.lists(_ODD, max_size=50),
            "ExternalId": st.one_of(_ODD, _LONG),
            "SourceIdentity": _ODD,
        },
    ),
    ("sts", "AssumeRoleWithWebIdentity"): _parameters(_ROLE | {"WebIdentityToken": st.one_of(_ODD, _LONG)}, _ASSUMED),
    ("sts", "GetSessionToken"): _parameters({}, {"DurationSeconds": st.integers(0, 129600)} | _CODE),
    ("sts", "GetCallerIdentity"): st.just({}),
    ("iam", "ListAccessKeys"): _parameters({"UserName": _ODD}, {}),
    ("iam", "CreateAccessKey"): _parameters({"UserName": _ODD}, {}),
    ("iam", "UpdateAccessKey"): _parameters({"UserName": _ODD, "AccessKeyId": _ODD, "Status": _ODD}, {}),
    ("iam", "DeleteAccessKey"): _parameters({"UserName": _ODD, "AccessKeyId": _ODD}, {}),
}
_URLS = (
    "https://sts.us-west-2.amazonaws.com",
    "https://sts.amazonaws.com/",
    "https://sts.amazonaws.com:443",
    "http://127.0.0.1:8080",
    "https://[2001:db8::1]:8443",
    "https://VPCE-1.example/base",
    "https://vpce-1.example:8443/base//./x%20y/../z~/",
)
_KEYS = (
    Credentials("AKIAEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    Credentials("ASIAEXAMPLE", "secret", "IQoJb3JpZ2lu+/=" * 300),
    Credentials("ASIAEXAMPLE", "secret", "a token  with   spaces"),
    Credentials("AKIA+/=", "ä secret"),
)


def _examples() -> st.SearchStrategy[Example]:
    def of(named: tuple[str, str]) -> st.SearchStrategy[Example]:
        service, action = named
        keys = st.none() if action == "AssumeRoleWithWebIdentity" else st.sampled_from(_KEYS)
        regions = st.sampled_from(["us-east-1", "us-west-2", "cn-north-1"])
        times = st.integers(0, 4_000_000_000)
        return st.builds(
            Example, st.just(service), st.just(action), _CALLS[named], keys, st.sampled_from(_URLS), regions, times
        )

    return st.sampled_from(sorted(_CALLS)).flatmap(of)


def sweep(count: int, number: int) -> Counter[str]:
    """Compare so many examples of the sweep with this number; return how many of each operation there were."""
    tally: Counter[str] = Counter()

    @seed(number)
    @settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(_examples())
    def run(example: Example) -> None:
        tally[example.action] += 1
        compare(example)

    run()
    return tally


def main() -> None:
    """Run the sweep that the arguments ask for, and print the tally."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    tally = sweep(options.examples, options.seed)
    told = ", ".join(f"{count} {action}" for action, count in sorted(tally.items()))
    sys.stdout.write(f"seed {options.seed}: {tally.total()} calls equal: {told}\n")


if __name__ == "__main__":
    main()
