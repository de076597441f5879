"""Settings → plan: each rule, the line and the setting that its error names, and what an equal plan is."""

import os
from pathlib import Path

import pytest

from credproc.config.grammar import split_command
from credproc.config.parser import parse, read
from credproc.errors import ConfigError, for_shell
from credproc.paths import VARIABLES
from credproc.plan import Plan, plan_for
from credproc.plan.resolver import alias_target
from credproc.request import Request
from tests.posix import WINDOWS, native
from tests.wording import assert_names

ARN = "arn:aws:iam::123456789012:role/admin"
SERIAL = "arn:aws:iam::123456789012:mfa/user1"
KEYS = "aws_access_key_id = AKIA\naws_secret_access_key = s\n"
ROLE = f"[profile r]\nrole_arn = {ARN}\n"
USER = f"[profile user1]\n{KEYS}"


def _plan(config: str, profile: str | None = "r", credentials: str = "", **environ: str) -> Plan:
    return plan_for(parse(config, credentials), Request(profile, environ, 0.0, user="alice"))


def _error(config: str, profile: str | None = "r", **environ: str) -> tuple[str, str | None]:
    with pytest.raises(ConfigError) as failure:
        _plan(config, profile, **environ)
    return str(failure.value), failure.value.hint


def test_a_setting_with_our_prefix_comes_before_the_one_without() -> None:
    plan = _plan(f"{ROLE}credproc_role_arn = {ARN}2\ncredproc_source_profile = user1\nsource_profile = no\n{USER}")
    assert plan.roles[0].role_arn == f"{ARN}2"
    assert plan.source.profile == "user1"


def test_one_profile_may_hold_both_its_settings_and_its_line() -> None:
    settings = f"[profile r]\ncredproc_role_arn = {ARN}\ncredproc_source_profile = user1\n"
    assert _plan(f"{settings}credential_process = credproc --profile r\n{USER}").roles[0].role_arn == ARN


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("arn:aws:iam:123456789012:role/admin", ARN),
        ("arn:aws:iam::", "arn:aws:iam::123456789012:role/NAME"),
        ("admin", "arn:aws:iam::123456789012:role/NAME"),
    ],
)
def test_a_role_arn_that_is_none_is_named_with_what_it_should_be(value: str, hint: str) -> None:
    config = f"[profile r]\nrole_arn = {value}\nsource_profile = user1\n{USER}"
    error, advice = _error(config)
    assert_names(error, "config:2", "role_arn", repr(value))
    assert_names(advice, "", hint)


@pytest.mark.parametrize("value", ["900", "3600", "43200"])
def test_a_duration_within_its_limits_is_passed_on(value: str) -> None:
    plan = _plan(f"{ROLE}source_profile = user1\nduration_seconds = {value}\n{USER}")
    assert plan.roles[0].parameters()["DurationSeconds"] == int(value)


@pytest.mark.parametrize("value", ["899", "43201", "1h", "-1", "", "900.0", "٩٠٠"])
def test_a_duration_outside_is_an_error_before_any_call(value: str) -> None:
    error, _ = _error(f"{ROLE}source_profile = user1\nduration_seconds = {value}\n{USER}")
    assert_names(error, "config:4", "duration_seconds", "900", "43200", ascii(value))


@pytest.mark.parametrize("value", ["ab", "a" * 64, "a_b+c=d,e.f@g-h"])
def test_a_session_name_within_its_limits_is_passed_on(value: str) -> None:
    plan = _plan(f"{ROLE}source_profile = user1\nrole_session_name = {value}\n{USER}")
    assert plan.roles[0].role_session_name == value


@pytest.mark.parametrize("value", ["a", "a" * 65, "a b", "é" * 4, "a/b"])
def test_a_session_name_outside_is_an_error_before_any_call(value: str) -> None:
    error, _ = _error(f"{ROLE}source_profile = user1\nrole_session_name = {value}\n{USER}")
    assert_names(error, "config:4", "role_session_name", "2 to 64")


