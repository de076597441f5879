"""The strict STS holds AWS's rules and refuses what AWS refuses, seen through botocore."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as Keys
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError
from botocore.session import Session

from tests.sts import (
    HTML,
    Credentials,
    Sts,
    Trust,
    User,
    cut_off,
    delay,
    drip,
    expired,
    fail,
    hang,
    hang_up,
    hold,
    redirect,
    say,
    throttle,
    totp,
    truncated,
    with_text,
    without,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.sts import Fault, Role

ROLE = "arn:aws:iam::123456789012:role/path/admin"
OTHER = "arn:aws:iam::210987654321:role/other"
NAME = {"RoleSessionName": "session"}
ISSUER = "https://oidc.example.com/id/1"
WRONG_DEVICE = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  "
    "Please verify your MFA serial number is valid and associated with this user."
)
WRONG_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
HALF_MFA = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
CHAIN_LIMIT = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
ROLE_LIMIT = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
UNKNOWN_KEY = ("InvalidClientTokenId", "The security token included in the request is invalid.")


@pytest.fixture
def sts() -> Iterator[Sts]:
    with Sts() as service:
        yield service


@pytest.fixture
def user(sts: Sts) -> User:
    return sts.user("user1", mfa=True)


@pytest.fixture
def role(sts: Sts, user: User) -> Role:
    return sts.role(ROLE, Trust((user.arn,)), max_session_duration=7200)


# One for all: reading the service's model is most of what a client costs.
_SESSION = Session()


def client(sts: Sts, who: User | Credentials | None, region: str = "us-east-1", **settings: Any) -> Any:
    """Return botocore's client for this signer (None: unsigned), which neither repeats nor checks what it sends."""
    defaults: dict[str, Any] = {"retries": {"total_max_attempts": 1}, "parameter_validation": False, "read_timeout": 5}
    config = Config(**{**defaults, **settings, **({} if who else {"signature_version": UNSIGNED})})
    keys: dict[str, Any] = {}
    if who:
        keys = {
            "aws_access_key_id": who.access_key_id,
            "aws_secret_access_key": who.secret_access_key,
            "aws_session_token": who.session_token if isinstance(who, Credentials) else None,
        }
    return _SESSION.create_client("sts", region_name=region, endpoint_url=sts.url, config=config, **keys)


def refusal(call: Callable[..., object], **parameters: object) -> tuple[str, str]:
    """Return code and message with which STS refuses the call."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def given(sts: Sts, answer: Mapping[str, Any]) -> Credentials:
    """Return the credentials that an answer holds, as this STS knows them."""
    known = sts.iam.credentials(answer["Credentials"]["AccessKeyId"])
    assert known is not None
    assert known.session_token == answer["Credentials"]["SessionToken"]
    assert known.secret_access_key == answer["Credentials"]["SecretAccessKey"]
    return known


def not_authorized(who: User | Credentials, role_arn: str, action: str = "sts:AssumeRole") -> tuple[str, str]:
    return "AccessDenied", f"User: {who.arn} is not authorized to perform: {action} on resource: {role_arn}"


def session_token(sts: Sts, user: User) -> Credentials:
    """Return a GetSessionToken session with MFA."""
    call = client(sts, user).get_session_token
    return given(sts, call(SerialNumber=user.mfa_serial, TokenCode=user.unused_code()))


# Who signs, and how


def test_a_signed_call_is_answered_and_recorded_with_its_signer_region_and_host(sts: Sts, user: User) -> None:
    identity = client(sts, user, region="eu-central-1").get_caller_identity()

    assert (identity["Arn"], identity["Account"]) == (user.arn, "123456789012")
    (call,) = sts.calls
    assert (call.action, call.access_key_id, call.region) == ("GetCallerIdentity", user.access_key_id, "eu-central-1")
    assert (call.host, call.path, call.signed, call.outcome) == (f"127.0.0.1:{sts.port}", "/", True, "OK")
    assert call.time == pytest.approx(time.time(), abs=5)
    assert identity["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]


def test_temporary_credentials_of_another_source_are_known(sts: Sts, user: User, role: Role) -> None:
    for principal in (role, ROLE):
        identity = client(sts, sts.temporary(principal, 900, "i-1")).get_caller_identity()
        assert identity["Arn"] == "arn:aws:sts::123456789012:assumed-role/admin/i-1"
    assert client(sts, sts.temporary(user)).get_caller_identity()["Arn"] == user.arn


def test_a_wrong_secret_is_refused(sts: Sts, user: User) -> None:
    impostor = Credentials(user.access_key_id, user.arn, "user", "x" * 40)

    code, message = refusal(client(sts, impostor).get_caller_identity)

    assert code == "SignatureDoesNotMatch"
    assert message.startswith("The request signature we calculated does not match")
    assert sts.calls[0].outcome == "SignatureDoesNotMatch"


@pytest.mark.parametrize("token", [None, "another"])
def test_temporary_keys_without_their_own_token_are_refused(sts: Sts, role: Role, token: str | None) -> None:
    real = sts.temporary(role)
    stolen = Credentials(real.access_key_id, real.arn, real.kind, real.secret_access_key, token)

    assert refusal(client(sts, stolen).get_caller_identity) == UNKNOWN_KEY


def test_long_term_keys_with_a_token_are_refused(sts: Sts, user: User) -> None:
    decorated = Credentials(user.access_key_id, user.arn, "user", user.secret_access_key, "token")

    assert refusal(client(sts, decorated).get_caller_identity) == UNKNOWN_KEY


def test_a_revoked_key_is_unknown(sts: Sts, user: User) -> None:
    sts.revoke(user)

    assert refusal(client(sts, user).get_caller_identity) == UNKNOWN_KEY


def test_a_key_of_another_partition_is_unknown(sts: Sts) -> None:
    chinese = sts.user("li", partition="aws-cn")

    assert refusal(client(sts, chinese, region="us-east-1").get_caller_identity) == UNKNOWN_KEY
    assert client(sts, chinese, region="cn-north-1").get_caller_identity()["Arn"] == chinese.arn


def test_an_unsigned_call_is_refused(sts: Sts) -> None:
    assert refusal(client(sts, None).get_caller_identity) == (
        "MissingAuthenticationToken",
        "Request is missing Authentication Token",
    )
    assert not sts.calls[0].signed


def test_credentials_end_exactly_at_their_expiration(sts: Sts, role: Role) -> None:
    held = sts.temporary(role, 900)
    assert held.expiration is not None
    sts.now = lambda: held.expiration - 1  # type: ignore[method-assign, operator]  # the service's clock, at the border
    assert client(sts, held).get_caller_identity()

    sts.now = lambda: held.expiration  # type: ignore[method-assign, return-value, assignment]  # the same

    assert refusal(client(sts, held).get_caller_identity) == (
        "ExpiredToken",
        "The security token included in the request is expired",
    )


def test_credentials_can_be_ended_by_the_test(sts: Sts, role: Role) -> None:
    held = sts.temporary(role)
    sts.expire(held)

    assert refusal(client(sts, held).get_caller_identity)[0] == "ExpiredToken"


@pytest.mark.parametrize(("offset", "words"), [(1200, "Signature expired"), (-1200, "Signature not yet current")])
def test_a_date_more_than_15_minutes_off_is_refused_and_the_answer_tells_the_servers_time(
    sts: Sts, user: User, offset: int, words: str
) -> None:
    sts.clock_offset = offset

    with pytest.raises(ClientError) as caught:
        client(sts, user).get_caller_identity()

    assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    assert caught.value.response["Error"]["Message"].startswith(words)
    assert caught.value.response["Error"]["Message"].endswith("15 min.)")
    date = parsedate_to_datetime(caught.value.response["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert date.timestamp() - time.time() == pytest.approx(offset, abs=5)


def test_a_date_10_minutes_off_is_taken(sts: Sts, user: User) -> None:
    sts.clock_offset = 600

    assert client(sts, user).get_caller_identity()


def test_a_region_where_sts_is_off_is_refused(sts: Sts, user: User) -> None:
    sts.disabled_regions.add("af-south-1")

    code, message = refusal(client(sts, user, region="af-south-1").get_caller_identity)

    assert code == "RegionDisabledException"
    assert message.startswith("STS is not activated in this region for account:123456789012.")


def post(sts: Sts, body: str, headers: Mapping[str, str], path: str = "/") -> tuple[int, str]:
    """Send a form by hand; return status and body."""
    request = urllib.request.Request(sts.url + path, body.encode(), dict(headers))  # noqa: S310 (a loopback URL)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 (the same)
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def signed(sts: Sts, user: User, body: str, service: str = "sts", region: str = "us-east-1") -> dict[str, str]:
    """Return the headers of a form signed by botocore."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    request = AWSRequest("POST", sts.url + "/", headers=form, data=body)
    keys = Keys(user.access_key_id, user.secret_access_key)
    SigV4Auth(keys, service, region).add_auth(request)
    return dict(request.headers.items())


