"""Whose credentials: each source, with its identity changed in any way, by an entry's name, header and comparison."""

import base64
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credproc import cache, dependencies
from credproc.config.parser import read
from credproc.credentials import Credentials
from credproc.files import PrivateDirectory, digest
from credproc.locking.directory import make_directory
from credproc.plan import Plan, plan_for
from credproc.refresh.entry import EntryStore, Fetched
from credproc.request import Request
from credproc.sources.identity import Identity, identity_of, token_identity
from credproc.sources.sso_token import path as token_path

ROLE = "role_arn = arn:aws:iam::123456789012:role/r\n"
CENTER = "sso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n"
PORTAL = "[sso-session s]\nsso_start_url = https://start.example\nsso_region = us-east-1\n"


def _jwt(subject: str, *, issuer: str = "i", audience: object = "a", serial: int = 0) -> str:
    claims = {"iss": issuer, "sub": subject, "aud": audience, "iat": serial}
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.c2ln{serial}"


class Shape(NamedTuple):
    """A source: its settings, and each input that tells whose credentials it gives, with values of two identities.

    An input is a variable, ``file NAME``, ``directory`` or ``setting``.
    """

    config: str
    inputs: Mapping[str, tuple[str | None, str | None]]


KEYS = "aws_access_key_id = AKIA\naws_secret_access_key = {}\n"
SHAPES = {
    "StaticKeys": Shape(f"{ROLE}source_profile = p\n{KEYS}", {"setting": ("one", "two")}),
    "Environment": Shape(
        f"{ROLE}credential_source = Environment\n",
        {
            "AWS_ACCESS_KEY_ID": ("AKIA1", "AKIA2"),
            "AWS_SECRET_ACCESS_KEY": ("one", "two"),
            "AWS_SESSION_TOKEN": (None, "two"),
            "AWS_SECURITY_TOKEN": (None, "two"),
        },
    ),
    "EcsContainer": Shape(
        f"{ROLE}credential_source = EcsContainer\n",
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": ("http://127.0.0.1/one", "http://127.0.0.1/two"),
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": (_jwt("one"), _jwt("two")),
        },
    ),
    "EcsContainer, a file": Shape(
        f"{ROLE}credential_source = EcsContainer\n",
        {
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": ("/one", "/two"),
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": ("token", "other"),
            "file token": (_jwt("one"), "opaque"),
            "file other": (_jwt("two"), _jwt("two", issuer="j")),
        },
    ),
    "Ec2InstanceMetadata": Shape(
        f"{ROLE}credential_source = Ec2InstanceMetadata\n{{}}\n",
        {
            "AWS_EC2_METADATA_DISABLED": (None, "true"),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": (None, "http://127.0.0.2"),
            "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": (None, "IPv6"),
            "setting": ("", "ec2_metadata_service_endpoint = http://127.0.0.3"),
        },
    ),
    "WebIdentity": Shape(
        f"{ROLE}web_identity_token_file = {{}}\n",
        {"setting": ("token", "other"), "file token": (_jwt("one"), _jwt("two")), "file other": ("opaque", "other")},
    ),
    "IdentityCenter": Shape(
        f"{CENTER}[profile q]\nendpoint_url = {{}}\n{PORTAL}",
        {"file sso": ('{"accessToken":"one"}', '{"accessToken":"two"}'), "AWS_ENDPOINT_URL_SSO": (None, "https://two")},
    ),
    "Process": Shape(
        f"{ROLE}source_profile = o\n[profile o]\ncredential_process = {{}}\n",
        {"setting": ("./a", "./b"), "TEAM": (None, "two"), "directory": (".", "below")},
    ),
}
Inputs = Mapping[str, str | None]


