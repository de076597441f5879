"""Errors of the plan: the line and the settings that each names, and words of its hint (whole in tests/messages)."""

import pytest

from credproc.config.parser import parse
from credproc.errors import ConfigError
from credproc.plan import Plan, plan_for
from credproc.request import Request
from tests.wording import assert_names

ARN = "arn:aws:iam::123456789012:role/admin"
KEYS = "aws_access_key_id = AKIA\naws_secret_access_key = s\n"
ROLE = f"[profile r]\nrole_arn = {ARN}\n"
USER = f"[profile user1]\n{KEYS}"
SESSION = "[sso-session s]\nsso_start_url = https://x\nsso_region = us-east-1\n"
CENTER = "[profile r]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = x\n"
CYCLE = "credentials"
SPELLING = "spelling credproc list"
ALIAS = "credential_process credproc --profile NAME"
CENTER_HINT = "aws configure sso"


def _plan(config: str, profile: str | None = "r", **environ: str) -> Plan:
    return plan_for(parse(config, ""), Request(profile, environ, 0.0, user="alice"))


def assert_says(error: ConfigError, said: str, hint: str) -> None:
    """Fail unless the error begins with the first word of ``said`` and it and its hint contain the other words."""
    where, *words = said.split()
    assert_names(str(error), where, *words)
    assert_names(error.hint, "", *hint.split())


def _link(name: str, source: str) -> str:
    return f"[profile {name}]\nrole_arn = {ARN}\nsource_profile = {source}\n"


def _alias(name: str, target: str) -> str:
    return f"[profile {name}]\ncredential_process = credproc --profile {target}\n"


