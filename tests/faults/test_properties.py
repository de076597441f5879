"""What holds for whatever is generated, a few examples of each; build/fuzz looks longer."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest

from credproc import cache
from credproc.config.parser import parse
from credproc.credentials import LATEST, Credentials, account_in, document
from credproc.errors import ConfigError, ServiceError, SourceError, inert
from credproc.plan import plan_for
from credproc.refresh.entry import Fetched, entry_metadata, served_until
from credproc.request import Request
from credproc.sources.children import ChildProcesses
from credproc.sources.process import fetch
from tests.faults import fuzz_config, fuzz_entry, fuzz_plan
from tests.faults.properties import PROPERTIES, assert_inert, check_printed, held

NOW = 1_800_000_000
KEYS = "aws_access_key_id = AKIA\naws_secret_access_key = s\n"
ROLE = "role_arn = arn:aws:iam::123456789012:role/x\n"


class Target(Protocol):
    """What each fuzz target is made of."""

    FOUND: tuple[bytes, ...]

    def check(self, data: bytes) -> None:
        """Try one input."""

    def corpus(self) -> Iterator[bytes]:
        """Yield where fuzzing starts."""


CAT = pytest.mark.posix("a source program, which is cat")


@pytest.mark.parametrize("name", [pytest.param(name, marks=CAT) if name == "programs" else name for name in PROPERTIES])
def test_a_property_holds_and_was_tried_in_earnest(name: str) -> None:
    found = PROPERTIES[name]
    tally = held(found, found.examples, time.time_ns())
    assert tally["examples"] >= found.examples / 2, tally  # fewer only where there are not so many
    assert all(tally[kind] > 0 for kind in found.kinds), tally


# --- what the fuzz targets have found, and where they start -----------------------------------------------------------


@pytest.mark.parametrize("target", [fuzz_config, fuzz_plan, fuzz_entry], ids=["config", "plan", "entry"])
def test_what_has_failed_once_and_where_fuzzing_starts_is_sound(target: Target) -> None:
    for data in [*target.corpus(), *target.FOUND]:
        target.check(data)


def _chain(count: int, line: str) -> str:
    return "".join(f"[profile p{n}]\n{line.format(n + 1)}\n" for n in range(count))


BIG = {
    "a name in quotes": f'[profile "{"a" * 1_000_000}"]\n',
    "a name in quotes with an escape": f'[profile "{"a" * 1_000_000}\\\\"]\n',
    "names in quotes": "".join(f'[profile "a {n}"]\n' for n in range(50_000)),
    "lines below a setting": "[profile p0]\nx =\n" + "  a = b\n" * 200_000,
    "lines that go on": "[profile p0]\nx = y\n" + "  a\n" * 300_000,
    "a command": f"[profile p0]\ncredential_process = {'a' * 1_000_000}\n",
    "aliases": _chain(3_000, "credential_process = credproc --profile p{}"),
    "roles": _chain(5_000, ROLE + "source_profile = p{}"),
    "misspelt keys": "[profile p0]\n" + "".join(f"rolearn{n} = x\n" for n in range(50_000)),
    "names alike": "".join(f"[profile q{n:06}]\n" for n in range(50_000)) + f"[profile p0]\n{ROLE}source_profile = q",
    "nothing": "\n" * 1_000_000,
    "what is passed over": "[profile p0]\n" + "a b = c\n" * 100_000,
}


@pytest.mark.parametrize("text", BIG.values(), ids=BIG)
def test_a_big_file_takes_no_time_that_grows_with_the_square_of_its_size(text: str) -> None:
    began = time.process_time()
    config = parse(text, "")
    with suppress(ConfigError):
        plan_for(config, Request("p0", {}, 0.0))
    assert time.process_time() - began < 2.5, "seconds of the processor; a square would take a minute"
    assert len(config.remarks) <= 100


def test_a_policy_deeper_than_json_goes_is_named_with_its_line() -> None:
    text = f"[profile p]\n{ROLE}source_profile = u\ncredproc_policy = {'[' * 100_000}\n[profile u]\n{KEYS}"
    with pytest.raises(ConfigError, match=r"^config:4: credproc_policy .*JSON"):
        plan_for(parse(text, ""), Request("p", {}, 0.0))


# --- what the properties have found -----------------------------------------------------------------------------------


def test_every_code_point_is_inert() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    shown = inert(everything)
    assert_inert(shown)
    left = "".join(sorted(set(shown)))
    assert inert(left) == left, "and so is all that is made of these"
    assert len(shown) < 11 * len(everything)
    for limit in (3, 80, 1500):
        assert len(inert(everything, limit)) == limit


@pytest.mark.parametrize("unseen", ["\u034f", "\ufe0f", "\U000e0100", "\u115f", "\u3164", "\u2800", "\u0e34", "\u20dd"])
def test_what_shows_nothing_by_itself_is_written_out(unseen: str) -> None:
    assert inert(f"a{unseen}b") == f"a\\{'u' if unseen <= chr(0xFFFF) else 'U000'}{ord(unseen):04x}b"


def test_credentials_that_expired_on_the_way_are_neither_printed_nor_kept() -> None:
    file = fuzz_entry.OneFile(b"")
    keeper = fuzz_entry._keeper(file)
    for left in (0, -1, -86400):
        with pytest.raises(ServiceError, match="expired before"):
            keeper.store(Fetched(Credentials("ASIA", "s", "t", NOW + left), renewable=True), NOW)
    assert file.data == b""
    keeper.store(Fetched(Credentials("ASIA", "s", "t", NOW + 1), renewable=True), NOW)
    assert file.data != b""


def test_nothing_is_served_beyond_its_end_whatever_the_clock_was() -> None:
    assert served_until(NOW - 300, NOW, renewable=True) == NOW - 300


@pytest.mark.parametrize("expiration", [-1, LATEST + 1, 10**20, 10**400])
def test_an_end_that_four_digits_of_a_year_cannot_say_is_refused(expiration: int) -> None:
    with pytest.raises(ServiceError, match="Expiration is no time that can be written"):
        document(Credentials("ASIA", "s", "t", expiration))


@pytest.mark.parametrize("account", ["\u00b2", "\u0661" * 12, "1 2", "1\n"])
def test_an_account_is_digits_of_ascii_or_is_refused(account: str) -> None:
    assert account_in(f"arn:aws:iam::{account}:role/x") is None
    with pytest.raises(ServiceError, match="AccountId"):
        document(Credentials("ASIA", "s", "t", NOW, account))


SOUND = {"Version": 1, "AccessKeyId": "ASIA", "SecretAccessKey": "s", "SessionToken": "t"}
NO_DOCUMENT: dict[str, object] = {
    "a list": [],
    "null": None,
    "a number": 5,
    "text": "x",
    "a number for a key": SOUND | {"AccessKeyId": 5},
    "a list for a key": SOUND | {"AccessKeyId": ["x"]},
    "null for a secret": SOUND | {"SecretAccessKey": None},
    "a number for a token": SOUND | {"SessionToken": 5},
    "epoch seconds": SOUND | {"Expiration": NOW + 10_000_000_000},
    "a list for an end": SOUND | {"Expiration": []},
    "true for an end": SOUND | {"Expiration": True},
    "a number without end": SOUND | {"Expiration": float("inf")},
    "a number beyond all": SOUND | {"Expiration": 10**400},
}


@CAT
@pytest.mark.parametrize("printed", NO_DOCUMENT.values(), ids=NO_DOCUMENT)
def test_json_of_another_shape_is_a_programs_failure_and_no_bug_of_ours(printed: object) -> None:
    tally: Counter[str] = Counter()
    check_printed(json.dumps(printed).encode(), tally)
    assert tally == {"refused": 1}


@CAT
def test_json_deeper_than_json_goes_is_not_called_expired(tmp_path: Path) -> None:
    (tmp_path / "printed").write_text("[" * 100_000)
    config = parse(f"[profile p]\ncredential_process = /bin/cat {tmp_path}/printed\n", "")
    source = plan_for(config, Request("p", {}, 0.0)).source
    with pytest.raises(SourceError, match="Version 1"):
        fetch(source, {"PATH": "/bin"}, ChildProcesses())


@CAT
def test_an_account_that_is_a_number_is_left_out() -> None:
    tally: Counter[str] = Counter()
    check_printed(json.dumps(SOUND | {"AccountId": 123456789012}).encode(), tally)
    assert tally["taken"] == 1


def test_an_entry_of_unsound_times_says_nothing() -> None:
    entry = cache.Entry(served_from=0, served_until=NOW, fingerprint="-,-", document=b"{}\n", compared=b"")
    for expiration in (-1, LATEST + 1, 10**400, "1", None):
        entry.compared = json.dumps({"plan": {}, "expiration": expiration}).encode()
        assert entry_metadata(entry) == {}
    entry.compared = json.dumps({"plan": {}, "expiration": LATEST}).encode()
    assert entry_metadata(entry)["expiration"] == LATEST
