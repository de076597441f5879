"""Odd values: each variable and each setting that credproc or botocore reads, with values that nobody means.

A world has a profile for each kind of source, each of which gives a document. A try puts one odd value into one place
and runs credproc; whatever it is, the end is a document or an error that says what is wrong.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections import Counter
from contextlib import ExitStack
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from credproc.config.settings import PREFIX, SETTINGS
from tests.forks import Forks
from tests.metadata import Container, Imds, Sso
from tests.sts import Trust

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from typing_extensions import Self

    from tests.program import Outcome
    from tests.sts import Sts

SECONDS = 20.0  # a run without a terminal takes 10; more only where the machine is busy
_ROLE = "arn:aws:iam::123456789012:role/{}"
_EXTERNAL_ID = "canary-of-the-role"
_ISSUER = "https://oidc.example.com"
_VARIABLE = re.compile(r"\b(?:_?AWS|CREDPROC|BOTOCORE)_[A-Z0-9_]*[A-Z0-9]\b")
# What neither names with a prefix: places, languages, proxies, certificates, terminals, keyrings
_PLAIN = """
    HOME PATH TZ LANG LC_ALL LANGUAGE USER LOGNAME TERM COLUMNS LINES TMPDIR NO_COLOR BROWSER DISPLAY SSH_TTY
    XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS PYTHON_KEYRING_BACKEND
    HTTP_PROXY http_proxy HTTPS_PROXY https_proxy ALL_PROXY all_proxy NO_PROXY no_proxy
    REQUESTS_CA_BUNDLE CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR SSLKEYLOGFILE NETRC PYTHONWARNINGS
    _MEIPASS2 _PYI_ARCHIVE_FILE LD_LIBRARY_PATH_ORIG
""".split()
# Of botocore's settings those that its tables do not name
_UNTABLED = "sts sso sso_oidc s3 s3api plugins services csm_enabled cli_pager parameter_validation x-y \u00e9".split()

_READ = {"sts", "sso", "sso_oidc"} | {setting.name for setting in SETTINGS if setting.prefix != "none"}

# Nothing but the loopback is there: what an odd endpoint leads to is no business of this machine's network
_ALONE = """
import errno, os, signal, socket
signal.alarm(60)
os.chdir({work!r})
real_connect, real_getaddrinfo = socket.socket.connect, socket.getaddrinfo
def connect(self, where):
    if isinstance(where, tuple) and not where[0].startswith(("127.", "::1")):
        raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
    return real_connect(self, where)
def getaddrinfo(host, *rest, **named):
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host or "localhost"
    if name != "localhost" and not name.replace(".", "").isdecimal() and ":" not in name:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return real_getaddrinfo(host, *rest, **named)
