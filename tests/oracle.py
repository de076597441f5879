"""Botocore as the oracle: the same profiles through both, against an STS that records, and the requests compared.

`python -m tests.oracle --examples 20000` is the deep sweep; tests/test_oracle.py runs 500 examples.

Each request of ours is then signed once more by botocore, with the same parameters, keys and time (tests/queries.py):
method, path, headers that are signed, body and signature must be the same, byte for byte.

What differs on purpose, each with its reason:

- `RoleSessionName` where a profile sets none: ours names the user, so that CloudTrail tells who it was.
- `duration_seconds` that is no whole number from 900 to 43200: ours is an error before any call; botocore drops it, or
  leaves the refusal to STS.
- `duration_seconds` above 3600 with temporary credentials: ours asks for 3600, which is all that AWS gives then.
- A profile with long-term keys and no role: ours buys a session by GetSessionToken; such keys are never printed.
- No region with a configured endpoint: ours signs for us-east-1, botocore raises NoRegionError.
- A role ARN of fewer than six fields, or of something else than a role: ours is an error before any call.
- A web identity token's newline at the end of its file: ours does not send it.
"""

import argparse
import os
import shlex
import sys
import tempfile
import threading
import time
from calendar import timegm
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import botocore.exceptions
import botocore.loaders
import botocore.session
from botocore.loaders import JSONFileLoader
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from credproc.credentials import Credentials
from credproc.errors import CredprocError
from credproc.refresh import Request, refresh
from tests.queries import Example as QueryExample
from tests.queries import botocore_request
from tests.sts import Call, Sts

PROFILES = ("p0", "p1", "p2", "p3")
ROLE = "arn:aws:iam::123456789012:role/{name}"
_LOADER = botocore.loaders.create_loader()  # the models are read once for all examples,
_load_once = cache(JSONFileLoader().load_file)  # by credproc too, whose every run has a loader of its own
_DURATIONS = ("900", "3600", "7200", "43200")
_ODD_DURATIONS = ("899", "43201", "abc", "1h", "-900", "36e2")


# On a machine that is busy with other things an answer may come too late; a disagreement comes again
# Names that aws configure takes; p0 is the one that is asked for
_NAMES = ("my user", "r&d", "acct(prod)", "a=b", "~me", "josé", "it's", "team/dev", 'say "hi"', "a#b", "a;b")
_BLANKS = ("", " ", "\t", "\u00a0", " \u2003")
_ELSEWHERE = ("", "[profile elsewhere]\n  region = x\n", "[elsewhere]\nregion = x\n", "[profile one two]\nx = y\n")
_ENDS = ("2099-01-01T00:00:00Z", "2099-01-01T02:00:00+02:00", "2099-01-01 00:00:00", "2001-01-01T00:00:00Z", "")
_NO_ROLES = (
    "arn:aws:iam::123456789012:user/x",
    "arn:aws:sts::123456789012:assumed-role/x/y",
    "arn:aws:iam::${ACCOUNT}:role/x",
)

_TRIES = 3
_STRAGGLING = 60  # seconds
_TOLD_EVERY = 1000  # examples


class Example(NamedTuple):
    """Profiles by name, which of them stand in the credentials file, and the variables."""

    profiles: Mapping[str, Mapping[str, str]]
    in_credentials: frozenset[str]
    environ: Mapping[str, str]
    newline: bool
    names: Mapping[str, str]  # what the profiles are called in the files
    blanks: tuple[str, str]  # around keys, and around values
    line_end: str
    elsewhere: str  # a section that no profile leads to
    end: str  # of the credentials that the program prints


class Outcome(NamedTuple):
    """The requests that were made, and the access key id that came of it; None: it failed."""

    calls: list[Call]
    access_key_id: str | None
    error: str = ""


def _keys(name: str) -> dict[str, str]:
    return {"aws_access_key_id": f"AKIA{name.upper()}", "aws_secret_access_key": f"secret-{name}"}