REFUSED = {
    "both ways to a source": (
        f"{ROLE}source_profile = user1\ncredential_source = Environment\n{USER}",
        "config:2: source_profile credential_source",
        "keep one",
    ),
    "no way to a source": (
        ROLE,
        "config:2: role_arn source_profile credential_source",
        "source_profile [r]",
    ),
    "no way to a source beside keys of its own": (
        ROLE + KEYS,
        "config:2: role_arn source_profile credential_source",
        "source_profile [r] keys",
    ),
    "a misspelt source": (
        f"{ROLE}source_profile = usr1\n{USER}",
        "config:3: source_profile 'usr1'",
        "'user1'",
    ),
    "a source that looks like nothing": (
        f"{ROLE}source_profile = zzz\n{USER}",
        "config:3: source_profile 'zzz'",
        SPELLING,
    ),
    "a source further down the chain": (
        _link("r", "b") + _link("b", "usr1") + USER,
        "config:6: source_profile 'usr1'",
        "'user1'",
    ),
    "a source without credentials": (
        f"{ROLE}source_profile = empty\n[profile empty]\nregion = x\n",
        "config:4: 'empty'",
        "source_profile sso_session credential_process",
    ),
    "a misspelt key of the selected profile": (
        f"{ROLE}source_profle = user1\n{USER}",
        "config:2: role_arn source_profile credential_source",
        "config:3: source_profle source_profile [r]",
    ),
    "two misspelt keys": (
        f"{ROLE}source_profile = usr1\nmfa_serail = 123456789\ncredproc_external_ids = x\n{USER}",
        "config:3: source_profile 'usr1'",
        "config:4: mfa_serail mfa_serial config:5: credproc_external_ids external_id 'user1'",
    ),
    "a misspelt key of a source": (
        f"{ROLE}source_profile = b\n[profile b]\naws_acces_key_id = AKIA\naws_secret_access_key = s\n",
        "config:6: aws_secret_access_key aws_access_key_id",
        "config:5: aws_acces_key_id aws_access_key_id [b]",
    ),
    "half of the keys": (
        "[profile r]\naws_access_key_id = AKIA\n",
        "config:2: aws_access_key_id aws_secret_access_key",
        "aws_secret_access_key [r]",
    ),
    "a circle of one": (
        _link("r", "r"),
        "config:3: r -> r",
        CYCLE,
    ),
    "a circle of three": (
        _link("r", "b") + _link("b", "c") + _link("c", "r"),
        "config:9: r -> b -> c -> r",
        CYCLE,
    ),
    "a circle that the profile is not in": (
        _link("r", "b") + _link("b", "c") + _link("c", "b"),
        "config:9: b -> c -> b",
        CYCLE,
    ),
    "an alias of itself": (
        _alias("r", "r"),
        "config:2: r -> r",
        CYCLE,
    ),
    "a circle of aliases": (
        _alias("r", "b") + _alias("b", "r"),
        "config:4: r -> b -> r",
        CYCLE,
    ),
    "a circle through an alias": (
        _link("r", "b") + _alias("b", "r"),
        "config:5: r -> b -> r",
        CYCLE,
    ),
    "an alias of nothing": (
        _alias("r", "usr1") + USER,
        "config:2: credential_process 'usr1'",
        "'user1'",
    ),
    "a mistake in a source that is an alias": (
        _link("r", "b") + "[profile b]\ncredential_process = credproc login\n",
        "config:5: credential_process --profile",
        ALIAS,
    ),
    "an unknown credential_source": (
        f"{ROLE}credential_source = Lambda\n",
        "config:3: credential_source Ec2InstanceMetadata 'Lambda'",
        "exactly",
    ),
    "serials that differ two hops apart": (
        _link("r", "b") + "mfa_serial = 123456789\n" + _link("b", "user1") + f"{USER}mfa_serial = 123456780\n",
        "config:11: mfa_serial config:4",
        "device user",
    ),
    "a serial with our prefix that differs": (
        (
            f"{ROLE}source_profile = user1\ncredproc_mfa_serial = 123456789\nmfa_serial = 1\n"
            f"{USER}mfa_serial = 123456780\n"
        ),
        "config:9: mfa_serial config:4",
        "device user",
    ),
    "a region of the session that differs": (
        f"{CENTER}sso_region = eu-west-1\n{SESSION}",
        "config:5: sso_region [sso-session s]",
        "sso_region [r]",
    ),
    "a start URL of the session that differs": (
        f"{CENTER}sso_start_url = https://y\n{SESSION}",
        "config:5: sso_start_url [sso-session s]",
        "sso_start_url [r]",
    ),
    "an sso-session that is not there": (
        CENTER,
        "config:2: [sso-session s]",
        "aws configure sso",
    ),
    "an sso-session without a region": (
        f"{CENTER}[sso-session s]\nsso_start_url = https://x\n",
        "config:3: 'r' sso_region",
        CENTER_HINT,
    ),
    "an Identity Center profile without a role": (
        CENTER.replace("sso_role_name = x\n", "") + SESSION,
        "config:3: 'r' sso_role_name",
        CENTER_HINT,
    ),
    "an Identity Center profile without anything else": (
        "[profile r]\nsso_role_name = x\n",
        "config:2: 'r' sso_account_id sso_start_url sso_region",
        CENTER_HINT,
    ),
    "a token file without a role": (
        "[profile r]\nweb_identity_token_file = /t\n",
        "config:2: web_identity_token_file role_arn",
        "role_arn [r]",
    ),
    "a token file with a misprinted role": (
        "[profile r]\nweb_identity_token_file = /t\nrole_arn = arn:aws-cn:iam:1:role/x\n",
        "config:3: role_arn 'arn:aws-cn:iam:1:role/x'",
        "arn:aws-cn:iam::1:role/x",
    ),
    "a session of too few seconds": (
        f"[profile r]\ncredproc_mfa_session_duration_seconds = 899\n{KEYS}",
        "config:2: credproc_mfa_session_duration_seconds 900 129600 '899'",
        "seconds",
    ),
    "a session of too many seconds": (
        f"[profile r]\ncredproc_mfa_session_duration_seconds = 129601\n{KEYS}",
        "config:2: credproc_mfa_session_duration_seconds 900 129600 '129601'",
        "seconds",
    ),
}