class World:
    """A home and a cache, and for each identity that the inputs describe a document of its own."""

    def __init__(self, path: Path) -> None:
        """Make them below ``path``."""
        self.path = path
        self.now = time.time() + 10  # so that the files are older than two seconds
        (path / "below").mkdir()
        (path / ".aws" / "sso" / "cache").mkdir(parents=True)
        self.directory: PrivateDirectory = make_directory(str(path / "cache"))
        self.stamp = 0

    def laid_out(self, shape: Shape, inputs: Inputs) -> dict[str, str]:
        """Write what the inputs say, and return the environment; the working directory is theirs."""
        environ = {"HOME": str(self.path), "CREDPROC_CACHE_DIR": str(self.path / "cache"), "PATH": "/bin"}
        os.chdir(self.path / (inputs.get("directory") or "."))
        self._write(".aws/config", f"[profile p]\n{shape.config.format(inputs.get('setting') or '')}")
        for name, value in inputs.items():
            if name.startswith("file "):
                self._write(self._place(name.removeprefix("file ")), value)
            elif value is not None and name not in ("setting", "directory"):
                environ[name] = value
        return environ

    def _place(self, name: str) -> str:
        return name if name != "sso" else os.path.relpath(os.path.expanduser(SSO_FILE), self.path)

    def _write(self, name: str, text: str | None) -> None:
        path = self.path / name
        if text is None:
            path.unlink(missing_ok=True)
        elif not path.exists() or path.read_text() != text:
            self.stamp += 1
            path.write_text(text)
            os.utime(path, (self.stamp, self.stamp))

    def seen(self, environ: dict[str, str]) -> tuple[EntryStore, bytes | None, Plan, Identity]:
        """Return the store of the entry, the document of a hit, the plan and the identity."""
        name = cache.entry_name("p", environ)
        hit = cache.hit("p", environ, self.now)
        config = read(environ, self.now)
        plan = plan_for(config, Request("p", environ, 0.0, user="alice"))
        identity = identity_of(plan, config, environ, self.now)
        fingerprint = config.fingerprint
        return EntryStore(self.directory, name, fingerprint, plan, "p", identity=identity), hit, plan, identity


SSO_FILE = ""


@pytest.fixture(name="world")
def _world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    return World(tmp_path)


@pytest.fixture(autouse=True, name="sso_file")
def _sso_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = world.laid_out(SHAPES["IdentityCenter"], {})
    plan = plan_for(read(environ), Request("p", environ, 0.0))
    monkeypatch.setitem(globals(), "SSO_FILE", token_path(plan.source))


def _keys(number: int, now: float) -> Credentials:
    return Credentials(f"ASIA{number}", "secret", "token", int(now) + 3600)


def _matrix() -> Iterator[tuple[str, str]]:
    for name, shape in SHAPES.items():
        yield from ((name, changed) for changed in shape.inputs)


def _first(shape: Shape) -> dict[str, str | None]:
    return {name: values[0] for name, values in shape.inputs.items()}


@pytest.mark.parametrize(("name", "changed"), list(_matrix()))
def test_an_identity_that_changes_is_no_hit_and_compares_as_another(world: World, name: str, changed: str) -> None:
    shape = SHAPES[name]
    inputs = _first(shape)
    if (name, changed) in (("EcsContainer, a file", "file other"), ("WebIdentity", "file other")):
        inputs |= {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "other", "setting": "other"}
        inputs = {key: value for key, value in inputs.items() if key in shape.inputs}
    environ = world.laid_out(shape, inputs)
    entries, _, plan, identity = world.seen(environ)
    printed = entries.store(Fetched(_keys(1, world.now), renewable=True), world.now)
    assert world.seen(environ)[1] == printed, "it is a hit as long as nothing changes"
    other = world.laid_out(shape, inputs | {changed: shape.inputs[changed][1]})
    _, hit, other_plan, other_identity = world.seen(other)
    assert hit is None
    assert (plan.compared(), identity.compared) != (other_plan.compared(), other_identity.compared)
    assert world.seen(world.laid_out(shape, inputs))[0].find(world.now) is not None


@pytest.mark.parametrize(
    "name", [name for name in SHAPES if any(key.startswith("file") for key in SHAPES[name].inputs)]
)
def test_where_the_token_is_gone_nothing_is_found(world: World, name: str) -> None:
    shape = SHAPES[name]
    environ = world.laid_out(shape, _first(shape))
    world.seen(environ)[0].store(Fetched(_keys(1, world.now), renewable=True), world.now)
    gone = {key: None for key in shape.inputs if key.startswith("file")}
    entries, hit, _, identity = world.seen(world.laid_out(shape, _first(shape) | gone))
    assert (hit, identity.compared, entries.find(world.now)) == (None, None, None)
    entries.store(Fetched(_keys(2, world.now), renewable=True), world.now)
    assert entries.find(world.now) is None, "what cannot be told apart is not stored"


@pytest.mark.parametrize("name", ["WebIdentity", "EcsContainer, a file"])
def test_a_token_that_is_rotated_is_stamped_anew_and_is_a_hit_again(world: World, name: str) -> None:
    shape = SHAPES[name]
    environ = world.laid_out(shape, _first(shape))
    printed = world.seen(environ)[0].store(Fetched(_keys(1, world.now), renewable=True), world.now)
    environ = world.laid_out(shape, _first(shape) | {"file token": _jwt("one", serial=1)})
    entries, hit, _, _ = world.seen(environ)
    assert hit is None
    cached = entries.find(world.now)
    assert cached is not None
    entries.restamp(cached)
    assert world.seen(environ)[1] == printed


