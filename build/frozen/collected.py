"""What credproc.spec puts beside the executable: modules of ours in the place of others, the data that is in use."""

import gzip
import importlib.util
import json
import marshal
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

Entry = tuple[str, str, str]  # PyInstaller's: name in the directory, path of the source, kind

# What credproc calls by botocore, by the names of botocore's directories and by those in its endpoints.json
SERVICES = ("sso", "sso-oidc")
ENDPOINTS = ("sso", "portal.sso", "oidc")
FILES = ("_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json")
_UNREAD = ("examples-1.json",)  # for documentation only
_NEVER_CHECKED = 0b01  # PEP 552: told by a hash that is not compared, as there is no source beside it
_UNUSED = re.compile(
    # Nothing asks for the metadata of packages, and the path of the environment is in their RECORD, through the hashes
    # of the scripts that pip wrote into it
    r"[^/]+\.dist-info/"
    # time zones by name, which no AWS service writes
    r"|dateutil/zoneinfo/"
    # encodings whose C half is left out, in credproc.spec
    r"|encodings/(?:big5\w*|cp9(?:32|49|50)|euc_\w+|gb\w+|hz|iso2022_\w+|johab|shift_jis\w*)\.pyc"
)


def replaced(files: Iterable[Entry], instead: str, directory: str) -> list[Entry]:
    """Return the files with the modules that lie in the directory ``instead`` in the place of those they are for."""
    ours = dict(_sources(instead))
    entries = []
    for name, path, kind in files:
        source = ours.pop(_inside(name), None)
        entries.append((name, path if source is None else _compiled(source, name, directory), kind))
    if ours:
        raise SystemExit(f"there is nothing that these could replace: {', '.join(ours)}")
    return entries


def _compiled(source: str, name: str, directory: str) -> str:
    with open(source, "rb") as file:
        code = compile(file.read(), name.removesuffix("c"), "exec", dont_inherit=True, optimize=2)
    head = importlib.util.MAGIC_NUMBER + _NEVER_CHECKED.to_bytes(4, "little") + bytes(8)
    return _write(directory, name, head + marshal.dumps(code))


def needed(files: Iterable[Entry]) -> list[Entry]:
    """Return the files without those that PyInstaller finds and nothing here reads."""
    return [entry for entry in files if not _UNUSED.match(_inside(entry[0]))]


def data(files: Iterable[Entry], directory: str) -> list[Entry]:
    """Return the data files with botocore's cut to the services that credproc calls, written into the directory.

    A client looks through all service directories twice, and parses endpoints.json, 1.2 MB of other services, at each
    start. What stays says what it said; models are written without their documentation, and uncompressed.
    """
    entries = []
    for name, path, kind in files:
        inside = _inside(name)
        if not inside.startswith("botocore/data/"):
            entries.append((name, path, kind))
            continue
        parts = inside.removeprefix("botocore/data/").split("/")
        if parts == ["endpoints.json"]:
            entries.append((name, _write(directory, inside, _json(_endpoints(_load(path)))), "DATA"))
        elif parts[0] in FILES or (parts[0] in SERVICES and parts[-1] not in _UNREAD):
            plain = inside.removesuffix(".gz")
            content = _load(path)
            if parts[-1].startswith("service-2."):
                content = _undocumented(content)
            entries.append((plain, _write(directory, plain, _json(content)), "DATA"))
    names = [_inside(name) for name, _, _ in entries]
    found = {name.split("/")[2] for name in names if name.startswith("botocore/data/")}
    if missing := {*SERVICES, *FILES} - found:
        raise SystemExit(f"botocore's data has changed, there is no {', '.join(sorted(missing))}")
    return entries


def _inside(name: str) -> str:
    """Return the name of an entry with slashes; on Windows PyInstaller writes backslashes."""
    return name.replace("\\", "/")


def _endpoints(content: Any) -> Any:  # noqa: ANN401 - JSON
    """Return endpoints.json with the services that credproc calls; partitions, regions and defaults whole."""
    partitions = [
        partition | {"services": {name: it for name, it in partition["services"].items() if name in ENDPOINTS}}
        for partition in content["partitions"]
    ]
    return content | {"partitions": partitions}


def _undocumented(content: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a model without documentation; a member that has this name is a dictionary and stays."""
    if isinstance(content, dict):
        return {
            key: _undocumented(value)
            for key, value in content.items()
            if not (key == "documentation" and isinstance(value, str))
        }
    if isinstance(content, list):
        return [_undocumented(value) for value in content]
    return content


def _load(path: str) -> Any:  # noqa: ANN401 - JSON
    with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as file:
        return json.load(file)


def _json(content: Any) -> bytes:  # noqa: ANN401 - JSON
    return json.dumps(content, separators=(",", ":")).encode()


def _write(directory: str, name: str, content: bytes) -> str:
    path = os.path.join(directory, *name.split("/"))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    return path


def _sources(directory: str) -> Iterator[tuple[str, str]]:
    """Yield the name that its bytecode has, and the path, of each module below the directory."""
    for above, _, names in os.walk(directory):
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(above, name)
                yield os.path.relpath(path, directory).replace(os.sep, "/") + "c", path
