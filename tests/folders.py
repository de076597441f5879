"""The end-to-end folders of AWS's SDK for Rust through credproc: files, environment, recorded traffic, and a result.

No package has them, so whoever wants to play them names a checkout of smithy-rs, of which nothing is kept here:

    python -m tests.folders CHECKOUT/aws/rust-runtime/aws-config/test-data

A folder has `env.json`, `fs/` (what lies in the file system), `http-traffic.json` and `test-case.json`. credproc
reaches the recorded services by a proxy, which speaks TLS for all of them, and by the variables for metadata endpoints.
Times in the recordings have passed long ago: they are an hour from now. A recorded answer of STS is for another role
than the one that was asked for, which credproc refuses: it is for that role here.

It fails unless DIFFERENT has the folders that end otherwise, and no others. tests/test_folders.py plays own ones.
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from tests.loopback import Ca, Proxy, Server, request_in, tls
from tests.program import Home, Outcome
from tests.sts.answers import iso

SETS = ("default-credential-provider-chain", "profile-provider")

_HTTP = "the endpoint is plain http to another host, which others could read"
_LONG_TERM = "long-term keys are never printed: they buy a session by GetSessionToken, which is not in the recording"
_SHELL = "no shell reads the line, and it has a pipe"
_ENVIRONMENT = "keys in the environment alone are no source: SDKs take them before they start a helper"

_ONE_TRY = "the metadata service is asked once, as botocore does, unless metadata_service_num_attempts says more"

DIFFERENT: Mapping[str, str] = {
    "default-credential-provider-chain/environment_variables": _ENVIRONMENT,
    "default-credential-provider-chain/environment_variables_blank": _LONG_TERM,
    "default-credential-provider-chain/imds_default_chain_retries": _ONE_TRY,
    "default-credential-provider-chain/prefer_environment": _ENVIRONMENT,
    "default-credential-provider-chain/profile_name": _LONG_TERM,
    "default-credential-provider-chain/profile_static_keys": _LONG_TERM,
    "default-credential-provider-chain/profile_static_keys_case_insensitive": _LONG_TERM,
    "profile-provider/assume_role_override_global_env_url": _HTTP,
    "profile-provider/assume_role_override_global_profile_url": _HTTP,
    "profile-provider/assume_role_override_service_env_url": _HTTP,
    "profile-provider/assume_role_override_service_profile_url": _HTTP,
    "profile-provider/credential_process": _SHELL,
    "profile-provider/credential_process_account_id_fallback": _SHELL,
    "profile-provider/sso_override_global_env_url": _HTTP,
}

_HOUR = 3600
_ISO = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|\+00:00)")
_MILLISECONDS = re.compile(r'("expiration" ?: ?)\d+')
_UNEXPECTED = (
    "<ErrorResponse><Error><Code>Unexpected</Code><Message>not in the recording</Message></Error></ErrorResponse>"
)


class Exchange(NamedTuple):
    """A recorded request and its answer."""

    method: str
    url: str
    status: int
    body: str

    def matches(self, request: bytes, *, by_proxy: bool) -> bool:
        """Say whether this is that request; what comes by the proxy has the host's name too."""
        head = request.partition(b"\r\n\r\n")[0].decode("latin-1")
        method, target, _ = head.split("\r\n")[0].split(" ")
        host = re.search(r"^host: *(\S+)", head, re.MULTILINE | re.IGNORECASE)
        wanted, found = urlsplit(self.url), urlsplit(target)
        return (
            (method, found.path or "/", sorted(parse_qsl(found.query)))
            == (self.method, wanted.path or "/", sorted(parse_qsl(wanted.query)))
            and (wanted.scheme == "https") is by_proxy
            and (not by_proxy or (host is not None and host[1].partition(":")[0] == wanted.hostname))
        )


def exchanges(traffic: dict[str, Any]) -> Iterator[Exchange]:
    """Yield what was recorded, in order. Each connection has one exchange."""
    events: dict[int, dict[str, Any]] = {}
    for event in traffic["events"]:
        found = events.setdefault(event["connection_id"], {"body": ""})
        action = event["action"]
        if "Request" in action:
            found["request"] = action["Request"]["request"]
        elif "Response" in action:
            found["response"] = action["Response"]["response"]["Ok"]
        elif "Data" in action and action["Data"]["direction"] == "Response":
            found["body"] += action["Data"]["data"]["Utf8"]
    for found in events.values():
        request = found["request"]
        yield Exchange(request["method"], request["uri"], found["response"]["status"], _later(found["body"]))


def _later(text: str) -> str:
    end = int(time.time()) + _HOUR
    return _MILLISECONDS.sub(rf"\g<1>{end * 1000}", _ISO.sub(iso(end), text))