@pytest.mark.parametrize(
    ("user", "name"),
    [("alice", "credproc-alice"), ("é x", "credproc-x"), ("", "credproc"), ("u" * 80, "credproc-" + "u" * 55)],
)
def test_without_a_session_name_cloudtrail_shows_the_user(user: str, name: str) -> None:
    config = parse(f"{ROLE}source_profile = user1\n{USER}", "")
    assert plan_for(config, Request("r", {}, 0.0, user=user)).roles[0].role_session_name == name


def test_a_security_key_cannot_be_an_mfa_device() -> None:
    error, hint = _error(f"{ROLE}source_profile = user1\nmfa_serial = arn:aws:iam::1:u2f/user/alice\n{USER}")
    assert_names(error, "config:4", "mfa_serial", "security key")
    assert_names(hint, "", "TOTP")


@pytest.mark.parametrize("value", ["12345678", "x" * 257, "a b c d e f"])
def test_a_serial_of_another_length_is_an_error(value: str) -> None:
    error, _ = _error(f"{ROLE}source_profile = user1\nmfa_serial = {value}\n{USER}")
    assert_names(error, "config:4", "mfa_serial", "9 to 256")


@pytest.mark.parametrize("place", ["role", "source", "both"])
def test_the_serial_may_stand_on_the_role_or_on_its_source(place: str) -> None:
    serial = f"mfa_serial = {SERIAL}\n"
    config = f"{ROLE}source_profile = user1\n{serial * (place != 'source')}{USER}{serial * (place != 'role')}"
    mfa = _plan(config).mfa
    assert mfa is not None
    assert (mfa.serial, mfa.on_role) == (SERIAL, place != "source")


@pytest.mark.parametrize("value", ["none", ""])
def test_a_role_profile_may_decline_the_device_of_its_source(value: str) -> None:
    source = f"{USER}mfa_serial = {SERIAL}\n"
    assert _plan(f"{ROLE}source_profile = user1\ncredproc_mfa_serial = {value}\n{source}").mfa is None
    outer = f"[profile outer]\nrole_arn = {ARN}2\nsource_profile = r\ncredproc_mfa_serial = {value}\n"
    assert _plan(f"{outer}{ROLE}source_profile = user1\n{source}", "outer").mfa is None
    asking = _plan(f"{outer}{ROLE}source_profile = user1\nmfa_serial = {SERIAL}\n{source}", "outer").mfa
    assert asking is not None, "another role of the chain names the device itself"


@pytest.mark.parametrize("value", ["none", ""])
def test_without_our_prefix_the_hint_says_how_a_device_is_declined(value: str) -> None:
    error, hint = _error(f"{ROLE}source_profile = user1\nmfa_serial = {value}\n{USER}")
    assert_names(error, "config:4", "mfa_serial")
    assert_names(hint, "", "credproc_mfa_serial = none")


@pytest.mark.parametrize(
    ("arn", "what", "meant"),
    [
        ("arn:aws:iam::123456789012:user/alice", "user", "role/NAME"),
        ("arn:aws:iam::123456789012:instance-profile/web", "instance-profile", "role/NAME"),
        ("arn:aws:iam::123456789012:policy/p", "policy", "role/NAME"),
        ("arn:aws:iam::123456789012:root", "root", "role/NAME"),
        ("arn:aws-cn:iam::123456789012:group/g", "group", "arn:aws-cn:iam::"),
        ("arn:aws:sts::123456789012:assumed-role/admin/alice", "session", "arn:aws:iam::123456789012:role/admin"),
        ("arn:aws:sts::123456789012:federated-user/alice", "federated-user", "role/NAME"),
        ("arn:aws:s3:::bucket", "s3", "role/NAME"),
        ("arn:aws:iam::${ACCOUNT}:role/admin", "${ACCOUNT}", "account"),
        ("arn:aws:iam::$ACCOUNT:role/admin", "$ACCOUNT", "account"),
    ],
)
def test_an_arn_that_is_no_roles_is_an_error_that_says_what_it_is(arn: str, what: str, meant: str) -> None:
    error, hint = _error(f"[profile r]\nrole_arn = {arn}\nsource_profile = user1\n{USER}")
    assert_names(error, "config:2", what)
    assert_names(hint, "", meant)