IDENTITY = "Action=GetCallerIdentity&Version=2011-06-15"


def test_what_is_signed_by_hand_is_taken(sts: Sts, user: User) -> None:
    status, body = post(sts, IDENTITY, signed(sts, user, IDENTITY))

    assert (status, "<GetCallerIdentityResult>" in body) == (200, True)


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ({"service": "ec2"}, "Credential should be scoped to correct service: 'sts'. "),
        ({"region": "aws-global"}, "Credential should be scoped to a valid region. "),
        ({"region": "us-east-1-fips"}, "Credential should be scoped to a valid region. "),
    ],
)
def test_a_signature_for_another_service_or_no_region_is_refused(
    sts: Sts, user: User, scope: dict[str, str], words: str
) -> None:
    status, body = post(sts, IDENTITY, signed(sts, user, IDENTITY, **scope))

    assert status == 403
    assert f"<Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>{words}</Message>" in body


@pytest.mark.parametrize("change", ["body", "header", "host", "path", "signed headers"])
def test_whatever_changes_after_signing_is_refused(sts: Sts, user: User, change: str) -> None:
    headers, body, path = signed(sts, user, IDENTITY), IDENTITY, "/"
    if change == "body":
        body += "&Extra=1"
    elif change == "header":
        headers["X-Amz-Extra"] = "1"
    elif change == "host":
        headers["Host"] = "sts.amazonaws.com"
    elif change == "path":
        path = "/other"
    else:
        headers["Authorization"] = headers["Authorization"].replace("SignedHeaders=content-type;", "SignedHeaders=")

    status, answer = post(sts, body, headers, path)

    assert (status, "<Code>SignatureDoesNotMatch</Code>" in answer) == (403, True)


@pytest.mark.parametrize(
    ("there", "instead", "words"),
    [
        (";host;", ";", "'Host' or ':authority' must be a 'SignedHeader'"),
        ("/20", "/19", "Date in Credential scope does not match"),
    ],
)
def test_an_authorization_names_the_host_and_the_dates_own_day(
    sts: Sts, user: User, there: str, instead: str, words: str
) -> None:
    headers = signed(sts, user, IDENTITY)
    access_key_id, rest = headers["Authorization"].split("/", 1)
    headers["Authorization"] = access_key_id + f"/{rest}".replace(there, instead, 1)

    status, answer = post(sts, IDENTITY, headers)

    assert (status, f"<Code>SignatureDoesNotMatch</Code><Message>{words}" in answer) == (403, True)


@pytest.mark.parametrize("header", ["Basic dTpw", "AWS4-HMAC-SHA256 Credential=AKIA/x", "AWS4-HMAC-SHA256"])
def test_a_broken_authorization_is_refused(sts: Sts, header: str) -> None:
    status, body = post(sts, IDENTITY, {"Authorization": header})

    assert (status, "<Code>IncompleteSignature</Code>" in body) == (400, True)


