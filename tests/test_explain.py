"""credproc list and explain: what they say, and what they never touch."""

import calendar
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import EndpointVariantError
from botocore.session import Session

from credproc.commands.explain import UsedSetting, _RecordingVariables, as_lines, explain
from credproc.commands.list_ import is_coloured
from credproc.commands.plan_text import setting_shown
from credproc.commands.profile_table import Row, table
from credproc.commands.ui.output import Output
from credproc.config.parser import parse
from credproc.errors import ConfigError
from credproc.glyphs import ellipsis
from credproc.plan.endpoint import LEGACY_REGIONS, PARTITION_REGIONS, Endpoint
from credproc.request import Request
from tests.mfa import World, world
from tests.posix import WINDOWS, native_home
from tests.program import Home, role_home
from tests.sts import Sts
from tests.terminal import column_after

CONFIG = """\
[profile user1]
mfa_serial = arn:aws:iam::123456789012:mfa/user1
[profile admin]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = user1
region = us-west-2
[profile chain]
role_arn = arn:aws:iam::210987654321:role/path/chain
credproc_source_profile = admin
external_id = xyz
duration_seconds = 7200
[profile people]
credential_process = /usr/bin/credproc --profile admin
[profile broken]
role_arn = arn:aws:iam::123456789012:role/broken
[profile ec2]
role_arn = arn:aws:iam::123456789012:role/ec2
credential_source = Ec2InstanceMetadata
[profile long]
role_arn = arn:aws:iam::123456789012:role/long
source_profile = user1
duration_seconds = 7200
[profile program]
credential_process = /opt/other --password hunter2
[profile plain]
aws_access_key_id = AKIAPLAIN
aws_secret_access_key = hunter2
"""
KEYS = "[user1]\naws_access_key_id = AKIAUSER\naws_secret_access_key = hunter2\n"
TABLE = """\
PROFILE  ROLE        ACCOUNT       SOURCE               MFA    CREDPROC   STATE
user1    -           -             keys                 user1  -          needs a code
admin    admin       123456789012  user1                user1  as people  needs a code
chain    path/chain  210987654321  user1                user1  -          needs a code
people   admin       123456789012  user1                user1  yes        needs a code
broken   -           -             -                    -      -          ~/.aws/config:15: role_arn without source_profile or credential_source
ec2      ec2         123456789012  Ec2InstanceMetadata  -      -          ready
long     long        123456789012  user1                user1  -          needs a code
program  -           -             program              -      -          ready
plain    -           -             keys                 -      -          ready
"""  # noqa: E501 - a line of the table