def test_a_role_of_another_service_than_aws_is_left_to_that() -> None:
    assert _plan(f"[profile r]\nrole_arn = arn:minio:iam:::xyz\nsource_profile = user1\n{USER}").roles


def test_two_serials_in_one_chain_are_an_error() -> None:
    error, _ = _error(f"{ROLE}source_profile = user1\nmfa_serial = {SERIAL}\n{USER}mfa_serial = {SERIAL}2\n")
    assert_names(error, "config:8", "mfa_serial", "config:4")


def test_a_chain_may_be_of_any_length() -> None:
    links = "".join(f"[profile c{n}]\nrole_arn = {ARN}{n}\nsource_profile = c{n + 1}\n" for n in range(20))
    plan = _plan(f"{links}[profile c20]\n{KEYS}", "c0")
    assert [role.role_arn for role in plan.roles] == [f"{ARN}{n}" for n in range(19, -1, -1)]


def test_a_profile_may_be_its_own_source_with_keys_and_not_without() -> None:
    assert _plan(f"{ROLE}source_profile = r\n{KEYS}").source.kind == "StaticKeys"
    assert _error(f"{ROLE}source_profile = r\n")[0].endswith("cycle: r -> r")


@pytest.mark.parametrize("name", ["environment", "ENVIRONMENT", "Enviroment", "ENVIROMENT"])
def test_credential_source_is_compared_as_written(name: str) -> None:
    error, hint = _error(f"{ROLE}credential_source = {name}\n")
    assert_names(error, "config:3", "credential_source", "Ec2InstanceMetadata", repr(name))
    assert_names(hint, "", "Environment")


@pytest.mark.parametrize(
    ("name", "posix", "windows"),
    [("r.1", "r.1", "r.1"), ("my user", "'my user'", '"my user"'), ("r&d", "'r&d'", '"r&d"'), ("", "''", '""')],
)
def test_a_name_is_one_argument_of_a_command_to_copy(name: str, posix: str, windows: str) -> None:
    assert (for_shell(name, "linux"), for_shell(name, "win32")) == (posix, windows)
    assert (split_command(posix, "linux"), split_command(windows, "win32")) == ([name], [name])


def test_keys_in_the_credentials_file_come_before_a_program_and_those_in_config_after() -> None:
    program = "[profile p]\ncredential_process = /bin/other\n"
    assert _plan(program, "p", f"[p]\n{KEYS}").source.kind == "StaticKeys"
    assert _plan(program + KEYS, "p").source.kind == "Process"


def test_the_credentials_file_overrides_key_by_key_and_keeps_its_line() -> None:
    config = parse(f"{ROLE}source_profile = user1\nregion = us-east-1\n", f"[r]\nregion = eu-west-1\n[user1]\n{KEYS}")
    plan = plan_for(config, Request("r", {}, 0.0))
    assert plan.endpoint.region == "eu-west-1"
    assert config.profiles["r"]["region"].where == "credentials:2"
    assert config.profiles["r"]["role_arn"].where == "config:2"


@pytest.mark.parametrize("word", ["credproc", "/opt/x/credproc", "C:/x/credproc.exe"])
def test_a_line_that_starts_credproc_is_an_alias(word: str) -> None:
    plan = _plan(
        f"[profile people]\ncredential_process = {word} --profile r\n{ROLE}source_profile = user1\n{USER}", "people"
    )
    assert (plan.profile, plan.roles[0].role_arn) == ("r", ARN)


@pytest.mark.parametrize(
    "command",
    [
        "C:\\Users\\me\\credproc.exe --profile r",
        "c:\\x\\CredProc --profile=r",
        '"C:\\Program Files\\credproc.exe" --profile r',
        '"C:\\Program Files\\credproc.exe" "--profile" "r"',
    ],
)
def test_a_line_that_starts_credproc_on_windows_is_an_alias(command: str) -> None:
    assert alias_target(command, None, "win32") == "r"


@pytest.mark.parametrize(
    "command", ["C:\\x\\other.exe --profile r", '"C:\\x\\credproc.exe --profile r', "'credproc' --profile r"]
)
def test_a_line_that_windows_splits_otherwise_is_none(command: str) -> None:
    assert alias_target(command, None, "win32") is None


