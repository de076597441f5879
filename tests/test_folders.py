"""The player of recorded end-to-end cases, on folders of its form: what agrees, and what differs on purpose."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.folders import play, report

KEYS = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"
ROLE = "[default]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/admin\n"
BY_PROFILE = f"{ROLE}source_profile = base\n[profile base]\n{KEYS}"
IN_ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "s"}
STS = "https://sts.eu-west-1.amazonaws.com/"
FOUND = {"access_key_id": "ASIARECORDED", "secret_access_key": "recordedSecret", "session_token": "recordedToken"}
PRINTED = '{"Version":1,"AccessKeyId":"ASIARECORDED","SecretAccessKey":"recordedSecret","SessionToken":"recordedToken"}'
OK = {"Ok": FOUND}
ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId><Arn>arn:aws:sts::999999999999:assumed-role/b/x</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>ASIARECORDED</AccessKeyId><SecretAccessKey>recordedSecret</SecretAccessKey>
<SessionToken>recordedToken</SessionToken><Expiration>2020-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""


class Case(NamedTuple):
    """What a folder holds, and what credproc says where it ends otherwise."""

    config: str
    traffic: tuple[tuple[str, str, int, str], ...] = ()  # method, URL, status, body
    environ: Mapping[str, str] = {}
    result: Mapping[str, Any] = OK
    says: str = ""


def _folder(path: Path, case: Case) -> Path:
    (path / "fs" / "home" / ".aws").mkdir(parents=True)
    (path / "fs" / "home" / ".aws" / "config").write_text(case.config)
    events: list[dict[str, Any]] = []
    for number, (method, url, status, body) in enumerate(case.traffic):
        actions = [
            {"Request": {"request": {"method": method, "uri": url, "headers": {}}}},
            {"Response": {"response": {"Ok": {"status": status, "headers": {}}}}},
            {"Data": {"direction": "Response", "data": {"Utf8": body}}},
        ]
        events += [{"connection_id": number, "action": action} for action in actions]
    (path / "http-traffic.json").write_text(json.dumps({"events": events}))
    (path / "env.json").write_text(json.dumps({"HOME": "/home", **case.environ}))
    (path / "test-case.json").write_text(json.dumps({"name": path.name, "docs": "", "result": case.result}))
    return path


AGREE = {
    "a role": Case(BY_PROFILE, (("POST", STS, 200, ASSUMED),)),
    "a role after a try that failed": Case(BY_PROFILE, (("POST", STS, 503, ""), ("POST", STS, 200, ASSUMED))),
    "a role by an endpoint": Case(
        f"{BY_PROFILE}",
        (("POST", "https://sts.example/at", 200, ASSUMED),),
        {"AWS_ENDPOINT_URL_STS": "https://sts.example/at"},
    ),
    "a role by keys in the environment": Case(
        f"{ROLE}credential_source = Environment\n", (("POST", STS, 200, ASSUMED),), IN_ENVIRONMENT
    ),
    "a container": Case(
        "",
        (
            (
                "GET",
                "http://169.254.170.2/role",
                200,
                json.dumps(
                    {
                        "AccessKeyId": FOUND["access_key_id"],
                        "SecretAccessKey": FOUND["secret_access_key"],
                        "Token": FOUND["session_token"],
                        "Expiration": "2020-01-01T00:00:00Z",
                    }
                ),
            ),
        ),
        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/role"},
    ),
    "a program": Case(f"[default]\ncredential_process = echo '{PRINTED}'\n"),
    "an error": Case(
        "[default]\nregion = eu-west-1\n", (), {"AWS_EC2_METADATA_DISABLED": "true"}, {"ErrorContains": "x"}
    ),
}
DIFFER = {
    "plain http": Case(
        BY_PROFILE,
        (("POST", "http://sts.example", 200, ASSUMED),),
        {"AWS_ENDPOINT_URL": "http://sts.example"},
        says="plain http",
    ),
    "long-term keys": Case(f"[default]\nregion = eu-west-1\n{KEYS}", says="GetSessionToken"),
    "a shell": Case(f"[default]\ncredential_process = echo '{PRINTED}' | cat\n", says="Version 1"),
    "the environment": Case("", environ=IN_ENVIRONMENT, says="no profile is named"),
    "one try of the metadata service": Case(
        "[default]\nregion = eu-west-1\n",
        (
            ("PUT", "http://169.254.169.254/latest/api/token", 503, ""),
            ("PUT", "http://169.254.169.254/latest/api/token", 200, "token"),
        ),
        says="provides no credentials",
    ),
    "a request that is not recorded": Case(
        BY_PROFILE, (("POST", "https://sts.eu-west-2.amazonaws.com/", 200, ASSUMED),)
    ),
    "a recorded request that is not made": Case(BY_PROFILE, (("POST", STS, 200, ASSUMED), ("POST", STS, 200, ASSUMED))),
    "other credentials": Case(BY_PROFILE, (("POST", STS, 200, ASSUMED.replace("ASIARECORDED", "ASIAOTHER")),)),
    "credentials where an error is due": Case(
        BY_PROFILE, (("POST", STS, 200, ASSUMED),), result={"ErrorContains": "x"}
    ),
    "an error elsewhere": Case(BY_PROFILE, result={"ErrorContains": "x"}),
}


@pytest.mark.parametrize("name", AGREE)
def test_the_recorded_requests_give_the_expected_end(tmp_path: Path, name: str) -> None:
    (tmp_path / "scratch").mkdir()
    played = play(_folder(tmp_path / "folder", AGREE[name]), tmp_path / "scratch")
    assert played.agrees, played


@pytest.mark.parametrize("name", DIFFER)
def test_another_end_is_seen(tmp_path: Path, name: str) -> None:
    (tmp_path / "scratch").mkdir()
    played = play(_folder(tmp_path / "folder", DIFFER[name]), tmp_path / "scratch")
    assert not played.agrees, played
    assert DIFFER[name].says in played.ended.stderr
    assert "AKIAIOSFODNN7EXAMPLE" not in played.ended.stdout


def test_what_differs_must_be_known_and_what_is_known_must_differ(tmp_path: Path) -> None:
    folders = [
        _folder(tmp_path / "set" / "program", AGREE["a program"]),
        _folder(tmp_path / "set" / "shell", DIFFER["a shell"]),
    ]
    lines, as_known = report(folders, {"set/shell": "no shell"})
    assert as_known
    assert lines == ["set/program: agrees", "set/shell: differs: no shell", "2 folders, 1 agree, 1 differ"]
    unknown, as_known = report(folders, {})
    assert not as_known
    assert unknown[1].startswith("set/shell: differs: not known: credproc: error: ")
    gone, as_known = report(folders, {"set/shell": "no shell", "set/program": "?"})
    assert not as_known
    assert gone[-1] == "set/program: does not differ, or is not there"