@pytest.mark.parametrize(
    "body", ["", "Action=GetCallerIdentity", "Action=DropTables&Version=2011-06-15", IDENTITY + "&Version=2011-06-15"]
)
def test_what_is_no_request_of_the_query_protocol_is_refused(sts: Sts, user: User, body: str) -> None:
    status, answer = post(sts, body, signed(sts, user, body))

    assert (status, "<Code>InvalidAction</Code>" in answer) == (400, True)


# AssumeRole


def test_a_role_session_has_credentials_of_aws_form_and_speaks_for_the_role(sts: Sts, user: User, role: Role) -> None:
    before = int(time.time())
    answer = client(sts, user).assume_role(RoleArn=role.arn, **NAME)

    keys = answer["Credentials"]
    assert (keys["AccessKeyId"][:4], len(keys["AccessKeyId"]), len(keys["SecretAccessKey"])) == ("ASIA", 20, 40)
    assert before + 3600 <= keys["Expiration"].timestamp() <= time.time() + 3600
    assert keys["Expiration"].utcoffset() is not None
    arn = "arn:aws:sts::123456789012:assumed-role/admin/session"
    assert answer["AssumedRoleUser"]["Arn"] == arn
    assert answer["AssumedRoleUser"]["AssumedRoleId"] == f"{role.role_id}:session"
    assert client(sts, given(sts, answer)).get_caller_identity()["Arn"] == arn


