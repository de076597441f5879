"""Which STS answers: held against botocore's own list of partitions, and what a configured endpoint must not be."""

from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session
import pytest
from botocore.args import LEGACY_GLOBAL_STS_REGIONS
from botocore.config import Config

from credproc.aws.client import Settings
from credproc.aws.session import botocore_session
from credproc.aws.sts import Sts
from credproc.config.parser import parse
from credproc.errors import ConfigError
from credproc.plan import plan_for
from credproc.plan.endpoint import (
    GLOBAL_REGION,
    LEGACY_REGIONS,
    PARTITION_REGIONS,
    Endpoint,
    endpoint_for,
    partition_of,
)
from credproc.plan.iam_endpoint import iam_endpoint_for
from credproc.request import Request
from credproc.trust import UntrustedFile
from tests.wording import assert_names

PARTITIONS: list[dict[str, Any]] = botocore.loaders.Loader().load_data("partitions")["partitions"]
REGIONS = [
    (region, partition["id"])
    for partition in PARTITIONS
    for region in partition["regions"]
    if not region.endswith("-global")  # no region that a person would set, and none of STS
]
URL_FORM = "https://HOST[:PORT][/PATH]"
STS = "https://sts.example"
BOTOCORE = botocore.session.Session()


def _endpoint(settings: str = "", role_arn: str | None = None, others: str = "", **environ: str) -> Endpoint:
    config = parse(f"[profile p]\n{settings}\n{others}", "")
    return endpoint_for(config.profiles["p"], config, environ, role_arn)


def _error(settings: str = "", **environ: str) -> tuple[str, str | None]:
    with pytest.raises(ConfigError) as failure:
        _endpoint(settings, **environ)
    return str(failure.value), failure.value.hint


# --- held against botocore ------------------------------------------------------------------------------------------


def test_every_partition_of_botocores_has_the_region_that_botocore_gives_it() -> None:
    botocores = {partition["id"]: partition["outputs"]["implicitGlobalRegion"] for partition in PARTITIONS}
    assert botocores | {"aws": GLOBAL_REGION} == PARTITION_REGIONS


@pytest.mark.parametrize(("region", "partition"), REGIONS)
def test_every_region_of_botocores_is_in_its_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition


def test_a_region_that_is_newer_than_botocore_is_in_the_main_partition() -> None:
    assert partition_of("mars-north-1") == "aws"


def test_the_regions_of_the_legacy_mode_are_botocores() -> None:
    assert set(LEGACY_GLOBAL_STS_REGIONS) == LEGACY_REGIONS


# --- the region -----------------------------------------------------------------------------------------------------


def test_an_empty_region_is_none() -> None:
    assert _endpoint("region =").region == GLOBAL_REGION
    assert _endpoint("region = us-west-2", AWS_REGION="", AWS_DEFAULT_REGION="").region == "us-west-2"


def test_our_prefix_chooses_the_region_of_sts_alone() -> None:
    assert _endpoint("region = us-west-2\ncredproc_region = eu-west-1").region == "eu-west-1"


def test_a_key_that_is_nothing_but_our_prefix_sets_no_region() -> None:
    assert _endpoint("credproc_ = eu-west-1").region == GLOBAL_REGION
    assert _endpoint("credproc_ = eu-west-1\nregion = us-west-2").region == "us-west-2"


@pytest.mark.parametrize("region", ["us_east_1", "us east", "-us", "us-", "a.b", "x" * 64, "us-east-1/../x", "ü"])
def test_a_region_that_is_no_host_label_is_refused_where_it_stands(region: str) -> None:
    assert_names(_error(f"region = {region}")[0], "config:2: ", "region", ascii(region))
    assert_names(_error(AWS_REGION=region)[0], "AWS_REGION: ", "region", ascii(region))
    assert_names(_error(AWS_DEFAULT_REGION=region)[0], "AWS_DEFAULT_REGION: ", "region", ascii(region))


def test_a_region_of_63_characters_is_the_longest() -> None:
    assert _endpoint(f"region = {'x' * 63}").region == "x" * 63


