"""Fuzz target: any bytes as an entry of the cache are a hit within its times, or a miss."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from credproc import cache
from credproc.config.parser import parse
from credproc.credentials import Credentials, document
from credproc.plan import plan_for
from credproc.refresh.entry import EntryStore, Fetched, entry_metadata
from credproc.request import Request

if TYPE_CHECKING:
    from credproc.files import PrivateDirectory

NAME = "0123456789abcdef" + cache.SUFFIX
NOW = 1_800_000_000
_NOWHERE = {"HOME": "/nonexistent"}
_PLAN = plan_for(parse("[profile p]\naws_access_key_id = AKIA\naws_secret_access_key = s\n", ""), Request("p", {}, 0.0))
_KEYS = Credentials("ASIA", "s", "t", NOW + 3600)
FOUND = (
    b"credproc-2 %s %s %d -,-\n{}\n{}\n" % (NAME.encode(), b"1" * 5000, NOW),  # more digits than int reads
    b"credproc-2 %s 0 %d \xff\n{}\n{}\n" % (NAME.encode(), NOW),
    b"credproc-2 %s 0 %d -,-\n{}\n%s\n" % (NAME.encode(), NOW, b"[" * 50_000),
    b"credproc-2 %s 0 %d -,-\n{}\n%s\n"
    % (
        NAME.encode(),
        NOW + 60,
        json.dumps({"plan": _PLAN.compared(), "expiration": 10**400}).encode(),  # more than a float holds
    ),
)


class OneFile:
    """A directory with one file, in memory: a write to a disk and back takes longer than all that is tried."""

    def __init__(self, data: bytes) -> None:
        self.data: bytes | None = data

    def read(self, name: str, limit: int) -> bytes | None:
        """Return the file, as ``PrivateDirectory.read`` does."""
        data = self.data if name == NAME else None
        return data if data is not None and len(data) <= limit else None

    def open(self, name: str, _flags: int) -> int:
        """Open no file, such as the log."""
        raise FileNotFoundError(name)

    def write(self, name: str, data: bytes) -> None:
        """Replace the file."""
        assert name == NAME
        self.data = data

    def status(self, name: str) -> None:
        """Say that there is nothing to look at."""

    def some_names(self, _limit: int) -> list[str]:
        """Return no name: there is nothing to collect."""
        return []


def check(data: bytes) -> None:
    """Look the bytes up, as they are and with a digest in front that is right."""
    for whole in (data, cache._digest(data) + data):
        _check_entry(OneFile(whole))


def corpus() -> Iterator[bytes]:
    """Yield an entry as it is stored, without its digest and with it, and what has failed once."""
    file = OneFile(b"")
    _keeper(file).store(Fetched(_KEYS, renewable=True), NOW)
    assert file.data is not None
    yield file.data
    yield file.data[33:]
    yield from (found[:4096] for found in FOUND)


def _keeper(file: OneFile) -> EntryStore:
    return EntryStore(cast("PrivateDirectory", file), NAME, "-,-", _PLAN, "p")


def _check_entry(file: OneFile) -> None:
    entry = cache.load(cast("PrivateDirectory", file), NAME)
    served = cache.fresh(cast("PrivateDirectory", file), NAME, _NOWHERE, NOW)
    kept = _keeper(file).find(NOW + 0.5)
    if entry is None:
        assert served is None
        assert kept is None
        return
    assert (served is None) or entry.served_from <= NOW < entry.served_until
    assert entry.document.endswith(b"\n")
    assert entry.document.count(b"\n") == 1
    assert b"\n" not in entry.compared
    about = entry_metadata(entry)
    if kept is None:
        return
    assert about["plan"] == _PLAN.compared()
    assert kept.document == entry.document
    if kept.is_fresh or kept.is_valid:
        assert entry.served_from <= NOW + 0.5
    if kept.is_valid:
        document(_KEYS._replace(expiration=kept.expiration))
        _keeper(file).restamp_for_a_minute(kept, NOW + 0.5)
        stamped = cache.load(cast("PrivateDirectory", file), NAME)
        assert stamped is not None
        assert stamped.served_until <= min(NOW + 61, kept.expiration)
