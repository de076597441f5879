"""Refusals of the plan in their exact words: file, line, what is wrong, and what to do."""

import pytest

from credproc.config.parser import parse
from credproc.errors import ConfigError
from credproc.plan import Plan, plan_for
from credproc.request import Request

ARN = "arn:aws:iam::123456789012:role/admin"
KEYS = "aws_access_key_id = AKIA\naws_secret_access_key = s\n"
ROLE = f"[profile r]\nrole_arn = {ARN}\n"
USER = f"[profile user1]\n{KEYS}"
SESSION = "[sso-session s]\nsso_start_url = https://x\nsso_region = us-east-1\n"
CENTER = "[profile r]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = x\n"
CIRCLE = "let one of them name a profile that has credentials"
SPELLING = "check the spelling: credproc list shows the profiles"
ALIAS = "write credential_process = credproc --profile NAME, without a comment behind it"
CENTER_HINT = "run aws configure sso, or add what is missing"


def _plan(config: str, profile: str | None = "r", **environ: str) -> Plan:
    return plan_for(parse(config, ""), Request(profile, environ, 0.0, user="alice"))


def _link(name: str, source: str) -> str:
    return f"[profile {name}]\nrole_arn = {ARN}\nsource_profile = {source}\n"


def _alias(name: str, target: str) -> str:
    return f"[profile {name}]\ncredential_process = credproc --profile {target}\n"