@pytest.fixture(name="listed")
def _listed(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.config(CONFIG)
    home.credentials(KEYS)
    return home


def _explained(profile: str | None, config: str = CONFIG, keys: str = KEYS, **environ: str) -> str:
    request = Request(profile, {"HOME": "/nowhere", **environ}, 0.0, clock=lambda: 0.0)
    lines = as_lines(explain(parse(config, keys), request, tries_store=False), 0.0)
    return re.sub(r"as credproc-[\w-]+", "as credproc-you", "".join(f"{line}\n" for line in lines))


def test_list_shows_every_profile_aligned_and_one_without_a_plan_does_not_hide_the_others(listed: Home) -> None:
    ran = listed.run("list")
    assert (ran.status, ran.stderr) == (0, "")
    assert ran.stdout == native_home(TABLE)
    assert not listed.cache.exists()


def test_list_names_are_for_completion(listed: Home) -> None:
    expected = "user1 admin chain people broken ec2 long program plain"
    assert listed.run("list", "--names").stdout.split("\n") == [*expected.split(), ""]


def test_list_as_json_says_what_the_table_says(listed: Home) -> None:
    found = {row["profile"]: row for row in json.loads(listed.run("list", "--json").stdout)}
    assert found["people"] == {
        "profile": "people",
        "role_arn": "arn:aws:iam::123456789012:role/admin",
        "account_id": "123456789012",
        "source": "StaticKeys",
        "source_profile": "user1",
        "mfa_serial": "arn:aws:iam::123456789012:mfa/user1",
        "through_credproc": "people",
        "state": "needs a code",
        "until": None,
        "error": None,
        "permission_set": None,
    }
    assert found["broken"]["state"] == "error"
    assert found["broken"]["error"] == native_home(
        "~/.aws/config:15: role_arn without source_profile or credential_source"
    )


def test_list_of_nothing_says_so(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert home.run("list").stdout.startswith("no profiles in ")
    assert home.run("list", "--names").stdout == ""
    assert home.run("list", "--json").stdout == "[]\n"


def test_list_shows_what_is_signed_in_and_cached(tmp_path: Path) -> None:
    with world(tmp_path / "home", ("admin", "other")) as w:
        w.answered("admin")
        found = {row["profile"]: row for row in json.loads(w.home.run("list", "--json").stdout)}
        assert [found[name]["state"] for name in ("admin", "other")] == ["cached", "signed in"]
        assert 3500 < _epoch(found["admin"]["until"]) - time.time() <= 3600
        assert 43000 < _epoch(found["other"]["until"]) - time.time() <= 43200
        said = w.home.run("list").stdout
        assert re.search(r"^admin .* cached for 59 min$", said, re.MULTILINE)
        assert re.search(r"^other .* signed in for 11 h$", said, re.MULTILINE)
        about = json.loads(w.home.run("explain", "admin", "--json").stdout)
        assert about["cached"]["expiration"] == found["admin"]["until"]
        assert about["signed_in_until"] == found["other"]["until"]
        explained_ = w.home.run("explain", "admin").stdout
        assert "\ncached: credentials until " in explained_
        assert "\nsigned in: until " in explained_
        assert "\nasks for: nothing while signed in" in explained_


def _epoch(moment: str) -> int:
    return calendar.timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%SZ"))


def _on_terminal(w: World, **environ: str) -> str:
    job = w.start("list", stdout="terminal", environ={"TERM": "xterm", **environ})
    assert job.wait() == 0
    w.terminal.drain()
    return w.terminal.transcript.decode()


def test_list_is_coloured_on_a_terminal_and_nowhere_else(tmp_path: Path) -> None:
    with world(tmp_path / "home") as w:
        assert "\x1b" not in w.home.run("list", environ={"TERM": "xterm"}).stdout
        assert "\x1b" not in _on_terminal(w, NO_COLOR="1")
        assert "\x1b" not in _on_terminal(w, TERM="dumb")
        assert "\x1b[1mneeds a code\x1b[0m" in _on_terminal(w)


def test_an_empty_no_color_colours() -> None:
    assert not is_coloured({"NO_COLOR": "1"}, 0)


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("oathtool --totp SEED", "oathtool ..."),
        ("oathtool\tSEED", "oathtool ..."),
        ("oathtool \t SEED", "oathtool ..."),
        ('"/my tools/totp"\t-bSEED', "/my tools/totp ..."),
        ('"oathtool SEED', '"oathtool ...'),
        ("credproc\tSEED", "credproc ..."),
        ("credproc --profile x SEED", "credproc ..."),
        ("oathtool", "oathtool"),
        ("credproc --profile other", "credproc --profile other"),
        ("/usr/bin/credproc --profile other", "/usr/bin/credproc --profile other"),
    ],
)
@pytest.mark.parametrize("key", ["credential_process", "mfa_process"])
def test_a_command_is_shown_without_its_arguments(key: str, command: str, shown: str) -> None:
    assert setting_shown(key, command) == shown


def test_a_variable_with_a_token_is_not_shown() -> None:
    found: dict[tuple[str, str], UsedSetting] = {}
    environ = {"AWS_SESSION_TOKEN": "hunter2", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "hunter2", "AWS_REGION": "x"}
    read = _RecordingVariables(environ, found)
    assert [read[name] for name in environ] == ["hunter2", "hunter2", "x"]
    assert [setting.value for setting in found.values()] == ["(not shown)", "(not shown)", "x"]


