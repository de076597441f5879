"""Odd values, a sample of the tries; the rows F187 and F188 play all of them. And what they have found."""

import random
from collections.abc import Iterator

import pytest

from tests.faults.odd import Odd, World, odd_settings, odd_variables, play, settings, variables, with_commands, wrong
from tests.sts import Sts

SAMPLE = 15  # of each kind of source
BLOCK, MORE = "\n  a = b", "x\n  a = b"


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Sts() as sts, World(tmp_path_factory.mktemp("odd"), sts) as world:
        yield world


def test_the_names_are_those_that_credproc_and_botocore_read() -> None:
    assert {"AWS_REGION", "CREDPROC_INTERACTIVE", "AWS_CSM_PORT", "BOTOCORE_TCP_KEEPALIVE", "TZ"} <= {*variables()}
    assert {"role_arn", "credproc_policy", "tcp_keepalive", "s3", "proxy_ca_bundle"} <= {*settings()}


@pytest.mark.parametrize("kind", World.kinds)
def test_without_an_odd_value_each_kind_of_source_gives_a_document(world: World, kind: str) -> None:
    ran = world.play(Odd(kind, ("COLUMNS",), "80")).outcome
    assert ran.status == (1 if kind == "mfa" else 0), ran


@pytest.mark.parametrize("tries", [odd_variables, odd_settings], ids=["variables", "settings"])
def test_an_odd_value_gives_a_document_or_an_error_that_says_what_is_wrong(world: World, tries: object) -> None:
    assert callable(tries)
    chance = random.Random(20261127)  # noqa: S311 - a sample, the same at each run
    chosen = [odd for kind in World.kinds for odd in chance.sample(list(tries(world, kind)), SAMPLE)]
    tally = play(world, with_commands(chosen, chance))
    assert tally.found == []
    assert tally.ends[0] > SAMPLE
    assert tally.ends[1] > SAMPLE


# What was found: the source, the setting and its value, and a word of the error; without one there is a document
CENTER, START = "Identity Center", "start URL"
FOUND = (
    *((kind, name, value, "") for kind in (CENTER, START) for name, value in (("api_versions", "true"), ("s3", ""))),
    (CENTER, "csm_port", "x", ""),
    *((kind, "defaults_mode", value, "defaults_mode ") for kind in (CENTER, "static") for value in (BLOCK, MORE)),
    *((CENTER, name, value, name) for name in ("retry_mode", "max_attempts") for value in (BLOCK, "x")),
    (START, "sso_region", "a b", "the region must be a name"),
    (START, "ca_bundle", "FIFO", "is not a regular file"),
    (CENTER, "proxies_config", "true", "proxies_config must be a block"),
    ("proxied", "proxies_config", "true", "proxies_config must be a block"),
    ("static", "region", BLOCK, "region must be a value"),
    *(("instance", f"metadata_service_{name}", "-1", "from 1 to 9999") for name in ("timeout", "num_attempts")),
    ("instance", "ec2_metadata_service_endpoint_mode", "ipv5", "must be ipv4 or ipv6"),
    ("instance", "ec2_metadata_service_endpoint", "http://[", "must be an http or https URL"),
    ("static", "aws_access_key_id", "\u0661\u0662", "AccessKeyId is empty or holds"),
    ("static", "aws_session_token", "\u202ex", "SessionToken is empty or holds"),
    ("web identity", "services", BLOCK, "services must be a value"),
)


@pytest.mark.parametrize(("kind", "name", "value", "word"), FOUND)
def test_a_setting_counts_where_it_is_used_and_is_an_error_at_its_line_if_it_cannot(
    world: World, kind: str, name: str, value: str, word: str
) -> None:
    section = f"profile {kind} root" if name.startswith("aws_") else f"profile {kind}"
    odd = Odd(kind, (section, name), value.replace("FIFO", str(world.path / "fifo")))
    played = world.play(odd)
    assert wrong(odd, played, world.secrets()) is None
    assert played.outcome.status == bool(word), played
    if word:
        assert f"config:{played.line}: " in played.outcome.stderr
        assert word in played.outcome.stderr


@pytest.mark.parametrize("value", ["a\nb", "a\rb", '"a', "x" * 140_000])
@pytest.mark.parametrize("name", ["CREDPROC_PROFILE_CHAIN", "_AWS_CLI_PROFILE_CHAIN"])
def test_a_profile_chain_that_is_no_line_of_csv_is_none(world: World, name: str, value: str) -> None:
    assert world.play(Odd("process", (name,), value)).outcome.status == 0


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"])
def test_keys_that_no_header_can_hold_are_an_error_of_their_source(world: World, name: str) -> None:
    ran = world.play(Odd("environment", (name,), "\udcff")).outcome
    assert (ran.status, ran.stdout) == (1, "")
    assert "holds characters that cannot be sent" in ran.stderr


@pytest.mark.parametrize("kind", [CENTER, START])
def test_a_proxy_that_has_no_address_is_no_missing_sign_in(world: World, kind: str) -> None:
    ran = world.play(Odd(kind, ("http_proxy",), "{}")).outcome
    assert "IAM Identity Center cannot be reached" in ran.stderr


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://127.0.0.1:9"])
def test_an_identity_center_that_does_not_answer_is_said_to_be_out_of_reach(world: World, url: str) -> None:
    ran = world.play(Odd(CENTER, ("AWS_ENDPOINT_URL_SSO",), url)).outcome
    assert "IAM Identity Center cannot be reached" in ran.stderr


def test_no_module_is_imported_because_a_variable_names_it_to_botocore(world: World) -> None:
    (world.work / "planted.py").write_text("open('ran', 'w').close()\n")
    found = f"import sys; sys.path.insert(0, {str(world.work)!r})\n"
    played = world.play(Odd(CENTER, ("BOTOCORE_EXPERIMENTAL__PLUGINS",), "a=planted"), found)
    assert played.outcome.status == 0
    assert not (world.work / "ran").exists()