REFUSED = {
    "both ways to a source": (
        f"{ROLE}source_profile = user1\ncredential_source = Environment\n{USER}",
        "config:2: [r] has both source_profile and credential_source",
        "keep one of them",
    ),
    "no way to a source": (
        ROLE,
        "config:2: role_arn without source_profile or credential_source",
        "add source_profile to [r]",
    ),
    "no way to a source beside keys of its own": (
        ROLE + KEYS,
        "config:2: role_arn without source_profile or credential_source",
        "add source_profile to [r] (source_profile = r if its own keys are meant)",
    ),
    "a misspelt source": (
        f"{ROLE}source_profile = usr1\n{USER}",
        "config:3: source_profile 'usr1' does not exist",
        "did you mean 'user1'?",
    ),
    "a source that looks like nothing": (
        f"{ROLE}source_profile = zzz\n{USER}",
        "config:3: source_profile 'zzz' does not exist",
        SPELLING,
    ),
    "a source further down the chain": (
        _link("r", "b") + _link("b", "usr1") + USER,
        "config:6: source_profile 'usr1' does not exist",
        "did you mean 'user1'?",
    ),
    "a source without credentials": (
        f"{ROLE}source_profile = empty\n[profile empty]\nregion = x\n",
        "config:4: profile 'empty' holds no credentials and says nowhere to get them",
        "add role_arn and source_profile, keys, sso_session, or credential_process",
    ),
    "a misspelt key of the selected profile": (
        f"{ROLE}source_profle = user1\n{USER}",
        "config:2: role_arn without source_profile or credential_source",
        "config:3: source_profle looks like source_profile; add source_profile to [r]",
    ),
    "two misspelt keys": (
        f"{ROLE}source_profile = usr1\nmfa_serail = 123456789\ncredproc_external_ids = x\n{USER}",
        "config:3: source_profile 'usr1' does not exist",
        (
            "config:4: mfa_serail looks like mfa_serial; config:5: credproc_external_ids looks like external_id;"
            " did you mean 'user1'?"
        ),
    ),
    "a misspelt key of a source": (
        f"{ROLE}source_profile = b\n[profile b]\naws_acces_key_id = AKIA\naws_secret_access_key = s\n",
        "config:6: aws_secret_access_key without aws_access_key_id",
        "config:5: aws_acces_key_id looks like aws_access_key_id; add aws_access_key_id to [b]",
    ),
    "half of the keys": (
        "[profile r]\naws_access_key_id = AKIA\n",
        "config:2: aws_access_key_id without aws_secret_access_key",
        "add aws_secret_access_key to [r]",
    ),
    "a circle of one": (
        _link("r", "r"),
        "config:3: the profiles form a circle: r -> r",
        CIRCLE,
    ),
    "a circle of three": (
        _link("r", "b") + _link("b", "c") + _link("c", "r"),
        "config:9: the profiles form a circle: r -> b -> c -> r",
        CIRCLE,
    ),
    "a circle that the profile is not in": (
        _link("r", "b") + _link("b", "c") + _link("c", "b"),
        "config:9: the profiles form a circle: b -> c -> b",
        CIRCLE,
    ),
    "an alias of itself": (
        _alias("r", "r"),
        "config:2: the profiles form a circle: r -> r",
        CIRCLE,
    ),
    "a circle of aliases": (
        _alias("r", "b") + _alias("b", "r"),
        "config:4: the profiles form a circle: r -> b -> r",
        CIRCLE,
    ),
    "a circle through an alias": (
        _link("r", "b") + _alias("b", "r"),
        "config:5: the profiles form a circle: r -> b -> r",
        CIRCLE,
    ),
    "an alias of nothing": (
        _alias("r", "usr1") + USER,
        "config:2: credential_process names profile 'usr1', which does not exist",
        "did you mean 'user1'?",
    ),
    "a mistake in a source that is an alias": (
        _link("r", "b") + "[profile b]\ncredential_process = credproc login\n",
        "config:5: credential_process starts credproc with arguments that name no profile",
        ALIAS,
    ),
    "an unknown credential_source": (
        f"{ROLE}credential_source = Lambda\n",
        "config:3: credential_source is none that is known: Lambda",
        "write Environment, Ec2InstanceMetadata or EcsContainer",
    ),
    "serials that differ two hops apart": (
        _link("r", "b") + "mfa_serial = 123456789\n" + _link("b", "user1") + f"{USER}mfa_serial = 123456780\n",
        "config:11: mfa_serial differs from the one in config:4",
        "both belong to the one user whose keys the chain starts with: keep the right one",
    ),
    "a serial with our prefix that differs": (
        (
            f"{ROLE}source_profile = user1\ncredproc_mfa_serial = 123456789\nmfa_serial = 1\n"
            f"{USER}mfa_serial = 123456780\n"
        ),
        "config:9: mfa_serial differs from the one in config:4",
        "both belong to the one user whose keys the chain starts with: keep the right one",
    ),
    "a region of the session that differs": (
        f"{CENTER}sso_region = eu-west-1\n{SESSION}",
        "config:5: sso_region differs from the one in [sso-session s]",
        "remove sso_region from [r]",
    ),
    "a start URL of the session that differs": (
        f"{CENTER}sso_start_url = https://y\n{SESSION}",
        "config:5: sso_start_url differs from the one in [sso-session s]",
        "remove sso_start_url from [r]",
    ),
    "an sso-session that is not there": (
        CENTER,
        "config:2: there is no section [sso-session s]",
        "check the name, or run aws configure sso",
    ),
    "an sso-session without a region": (
        f"{CENTER}[sso-session s]\nsso_start_url = https://x\n",
        "config:3: profile 'r' is one of IAM Identity Center and lacks sso_region",
        CENTER_HINT,
    ),
    "an Identity Center profile without a role": (
        CENTER.replace("sso_role_name = x\n", "") + SESSION,
        "config:3: profile 'r' is one of IAM Identity Center and lacks sso_role_name",
        CENTER_HINT,
    ),
    "an Identity Center profile without anything else": (
        "[profile r]\nsso_role_name = x\n",
        "config:2: profile 'r' is one of IAM Identity Center and lacks sso_account_id, sso_start_url, sso_region",
        CENTER_HINT,
    ),
    "a token file without a role": (
        "[profile r]\nweb_identity_token_file = /t\n",
        "config:2: web_identity_token_file without role_arn",
        "add role_arn to [r]",
    ),
    "a token file with a misprinted role": (
        "[profile r]\nweb_identity_token_file = /t\nrole_arn = arn:aws-cn:iam:1:role/x\n",
        "config:3: role_arn is no ARN: arn:aws-cn:iam:1:role/x",
        "a colon is missing: write arn:aws-cn:iam::1:role/x",
    ),
    "a session of too few seconds": (
        f"[profile r]\ncredproc_mfa_session_duration_seconds = 899\n{KEYS}",
        "config:2: credproc_mfa_session_duration_seconds is no whole number from 900 to 129600: 899",
        "give the seconds as digits only",
    ),
    "a session of too many seconds": (
        f"[profile r]\ncredproc_mfa_session_duration_seconds = 129601\n{KEYS}",
        "config:2: credproc_mfa_session_duration_seconds is no whole number from 900 to 129600: 129601",
        "give the seconds as digits only",
    ),
}