def test_the_expiration_is_written_in_utc_with_z(sts: Sts) -> None:
    held = sts.temporary(ROLE, 900)

    assert held.expiration_text == datetime.fromtimestamp(held.expiration or 0, timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def test_a_role_of_another_partition_has_sessions_of_that_partition(sts: Sts) -> None:
    li = sts.user("li", partition="aws-cn")
    role = sts.role("arn:aws-cn:iam::123456789012:role/admin", Trust((li.arn,)))

    answer = client(sts, li, region="cn-north-1").assume_role(RoleArn=role.arn, **NAME)

    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws-cn:sts::123456789012:assumed-role/admin/session"


@pytest.mark.parametrize(
    "principal",
    ["arn:aws:iam::123456789012:user/user1", "arn:aws:iam::123456789012:root", "123456789012", "*"],
)
def test_a_role_admits_whom_it_trusts(sts: Sts, user: User, principal: str) -> None:
    sts.role(ROLE, Trust((principal,)))

    assert client(sts, user).assume_role(RoleArn=ROLE, **NAME)


@pytest.mark.parametrize("principal", ["arn:aws:iam::123456789012:user/user2", "arn:aws:iam::210987654321:root"])
def test_a_role_admits_nobody_else(sts: Sts, user: User, principal: str) -> None:
    sts.role(ROLE, Trust((principal,)))

    assert refusal(client(sts, user).assume_role, RoleArn=ROLE, **NAME) == not_authorized(user, ROLE)


def test_a_role_that_does_not_exist_is_refused_as_one_that_does_not_trust(sts: Sts, user: User) -> None:
    assert refusal(client(sts, user).assume_role, RoleArn=OTHER, **NAME) == not_authorized(user, OTHER)


@pytest.mark.parametrize("principal", [ROLE, "arn:aws:sts::123456789012:assumed-role/admin/session"])
def test_a_chain_goes_on_where_role_or_session_is_trusted(sts: Sts, user: User, role: Role, principal: str) -> None:
    sts.role(OTHER, Trust((principal,)))
    first = given(sts, client(sts, user).assume_role(RoleArn=role.arn, **NAME))

    second = given(sts, client(sts, first).assume_role(RoleArn=OTHER, **NAME))

    assert second.arn == "arn:aws:sts::210987654321:assumed-role/other/session"
    assert refusal(client(sts, user).assume_role, RoleArn=OTHER, **NAME) == not_authorized(user, OTHER)


def test_an_external_id_is_compared(sts: Sts, user: User) -> None:
    sts.role(ROLE, Trust((user.arn,), external_id="a:b/c"))
    call = client(sts, user).assume_role

    assert call(RoleArn=ROLE, ExternalId="a:b/c", **NAME)
    assert refusal(call, RoleArn=ROLE, ExternalId="a:b", **NAME) == not_authorized(user, ROLE)
    assert refusal(call, RoleArn=ROLE, **NAME) == not_authorized(user, ROLE)


def test_a_session_name_that_the_role_does_not_want_is_refused(sts: Sts, user: User) -> None:
    sts.role(ROLE, Trust((user.arn,)), session_name_pattern="user1-*")
    call = client(sts, user).assume_role

    assert call(RoleArn=ROLE, RoleSessionName="user1-x")
    assert refusal(call, RoleArn=ROLE, RoleSessionName="user2-x") == not_authorized(user, ROLE)


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"RoleSessionName": "a"}, "'roleSessionName' failed to satisfy constraint: Member must have length greater"),
        ({"RoleSessionName": "a" * 65}, "Member must have length less than or equal to 64"),
        ({"RoleSessionName": "a b"}, r"Member must satisfy regular expression pattern: [\w+=,.@-]*"),
        ({"RoleSessionName": "jürgen"}, "Member must satisfy regular expression pattern"),
        ({"RoleArn": "arn:aws:iam::1:role"}, "at 'roleArn' failed to satisfy constraint: Member must have length"),
        ({"RoleArn": "arn:aws:iam:123456789012:role/admin"}, "Request ARN is invalid"),
        ({"DurationSeconds": 899}, "Member must have value greater than or equal to 900"),
        ({"DurationSeconds": 43201}, "Member must have value less than or equal to 43200"),
        ({"ExternalId": "x"}, "'externalId' failed to satisfy constraint: Member must have length greater than"),
        ({"ExternalId": "a b"}, "Member must satisfy regular expression pattern"),
        ({"SourceIdentity": "x"}, "at 'sourceIdentity' failed to satisfy constraint"),
        ({"SourceIdentity": "x" * 65}, "at 'sourceIdentity' failed to satisfy constraint"),
        ({"SourceIdentity": "a b"}, "at 'sourceIdentity' failed to satisfy constraint"),
        ({"SerialNumber": "12345678", "TokenCode": "123456"}, "'serialNumber' failed to satisfy constraint"),
        ({"SerialNumber": "123456789", "TokenCode": "12345"}, "'tokenCode' failed to satisfy constraint"),
        ({"SerialNumber": "123456789", "TokenCode": "12345x"}, "'tokenCode' failed to satisfy constraint"),
        ({"PolicyArns": [{"arn": "short"}]}, "policy ARNs are not valid"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/Some"}] * 11}, "policy ARNs are not valid or too many"),
        ({"Policy": "x" * 2049}, "'policy' failed to satisfy constraint: Member must have length less"),
        ({"Tags": [{"Key": "aws:x", "Value": "1"}]}, "the tag 'aws:x'"),
        ({"Tags": [{"Key": "k", "Value": "<"}]}, "the tag 'k'"),
        ({"Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]}, "there can be at most 50"),
        ({"TransitiveTagKeys": ["team"]}, "must be included in the requested tags"),
    ],
)
def test_a_parameter_out_of_its_bounds_is_a_validation_error(
    sts: Sts, user: User, role: Role, parameters: dict[str, object], complaint: str
) -> None:
    code, message = refusal(client(sts, user).assume_role, **{"RoleArn": role.arn, **NAME, **parameters})

    assert code == "ValidationError"
    assert complaint in message


def test_all_that_is_wrong_is_told_at_once(sts: Sts, user: User) -> None:
    code, message = refusal(client(sts, user).assume_role, RoleArn="x", DurationSeconds=1)

    assert (code, message[:30]) == ("ValidationError", "3 validation errors detected: ")
    assert "Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null" in message


@pytest.mark.parametrize("name", ["RoleARN", "ExternalID", "PolicyArns.member.1.Arn", "Tags.member.x.Key"])
def test_a_parameter_that_the_action_does_not_have_is_a_validation_error(sts: Sts, user: User, name: str) -> None:
    body = f"Action=AssumeRole&Version=2011-06-15&{name}=x"

    status, answer = post(sts, body, signed(sts, user, body))

    assert (status, f"Unknown parameter {name} for AssumeRole" in answer) == (400, True)


@pytest.mark.parametrize("name", ["aa", "a" * 64, "user=1,b.c@d-e_f+G9"])
def test_session_names_up_to_their_bounds_are_taken(sts: Sts, user: User, role: Role, name: str) -> None:
    assert (
        client(sts, user)
        .assume_role(RoleArn=role.arn, RoleSessionName=name)["AssumedRoleUser"]["Arn"]
        .endswith(f"/{name}")
    )


def test_a_role_gives_no_more_than_its_maximum(sts: Sts, user: User, role: Role) -> None:
    call = client(sts, user).assume_role

    assert given(sts, call(RoleArn=role.arn, DurationSeconds=7200, **NAME)).expiration == pytest.approx(
        time.time() + 7200, abs=5
    )
    assert refusal(call, RoleArn=role.arn, DurationSeconds=7201, **NAME) == ("ValidationError", ROLE_LIMIT)


@pytest.mark.parametrize("source", ["role session", "user session", "session token"])
def test_temporary_callers_get_one_hour_at_most(sts: Sts, user: User, source: str) -> None:
    sts.role(ROLE, Trust(("*",)), max_session_duration=43200)
    caller = {
        "role session": lambda: sts.temporary(OTHER),
        "user session": lambda: sts.temporary(user),
        "session token": lambda: session_token(sts, user),
    }[source]()
    call = client(sts, caller).assume_role

    assert call(RoleArn=ROLE, DurationSeconds=3600, **NAME)
    assert refusal(call, RoleArn=ROLE, DurationSeconds=3601, **NAME) == ("ValidationError", CHAIN_LIMIT)


def test_lifetimes_can_be_shortened_for_a_test(sts: Sts, user: User, role: Role) -> None:
    sts.lifetime = 20

    held = given(sts, client(sts, user).assume_role(RoleArn=role.arn, DurationSeconds=3600, **NAME))

    assert held.expiration == pytest.approx(time.time() + 20, abs=5)


def test_session_policies_are_read_and_measured(sts: Sts, user: User, role: Role) -> None:
    call = client(sts, user).assume_role
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})

    answer = call(
        RoleArn=role.arn, Policy=policy, PolicyArns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}], **NAME
    )

    assert 0 < answer["PackedPolicySize"] < 100
    assert "PackedPolicySize" not in call(RoleArn=role.arn, **NAME)
    assert refusal(call, RoleArn=role.arn, Policy="{", **NAME)[0] == "MalformedPolicyDocument"


def test_too_many_and_too_long_tags_exceed_the_packed_size(sts: Sts, user: User, role: Role) -> None:
    # Digits of codes: text that does not compress.
    tags = [
        {"Key": f"key{n}", "Value": "".join(totp("A" * 32, (n * 40 + k) * 30) for k in range(40))} for n in range(50)
    ]

    code, message = refusal(client(sts, user).assume_role, RoleArn=role.arn, Tags=tags, **NAME)

    assert code == "PackedPolicyTooLarge"
    assert message.endswith("% of allotted space, please use smaller policy.")


def test_ten_policies_and_fifty_tags_are_taken(sts: Sts, user: User, role: Role) -> None:
    policies = [{"arn": "arn:aws:iam::aws:policy/Some"}] * 10
    tags = [{"Key": f"k{n}", "Value": ""} for n in range(50)]

    assert client(sts, user).assume_role(RoleArn=role.arn, PolicyArns=policies, Tags=tags, **NAME)["Credentials"]


