"""An SDK that knows nothing of credproc gets its credentials through one line of the config file."""

import json

import pytest

from tests.sdk.conftest import MakeWorld
from tests.sdk.sdks import BARE, PLAIN, QUOTED
from tests.sdk.world import START, World, section
from tests.sts import Trust


def test_the_first_call_is_signed_with_the_role(w: World) -> None:
    assert w.caller(w.run()).startswith(w.session())
    assert w.runs == w.sdk.starts
    assert [call.action for call in w.sts.calls][:1] == ["AssumeRole"]
    issued = w.sts.iam.credentials(w.signers[-1] or "")
    assert issued is not None
    assert issued.kind == "role session"


def test_a_second_process_costs_no_call_of_sts(w: World) -> None:
    assert w.caller(w.run()) == w.caller(w.run())
    assert w.runs == 2 * w.sdk.starts
    assert w.sts.count("AssumeRole") == 1
    assert len(set(w.signers)) == 1


def test_twenty_processes_at_once_cost_one_call_of_sts(w: World) -> None:
    children = [w.start() for _ in range(20)]
    ended = [(child.communicate(timeout=3 * START), child.returncode) for child in children]
    assert {stderr for (_, stderr), _ in ended} == {""}
    assert {status for _, status in ended} == {0}
    assert w.runs == 20 * w.sdk.starts
    assert w.sts.count("AssumeRole") == 1
    assert (len(w.signers), len(set(w.signers))) == (20 * w.sdk.requests, 1)


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_a_role_of_another_partition_is_assumed_there(make_world: MakeWorld, partition: str) -> None:
    w = make_world(partition)
    assert w.caller(w.run()).startswith(f"arn:{partition}:sts::")
    assert {call.region for call in w.sts.calls} == {w.region}


def test_the_line_may_stand_in_the_credentials_file(w: World) -> None:
    w.home.config(w.admin())
    w.add_credentials(w.consumer(name="sdk"))
    if w.sdk.credentials_file:
        assert w.caller(w.run()).startswith(w.session())
    else:
        w.assert_without_credentials()


def test_a_profile_with_a_space_in_its_name_is_read_as_the_sdk_reads_such_names(w: World) -> None:
    w.home.environ |= {"AWS_PROFILE": "my sdk", "AWS_REGION": w.region}
    for spelling in (QUOTED, PLAIN, BARE):
        file, name = spelling
        w.home.config(w.admin() + (w.consumer(name=name) if file == "config" else ""))
        w.home.keys("user1", w.user)
        if file == "credentials":
            w.add_credentials(w.consumer(name=name))
        if spelling in w.sdk.spaced:
            assert w.caller(w.run()).startswith(w.session())
        else:
            w.assert_without_credentials()


def test_a_role_profile_with_a_space_in_its_name_may_be_named_in_quotes(w: World) -> None:
    line = f'{w.home.path}/helper --profile "my admin"'
    w.home.config(w.admin(name='profile "my admin"') + w.consumer(line=line))
    if not w.sdk.quotes:
        assert w.run().status != 0
        assert w.signers == []
        return
    assert w.caller(w.run()).startswith(w.session())


def test_the_credentials_are_a_source_for_a_role_that_the_sdk_assumes_itself(w: World) -> None:
    outer = w.role("outer", Trust((w.role(),)))
    lines = (f"region = {w.region}", f"role_arn = {outer}", "source_profile = sdk")
    w.home.config(w.admin() + w.consumer() + section("profile outer", *lines))
    w.home.environ["AWS_PROFILE"] = "outer"
    if w.sdk.assumes != "profile":
        w.assert_without_credentials()  # it passes over such a profile, whatever its source is
        w.home.environ |= {"AWS_PROFILE": "sdk", "ROLE_ARN": outer}
    if w.sdk.says_endpoint:
        _tell_endpoint(w)
    if w.sdk.assumes != "no":
        assert w.caller(w.run()).startswith(w.session("outer"))
        assert w.runs == w.sdk.starts
        assert w.sts.count("AssumeRole", "OK") == w.sts.count("AssumeRole") == 2


def _tell_endpoint(w: World) -> None:
    """Name the loopback to a CLI which takes its endpoint for the role from botocore's data alone: change that.

    The variable reaches credproc too, which must not believe in it (C10).
    """
    flag = {"required": False, "type": "Boolean"}
    text = {"required": False, "type": "String"}
    parameters = {
        "Region": {"builtIn": "AWS::Region", **text},
        "Endpoint": {"builtIn": "SDK::Endpoint", **text},
        "UseDualStack": {"builtIn": "AWS::UseDualStack", **flag},
        "UseFIPS": {"builtIn": "AWS::UseFIPS", **flag},
        "UseGlobalEndpoint": {"builtIn": "AWS::STS::UseGlobalEndpoint", **flag},
    }
    rule = {"type": "endpoint", "conditions": [], "endpoint": {"url": w.sts.url, "properties": {}, "headers": {}}}
    directory = w.home.path / "data" / "sts" / "2011-06-15"
    directory.mkdir(parents=True)
    rules = {"version": "1.0", "parameters": parameters, "rules": [rule]}
    (directory / "endpoint-rule-set-1.json").write_text(json.dumps(rules))
    w.home.environ["AWS_DATA_PATH"] = str(w.home.path / "data")