@pytest.mark.parametrize(("config", "error", "hint"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_followed_is_named_with_its_line_and_advice(config: str, error: str, hint: str) -> None:
    with pytest.raises(ConfigError) as failure:
        _plan(config)
    assert (str(failure.value), failure.value.hint) == (error, hint)


@pytest.mark.parametrize(
    ("config", "profile", "hint"),
    [
        (USER, "user2", "did you mean 'user1'?"),
        (USER, "USER1", "did you mean 'user1'?"),
        (USER, "zzz", SPELLING),
        ("", "x", "no profiles are defined there; AWS_CONFIG_FILE names another file"),
    ],
)
def test_a_profile_that_is_not_there_is_named_with_the_nearest(config: str, profile: str, hint: str) -> None:
    with pytest.raises(ConfigError) as failure:
        _plan(config, profile)
    assert str(failure.value) == f"config and credentials: no profile named '{profile}'"
    assert failure.value.hint == hint


@pytest.mark.parametrize(
    ("environ", "error", "hint"),
    [
        ({}, "AWS_WEB_IDENTITY_TOKEN_FILE: is set without AWS_ROLE_ARN", "set AWS_ROLE_ARN"),
        (
            {"AWS_ROLE_ARN": "arn:aws:iam:123456789012:role/admin"},
            "AWS_ROLE_ARN: role_arn is no ARN: arn:aws:iam:123456789012:role/admin",
            f"a colon is missing: write {ARN}",
        ),
        (
            {"AWS_ROLE_ARN": ARN, "AWS_ROLE_SESSION_NAME": "x"},
            "AWS_ROLE_SESSION_NAME: role_session_name is not 2 to 64 letters, digits or characters of _+=,.@-",
            "shorten it, or replace the characters that AWS does not take",
        ),
    ],
)
def test_a_variable_of_web_identity_is_named_like_a_line(environ: dict[str, str], error: str, hint: str) -> None:
    with pytest.raises(ConfigError) as failure:
        _plan("", None, AWS_WEB_IDENTITY_TOKEN_FILE="/t", **environ)
    assert (str(failure.value), failure.value.hint) == (error, hint)


@pytest.mark.parametrize("arguments", ["", "--profile", "--profile r mine", "login --profile r", "-p r", "r"])
def test_credproc_with_arguments_that_name_no_profile_is_explained(arguments: str) -> None:
    with pytest.raises(ConfigError) as failure:
        _plan(f"[profile people]\ncredential_process = credproc {arguments}\n[profile r]\n{KEYS}", "people")
    assert failure.value.hint == ALIAS


@pytest.mark.parametrize("arguments", ["--profile user1", "--profile=user1", "--profile 'user1'"])
def test_an_alias_may_be_a_source_too(arguments: str) -> None:
    config = f"{ROLE}source_profile = b\n[profile b]\ncredential_process = credproc {arguments}\n{USER}"
    plan = _plan(config)
    assert (plan.source.kind, plan.source.profile, len(plan.roles)) == ("StaticKeys", "user1", 1)


@pytest.mark.parametrize(
    "program", ["credprocx --profile r", "/bin/my-credproc --profile r", "sh -c credproc", "'credproc"]
)
def test_another_program_is_no_alias(program: str) -> None:
    plan = _plan(f"[profile people]\ncredential_process = {program}\n{ROLE}", "people")
    assert (plan.source.kind, plan.source.named("command")) == ("Process", program)


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
