"""Fuzz target: any settings, for any profile in them, are a plan or an error in our words."""

import json
from collections.abc import Iterator
from itertools import islice

from credproc.config import files, parser
from credproc.errors import ConfigError, CredprocError
from credproc.plan import Plan, plan_for
from credproc.request import Request
from tests.faults.fuzz_corpus import BOTH, cases, joined, split

_PROFILES = 6  # of one input
_ARN = "arn:aws:iam::123456789012:role/admin"
_ENVIRONMENTS: tuple[dict[str, str], ...] = (
    {},
    {"AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s"},
    {"AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": _ARN, "AWS_DEFAULT_REGION": "cn-north-1"},
    {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x", "AWS_USE_FIPS_ENDPOINT": "true"},
    {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_STS_REGIONAL_ENDPOINTS": "legacy"},
)
_KEYS = "aws_access_key_id = AKIA\naws_secret_access_key = s\n"
_ROLE = f"[profile p]\nrole_arn = {_ARN}\nsource_profile = u\n"
FOUND = (
    f"{_ROLE}credproc_policy = {'[' * 50_000}\n[profile u]\n{_KEYS}".encode(),  # deeper than json goes
    "".join(f"[profile p{n}]\ncredential_process = credproc --profile p{n + 1}\n" for n in range(2000)).encode(),
)


def check(data: bytes) -> None:
    """Resolve the profiles in the bytes; raise what is neither a plan nor an error in our words."""
    try:
        both = [files.decode(part, name) for name, part in zip(BOTH, split(data), strict=True)]
        config = parser.parse(*both)
    except ConfigError:
        return
    environ = _ENVIRONMENTS[len(data) % len(_ENVIRONMENTS)]
    for profile in (None, "missing", *islice(config.profiles, _PROFILES)):
        try:
            plan = plan_for(config, Request(profile, environ, 0.0, user="alice", program="/usr/bin/credproc"))
        except CredprocError as error:
            _check_error(error)
        else:
            _check_plan(plan)


def corpus() -> Iterator[bytes]:
    """Yield the SDKs' own chains, every setting that takes part, and what has failed once."""
    for case in cases("assume-role.json"):
        sections = (("profile", case["input"]["profiles"]), ("sso-session", case["input"].get("sso_sessions", {})))
        text = "".join(
            f"[{kind} {name}]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items())
            for kind, found in sections
            for name, settings in found.items()
        )
        yield from (text.encode() + b"\n" * spaces for spaces in range(len(_ENVIRONMENTS)))
    yield joined(
        f"{_ROLE}external_id = x\nrole_session_name = ab\nduration_seconds = 900\nmfa_serial = 123456789\n"
        "region = us-west-2\nendpoint_url = http://127.0.0.1:80\nuse_fips_endpoint = false\nservices = s\n"
        "use_dualstack_endpoint = false\nsts_regional_endpoints = legacy\ncredproc_policy = {}\n"
        "credproc_policy_arns = a,b\ncredproc_session_tags = a=b\ncredproc_transitive_tag_keys = a\n"
        "credproc_source_identity = x\ncredproc_mfa_session_duration_seconds = 900\ncredproc_session_store = file\n"
        "mfa_process = x\n[services s]\nsts =\n  endpoint_url = https://[::1]:1\n",
        f"[u]\n{_KEYS}aws_session_token = t\naws_account_id = 1\n",
    )
    yield joined("[profile p]\ncredproc_access_key_id = AKIAIOSFODNN7EXAMPLE\nmfa_serial = 123456789\n", "")
    yield joined("[profile p]\nlogin_session = x\n[profile q]\ncredential_process = 'a b' c\nregion = x y\n", "")
    yield joined("[profile p]\nrole_arn = arn:aws:iam:1:role/x\ncredential_source = environment\n", "")
    yield joined("[profile p]\nrole_arn = arn:a:b:c:d:e\nsource_profile = q\n[profile q]\nsource_profle = p\n", "")
    yield from (found[:4096] for found in FOUND)


def _check_error(error: CredprocError) -> None:
    assert ": " in str(error), str(error)
    assert error.hint, str(error)


def _check_plan(plan: Plan) -> None:
    compared = plan.compared()
    assert json.loads(json.dumps(compared)) == compared
    assert plan.endpoint.address.startswith(("https://", "http://")), plan.endpoint
    assert plan.endpoint.issuer
    assert plan.endpoint.signing_region
    for role in plan.roles:
        assert role.parameters()["RoleSessionName"]
    keys = plan.source.keys
    if keys is not None:
        assert keys.access_key_id
        assert keys.secret_access_key
        assert "secret_access_key" not in repr(plan)