@pytest.mark.parametrize(("partition", "region"), PARTITION_REGIONS.items())
def test_without_a_region_the_partition_of_the_role_chooses_it(partition: str, region: str) -> None:
    assert _endpoint(role_arn=f"arn:{partition}:iam::1:role/x").region == region
    assert _endpoint("region = us-west-2", role_arn=f"arn:{partition}:iam::1:role/x").region == "us-west-2"


def test_without_a_region_an_unknown_partition_means_the_global_endpoint() -> None:
    assert _endpoint(role_arn="arn:aws-mars:iam::1:role/x").region == GLOBAL_REGION


def test_without_a_region_a_configured_endpoint_is_signed_for_us_east_1_or_the_roles_partition() -> None:
    assert _endpoint(f"endpoint_url = {STS}").region == "us-east-1"
    assert _endpoint(f"endpoint_url = {STS}", role_arn="arn:aws-cn:iam::1:role/x").region == "cn-northwest-1"


# --- FIPS, dual stack, legacy ---------------------------------------------------------------------------------------

FLAGS = [
    ("use_fips_endpoint", "AWS_USE_FIPS_ENDPOINT", "use_fips"),
    ("use_dualstack_endpoint", "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack"),
]


@pytest.mark.parametrize(("key", "variable", "field"), FLAGS)
def test_a_flag_is_true_only_as_true_and_its_variable_comes_first(key: str, variable: str, field: str) -> None:
    region = "region = us-east-1\n"
    assert getattr(_endpoint(f"{region}{key} = TRUE"), field)
    assert not any(getattr(_endpoint(f"{region}{key} = {value}"), field) for value in ("1", "yes", "false", ""))
    assert getattr(_endpoint(f"{region}{key} = false", **{variable: "True"}), field)
    assert not getattr(_endpoint(f"{region}{key} = true", **{variable: "false"}), field)
    assert getattr(_endpoint(f"{region}{key} = true", **{variable: ""}), field), "an empty variable is not set"


@pytest.mark.parametrize("region", ["", "region = eu-west-1\n", "region = ap-southeast-2\n", "region = aws-global\n"])
def test_fips_where_sts_has_no_such_endpoint_is_an_error_before_any_call(region: str) -> None:
    error, hint = _error(f"{region}use_fips_endpoint = true")
    assert_names(error, f"config:{3 if region else 2}: ", "FIPS")
    assert_names(hint, "", "us-east-1", "GovCloud")
    assert_names(_error(region.rstrip() or "output = json", AWS_USE_FIPS_ENDPOINT="true")[0], "AWS_USE_FIPS_ENDPOINT: ")


@pytest.mark.parametrize("region", ["us-east-1", "ca-central-1", "us-gov-west-1", "cn-north-1", "us-iso-east-1"])
def test_fips_where_sts_may_have_such_an_endpoint_is_tried(region: str) -> None:
    assert _endpoint(f"region = {region}\nuse_fips_endpoint = true").use_fips


@pytest.mark.parametrize(("key", "variable", "field"), FLAGS)
def test_a_configured_endpoint_excludes_fips_and_dual_stack(key: str, variable: str, field: str) -> None:
    for where, (error, hint) in (
        ("config:3: ", _error(f"{key} = true\nendpoint_url = {STS}")),
        ("config:2: ", _error(f"endpoint_url = {STS}", **{variable: "true"})),
    ):
        assert_names(error, where, "STS endpoint")
        assert_names(hint, "", key)
    ignored = f"region = us-east-1\n{key} = true\nendpoint_url = {STS}\nignore_configured_endpoint_urls = true"
    assert getattr(_endpoint(ignored), field)


def test_the_mode_comes_from_its_variable_before_the_profile() -> None:
    legacy = "sts_regional_endpoints = legacy"
    assert _endpoint(legacy).sts_regional_endpoints == "legacy"
    assert _endpoint(legacy, AWS_STS_REGIONAL_ENDPOINTS="regional").sts_regional_endpoints == "regional"
    error, hint = _error(AWS_STS_REGIONAL_ENDPOINTS="Legacy")
    assert_names(error, "AWS_STS_REGIONAL_ENDPOINTS: ", "regional", "legacy", "'Legacy'")
    assert_names(hint, "", "remove")