@pytest.mark.posix("links, which Windows makes for administrators alone")
def test_the_same_file_under_another_name_is_an_alias_too(tmp_path: Path) -> None:
    (tmp_path / "credproc-1.0").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "credproc-1.0")
    text = f"[profile people]\ncredential_process = {tmp_path}/link --profile r\n{ROLE}source_profile = user1\n{USER}"
    plan = plan_for(parse(text, ""), Request("people", {}, 0.0, user="alice", program=str(tmp_path / "credproc-1.0")))
    assert plan.profile == "r"


def test_an_alias_with_a_comment_behind_it_is_explained() -> None:
    error, hint = _error("[profile people]\ncredential_process = credproc --profile r extra\n", "people")
    assert_names(error, "config:2", "credential_process")
    assert_names(hint, "", "credential_process = credproc --profile NAME", "comment")


def test_the_order_without_any_profile() -> None:
    assert _plan("", None).source.kind == "Ec2InstanceMetadata"
    assert _plan("[default]\nregion = us-east-1\n", None).endpoint.region == "us-east-1"
    container = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"}
    assert _plan("", None, **container).source.kind == "EcsContainer"
    variables = container | {"AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": ARN}
    assert _plan("", None, **variables).source.kind == "WebIdentity"
    assert _plan(f"[default]\n{KEYS}", None).source.kind == "StaticKeys"


def test_a_web_identity_profile_has_no_mfa() -> None:
    plan = _plan(
        f"{ROLE}web_identity_token_file = /t\nmfa_serial = {SERIAL}\nexternal_id = x\nduration_seconds = bad\n"
    )
    assert plan.mfa is None
    assert plan.source.role is not None
    assert set(plan.source.role.parameters()) == {"RoleArn", "RoleSessionName"}


def test_a_control_character_in_a_value_that_counts_is_an_error_and_elsewhere_is_not() -> None:
    error = _error(f"{ROLE}source_profile = us\x1ber1\n{USER}")[0]
    assert error.startswith("config:3: source_profile ")
    assert "control character" in error
    assert _plan(f"{ROLE}source_profile = user1\n{USER}[profile other]\nregion = \x1b\n").roles


POLICY = '{"Version": "2012-10-17"}'


def test_what_the_aws_cli_lacks_is_passed_on() -> None:
    plan = _plan(
        f"{ROLE}source_profile = user1\ncredproc_policy = {POLICY}\ncredproc_policy_arns = arn:a, arn:b\n"
        f"credproc_session_tags = team=red, a=b=c\ncredproc_transitive_tag_keys = team\n"
        f"credproc_source_identity = alice\n{USER}"
    )
    parameters = plan.roles[0].parameters()
    assert parameters["Policy"] == POLICY
    assert parameters["PolicyArns"] == [{"arn": "arn:a"}, {"arn": "arn:b"}]
    assert parameters["Tags"] == [{"Key": "team", "Value": "red"}, {"Key": "a", "Value": "b=c"}]
    assert parameters["TransitiveTagKeys"] == ["team"]
    assert parameters["SourceIdentity"] == "alice"


def test_a_policy_that_is_no_json_and_a_tag_without_a_value_are_errors() -> None:
    base = f"{ROLE}source_profile = user1\n"
    assert_names(_error(f"{base}credproc_policy = {{\n{USER}")[0], "config:4", "credproc_policy", "JSON")
    assert_names(_error(f"{base}credproc_session_tags = team\n{USER}")[0], "config:4", "credproc_session_tags", "'='")


# --- the endpoint ---------------------------------------------------------------------------------------------------

BASE = f"{ROLE}source_profile = user1\n"


def test_the_region_comes_from_the_selected_profile_after_the_variables() -> None:
    config = f"{BASE}region = us-west-2\n{USER}region = eu-west-1\n"
    assert _plan(config).endpoint.region == "us-west-2"
    assert _plan(config, AWS_DEFAULT_REGION="ap-south-1").endpoint.region == "ap-south-1"
    assert _plan(config, AWS_DEFAULT_REGION="ap-south-1", AWS_REGION="sa-east-1").endpoint.region == "sa-east-1"


