"""What holds for whatever is generated; `python -m tests.faults.properties --examples 20000` looks longer.

tests/faults/test_properties.py tries each with a few examples, build/fuzz --properties with many.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from functools import cache as cached
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from credproc import cache
from credproc.config.parser import parse, read
from credproc.credentials import LATEST, LIMIT, Credentials, document
from credproc.errors import ConfigError, ServiceError, SourceError, inert
from credproc.locking.directory import make_directory
from credproc.mfa.code import parse_code
from credproc.plan import Plan, plan_for
from credproc.plan.role import Role
from credproc.refresh.entry import MIN_SECONDS_LEFT, EntryStore, Fetched
from credproc.request import Request
from credproc.sources import process
from credproc.sources.children import ChildProcesses
from tests.faults.fuzz_entry import NAME, OneFile

if TYPE_CHECKING:
    from credproc.files import PrivateDirectory

_ARN = "arn:aws:iam::123456789012:role/{}"
_LATER = 100  # seconds, after which a file that has just been written is no longer unsure
_EXPIRATION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)

Tally = Counter[str]


# --- an entry answers its own inputs alone ----------------------------------------------------------------------------

Inputs = Mapping[str, str]  # by "FILE SECTION SETTING", "VARIABLE" or "profile"

_ROLES = {
    "role_arn": (_ARN.format("a"), _ARN.format("b"), "arn:aws-cn:iam::123456789012:role/a", ""),
    "external_id": ("x", "y", "x y"),
    "role_session_name": ("ab", "cd"),
    "duration_seconds": ("900", "3600", "7200"),
    "credproc_policy": ("{}", '{"a":1}'),
    "credproc_policy_arns": ("arn:a", "arn:a,arn:b", "arn:b,arn:a"),
    "credproc_session_tags": ("a=b", "a=c", "a=b,c=d"),
    "credproc_transitive_tag_keys": ("a", "a,c"),
    "credproc_source_identity": ("alice", "bob"),
    "mfa_serial": ("123456789", "123456780"),
}
_SOURCES = {
    "source_profile": ("m", "u", "v"),
    "credential_source": ("Environment", "EcsContainer", "Ec2InstanceMetadata"),
    "web_identity_token_file": ("/t", "/u"),
    "credential_process": ("/bin/a b", "/bin/a c", "credproc --profile u", "credproc --profile m"),
    "sso_session": ("s", "t"),
    "sso_account_id": ("123456789012", "210987654321"),
    "sso_role_name": ("r", "q"),
    "credproc_access_key_id": ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLF"),
    "aws_access_key_id": ("AKIA1", "AKIA2"),
    "aws_secret_access_key": ("s",),
    "aws_session_token": ("t",),
    "aws_account_id": ("1", "2"),
}
_PLACES = {
    "region": ("us-west-2", "eu-west-1", "cn-north-1", "us-gov-west-1"),
    "sts_regional_endpoints": ("legacy", "regional"),
    "use_fips_endpoint": ("true", "false"),
    "use_dualstack_endpoint": ("true", "false"),
    "endpoint_url": ("https://a.example", "https://b.example"),
    "services": ("s", "t"),
    "ignore_configured_endpoint_urls": ("true", "false"),
    "credproc_mfa_session_duration_seconds": ("900", "1000"),
    "output": ("json", "text"),
}
_VARIABLES = {
    "AWS_REGION": ("us-west-2", "ap-south-1"),
    "AWS_DEFAULT_REGION": ("us-west-2", "ap-south-1"),
    "AWS_USE_FIPS_ENDPOINT": ("true", "false"),
    "AWS_USE_DUALSTACK_ENDPOINT": ("true", "false"),
    "AWS_STS_REGIONAL_ENDPOINTS": ("legacy", "regional"),
    "AWS_ENDPOINT_URL": ("https://c.example", "https://d.example"),
    "AWS_ENDPOINT_URL_STS": ("https://c.example", "https://d.example"),
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": ("true", "false"),
    "AWS_ACCESS_KEY_ID": ("AKIA1", "AKIA2"),
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": ("/a", "/b"),
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": ("http://127.0.0.1/a", "http://127.0.0.1/b"),
    "AWS_ROLE_ARN": (_ARN.format("a"), _ARN.format("b")),
    "AWS_ROLE_SESSION_NAME": ("ab", "cd"),
    "AWS_WEB_IDENTITY_TOKEN_FILE": ("/t", "/u"),
    "AWS_PROFILE": ("p", "u"),
}
_FIXED = {
    "config v aws_access_key_id": "AKIA3",
    "config v aws_secret_access_key": "s",
    "config u aws_access_key_id": "AKIA1",
    "config u aws_secret_access_key": "s",
}


def _table() -> dict[str, tuple[str, ...]]:
    """Return all inputs with the values that each may have."""
    table: dict[str, tuple[str, ...]] = {"profile": ("p", "m", "u", "default"), "AWS_CONFIG_FILE": ("2",), **_VARIABLES}
    for name in ("p", "m", "default"):
        for key, values in {**_ROLES, **_SOURCES, **_PLACES}.items():
            table[f"config {name} {key}"] = values
    for key in ("role_arn", "external_id", "region", "aws_access_key_id"):
        table[f"credentials p {key}"] = {**_ROLES, **_SOURCES, **_PLACES}[key]
        table[f"config p credproc_{key}"] = table[f"credentials p {key}"]
    for key in ("aws_access_key_id", "aws_session_token", "aws_account_id"):
        table[f"credentials u {key}"] = _SOURCES[key]
    table["config u mfa_serial"] = _ROLES["mfa_serial"]
    table["config u region"] = _PLACES["region"]
    for name in ("s", "t"):
        table[f"services {name} endpoint_url"] = ("https://e.example", "https://f.example")
        table[f"sso-session {name} sso_start_url"] = ("https://g.example", "https://h.example")
        table[f"sso-session {name} sso_region"] = ("us-east-1", "eu-west-1")
    return table


INPUTS = _table()
# What a profile can be; the rest is added to one of them
_SHAPES: tuple[Inputs, ...] = (
    {"config p role_arn": _ARN.format("a"), "config p source_profile": "u"},
    {
        "config p role_arn": _ARN.format("a"),
        "config p source_profile": "m",
        "config m role_arn": _ARN.format("b"),
        "config m source_profile": "u",
    },
    *(
        {"config p role_arn": _ARN.format("a"), "config p credential_source": source}
        for source in _SOURCES["credential_source"]
    ),
    {"config p role_arn": _ARN.format("a"), "config p web_identity_token_file": "/t"},
    {"config p aws_access_key_id": "AKIA1", "config p aws_secret_access_key": "s"},
    {"config p credproc_access_key_id": "AKIAIOSFODNN7EXAMPLE"},
    {"config p credential_process": "/bin/a b"},
    {
        "config p sso_session": "s",
        "config p sso_account_id": "123456789012",
        "config p sso_role_name": "r",
        "sso-session s sso_start_url": "https://g.example",
        "sso-session s sso_region": "us-east-1",
        "sso-session t sso_start_url": "https://g.example",
        "sso-session t sso_region": "us-east-1",
    },
)
_UNNAMED: tuple[Inputs, ...] = (
    {},
    {"AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": _ARN.format("a")},
    {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/a"},
    {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/a"},
)


def _change(key: str) -> st.SearchStrategy[tuple[str, str | None]]:
    return st.tuples(st.just(key), st.sampled_from((*INPUTS[key], None)))


_CHANGES = st.sampled_from(sorted(INPUTS)).flatmap(_change)
_NAMED = st.sampled_from([{"profile": "p", **shape} for shape in _SHAPES])
_STARTS = st.tuples(
    st.one_of(_NAMED, _NAMED, st.sampled_from(_UNNAMED)),
    st.lists(_CHANGES, max_size=4, unique_by=lambda found: found[0]),
)


class Walk(NamedTuple):
    """Inputs, one change after the other, and whether each is looked at within the same two seconds."""

    start: tuple[Inputs, list[tuple[str, str | None]]]
    changes: list[tuple[str, str | None]]
    at_once: bool


WALKS = st.builds(Walk, _STARTS, st.lists(_CHANGES, min_size=1, max_size=5), st.booleans())


class Machine:
    """A home, a cache, and for all that determines the credentials a document of its own."""

    def __init__(self, path: Path, tally: Tally) -> None:
        self.path = path
        self.directory = make_directory(str(path / "cache"))
        self.tally = tally
        self.written = 0

    def answer(self, inputs: Inputs, now: float) -> None:
        """Go from the inputs to a document as a run does, and see that it is the one of these inputs."""
        environ = self._laid_out(inputs)
        profile = cache.profile_named(inputs.get("profile"), environ)
        name = cache.entry_name(profile, environ)
        hit = cache.hit(profile, environ, now)
        fingerprint = cache.fingerprint(environ, now)
        try:
            plan = plan_for(read(environ), Request(profile, environ, 0.0, user="alice"))
        except ConfigError:
            assert hit is None, "no plan, no credentials"
            self.tally["refused"] += 1
            return
        wanted = Credentials(_label(plan), "secret", "token", int(now) + 3600)
        keeper = EntryStore(self.directory, name, fingerprint, plan, profile)
        kept = keeper.find(now)
        if hit is not None:
            assert kept is not None
            self.tally["hits"] += 1
        elif kept is not None and kept.is_fresh:
            keeper.restamp(kept)
            self.tally["restamped"] += 1
        else:
            assert keeper.store(Fetched(wanted, renewable=True), now) == document(wanted)
            self.tally["obtained"] += 1
            return
        served = json.loads(hit or kept.document)
        assert served["AccessKeyId"] == wanted.access_key_id, f"{kept.entry.compared!r} does not answer {plan}"

    def _laid_out(self, inputs: Inputs) -> dict[str, str]:
        """Write the two files where they have changed; return the environment."""
        environ = {key: value for key, value in inputs.items() if key in _VARIABLES}
        config = self.path / ("config-2" if "AWS_CONFIG_FILE" in inputs else "config")
        for file, path in (("config", config), ("credentials", self.path / "credentials")):
            text = _text(file, {**_FIXED, **inputs})
            if not path.exists() or path.read_text() != text:
                self.written += 1
                path.write_text(text)
                os.utime(path, (self.written, self.written))  # a file system's clock may stand still for two writes
        return {
            "HOME": "/nonexistent",
            "AWS_CONFIG_FILE": str(config),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.path / "credentials"),
            "CREDPROC_CACHE_DIR": str(self.path / "cache"),
            **environ,
        }


def _text(file: str, inputs: Inputs) -> str:
    """Return the file that the inputs describe."""
    sections: dict[str, list[str]] = {}
    for key, value in inputs.items():
        kind, _, rest = key.partition(" ")
        name, _, setting = rest.partition(" ")
        if kind == file == "credentials":
            sections.setdefault(f"[{name}]", []).append(f"{setting} = {value}\n")
        elif kind == file == "config":
            sections.setdefault(f"[profile {name}]", []).append(f"{setting} = {value}\n")
        elif kind == "services" and file == "config":
            sections[f"[services {name}]"] = [f"sts =\n  {setting} = {value}\n"]
        elif kind == "sso-session" and file == "config":
            sections.setdefault(f"[sso-session {name}]", []).append(f"{setting} = {value}\n")
    return "".join(f"{header}\n{''.join(lines)}" for header, lines in sections.items())


def _label(plan: Plan) -> str:
    """Return an access key id that stands for what AWS would be asked, and by whom; not made from ``compared()``."""

    def shown(role: Role | None) -> str:
        return "" if role is None else repr(role._replace(where=""))

    source, endpoint = plan.source, plan.endpoint
    asked = (
        (source.kind, source.identity, shown(source.role), [shown(role) for role in plan.roles]),
        (endpoint.address, endpoint.signing_region, None if plan.mfa is None else plan.mfa.serial),
        None if plan.roles else (plan.account_id, plan.session_seconds),
    )
    return "ASIA" + blake2b(repr(asked).encode(), digest_size=16).hexdigest()


def check_walk(walk: Walk, tally: Tally) -> None:
    """Change one input after the other, and back; no document of other inputs is ever served."""
    start, added = walk.start
    inputs = dict(start)
    steps = [inputs]
    for number, (key, value) in enumerate([*added, *walk.changes]):
        inputs = {**inputs, key: value} if value is not None else {k: v for k, v in inputs.items() if k != key}
        if number >= len(added):
            steps.append(inputs)
    with tempfile.TemporaryDirectory() as directory:
        machine = Machine(Path(directory), tally)
        with closing(machine.directory):
            for each in [*steps, *reversed(steps), steps[0]]:
                machine.answer(each, time.time() + (0 if walk.at_once else _LATER))


# --- no clock makes an expired document good --------------------------------------------------------------------------


class Clock(NamedTuple):
    """When credentials are stored and when they are looked at."""

    issued: float  # epoch seconds
    lifetime: int  # seconds from then; as STS's clock has it
    renewable: bool
    looks: list[tuple[float, bool]]  # epoch seconds, and whether a refresh fails then


def _clocks() -> st.SearchStrategy[Clock]:
    moments = st.one_of(st.floats(0, LATEST + 1e6), st.integers(0, LATEST).map(float))
    lifetimes = st.one_of(
        st.integers(-400, 4000), st.sampled_from([0, 1, 2, 3, 60, 61, 900, 2880, 3600, 43200, 129600])
    )

    def looks(issued: float, lifetime: int) -> st.SearchStrategy[list[tuple[float, bool]]]:
        borders = [issued - 300, issued, issued + lifetime, issued + lifetime - 60, issued + lifetime - 960]
        near = st.tuples(st.sampled_from(borders), st.floats(-310, 310)).map(sum)
        exact = st.tuples(st.sampled_from(borders), st.integers(-2, 2)).map(sum)
        return st.lists(st.tuples(st.one_of(near, exact, moments), st.booleans()), min_size=1, max_size=8)

    return st.tuples(moments, lifetimes).flatmap(
        lambda pair: st.builds(Clock, st.just(pair[0]), st.just(pair[1]), st.booleans(), looks(*pair))
    )


CLOCKS = _clocks()
_PLAN = plan_for(parse("[profile p]\naws_access_key_id = AKIA\naws_secret_access_key = s\n", ""), Request("p", {}, 0.0))


def check_clock(clock: Clock, tally: Tally) -> None:
    """Store under one clock, look under others: what is served has life left, and was not issued in the future."""
    expiration = int(clock.issued) + clock.lifetime
    file = OneFile(b"")
    directory = cast("PrivateDirectory", file)
    keeper = EntryStore(directory, NAME, "-,-", _PLAN, "p")
    try:
        printed = keeper.store(Fetched(Credentials("ASIA", "s", "t", expiration), clock.renewable), clock.issued)
    except ServiceError:
        assert expiration <= clock.issued or not 0 <= expiration <= LATEST
        assert file.data == b"", "what cannot be printed is not kept"
        tally["refused"] += 1
        return
    assert expiration > clock.issued
    written = json.loads(printed)["Expiration"]
    assert _EXPIRATION.fullmatch(written)
    assert _seconds(written) == expiration
    for now, fails in clock.looks:
        served = cache.fresh(directory, NAME, {"HOME": "/nonexistent"}, now)
        kept = keeper.find(now)
        assert kept is not None
        assert kept.entry.served_until <= expiration - min(MIN_SECONDS_LEFT, int(expiration - clock.issued) // 3)
        assert (served is not None) is kept.is_fresh
        if served is not None or kept.is_valid:
            tally["served"] += 1
            assert max(0, int(clock.issued) - cache.CLOCK_SLACK) <= now < expiration
            assert kept.document == printed
        if kept.is_valid and fails:
            tally["served after a failure"] += 1
            keeper.restamp_for_a_minute(kept, now)
            stamped = keeper.find(now)
            assert stamped is not None
            assert stamped.entry.served_until <= min(now + 60, expiration - MIN_SECONDS_LEFT)


def _seconds(written: str) -> int:
    """Return the epoch seconds of an Expiration that has been printed."""
    return int(datetime.fromisoformat(written.removesuffix("Z") + "+00:00").timestamp())


# --- what another program prints --------------------------------------------------------------------------------------

_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just(10**400), st.just("\x1b[31m")
)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
)
_FORMS = (
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y-%m-%dT%H:%M:%S+00:00",
    "%Y-%m-%dT%H:%M:%S-05:45",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S UTC",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%Y%m%dT%H%M%SZ",
    "%Y-%m-%d",
    "%H:%M",
    "%Y-%m-%dT23:59:60Z",
    "%Y-13-45T00:00:00Z",
)
_MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 30))  # noqa: DTZ001 - the form says the zone
_WRITTEN = st.tuples(_MOMENTS, st.sampled_from(_FORMS)).map(lambda pair: pair[0].strftime(pair[1]))
_SOUND = {
    "Version": 1,
    "AccessKeyId": "ASIA",
    "SecretAccessKey": "s",
    "SessionToken": "t",
    "Expiration": "2099-01-01T00:00:00Z",
    "AccountId": "123456789012",
}
_ENDS = st.one_of(_WRITTEN, _WRITTEN, st.integers(0, 10**12), _VALUES)
_PRINTED = st.one_of(
    _VALUES,
    _ENDS.map(lambda end: {**_SOUND, "Expiration": end}),
    _ENDS.map(lambda end: {**_SOUND, "Expiration": end}),
    st.tuples(st.sampled_from(sorted(_SOUND)), _VALUES).map(lambda pair: {**_SOUND, pair[0]: pair[1]}),
    st.sampled_from(sorted(_SOUND)).map(lambda left_out: {k: v for k, v in _SOUND.items() if k != left_out}),
)
PRINTED = st.one_of(
    _PRINTED.map(lambda value: json.dumps(value).encode("utf-8", "replace")),
    _PRINTED.map(lambda value: json.dumps(value).encode("utf-8", "replace")),
    st.binary(max_size=60),
)


class Program:
    """A profile whose ``credential_process`` prints what a file holds."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory()
        self._file = Path(self._directory.name) / "printed"
        config = parse(f"[profile p]\ncredential_process = /bin/cat {self._file}\n", "")
        self._source = plan_for(config, Request("p", {}, 0.0)).source

    def check(self, printed: bytes, tally: Tally) -> None:
        """See that what the program prints becomes a document that all SDKs read, or an error in our words."""
        self._file.write_bytes(printed)
        try:
            credentials = process.fetch(self._source, {"PATH": "/bin"}, ChildProcesses())
            made = document(credentials)
        except (SourceError, ServiceError):
            tally["refused"] += 1
            return
        tally["taken"] += 1
        fields = json.loads(made)
        assert fields.pop("Version") == 1
        assert all(isinstance(value, str) and value for value in fields.values()), "null and numbers are for nobody"
        if "Expiration" in fields:
            tally["with an end"] += 1
            assert _EXPIRATION.fullmatch(fields["Expiration"])
            assert credentials.expiration is not None
            assert credentials.expiration > time.time() - 1, "expired credentials are never printed"