# --- the issuer -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "issuer"),
    [
        ("", "global"),
        ("region = us-east-1", "aws"),
        ("region = us-east-1\nsts_regional_endpoints = legacy", "global"),
        ("region = af-south-1\nsts_regional_endpoints = legacy", "aws"),
        ("region = us-east-1\nsts_regional_endpoints = legacy\nuse_fips_endpoint = true", "aws"),
        ("region = us-east-1\nsts_regional_endpoints = legacy\nuse_dualstack_endpoint = true", "aws"),
        ("region = cn-north-1", "aws-cn"),
        ("region = us-gov-east-1", "aws-us-gov"),
        (f"region = cn-north-1\nendpoint_url = {STS}", STS),
    ],
)
def test_the_issuer_is_where_a_session_counts_and_never_one_region(settings: str, issuer: str) -> None:
    assert _endpoint(settings).issuer == issuer


# --- a configured endpoint ------------------------------------------------------------------------------------------


def test_services_without_sts_leave_the_profiles_own_endpoint() -> None:
    others = "[services s]\ns3 =\n  endpoint_url = https://s3.example\n"
    assert _endpoint(f"services = s\nendpoint_url = {STS}", others=others).url == STS
    assert _endpoint("services = s", others=others).url is None


def test_an_empty_endpoint_is_none() -> None:
    assert _endpoint("endpoint_url =").url is None
    assert _endpoint(f"endpoint_url = {STS}", AWS_ENDPOINT_URL="", AWS_ENDPOINT_URL_STS="").url == STS


def test_an_endpoint_that_is_ignored_is_not_looked_at() -> None:
    assert _endpoint("endpoint_url = ftp://x\nignore_configured_endpoint_urls = true").url is None


def test_an_endpoint_in_services_is_refused_at_the_line_of_its_service() -> None:
    config = parse("[profile p]\nservices = s\n[services s]\nsts =\n  endpoint_url = http://sts.example\n", "")
    with pytest.raises(ConfigError, match=r"config:4: .*http.*sts\.example"):
        endpoint_for(config.profiles["p"], config, {}, None)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.255.255.254", "localhost", "LOCALHOST", "[::1]", "127.0.0.1:4566", "[::1]:4566"]
)
def test_plain_http_is_for_the_loopback(host: str) -> None:
    assert _endpoint(f"endpoint_url = http://{host}").url == f"http://{host}"


@pytest.mark.parametrize(
    "host",
    [
        "sts.example",
        "10.0.0.1",
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104 - an endpoint, nothing is bound
        "127.0.0.1.example",
        "127.999.999.999",  # no address, so a name, which a resolver may look for in its search domains
        "1127.0.0.1",
        "localhost.example",
        "localhost.",
        "[::2]",
    ],
)
def test_plain_http_to_another_host_is_refused(host: str) -> None:
    shown = host.strip("[]")
    error, hint = _error(f"endpoint_url = http://{host}")
    assert_names(error, "config:2: ", "STS endpoint", "http", shown)
    assert_names(hint, "", "https", "AWS_ENDPOINT_URL_STS")
    assert _endpoint(f"endpoint_url = https://{host}").url == f"https://{host}"


@pytest.mark.parametrize(
    "rest",
    ["?", "?x=1", "#", "#x", "/?", "/#", "/path?x=1"],
)
def test_an_endpoint_of_more_than_scheme_host_port_and_path_is_refused(rest: str) -> None:
    error, hint = _error(AWS_ENDPOINT_URL_STS=STS + rest)
    assert_names(error, "AWS_ENDPOINT_URL_STS: ", "STS endpoint", "path only")
    assert_names(hint, "", URL_FORM)


@pytest.mark.parametrize("path", ["", "/", "/path", "//", "/a%20b/~x/"])
def test_an_endpoint_may_have_a_path_which_calls_go_to(path: str) -> None:
    endpoint = _endpoint(AWS_ENDPOINT_URL_STS=STS + path)
    assert endpoint.address == endpoint.issuer == STS + path
    assert Sts(endpoint, Settings(None, {}), mfa=False).url.target == (path or "/")