def _profile(name: str, directory: str) -> st.SearchStrategy[dict[str, str]]:
    """Return a strategy of one profile's settings."""
    role = {"role_arn": ROLE.format(name=name)}
    later = PROFILES[PROFILES.index(name) + 1 :]
    sources = st.sampled_from([*later * 4, *PROFILES, "missing"])  # most lead somewhere, some in circles
    named = st.sampled_from(["Environment", "Environment", "environment", "EcsContainer", "Ec2InstanceMetadata"])
    with_source = sources.map(lambda source: role | {"source_profile": source})
    bases = [
        with_source,
        with_source,
        with_source,
        with_source.map(lambda found: found | _keys(name)),
        named.map(lambda source: role | {"credential_source": source}),
        st.just(role),
        sources.map(lambda source: role | {"source_profile": source, "credential_source": "Environment"}),
        st.just(role | {"web_identity_token_file": f"{directory}/token"}),
        st.just(role | {"web_identity_token_file": f"{directory}/no-token"}),
        st.just({"web_identity_token_file": f"{directory}/token"}),
        st.just(_keys(name)),
        st.just(_keys(name)),
        st.just(_keys(name) | {"aws_session_token": f"token-{name}"}),
        st.just({"aws_access_key_id": f"AKIA{name.upper()}"}),
        st.just({"aws_secret_access_key": "alone"}),
        st.just({"credential_process": f"/bin/cat {directory}/document"}),
        st.just({"credential_process": f"/bin/cat {directory}/document"} | _keys(name)),
        st.just({"credential_process": "/bin/false"}),
        st.just({"sso_account_id": "123456789012"}),
        st.just({"sso_session": "none", "sso_account_id": "123456789012", "sso_role_name": "x"}),
        st.just({"role_arn": "arn:aws:iam:123456789012:role/x", "source_profile": "p3"}),
        st.sampled_from(_NO_ROLES).map(lambda arn: {"role_arn": arn, "source_profile": "p3"}),
        st.just({"output": "json"}),
    ]
    sound = st.just(_keys(name)) if not later else with_source
    odd_text = st.sampled_from(["1234", "a:b/c=d@e", "%(here)s", "a;b#c", "$HOME", "a=b=c"])
    extras = st.fixed_dictionaries(
        {},
        optional={
            "external_id": odd_text,
            "role_session_name": st.sampled_from(["alice", "a@example.com", "x=y,z.w-v_u"]),
            "duration_seconds": st.sampled_from([*_DURATIONS * 8, *_ODD_DURATIONS]),
            "region": st.sampled_from(["us-west-2", "eu-central-1", "cn-north-1"]),
            "sts_regional_endpoints": st.sampled_from(["regional", "legacy"]),
        },
    )
    base = st.sampled_from([*[sound] * len(bases), *bases]).flatmap(lambda chosen: chosen)
    return st.tuples(base, extras).map(lambda both: {**both[1], **both[0]})