_program = cached(Program)


def check_printed(printed: bytes, tally: Tally) -> None:
    """See what comes of it; one program for all, as what botocore needs takes longer to make than to use."""
    _program().check(printed, tally)


# --- documents, text, codes -------------------------------------------------------------------------------------------

_SENDABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=80)
_LONG = st.tuples(_SENDABLE, st.integers(1, 100)).map(lambda pair: pair[0] * pair[1])
CREDENTIALS = st.builds(
    Credentials,
    _SENDABLE,
    _SENDABLE,
    st.one_of(st.none(), _LONG),
    st.one_of(st.none(), st.integers(0, LATEST), st.sampled_from([-1, 0, LATEST, LATEST + 1])),
    st.one_of(st.none(), st.from_regex(r"[0-9]{12}", fullmatch=True)),
)
SPOILT = st.tuples(CREDENTIALS, st.integers(0, 4), st.characters(), st.integers(0, 80))


def check_document(credentials: Credentials, tally: Tally) -> None:
    """What can be sent comes back from its document; what is too long, or at no time, is refused."""
    try:
        made = document(credentials)
    except ServiceError:
        late = credentials.expiration is not None and not 0 <= credentials.expiration <= LATEST
        assert late or sum(len(value or "") for value in credentials[:3]) > LIMIT / 2
        tally["refused"] += 1
        return
    tally["made"] += 1
    fields = json.loads(made)
    assert made.endswith(b"\n")
    assert made.count(b"\n") == 1
    assert len(made) < LIMIT
    assert made.decode("ascii").rstrip("\n").isprintable()
    again = Credentials(
        fields["AccessKeyId"],
        fields["SecretAccessKey"],
        fields.get("SessionToken"),
        None if credentials.expiration is None else _seconds(fields["Expiration"]),
        fields.get("AccountId"),
    )
    assert again == credentials
    assert len(fields) == 3 + sum(value is not None for value in credentials[2:])