class Recording:
    """The recorded services: `left` are the exchanges that nobody has asked for, `unexpected` what is not recorded."""

    def __init__(self, recorded: Sequence[Exchange]) -> None:
        self.left = list(recorded)
        self.unexpected = 0

    def answer(self, connection: Any, *, by_proxy: bool) -> None:
        """Answer one request by what comes next in the recording."""
        request = request_in(connection)
        status, body = 400, _UNEXPECTED
        if self.left and self.left[0].matches(request, by_proxy=by_proxy):
            *_, status, body = self.left.pop(0)
            body = _for_the_role(body, request)
        else:
            self.unexpected += 1
        data = body.encode()
        connection.sendall(f"HTTP/1.1 {status} -\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode())
        connection.sendall(data)


def _for_the_role(body: str, request: bytes) -> str:
    """Return STS's answer as it is for the role and session that were asked for; other answers as they are."""
    asked = dict(parse_qsl(request.partition(b"\r\n\r\n")[2].decode("latin-1")))
    if "RoleArn" not in asked:
        return body
    _, partition, _, _, account, role = asked["RoleArn"].split(":")
    name = role.rpartition("/")[2]
    arn = f"arn:{partition}:sts::{account}:assumed-role/{name}/{asked['RoleSessionName']}"
    return re.sub("<Arn>[^<]*</Arn>", f"<Arn>{arn}</Arn>", body)


class Played(NamedTuple):
    """What came of a folder: the result that it expects, the run, and what was asked of the recorded services.

    `complete` says whether each request was the recorded one, and all of them came; `elsewhere` whether one went to
    another host than the recorded ones.
    """

    expected: dict[str, Any]
    ended: Outcome
    complete: bool
    elsewhere: bool

    @property
    def agrees(self) -> bool:
        """Whether credproc gives the expected credentials after the recorded requests, or fails where it should."""
        if "Ok" not in self.expected:
            return self.ended.status != 0 and self.ended.stdout == "" and not self.elsewhere
        if self.ended.status:
            return False
        wanted = self.expected["Ok"]
        names = (
            ("access_key_id", "AccessKeyId"),
            ("secret_access_key", "SecretAccessKey"),
            ("session_token", "SessionToken"),
        )
        document = self.ended.document
        return self.complete and all(wanted.get(ours) == document.get(theirs) for ours, theirs in names)


def play(folder: Path, scratch: Path) -> Played:
    """Play one folder; ``scratch`` is an empty directory."""
    recorded = list(exchanges(json.loads((folder / "http-traffic.json").read_text())))
    recording = Recording(recorded)
    hosts = {urlsplit(one.url).hostname or "" for one in recorded} | {"nobody.example"}
    ca = Ca(scratch)
    with (
        Server(lambda connection: recording.answer(connection, by_proxy=False)) as plain,
        Server(
            lambda connection: recording.answer(connection, by_proxy=True), tls(ca.issue("all", *sorted(hosts)))
        ) as secure,
        Proxy(secure.port) as proxy,
    ):
        here = f"http://127.0.0.1:{plain.port}"
        home = Home(
            scratch / "home",
            HTTPS_PROXY=proxy.url,
            AWS_CA_BUNDLE=str(ca.path),
            AWS_EC2_METADATA_SERVICE_ENDPOINT=here,
            CREDPROC_SESSION_STORE="none",
        )
        _lay(folder / "fs", scratch)
        ended = home.run(environ=_environment(json.loads((folder / "env.json").read_text()), scratch, here))
    expected = json.loads((folder / "test-case.json").read_text())["result"]
    elsewhere = {target.rpartition(":")[0] for target in proxy.asked} - hosts
    return Played(expected, ended, not recording.left and not recording.unexpected, bool(elsewhere))


def _lay(files: Path, scratch: Path) -> None:
    """Put the folder's files below ``scratch``, which stands for the root directory."""
    if files.exists():
        shutil.copytree(files, scratch, dirs_exist_ok=True)
    for path in [*(scratch / "home").rglob("*")]:
        if path.is_file():
            path.write_text(_later(_placed(path.read_text(), scratch)))


def _placed(text: str, scratch: Path) -> str:
    return text.replace("/token.jwt", f"{scratch}/token.jwt")


def _environment(variables: Mapping[str, str], scratch: Path, here: str) -> dict[str, str]:
    """Return the folder's variables, in which files and metadata endpoints are those of the run."""
    found = {name: _placed(text, scratch) for name, text in variables.items() if name != "HOME"}
    relative = found.pop("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", None)
    if relative is not None:
        found["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = here + relative
    elif "AWS_CONTAINER_CREDENTIALS_FULL_URI" in found:
        found["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = here + urlsplit(found["AWS_CONTAINER_CREDENTIALS_FULL_URI"]).path
    return found


def report(folders: Sequence[Path], different: Mapping[str, str]) -> tuple[list[str], bool]:
    """Play the folders; return a line for each, and whether those that ``different`` names are those that differ."""
    lines, met = [], set()
    for folder in folders:
        name = f"{folder.parent.name}/{folder.name}"
        with tempfile.TemporaryDirectory() as scratch:
            played = play(folder, Path(scratch))
        if not played.agrees:
            met.add(name)
        reason = different.get(name, "not known: " + (played.ended.stderr or played.ended.stdout).partition("\n")[0])
        lines.append(f"{name}: " + ("agrees" if played.agrees else f"differs: {reason}"))
    lines.append(f"{len(folders)} folders, {len(folders) - len(met)} agree, {len(met)} differ")
    lines += [f"{name}: does not differ, or is not there" for name in sorted(set(different) - met)]
    return lines, met == set(different)


def main() -> None:
    """Read the command line and play the folders."""
    parser = argparse.ArgumentParser(prog="python -m tests.folders", description="play the folders of the SDK for Rust")
    parser.add_argument("directory", type=Path, help="test-data of aws-config")
    directory = parser.parse_args().directory
    folders = sorted(path.parent for name in SETS for path in (directory / name).glob("*/test-case.json"))
    lines, as_known = report(folders, DIFFERENT)
    print("\n".join(lines))  # noqa: T201 - a program for people
    sys.exit(0 if folders and as_known else 1)


if __name__ == "__main__":
    main()