@pytest.mark.parametrize(("config", "error", "hint"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_followed_is_named_with_its_line_and_advice(config: str, error: str, hint: str) -> None:
    with pytest.raises(ConfigError) as failure:
        _plan(config)
    assert_says(failure.value, error, hint)


@pytest.mark.parametrize(
    ("config", "profile", "hint"),
    [
        (USER, "user2", "'user1'"),
        (USER, "USER1", "'user1'"),
        (USER, "zzz", SPELLING),
        ("", "x", "profiles AWS_CONFIG_FILE"),
    ],
)
def test_a_profile_that_is_not_there_is_named_with_the_nearest(config: str, profile: str, hint: str) -> None:
    with pytest.raises(ConfigError) as failure:
        _plan(config, profile)
    assert_says(failure.value, f"config and credentials: '{profile}'", hint)


@pytest.mark.parametrize(
    ("environ", "error", "hint"),
    [
        ({}, "AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN", "AWS_ROLE_ARN"),
        (
            {"AWS_ROLE_ARN": "arn:aws:iam:123456789012:role/admin"},
            "AWS_ROLE_ARN: role_arn 'arn:aws:iam:123456789012:role/admin'",
            ARN,
        ),
        (
            {"AWS_ROLE_ARN": ARN, "AWS_ROLE_SESSION_NAME": "x"},
            "AWS_ROLE_SESSION_NAME: role_session_name 64",
            "characters",
        ),
    ],
)
def test_a_variable_of_web_identity_is_named_like_a_line(environ: dict[str, str], error: str, hint: str) -> None:
    with pytest.raises(ConfigError) as failure:
        _plan("", None, AWS_WEB_IDENTITY_TOKEN_FILE="/t", **environ)
    assert_says(failure.value, error, hint)


@pytest.mark.parametrize("arguments", ["", "--profile", "--profile r mine", "login --profile r", "-p r", "r"])
def test_credproc_with_arguments_that_name_no_profile_is_explained(arguments: str) -> None:
    with pytest.raises(ConfigError) as failure:
        _plan(f"[profile people]\ncredential_process = credproc {arguments}\n[profile r]\n{KEYS}", "people")
    assert_says(failure.value, "config:2: credential_process --profile", ALIAS)


@pytest.mark.parametrize(
    "arguments",
    [
        "--profile user1",
        "--profile=user1",
        '--profile "user1"',
        pytest.param("--profile 'user1'", marks=pytest.mark.posix("single quotes that quote")),
    ],
)
def test_an_alias_may_be_a_source_too(arguments: str) -> None:
    config = f"{ROLE}source_profile = b\n[profile b]\ncredential_process = credproc {arguments}\n{USER}"
    plan = _plan(config)
    assert (plan.source.kind, plan.source.profile, len(plan.roles)) == ("StaticKeys", "user1", 1)


@pytest.mark.parametrize(
    "program", ["credprocx --profile r", "/bin/my-credproc --profile r", "sh -c credproc", "'credproc"]
)
def test_another_program_is_no_alias(program: str) -> None:
    plan = _plan(f"[profile people]\ncredential_process = {program}\n{ROLE}", "people")
    assert (plan.source.kind, plan.source.field("command")) == ("Process", program)


@pytest.mark.parametrize("value", ["123456789", "x" * 256, "arn:aws:iam::123456789012:mfa/path/user@x", "GAHT12345678"])
def test_a_serial_within_its_limits_is_an_mfa_device(value: str) -> None:
    mfa = _plan(f"{ROLE}source_profile = user1\nmfa_serial = {value}\n{USER}").mfa
    assert mfa is not None
    assert (mfa.serial, mfa.where) == (value, "config:4")


def test_the_same_serial_may_stand_on_every_profile_of_a_chain() -> None:
    serial = "mfa_serial = 123456789\n"
    mfa = _plan(_link("r", "b") + serial + _link("b", "user1") + serial + USER + serial).mfa
    assert mfa is not None
    assert (mfa.serial, mfa.where, mfa.on_role) == ("123456789", "config:4", True)


@pytest.mark.parametrize("seconds", [900, 129600])
def test_the_seconds_of_a_session_stand_on_the_source_before_the_selected_profile(seconds: int) -> None:
    line = "credproc_mfa_session_duration_seconds = "
    base = f"{ROLE}source_profile = user1\n"
    assert _plan(f"{base}{line}1000\n{USER}{line}{seconds}\n").session_seconds == seconds
    assert _plan(f"{base}{line}{seconds}\n{USER}").session_seconds == seconds
    assert _plan(base + USER).session_seconds == 43200
    assert _plan(f"{base}{USER}mfa_session_duration_seconds = 1000\n").session_seconds == 43200, "it needs our prefix"


def test_a_chain_stops_at_keys() -> None:
    plan = _plan(_link("r", "b") + _link("b", "user1") + KEYS + USER)
    assert (len(plan.roles), plan.source.profile) == (1, "b")


def test_a_session_name_of_the_environment_never_applies_to_a_plain_role() -> None:
    plan = _plan(f"{ROLE}source_profile = user1\n{USER}", AWS_ROLE_SESSION_NAME="other")
    assert plan.roles[0].role_session_name == "credproc-alice"


def test_a_named_profile_is_not_the_machines_role() -> None:
    variables = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": ARN}
    assert _plan(f"[profile r]\n{KEYS}", "r", **variables).source.kind == "StaticKeys"
    assert _plan(f"[default]\n{KEYS}", "default", **variables).source.kind == "StaticKeys"
    assert _plan(f"[default]\n{KEYS}", None, **variables).source.kind == "WebIdentity"