def test_a_user_has_a_device_only_with_mfa(sts: Sts) -> None:
    assert sts.user("plain").mfa_serial is None
    assert sts.user("none", mfa=False).mfa_serial is None
    assert sts.user("usual", mfa=True).mfa_serial == "arn:aws:iam::123456789012:mfa/usual"
    assert sts.user("hardware", mfa="GAHT12345678").mfa_serial == "GAHT12345678"


def test_tags_need_a_trust_that_allows_them(sts: Sts, user: User) -> None:
    sts.role(ROLE, Trust((user.arn,), tag_session=False))
    tags = [{"Key": "team", "Value": "red"}]

    denied = refusal(client(sts, user).assume_role, RoleArn=ROLE, Tags=tags, **NAME)

    assert denied == not_authorized(user, ROLE, "sts:TagSession")


def test_a_transitive_tag_cannot_be_set_again_along_the_chain(sts: Sts, user: User, role: Role) -> None:
    sts.role(OTHER, Trust((ROLE,)))
    tags = [{"Key": "team", "Value": "red"}]
    first = client(sts, user).assume_role(RoleArn=role.arn, Tags=tags, TransitiveTagKeys=["team"], **NAME)

    call = client(sts, given(sts, first)).assume_role

    assert refusal(call, RoleArn=OTHER, Tags=tags, **NAME)[0] == "InvalidParameterValue"
    assert call(RoleArn=OTHER, Tags=[{"Key": "cost", "Value": "1"}], **NAME)


def test_tag_keys_that_differ_in_case_alone_are_refused(sts: Sts, user: User, role: Role) -> None:
    tags = [{"Key": "team", "Value": "red"}, {"Key": "Team", "Value": "blue"}]

    assert refusal(client(sts, user).assume_role, RoleArn=role.arn, Tags=tags, **NAME)[0] == "InvalidParameterValue"


def test_a_source_identity_stays_along_the_chain(sts: Sts, user: User, role: Role) -> None:
    sts.role(OTHER, Trust((ROLE,)))
    first = client(sts, user).assume_role(RoleArn=role.arn, SourceIdentity="alice", **NAME)
    call = client(sts, given(sts, first)).assume_role

    assert first["SourceIdentity"] == "alice"
    assert call(RoleArn=OTHER, **NAME)["SourceIdentity"] == "alice"
    assert refusal(call, RoleArn=OTHER, SourceIdentity="mallory", **NAME)[0] == "AccessDenied"


# MFA


def test_codes_are_those_of_rfc_6238() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

    # RFC 6238, appendix B, the last six of its eight digits
    assert [totp(secret, now) for now in (59, 1111111109, 1234567890)] == ["287082", "081804", "005924"]


def test_a_role_that_requires_mfa_is_assumed_with_a_code_and_refused_without(sts: Sts, user: User) -> None:
    sts.role(ROLE, Trust((user.arn,), mfa_required=True))
    call = client(sts, user).assume_role

    assert refusal(call, RoleArn=ROLE, **NAME) == not_authorized(user, ROLE)
    assert call(RoleArn=ROLE, SerialNumber=user.mfa_serial, TokenCode=user.code(), **NAME)


@pytest.mark.parametrize("action", ["assume_role", "get_session_token"])
def test_a_code_is_taken_once(sts: Sts, user: User, role: Role, action: str) -> None:
    mfa = {"SerialNumber": user.mfa_serial, "TokenCode": user.code()}
    parameters = {"RoleArn": role.arn, **NAME, **mfa} if action == "assume_role" else mfa
    assert client(sts, user).get_session_token(**mfa)

    assert refusal(getattr(client(sts, user), action), **parameters) == ("AccessDenied", WRONG_CODE)
    assert sts.codes == [(user.mfa_serial, mfa["TokenCode"])] * 2
    assert sts.repeated_codes() == [(user.mfa_serial, mfa["TokenCode"])]


def test_a_code_is_spent_even_where_the_role_then_refuses(sts: Sts, user: User) -> None:
    mfa = {"SerialNumber": user.mfa_serial, "TokenCode": user.code()}

    assert refusal(client(sts, user).assume_role, RoleArn=OTHER, **NAME, **mfa) == not_authorized(user, OTHER)
    assert refusal(client(sts, user).get_session_token, **mfa) == ("AccessDenied", WRONG_CODE)


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_the_codes_of_the_neighbouring_steps_are_taken(sts: Sts, user: User, steps: int, taken: bool) -> None:  # noqa: FBT001 (parametrized)
    moment = time.time() // 30 * 30 + 15  # in the middle, so that the step does not end meanwhile
    sts.now = lambda: moment  # type: ignore[method-assign]  # the service's clock
    call = client(sts, user).get_session_token
    mfa = {"SerialNumber": user.mfa_serial, "TokenCode": user.code(moment + steps * 30)}

    if taken:
        assert call(**mfa)
    else:
        assert refusal(call, **mfa) == ("AccessDenied", WRONG_CODE)


def test_a_wrong_code_is_not_spent_and_the_right_one_still_works(sts: Sts, user: User) -> None:
    right = user.code()
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    call = client(sts, user).get_session_token

    assert refusal(call, SerialNumber=user.mfa_serial, TokenCode=wrong) == ("AccessDenied", WRONG_CODE)
    assert call(SerialNumber=user.mfa_serial, TokenCode=right)
    assert sts.repeated_codes() == []


def test_three_unused_codes_are_to_be_had_within_a_step(sts: Sts, user: User) -> None:
    assert len({session_token(sts, user).access_key_id for _ in range(3)}) == 3


def test_serial_and_code_belong_together(sts: Sts, user: User, role: Role) -> None:
    call = client(sts, user)

    for half in ({"SerialNumber": user.mfa_serial}, {"TokenCode": "123456"}):
        assert refusal(call.assume_role, RoleArn=role.arn, **NAME, **half) == ("AccessDenied", HALF_MFA)
        assert refusal(call.get_session_token, **half) == ("AccessDenied", HALF_MFA)