@given(st.data())
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_sequence_of_changes_gets_the_document_of_another_identity(world: World, data: st.DataObject) -> None:
    shape = SHAPES[data.draw(st.sampled_from(sorted(SHAPES)))]
    changes = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in shape.inputs.items()})
    issued: dict[str, str] = {}
    for inputs in data.draw(st.lists(changes, min_size=2, max_size=6)):
        environ = world.laid_out(shape, inputs)
        entries, hit, _, _ = world.seen(environ)
        cached = entries.find(world.now)
        wanted = "ASIA" + digest(json.dumps([shape.config, _who(shape, inputs)], sort_keys=True))
        if hit is None and cached is not None:
            entries.restamp(cached)
        found = hit or (cached.document if cached is not None else None)
        if found is None:
            keys = Credentials(wanted, "secret", "token", int(world.now) + 3600)
            found = entries.store(Fetched(keys, renewable=True), world.now)
        issued[wanted] = json.loads(found)["AccessKeyId"]
        assert issued[wanted] == wanted, f"{inputs} got the document of another identity"


def _who(shape: Shape, inputs: Inputs) -> dict[str, str | None]:
    """Return the inputs without those that another one makes unused."""
    used = dict(inputs)
    chosen = used.get("setting") or used.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    if "file token" in shape.inputs:
        used.pop("file other" if chosen == "token" else "file token")
    if used.get("AWS_EC2_METADATA_SERVICE_ENDPOINT"):
        used.pop("setting")
    return used


def test_a_token_is_compared_by_issuer_subject_and_audience_where_it_is_a_jwt_that_says_them() -> None:
    same = {token_identity(_jwt("s", serial=serial)) for serial in range(3)}
    assert same == {token_identity(f"{_jwt('s')}\n")}
    others = [_jwt("t"), _jwt("s", issuer="j"), _jwt("s", audience="b"), _jwt("s", audience=["a", "b"]), _jwt("")]
    others += ["a.b.c", "a.W10.c", "", "opaque", "opaque2", "é.é.é", f"{'e30.' * 2}x", "a.bnVsbA.c"]
    found = [token_identity(token) for token in (_jwt("s"), *others)]
    assert len(set(found)) == len(found)
    assert not any(token and token in one for token, one in zip(others, found[1:], strict=True))


@pytest.mark.parametrize("path", ["/a b/c=d%20e", "/new\nline", "/é\udcff", "~/x", "relative"])
def test_any_path_of_a_token_goes_through_a_header(world: World, path: str) -> None:
    fields = dependencies.header_fields([dependencies.file(path), dependencies.MACHINE], {}, world.now)
    entry = cache.Entry(
        served_from=0, served_until=1 << 40, fingerprint="-,-", document=b"{}\n", compared=b"{}", depends_on=fields
    )
    cache.store(world.directory, "n.entry", entry)
    loaded = cache.load(world.directory, "n.entry")
    assert loaded is not None
    assert loaded.depends_on == fields
    assert dependencies.are_unchanged(loaded.depends_on, {}, world.now)


@pytest.mark.parametrize("field", ["", "=", "unknown:=x", "file:/x", "file:/x=unsure", "machine:=unsure", "machine:=0"])
def test_a_dependency_that_is_not_understood_or_not_sure_has_changed(field: str) -> None:
    assert not dependencies.are_unchanged([field], {}, 0.0)


def test_a_token_that_was_written_a_moment_ago_is_not_trusted_by_its_stamps(world: World) -> None:
    path = world.path / "token"
    path.write_text("x")
    field = dependencies.header_fields([dependencies.file(str(path))], {}, path.stat().st_mtime + 1.9)
    assert not dependencies.are_unchanged(field, {}, path.stat().st_mtime + 1.9)


def test_what_tells_only_of_the_window_or_the_caller_is_no_part_of_the_environment() -> None:
    state = dependencies.state(dependencies.ENVIRONMENT, {"A": "1"}, 0.0)
    for name in ("SHLVL", "PWD", "_", "WINDOWID", "_AWS_CLI_PROFILE_CHAIN"):
        assert dependencies.state(dependencies.ENVIRONMENT, {"A": "1", name: "x"}, 0.0) == state
    for other in ({}, {"A": "2"}, {"A": "1", "B": ""}, {"A": ""}):
        assert dependencies.state(dependencies.ENVIRONMENT, other, 0.0) != state