def test_a_name_from_the_file_is_shown_inert() -> None:
    row = Row("a\x1b[31mb", None, None, None, None, None, None, "ready", None, None)
    assert "\x1b" not in _table([row])


def _table(rows: list[Row], now: float = 0, columns: int | None = None) -> str:
    return Output(table(rows, now, colour=False, columns=columns)).data.decode()


LONG = "n" * 60
HOUR = 3600
ERROR = " ".join(["unlike"] * 45)
STATES = [
    Row("b", None, None, None, None, None, None, "signed in", 36 * HOUR, None),
    Row(
        LONG,
        f"arn:aws:iam::1:role/{LONG}",
        "123456789012",
        "Process",
        LONG,
        LONG,
        LONG,
        "signed in",
        12 * HOUR,
        None,
    ),
    Row("表" * 40, None, None, "Ec2InstanceMetadata", None, None, None, "cached", 59, None),
    Row("c", "arn:aws:iam::1:role/r", "123456789012", "StaticKeys", "u", "a/m", "x", "needs a code", None, None),
    Row("d", None, None, None, None, None, None, "error", None, ERROR),
]


@pytest.mark.parametrize("columns", [80, 100, 160])
@pytest.mark.parametrize("rows", [STATES, *([row] for row in STATES)], ids=["all", *"abcde"])
def test_a_table_fits_the_terminal_and_keeps_account_and_state_whole(rows: list[Row], columns: int) -> None:
    lines = _table(rows, columns=columns).splitlines()
    assert max(column_after(line, 1000) for line in lines) <= columns
    below = " ".join(" ".join(lines[1 + len(rows) :]).split())
    for row, line in zip(rows, lines[1:], strict=False):
        assert row.account_id is None or row.account_id in line or f"ACCOUNT {row.account_id}" in below
        assert row.state in line
        assert row.error is None or f"{row.profile}: {row.error}" in below


def test_a_table_that_fits_is_not_cut_and_one_that_is_piped_neither() -> None:
    whole = _table(STATES)
    assert ellipsis() not in whole
    assert LONG in whole
    assert ERROR in whole
    assert _table(STATES, columns=1000) == whole
    assert _table(STATES[3:4], columns=80) == _table(STATES[3:4])


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "1 min"), (119, "1 min"), (120, "2 min"), (3599, "59 min"), (3600, "1 h"), (129600, "36 h")],
)
def test_a_state_says_how_long_it_lasts(seconds: int, shown: str) -> None:
    row = Row("a", None, None, None, None, None, None, "signed in", 1000 + seconds, None)
    assert _table([row], 1000).endswith(f"  signed in for {shown}\n")


def test_on_a_terminal_of_80_columns_no_line_wraps(tmp_path: Path) -> None:
    name = "a-name-that-is-longer-than-most-and-still-somebody-has-chosen-it"
    with world(tmp_path / "home", ("admin", name)) as w:
        config = w.home.path / ".aws" / "config"
        config.write_text(config.read_text() + "[profile broken]\nrole_arn = arn:aws:iam::123456789012:role/broken\n")
        w.answered("admin")
        piped = w.home.run("list").stdout
        assert f"\n{name} " in piped
        assert "…" not in piped
        plain, coloured = _on_terminal(w, NO_COLOR="1"), _on_terminal(w)
    count = len(piped.splitlines())
    assert "\x1b" in coloured
    lines = plain.replace("\r", "").splitlines()
    assert max(column_after(line, 1000) for line in [*lines, *coloured.splitlines()]) <= 80
    start = next(at for at, line in enumerate(lines) if line.startswith("PROFILE"))
    lines, below = lines[start : start + count], lines[start + count :]
    first = [line.split()[0] for line in lines[1:]]
    assert (first[0], first[2:]) == ("admin", ["user1", "broken"])
    assert name.startswith(first[1].removesuffix("…"))
    assert [line.endswith("  error") for line in lines[1:]] == [False, False, False, True]
    assert any(line.startswith("broken: ") for line in below)
    assert lines[1].endswith("  cached for 59 min")
    assert lines[2].endswith("  signed in for 11 h")