socket.socket.connect, socket.getaddrinfo = connect, getaddrinfo
"""
_PROGRAM = """#!/bin/sh
cat {document}
"""
# Of what ``aws login`` needs: which version it is, and credentials for one profile
_AWS_CLI = """#!/bin/sh
case "$*" in
--version) echo aws-cli/2.38.5 Python/3.13.7 Linux/6.1 ;;
"configure export-credentials --profile aws login root --format process") exec cat {document} ;;
*) exit 252 ;;
esac
"""

Sections = dict[str, dict[str, str]]


class Odd(NamedTuple):
    """One try: the kind of source, where the odd value is, and the value."""

    kind: str
    where: tuple[str, ...]  # a variable; or a section and a setting
    value: str
    command: tuple[str, ...] = ()  # () is the form that SDKs call

    def __str__(self) -> str:
        """Return what a person needs to try it again."""
        return f"{self.kind} {' '.join(self.command)}: {' '.join(self.where)} = {self.value[:60]!a}"


class Played(NamedTuple):
    """What a run left: its log too, the seconds that it took, and the line of the odd setting in the config."""

    outcome: Outcome
    log: str
    seconds: float
    line: int  # 0: it was a variable


class World:
    """Profiles of every kind of source, and what they need; ``kinds`` has their names."""

    kinds = (
        *("static", "environment", "container", "instance", "Identity Center", "start URL"),
        *("process", "web identity", "mfa", "proxied", "aws login"),
    )

    def __init__(self, path: Path, sts: Sts) -> None:
        """Take an empty directory and an STS that has no users yet."""
        self.path, self.sts = path, sts
        self.home, self.work = path / "home", path / "work"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for directory in (self.home, self.work, self.path / "files"):
            directory.mkdir()
        os.mkfifo(self.path / "fifo")
        self.user = self.sts.user("odd")
        for name in ("one", "two"):
            self.sts.role(_ROLE.format(name), Trust(("*",), federated=_ISSUER))
        self._environ = self._services()
        self._forks = self._stack.enter_context(Forks(self.path, {"HOME": str(self.home)}))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _services(self) -> dict[str, dict[str, str]]:
        """Bring on what gives credentials; return the variables of each kind."""
        role = _ROLE.format("two")
        container = self._stack.enter_context(Container(self.sts, role, authorization="canary-of-the-container"))
        instance = self._stack.enter_context(Imds(self.sts, role))
        center = self._stack.enter_context(Sso(self.sts, role))
        self._signed_in = [center.sign_in(self.home, sso_session=session) for session in ("corp", None)]
        self._center = center
        document = self.path / "document.stdout"
        document.write_text(json.dumps(self.sts.temporary(role, 43200).document()))
        self.program = self.path / "program"
        (self.path / "bin").mkdir()
        for program, script in ((self.program, _PROGRAM), (self.path / "bin" / "aws", _AWS_CLI)):
            program.write_text(script.format(document=document))
            program.chmod(0o755)
        (self.path / "token").write_text(self.sts.web_identity_token(_ISSUER))
        self._instance = instance
        return {
            "environment": self.user.credentials.environment(),
            "container": container.environment(),
            "proxied": {"HTTP_PROXY": self.sts.url},
            "aws login": {"PATH": f"{self.path / 'bin'}:/usr/bin:/bin"},
        }

    def environ(self, kind: str) -> dict[str, str]:
        """Return the variables of a run for the profile of this kind."""
        return {
            "HOME": str(self.home),
            "PATH": "/usr/bin:/bin",
            "AWS_CONFIG_FILE": str(self.path / "files" / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.path / "files" / "credentials"),
            "CREDPROC_INTERACTIVE": "never",
            "CREDPROC_SESSION_STORE": "file",
            **self._environ.get(kind, {}),
        }

    def sections(self, kind: str) -> Sections:
        """Return the sections of the config that the profile of this kind consists of."""
        role = {"region": "us-west-2", "role_arn": _ROLE.format("one"), "external_id": _EXTERNAL_ID}
        center = {"sso_account_id": self._center.account_id, "sso_role_name": self._center.role_name}
        session = {"sso_region": "us-east-1", "sso_start_url": Sso.START_URL}
        keys = {"aws_access_key_id": self.user.access_key_id, "aws_secret_access_key": self.user.secret_access_key}
        one, root = f"profile {kind}", f"profile {kind} root"
        place = {"ec2_metadata_service_endpoint": self._instance.url}
        mine: Sections
        if kind in {"static", "mfa", "proxied"}:
            device = {"mfa_serial": "123456789", "mfa_process": "/bin/echo luck"} if kind == "mfa" else {}
            mine = {one: {**role, **device, "source_profile": f"{kind} root"}, root: keys}
        else:
            mine = {
                "environment": {one: {**role, "credential_source": "Environment"}},
                "container": {one: {**role, "credential_source": "EcsContainer"}},
                "instance": {one: {**role, **place, "credential_source": "Ec2InstanceMetadata"}},
                "Identity Center": {one: {**center, "sso_session": "corp"}, "sso-session corp": session},
                "start URL": {one: {**center, **session}},
                "process": {
                    one: {**role, "source_profile": f"{kind} root"},
                    root: {"credential_process": str(self.program)},
                },
                "aws login": {
                    one: {**role, "source_profile": f"{kind} root"},
                    root: {"login_session": "arn:aws:iam::123456789012:user/odd"},
                },
                "web identity": {one: {**role, "web_identity_token_file": str(self.path / "token")}},
            }[kind]
        mine[one] |= {"services": "here"}
        urls = {"sts": "http://localhost:9" if kind == "proxied" else self.sts.url, "sso": self._center.url}
        return {**mine, "services here": {name: f"\n  endpoint_url = {url}" for name, url in urls.items()}}

    def play(self, odd: Odd, before: str = "") -> Played:
        """Run credproc with the odd value; ``before`` is code that runs in it first."""
        environ, sections = self.environ(odd.kind), self.sections(odd.kind)
        if len(odd.where) == 1:
            environ[odd.where[0]] = odd.value
        elif odd.where:
            section, setting = odd.where
            sections[section] = {**sections[section], setting: odd.value}
        line, text = _config(sections, odd.where)
        (self.path / "files" / "config").write_bytes(text.encode("utf-8", "surrogateescape"))
        shutil.rmtree(self.home / ".cache", ignore_errors=True)
        arguments = odd.command or ("--profile", odd.kind)
        began = time.monotonic()
        ran = self._forks.run(*arguments, environ=environ, before=_ALONE.format(work=str(self.work)) + before)
        seconds = time.monotonic() - began
        log = self.home / ".cache" / "credproc" / "credproc.log"
        logged = log.read_text("utf-8", "backslashreplace") if log.exists() else ""
        return Played(ran, logged, seconds, line)

    def values(self) -> tuple[str, ...]:
        """Return the odd values, for settings and variables alike."""
        return (
            "",
            " ",
            "\n",
            "a\nb",
            "a\rb",
            "\x01\x1b[31m",
            "\udcff\udcfe",
            "\udced\udca0\udc80",
            "x" * 70_000,
            "a" * 300,
            "\u202etxt.exe\u2066",
            "\u0661\u0662",
            str(self.path),
            str(self.path / "fifo"),
            "/dev/zero",
            "/dev/stdin",
            "./x",
            "~",
            "-1",
            "0",
            "9" * 30,
            "1e400",
            "nan",
            "0x10",
            "true",
            "None",
            "{}",
            '{"a": [1]}',
            "[",
            "'",
            '"a',
            "a,b",
            "%s%n{0}",
            "$(id)",
            "a = b",
            "http://",
            "http://[",
            "https://a:b@c:99999999/",
            "http://127.0.0.1:1/",
            "file:///etc/passwd",
            "arn:aws:iam::123456789012:role/one",
        )

    def setting_values(self) -> tuple[str, ...]:
        """Return the odd values of settings, of which a nested block is one."""
        blocks = ("\n  a = b", "\n  a = b\n  c = d", "x\n  a = b", "\n  endpoint_url = x", "\n  a =", "\n  a")
        # What would end the line stands in none: it is another line then
        plain = (value for value in self.values() if "\n" not in value and "\r" not in value)
        return (*plain, *blocks)

    def secrets(self) -> list[str]:
        found = ["canary-of-the-container", _EXTERNAL_ID, (self.path / "token").read_text()]
        found += [json.loads(path.read_text())["accessToken"] for path in self._signed_in]
        for credentials in self.sts.iam.given():
            found += [
                credentials.secret_access_key,
                *([credentials.session_token] if credentials.session_token else []),
            ]
        return found


def _config(sections: Sections, where: tuple[str, ...]) -> tuple[int, str]:
    """Return the config's text, and the line of the setting that stands there; 0 where it is none."""
    text, line = "", 0
    for name, settings in sections.items():
        text += f"[{_quoted(name)}]\n"
        for key, value in settings.items():
            if where == (name, key):
                line = text.count("\n") + 1
            text += f"{key} = {value}\n"
    return line, text