def check_spoilt(spoilt: tuple[Credentials, int, str, int], tally: Tally) -> None:
    """One character that no header can hold, anywhere in any field, and there is no document."""
    credentials, field, character, position = spoilt
    value = credentials[field]
    if "!" <= character <= "~" or not isinstance(value, str):
        return
    changed: dict[str, Any] = {Credentials._fields[field]: value[:position] + character + value[position:]}
    tally["spoilt"] += 1
    try:
        document(credentials._replace(**changed))
    except ServiceError as error:
        assert value not in str(error) or len(value) < 12  # noqa: PT017 - a short one may be a word of the message
    else:
        raise AssertionError(f"{character!a} was let through")


TEXTS = st.tuples(st.text(st.characters(exclude_categories=[]), max_size=60), st.one_of(st.none(), st.integers(3, 70)))


def check_inert(case: tuple[str, int | None], tally: Tally) -> None:
    """Text that was made inert is printable, seen, bounded, and stays as it is."""
    text, limit = case
    shown = inert(text, limit)
    tally["changed"] += shown != text
    assert_inert(shown)
    assert limit is None or len(shown) <= limit
    assert inert(shown, limit) == shown


def assert_inert(shown: str) -> None:
    """Assert that the text holds nothing that moves, hides or piles up."""
    assert shown.isprintable()
    for character in set(shown):
        assert unicodedata.category(character)[0] not in "CM" or unicodedata.category(character) == "Mc", character
        assert unicodedata.category(character) not in ("Zl", "Zp"), ascii(character)
        assert unicodedata.bidirectional(character) not in _STEERING, ascii(character)