def test_explain_tells_a_chain_step_by_step() -> None:
    said = _explained("chain")
    settings, _, rest = said.partition("\n\nsteps:\n")
    assert re.findall(r"^  (\S+) +(\S+) =", settings, re.MULTILINE) == [
        ("config:8", "role_arn"),
        ("config:9", "credproc_source_profile"),
        ("config:4", "role_arn"),
        ("config:5", "source_profile"),
        ("credentials:2", "aws_access_key_id"),
        ("credentials:3", "aws_secret_access_key"),
        ("config:10", "external_id"),
        ("config:11", "duration_seconds"),
        ("config:2", "mfa_serial"),
    ]
    assert re.findall(r"^     from (\S+)$", rest, re.MULTILINE) == ["credentials:2", "config:2", "config:4", "config:8"]
    assert re.findall(r"^     (\w+) at", rest, re.MULTILINE) == ["GetSessionToken", "AssumeRole", "AssumeRole"]
    *_, last = _steps("chain")
    assert last.startswith("assume arn:aws:iam::210987654321:role/path/chain, as credproc-you, for 1 h (")
    assert "2 h" in last
    assert "external id xyz" in last


def _steps(profile: str, config: str = CONFIG, keys: str = KEYS, **environ: str) -> list[str]:
    text = _explained(profile, config, keys, **environ)
    return re.findall(r"^  \d\. (.*)$", text, re.MULTILINE)


def test_explain_follows_an_alias_and_names_the_variables_that_take_part() -> None:
    said = _explained("people", AWS_REGION="eu-west-1")
    assert said.startswith("profile 'people', which is profile 'admin' through credproc\n")
    assert "\n  config:13        credential_process = /usr/bin/credproc --profile admin\n" in said
    assert "\n  the environment  AWS_REGION = eu-west-1\n" in said
    assert "AssumeRole at https://sts.eu-west-1.amazonaws.com, signed for eu-west-1\n" in said


def test_explain_lets_a_long_role_carry_the_code_itself() -> None:
    assert _steps("long")[1] == (
        "assume arn:aws:iam::123456789012:role/long with the code of arn:aws:iam::123456789012:mfa/user1,"
        " as credproc-you, for 2 h"
    )
    assert re.search("\nremark: .* valid MFA session.* 1 h\n", _explained("long"))


def test_explain_without_a_store_lets_the_role_carry_the_code(listed: Home) -> None:
    stores = ["none"] if WINDOWS else ["none", "keyring"]  # Windows has its Credential Manager in any case
    for environ in ({"CREDPROC_SESSION_STORE": store} for store in stores):
        said = listed.run("explain", "admin", environ=environ).stdout
        assert "GetSessionToken" not in said
        assert "with the code of arn:aws:iam::123456789012:mfa/user1" in said
        assert "\nremark: the MFA session cannot be stored" in said


def test_explain_of_long_term_keys_says_what_their_session_cannot_do() -> None:
    said = _explained("plain")
    first, second = _steps("plain")
    assert "AKIAPLAIN of profile 'plain'" in first
    assert second == "get a session of 12 h without MFA"
    assert "\nasks for: nothing\nremark: a session without MFA cannot call IAM" in said