@pytest.mark.parametrize(
    ("partition", "region", "issuer"),
    [
        ("aws", "aws-global", "global"),
        ("aws-cn", "cn-northwest-1", "aws-cn"),
        ("aws-us-gov", "us-gov-west-1", "aws-us-gov"),
        ("aws-iso-b", "us-isob-east-1", "aws-iso-b"),
    ],
)
def test_without_a_region_the_roles_partition_decides(partition: str, region: str, issuer: str) -> None:
    endpoint = _plan(BASE.replace("arn:aws:", f"arn:{partition}:") + USER).endpoint
    assert (endpoint.region, endpoint.issuer) == (region, issuer)


def test_two_regions_have_one_issuer_and_a_configured_endpoint_is_its_own() -> None:
    assert _plan(f"{BASE}region = us-west-2\n{USER}").endpoint.issuer == "aws"
    assert _plan(f"{BASE}region = af-south-1\n{USER}").endpoint.issuer == "aws"
    legacy = f"{BASE}region = us-west-2\nsts_regional_endpoints = legacy\n{USER}"
    assert _plan(legacy).endpoint.issuer == "global"
    assert _plan(legacy, AWS_ENDPOINT_URL_STS="https://sts.example").endpoint.issuer == "https://sts.example"


def test_a_configured_endpoint_is_found_in_botocores_order() -> None:
    services = "[services local]\nsts =\n  endpoint_url = https://service\n"
    config = f"{BASE}endpoint_url = https://profile\nservices = local\n{USER}{services}"
    variables = {"AWS_ENDPOINT_URL": "https://all"}
    assert _plan(config, AWS_ENDPOINT_URL_STS="https://sts", **variables).endpoint.url == "https://sts"
    assert _plan(config, **variables).endpoint.url == "https://all"
    assert _plan(config).endpoint.url == "https://service"
    assert _plan(config.replace("services = local\n", "")).endpoint.url == "https://profile"
    assert _plan(config, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true", **variables).endpoint.url is None
    assert _error(config.replace("= local", "= lcal"))[0].startswith("config:5: ")


@pytest.mark.parametrize("url", ["http://127.0.0.1:4566", "http://localhost", "http://[::1]:1", "https://sts.example/"])
def test_plain_http_goes_to_this_machine(url: str) -> None:
    assert _plan(BASE + USER, AWS_ENDPOINT_URL_STS=url).endpoint.url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "https://user@sts.example",
        "https://sts.example?path",
        "https://sts.example?x=1",
        " https://sts.example",
        "https://sts.example\r\nX: y",
        "https://st\u0455.example",
        "ftp://sts.example",
        "sts.example",
        "https://",
        "https://sts.example:99999",
    ],
)
def test_an_endpoint_that_must_not_be_trusted_is_refused(url: str) -> None:
    error, hint = _error(BASE + USER, AWS_ENDPOINT_URL_STS=url)
    assert_names(error, "AWS_ENDPOINT_URL_STS", "STS endpoint")
    assert hint is not None


def test_fips_and_a_configured_endpoint_exclude_each_other() -> None:
    error, _ = _error(f"{BASE}use_fips_endpoint = true\n{USER}", AWS_ENDPOINT_URL_STS="https://sts.example")
    assert_names(error, "AWS_ENDPOINT_URL_STS", "FIPS")


def test_a_mode_that_is_none_is_an_error() -> None:
    error, _ = _error(f"{BASE}sts_regional_endpoints = global\n{USER}")
    assert_names(error, "config:4", "sts_regional_endpoints", "regional", "legacy", "'global'")