_STEERING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN", "B", "S")
TYPED = st.one_of(
    st.text(max_size=12),
    st.text(st.sampled_from("0123456789 \t\u00a0\u0660\u0661\uff11\u00b2\x1b[200~"), max_size=14),
    st.from_regex(r" *(\x1b\[200~)?[0-9 ]{5,9}(\x1b\[201~)? *\n?", fullmatch=True),
)


def check_code(typed: str, tally: Tally) -> None:
    """A code is the six digits that were typed, and nothing else is one."""
    code = parse_code(typed)
    plain = "".join(typed.replace("\x1b[200~", "").replace("\x1b[201~", "").split())
    is_code = len(plain) == 6 and set(plain) <= set("0123456789")
    assert code == (plain if is_code else None)
    tally["codes" if is_code else "refused"] += 1


# --- how long is looked -----------------------------------------------------------------------------------------------


class Property(NamedTuple):
    """What holds, for which examples, and how many of them the tests try."""

    words: str
    strategy: st.SearchStrategy[Any]
    check: Callable[[Any, Tally], None]
    examples: int
    kinds: tuple[str, ...]  # of which some must be among the examples, or little was tried


def held(found: Property, examples: int, number: int) -> Tally:
    """Try so many examples of the row with this number; return how many of which kind there were."""
    tally: Tally = Counter()

    @seed(number)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(found.strategy)
    def run(example: Any) -> None:
        tally["examples"] += 1
        found.check(example, tally)

    run()
    return tally