def test_a_device_serves_its_own_user_alone(sts: Sts, user: User) -> None:
    other, none = sts.user("user2", mfa="GAHT12345678"), sts.user("user3")
    assert other.mfa_serial == "GAHT12345678"

    for thief in (other, none):
        call = client(sts, thief).get_session_token
        assert refusal(call, SerialNumber=user.mfa_serial, TokenCode=user.code()) == ("AccessDenied", WRONG_DEVICE)
    assert client(sts, other).get_session_token(SerialNumber="GAHT12345678", TokenCode=other.code())


def test_a_role_session_has_no_device(sts: Sts, user: User, role: Role) -> None:
    sts.role(OTHER, Trust(("*",)))
    call = client(sts, sts.temporary(role)).assume_role

    mfa = {"SerialNumber": user.mfa_serial, "TokenCode": user.code()}
    assert refusal(call, RoleArn=OTHER, **NAME, **mfa) == ("AccessDenied", WRONG_DEVICE)


def test_a_session_token_carries_mfa_and_a_role_session_does_not(sts: Sts, user: User) -> None:
    sts.role(ROLE, Trust((user.arn,), mfa_required=True))
    sts.role(OTHER, Trust((ROLE,), mfa_required=True))
    plain = given(sts, client(sts, user).get_session_token())

    assert refusal(client(sts, plain).assume_role, RoleArn=ROLE, **NAME) == not_authorized(user, ROLE)
    first = given(sts, client(sts, session_token(sts, user)).assume_role(RoleArn=ROLE, **NAME))
    assert refusal(client(sts, first).assume_role, RoleArn=OTHER, **NAME) == not_authorized(first, OTHER)


def test_a_role_may_bound_the_age_of_the_mfa(sts: Sts, user: User) -> None:
    sts.role(ROLE, Trust((user.arn,), mfa_max_age=300))
    held = session_token(sts, user)
    call = client(sts, held).assume_role

    assert call(RoleArn=ROLE, **NAME)
    sts.clock_offset = 310
    assert refusal(call, RoleArn=ROLE, **NAME) == not_authorized(user, ROLE)
    fresh = {"SerialNumber": user.mfa_serial, "TokenCode": user.unused_code()}
    assert client(sts, user).assume_role(RoleArn=ROLE, **NAME, **fresh)


def test_the_bound_on_mfa_age_is_exact() -> None:
    trust = Trust(mfa_max_age=300)

    assert trust.admits_mfa(1000, 1299.9)
    assert not trust.admits_mfa(1000, 1300)
    assert not trust.admits_mfa(None, 1300)


# GetSessionToken


def test_a_session_token_speaks_for_its_user_for_12_hours_or_as_asked(sts: Sts, user: User) -> None:
    call = client(sts, user).get_session_token

    usual, longest = given(sts, call()), given(sts, call(DurationSeconds=129600))

    assert client(sts, usual).get_caller_identity()["Arn"] == user.arn
    assert usual.expiration == pytest.approx(time.time() + 43200, abs=5)
    assert longest.expiration == pytest.approx(time.time() + 129600, abs=5)


@pytest.mark.parametrize("seconds", [899, 129601])
def test_a_session_token_lives_15_minutes_to_36_hours(sts: Sts, user: User, seconds: int) -> None:
    code, message = refusal(client(sts, user).get_session_token, DurationSeconds=seconds)

    assert (code, f"Value '{seconds}' at 'durationSeconds'" in message) == ("ValidationError", True)


def test_a_session_token_is_for_long_term_keys_only(sts: Sts, user: User, role: Role) -> None:
    for held in (session_token(sts, user), sts.temporary(role)):
        assert refusal(client(sts, held).get_session_token) == (
            "AccessDenied",
            "Cannot call GetSessionToken with session credentials",
        )


# AssumeRoleWithWebIdentity


@pytest.fixture
def web_role(sts: Sts) -> Role:
    return sts.role(ROLE, Trust(federated=ISSUER, subject="system:serviceaccount:default:*"), max_session_duration=7200)


def test_a_web_identity_is_taken_unsigned_and_may_last_the_roles_maximum(sts: Sts, web_role: Role) -> None:
    token = sts.web_identity_token(ISSUER)

    answer = client(sts, None).assume_role_with_web_identity(
        RoleArn=web_role.arn, WebIdentityToken=token, DurationSeconds=7200, **NAME
    )

    assert given(sts, answer).expiration == pytest.approx(time.time() + 7200, abs=5)
    assert answer["SubjectFromWebIdentityToken"] == "system:serviceaccount:default:app"
    assert (answer["Audience"], answer["Provider"]) == (
        "sts.amazonaws.com",
        "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/1",
    )
    assert (sts.calls[0].signed, sts.calls[0].access_key_id) == (False, None)


def test_a_signed_web_identity_is_refused(sts: Sts, user: User, web_role: Role) -> None:
    body = f"Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={web_role.arn}"

    status, answer = post(sts, body, signed(sts, user, body))

    assert (status, "<Code>SignedWebIdentityRequest</Code>" in answer) == (400, True)


def test_a_web_identity_the_role_does_not_trust_is_refused(sts: Sts, user: User, web_role: Role) -> None:
    call = client(sts, None).assume_role_with_web_identity
    sts.role(OTHER, Trust((user.arn,)))
    good = sts.web_identity_token(ISSUER)
    for arn, token in (
        (web_role.arn, sts.web_identity_token("https://other.example.com")),
        (web_role.arn, sts.web_identity_token(ISSUER, subject="system:serviceaccount:kube-system:app")),
        (web_role.arn, sts.web_identity_token(ISSUER, audience="other")),
        (OTHER, good),
        ("arn:aws:iam::123456789012:role/none", good),
    ):
        assert refusal(call, RoleArn=arn, WebIdentityToken=token, **NAME) == (
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        )