# --- files that are none --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfe[\0d\0]\0", "~/config:1: is UTF-16"),
        (b"[default]\nregion = \0\n", "~/config:2: contains a NUL byte"),
        (b"[default]\n\nregion = \xff\n", "~/config:3: is not UTF-8"),
        (b"#" * (8 * 1024 * 1024 + 1), "~/config: is larger than 8 MiB"),
    ],
    ids=["UTF-16", "NUL", "Latin", "large"],
)
def test_a_file_that_is_no_text_is_named_with_its_line(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "config").write_bytes(data)
    with pytest.raises(ConfigError) as failure:
        read({"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(tmp_path / "config")})
    assert str(failure.value) == native(said)


def test_a_byte_order_mark_and_any_line_end_are_no_part_of_a_value(tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(b"\xef\xbb\xbf[default]\r\nregion = a\routput = b\n")
    found = read({"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(tmp_path / "config")})
    assert {key: setting.value for key, setting in found.profiles["default"].items()} == {"region": "a", "output": "b"}
    assert found.profiles["default"]["output"].where == native("~/config:3")


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("profile", ["x", "r", "user"])
def test_a_file_that_a_variable_names_and_that_is_not_there_is_called_missing(
    tmp_path: Path, variable: str, profile: str
) -> None:
    (tmp_path / ".aws").mkdir()
    for name, header in (("config", "profile user"), ("credentials", "user")):
        (tmp_path / ".aws" / name).write_text(f"[{header}]\nregion = us-east-1\n")
    environ = {"HOME": str(tmp_path), variable: "~/none"}
    for there, hint in ((False, native(f"{variable} names ~/none, which does not exist")), (True, None)):
        if there:
            (tmp_path / "none").touch()
        with pytest.raises(ConfigError) as failure:
            plan_for(read(environ), Request(profile, environ, 0.0))
        assert hint is None or failure.value.hint == hint
        assert there is ("not exist" not in str(failure.value.hint))
    assert read(environ | {variable: os.devnull}).missing is None
    assert read({"HOME": str(tmp_path / "empty")}).missing is None


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_blank_at_the_end_of_a_region_can_be_seen(variable: str) -> None:
    error, _ = _error(f"{ROLE}source_profile = user1\n{USER}", **{variable: "us-east-1 "})
    assert_names(error, f"{variable}: ", "'us-east-1 '")


@pytest.mark.parametrize(
    "kind", ["fifo", "directory", "null", pytest.param("zero", marks=pytest.mark.posix("/dev/zero")), "missing"]
)
def test_what_is_no_file_is_not_read(tmp_path: Path, kind: str) -> None:
    paths = {"null": os.devnull, "zero": "/dev/zero", "directory": str(tmp_path), "missing": str(tmp_path / "x")}
    if kind == "fifo":
        os.mkfifo(tmp_path / "fifo")
    environ = {"HOME": str(tmp_path), "AWS_CONFIG_FILE": paths.get(kind, str(tmp_path / "fifo"))}
    if kind in ("null", "missing"):
        assert not read(environ).profiles
        return
    with pytest.raises(ConfigError, match="permission denied" if WINDOWS else "regular file"):  # of a directory
        read(environ)


def test_names_with_spaces_stand_in_quotes_and_duplicate_sections_merge() -> None:
    found = parse("[profile \"a b\"]\nregion = x\n[profile 'a b']\noutput = y\n[profile c d]\nregion = z\n", "")
    assert {name: sorted(section) for name, section in found.profiles.items()} == {"a b": ["output", "region"]}
    assert [remark.partition(": ")[0] for remark in found.remarks] == ["config:5"]


@pytest.mark.parametrize(("there", "asked_for"), [("\u00e9", "e\u0301"), ("e\u0301", "\u00e9")])
def test_a_name_that_only_looks_the_same_is_another_one_and_the_nearest(there: str, asked_for: str) -> None:
    error, hint = _error(f'[profile "{there}"]\nregion = x\n', asked_for)
    assert_names(error, "config and credentials", ascii(asked_for))
    assert_names(hint, "", ascii(there))


def test_a_credentials_file_that_cannot_be_read_is_named_where_something_is_missing() -> None:
    read_error = "credentials: cannot be read: permission denied"
    config = parse("[profile r]\nregion = x\n", "")._replace(read_error=read_error)
    with pytest.raises(ConfigError) as failure:
        plan_for(config, Request("r", {}, 0.0, user="alice"))
    assert_names(str(failure.value), "config", "'r'", "no credentials")
    assert failure.value.hint is not None
    assert failure.value.hint.startswith(f"{read_error}; add role_arn")
