"""The AWS SDKs' own test data (tests/cases), every case of it; what differs on purpose stands here with its reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from credproc import cache, paths
from credproc.aws.client import Settings
from credproc.aws.sts import Sts
from credproc.config.parser import parse
from credproc.errors import ConfigError
from credproc.plan import Plan, plan_for
from credproc.request import Request

CASES = Path(__file__).parent / "cases"


def _cases(name: str, key: str | None = None) -> list[dict[str, Any]]:
    found: Any = json.loads((CASES / name).read_text())
    cases: list[dict[str, Any]] = found[key] if key else found
    return cases


def _numbered(cases: list[dict[str, Any]], key: str) -> list[str]:
    """Return the cases' names, of which some come twice, behind their numbers."""
    return [f"{number} {case[key]}" for number, case in enumerate(cases, start=1)]


PARSER = _cases("profile-parser.json", "tests")
LOCATIONS = _cases("file-location.json", "tests")
CHAINS = _cases("assume-role.json")
ENDPOINTS = _cases("sts-endpoints.json", "testCases")


def test_no_case_has_gone() -> None:
    assert (len(PARSER), len(LOCATIONS), len(CHAINS), len(ENDPOINTS)) == (65, 9, 28, 69)


# Profiles for botocore, and so for the AWS CLI: aws configure --profile "my user" writes such headers
NAMED_ALL_THE_SAME: dict[str, dict[str, dict[str, str]]] = {
    "Profile names support alphanumeric characters and - / . % @ _ : +": {"foo!bar": {}},
    "Invalid profile names are ignored.": {"in valid 2": {"name2": "value2"}},
}


def _errors_in(config: str, credentials: str) -> list[ConfigError]:
    """Return what is wrong with the files: before the first section, or else with a section."""
    try:
        return parse(config, credentials).errors()
    except ConfigError as error:
        return [error]


@pytest.mark.parametrize("case", PARSER, ids=_numbered(PARSER, "name"))
def test_the_two_files_are_read_as_the_sdks_read_them(case: dict[str, Any]) -> None:
    files = case["input"].get("configFile", ""), case["input"].get("credentialsFile", "")
    if "errorContaining" in case["output"]:
        (failure,) = _errors_in(*files)
        assert case["output"]["errorContaining"] in str(failure)
        assert str(failure).startswith(("config:", "credentials:"))
        return
    expected, read = case["output"]["config"], parse(*files)
    assert read.errors() == []
    profiles = {
        name: {key: setting.value for key, setting in section.items()} for name, section in read.profiles.items()
    }
    sessions = {name: {key: found.value for key, found in part.items()} for name, part in read.sso_sessions.items()}
    assert profiles == expected["profiles"] | NAMED_ALL_THE_SAME.get(case["name"], {})
    assert sessions == expected.get("sso_sessions", {})


# Python's expanduser, and so boto3 and the AWS CLI, looks at USERPROFILE there, and never at HOME
USERPROFILE_FIRST = "User home is loaded from $HOME with highest priority on windows platforms."


@pytest.mark.parametrize("case", LOCATIONS, ids=_numbered(LOCATIONS, "name"))
def test_the_files_are_found_where_the_sdks_find_them(case: dict[str, Any]) -> None:
    environ, windows = case["environment"], case["platform"] == "windows"
    if case["name"] == USERPROFILE_FIRST:
        assert paths.config_file(environ, windows=windows) == "ignored\\.aws\\config"
        environ = {"HOME": environ["HOME"]}  # the last place where credproc looks
    assert paths.config_file(environ, windows=windows) == case["configLocation"]
    assert paths.credentials_file(environ, windows=windows) == case["credentialsLocation"]
    if "profile" in case:
        assert (cache.profile_named(None, environ) or "default") == case["profile"]


# Answered with another result than the case's, on purpose
DIFFERENT = {
    "SSO token profile selected": "a lone sso_session yields a bearer token and no credentials: what lacks is said",
}
# Of the endpoint cases: botocore's rules err, and a profile without a region means the global endpoint
WITHOUT_REGION = "Missing region"
# What an error of the case is in our words; each must name the profile's line
ERRORS = {
    "profile must contain `source_profile`": "role_arn without source_profile or credential_source",
    "profile contained both source_profile and credential_source": "both source_profile and credential_source",
    "profile missing aws_secret_access_key": "aws_access_key_id without aws_secret_access_key",
    "profile missing aws_access_key_id": "aws_secret_access_key without aws_access_key_id",
    "profile `B` did not contain credential information": "profile 'B' holds no credentials",
    "profile `A` did not contain credential information": "profile 'A' holds no credentials",
    "could not find source profile B referenced from A": "source_profile 'B' does not exist",
    "No profiles were defined": "no profile named 'A'",
    "profile formed an infinite loop": "cycle: A -> B -> A",
    "`role_arn` was missing": "web_identity_token_file without role_arn",
    "if `sso_role_name` is set, then `sso_account_id` must also be set": "lacks sso_account_id",
    "if `sso_account_id` is set, then `sso_role_name` must also be set": "lacks sso_role_name",
    "`sso_region` can only be specified in the [sso-session] config when a session name is given": "sso_region differs",
    "sso-session named `oops` (referenced by profile `A`) was not found": "there is no section [sso-session oops]",
}


