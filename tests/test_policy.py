"""credproc policy: the documents that a profile implies."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from credproc.commands.policy import Policies, as_lines, policies
from credproc.config.parser import parse
from credproc.errors import ConfigError
from credproc.plan import plan_for
from credproc.request import Request
from tests.program import Home

ARN = "arn:aws:iam::123456789012:role/admin"
SERIAL = "arn:aws:iam::210987654321:mfa/user1"
KEYS = "aws_access_key_id = AKIA\naws_secret_access_key = hunter2\n"
ROLE = f"[profile r]\nrole_arn = {ARN}\n"
USER = f"[profile user1]\n{KEYS}"
WITH_MFA = f"{ROLE}source_profile = user1\nmfa_serial = {SERIAL}\nexternal_id = x-1\n{USER}"


def _policies(config: str, profile: str = "r") -> Policies:
    return policies(plan_for(parse(config, ""), Request(profile, {}, 0.0, user="alice")))


def _trust(config: str) -> dict[str, Any]:
    statement: dict[str, Any] = _policies(config).trust["Statement"][0]
    return statement


def test_policy_prints_both_documents(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.config(WITH_MFA)
    ran = home.run("policy", "r")
    assert (ran.status, ran.stderr) == (0, "")
    assert re.findall(r"^(\S+ policy) of (\S+):$", ran.stdout, re.MULTILINE) == [
        ("trust policy", ARN),
        ("permissions policy", "arn:aws:iam::210987654321:user/user1"),
    ]
    assert '"AWS": "arn:aws:iam::210987654321:user/user1"' in ran.stdout
    assert "\nremark: " in ran.stdout
    found = json.loads(home.run("policy", "r", "--json").stdout)
    assert found["role_arn"] == ARN
    assert found["trust"]["Statement"][0]["Condition"]["StringEquals"] == {"sts:ExternalId": "x-1"}
    assert found["permission"]["Statement"][0]["Resource"] == ARN
    assert not home.cache.exists()


def test_without_a_device_the_account_stands_for_the_user() -> None:
    found = _policies(f"{ROLE}source_profile = user1\n{USER}")
    assert found.trust["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert "Condition" not in found.trust["Statement"][0]
    assert "\nremark: the account stands for " in "\n".join(as_lines(found))


def test_the_account_of_the_keys_counts_where_it_is_known() -> None:
    config = f"{ROLE}source_profile = user1\n{USER}aws_account_id = 999999999999\n"
    assert _trust(config)["Principal"] == {"AWS": "arn:aws:iam::999999999999:root"}


def test_a_hardware_device_names_no_user_and_asks_for_mfa_all_the_same() -> None:
    trust = _trust(f"{ROLE}source_profile = user1\nmfa_serial = GAHT12345678\n{USER}")
    assert trust["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert trust["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def test_in_a_chain_the_role_before_is_the_caller_and_mfa_is_for_the_first() -> None:
    first = "arn:aws:iam::123456789012:role/first"
    config = f"{ROLE}source_profile = a\n[profile a]\nrole_arn = {first}\nsource_profile = user1\nmfa_serial = {SERIAL}\n{USER}"  # noqa: E501
    found = _policies(config)
    assert found.trust["Statement"][0]["Principal"] == {"AWS": first}
    assert "Condition" not in found.trust["Statement"][0]
    (remark,) = found.remarks
    assert "MFA condition" in remark


@pytest.mark.parametrize(
    ("source", "role", "service"),
    [
        ("Ec2InstanceMetadata", "INSTANCE-ROLE", "ec2.amazonaws.com"),
        ("EcsContainer", "TASK-ROLE", "ecs-tasks.amazonaws.com"),
    ],
)
def test_a_machine_has_a_role_that_its_service_assumes(source: str, role: str, service: str) -> None:
    found = _policies(f"{ROLE}credential_source = {source}\n")
    arn = f"arn:aws:iam::123456789012:role/{role}"
    assert found.trust["Statement"][0]["Principal"] == {"AWS": arn}
    assert found.source_trust is not None
    assert found.source_trust["Statement"][0]["Principal"] == {"Service": service}
    said = "\n".join(as_lines(found))
    assert f"\npermissions policy of {arn}:\n" in said
    assert f"\ntrust policy of {arn}:\n" in said
    assert f"\nremark: {role} stands for " in said


def test_in_china_the_service_has_another_name() -> None:
    found = _policies(ROLE.replace("arn:aws:", "arn:aws-cn:") + "credential_source = Ec2InstanceMetadata\n")
    assert found.source_trust is not None
    assert found.source_trust["Statement"][0]["Principal"] == {"Service": "ec2.amazonaws.com.cn"}


def test_the_environment_names_nobody() -> None:
    assert _trust(f"{ROLE}credential_source = Environment\n")["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}


def test_a_web_identity_is_trusted_by_its_provider_and_needs_no_permission() -> None:
    found = _policies(f"{ROLE}web_identity_token_file = /token\n")
    (statement,) = found.trust["Statement"]
    assert statement["Principal"] == {"Federated": "arn:aws:iam::123456789012:oidc-provider/PROVIDER"}
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert found.permission is None
    assert not any(line.startswith("permissions policy") for line in as_lines(found))


def test_a_role_behind_identity_center_or_a_web_identity_names_what_it_can() -> None:
    center = (
        "[profile c]\nsso_start_url = https://x\nsso_region = x\nsso_account_id = 111111111111\nsso_role_name = P\n"
    )
    found = _policies(f"{ROLE}source_profile = c\n{center}")
    assert found.trust["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    assert found.caller == "the permission set P"
    web = "[profile w]\nrole_arn = arn:aws:iam::123456789012:role/web\nweb_identity_token_file = /token\n"
    trust = _trust(f"{ROLE}source_profile = w\n{web}")
    assert trust["Principal"] == {"AWS": "arn:aws:iam::123456789012:role/web"}


def test_tags_and_a_source_identity_are_actions_of_their_own() -> None:
    more = "credproc_session_tags = A=b\ncredproc_source_identity = alice\nduration_seconds = 7200\n"
    found = _policies(f"{ROLE}source_profile = user1\n{more}{USER}")
    actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    assert found.trust["Statement"][0]["Action"] == actions
    assert found.permission is not None
    assert found.permission["Statement"][0]["Action"] == actions
    assert any("7200 seconds" in remark for remark in found.remarks)


def test_a_profile_without_a_role_has_no_policies() -> None:
    with pytest.raises(ConfigError, match="config:2: profile 'user1'") as caught:
        _policies(USER, "user1")
    assert "role_arn" in str(caught.value.hint)
