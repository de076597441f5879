"""The loopback stand-ins for metadata services hand botocore credentials that the strict STS knows."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.credentials import SSOProvider
from botocore.exceptions import ClientError, UnauthorizedSSOTokenError
from botocore.session import Session
from botocore.tokens import SSOTokenProvider

from tests.metadata import Container, Imds, Sso
from tests.sts import Sts, Trust, hang_up, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.sts import Role

ROLE = "arn:aws:iam::123456789012:role/instance"


@pytest.fixture
def sts() -> Iterator[Sts]:
    with Sts() as service:
        yield service


@pytest.fixture
def role(sts: Sts) -> Role:
    return sts.role(ROLE, Trust(("*",)))


@pytest.fixture
def imds(sts: Sts, role: Role, monkeypatch: pytest.MonkeyPatch) -> Iterator[Imds]:
    with Imds(sts, role) as service:
        set_all(monkeypatch, service.environment())
        yield service


@pytest.fixture
def sso(sts: Sts, role: Role, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sso]:
    # botocore looks for ~ when it is imported, which was in another home.
    for provider in (SSOProvider, SSOTokenProvider):
        monkeypatch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", str(home / ".aws" / "sso" / "cache"))
    with Sso(sts, role) as service:
        set_all(monkeypatch, service.environment())
        yield service


def set_all(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def who(sts: Sts, session: Session) -> str:
    """Return who STS says that the session's own credentials speak for."""
    config = Config(retries={"total_max_attempts": 1})
    client: Any = session.create_client("sts", region_name="us-east-1", endpoint_url=sts.url, config=config)
    arn: str = client.get_caller_identity()["Arn"]
    return arn


def get(url: str, headers: Mapping[str, str], method: str = "GET", body: bytes | None = None) -> tuple[int, str]:
    """Return status and body."""
    request = urllib.request.Request(url, body, dict(headers), method=method)  # noqa: S310 (a loopback URL)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 (the same)
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_an_instance_hands_out_its_role_through_a_token(sts: Sts, imds: Imds) -> None:
    assert who(sts, Session()) == "arn:aws:sts::123456789012:assumed-role/instance/i-0123456789abcdef0"
    assert [imds.count(action) for action in ("token", "role", "credentials")] == [1, 1, 1]


def test_an_instance_hands_out_the_same_credentials_until_near_their_end(imds: Imds) -> None:
    first = imds.credentials()

    assert imds.credentials() == first
    imds.sts.clock_offset = 21600 - 301
    assert imds.credentials() == first
    imds.sts.clock_offset = 21600 - 299
    assert imds.credentials() != first


def test_an_instance_without_a_role_has_no_credentials(sts: Sts, monkeypatch: pytest.MonkeyPatch) -> None:
    with Imds(sts, ROLE, role_name=None) as imds:
        set_all(monkeypatch, imds.environment())

        assert Session().get_credentials() is None
        assert (imds.count("token"), imds.count("role"), imds.count("credentials")) == (1, 1, 0)


@pytest.mark.parametrize("v1", [False, True])
def test_an_instance_answers_requests_without_a_token_only_where_v1_is_on(sts: Sts, v1: bool) -> None:  # noqa: FBT001 (parametrized)
    with Imds(sts, ROLE, v1=v1) as imds:
        url = imds.url + Imds.PATH

        assert get(url, {}) == ((200, "instance-role") if v1 else (401, ""))
        assert get(url, {"X-aws-ec2-metadata-token": "made up"}) == (401, "")


def test_an_instances_token_needs_a_lifetime_and_ends(imds: Imds) -> None:
    url, header = imds.url + "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds"

    assert get(url, {}, "PUT") == (400, "")
    assert get(url, {header: "21601"}, "PUT") == (400, "")
    assert get(url, {header: "60"}) == (405, "")
    assert get(url, {header: "60", "X-Forwarded-For": "10.0.0.1"}, "PUT") == (403, "")
    status, token = get(url, {header: "60"}, "PUT")
    assert status == 200
    use = {"X-aws-ec2-metadata-token": token}
    assert get(imds.url + "/latest/meta-data/placement/region", use) == (200, "us-east-1")
    assert get(imds.url + "/latest/user-data", use) == (404, "")
    assert get(imds.url + Imds.PATH + "another-role", use) == (404, "")
    imds.clock_offset = 61
    assert get(imds.url + Imds.PATH, use) == (401, "")


def test_faults_work_on_metadata_as_well(sts: Sts, imds: Imds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "2")
    imds.always(hang_up(), action="role")
    assert Session().get_credentials() is None

    imds.heal()
    imds.once(say(b"not json", content_type="text/plain"), action="credentials")
    assert who(sts, Session()).endswith("i-0123456789abcdef0")