def _quoted(header: str) -> str:
    kind, _, name = header.partition(" ")
    return f"{kind} '{name}'"


def wrong(odd: Odd, played: Played, secrets: list[str]) -> str | None:
    """Return what no end may be, or None."""
    ran, log = played.outcome, played.log
    said = ran.stderr if not odd.command or "export" in odd.command else ran.stderr + ran.stdout
    if ran.status not in {0, 1, 2, 3}:
        return f"status {ran.status}"
    if "Traceback" in said + log or "internal" in said:
        return f"{ran.stderr.strip()} {log[-1500:]}"
    if odd.command:  # explain shows it, as a person who has written it asks for it
        secrets = [secret for secret in secrets if secret != _EXTERNAL_ID]
    if any(secret in said + log for secret in secrets):
        return f"a secret is shown: {ran.stderr} {log[-500:]}"
    if not odd.command:
        if ran.status and (ran.stdout or not ran.stderr.startswith("credproc: error: ")):
            return f"status {ran.status}, stdout {ran.stdout[:80]!a}, stderr {ran.stderr[:200]!a}"
        if not ran.status and (ran.stderr or not _is_document(ran.stdout)):
            return f"status 0, stdout {ran.stdout[:80]!a}, stderr {ran.stderr[:200]!a}"
    if not ran.stderr.isprintable() and not set(ran.stderr) <= set(filter(str.isprintable, ran.stderr)) | {"\n"}:
        return f"stderr is not plain: {ran.stderr!a}"
    if not odd.command and odd.kind != "mfa" and ran.status:
        if not is_read(odd.where[-1]) and not ends_the_reading(odd, ran.stderr):
            return f"it is read: {ran.stderr}"
        if len(odd.where) == 2 and not says_where(odd, ran.stderr) and f":{played.line}: " not in ran.stderr:
            return f"it does not say where: {ran.stderr}"
    return f"{played.seconds:.0f} s" if played.seconds > SECONDS else None


