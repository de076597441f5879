"""The whole program from a profile to a document: refresh, restamp, old credentials, one at a time."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from credproc import cache
from credproc.files import PrivateDirectory
from credproc.locking.directory import own_directory
from tests import crowd
from tests.posix import WINDOWS
from tests.program import FROZEN, PROGRAM, ROLE, Home, Outcome, role_home
from tests.sts import Sts, Trust, User, delay, fail, hold, throttle

DENIED = fail(403, "AccessDenied", "no")
_CROWD = 20 if WINDOWS else 50  # under Wine fifty starts take longer than a test waits


class World(NamedTuple):
    """A home, the STS that it reaches and the user whose keys are in it."""

    home: Home
    sts: Sts
    user: User

    def admin(self, **environ: str) -> Outcome:
        """Run for the profile ``admin``."""
        return self.home.run("--profile", "admin", environ=environ)


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> Iterator[World]:
    with Sts() as sts:
        user = sts.user("user1")
        sts.role(ROLE, Trust((user.arn,)), max_session_duration=43200)
        yield World(role_home(tmp_path / "home", sts, user), sts, user)


def test_a_role_profile_gives_one_document_with_all_its_keys(world: World) -> None:
    document = world.admin().document
    assert list(document) == ["Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "AccountId"]
    assert document["Version"] == 1
    assert document["AccountId"] == "123456789012"
    assert time.strptime(document["Expiration"], "%Y-%m-%dT%H:%M:%SZ")
    (call,) = world.sts.calls
    assert (call.action, call.region, call.access_key_id) == ("AssumeRole", "us-west-2", world.user.access_key_id)
    assert call.parameters["RoleSessionName"].startswith("credproc-")


def test_the_second_run_is_a_hit_with_the_same_bytes(world: World) -> None:
    first = world.admin()
    assert world.admin() == first
    assert world.sts.count() == 1


@pytest.mark.posix("modes of files")
def test_what_is_kept_is_private(world: World) -> None:
    os.umask(0)
    try:
        assert world.admin().status == 0
    finally:
        os.umask(0o022)
    assert stat.S_IMODE(world.home.cache.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in world.home.cache.iterdir()} == {0o600}


def test_an_edit_that_changes_nothing_of_the_plan_costs_no_call(world: World) -> None:
    first = world.admin()
    config = world.home.path / ".aws" / "config"
    world.home.config(config.read_text() + "[profile other]\nregion = eu-west-1\n")
    assert world.admin() == first
    world.home.settle()
    assert world.admin() == first  # restamped with times that are sure now
    entry = cache.load(PrivateDirectory(str(world.home.cache)), world.home.entries[0].name)
    assert entry is not None
    assert entry.fingerprint != "unsure"
    assert world.sts.count() == 1


CHANGES: dict[str, Callable[[str], str]] = {
    "role_arn": lambda text: text.replace(":role/marketingadmin", ":role/another"),
    "source_profile": lambda text: text.replace("source_profile = user1", "source_profile = user2"),
    "a role in the chain": lambda text: (
        text.replace("source_profile = user1", "source_profile = middle")
        + f"[profile middle]\nrole_arn = {ROLE}2\nsource_profile = user1\n"
    ),
    "credential_source": lambda text: text.replace("source_profile = user1", "credential_source = Environment"),
    "web_identity_token_file": lambda text: text + "web_identity_token_file = /nowhere\n",
    "external_id": lambda text: text + "external_id = 1234\n",
    "role_session_name": lambda text: text + "role_session_name = alice\n",
    "duration_seconds": lambda text: text + "duration_seconds = 7200\n",
    "region": lambda text: text.replace("us-west-2", "eu-west-1"),
    "use_fips_endpoint": lambda text: text.replace("us-west-2", "us-west-2\nuse_fips_endpoint = true"),
    "use_dualstack_endpoint": lambda text: text.replace("us-west-2", "us-west-2\nuse_dualstack_endpoint = true"),
    "mfa_serial": lambda text: text + "mfa_serial = arn:aws:iam::123456789012:mfa/user1\n",
    "credproc_role_arn": lambda text: text + f"credproc_role_arn = {ROLE}3\n",
    "credproc_policy": lambda text: text + 'credproc_policy = {"Version":"2012-10-17","Statement":[]}\n',
    "credproc_policy_arns": lambda text: text + "credproc_policy_arns = arn:aws:iam::aws:policy/ReadOnlyAccess\n",
    "credproc_session_tags": lambda text: text + "credproc_session_tags = team=red\n",
    "credproc_transitive_tag_keys": lambda text: text + "credproc_transitive_tag_keys = team\n",
    "credproc_source_identity": lambda text: text + "credproc_source_identity = alice\n",
    "a profile that has gone": lambda _: "",
    "a profile that cannot be read": lambda text: text.replace("[profile admin]", "[profile admin"),
}


# what is refused before STS is asked; all the others must get as far as its refusal
NOT_SENT = {
    "use_fips_endpoint",  # not together with an endpoint of one's own
    "use_dualstack_endpoint",
    "credential_source",
    "web_identity_token_file",
    "mfa_serial",
    "a profile that has gone",
    "a profile that cannot be read",
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_plan_is_never_answered_with_the_old_document(world: World, name: str) -> None:
    credentials = (world.home.path / ".aws" / "credentials").read_text()
    world.home.credentials(f"{credentials}[user2]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = x\n")
    assert world.admin().status == 0
    world.sts.always(DENIED)
    config = world.home.path / ".aws" / "config"
    world.home.config(CHANGES[name](config.read_text()))
    changed = world.admin()
    assert changed.status != 0
    assert changed.stdout == ""
    assert world.sts.count() == (1 if name in NOT_SENT else 2), changed.stderr


def test_another_key_of_the_source_is_never_answered_with_the_old_document(world: World) -> None:
    old = world.admin().document
    other = world.sts.user("user2")
    world.home.keys("user1", other)
    assert world.admin().status == 1  # the role trusts user1 alone
    world.sts.role(ROLE, Trust((other.arn,)))
    assert world.admin().document["AccessKeyId"] != old["AccessKeyId"]


@pytest.mark.parametrize("place", ["profile", "services"])
def test_another_endpoint_in_the_config_is_never_answered_with_the_old_document(world: World, place: str) -> None:
    def point_at(url: str) -> None:
        role = f"[profile admin]\nregion = us-west-2\nrole_arn = {ROLE}\nsource_profile = user1\n"
        services = f"services = local\n[services local]\nsts =\n  endpoint_url = {url}\n"
        world.home.config(role + (f"endpoint_url = {url}\n" if place == "profile" else services))

    del world.home.environ["AWS_ENDPOINT_URL_STS"]
    point_at(world.sts.url)
    assert world.admin().status == 0
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dead = f"http://127.0.0.1:{listener.getsockname()[1]}"
    point_at(dead)
    ran = world.admin()
    assert (ran.status, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"credproc: error: {dead}: AssumeRole: ")


@pytest.mark.parametrize("name", cache.VARIABLES)
def test_two_shells_with_different_variables_do_not_overwrite_each_other(world: World, name: str) -> None:
    values = {"AWS_ENDPOINT_URL_STS": world.sts.url.replace("127.0.0.1", "localhost"), "AWS_ENDPOINT_URL": "https://x"}
    flags = {"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"}
    value = values.get(
        name, "false" if name in flags else "legacy" if name == "AWS_STS_REGIONAL_ENDPOINTS" else "eu-west-1"
    )
    first = world.admin()
    second = world.admin(**{name: value})
    assert second.status == 0, second
    assert len(world.home.entries) == 2
    assert world.admin() == first
    assert world.admin(**{name: value}) == second
    assert world.sts.count() == 2


@pytest.mark.parametrize(
    ("left", "served"),
    [(10 * 60, True), (4 * 60, True), (70, True), (55, False), (-5, False)],
    ids=["ten minutes", "four minutes", "over a minute", "under a minute", "none"],
)
def test_the_old_credentials_are_served_while_a_refresh_fails_and_they_have_a_minute(
    world: World,
    left: int,
    served: bool,  # noqa: FBT001
) -> None:
    old = world.admin()
    world.home.age_entry(left)
    world.sts.always(DENIED)
    now = world.admin()
    assert (now.stdout == old.stdout) is served
    assert (now.status == 0) is served
    if served:
        calls = world.sts.count()
        assert calls == 2
        assert world.admin().stdout == old.stdout
        if left > 120:
            assert world.sts.count() == calls, "the next callers must not fail again at once"


def test_the_old_credentials_are_not_served_when_a_long_refresh_has_outlasted_them(world: World) -> None:
    world.admin()
    world.home.age_entry(62)
    world.sts.always(delay(3, fail(403, "AccessDenied", "no")))
    ran = world.admin()
    assert (ran.status, ran.stdout) == (1, "")


def test_credentials_inside_the_margin_are_renewed(world: World) -> None:
    old = world.admin()
    world.home.age_entry(10 * 60)
    assert world.admin().document["AccessKeyId"] != old.document["AccessKeyId"]


def test_a_role_of_fifteen_minutes_is_a_hit_at_once(world: World) -> None:
    world.home.config((world.home.path / ".aws" / "config").read_text() + "duration_seconds = 900\n")
    first = world.admin()
    assert world.admin() == first
    assert world.sts.count() == 1


@pytest.mark.parametrize(
    "damage",
    [
        "empty",
        "garbage",
        "truncated",
        "symlink",
        "fifo",
        "directory",
        pytest.param("readable", marks=pytest.mark.posix("modes of files")),
    ],
)
def test_an_entry_that_cannot_be_used_is_a_miss_and_heals(world: World, damage: str) -> None:
    assert world.admin().status == 0
    entry = world.home.entries[0]
    data = entry.read_bytes()
    precious = world.home.path / "precious"
    precious.write_bytes(data)
    if damage in ("symlink", "fifo", "directory"):
        entry.unlink()
    damages: dict[str, Callable[[], object]] = {
        "empty": lambda: entry.write_bytes(b""),
        "garbage": lambda: entry.write_bytes(os.urandom(2000)),
        "truncated": lambda: entry.write_bytes(data[:-20]),
        "symlink": lambda: entry.symlink_to(precious),
        "fifo": lambda: os.mkfifo(entry, 0o600),
        "directory": entry.mkdir,
        "readable": lambda: entry.chmod(0o644),
    }
    damages[damage]()
    second = world.admin()
    assert second.document["Version"] == 1
    assert world.sts.count() == 2
    assert precious.read_bytes() == data
    if damage != "directory":  # which only its owner can clear away
        assert world.admin() == second
        assert world.sts.count() == 2


@pytest.mark.posix("modes of files")
@pytest.mark.parametrize("place", ["read-only", "a file", "writable by others", "no home"])
def test_where_nothing_can_be_kept_the_document_comes_all_the_same(world: World, place: str) -> None:
    environ = {}
    if place == "writable by others":
        world.home.cache.mkdir(parents=True)
        world.home.cache.chmod(0o777)
    elif place == "no home":
        environ = {"HOME": "/nonexistent", "XDG_CACHE_HOME": "relative"}
        environ |= {"AWS_CONFIG_FILE": str(world.home.path / ".aws" / "config")}
        environ |= {"AWS_SHARED_CREDENTIALS_FILE": str(world.home.path / ".aws" / "credentials")}
        environ |= {"CREDPROC_CACHE_DIR": "/proc/nowhere"}
    else:
        (world.home.path / ".cache").write_text("a file") if place == "a file" else None
        environ = {"CREDPROC_CACHE_DIR": "/proc/self/credproc"} if place == "read-only" else {}
    assert world.admin(**environ).document["Version"] == 1
    assert world.admin(**environ).document["Version"] == 1
    assert world.sts.count() == 2
    assert not world.home.entries


@pytest.mark.crowd
def test_many_processes_on_a_cold_cache_make_one_call_and_print_one_document(world: World) -> None:
    waiting = threading.Event()
    world.sts.hold(waiting)
    runs = [world.home.start("--profile", "admin") for _ in range(_CROWD)]
    assert world.sts.wait_for(1, timeout=30)
    crowd.until_waiting(run.pid for run in runs)
    waiting.set()
    outputs = {run.communicate(timeout=60) for run in runs}
    assert {run.returncode for run in runs} == {0}
    assert len(outputs) == 1
    assert world.sts.count() == 1


def test_the_lock_of_a_killed_run_is_taken_over(world: World) -> None:
    world.sts.once(hold(threading.Event()))
    holder = world.home.start("--profile", "admin")
    assert world.sts.wait_for(1, timeout=30)
    waiter = world.home.start("--profile", "admin")
    crowd.until_waiting([waiter.pid])
    assert waiter.poll() is None
    holder.kill()
    stdout, stderr = waiter.communicate(timeout=30)
    holder.communicate()
    assert (waiter.returncode, stderr) == (0, "")
    assert json.loads(stdout)["Version"] == 1
    assert world.sts.count() == 2


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.posix("signals")
def test_a_signal_ends_it_at_once_and_in_silence(world: World, name: str) -> None:
    number = getattr(signal, name)
    world.sts.once(hold(threading.Event()))
    run = world.home.start("--profile", "admin")
    assert world.sts.wait_for(1, timeout=30)
    run.send_signal(number)
    assert run.communicate(timeout=5) == ("", "")
    assert run.returncode == -number


def test_a_throttled_call_is_tried_again(world: World) -> None:
    world.sts.once(throttle())
    assert world.admin().document["Version"] == 1
    assert world.sts.count() == 2


@pytest.mark.posix("a stdout that a shell closes, and /dev/full")
@pytest.mark.parametrize("target", ["closed", "full", "gone"])
def test_a_document_that_cannot_be_written_is_kept_and_said(world: World, target: str) -> None:
    if target == "closed":
        command = ["sh", "-c", '"$0" --profile admin >&-']
    elif target == "full":
        command = ["sh", "-c", '"$0" --profile admin >/dev/full']
    else:
        command = ["bash", "-c", 'exec 3> >(exec true); wait $!; "$0" --profile admin >&3']
    ran = subprocess.run(
        [*command, PROGRAM],
        env=world.home.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("credproc: error: stdout: ")
    assert ran.stderr.count("\n") == 2
    assert world.sts.count() == (0 if target == "closed" else 1)
    assert world.admin().status == 0
    assert world.sts.count() == 1


def test_stdin_is_never_read(world: World) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"precious")
    assert world.home.run("--profile", "admin", stdin=reader).status == 0
    assert os.read(reader, 100) == b"precious"
    os.close(reader)
    os.close(writer)


def test_a_profile_with_keys_alone_gives_a_session_and_never_the_keys(world: World) -> None:
    document = world.home.run("--profile", "user1").document
    assert document["AccessKeyId"].startswith("ASIA")
    assert [call.action for call in world.sts.calls] == ["GetSessionToken"]
    assert world.sts.calls[0].parameters == {"DurationSeconds": "43200"}


def test_temporary_keys_in_a_profile_pass_through_without_an_end_and_are_not_kept(world: World) -> None:
    keys = world.sts.temporary(ROLE)
    world.home.credentials(
        f"[user1]\naws_access_key_id = {keys.access_key_id}\naws_secret_access_key = {keys.secret_access_key}\n"
        f"aws_session_token = {keys.session_token}\n"
    )
    document = world.home.run("--profile", "user1").document
    assert document == {
        "Version": 1,
        "AccessKeyId": keys.access_key_id,
        "SecretAccessKey": keys.secret_access_key,
        "SessionToken": keys.session_token,
    }
    assert not world.home.entries
    assert world.sts.count() == 0


def test_clear_says_what_it_removes(world: World) -> None:
    expires = world.admin().document["Expiration"]
    world.home.run("--profile", "user1")
    shown = expires.replace("T", " ")[: -len(":00Z")] + "Z"
    cleared = world.home.run("clear", "--profile", "admin")
    assert (cleared.status, cleared.stderr) == (0, "")
    assert re.fullmatch(f"deleted: .*'admin'.*{shown}\n", cleared.stdout)
    assert len(world.home.entries) == 1
    assert "'user1'" in world.home.run("clear", "--all").stdout
    assert world.home.run("clear", "--all").stdout.startswith("nothing ")
    world.admin()
    assert world.sts.count("AssumeRole") == 2


def test_version_and_help_leave_no_trace(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    before = sorted(home.path.rglob("*"))
    assert home.run("--version").stdout.startswith("credproc 0.")
    assert home.run("--help").stdout.startswith("usage: credproc ")
    assert home.run("clear", "--help").stdout.startswith("usage: credproc clear ")
    assert sorted(home.path.rglob("*")) == before


@pytest.mark.skipif(FROZEN, reason="it ignores PYTHON… variables; test_frozen counts the files that it opens")
@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_version_and_help_import_nothing_slow(tmp_path: Path, argument: str) -> None:
    ran = Home(tmp_path / "home").run(argument, environ={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in ran.stderr.splitlines()}
    assert "credproc" in imported
    assert not imported & {"botocore", "boto3", "keyring", "ssl", "urllib3", "asyncio"}
    assert ("argparse" in imported) is (argument == "--help")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--profile"], "usage: argument --profile: expected one argument"),
        (["--profile", ""], "usage: --profile needs a name"),
        (["--profile="], "usage: --profile needs a name"),
        (["--profile", "a", "--profile", "b"], "usage: --profile is given twice"),
        (["--prof", "a"], "usage: unrecognized arguments: --prof\ncredproc: hint: did you mean --profile?\n"),
        (["clear", "--all", "--profile", "x"], "usage: argument --profile: not allowed with argument --all"),
    ],
)
def test_a_command_line_that_cannot_be_understood_ends_with_two(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    home = Home(tmp_path / "home")
    ran = home.run(*arguments)
    assert (ran.status, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"credproc: error: {said}")
    assert not home.cache.exists()


def test_a_comment_behind_the_credential_process_line_is_explained(tmp_path: Path) -> None:
    ran = Home(tmp_path / "home").run("--profile", "admin", "#", "for", "work")
    assert ran.status == 2
    assert re.search("\ncredproc: hint: .* comment ", ran.stderr)


@pytest.mark.posix("XDG_CACHE_HOME")
@pytest.mark.parametrize("cache_home", ["", "/cache"])
def test_a_home_directory_that_is_missing_is_not_made(tmp_path: Path, cache_home: str) -> None:
    home = tmp_path / "none"
    environ = {"HOME": str(home), "XDG_CACHE_HOME": f"{tmp_path}{cache_home}" if cache_home else ""}
    directory = own_directory(environ)
    assert not home.exists()
    assert (directory is None) is not bool(cache_home)
    if directory is not None:
        directory.close()