def _sections(kind: str, sections: dict[str, dict[str, str]]) -> str:
    return "".join(
        f"[{kind} {name}]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items())
        for name, settings in sections.items()
    )


def _chain(plan: Plan) -> list[dict[str, Any]]:
    """Return a plan in the words of the cases."""
    source, keys = plan.source, plan.source.keys
    first: dict[str, Any]
    if keys is not None:
        fields = {"access_key_id": keys.access_key_id, "secret_access_key": keys.secret_access_key}
        first = {"AccessKey": fields | ({"account_id": keys.account_id} if keys.account_id else {})}
    elif source.role is not None:
        first = {"WebIdentityToken": {**_role(source.role), "web_identity_token_file": source.field("token_file")}}
    elif source.kind == "IdentityCenter":
        first = {"Sso": dict(source.identity)}
    else:
        first = {"NamedSource": source.kind}
    return [first, *({"AssumeRole": _role(role)} for role in plan.roles)]


def _role(role: Any) -> dict[str, str]:
    fields = {"role_arn": role.role_arn, "external_id": role.external_id}
    if role.role_session_name != "credproc-user":  # ours, where the profile names none
        fields["role_session_name"] = role.role_session_name
    return {name: value for name, value in fields.items() if value is not None}


@pytest.mark.parametrize("case", CHAINS, ids=_numbered(CHAINS, "docs"))
def test_profiles_become_the_chain_that_the_sdks_make_of_them(case: dict[str, Any]) -> None:
    given = case["input"]
    config = parse(
        _sections("profile", given["profiles"]) + _sections("sso-session", given.get("sso_sessions", {})), ""
    )
    if "Error" in case["output"] or case["docs"] in DIFFERENT:
        with pytest.raises(ConfigError) as failure:
            plan_for(config, Request(given["selected_profile"], {}, 0.0))
        expected = (
            ERRORS[case["output"]["Error"]] if "Error" in case["output"] else "lacks sso_account_id, sso_role_name"
        )
        assert expected in str(failure.value)
        assert str(failure.value).startswith("config")
        assert failure.value.hint
        return
    assert _chain(plan_for(config, Request(given["selected_profile"], {}, 0.0))) == case["output"]["ProfileChain"]


@pytest.mark.parametrize("case", ENDPOINTS, ids=_numbered(ENDPOINTS, "documentation"))
def test_sts_is_found_where_botocore_finds_it(case: dict[str, Any]) -> None:
    given = case.get("params", {})
    lines = ["[profile admin]", "role_arn = arn:aws:iam::123456789012:role/x", "source_profile = keys"]
    lines += [f"region = {given['Region']}"] if "Region" in given else []
    lines += ["use_fips_endpoint = true"] if given.get("UseFIPS") else []
    lines += ["use_dualstack_endpoint = true"] if given.get("UseDualStack") else []
    lines += ["sts_regional_endpoints = legacy"] if given.get("UseGlobalEndpoint") else []
    lines += [f"endpoint_url = {given['Endpoint']}"] if "Endpoint" in given else []
    lines += ["[profile keys]", "aws_access_key_id = AKIA", "aws_secret_access_key = secret"]
    config = parse("\n".join(lines), "")
    expected = case["expect"]
    if case["documentation"] == WITHOUT_REGION:
        expected = {"endpoint": {"url": "https://sts.amazonaws.com"}}
    if "error" in expected:
        with pytest.raises(ConfigError):
            plan_for(config, Request("admin", {}, 0.0))
        return
    plan = plan_for(config, Request("admin", {}, 0.0))
    assert plan.endpoint.address.rstrip("/") == expected["endpoint"]["url"].rstrip("/")
    assert str(Sts(plan.endpoint, Settings(None, {}), mfa=False).url).rstrip("/") == plan.endpoint.address.rstrip("/")
    for scheme in expected["endpoint"].get("properties", {}).get("authSchemes", []):
        assert plan.endpoint.signing_region == scheme["signingRegion"]