def test_explain_takes_keys_in_the_keyring_for_the_users_own() -> None:
    keys = "[user1]\ncredproc_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
    first = "read the access key AKIAIOSFODNN7EXAMPLE of profile 'user1' from the OS keyring"
    assert _steps("user1", keys=keys)[0] == first
    assert [step.partition(" ")[0] for step in _steps("chain", keys=keys)] == ["read", "get", "assume", "assume"]
    assert "with the code of" in _steps("long", keys=keys)[1]
    assert "\nasks for: the MFA code of arn:aws:iam::123456789012:mfa/user1" in _explained("admin", keys=keys)
    assert "mfa_serial is ignored" not in _explained("chain", keys=keys)
    config = CONFIG.replace("mfa_serial = arn:aws:iam::123456789012:mfa/user1", "region = us-west-2")
    assert "remark: a session without MFA cannot call IAM" in _explained("user1", config=config, keys=keys)
    assert _steps("user1", config=config, keys=keys) == [first, "get a session of 12 h without MFA"]


@pytest.mark.parametrize("profile", ["plain", "program", "admin", "chain"])
@pytest.mark.parametrize("form", ["words", "json"])
def test_explain_shows_no_secret(listed: Home, profile: str, form: str) -> None:
    ran = listed.run("explain", profile, *(["--json"] if form == "json" else []))
    assert (ran.status, ran.stderr) == (0, "")
    assert "hunter2" not in ran.stdout
    assert not listed.cache.exists()


CENTER = """\
[profile center]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = reader
[sso-session corp]
sso_start_url = https://x
sso_region = us-east-1
[profile role]
role_arn = arn:aws:iam::123456789012:role/role
source_profile = center
services = own
[services own]
sso =
  endpoint_url = https://portal.example
sso_oidc =
  endpoint_url = http://localhost:1
"""


def test_explain_names_the_hosts_that_get_the_token_of_identity_center_where_they_are_not_awss() -> None:
    words = "with the token of aws sso login of profile 'center'"
    portal, renewal = "https://portal.example", "http://localhost:1"
    assert _steps("center", CENTER)[0].endswith(words)
    assert _steps("role", CENTER)[0].endswith(f"{words}, which goes to {portal} and is renewed at {renewal}")
    other = {"AWS_ENDPOINT_URL_SSO_OIDC": "https://other.example"}
    assert _steps("center", CENTER, **other)[0].endswith(f"{words}, which is renewed at https://other.example")
    said = _explained("center", CENTER, AWS_ENDPOINT_URL="https://all.example")
    assert "which goes to https://all.example and is renewed at https://all.example\n" in said
    assert "\n  the environment  AWS_ENDPOINT_URL = https://all.example\n" in said
    with pytest.raises(ConfigError, match=r"AWS_ENDPOINT_URL_SSO_OIDC: .*http to oidc\.example"):
        _steps("center", CENTER, AWS_ENDPOINT_URL_SSO_OIDC="http://oidc.example")


