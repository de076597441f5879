"""What an equal plan is: whatever determines the result changes ``compared()``, and nothing secret is in it."""

import json

import pytest

from credproc.config.parser import parse
from credproc.plan import Plan, plan_for
from credproc.request import Request

ARN = "arn:aws:iam::123456789012:role/admin"
TOKEN_FILE = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": ARN, "AWS_ROLE_SESSION_NAME": "name"}
SECRET, TOKEN, OTHER = "PRECIOUSSECRET", "PRECIOUSTOKEN", "PRECIOUSOTHER"
KEYS = f"aws_access_key_id = AKIA1\naws_secret_access_key = {SECRET}\naws_session_token = {TOKEN}\n"
LONG_TERM = f"aws_access_key_id = AKIA1\naws_secret_access_key = {SECRET}\n"

# A chain of two, with every setting that takes part
CHAIN = f"""
[profile p]
role_arn = {ARN}
source_profile = middle
external_id = external
role_session_name = session
duration_seconds = 3600
mfa_serial = 123456789
region = us-west-2
sts_regional_endpoints = regional
use_fips_endpoint = false
use_dualstack_endpoint = false
credproc_policy = {{}}
credproc_policy_arns = arn:a
credproc_session_tags = team=red
credproc_transitive_tag_keys = team
credproc_source_identity = alice
[profile middle]
role_arn = {ARN}2
source_profile = user
external_id = external2
role_session_name = session2
duration_seconds = 1800
[profile user]
{LONG_TERM}
[profile other]
aws_access_key_id = AKIA2
aws_secret_access_key = {OTHER}
"""
IN_THE_CHAIN = [
    (f"role_arn = {ARN}\n", f"role_arn = {ARN}3\n"),
    (f"role_arn = {ARN}2\n", f"role_arn = {ARN}3\n"),
    ("source_profile = middle", "source_profile = user"),
    ("source_profile = user", "source_profile = other"),
    ("source_profile = user", "credential_source = Environment"),
    ("aws_access_key_id = AKIA1", "aws_access_key_id = AKIA3"),
    ("external_id = external\n", "external_id = another\n"),
    ("external_id = external\n", ""),
    ("external_id = external2\n", ""),
    ("role_session_name = session\n", "role_session_name = another\n"),
    ("role_session_name = session\n", ""),
    ("role_session_name = session2\n", ""),
    ("duration_seconds = 3600", "duration_seconds = 3601"),
    ("duration_seconds = 3600\n", ""),
    ("duration_seconds = 1800", "duration_seconds = 900"),
    ("mfa_serial = 123456789", "mfa_serial = 123456780"),
    ("mfa_serial = 123456789\n", ""),
    ("region = us-west-2", "region = us-west-1"),
    ("region = us-west-2\n", ""),
    ("region = us-west-2", "region = us-west-2\ncredproc_region = eu-west-1"),
    ("endpoints = regional", "endpoints = legacy"),
    ("use_fips_endpoint = false", "use_fips_endpoint = true"),
    ("use_dualstack_endpoint = false", "use_dualstack_endpoint = true"),
    ("region = us-west-2", "region = us-west-2\nendpoint_url = https://sts.example"),
    (
        "region = us-west-2",
        "region = us-west-2\nservices = s\n[services s]\nsts =\n  endpoint_url = https://s\n[profile p]",
    ),
    ("credproc_policy = {}", 'credproc_policy = {"a":1}'),
    ("credproc_policy = {}\n", ""),
    ("policy_arns = arn:a", "policy_arns = arn:a,arn:b"),
    ("session_tags = team=red", "session_tags = team=blue"),
    ("session_tags = team=red", "session_tags = Team=red"),
    ("transitive_tag_keys = team\n", "transitive_tag_keys = team,a\n"),
    ("credproc_transitive_tag_keys = team\n", ""),
    ("source_identity = alice", "source_identity = bob"),
    (f"role_arn = {ARN}\n", f"role_arn = {ARN}\ncredproc_role_arn = {ARN}3\n"),
    ("source_profile = middle", "source_profile = middle\ncredproc_source_profile = user"),
    ("mfa_serial = 123456789", "mfa_serial = 123456789\ncredproc_mfa_serial = 123456780"),
]
CENTER = """
[profile p]
sso_session = s
sso_account_id = 123456789012
sso_role_name = role
[sso-session s]
sso_start_url = https://start.example
sso_region = us-east-1
[sso-session t]
sso_start_url = https://start.example
sso_region = us-east-1
"""
IN_OTHER_SOURCES = [
    (CENTER, "sso_account_id = 123456789012", "sso_account_id = 210987654321"),
    (CENTER, "sso_role_name = role", "sso_role_name = other"),
    (CENTER, "sso_session = s\n", "sso_session = t\n"),
    (CENTER, "https://start.example", "https://other.example"),
    (CENTER, "sso_region = us-east-1\n[", "sso_region = us-west-1\n["),
    ("[profile p]\ncredential_process = a b\n", "a b", "a c"),
    ("[profile p]\ncredential_process = a b\n", "a b", "a b\ncredproc_credential_process = a c"),
    ("[profile p]\ncredential_process = a b\naws_account_id = 1\n", "_id = 1", "_id = 2"),
    (f"[profile p]\nweb_identity_token_file = /t\nrole_arn = {ARN}\n", "= /t", "= /u"),
    (f"[profile p]\nweb_identity_token_file = /t\nrole_arn = {ARN}\n", ARN, f"{ARN}2"),
    (f"[profile p]\nweb_identity_token_file = /t\nrole_arn = {ARN}\n", "= /t", "= /t\nrole_session_name = ab"),
    (f"[profile p]\n{LONG_TERM}", "AKIA1", "AKIA2"),
    (f"[profile p]\n{LONG_TERM}", "[profile p]", "[profile p]\nmfa_serial = 123456789"),
    (f"[profile p]\n{LONG_TERM}", "[profile p]", "[profile p]\ncredproc_mfa_session_duration_seconds = 900"),
    (f"[profile p]\n{LONG_TERM}", "[profile p]", "[profile p]\naws_account_id = 123456789012"),
    (f"[profile p]\n{KEYS}", "[profile p]", "[profile p]\naws_account_id = 123456789012"),
    (
        f"[profile p]\nrole_arn = {ARN}\ncredential_source = Environment\n",
        "Environment",
        "EcsContainer",
    ),
    (
        f"[profile p]\nrole_arn = {ARN}\ncredential_source = EcsContainer\n",
        "EcsContainer",
        "Ec2InstanceMetadata",
    ),
]
OF_THE_ENVIRONMENT = [
    ("AWS_REGION", "us-west-1", "us-west-2"),
    ("AWS_DEFAULT_REGION", "us-west-1", "us-west-2"),
    ("AWS_USE_FIPS_ENDPOINT", "true", "false"),
    ("AWS_USE_DUALSTACK_ENDPOINT", "true", "false"),
    ("AWS_STS_REGIONAL_ENDPOINTS", "legacy", "regional"),
    ("AWS_ENDPOINT_URL", "https://a", "https://b"),
    ("AWS_ENDPOINT_URL_STS", "https://a", "https://b"),
]


