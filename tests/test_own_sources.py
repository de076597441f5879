"""The environment and another program as sources, beside botocore's own readers of them."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import EnvProvider, ProcessProvider
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credproc.credentials import Credentials
from credproc.errors import ConfigError, SourceError
from credproc.plan.source import Source
from credproc.sources import environment, process
from credproc.sources.children import ChildProcesses
from credproc.sources.expiration import ExpiredError, parse_expiration
from tests.wording import assert_names

ENVIRONMENT = Source("Environment", "config:1")
SOON = "2099-01-01T00:00:00Z"
NO_ZONE = "2099-01-01 00:00:00"


def _theirs(found: Any) -> Credentials | None:
    """Return what botocore has loaded in our shape."""
    if found is None:
        return None
    frozen = getattr(found, "_frozen_credentials", None) or found.get_frozen_credentials()
    expiry = getattr(found, "_expiry_time", None)
    end = None if expiry is None else int(expiry.timestamp())
    return Credentials(frozen.access_key, frozen.secret_key, frozen.token or None, end, frozen.account_id)


_NAMES = "ACCESS_KEY_ID SECRET_ACCESS_KEY SESSION_TOKEN SECURITY_TOKEN ACCOUNT_ID".split()
_VARIABLES = {f"AWS_{name}": st.sampled_from(["", "one", "two"]) for name in _NAMES}


@given(st.fixed_dictionaries({}, optional=_VARIABLES | {"AWS_CREDENTIAL_EXPIRATION": st.sampled_from(["", SOON])}))
def test_the_environment_is_read_as_botocore_reads_it(environ: dict[str, str]) -> None:
    try:
        theirs = _theirs(EnvProvider(environ=environ).load())
    except Exception:  # noqa: BLE001 - of whatever kind
        theirs = None
    try:
        ours = environment.fetch(ENVIRONMENT, environ)
    except SourceError:
        ours = None
    assert ours == theirs
    assert ours is None or tuple(ours) == tuple(theirs or ())


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "credential_source = Environment AWS_ACCESS_KEY_ID"),
        ({"AWS_ACCESS_KEY_ID": "A"}, "Environment: AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"),
        (
            {
                "AWS_ACCESS_KEY_ID": "A",
                "AWS_SECRET_ACCESS_KEY": "s",
                "AWS_CREDENTIAL_EXPIRATION": "2001-01-01T00:00:00Z",
            },
            "Environment: expired",
        ),
        (
            {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_CREDENTIAL_EXPIRATION": "soon"},
            "Environment: AWS_CREDENTIAL_EXPIRATION time",
        ),
    ],
)
def test_an_environment_that_cannot_be_used_is_said_to_be(environ: dict[str, str], said: str) -> None:
    with pytest.raises(SourceError) as failure:
        environment.fetch(ENVIRONMENT, environ)
    assert_names(str(failure.value), "config:1: ", *said.split())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
_ENDS = st.sampled_from(
    [
        SOON,
        "2099-01-01T02:00:00+02:00",
        NO_ZONE,
        "Thu, 01 Jan 2099 00:00:00 GMT",
        "2001-01-01T00:00:00Z",
        "",
    ]
)
_DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "Version": st.sampled_from([1, 1, 1, 1.0, 2, "1", True]) | _JSON,
        "AccessKeyId": st.sampled_from(["AKIA", "ASIA"]) | _JSON,
        "SecretAccessKey": st.sampled_from(["s", "t"]) | _JSON,
        "SessionToken": st.sampled_from(["token", ""]) | _JSON,
        "Expiration": _ENDS | _JSON,
        "AccountId": st.sampled_from(["123456789012", ""]) | _JSON,
    },
)
_WHOLE = st.just({"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "s"})


@pytest.mark.posix("a program that is a script of a shell")
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=st.tuples(_WHOLE | st.just({}), _DOCUMENTS).map(lambda both: both[0] | both[1]) | _JSON)
def test_what_a_program_prints_is_read_as_botocore_reads_it(tmp_path: Path, document: Any) -> None:
    (tmp_path / "document").write_text(json.dumps(document))
    command = f"/bin/cat {tmp_path}/document"
    try:
        theirs = _theirs(ProcessProvider("p", lambda: {"profiles": {"p": {"credential_process": command}}}).load())
        # Botocore hands out what is no text, what has expired, and an end without a zone, with which it cannot sign;
        # ours is an error, as no SDK could use it
        if theirs is not None and (
            not all(isinstance(text, str) for text in (theirs[0], theirs[1], theirs[2] or ""))
            or (theirs.expiration is not None and theirs.expiration <= time.time())
            or document.get("Expiration") == NO_ZONE
        ):
            theirs = None
    except Exception:  # noqa: BLE001 - of whatever kind
        theirs = None
    if theirs is not None and not isinstance(theirs.account_id, str):
        theirs = theirs._replace(account_id=None)
    source = Source("Process", "config:1", "p", (("command", command),))
    started = ChildProcesses()
    try:
        ours = process.fetch(source, {"PATH": "/bin"}, started)
    except SourceError:
        ours = None
    assert len(started) == 1, "it is run once"
    assert (None if ours is None else tuple(ours)) == (None if theirs is None else tuple(theirs))


@pytest.mark.posix("/bin/false, /bin/cat and /bin/echo")
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("/bin/false", "status 1"),
        ("/bin/sh -c 'echo a word >&2; exit 3'", "exited with status 3"),
        ("/nowhere/program", "no such file or directory"),
        ("/bin/cat 'half", "quotation"),
        ("", "no program"),
        ("/bin/echo", "Version 1"),
        ("/bin/echo {}", "has no Version"),
        ('/bin/echo \'{"Version": "wJalrXUtnFEMI"}\'', "has another Version than 1"),
        ("/bin/echo '{\"Version\": 1}'", "Missing required key in response: 'AccessKeyId'"),
    ],
)
def test_a_program_that_gives_nothing_is_said_to(command: str, said: str) -> None:
    with pytest.raises(SourceError) as failure:
        process.fetch(Source("Process", "config:1", "p", (("command", command),)), {"PATH": "/bin"}, ChildProcesses())
    assert_names(str(failure.value), "config:1: credential_process of 'p': ", said)
    assert "wJalr" not in str(failure.value)


@pytest.mark.posix("a program that is a script of a shell")
def test_what_a_program_says_is_told_beside_the_error_without_the_secrets_that_it_was_given() -> None:
    source = Source(
        "Process", "config:1", "p", (("command", "/bin/sh -c 'echo no $AWS_SESSION_TOKEN luck >&2; exit 3'"),)
    )
    environ = {"PATH": "/bin", "AWS_SESSION_TOKEN": "FwoGZXIvYXdzE" * 9, "AWS_ACCESS_KEY_ID": "ASIAIOSFODNN7EXAMPLE"}
    with pytest.raises(SourceError) as failure:
        process.fetch(source, environ, ChildProcesses())
    assert failure.value.quotation == "no *** luck"
    assert "luck" not in str(failure.value)


@pytest.mark.posix("a program that is a script of a shell")
@pytest.mark.parametrize("end", ["2099-01-01T00:00:00", "2099-01-01 00:00:00", "2099-01-01", "", "soon", 4070908800])
def test_an_end_that_is_no_time_with_a_zone_is_an_error_that_says_the_form(tmp_path: Path, end: str | int) -> None:
    document = {"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "s", "Expiration": end}
    (tmp_path / "document").write_text(json.dumps(document))
    source = Source("Process", "config:1", "p", (("command", f"/bin/cat {tmp_path}/document"),))
    with pytest.raises(SourceError) as failure:
        process.fetch(source, {"PATH": "/bin"}, ChildProcesses())
    assert_names(str(failure.value), "config:1: ", "Expiration", "zone", "2030-01-31T12:00:00Z")


@pytest.mark.parametrize("blank", ["\n", " ", "\t", "\u00a0", "\r\n"])
def test_white_space_around_a_variable_is_no_part_of_it(blank: str) -> None:
    environ = {"AWS_ACCESS_KEY_ID": f"A{blank}", "AWS_SECRET_ACCESS_KEY": f"{blank}s", "AWS_SESSION_TOKEN": f"t{blank}"}
    assert tuple(environment.fetch(ENVIRONMENT, environ))[:3] == ("A", "s", "t")


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
@pytest.mark.parametrize("inside", ["\n", "\r", "\t", "\x1b", "\x7f"])
def test_a_variable_that_cannot_be_sent_is_named_without_its_value(name: str, inside: str) -> None:
    environ = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"} | {name: f"half{inside}half"}
    with pytest.raises(ConfigError) as failure:
        environment.fetch(ENVIRONMENT, environ)
    assert_names(str(failure.value), f"{name}: ")
    assert "half" not in str(failure.value)


def test_an_end_is_exact_to_the_second() -> None:
    now = int(time.time())
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 60))
    assert parse_expiration(moment) == now + 60
    with pytest.raises(ExpiredError):
        parse_expiration(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)))