@pytest.mark.parametrize("userinfo", ["@", "user@", "user:password@", ":@", "sts.amazonaws.com\\@", "sts.example@"])
def test_an_endpoint_with_a_user_is_refused_and_not_shown(userinfo: str) -> None:
    error, hint = _error(AWS_ENDPOINT_URL_STS=f"https://{userinfo}evil.example")
    assert_names(error, "AWS_ENDPOINT_URL_STS: ", "STS endpoint", "path only")
    assert_names(hint, "", URL_FORM)
    assert "evil" not in f"{error}{hint}"


@pytest.mark.parametrize(
    "url",
    [
        "sts.example",
        "//sts.example",
        "ftp://sts.example",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://:443",
        "https://sts.example:port",
        "https://sts.example:-1",
        "https://sts.example:65536",
        "https://[::1",
        "https://[v1.x]",
        "https://[fe80::1%25eth0]",
        "https://sts_.example",
        "https://a,b",
        "https://a%2eb",
        "https://st\u0455.example",
        "https://xn\uff0eexample",
        "https://sts.example\u202e",
        "https://sts.example\u00a0",
        "https://sts .example",
        "https://sts.example/a b",
        "https://sts.example/\xe4",
        "https://sts.example ",
        "https://sts.example\t",
        "https://sts.example\r\nX-Evil: y",
        "https://sts.example\nX-Evil: y",
        "https://sts.example\x00",
        "https://sts.example\x7f",
    ],
)
def test_an_endpoint_that_is_no_url_of_a_plain_host_is_refused(url: str) -> None:
    error, hint = _error(AWS_ENDPOINT_URL_STS=url)
    assert_names(error, "AWS_ENDPOINT_URL_STS: ", "STS endpoint", "http or https URL")
    assert_names(hint, "", URL_FORM)


# --- IAM ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("region", "partition"), REGIONS)
@pytest.mark.parametrize("flags", [(False, False), (True, False), (False, True), (True, True)])
def test_iam_is_where_botocore_finds_it_and_signs_for_its_region(
    region: str, partition: str, flags: tuple[bool, bool]
) -> None:
    fips, dualstack = flags
    config = parse("[profile p]\n", "")
    sts = Endpoint(region, use_fips=fips, use_dualstack=dualstack)

    def ours() -> tuple[str, str]:
        return iam_endpoint_for(config.profiles["p"], config, {}, sts)

    if partition in ("aws-iso-e", "aws-iso-f") and dualstack:
        with pytest.raises(ConfigError, match="dual stack"):
            ours()
        return
    client: Any = _iam(region, fips=fips, dualstack=dualstack)
    context = {"client_region": region, "client_config": client.meta.config}
    operation = client.meta.service_model.operation_model("ListAccessKeys")
    theirs = client._ruleset_resolver.construct_endpoint(operation, {}, context)
    assert ours() == (theirs.url, theirs.properties["authSchemes"][0]["signingRegion"])


def _iam(region: str, *, fips: bool, dualstack: bool) -> Any:
    return BOTOCORE.create_client(
        "iam",
        region_name=region,
        aws_access_key_id="AKIA",
        aws_secret_access_key="s",
        config=Config(use_fips_endpoint=fips, use_dualstack_endpoint=dualstack),
    )


@pytest.mark.parametrize(
    ("settings", "environ", "url"),
    [
        ("", {"AWS_ENDPOINT_URL_IAM": f"{STS}/iam"}, f"{STS}/iam"),
        ("", {"AWS_ENDPOINT_URL": STS, "AWS_ENDPOINT_URL_STS": "https://other.example"}, STS),
        (f"endpoint_url = {STS}", {}, STS),
        ("services = s", {}, "https://iam.example"),
        ("services = s\nignore_configured_endpoint_urls = true", {}, "https://iam.amazonaws.com"),
    ],
)
def test_an_endpoint_of_iam_may_be_configured(settings: str, environ: dict[str, str], url: str) -> None:
    config = parse(f"[profile p]\n{settings}\n[services s]\niam =\n  endpoint_url = https://iam.example\n", "")
    found = iam_endpoint_for(config.profiles["p"], config, environ, Endpoint("us-west-2"))
    assert found[0] == url
    assert found[1] == ("us-west-2" if "example" in url else "us-east-1"), "as botocore signs"
    anywhere = iam_endpoint_for(config.profiles["p"], config, environ, Endpoint(GLOBAL_REGION))
    assert anywhere[1] == "us-east-1"


