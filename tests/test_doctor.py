"""credproc doctor: each check by itself, on its border; then the whole, as a person reads it."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from pathlib import Path

import pytest

from credproc.commands.doctor import checks, shown
from credproc.commands.doctor.checks import Check, fail, ok, warn
from credproc.commands.doctor.helper_lines import Line, lines
from credproc.commands.profile_state import is_read_as_process
from credproc.config.parser import parse, read
from credproc.config.settings import ROLE_NAMES, SETTINGS, KnownSetting, SessionStore
from credproc.config.shared_config import Section, Setting
from credproc.errors import SessionStoreError
from credproc.plan import plan_for
from credproc.request import Request
from tests import keyrings
from tests.program import BOUND_BY_MODES, PROGRAM, ROLE, Home, role_home
from tests.sts import Sts, Trust
from tests.terminal import Terminal

if sys.platform != "linux":
    pytest.skip("modes and terminals are Linux's", allow_module_level=True)

WRITE = f"write credential_process = {PROGRAM} --profile NAME"


@pytest.fixture(name="aws")
def _aws(home: Path) -> Path:
    (home / ".aws").mkdir()
    return home / ".aws"


def _write(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "secret", "wanted"),
    [
        (0o600, True, ok("~/.aws/f: can be read")),
        (0o644, False, ok("~/.aws/f: can be read")),
        (0o640, True, fail("~/.aws/f: others may read the keys in it", "chmod 600 ~/.aws/f")),
        (
            0o620,
            False,
            warn("~/.aws/f: its group may write to it, and so choose what SDKs start", "chmod g-w ~/.aws/f"),
        ),
        (
            0o602,
            False,
            fail("~/.aws/f: is writable by others (mode 602), so they choose what SDKs start", "chmod go-w ~/.aws/f"),
        ),
    ],
)
def test_an_aws_file_is_readable_and_nobody_elses(aws: Path, mode: int, secret: bool, wanted: Check) -> None:  # noqa: FBT001 - a parameter of pytest
    assert checks.aws_file(_write(aws / "f", "", mode), os.environ, secret=secret) == wanted


def test_an_aws_file_that_cannot_be_read_is_wrong(tmp_path: Path) -> None:
    h = Home(tmp_path / "home")
    _write(h.path / ".aws" / "credentials", "", 0)
    command = [*BOUND_BY_MODES, PROGRAM, "doctor", "--offline"]
    ran = subprocess.run(command, env=h.environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "FAIL  ~/.aws/credentials: cannot be read\n      check the owner and mode of the file\n" in ran.stdout


def test_a_missing_config_is_worth_a_word_and_missing_credentials_are_not(aws: Path) -> None:
    path = str(aws / "f")
    assert checks.aws_file(path, os.environ, secret=False) == warn("~/.aws/f: is not there", "the profiles go there")
    assert checks.aws_file(path, os.environ, secret=True) == ok("~/.aws/f: is not there")
    assert checks.aws_file(None, {}, secret=True) == fail("there is no home directory, so no AWS files", "set HOME")


def test_an_aws_file_below_a_file_is_wrong(aws: Path) -> None:
    below = _write(aws / "f", "") + "/config"
    assert checks.aws_file(below, os.environ, secret=False) == fail(
        "~/.aws/f/config: not a directory", "check the owner and mode of the file"
    )


def test_the_cache_directory_is_tried_and_left_as_it_was(home: Path) -> None:
    assert checks.cache_directory(os.environ) == ok("~/.cache/credproc: keeps files")
    assert list((home / ".cache" / "credproc").iterdir()) == []


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        (0o755, warn("~/.cache/credproc: others may look into it", "chmod 700 ~/.cache/credproc")),
        (
            0o770,
            fail(
                "~/.cache/credproc: others may write to it, so nothing is cached and every call asks AWS",
                "set CREDPROC_CACHE_DIR to a directory of yours that others may not write to",
            ),
        ),
    ],
)
def test_a_cache_directory_that_is_open_to_others(home: Path, mode: int, wanted: Check) -> None:
    directory = home / ".cache" / "credproc"
    directory.mkdir(parents=True)
    directory.chmod(mode)
    assert checks.cache_directory(os.environ) == wanted
    assert stat.S_IMODE(directory.stat().st_mode) == mode


def test_a_cache_directory_that_is_a_file_or_a_relative_path(home: Path) -> None:
    _write(home / "file", "")
    found = checks.cache_directory({"HOME": str(home), "CREDPROC_CACHE_DIR": str(home / "file")})
    assert (found.level, found.what) == (
        "FAIL",
        "~/file: not a directory, so nothing is cached and every call asks AWS",
    )
    relative = {"HOME": str(home), "CREDPROC_CACHE_DIR": "here"}
    assert checks.cache_directory(relative) == warn(
        "CREDPROC_CACHE_DIR is no absolute path and not used; ~/.cache/credproc is", "write an absolute path"
    )


# --- settings --------------------------------------------------------------------------------------------------------


WINNING = [setting for setting in SETTINGS if setting.wins_in]


@pytest.mark.parametrize("setting", WINNING, ids=lambda setting: setting.name)
def test_what_wins_over_the_line_in_an_sdk_is_wrong_beside_it(setting: KnownSetting) -> None:
    section = Section("a", "config:1")
    section[f"credproc_{setting.name}"] = Setting("x", "config:3")
    assert list(checks.beside(section)) == []
    section[setting.name] = Setting("x", "config:2")
    (found,) = checks.beside(section)
    assert found.level == "FAIL"
    assert found.what.startswith(f"config:2: {setting.name} wins over the credential_process beside it")
    assert all(sdk in found.what for sdk in setting.wins_in)
    assert (f"credproc_{setting.name}" in str(found.hint)) is (setting.name in ROLE_NAMES)


@pytest.mark.parametrize("setting", WINNING, ids=lambda setting: setting.name)
def test_list_knows_as_doctor_does_that_sdks_do_not_reach_the_profile(setting: KnownSetting) -> None:
    section = parse("[profile a]\ncredential_process = /usr/bin/credproc --profile b\n", "").profiles["a"]
    assert is_read_as_process(section)
    section[setting.name] = Setting("x", "config:2")
    assert not is_read_as_process(section)


def test_list_does_not_call_a_profile_ready_where_doctor_finds_that_login_session_wins(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.config(f"[profile a]\ncredential_process = {PROGRAM} --profile b\nlogin_session = x\n[profile b]\n")
    home.credentials("[b]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n")
    (row,) = (row for row in json.loads(home.run("list", "--json").stdout) if row["profile"] == "a")
    assert (row["state"], row["through_credproc"]) == ("bypassed", None)
    ran = home.run("doctor", "a", "--offline")
    assert ran.status == 1
    assert (
        "login_session wins over the credential_process beside it, in boto3 and the AWS CLI, Java, Rust" in ran.stdout
    )


def _line(command: str, *, comment: bool = False) -> list[Check]:
    line = Line("config:2", command, comment, Section("a", "config:1"))
    return list(checks.helper_line(line, PROGRAM))


def test_the_line_that_all_sdks_read_alike_is_well() -> None:
    assert _line(f"{PROGRAM} --profile admin") == []


@pytest.mark.parametrize("command", ['"/usr/bin/credproc" --profile a', "/usr/bin/credproc --profile 'a b'", "/a\\ b"])
def test_quotes_in_the_line(command: str) -> None:
    assert _line(command) == [
        fail("config:2: credential_process holds quotes, which SDKs read differently", WRITE),
    ]


@pytest.mark.parametrize("command", ["~/credproc --profile a", "$HOME/credproc --profile a", "/credproc x | y"])
def test_what_only_a_shell_expands_in_the_line(command: str) -> None:
    what = "config:2: credential_process holds what only a shell would expand, and not every SDK starts one"
    assert _line(command) == [fail(what, WRITE)]


def test_a_comment_behind_the_line() -> None:
    assert _line(f"{PROGRAM} --profile admin", comment=True) == [
        fail(
            "config:2: the comment behind credential_process becomes arguments of it in boto3 and the AWS CLI",
            "put the comment on a line of its own",
        )
    ]


def test_a_helper_that_moved_cannot_be_executed_or_is_another(tmp_path: Path) -> None:
    helper = tmp_path / "credproc"
    assert _line(f"{helper} --profile a") == [fail(f"config:2: there is no {helper}: has credproc moved?", WRITE)]
    _write(helper, "#!/bin/sh\n", 0o600)
    assert _line(f"{helper} --profile a") == [fail(f"config:2: {helper} cannot be executed", WRITE)]
    helper.chmod(0o700)
    assert _line(f"{helper} --profile a") == [warn(f"config:2: {helper} is another credproc than this one", WRITE)]
    helper.unlink()
    helper.symlink_to(PROGRAM)
    assert _line(f"{helper} --profile a") == []


def test_a_name_without_a_path() -> None:
    what = "config:2: credential_process holds no absolute path, so PATH chooses the program"
    assert _line("credproc --profile a") == [warn(what, WRITE)]


def test_the_lines_that_start_credproc_are_found_with_their_comments(aws: Path) -> None:
    _write(
        aws / "config",
        "[profile a]\ncredential_process = /usr/bin/credproc --profile x # why\n"
        '[profile b]\r\ncredential_process = "/opt/credproc/credproc" --profile x\r\n'
        "[profile other]\ncredential_process = /usr/bin/aws-vault export\n"
        "[profile near]\ncredential_process = /usr/bin/credprocess --profile x\n",
    )
    _write(aws / "credentials", "[c]\ncredential_process = ~/bin/credproc --profile x ; two\n")
    found = lines(read(os.environ), os.environ, None)
    assert [(line.where, line.section.name, line.comment) for line in found] == [
        ("~/.aws/config:2", "a", True),
        ("~/.aws/config:4", "b", False),
        ("~/.aws/credentials:2", "c", True),
    ]


@pytest.mark.parametrize(
    ("config", "credentials", "told"),
    [
        ("", "[k]\naws_access_key_id = A\naws_secret_access_key = s\n", True),
        ("", "[k]\naws_access_key_id = A\naws_secret_access_key = s\naws_session_token = t\n", False),
        ("[profile k]\nmfa_serial = 123456789\n", "[k]\naws_access_key_id = A\naws_secret_access_key = s\n", False),
        (
            f"[profile k]\nrole_arn = {ROLE}\nsource_profile = k\n",
            "[k]\naws_access_key_id = A\naws_secret_access_key = s\n",
            False,
        ),
    ],
)
def test_a_session_without_mfa_cannot_call_iam(config: str, credentials: str, told: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    plan = plan_for(parse(config, credentials), Request("k", {}, 0.0))
    wanted = warn(
        "profile 'k': its credentials are a session without MFA, which cannot call IAM",
        "set mfa_serial in it, or name a role in role_arn",
    )
    assert list(checks.without_iam(plan, "profile 'k'")) == ([wanted] if told else [])


# --- environment, terminal, clock ------------------------------------------------------------------------------------

KEYS = warn(
    "AWS_ACCESS_KEY_ID is set and wins over AWS_PROFILE in most SDKs: these never start credproc",
    "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
)
MOVED = warn(
    "AWS_ENDPOINT_URL is set and moves STS too", "if it is meant for S3 alone: set AWS_ENDPOINT_URL_S3 in its place"
)


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, []),
        ({"AWS_ACCESS_KEY_ID": "A"}, [KEYS]),
        ({"AWS_ENDPOINT_URL": "https://s3.example"}, [MOVED]),
        ({"AWS_ENDPOINT_URL": "https://s3.example", "AWS_ENDPOINT_URL_STS": "https://sts.example"}, []),
        ({"AWS_ENDPOINT_URL": "https://s3.example", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, []),
    ],
)
def test_variables_that_lead_elsewhere(environ: Mapping[str, str], wanted: list[Check]) -> None:
    assert list(checks.variables(environ, [])) == wanted


def test_keys_in_the_environment_that_a_profile_names_are_no_mistake() -> None:
    config = parse(f"[profile e]\nrole_arn = {ROLE}\ncredential_source = Environment\n", "")
    environ = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"}
    assert list(checks.variables(environ, [plan_for(config, Request("e", environ, 0.0))])) == []


def test_the_terminal_is_there_or_it_is_said_why_not() -> None:
    assert checks.terminal(None, {}) == ok("terminal: a code can be asked for")
    assert checks.terminal("this process runs in the background of its terminal", {}) == warn(
        "terminal: this process runs in the background of its terminal: nobody can be asked for a code here",
        "run credproc login in a terminal",
    )
    assert checks.terminal(None, {"CREDPROC_INTERACTIVE": "never"}) == warn(
        "terminal: CREDPROC_INTERACTIVE=never: nobody is asked for a code", "unset CREDPROC_INTERACTIVE"
    )


@pytest.mark.parametrize(
    ("offset", "wanted"),
    [
        (59, ok("clock: agrees with the one of STS")),
        (60, warn("clock: 60 s ahead of the one of STS", "set the clock (timedatectl set-ntp true)")),
        (-240, warn("clock: 240 s behind the one of STS", "set the clock (timedatectl set-ntp true)")),
        (
            241,
            fail(
                "clock: 241 s ahead of the one of STS, which refuses what is off by five minutes",
                "set the clock (timedatectl set-ntp true)",
            ),
        ),
    ],
)
def test_the_clock_against_the_one_of_sts(offset: int, wanted: Check) -> None:
    now = 1_800_000_000
    assert checks.clock(formatdate(now, usegmt=True), now + offset) == wanted


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_an_answer_without_a_time(date: str | None) -> None:
    assert checks.clock(date, 0) == warn(
        "clock: the answer of STS does not say what time it is", "something may answer in its place"
    )


def test_an_answer_of_sts_and_one_of_what_stands_between() -> None:
    assert checks.reached("sts.example", 302, 0.123, None) == ok("STS: sts.example answers in 0.12 s")
    assert checks.reached("sts.example", 400, 0.1, "proxy:3128") == ok(
        "STS: sts.example answers through the proxy proxy:3128 in 0.10 s"
    )
    for status in (407, 500, 503):
        assert checks.reached("sts.example", status, 0.1, None) == fail(
            f"STS: sts.example answers with {status}", "check the proxy, and AWS's health dashboard"
        )


# --- the store of sessions -------------------------------------------------------------------------------------------


class _Kept:
    """A store in memory, which forgets if it is told to."""

    def __init__(self, kind: SessionStore, *, answer: str | None = None, reason: str | None = None) -> None:
        self.kind: SessionStore = kind
        self.values: dict[str, str] = {}
        self.seen: list[str] = []
        self._answer = answer
        self._reason = reason

    def why_unusable(self) -> str | None:
        return None

    def get(self, name: str) -> str | None:
        return self._answer or self.values.get(name)

    def set(self, name: str, value: str) -> None:
        if self._reason is not None:
            raise SessionStoreError(self._reason)
        self.seen.append(name)
        self.values[name] = value

    def delete(self, name: str) -> None:
        del self.values[name]


def test_a_store_is_tried_under_a_name_of_its_own_and_nothing_is_left() -> None:
    store = _Kept("keyring")
    found = checks.session_store(store)
    assert found.level == "ok"
    assert re.fullmatch(
        r"MFA sessions: the keyring keeps them \(written, read and deleted in \d+\.\d\d s\)", found.what
    )
    assert store.values == {}
    assert store.seen[0].startswith("doctor-")


def test_a_store_that_fails_forgets_or_is_none() -> None:
    assert checks.session_store(_Kept("keyring", reason="the keyring is locked, and was not unlocked")) == warn(
        "MFA sessions: the keyring is locked, and was not unlocked",
        "until it works every role costs a code; CREDPROC_SESSION_STORE=file keeps sessions in a private file",
    )
    assert checks.session_store(_Kept("keyring", answer="other")) == fail(
        "MFA sessions: the keyring does not give back what it was given", "CREDPROC_SESSION_STORE=file"
    )
    assert checks.session_store(_Kept("none")) == warn(
        "MFA sessions: kept nowhere, so every role costs a code", "unset CREDPROC_SESSION_STORE"
    )


def test_a_check_is_a_line_with_what_to_do_below_it() -> None:
    found = [ok("one"), warn("two\x1b[31m", "do"), Check("warn", "three:", more=("a", "b"))]
    assert shown(found) == "ok    one\nwarn  two\\x1b[31m\n      do\nwarn  three:\n      a\n      b\n"


# --- the whole -------------------------------------------------------------------------------------------------------

PEOPLE = f"[profile people]\ncredential_process = {PROGRAM} --profile admin\n"
NO_TERMINAL = (
    "warn  terminal: there is no terminal: nobody can be asked for a code here\n"
    "      run credproc login in a terminal\n"
)
FILE = r"ok    MFA sessions: a private file keeps them \(written, read and deleted in \d\.\d\d s\)" + "\n"
NO_FAILURES = "ok    no failures in ~/.cache/credproc/credproc.log\n"


@pytest.fixture(name="sts")
def _sts() -> Iterator[Sts]:
    with Sts() as sts:
        yield sts


@pytest.fixture(name="home_of_people")
def _home_of_people(sts: Sts, tmp_path: Path) -> Home:
    user = sts.user("user1")
    sts.role(ROLE, Trust((user.arn,)))
    home = role_home(tmp_path / "home", sts, user, PEOPLE, CREDPROC_SESSION_STORE="file")
    (home.path / ".aws" / "credentials").chmod(0o600)
    return home


def _start(sts: Sts | None, first: str) -> str:
    reached = "" if sts is None else rf"ok    STS: 127\.0\.0\.1:{sts.port} answers in \d\.\d\d s" + "\n"
    return (
        r"ok    ~/\.aws/config: can be read\nok    ~/\.aws/credentials: can be read\n"
        + re.escape(first)
        + "ok    ~/.cache/credproc: keeps files\n".replace(".", r"\.")
        + re.escape(NO_TERMINAL)
        + FILE
        + reached
        + ("" if sts is None else "ok    clock: agrees with the one of STS\n")
        + re.escape(NO_FAILURES)
    )


def test_all_is_well(home_of_people: Home, sts: Sts) -> None:
    ran = home_of_people.run("doctor", start_new_session=True)
    assert (ran.status, ran.stderr) == (0, "")
    assert re.fullmatch(_start(sts, "ok    1 profile goes through credproc\n"), ran.stdout), ran.stdout


@pytest.mark.parametrize("name", ["people", "admin"])
def test_one_profile_is_looked_at_by_its_name(home_of_people: Home, sts: Sts, name: str) -> None:
    ran = home_of_people.run("doctor", name, start_new_session=True)
    assert (ran.status, ran.stderr) == (0, "")
    first = f"ok    profile '{name}': its settings can be followed\n"
    assert re.fullmatch(_start(sts, first), ran.stdout), ran.stdout


def test_offline_asks_nobody(home_of_people: Home, sts: Sts) -> None:
    ran = home_of_people.run("doctor", "--offline", start_new_session=True)
    assert re.fullmatch(_start(None, "ok    1 profile goes through credproc\n"), ran.stdout)
    assert sts.calls == []


def test_an_unknown_profile_is_wrong(home_of_people: Home) -> None:
    ran = home_of_people.run("doctor", "peopel")
    assert (ran.status, ran.stderr) == (1, "")
    assert (
        "\nFAIL  profile 'peopel': ~/.aws/config and ~/.aws/credentials: no profile named 'peopel'\n"
        "      did you mean 'people'?\n"
    ) in ran.stdout


def test_without_a_line_there_is_nothing_that_sdks_call(home_of_people: Home) -> None:
    config = (home_of_people.path / ".aws" / "config").read_text()
    home_of_people.config(config.replace(PEOPLE, "") + "[strange]\n")
    ran = home_of_people.run("doctor", "--offline")
    assert ran.status == 0
    assert (
        "\nwarn  ~/.aws/config:5: [strange] is not a profile, sso-session or services section;"
        " other readers may read it differently\n      remove it, or correct it\n"
        "warn  no profile has a credential_process line that starts credproc\n"
        "      credproc doctor NAME looks at any profile\n"
    ) in ran.stdout


def test_files_that_cannot_be_understood_are_wrong_and_the_rest_is_still_looked_at(home_of_people: Home) -> None:
    home_of_people.config("[profile a\n")
    ran = home_of_people.run("doctor")
    assert ran.status == 1
    assert (
        "\nFAIL  ~/.aws/config:1: Profile definition must end with ']'\n      write it as [profile NAME]\n"
    ) in ran.stdout
    assert ran.stdout.endswith(NO_FAILURES)


def test_an_sts_that_cannot_be_reached_is_wrong_within_seconds(home_of_people: Home) -> None:
    began = time.monotonic()
    ran = home_of_people.run("doctor", environ={"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"})
    assert ran.status == 1
    assert (
        "\nFAIL  STS: http://127.0.0.1:1: GET: cannot be reached: connection refused\n"
        "      check the network, proxy and VPN, and the region's name\n"
    ) in ran.stdout
    assert time.monotonic() - began < 5


def test_a_proxy_is_asked_and_named_without_its_password(home_of_people: Home, sts: Sts) -> None:
    environ = {"AWS_ENDPOINT_URL_STS": "http://localhost:1", "HTTP_PROXY": f"http://me:secret@127.0.0.1:{sts.port}"}
    ran = home_of_people.run("doctor", environ=environ)
    assert re.search(
        rf"\nok    STS: localhost:1 answers through the proxy 127\.0\.0\.1:{sts.port} in \d\.\d\d s\n", ran.stdout
    ), ran.stdout
    assert "secret" not in ran.stdout
    gone = home_of_people.run("doctor", environ=environ | {"HTTP_PROXY": "http://me:secret@127.0.0.1:1"})
    assert gone.status == 1
    assert (
        "\nFAIL  STS: http://localhost:1: GET: the proxy does not answer, or refuses (the proxy is 127.0.0.1:1)\n"
        "      check HTTPS_PROXY, or add the endpoint's host to NO_PROXY\n"
    ) in gone.stdout


def test_a_clock_that_is_off_is_wrong(home_of_people: Home, sts: Sts) -> None:
    sts.clock_offset = 1000
    ran = home_of_people.run("doctor")
    assert ran.status == 1
    assert re.search(r"\nFAIL  clock: (999|100\d) s behind the one of STS, which refuses", ran.stdout)


@pytest.mark.skipif(not keyrings.AVAILABLE, reason="needs dbus-daemon and gnome-keyring-daemon")
def test_a_real_keyring_is_tried_and_left_empty(home_of_people: Home) -> None:
    with keyrings.SecretService(home_of_people.path) as service:
        ran = home_of_people.run(
            "doctor", "--offline", environ={**service.environ, "CREDPROC_SESSION_STORE": "keyring"}
        )
        assert re.search(
            r"\nok    MFA sessions: the keyring keeps them \(written, read and deleted in \d\.\d\d s\)\n", ran.stdout
        ), ran.stdout
        assert service.items() == []


@pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="needs dbus-daemon")
def test_a_silent_keyring_is_said_and_does_not_hold_doctor_up(home_of_people: Home) -> None:
    with keyrings.SilentSecretService() as service:
        environ = {**service.environ, "CREDPROC_SESSION_STORE": "keyring"}
        ran = home_of_people.run("doctor", "--offline", environ=environ, start_new_session=True)
    assert ran.status == 0
    assert "\nwarn  MFA sessions: the keyring did not answer in 5 s\n" in ran.stdout
    assert not (home_of_people.cache / "keyring.unresponsive").exists()


def test_on_a_terminal_it_shows_what_it_is_doing_and_leaves_no_trace_of_it(home_of_people: Home, sts: Sts) -> None:
    with Terminal() as terminal:
        environ = {**home_of_people.environ, "TERM": "xterm"}
        job = terminal.start([PROGRAM, "doctor"], environ, stdin="null")
        assert job.wait() == 0
        terminal.drain()
        text = terminal.transcript.decode()
        assert "\r\x1b[Ktrying the keyring ..." in text
        assert f"\r\x1b[Kasking {sts.url} ...\r\x1b[Kok    ~/.aws/config: can be read\r\n" in text
        assert "ok    terminal: a code can be asked for" in text
        bare = terminal.start([PROGRAM, "doctor"], {**environ, "TERM": "dumb"}, stdin="null")
        assert bare.wait() == 0
        terminal.drain()
        assert "\x1b" not in terminal.transcript.decode().removeprefix(text)