def _plan(config: str, environ: dict[str, str] | None = None, profile: str | None = "p", user: str = "alice") -> Plan:
    return plan_for(parse(config, ""), Request(profile, environ or {}, 0.0, user=user))


def _changed(text: str, old: str, new: str) -> str:
    assert text.count(old) > 0, old
    return text.replace(old, new, 1)


@pytest.mark.parametrize(("old", "new"), IN_THE_CHAIN)
def test_a_changed_setting_of_a_chain_makes_another_plan(old: str, new: str) -> None:
    changed = _changed(CHAIN, old, new)
    assert _plan(changed).compared() != _plan(CHAIN).compared()


@pytest.mark.parametrize(("text", "old", "new"), IN_OTHER_SOURCES)
def test_a_changed_setting_of_a_source_makes_another_plan(text: str, old: str, new: str) -> None:
    assert _plan(_changed(text, old, new)).compared() != _plan(text).compared()


@pytest.mark.parametrize(("variable", "value", "other"), OF_THE_ENVIRONMENT)
def test_a_changed_variable_makes_another_plan(variable: str, value: str, other: str) -> None:
    plain = f"[profile p]\nregion = us-east-1\nrole_arn = {ARN}\nsource_profile = user\n[profile user]\n{LONG_TERM}"
    one, two = (_plan(plain, {variable: each}).compared() for each in (value, other))
    assert one != two
    assert one != _plan(plain).compared()