PROPERTIES = {
    "entries": Property(
        "an entry answers its own inputs alone", WALKS, check_walk, 150, ("hits", "restamped", "obtained", "refused")
    ),
    "clocks": Property(
        "no clock makes an expired document good",
        CLOCKS,
        check_clock,
        400,
        ("served", "served after a failure", "refused"),
    ),
    "programs": Property(
        "what a program prints is a document or an error",
        PRINTED,
        check_printed,
        200,
        ("taken", "with an end", "refused"),
    ),
    "documents": Property(
        "credentials come back from their document", CREDENTIALS, check_document, 500, ("made", "refused")
    ),
    "charset": Property("what cannot be sent is refused", SPOILT, check_spoilt, 500, ("spoilt",)),
    "inert": Property("inert text can only be read", TEXTS, check_inert, 1000, ("changed",)),
    "codes": Property("a code is six digits", TYPED, check_code, 500, ("codes", "refused")),
}


def main() -> None:
    """Try each property as often as the arguments ask for, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("names", nargs="*", choices=[*PROPERTIES, []], metavar="NAME", help=", ".join(PROPERTIES))
    options = parser.parse_args()
    for name in options.names or PROPERTIES:
        began = time.monotonic()
        tally = held(PROPERTIES[name], options.examples, options.seed)
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in tally.items() if kind != "examples")
        day = time.strftime("%Y-%m-%d", time.gmtime())
        sys.stdout.write(
            f"{day} property {name}: {tally['examples']:,} examples ({kinds}) in {time.monotonic() - began:,.0f} s,"
            f" seed {options.seed}, 0 findings\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