def test_an_endpoint_of_iam_must_be_safe() -> None:
    config = parse("[profile p]\n", "")
    with pytest.raises(ConfigError, match=r"AWS_ENDPOINT_URL_IAM: .*IAM.*http"):
        iam_endpoint_for(
            config.profiles["p"], config, {"AWS_ENDPOINT_URL_IAM": "http://iam.example"}, Endpoint("us-east-1")
        )


# --- Identity Center, containers ----------------------------------------------------------------------------------


_CENTER = "sso_session = s\nsso_account_id = 1\nsso_role_name = r\n"
_SESSION = "[sso-session s]\nsso_start_url = https://x\nsso_region = us-east-1\n"
_OWN = "[services own]\nsso =\n  endpoint_url = https://own.example\n"


def _urls(settings: str, environ: dict[str, str], center: str = _CENTER) -> dict[str, str]:
    config = parse(f"[profile p]\n{settings}\n{center}{_SESSION}{_OWN}", "")
    return plan_for(config, Request("p", environ, 0.0)).source.urls


def _center_session(settings: str, environ: dict[str, str], **untrusted: UntrustedFile) -> botocore.session.Session:
    """Return the session that fetches credentials of Identity Center gets."""
    config = parse(f"[profile p]\n{settings}\n{_CENTER}{_SESSION}{_OWN}", "", untrusted=untrusted)
    plan = plan_for(config, Request("p", environ, 0.0))
    return botocore_session(plan, config, environ)


