"""credproc doctor: each check by itself, on its border; then the whole, as a person reads it."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from email.utils import formatdate
from pathlib import Path

import pytest

from credproc.commands.doctor import as_lines, environment, files, profiles, services
from credproc.commands.doctor.bundles import untrusted_bundles
from credproc.commands.doctor.check import Check, Level, ok, warn
from credproc.commands.doctor.helper_lines import Line, helper_lines
from credproc.commands.profile_state import is_read_as_process
from credproc.config.parser import parse, read
from credproc.config.settings import ROLE_NAMES, SETTINGS, KnownSetting, StoreKind
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

KEYS_IN_FILE = "warn ~/.aws/credentials:2"
WRITE = f"write credential_process = {PROGRAM} --profile NAME"


def _expect(check: Check, level: Level, *words: str) -> None:
    """Assert the level, and that message and hint contain the words; tests/messages has the sentences."""
    assert check.level == level, check
    assert [word for word in words if word not in f"{check.message}\n{check.hint}"] == [], check


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
    ("mode", "secret", "level", "hint"),
    [
        (0o600, True, "ok", None),
        (0o644, False, "ok", None),
        (0o640, True, "FAIL", "chmod 600 ~/.aws/f"),
        (0o620, False, "warn", "chmod g-w ~/.aws/f"),
        (0o602, False, "FAIL", "chmod go-w ~/.aws/f"),
    ],
)
def test_an_aws_file_is_readable_and_nobody_elses(
    aws: Path,
    mode: int,
    secret: bool,  # noqa: FBT001 - a parameter of pytest
    level: Level,
    hint: str | None,
) -> None:
    found = files.aws_file(_write(aws / "f", "", mode), os.environ, secret=secret)
    assert (found.level, found.hint) == (level, hint)
    assert found.message.startswith("~/.aws/f: ")


def test_an_aws_file_that_cannot_be_read_is_wrong(tmp_path: Path) -> None:
    h = Home(tmp_path / "home")
    _write(h.path / ".aws" / "credentials", "", 0)
    command = [*BOUND_BY_MODES, PROGRAM, "doctor", "--offline"]
    ran = subprocess.run(command, env=h.environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert re.search("FAIL  ~/.aws/credentials: cannot be read\n      .* owner and mode", ran.stdout)


def test_a_missing_config_is_worth_a_word_and_missing_credentials_are_not(aws: Path) -> None:
    path = str(aws / "f")
    _expect(files.aws_file(path, os.environ, secret=False), "warn", "~/.aws/f: does not exist")
    assert files.aws_file(path, os.environ, secret=True).level == "ok"
    _expect(files.aws_file(None, {}, secret=True), "FAIL", "home directory", "set HOME")


@pytest.mark.parametrize("secret", [False, True])
def test_a_missing_file_that_a_variable_names_is_named_with_the_variable(aws: Path, secret: bool) -> None:  # noqa: FBT001
    variable = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")[secret]
    path = str(aws / "f")
    found = files.aws_file(path, {"HOME": os.environ["HOME"], variable: path}, secret=secret)
    _expect(found, "warn", f"{variable} names ~/.aws/f", "does not exist", f"unset {variable}")


def test_an_aws_file_below_a_file_is_wrong(aws: Path) -> None:
    below = _write(aws / "f", "") + "/config"
    _expect(files.aws_file(below, os.environ, secret=False), "FAIL", "~/.aws/f/config: not a directory")


@pytest.mark.parametrize(
    ("file", "directory", "wanted"),
    [
        (0o600, 0o700, []),
        (0o664, 0o775, []),  # a group may be the user's own
        (0o666, 0o700, ["~/ca/ca.pem: is writable by others (mode 666), so they can pass for AWS"]),
        (0o600, 0o777, ["~/ca: is writable by others (mode 777), so they can pass for AWS"]),
        (0o600, 0o1777, []),  # nobody replaces another's file
    ],
)
@pytest.mark.parametrize("where", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "config:2"])
def test_a_ca_bundle_that_others_can_change_is_wrong(
    home: Path, file: int, directory: int, wanted: list[str], where: str
) -> None:
    bundle = home / "ca" / "ca.pem"
    bundle.parent.mkdir()
    _write(bundle, "", file)
    bundle.parent.chmod(directory)
    named = {} if where == "config:2" else {where: str(bundle)}
    config = parse(f"[profile a]\nca_bundle = {bundle}\n" if where == "config:2" else "[profile a]\n", "")
    found = list(untrusted_bundles(config.profiles.values(), {"HOME": str(home), **named}))
    assert [(check.level, check.message) for check in found] == [("FAIL", f"{where}: {what}") for what in wanted]


@pytest.mark.anybody
def test_a_ca_bundle_that_is_not_there_is_no_finding_of_its_file(home: Path) -> None:
    assert list(untrusted_bundles([], {"HOME": str(home), "AWS_CA_BUNDLE": str(home / "ca.pem")})) == []


def test_doctor_says_that_others_can_change_a_profiles_ca_bundle(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    bundle = tmp_path / "ca.pem"
    _write(bundle, "", 0o666)
    home.config(f"[profile a]\nca_bundle = {bundle}\nrole_arn = {ROLE}\ncredential_source = Environment\n")
    ran = home.run("doctor", "a", "--offline")
    assert ran.status == 1
    assert f"FAIL  ~/.aws/config:2: {bundle}: is writable by others" in ran.stdout.replace("\n      ", " ")


def test_doctor_says_that_a_ca_bundle_is_refused_in_a_file_that_others_can_change(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", AWS_ENDPOINT_URL_STS="http://127.0.0.1:1")
    home.config(f"[profile a]\nca_bundle = ca.pem\nrole_arn = {ROLE}\ncredential_source = Environment\n")
    (home.path / ".aws" / "config").chmod(0o666)
    ran = home.run("doctor", "a")
    assert (ran.status, ran.stderr) == (1, "")
    said = re.findall("FAIL  (.*)", ran.stdout.replace("\n      ", " "))
    assert [line for line in said if "ca_bundle is refused" in line] == said[1:3], "of the file, and of the call"


def test_the_cache_directory_is_tried_and_left_as_it_was(home: Path) -> None:
    _expect(files.cache_directory(os.environ), "ok", "~/.cache/credproc: ")
    assert list((home / ".cache" / "credproc").iterdir()) == []


@pytest.mark.parametrize(
    ("mode", "level", "words"),
    [
        (0o755, "warn", ["chmod 700 ~/.cache/credproc"]),
        (0o770, "FAIL", ["nothing is cached", "CREDPROC_CACHE_DIR"]),
    ],
)
def test_a_cache_directory_that_is_open_to_others(home: Path, mode: int, level: Level, words: list[str]) -> None:
    directory = home / ".cache" / "credproc"
    directory.mkdir(parents=True)
    directory.chmod(mode)
    _expect(files.cache_directory(os.environ), level, "~/.cache/credproc: ", *words)
    assert stat.S_IMODE(directory.stat().st_mode) == mode


def test_a_cache_directory_that_is_a_file_or_a_relative_path(home: Path) -> None:
    _write(home / "file", "")
    found = files.cache_directory({"HOME": str(home), "CREDPROC_CACHE_DIR": str(home / "file")})
    _expect(found, "FAIL", "~/file: not a directory", "nothing is cached")
    relative = {"HOME": str(home), "CREDPROC_CACHE_DIR": "here"}
    _expect(files.cache_directory(relative), "warn", "CREDPROC_CACHE_DIR", "absolute path", "~/.cache/credproc")


# --- settings --------------------------------------------------------------------------------------------------------


WINNING = [setting for setting in SETTINGS if setting.wins_in]


@pytest.mark.parametrize("setting", WINNING, ids=lambda setting: setting.name)
def test_what_wins_over_the_line_in_an_sdk_is_wrong_beside_it(setting: KnownSetting) -> None:
    section = Section("a", "config:1")
    section[f"credproc_{setting.name}"] = Setting("x", "config:3")
    assert list(profiles.settings_that_win(section)) == []
    section[setting.name] = Setting("x", "config:2")
    (found,) = profiles.settings_that_win(section)
    assert found.level == "FAIL"
    assert found.message.startswith(f"config:2: {setting.name} wins over credential_process ")
    assert all(sdk in found.message for sdk in setting.wins_in)
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
    assert re.search("login_session wins over credential_process .* boto3 and the AWS CLI, Java, Rust", ran.stdout)


def test_two_homes_on_windows() -> None:
    homes = {"HOME": "C:\\msys64\\home\\me", "USERPROFILE": "C:\\Users\\me"}
    (found,) = environment.homes(homes, "win32")
    _expect(found, "warn", "HOME is not USERPROFILE", "JavaScript", "AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE")
    same = homes | {"HOME": "c:/users/me/"}
    files = homes | {"AWS_CONFIG_FILE": "C:\\c", "AWS_SHARED_CREDENTIALS_FILE": "C:\\d"}
    assert [list(environment.homes(given, "win32")) for given in (same, files, {"HOME": "C:\\x"})] == [[], [], []]
    assert list(environment.homes(homes, "linux")) == []


def _line(command: str, *, comment: bool = False) -> list[Check]:
    line = Line("config:2", command, comment, Section("a", "config:1"))
    return list(profiles.helper_line(line, PROGRAM, {}))


def test_the_line_that_all_sdks_read_alike_is_well() -> None:
    assert _line(f"{PROGRAM} --profile admin") == []


@pytest.mark.parametrize("command", ['"/usr/bin/credproc" --profile a', "/usr/bin/credproc --profile 'a b'", "/a\\ b"])
def test_quotes_in_the_line(command: str) -> None:
    (found,) = _line(command)
    _expect(found, "FAIL", "config:2: credential_process", "quotes", WRITE)


@pytest.mark.parametrize("command", ["~/credproc --profile a", "$HOME/credproc --profile a", "/credproc x | y"])
def test_what_only_a_shell_expands_in_the_line(command: str) -> None:
    (found,) = _line(command)
    _expect(found, "FAIL", "config:2: credential_process", "shell", WRITE)


def test_a_comment_behind_the_line() -> None:
    (found,) = _line(f"{PROGRAM} --profile admin", comment=True)
    _expect(found, "FAIL", "config:2: ", "comment", "boto3 and the AWS CLI", "a line of its own")


def test_a_helper_that_moved_cannot_be_executed_or_is_another(tmp_path: Path) -> None:
    helper = tmp_path / "credproc"

    def found() -> Check:
        (check,) = _line(f"{helper} --profile a")
        return check

    _expect(found(), "FAIL", f"config:2: {helper} does not exist", WRITE)
    _write(helper, "#!/bin/sh\n", 0o600)
    _expect(found(), "FAIL", f"config:2: {helper} cannot be executed", WRITE)
    helper.chmod(0o700)
    _expect(found(), "warn", f"config:2: {helper} is a different credproc", WRITE)
    helper.unlink()
    helper.symlink_to(PROGRAM)
    assert _line(f"{helper} --profile a") == []


def test_a_name_without_a_path() -> None:
    (found,) = _line("credproc --profile a")
    _expect(found, "warn", "config:2: credential_process", "absolute path", "PATH", WRITE)


def test_the_lines_that_start_credproc_are_found_with_their_comments(aws: Path) -> None:
    _write(
        aws / "config",
        "[profile a]\ncredential_process = /usr/bin/credproc --profile x # why\n"
        '[profile b]\r\ncredential_process = "/opt/credproc/credproc" --profile x\r\n'
        "[profile other]\ncredential_process = /usr/bin/aws-vault export\n"
        "[profile near]\ncredential_process = /usr/bin/credprocess --profile x\n",
    )
    _write(aws / "credentials", "[c]\ncredential_process = ~/bin/credproc --profile x ; two\n")
    found = helper_lines(read(os.environ), os.environ, None)
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
    found = list(profiles.session_without_iam(plan, "profile 'k'"))
    assert len(found) == told
    for check in found:
        _expect(check, "warn", "profile 'k': ", "without MFA", "IAM", "mfa_serial")


# --- environment, terminal, clock ------------------------------------------------------------------------------------

KEYS = ["AWS_ACCESS_KEY_ID is set", "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"]
ENDPOINT = ["AWS_ENDPOINT_URL is set", "AWS_ENDPOINT_URL_S3"]


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, []),
        ({"AWS_ACCESS_KEY_ID": "A"}, KEYS),
        ({"AWS_ENDPOINT_URL": "https://s3.example"}, ENDPOINT),
        ({"AWS_ENDPOINT_URL": "https://s3.example", "AWS_ENDPOINT_URL_STS": "https://sts.example"}, []),
        ({"AWS_ENDPOINT_URL": "https://s3.example", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, []),
    ],
)
def test_variables_that_lead_elsewhere(environ: Mapping[str, str], words: list[str]) -> None:
    found = list(environment.variables(environ, []))
    assert len(found) == bool(words)
    for check in found:
        _expect(check, "warn", *words)


def test_keys_in_the_environment_that_a_profile_names_are_no_mistake() -> None:
    config = parse(f"[profile e]\nrole_arn = {ROLE}\ncredential_source = Environment\n", "")
    environ = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"}
    assert list(environment.variables(environ, [plan_for(config, Request("e", environ, 0.0))])) == []


def test_the_terminal_is_there_or_it_is_said_why_not() -> None:
    assert [check.level for check in environment.prompts(None, {}, ())] == ["ok"]
    reason = "this process runs in the background of its terminal"
    (found,) = environment.prompts(reason, {}, ["terminal"])
    _expect(found, "warn", f"terminal: {reason}: ", "credproc login", "credproc_prompt = dialog")
    (found,) = environment.prompts(None, {"CREDPROC_INTERACTIVE": "never"}, ["dialog"])
    _expect(found, "warn", "CREDPROC_INTERACTIVE=never", "unset CREDPROC_INTERACTIVE")


@pytest.mark.parametrize(
    ("offset", "level", "words"),
    [
        (59, "ok", []),
        (60, "warn", ["60 s ahead of", "timedatectl"]),
        (-240, "warn", ["240 s behind", "timedatectl"]),
        (241, "FAIL", ["241 s ahead of", "five minutes", "timedatectl"]),
    ],
)
def test_the_clock_against_the_one_of_sts(offset: int, level: Level, words: list[str]) -> None:
    now = 1_800_000_000
    _expect(services.clock(formatdate(now, usegmt=True), now + offset), level, "clock: ", *words)


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_an_answer_without_a_time(date: str | None) -> None:
    _expect(services.clock(date, 0), "warn", "clock: ", "Date")


def test_an_answer_of_sts_and_one_of_what_stands_between() -> None:
    _expect(services.sts_response("sts.example", 302, 0.123, None), "ok", "STS: sts.example answers in 0.12 s")
    found = services.sts_response("sts.example", 400, 0.1, "proxy:3128")
    _expect(found, "ok", "STS: sts.example", "the proxy proxy:3128", "0.10 s")
    for status in (407, 500, 503):
        _expect(services.sts_response("sts.example", status, 0.1, None), "FAIL", "STS: sts.example", str(status))


# --- the store of sessions -------------------------------------------------------------------------------------------


class _Kept:
    """A store in memory, which forgets if it is told to."""

    def __init__(self, kind: StoreKind, *, answer: str | None = None, reason: str | None = None) -> None:
        self.kind: StoreKind = kind
        self.values: dict[str, str] = {}
        self.seen: list[str] = []
        self._answer = answer
        self._reason = reason

    def unavailable_reason(self) -> str | None:
        return None

    def get(self, name: str) -> str | None:
        return self._answer or self.values.get(name)

    def set(self, name: str, value: str, seconds: int) -> None:  # noqa: ARG002 - Store's signature
        if self._reason is not None:
            raise SessionStoreError(self._reason)
        self.seen.append(name)
        self.values[name] = value

    def delete(self, name: str) -> None:
        del self.values[name]

    def names(self, candidates: Iterable[str]) -> list[str]:
        return [name for name in candidates if name in self.values]


def test_a_store_is_tried_under_a_name_of_its_own_and_nothing_is_left() -> None:
    store = _Kept("keyring")
    found = services.session_store(store)
    assert found.level == "ok"
    assert re.search(r"^MFA sessions: the keyring .*\d+\.\d\d s", found.message)
    assert store.values == {}
    assert store.seen[0].startswith("doctor-")


def test_a_store_that_fails_forgets_or_is_none() -> None:
    locked = services.session_store(_Kept("keyring", reason="the keyring is locked, and was not unlocked"))
    _expect(locked, "warn", "MFA sessions: the keyring is locked", "CREDPROC_SESSION_STORE=file")
    forgetful = services.session_store(_Kept("keyring", answer="other"))
    _expect(forgetful, "FAIL", "MFA sessions: the keyring does not return", "CREDPROC_SESSION_STORE=file")
    _expect(services.session_store(_Kept("none")), "warn", "MFA sessions: ", "unset CREDPROC_SESSION_STORE")


def test_a_check_is_a_line_with_what_to_do_below_it() -> None:
    found = [ok("one"), warn("two\x1b[31m", "do"), Check("warn", "three:", details=("a", "b"))]
    assert as_lines(found) == ["ok    one", "warn  two\\x1b[31m", "      do", "warn  three:", "      a", "      b"]


# --- the whole -------------------------------------------------------------------------------------------------------

PEOPLE = f"[profile people]\ncredential_process = {PROGRAM} --profile admin\n"


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


def _results(stdout: str) -> list[str]:
    """Return level and subject of each result: ``ok clock``."""
    lines = [line for line in stdout.splitlines() if not line.startswith(" ")]
    return [f"{line[:6].strip()} {line[6:].partition(': ')[0]}" for line in lines]


def _well(first: str, *, offline: bool = False) -> list[str]:
    """Return the results where all is well but that there is no terminal, and that the keys lie in a file."""
    return [
        "ok ~/.aws/config",
        "ok ~/.aws/credentials",
        first,
        KEYS_IN_FILE,
        "ok ~/.cache/credproc",
        "warn terminal",
        "ok MFA sessions",
        *([] if offline else ["ok STS", "ok clock"]),
        "ok no failures within 24 h in ~/.cache/credproc/credproc.log",
    ]


def test_all_is_well(home_of_people: Home) -> None:
    ran = home_of_people.run("doctor", start_new_session=True)
    assert (ran.status, ran.stderr) == (0, "")
    assert _results(ran.stdout) == _well("ok 1 profile uses credproc")


@pytest.mark.parametrize("name", ["people", "admin"])
def test_one_profile_is_looked_at_by_its_name(home_of_people: Home, name: str) -> None:
    ran = home_of_people.run("doctor", name, start_new_session=True)
    assert (ran.status, ran.stderr) == (0, "")
    well = _well(f"ok profile '{name}'")
    if name == "admin":  # has no line that starts credproc: SDKs need its keys where they are
        well.remove(KEYS_IN_FILE)
    assert _results(ran.stdout) == well


def test_offline_asks_nobody(home_of_people: Home, sts: Sts) -> None:
    ran = home_of_people.run("doctor", "--offline", start_new_session=True)
    assert _results(ran.stdout) == _well("ok 1 profile uses credproc", offline=True)
    assert sts.calls == []


def test_an_unknown_profile_is_wrong(home_of_people: Home) -> None:
    ran = home_of_people.run("doctor", "peopel")
    assert (ran.status, ran.stderr) == (1, "")
    assert re.search(r"\nFAIL  profile 'peopel': .*\n      did you mean 'people'\?\n", ran.stdout)


def test_without_a_line_there_is_nothing_that_sdks_call(home_of_people: Home) -> None:
    config = (home_of_people.path / ".aws" / "config").read_text()
    home_of_people.config(config.replace(PEOPLE, "") + "[strange]\n")
    ran = home_of_people.run("doctor", "--offline")
    assert ran.status == 0
    assert re.search(r"\nwarn  ~/.aws/config:5: \[strange\] ", ran.stdout)
    assert re.search(r"\nwarn  no profile has a credential_process line .*\n      .*credproc doctor NAME", ran.stdout)


def test_files_that_cannot_be_understood_are_wrong_and_the_rest_is_still_looked_at(home_of_people: Home) -> None:
    home_of_people.config("[profile a\n")
    ran = home_of_people.run("doctor")
    assert ran.status == 1
    assert re.search(r"\nFAIL  ~/.aws/config:1: .*\n      .*\[profile NAME\]\n", ran.stdout)
    assert _results(ran.stdout)[-1].startswith("ok no failures")


def test_an_sts_that_cannot_be_reached_is_wrong_within_seconds(home_of_people: Home) -> None:
    began = time.monotonic()
    ran = home_of_people.run("doctor", environ={"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"})
    assert ran.status == 1
    assert re.search(r"\nFAIL  STS: http://127\.0\.0\.1:1: .*connection refused\n      .*proxy", ran.stdout)
    assert time.monotonic() - began < 5


def test_a_proxy_is_asked_and_named_without_its_password(home_of_people: Home, sts: Sts) -> None:
    environ = {"AWS_ENDPOINT_URL_STS": "http://localhost:1", "HTTP_PROXY": f"http://me:secret@127.0.0.1:{sts.port}"}
    ran = home_of_people.run("doctor", environ=environ)
    assert re.search(rf"\nok    STS: localhost:1 .*proxy 127\.0\.0\.1:{sts.port} in \d\.\d\d s\n", ran.stdout), (
        ran.stdout
    )
    assert "secret" not in ran.stdout
    gone = home_of_people.run("doctor", environ=environ | {"HTTP_PROXY": "http://me:secret@127.0.0.1:1"})
    assert gone.status == 1
    assert re.search(r"\nFAIL  STS: http://localhost:1: .*proxy.*127\.0\.0\.1:1.*\n      .*HTTPS_PROXY", gone.stdout)


LONG_TERM = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n"


@pytest.mark.parametrize(
    ("credentials", "told"),
    [
        (f"[my user]\n{LONG_TERM}", ["2 my"]),
        (f"[other]\nregion = x\n[my user]\n{LONG_TERM}[b]\n{LONG_TERM}", ["4 my", "7 b"]),
        (f"[my user]\n{LONG_TERM}aws_session_token = t\n", []),
        ("", []),
    ],
)
@pytest.mark.parametrize("line", [f"credential_process = {PROGRAM} --profile a\n", ""], ids=["line", "none"])
@pytest.mark.parametrize("profile", ["a", None])
def test_long_term_keys_that_lie_beside_a_role_are_told_and_what_moves_them(
    tmp_path: Path, credentials: str, told: list[str], line: str, profile: str | None
) -> None:
    home = Home(tmp_path / "home")
    in_config = f"[profile 'my user']\n{LONG_TERM}"
    home.config(f"[profile a]\n{line}credproc_role_arn = {ROLE}\ncredproc_source_profile = my user\n{in_config}")
    home.credentials(credentials)
    ran = home.run("doctor", *filter(None, [profile]), "--offline")
    found = re.findall(r"~/.aws/credentials:(\d+): .*long-term.*\n +run credproc keys import '?(\w+)", ran.stdout)
    assert [" ".join(each) for each in found] == (told if line else []), ran.stdout
    assert ("keys import 'my user' to" in ran.stdout) is bool(line and told)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "http_proxy"])
def test_a_proxy_whose_password_breaks_its_url_is_named_without_it_and_without_a_request(
    tmp_path: Path, name: str
) -> None:
    ran = Home(tmp_path / "home").run("doctor", "--offline", environ={name: "http://me:pre/cious@127.0.0.1:9"})
    assert re.search(f"\nFAIL  {name}: .* holds a / .*\n      write %2F", ran.stdout), ran.stdout
    assert "cious" not in ran.stdout


def test_a_clock_that_is_off_is_wrong(home_of_people: Home, sts: Sts) -> None:
    sts.clock_offset = 1000
    ran = home_of_people.run("doctor")
    assert ran.status == 1
    assert re.search(r"\nFAIL  clock: (999|100\d) s behind ", ran.stdout)


@pytest.mark.skipif(not keyrings.AVAILABLE, reason="needs dbus-daemon and gnome-keyring-daemon")
def test_a_real_keyring_is_tried_and_left_empty(home_of_people: Home) -> None:
    with keyrings.SecretService(home_of_people.path) as service:
        ran = home_of_people.run(
            "doctor", "--offline", environ={**service.environ, "CREDPROC_SESSION_STORE": "keyring"}
        )
        assert re.search(r"\nok    MFA sessions: the keyring .*\d\.\d\d s", ran.stdout), ran.stdout
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
        assert "\r\x1b[Kchecking the keyring ..." in text
        assert f"\r\x1b[Kasking {sts.url} ...\r\x1b[Kok    ~/.aws/config: " in text
        assert "ok    terminal: " in text
        bare = terminal.start([PROGRAM, "doctor"], {**environ, "TERM": "dumb"}, stdin="null")
        assert bare.wait() == 0
        terminal.drain()
        assert "\x1b" not in terminal.transcript.decode().removeprefix(text)