def test_an_expired_or_damaged_web_identity_token_is_refused(sts: Sts, web_role: Role) -> None:
    call = client(sts, None).assume_role_with_web_identity
    token = sts.web_identity_token(ISSUER)

    expired_token = sts.web_identity_token(ISSUER, seconds=0)
    assert refusal(call, RoleArn=web_role.arn, WebIdentityToken=expired_token, **NAME)[0] == "ExpiredTokenException"
    for damaged in (token + "\n", token[:-1], "é" * 20, "a.b.c.d"):
        code = refusal(call, RoleArn=web_role.arn, WebIdentityToken=damaged, **NAME)[0]
        assert code == "InvalidIdentityToken"


def test_a_web_identity_role_refuses_more_than_its_maximum_and_mfa_parameters(sts: Sts, web_role: Role) -> None:
    token = sts.web_identity_token(ISSUER)
    call = client(sts, None).assume_role_with_web_identity
    body = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&SerialNumber=123456789"

    too_long = refusal(call, RoleArn=web_role.arn, WebIdentityToken=token, DurationSeconds=7201, **NAME)

    assert too_long == ("ValidationError", ROLE_LIMIT)
    assert "Unknown parameter SerialNumber" in post(sts, body, {})[1]


# Faults


def test_faults_are_met_once_each_and_in_order(sts: Sts, user: User) -> None:
    sts.once(throttle(), fail(503, "ServiceUnavailable", "later"))
    call = client(sts, user).get_caller_identity

    assert refusal(call) == ("Throttling", "Rate exceeded")
    assert refusal(call) == ("ServiceUnavailable", "later")
    assert call()
    assert [made.outcome for made in sts.calls] == ["Throttling", "ServiceUnavailable", "OK"]
    assert (sts.count(), sts.count("GetCallerIdentity", "OK"), sts.count("AssumeRole")) == (3, 1, 0)


def test_a_standing_fault_concerns_its_action_until_healed(sts: Sts, user: User, role: Role) -> None:
    sts.always(throttle(), action="AssumeRole")
    call = client(sts, user)

    for _ in range(2):
        assert refusal(call.assume_role, RoleArn=role.arn, **NAME)[0] == "Throttling"
    assert call.get_caller_identity()
    sts.heal()
    assert call.assume_role(RoleArn=role.arn, **NAME)


def test_botocore_repeats_what_was_throttled(sts: Sts, user: User) -> None:
    sts.once(throttle())

    assert client(sts, user, retries={"total_max_attempts": 2}).get_caller_identity()
    assert sts.count() == 2