@pytest.mark.parametrize(
    ("settings", "environ"),
    [
        ("", {}),
        ("endpoint_url = https://all.example/path", {}),
        ("services = own", {}),
        ("services = own\nendpoint_url = https://all.example", {}),
        ("services = own\nendpoint_url = https://all.example\nignore_configured_endpoint_urls = true", {}),
        ("services = own", {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}),
        ("", {"AWS_ENDPOINT_URL_SSO": "https://one.example", "AWS_ENDPOINT_URL": "https://two.example"}),
        ("", {"AWS_ENDPOINT_URL_SSO_OIDC": "https://one.example"}),
        ("endpoint_url = https://all.example", {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}),
    ],
)
def test_identity_center_is_where_botocore_would_find_it_and_where_botocore_is_sent(
    settings: str, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"[profile p]\n{settings}\n{_CENTER}{_SESSION}{_OWN}"
    file = tmp_path / "config"
    file.write_text(text)
    for name, value in {**environ, "AWS_CONFIG_FILE": str(file)}.items():
        monkeypatch.setenv(name, value)
    ours = _urls(settings, environ)
    sent = _center_session(settings, environ)
    theirs = botocore.session.Session(profile="p")
    for name in ("sso", "sso_oidc"):
        service, found = name.replace("_", "-"), []
        for session in (theirs, sent):
            client: Any = session.create_client(service, region_name="us-east-1")
            found.append(client.meta.endpoint_url)
        assert found[0] == found[1]
        assert found[0] == ours.get(name, found[0])
        assert (name in ours) == ("amazonaws.com" not in found[0])


def test_a_client_of_botocores_is_sent_nowhere_by_what_credproc_has_not_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", "http://sso.example")
    client: Any = _center_session("", {}).create_client("sso", region_name="us-east-1")
    assert client.meta.endpoint_url == "https://portal.sso.us-east-1.amazonaws.com"


def test_a_client_of_botocores_trusts_whom_credproc_trusts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    bundle = str(Path(botocore.__file__).parent / "cacert.pem")
    client: Any = _center_session(f"ca_bundle = {bundle}", {}).create_client("sso", region_name="us-east-1")
    assert client._endpoint.http_session._session._verify == bundle
    with pytest.raises(ConfigError, match=r"config:2: /nowhere/ca\.pem: "):
        _center_session("ca_bundle = /nowhere/ca.pem", {})
    with pytest.raises(ConfigError, match="config:2: ca_bundle is refused"):
        _center_session(f"ca_bundle = {bundle}", {}, config=UntrustedFile("is writable by others", "chmod"))


@pytest.mark.parametrize(
    ("settings", "environ", "where"),
    [
        ("endpoint_url = {}", {"AWS_ENDPOINT_URL_STS": STS}, "config:2: the SSO endpoint"),
        ("services = bad", {}, "config:13: the SSO OIDC endpoint"),
        ("", {"AWS_ENDPOINT_URL_SSO": "{}"}, "AWS_ENDPOINT_URL_SSO: the SSO endpoint"),
        ("", {"AWS_ENDPOINT_URL_SSO_OIDC": "{}"}, "AWS_ENDPOINT_URL_SSO_OIDC: the SSO OIDC endpoint"),
    ],
)
@pytest.mark.parametrize("url", ["http://evil.example", "http://127.1", "https://a@b", "file:///x"])
def test_an_endpoint_of_identity_center_must_be_safe(
    settings: str, environ: dict[str, str], where: str, url: str
) -> None:
    bad = f"[services bad]\nsso_oidc =\n  endpoint_url = {url}\n"
    config = parse(f"[profile p]\n{settings.format(url)}\n{_CENTER}{_SESSION}{_OWN}{bad}", "")
    given = {name: value.format(url) for name, value in environ.items()}
    with pytest.raises(ConfigError) as failure:
        plan_for(config, Request("p", given, 0.0))
    assert str(failure.value).startswith(where)


def test_what_renews_no_token_is_not_looked_at() -> None:
    legacy = _CENTER.replace("sso_session = s", "sso_start_url = https://x\nsso_region = us-east-1")
    environ = {"AWS_ENDPOINT_URL_SSO_OIDC": "http://oidc.example"}
    assert _urls("", environ, legacy) == {}
    assert _urls("services = own", environ, legacy) == {"sso": "https://own.example"}


_FULL, _RELATIVE = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"


def _container(variable: str, value: str) -> None:
    config = parse("[profile p]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = EcsContainer\n", "")
    plan_for(config, Request("p", {variable: value}, 0.0))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        (_RELATIVE, "/v2/credentials/1b1a3"),
        (_RELATIVE, "/credentials?id=1b1a3"),
        (_FULL, "http://169.254.170.23/v1/credentials"),
        (_FULL, "http://[fd00:ec2::23]/v1/credentials"),
        (_FULL, "http://localhost:9001/2021-03-01/credentials?id=1"),
        (_FULL, "http://127.0.0.1:9001/x"),
        (_FULL, "https://agent.example/x"),
    ],
)
def test_a_containers_token_goes_to_the_agents_of_aws_to_this_machine_or_by_https(variable: str, value: str) -> None:
    _container(variable, value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        (_RELATIVE, "@evil.example/"),
        (_RELATIVE, ".evil.example/"),
        (_RELATIVE, ":80@evil.example/"),
        (_RELATIVE, "v2/credentials"),
        (_FULL, "http://evil.example/"),
        (_FULL, "http://169.254.170.2.evil.example/"),
        # urllib.parse takes the host behind the @, and urllib3 the one before the backslash
        (_FULL, r"http://evil.example\@127.0.0.1/"),
        (_FULL, r"https://evil.example\@127.0.0.1/"),
        (_FULL, "http://user@127.0.0.1/"),
        (_FULL, "http://127.0.0.1\t.evil.example/"),
        (_FULL, "ftp://127.0.0.1/"),
        (_FULL, "127.0.0.1"),
    ],
)
def test_a_containers_token_goes_nowhere_else(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{variable}: (the container endpoint|contains a control character) "):
        _container(variable, value)