def examples(directory: str, url: str) -> st.SearchStrategy[Example]:
    """Return the strategy; ``directory`` holds a token and a document, ``url`` is where STS is."""
    local = url.replace("127.0.0.1", "localhost")
    regions = [{}, *({"AWS_DEFAULT_REGION": region} for region in ("us-east-1", "ap-northeast-1") * 4)]
    endpoint = st.sampled_from([{"AWS_ENDPOINT_URL_STS": url}, {"AWS_ENDPOINT_URL_STS": local}])
    keys = {"AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "secret"}
    keyed = st.sampled_from([{}, keys, keys | {"AWS_SESSION_TOKEN": "token"}, {"AWS_ACCESS_KEY_ID": "AKIAALONE"}])
    return st.builds(
        Example,
        st.fixed_dictionaries({name: _profile(name, directory) for name in PROFILES}),
        st.frozensets(st.sampled_from(PROFILES)),
        st.tuples(endpoint, st.sampled_from(regions), keyed).map(lambda parts: {**parts[0], **parts[1], **parts[2]}),
        st.booleans(),
        st.permutations(_NAMES).map(lambda names: dict(zip(PROFILES[1:], names, strict=False))) | st.just({}),
        st.tuples(st.sampled_from(_BLANKS), st.sampled_from(_BLANKS)),
        st.sampled_from(["\n", "\n", "\r\n"]),
        st.sampled_from(_ELSEWHERE),
        st.sampled_from([*[_ENDS[0]] * 4, *_ENDS]),
    )


# Botocore compares an end without a zone with one that has it, and does not read every text as a time
_FAILURES = (
    CredprocError,
    botocore.exceptions.BotoCoreError,
    botocore.exceptions.ClientError,
    OSError,
    RuntimeError,  # "Credentials were refreshed, but the refreshed credentials are still expired"
    TypeError,
    ValueError,
)


class Arena:
    """A directory, a recording STS, and the two who resolve against it."""

    def __init__(self, directory: Path, sts: Sts) -> None:
        """Lay out the files that examples refer to."""
        self.directory = directory
        self.sts = sts
        self.tally: Counter[str] = Counter()

    def compare(self, example: Example) -> None:
        """Resolve p0 by both and assert that they did the same, but for what differs on purpose."""
        (self.directory / "token").write_text("web-identity-token" + "\n" * example.newline)
        (self.directory / "document").write_text(
            '{"Version": 1, "AccessKeyId": "ASIAPROGRAM", "SecretAccessKey": "s", "SessionToken": "t",'
            f' "Expiration": "{example.end}"}}'
        )
        for file, wanted in (("config", False), ("credentials", True)):
            text = "".join(
                _section(name, found, example, in_credentials=wanted)
                for name, found in example.profiles.items()
                if (name in example.in_credentials) is wanted
            )
            text += "" if wanted else example.elsewhere
            (self.directory / file).write_bytes(text.replace("\n", example.line_end).encode())
        environ = {
            "HOME": str(self.directory),
            "PATH": os.environ["PATH"],
            "AWS_CONFIG_FILE": str(self.directory / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.directory / "credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "CREDPROC_CACHE_DIR": "/proc/nowhere",  # nothing can be kept there
            **example.environ,
        }
        for left in reversed(range(_TRIES)):
            with mock.patch.dict(os.environ, environ, clear=True):
                theirs = self._calls(_botocore)
                ours = self._calls(_credproc)
            try:
                return self._judge(example, theirs, ours)
            except AssertionError:
                if not left:
                    raise
            self.tally["once more"] += 1
            _await_stragglers()
        return None

    def _calls(self, resolve: Callable[[], str]) -> Outcome:
        before = len(self.sts.calls)
        key: str | None = None
        error = ""
        try:
            key = resolve()
        except _FAILURES as failure:
            error = f"{type(failure).__name__}: {failure}"
        return Outcome(self.sts.calls[before:], key, error)

    def _judge(self, example: Example, theirs: Outcome, ours: Outcome) -> None:
        walked = _walked(example)
        said = f"{example}\nbotocore: {theirs}\ncredproc: {ours}"
        if any(_is_odd(settings) for settings in walked) and ours.access_key_id is None:
            self.tally["refused before any call"] += 1
            assert not ours.calls, said
            return
        if theirs.access_key_id is None and "NoRegionError" in theirs.error:
            self.tally["no region"] += 1
            assert ours.access_key_id is not None, said
            assert {call.region for call in ours.calls if call.signed} <= {"us-east-1"}, said
            return
        if theirs.access_key_id and not theirs.calls and not _is_temporary(theirs.access_key_id, example):
            self.tally["keys without a role"] += 1
            asked = [(call.action, call.access_key_id) for call in ours.calls]
            assert asked == [("GetSessionToken", theirs.access_key_id)], said
            return
        assert (ours.access_key_id is None) == (theirs.access_key_id is None), said
        if ours.access_key_id is None:
            self.tally["both fail"] += 1
            return
        self.tally["both succeed"] += 1
        self.tally["roles assumed"] += bool(ours.calls)
        self.tally["chains"] += len(ours.calls) > 1
        assert [_normal(call, example) for call in ours.calls] == [_normal(call, example) for call in theirs.calls], (
            said
        )
        assert ours.access_key_id == theirs.access_key_id, said
        for call in ours.calls:
            self.tally["signed as botocore signs"] += 1
            assert _as_sent(call) == _as_botocore_sends(call, example), said


def _section(name: str, found: Mapping[str, str], example: Example, *, in_credentials: bool) -> str:
    """Return the section of a profile as it stands in one of the files."""
    called = example.names.get(name, name)
    header = called if in_credentials else f"profile {shlex.quote(called)}"
    around_key, around_value = example.blanks
    lines = []
    for key, value in found.items():
        written = example.names.get(value, value) if key == "source_profile" else value
        lines.append(f"{key}{around_key}={around_value}{written}{around_value}\n")
    return f"[{header}]\n{''.join(lines)}"


def _await_stragglers() -> None:
    """Wait for the calls that were left behind at their deadline: they must not be counted with the next ones."""
    for thread in threading.enumerate():
        if thread.daemon and thread.name.endswith("(_run)"):
            thread.join(_STRAGGLING)


def _walked(example: Example) -> list[Mapping[str, str]]:
    """Return the settings of the profiles that lie on the way from p0."""
    name, seen = "p0", list[str]()
    while name in example.profiles and name not in seen:
        seen.append(name)
        name = example.profiles[name].get("source_profile", "")
    return [example.profiles[name] for name in seen]


def _is_odd(settings: Mapping[str, str]) -> bool:
    """Whether ours refuses a profile's role settings before any call, where botocore goes on."""
    if "role_arn" not in settings or "web_identity_token_file" in settings:
        return False
    role_arn = settings["role_arn"]
    return settings.get("duration_seconds") in _ODD_DURATIONS or role_arn.count(":") < 5 or role_arn in _NO_ROLES


def _normal(call: Call, example: Example) -> tuple[Any, ...]:
    """Return what must be equal of two requests."""
    parameters = dict(call.parameters)
    if parameters.get("RoleSessionName", "").startswith(("botocore-session-", "credproc")):
        del parameters["RoleSessionName"]
    if _is_temporary(call.access_key_id or "", example) and int(parameters.get("DurationSeconds", "0")) > 3600:
        parameters["DurationSeconds"] = "3600"
    if "WebIdentityToken" in parameters:
        parameters["WebIdentityToken"] = parameters["WebIdentityToken"].rstrip("\n")
    return call.action, call.access_key_id, call.region, call.host, call.signed, tuple(sorted(parameters.items()))


def _as_sent(call: Call) -> tuple[Any, ...]:
    """Return what must be equal to the byte."""
    assert call.request is not None
    names = ("Content-Type", "X-Amz-Date", "X-Amz-Security-Token", "Authorization")
    return call.request.method, call.request.path, call.request.body, *map(call.request.header, names)


def _as_botocore_sends(call: Call, example: Example) -> tuple[Any, ...]:
    """Return the same of botocore's request, if it had to make the same call at the same time."""
    assert call.request is not None
    date = call.request.header("X-Amz-Date")
    seconds = 0 if date is None else timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))
    keys = _keys_of(call, example) if call.signed else None
    url, region = f"http://{call.host}{call.path}", call.region or "us-east-1"
    sent = botocore_request(QueryExample("sts", call.action, call.parameters, keys, url, region, seconds))
    headers = {name.lower(): value for name, value in sent.headers.items()}
    names = ("content-type", "x-amz-date", "x-amz-security-token", "authorization")
    values = (headers.get(name) for name in names)
    texts = (value.decode() if isinstance(value, bytes) else value for value in values)
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body
    return sent.method, call.path, body, *texts