# What urllib3 and botocore call it has changed between their releases
NO_WHOLE_ANSWER = (HTTPClientError, ResponseParserError, ClientError)
BROKEN: Mapping[str, tuple[Fault, type[Exception] | tuple[type[Exception], ...] | None]] = {
    "fin": (hang_up(), ConnectionClosedError),
    "fin after the decision": (hang_up(decided=True), ConnectionClosedError),
    "rst": (hang_up(reset=True), ConnectionClosedError),
    "cut off": (cut_off(), NO_WHOLE_ANSWER),
    "cut off by rst": (cut_off(reset=True), NO_WHOLE_ANSWER),
    "closed after all": (cut_off(1.0), None),
    "half the xml": (truncated(), ResponseParserError),
    "garbage": (say(b"\x00\xff garbage"), ResponseParserError),
    "html": (say(HTML, content_type="text/html"), ResponseParserError),
    "html that is xml": (say(b"<html><body>sign in</body></html>", content_type="text/html"), KeyError),
    "nothing": (say(b""), ResponseParserError),
    "html with 502": (say(HTML, 502, "text/html"), NO_WHOLE_ANSWER),
    "redirect": (redirect("https://example.com/"), ResponseParserError),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_breaks_an_answer_is_an_error_to_botocore_and_over_with_the_next_call(
    sts: Sts, user: User, name: str
) -> None:
    fault, error = BROKEN[name]
    sts.once(fault)
    call = client(sts, user).get_caller_identity

    if error is None:
        assert call()
    else:
        with pytest.raises(error):
            call()
    assert client(sts, user).get_caller_identity()  # on a connection of its own: the first may have been closed


def test_a_connection_ends_with_fin_or_with_rst(sts: Sts) -> None:
    sts.once(hang_up(), hang_up(reset=True))

    with socket.create_connection(("127.0.0.1", sts.port)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        assert connection.recv(1) == b""
    with socket.create_connection(("127.0.0.1", sts.port)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_lost_answer_has_spent_its_code_and_an_unread_request_has_not(sts: Sts, user: User) -> None:
    sts.once(hang_up(), hang_up(decided=True))
    mfa = {"SerialNumber": user.mfa_serial, "TokenCode": user.code()}
    call = client(sts, user).get_session_token

    for _ in range(2):
        with pytest.raises(ConnectionClosedError):
            call(**mfa)

    assert refusal(call, **mfa) == ("AccessDenied", WRONG_CODE)
    assert [made.outcome for made in sts.calls] == [None, "OK", "AccessDenied"]


SILENT: Mapping[str, Fault] = {"hang": hang(), "hang after the decision": hang(decided=True), "drip": drip(0.1)}


@pytest.mark.parametrize("name", SILENT)
def test_a_service_that_does_not_answer_runs_into_the_clients_timeout_and_ends_with_the_test(name: str) -> None:
    start = time.monotonic()
    with Sts() as sts:
        sts.once(SILENT[name])
        with pytest.raises(ReadTimeoutError):
            client(sts, sts.user("user1"), read_timeout=0.05).get_caller_identity()

    assert time.monotonic() - start < 2


def test_an_answer_may_come_byte_by_byte(sts: Sts, user: User) -> None:
    sts.once(drip(0.0001))

    assert client(sts, user).get_caller_identity()["Arn"] == user.arn


def test_an_answer_may_be_late(sts: Sts, user: User) -> None:
    sts.always(delay(0.1, then=throttle()))
    start = time.monotonic()

    assert refusal(client(sts, user).get_caller_identity)[0] == "Throttling"
    assert time.monotonic() - start >= 0.1


@pytest.mark.parametrize("kind", ["event", "file", "call"])
def test_answers_are_held_until_told(sts: Sts, user: User, tmp_path: Path, kind: str) -> None:
    event, file = threading.Event(), tmp_path / "go"
    until: dict[str, Any] = {"event": event, "file": file, "call": file.exists}
    sts.hold(until[kind])

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(client(sts, user).get_caller_identity) for _ in range(3)]
        assert sts.wait_for(3)
        assert not sts.wait_for(4, timeout=0.05)
        assert not any(one.done() for one in asked)
        event.set()
        file.touch()
        assert all(one.result(5) for one in asked)


def test_a_held_answer_may_have_been_decided_before(sts: Sts, user: User) -> None:
    go = threading.Event()
    sts.once(hold(go, decided=True))

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(session_token, sts, user)
        assert sts.wait_for(1, "GetSessionToken", "OK")
        sts.clock_offset = 3600
        go.set()
        assert asked.result(5).expiration == pytest.approx(time.time() + 43200, abs=5)


def test_answers_may_lack_an_element_or_hold_another_text(sts: Sts, user: User, role: Role) -> None:
    sts.once(without("SessionToken"), without("Credentials"), with_text("Expiration", "never"), expired(60))
    call = client(sts, user).assume_role
    ask = {"RoleArn": role.arn, **NAME}

    assert set(call(**ask)["Credentials"]) == {"AccessKeyId", "SecretAccessKey", "Expiration"}
    assert "Credentials" not in call(**ask)
    with pytest.raises(ValueError, match="never"):
        call(**ask)
    assert call(**ask)["Credentials"]["Expiration"].timestamp() == pytest.approx(time.time() - 60, abs=5)


def test_after_its_end_nobody_listens() -> None:
    with Sts() as sts:
        user = sts.user("user1")
        sts.close()
    with pytest.raises(EndpointConnectionError):
        client(sts, user).get_caller_identity()


# Many, anybody, and as a program


def test_concurrent_callers_of_one_code_see_one_success(sts: Sts, user: User) -> None:
    mfa = {"SerialNumber": user.mfa_serial, "TokenCode": user.code()}
    clients = [client(sts, user) for _ in range(8)]

    def outcome(one: Any) -> str:
        try:
            one.get_session_token(**mfa)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "OK"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(outcome, clients))

    assert outcomes == ["AccessDenied"] * 7 + ["OK"]


def test_a_permissive_sts_answers_anybody_and_records(user: User) -> None:
    anybody = Credentials("AKIAANYBODY", "arn:aws:iam::1:user/x", "user", "secret")
    with Sts(permissive=True) as sts:
        call = client(sts, anybody)
        first = call.assume_role(RoleArn=ROLE, **NAME)
        again = call.assume_role(RoleArn=ROLE, RoleSessionName="other name")
        call.assume_role(RoleArn="nonsense", **NAME)
        call.get_session_token(SerialNumber="x", TokenCode="123456")
        call.get_caller_identity()
        client(sts, None).assume_role_with_web_identity(RoleArn=ROLE, WebIdentityToken="any", **NAME)

    assert first["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/admin/session"
    assert first["Credentials"]["AccessKeyId"] == again["Credentials"]["AccessKeyId"] != user.access_key_id
    assert sts.codes == [("x", "123456")]
    assert [(made.action, made.access_key_id, made.outcome) for made in sts.calls] == [
        ("AssumeRole", "AKIAANYBODY", "OK"),
        ("AssumeRole", "AKIAANYBODY", "OK"),
        ("AssumeRole", "AKIAANYBODY", "OK"),
        ("GetSessionToken", "AKIAANYBODY", "OK"),
        ("GetCallerIdentity", "AKIAANYBODY", "OK"),
        ("AssumeRoleWithWebIdentity", None, "OK"),
    ]


def test_a_roles_maximum_is_one_to_twelve_hours(sts: Sts) -> None:
    for seconds in (3599, 43201):
        with pytest.raises(ValueError, match=str(seconds)):
            sts.role(ROLE, Trust(), max_session_duration=seconds)


def test_secrets_are_in_no_repr(sts: Sts, user: User, role: Role) -> None:
    held = session_token(sts, user)
    seen = f"{user!r} {role!r} {held!r} {sts.calls!r}"

    assert user.secret_access_key not in seen
    assert user.totp_secret not in seen
    assert held.secret_access_key not in seen
    assert str(held.session_token) not in seen


@pytest.mark.posix("signals")
def test_it_runs_as_a_program_that_says_where_it_is_and_ends_on_sigterm() -> None:
    command = [sys.executable, "-m", "tests.sts", "--delay", "50"]
    root = Path(__file__).parent.parent
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        about = json.loads(process.stdout.readline())
        keys = {"aws_access_key_id": about["access_key_id"], "aws_secret_access_key": about["secret_access_key"]}
        service: Any = _SESSION.create_client("sts", region_name="us-east-1", endpoint_url=about["url"], **keys)
        call = service.assume_role
        start = time.monotonic()
        assert call(RoleArn=about["role_arn"], DurationSeconds=43200, **NAME)["Credentials"]
        assert time.monotonic() - start >= 0.05
        code = totp(about["totp_secret"], time.time())
        mfa = {"SerialNumber": about["mfa_serial"], "TokenCode": code}
        assert call(RoleArn=about["mfa_role_arn"], **NAME, **mfa)["Credentials"]
        process.send_signal(signal.SIGTERM)
        assert (*process.communicate(timeout=5), process.returncode) == ("", "", 0)