@pytest.mark.parametrize("authorization", [None, "Basic c2VjcmV0"])
def test_a_container_hands_out_its_role(sts: Sts, monkeypatch: pytest.MonkeyPatch, authorization: str | None) -> None:
    with Container(sts, ROLE, authorization=authorization) as container:
        set_all(monkeypatch, container.environment())

        assert who(sts, Session()).startswith("arn:aws:sts::123456789012:assumed-role/instance/")
        assert container.count("credentials") == 1
        assert get(container.url + "/v2/credentials/other", {"Authorization": authorization or ""})[0] == 404


def test_a_container_takes_its_authorization_from_a_file(
    sts: Sts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("eks-token")
    with Container(sts, ROLE, authorization="eks-token") as container:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.full_uri)
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(token))

        assert who(sts, Session()).startswith("arn:aws:sts::")


@pytest.mark.parametrize("sent", [{}, {"Authorization": "wrong"}], ids=["none", "wrong"])
def test_a_container_refuses_another_authorization(sts: Sts, sent: dict[str, str]) -> None:
    with Container(sts, ROLE, authorization="right") as container:
        assert get(container.full_uri, sent)[0] == 401


def sso_session(home: Path, sso: Sso, session: str | None = None) -> Session:
    """Write a profile for the portal's one role, and return botocore's session for it."""
    lines = ["[default]", f"sso_account_id = {sso.account_id}", f"sso_role_name = {sso.role_name}"]
    place = [f"sso_start_url = {sso.START_URL}", "sso_region = us-east-1"]
    if session is None:
        lines += place
    else:
        lines += [f"sso_session = {session}", f"[sso-session {session}]", *place]
    (home / ".aws" / "config").write_text("\n".join(lines))
    return Session()


@pytest.mark.parametrize("name", [None, "work"])
def test_the_portal_hands_out_a_role_to_who_has_signed_in(sts: Sts, sso: Sso, home: Path, name: str | None) -> None:
    sso.sign_in(home, sso_session=name)

    assert who(sts, sso_session(home, sso, name)).startswith("arn:aws:sts::123456789012:assumed-role/instance/")
    assert sso.requests == ["GetRoleCredentials"]


def test_the_portal_renews_a_token_that_may_be_refreshed(sts: Sts, sso: Sso, home: Path) -> None:
    sso.sign_in(home, 60, sso_session="work", refreshable=True)

    assert who(sts, sso_session(home, sso, "work"))
    assert sso.requests == ["CreateToken", "GetRoleCredentials"]


def test_the_portal_refuses_an_ended_token(sts: Sts, sso: Sso, home: Path) -> None:
    sso.sign_in(home)
    sso.sign_out()

    with pytest.raises(UnauthorizedSSOTokenError):
        who(sts, sso_session(home, sso))
    status, body = get(
        f"{sso.url}/federation/credentials?account_id={sso.account_id}&role_name={sso.role_name}",
        {"x-amz-sso_bearer_token": sso.token(0)},
    )
    assert (status, "UnauthorizedException" in body) == (401, True)


def test_the_portal_refuses_a_refresh_token_it_does_not_know(sts: Sts, sso: Sso, home: Path) -> None:
    sso.sign_in(home, -60, sso_session="work", refreshable=True)
    sso.sign_out()

    with pytest.raises(Exception, match="Token has expired and refresh failed"):
        who(sts, sso_session(home, sso, "work"))
    assert sso.requests == ["CreateToken"]


def test_the_portal_takes_a_refresh_token_once(sso: Sso, home: Path) -> None:
    held = json.loads(sso.sign_in(home, sso_session="work", refreshable=True).read_text())
    asked = {name: held[name] for name in ("clientId", "clientSecret", "refreshToken")}
    body = json.dumps({"grantType": "refresh_token", **asked}).encode()

    assert get(sso.url + "/token", {}, "POST", body)[0] == 200
    status, refused = get(sso.url + "/token", {}, "POST", body)
    assert (status, "InvalidGrantException" in refused) == (400, True)


def test_the_portal_refuses_another_role(sts: Sts, sso: Sso, home: Path) -> None:
    sso.sign_in(home)
    session = sso_session(home, sso)
    config = home / ".aws" / "config"
    config.write_text(config.read_text().replace("= instance", "= admin"))

    with pytest.raises(ClientError, match="No access"):
        who(sts, session)


@pytest.mark.posix("modes of files")
def test_the_sign_in_file_is_for_its_owner_alone(sso: Sso, home: Path) -> None:
    path = sso.sign_in(home)

    assert path.stat().st_mode & 0o777 == 0o600
    assert time.time() - path.stat().st_mtime < 60
