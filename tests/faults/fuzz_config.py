"""Fuzz target: any bytes as the two AWS files are settings, or an error with file and line."""

import json
import re
from collections.abc import Iterator

from credproc.config import files, parser
from credproc.config.shared_config import Section, Setting, SharedConfig
from credproc.errors import ConfigError
from tests.faults.fuzz_corpus import BOTH, cases, joined, split

_PLACE = re.compile(r"(config|credentials):([0-9]+)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# What has failed once, or took a time or room that grew with the square of its size
FOUND = (
    b"[profile p]\r\rx = \xff",  # a line that ends in a lone CR counts
    b"\xef\xbb\xbf\n\n\xff",  # nor does a byte order mark hide one
)


def check(data: bytes) -> None:
    """Read the bytes as both files; raise AssertionError where the reading says something that is not so."""
    read: list[str] = []
    try:
        read += [files.decode(part, name) for name, part in zip(BOTH, split(data), strict=True)]
        config = parser.parse(*read)
    except ConfigError as error:
        _check_error(error, data)
        return
    lines = {name: re.split("\r\n|\r|\n", text) for name, text in zip(BOTH, read, strict=True)}
    for section in _sections(config):
        assert _line(lines, section.where).startswith("["), section.where
        for key, setting in section.items():
            _check_setting(lines, section, key, setting)
    for remark in config.remarks:
        assert _line(lines, remark), remark
    plain = [text.replace("\r\n", "\n").replace("\r", "\n") for text in read]
    assert parser.parse(*plain) == config, "line ends are no part of any value"


def corpus() -> Iterator[bytes]:
    """Yield the SDKs' own cases, and what has failed once."""
    for case in cases("profile-parser.json")["tests"]:
        yield joined(case["input"].get("configFile", ""), case["input"].get("credentialsFile", ""))
    for name in ("sts-endpoints.json", "file-location.json"):
        yield json.dumps(cases(name)).encode()[:4096]
    yield joined("[profile \"a b\"]\n[profile 'c' d]\n[services s]\nsts =\n  endpoint_url = https://x\n", "[a]\nb=c#d")
    yield from FOUND


def _sections(config: SharedConfig) -> Iterator[Section]:
    for kind in (config.profiles, config.sso_sessions, config.services):
        for name, section in kind.items():
            assert name == section.name
            yield section


def _check_setting(lines: dict[str, list[str]], section: Section, key: str, setting: Setting) -> None:
    line = _line(lines, setting.where)
    before, equals, after = line.partition("=")
    assert equals, setting.where
    assert before.strip(" \t").lower() == key, setting.where
    assert setting.value.partition("\n")[0] in after, setting.where
    assert setting.from_credentials_file is setting.where.startswith("credentials:"), setting.where
    assert "\r" not in setting.value, setting.where
    setting.sub_properties()
    plain = key.removeprefix("credproc_")
    try:
        found = section.setting(plain)
    except ConfigError as error:
        _check_advice(lines, error)
    else:
        assert found is not None
        assert not _CONTROL.search(found.value), found.where


def _check_advice(lines: dict[str, list[str]], error: ConfigError) -> None:
    assert _line(lines, str(error))
    assert error.hint


def _check_error(error: ConfigError, data: bytes) -> None:
    place = _PLACE.match(str(error))
    assert place is not None, str(error)
    assert 1 <= int(place[2]) <= len(re.split(rb"\r\n|\r|\n", split(data)[BOTH.index(place[1])])), str(error)
    assert error.hint


def _line(lines: dict[str, list[str]], where: str) -> str:
    """Return the line that ``where`` begins with the place of."""
    place = _PLACE.match(where)
    assert place is not None, where
    return lines[place[1]][int(place[2]) - 1]