def test_ignoring_the_configured_endpoint_makes_another_plan() -> None:
    text = f"[profile p]\nendpoint_url = https://sts.example\n{LONG_TERM}"
    ignored = _plan(text, {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"})
    assert ignored.compared() != _plan(text).compared()


@pytest.mark.parametrize("variable", sorted(TOKEN_FILE))
def test_a_changed_variable_of_web_identity_makes_another_plan(variable: str) -> None:
    other = TOKEN_FILE | {variable: TOKEN_FILE[variable] + "x"}
    assert _plan("", TOKEN_FILE, None).compared() != _plan("", other, None).compared()


@pytest.mark.parametrize(
    ("source", "variable"),
    [
        ("Environment", "AWS_ACCESS_KEY_ID"),
        ("EcsContainer", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        ("EcsContainer", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    ],
)
def test_a_changed_variable_of_the_source_makes_another_plan(source: str, variable: str) -> None:
    text = f"[profile p]\nrole_arn = {ARN}\ncredential_source = {source}\n"
    before = "http://127.0.0.1" if variable.endswith("FULL_URI") else ""
    one, two = (_plan(text, {variable: f"{before}/{value}"}).compared() for value in "ab")
    assert one != two
    assert one != _plan(text).compared()


def test_another_user_of_the_machine_makes_another_plan_where_the_session_bears_the_name() -> None:
    unnamed = f"[profile p]\nrole_arn = {ARN}\ncredential_source = Environment\n"
    named = f"{unnamed}role_session_name = session\n"
    assert _plan(unnamed, user="alice").compared() != _plan(unnamed, user="bob").compared()
    assert _plan(named, user="alice").compared() == _plan(named, user="bob").compared()


def test_the_order_of_a_chain_counts() -> None:
    one = _changed(CHAIN, "external_id = external\n", "external_id = external2\n")
    swapped = CHAIN.replace(f"{ARN}\n", "FIRST\n").replace(f"{ARN}2\n", f"{ARN}\n").replace("FIRST\n", f"{ARN}2\n")
    assert _plan(swapped).compared() != _plan(CHAIN).compared()
    assert _plan(one).compared() != _plan(CHAIN).compared()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[profile other]", "# a comment\n\n[profile another]"),
        ("aws_access_key_id = AKIA2", "aws_access_key_id = AKIA3"),
        ("region = us-west-2", "region   =   us-west-2   # Oregon"),
        ("region = us-west-2", "region = us-west-2\noutput = json"),
        (SECRET, "ANOTHERSECRET"),
        ("[profile user]", "[profile user]\nregion = eu-west-1"),
        ("source_profile = user", "source_profile = renamed"),
    ],
)
def test_a_change_that_determines_nothing_leaves_the_plan_equal(old: str, new: str) -> None:
    changed = _changed(CHAIN, old, new)
    if "renamed" in new:
        changed = changed.replace("[profile user]", "[profile renamed]")
    assert _plan(changed).compared() == _plan(CHAIN).compared()


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        (CHAIN, {}),
        (f"[profile p]\n{KEYS}", {}),
        (f"[profile p]\n{KEYS}".replace("session_token", "security_token"), {}),
        (f"[profile p]\nrole_arn = {ARN}\nsource_profile = p\n{KEYS}", {}),
        (
            f"[profile p]\nrole_arn = {ARN}\ncredential_source = Environment\n",
            {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN},
        ),
        (
            f"[profile p]\nrole_arn = {ARN}\ncredential_source = EcsContainer\n",
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1", "AWS_CONTAINER_AUTHORIZATION_TOKEN": TOKEN},
        ),
        (CENTER, {}),
    ],
)
def test_no_secret_is_in_a_plan_as_it_is_shown_or_compared(text: str, environ: dict[str, str]) -> None:
    plan = _plan(text, environ)
    for shown in (repr(plan), str(plan), repr(plan.source), repr(plan.source.keys), json.dumps(plan.compared())):
        assert "PRECIOUS" not in shown


@pytest.mark.parametrize("text", [CHAIN, CENTER, f"[profile p]\n{KEYS}"])
def test_what_is_compared_is_the_same_after_a_way_through_json(text: str) -> None:
    compared = _plan(text).compared()
    assert json.loads(json.dumps(compared)) == compared