def is_read(name: str) -> bool:
    """Return whether credproc says that it reads the variable or setting; what it does not read changes nothing."""
    if name.startswith(("AWS_", "_AWS_", "CREDPROC_", "BOTOCORE_")):
        return name in _VARIABLE.findall(_source_text("credproc")) or name.removeprefix("AWS_").lower() in _READ
    return name in _PLAIN or name.removeprefix(PREFIX) in _READ


def ends_the_reading(odd: Odd, said: str) -> bool:
    """Return whether the file cannot be read with this in it, whatever the setting is."""
    return len(odd.where) == 2 and ("is not UTF-8" in said or "Expected an '=' sign" in said)


# What is right in form, and refused by whom it is for, in whose words
_REFUSED = {
    "AssumeRole": (
        "role_arn external_id role_session_name policy policy_arns session_tags transitive_tag_keys"
        " source_identity aws_access_key_id aws_secret_access_key aws_session_token aws_security_token"
    ).split(),
    "IAM Identity Center": "sso_account_id sso_role_name sso_start_url sso_session".split(),
}


def says_where(odd: Odd, said: str) -> bool:
    """Return whether the message names the place, or is of whom the value is for."""
    name = odd.where[-1].removeprefix(PREFIX)
    refusing = next((word for word, names in _REFUSED.items() if name in names), None)
    is_set = bool(odd.value.strip())
    return not is_set or name in said or (refusing is not None and refusing in said)


def _is_document(text: str) -> bool:
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return text.count("\n") == 1 and found.get("Version") == 1


@cache
def _source_text(package: str) -> str:
    """Return the code of a package."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return "".join(path.read_text("utf-8") for path in sorted(Path(spec.origin).parent.rglob("*.py")))


@cache
def variables() -> tuple[str, ...]:
    """Return the names of the variables that credproc or botocore may read."""
    named = {name for package in ("credproc", "botocore") for name in _VARIABLE.findall(_source_text(package))}
    return tuple(sorted({*named, *_PLAIN}))


@cache
def settings() -> tuple[str, ...]:
    """Return the names of the settings that credproc or botocore may read."""
    from botocore import configprovider  # noqa: PLC0415 - a tenth of a second

    tables = (
        configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES,
        configprovider.DEFAULT_S3_CONFIG_VARS,
        configprovider.DEFAULT_PROXIES_CONFIG_VARS,
    )
    names = {name for table in tables for names, *_ in table.values() for name in _flat(names)}
    names |= {PREFIX + known.name for known in SETTINGS} | {known.name for known in SETTINGS}
    return tuple(sorted({*names, *_UNTABLED}))


def _flat(names: object) -> Iterator[str]:
    if isinstance(names, str):
        yield names
    elif isinstance(names, (tuple, list)):
        for name in names:
            yield from _flat(name)


COMMANDS = (
    ("list",),
    ("status",),
    ("explain", "{}"),
    ("policy", "{}"),
    ("export", "{}", "--format", "json"),
    ("login", "--profile", "{}"),
)


def odd_variables(world: World, kind: str) -> Iterator[Odd]:
    """Yield each variable with each value, for a kind of source."""
    for name in variables():
        for value in world.values():
            is_opened = name == "TZ" and value.endswith("fifo")  # by the C library, as Python starts
            if not is_opened and not _leaves_the_loopback(name, value):
                yield Odd(kind, (name,), value)


def _leaves_the_loopback(name: str, value: str) -> bool:
    """Return whether calls go to AWS's own endpoints then."""
    return name.lower().endswith("ignore_configured_endpoint_urls") and value.strip().lower() == "true"


def odd_settings(world: World, kind: str) -> Iterator[Odd]:
    """Yield each setting in each section with each value, for a kind of source."""
    for section in world.sections(kind):
        for name in settings():
            for value in world.setting_values():
                if not _leaves_the_loopback(name, value):
                    yield Odd(kind, (section, name), value)


def with_commands(tries: list[Odd], chance: random.Random) -> Iterator[Odd]:
    """Yield each try, and behind it now and then the same with a command for people."""
    for odd in tries:
        yield odd
        if chance.random() < 0.2:
            command = chance.choice(COMMANDS)
            yield odd._replace(command=tuple(word.format(odd.kind) for word in command))


class Tally(NamedTuple):
    """What was tried: how many ended how, and what was wrong."""

    ends: Counter[int]
    found: list[str]


def play(world: World, tries: Iterator[Odd]) -> Tally:
    """Play all; return what came of them."""
    tally = Tally(Counter(), [])
    for odd in tries:
        played = world.play(odd)
        tally.ends[played.outcome.status] += 1
        found = wrong(odd, played, world.secrets())
        if found is not None:
            tally.found.append(f"{odd}: {found}")
    return tally