def test_explain_of_other_sources() -> None:
    config = """\
[profile web]
role_arn = arn:aws:iam::123456789012:role/web
web_identity_token_file = /token
[profile center]
sso_start_url = https://x
sso_region = us-east-1
sso_account_id = 123456789012
sso_role_name = reader
[profile env]
role_arn = arn:aws:iam::123456789012:role/env
credential_source = Environment
mfa_serial = arn:aws:iam::123456789012:mfa/user1
[profile ecs]
role_arn = arn:aws:iam::123456789012:role/ecs
credential_source = EcsContainer
[profile temporary]
aws_access_key_id = ASIAX
aws_secret_access_key = hunter2
aws_session_token = hunter2
"""

    def said(name: str, **environ: str) -> str:
        return _explained(name, config, "", **environ)

    web = said("web")
    assert "  1. assume arn:aws:iam::123456789012:role/web with the token in /token, as credproc-you, for 1 h" in web
    assert "\n     AssumeRoleWithWebIdentity at https://sts.amazonaws.com," in web
    assert re.search("role reader in account 123456789012 .*IAM Identity Center.* aws sso login", said("center"))
    assert re.search("  1. .*AKIAENV from the environment\n", said("env", AWS_ACCESS_KEY_ID="AKIAENV"))
    assert "the code of arn:aws:iam::123456789012:mfa/user1" in said("env", AWS_ACCESS_KEY_ID="AKIAENV")
    with pytest.raises(ConfigError, match=r"config:12: mfa_serial.* temporary"):
        said("env", AWS_ACCESS_KEY_ID="ASIAENV", AWS_SESSION_TOKEN="token")
    assert re.search("  1. .*container.* \\(/x\\)\n", said("ecs", AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/x"))
    assert said("temporary").count("\n  2. ") == 0
    assert "hunter2" not in said("temporary")


def test_explain_as_json_has_the_same_steps(listed: Home) -> None:
    environ = {"CREDPROC_SESSION_STORE": "file"}
    found = json.loads(listed.run("explain", "admin", "--json", environ=environ).stdout)
    assert [step["operation"] for step in found["steps"]] == [None, "GetSessionToken", "AssumeRole"]
    assert {step["endpoint"] for step in found["steps"][1:]} == {"https://sts.us-west-2.amazonaws.com"}
    assert found["cached"] is None
    assert found["settings"][0] == {
        "name": "role_arn",
        "value": "arn:aws:iam::123456789012:role/admin",
        "where": native_home("~/.aws/config:4"),
    }


def test_explain_of_a_profile_without_a_plan_is_its_error(listed: Home) -> None:
    ran = listed.run("explain", "amin")
    assert (ran.status, ran.stdout) == (1, "")
    assert re.match("credproc: error: .*'amin'\ncredproc: hint: .*'admin'", ran.stderr)


def test_explain_and_list_ask_nobody_and_call_nothing(tmp_path: Path) -> None:
    with Sts() as sts:
        home = role_home(tmp_path / "home", sts, sts.user("user1"))
        assert sts.url in home.run("explain", "admin").stdout
        assert home.run("list").status == 0
        assert not sts.calls


@pytest.mark.measure
@pytest.mark.parametrize("command", [("list",), ("explain", "admin"), ("policy", "admin"), ("list", "--names")])
def test_a_command_that_needs_no_network_costs_less_than_three_times_the_help(
    listed: Home, command: tuple[str, ...]
) -> None:
    def seconds(*arguments: str) -> float:
        began = time.monotonic()
        assert listed.run(*arguments).status == 0
        return time.monotonic() - began

    pairs = [(seconds("--help"), seconds(*command)) for _ in range(5)]
    assert min(one for _, one in pairs) < 3 * min(of_help for of_help, _ in pairs)


_REGIONS = sorted({*PARTITION_REGIONS.values(), *LEGACY_REGIONS, "eu-south-2", "cn-north-1", "us-gov-east-1"})


@pytest.mark.parametrize("flags", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("regional", ["regional", "legacy"])
def test_the_address_that_is_shown_is_the_one_that_botocore_calls(flags: tuple[bool, bool], regional: str) -> None:
    session = Session()
    session.set_config_variable("sts_regional_endpoints", regional)
    for region in _REGIONS:
        endpoint = Endpoint(region, None, *flags, regional)
        try:
            client: Any = session.create_client(
                "sts",
                region_name=region,
                aws_access_key_id="a",
                aws_secret_access_key="b",
                config=Config(use_fips_endpoint=flags[0], use_dualstack_endpoint=flags[1]),
            )
        except EndpointVariantError:  # none there: a call would fail
            continue
        seen: list[Any] = []
        client.meta.events.register("before-send.sts", lambda request, seen=seen, **_: seen.append(request) or _Stop())
        with pytest.raises(AttributeError):
            client.get_caller_identity()
        url = seen[0].url.rstrip("/")
        signed = re.search(r"/(\S+)/sts/aws4_request", seen[0].headers["Authorization"].decode())
        assert signed is not None
        assert (url, signed[1].rpartition("/")[2]) == (endpoint.address, endpoint.signing_region), region


class _Stop:
    """No answer: botocore stumbles over it, and nothing is sent."""