def _keys_of(call: Call, example: Example) -> Credentials:
    """Return the keys that a call was signed with; a token of the recording STS tells its secret."""
    assert call.request is not None
    access_key_id = call.access_key_id or ""
    token = call.request.header("X-Amz-Security-Token")
    made = (token or "").removeprefix("FwoGZXIvYXdzE")
    if access_key_id == "AKIAENVIRONMENT":
        return Credentials(access_key_id, example.environ["AWS_SECRET_ACCESS_KEY"], token)
    if access_key_id == "ASIAPROGRAM":
        return Credentials(access_key_id, "s", token)
    if made != (token or ""):
        return Credentials(access_key_id, made[16:56], token)
    return Credentials(access_key_id, f"secret-{access_key_id.removeprefix('AKIA').lower()}", token)


def _is_temporary(access_key_id: str, example: Example) -> bool:
    """Whether the key came with a session token."""
    if access_key_id == "AKIAENVIRONMENT":
        return "AWS_SESSION_TOKEN" in example.environ
    profile = example.profiles.get(access_key_id.removeprefix("AKIA").lower(), {})
    return access_key_id.startswith("ASIA") or "aws_session_token" in profile


def _botocore() -> str:
    session = botocore.session.Session(profile="p0")
    session.register_component("data_loader", _LOADER)
    session.set_config_variable("metadata_service_num_attempts", 1)
    found = session.get_credentials()
    if found is None:
        raise botocore.exceptions.NoCredentialsError
    return found.get_frozen_credentials().access_key or ""


def _credproc() -> str:
    document = refresh(Request("p0", dict(os.environ), time.monotonic())).document
    return document.partition(b'"AccessKeyId":"')[2].partition(b'"')[0].decode()


def sweep(directory: Path, count: int, number: int) -> Counter[str]:
    """Compare so many examples of the sweep with this number; return how many of which kind there were."""
    with Sts(permissive=True) as sts, mock.patch.object(JSONFileLoader, "load_file", lambda _, path: _load_once(path)):
        arena = Arena(directory, sts)

        @seed(number)
        @settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(examples(str(directory), sts.url))
        def run(example: Example) -> None:
            arena.tally["examples"] += 1
            arena.compare(example)
            sts.calls.clear()
            if arena.tally["examples"] % _TOLD_EVERY == 0:
                sys.stderr.write(f"seed {number}: {_told(arena.tally)}\n")

        run()
    return arena.tally


def _told(tally: Counter[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in tally.items())


def _share(count: int, number: int) -> Counter[str]:
    with tempfile.TemporaryDirectory() as directory:
        return sweep(Path(directory), count, number)


def main() -> None:
    """Run the sweep that the arguments ask for, and print the tally."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument(
        "--processes", type=int, default=1, help="share the examples; each process has a seed of its own"
    )
    options = parser.parse_args()
    share = -(-options.examples // options.processes)
    seeds = range(options.seed, options.seed + options.processes)
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        tally = sum(pool.map(_share, [share] * options.processes, seeds), Counter[str]())
    sys.stdout.write(f"seed {options.seed}: {_told(tally)}\n")


if __name__ == "__main__":
    main()
