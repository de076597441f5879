"""Long-term keys in a real keyring: as a source, and how they come there, are shown, go, and are rotated."""

import json
import os
import re
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest

from tests.forks import Forks
from tests.mfa import ACCOUNT, PROMPT, World, profile, world
from tests.program import PROGRAM, Home, Outcome
from tests.sts import fail
from tests.terminal import Job, Terminal, unbroken
from tests.wording import assert_names

if sys.platform != "linux":
    pytest.skip("the keyrings are made for Linux", allow_module_level=True)

from tests.keyrings import SecretService, SilentSecretService


@pytest.fixture(name="w")
def _world(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home", ("admin", "other"), CREDPROC_SESSION_STORE="keyring") as found:
        yield found


@pytest.fixture(name="service")
def _service(w: World) -> Iterator[SecretService]:
    with SecretService(w.home.path) as service:
        w.home.environ.update(service.environ)
        yield service


def _config(w: World) -> Path:
    return w.home.path / ".aws" / "config"


def _credentials(w: World) -> Path:
    return w.home.path / ".aws" / "credentials"


def _secrets(service: SecretService) -> dict[str, dict[str, Any]]:
    """Return what the keyring holds of long-term keys, by name."""
    return {
        item.attributes["username"]: json.loads(item.secret)
        for item in service.items()
        if item.attributes["service"] == "credproc access key"
    }


def _import(home: Home) -> None:
    ran = home.run("keys", "import", "user1", "--yes")
    assert (ran.status, ran.stderr) == (0, ""), ran


def _without_mfa(w: World) -> None:
    """Let the user have no device, and a role that asks for none."""
    from tests.sts import Trust  # noqa: PLC0415

    arn = w.role("plain", Trust((w.user.arn,)))
    w.home.config(profile("plain", arn) + "[profile user1]\nregion = us-west-2\n")


# The source


def test_keys_in_the_keyring_are_a_source_profile_and_a_profile_of_their_own(w: World, service: SecretService) -> None:
    _without_mfa(w)
    _import(w.home)
    assert w.home.run("--profile", "plain").document["AccountId"] == "123456789012"
    assert w.home.run("--profile", "user1").document["SessionToken"]
    assert w.actions == ["AssumeRole", "GetSessionToken"]
    assert {call.access_key_id for call in w.sts.calls} == {w.user.access_key_id}
    service.lock()
    assert w.home.run("--profile", "plain").document  # a hit


def test_one_profile_may_hold_the_key_and_the_line_that_sdks_read(w: World, service: SecretService) -> None:
    _without_mfa(w)
    _import(w.home)
    _config(w).write_text(_config(w).read_text() + "credential_process = credproc --profile user1\n")
    assert w.home.run("--profile", "user1").document["SessionToken"]
    assert w.home.run("--profile", "plain").document
    assert service.items()


def test_a_shared_session_does_without_the_secret(w: World, service: SecretService) -> None:
    _import(w.home)
    w.answered("admin")
    _drop_secret(service, w.user.access_key_id)
    w.unasked("other")
    assert w.actions == ["GetSessionToken", "AssumeRole", "AssumeRole"]


def _drop_secret(service: SecretService, name: str) -> None:
    with service._collection() as collection:
        for item in list(collection.get_all_items()):
            if item.get_attributes()["username"] == name:
                item.delete()


def test_without_the_secret_no_code_is_asked_for(w: World, service: SecretService) -> None:
    _import(w.home)
    _drop_secret(service, w.user.access_key_id)
    ran = w.start("--profile", "admin").outcome()
    line = _config(w).read_text().splitlines().index(f"credproc_access_key_id = {w.user.access_key_id}") + 1
    assert ran.status == 1
    assert re.search(rf"error: ~/.aws/config:{line}: .*{w.user.access_key_id}\n.*keys add user1", ran.stderr)
    assert w.actions == []


def test_a_locked_keyring_is_an_error_that_says_so(w: World, service: SecretService) -> None:
    _without_mfa(w)
    _import(w.home)
    service.lock()
    ran = w.home.run("--profile", "plain", start_new_session=True)
    line = _config(w).read_text().splitlines().index(f"credproc_access_key_id = {w.user.access_key_id}") + 1
    assert (ran.status, ran.stdout) == (1, "")
    assert re.search(rf"error: ~/.aws/config:{line}: .*{w.user.access_key_id}.* locked", ran.stderr)


def test_a_silent_keyring_is_an_error_in_time(w: World) -> None:
    _without_mfa(w)
    _credentials(w).unlink()
    _config(w).write_text(_config(w).read_text() + f"credproc_access_key_id = {w.user.access_key_id}\n")
    with SilentSecretService() as silent:
        began = time.monotonic()
        ran = w.home.run("--profile", "plain", environ=silent.environ, start_new_session=True)
        assert time.monotonic() - began < 8
    assert re.search(r": the keyring .* 3 s\n", ran.stderr)
    assert ran.status == 1


def test_a_chain_of_roles_may_begin_in_the_keyring(w: World, service: SecretService) -> None:
    from tests.sts import Trust  # noqa: PLC0415

    first = w.role("first", Trust((w.user.arn,)))
    last = w.role("last", Trust((first,)))
    w.home.config(profile("first", first) + profile("last", last, "first") + "[profile user1]\nregion = us-west-2\n")
    _import(w.home)
    assert w.home.run("--profile", "last").document["AccountId"] == "123456789012"
    assert [call.parameters["RoleArn"] for call in w.sts.calls] == [first, last]
    assert w.sts.calls[0].access_key_id == w.user.access_key_id
    assert service.items()


def test_a_chain_with_mfa_begins_in_the_keyring_and_shares_the_session(w: World, service: SecretService) -> None:
    from tests.sts import Trust  # noqa: PLC0415

    last = w.role("last", Trust((f"arn:aws:iam::{ACCOUNT}:role/admin",)))
    _config(w).write_text(_config(w).read_text() + profile("last", last, "admin"))
    _import(w.home)
    w.answered("last")
    _drop_secret(service, w.user.access_key_id)
    w.unasked("other")
    assert w.actions == ["GetSessionToken", "AssumeRole", "AssumeRole", "AssumeRole"]


# add


def _added(w: World, *arguments: str, secret: str | None = None) -> Job:
    job = w.start("keys", "add", "user2", *arguments)
    w.terminal.expect("AWS access key id for profile 'user2': ")
    w.terminal.send(f"{w.user.access_key_id}\n")
    w.terminal.expect(f"AWS secret access key for {w.user.access_key_id} (not shown): ")
    w.terminal.send(f"{secret or w.user.secret_access_key}\n")
    return job


def _asked_device(w: World, answer: str = "") -> None:
    w.terminal.expect(" (Enter: none): ")
    w.terminal.send(f"{answer}\n")


def test_add_asks_checks_keeps_and_says_so_in_the_config(w: World, service: SecretService) -> None:
    real = w.home.path / "dotfiles"
    before = "# mine\r\n[profile user2] ; comment\r\nregion = us-west-2\r\n\r\n[profile other]\r\na =   b"
    real.write_bytes(before.encode())
    real.chmod(0o640)
    _config(w).unlink()
    _config(w).symlink_to(real)
    job = _added(w)
    _asked_device(w)
    ran = job.outcome(30)
    assert (ran.status, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"{w.user.access_key_id} of {w.user.arn} is in the keyring")
    assert w.user.secret_access_key not in w.terminal.transcript.decode()
    assert w.user.access_key_id in w.terminal.transcript.decode()
    assert w.actions == ["GetCallerIdentity"]
    assert _config(w).is_symlink()
    line = f"credproc_access_key_id = {w.user.access_key_id}\r\n"
    assert real.read_bytes().decode() == before.replace("; comment\r\n", f"; comment\r\n{line}")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert _secrets(service)[w.user.access_key_id]["secret_access_key"] == w.user.secret_access_key
    for path in [*w.home.cache.iterdir(), real, _config(w)]:
        assert w.user.secret_access_key.encode() not in path.read_bytes()


def test_add_keeps_nothing_that_sts_refuses(w: World, service: SecretService) -> None:
    before = _config(w).read_bytes()
    job = _added(w, secret="x" * 40)
    for number in (2, 3):
        said = unbroken(w.terminal.expect(f"(try {number} of 3)"))
        assert "SignatureDoesNotMatch" in said
        w.terminal.expect(f"(Enter: {w.user.access_key_id}): ")
        w.terminal.send("\n")
        w.terminal.expect("(not shown; Enter: the same): ")
        w.terminal.send("\n" if number == 2 else f"{'y' * 40}\n")
    ran = job.outcome(30)
    assert ran.status == 1
    assert w.actions == ["GetCallerIdentity"] * 3
    assert f"credproc: error: {w.user.access_key_id}: GetCallerIdentity: SignatureDoesNotMatch" in ran.stderr
    assert "x" * 40 not in ran.stderr
    assert service.items() == []
    assert _config(w).read_bytes() == before


@pytest.mark.parametrize("answer", ["y", "n"])
def test_add_loses_no_key_that_sts_cannot_check(w: World, service: SecretService, answer: str) -> None:
    w.home.environ["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:1"  # where nothing listens
    before = _config(w).read_bytes()
    job = _added(w)
    w.terminal.expect("Store the access key without a check? [y/N] ", 30)
    w.terminal.send(f"{answer}\n")
    if answer == "y":
        _asked_device(w)
    ran = job.outcome(30)
    assert (ran.status, "error" in ran.stderr) == (0 if answer == "y" else 3, False)
    assert bool(service.items()) is (answer == "y")
    assert (_config(w).read_bytes() == before) is (answer == "n")
    assert w.actions == []


def test_add_offline_asks_nobody_and_makes_the_profile(w: World, service: SecretService) -> None:
    before = _config(w).read_text()
    job = _added(w, "--offline")
    _asked_device(w)
    ran = job.outcome(30)
    assert (ran.status, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"{w.user.access_key_id} is in the keyring")
    assert _config(w).read_text() == f"{before}\n[profile user2]\ncredproc_access_key_id = {w.user.access_key_id}\n"
    assert w.actions == []
    assert service.items()


def test_add_asks_again_for_what_was_mistyped_and_takes_the_rest_by_enter(w: World, service: SecretService) -> None:
    secret = w.user.secret_access_key
    job = w.start("keys", "add", "user2")
    for typed, question in (
        ("", "for profile 'user2': "),  # an empty line is no try
        ("nonsense", "for profile 'user2': "),
        ("AKIAI44QH8DHBEXAMPLE", "for profile 'user2': "),
        ("no secret", "(not shown): "),
        (secret, "(not shown): "),
        (w.user.access_key_id, "for profile 'user2' (Enter: AKIAI44QH8DHBEXAMPLE): "),
        ("", f"for {w.user.access_key_id} (not shown; Enter: the same): "),
        ("not a device", " (Enter: none): "),
        (w.user.mfa_serial, " (Enter: none): "),
    ):
        w.terminal.expect(question)
        w.terminal.send(f"{typed}\n")
    ran = job.outcome(30)
    assert (ran.status, ran.stderr) == (0, "")
    assert ran.stdout == (
        f"{w.user.access_key_id} of {w.user.arn} is in the keyring, for profile 'user2'\n"
        f"its MFA device is {w.user.mfa_serial}\n"
    )
    assert w.actions == ["GetCallerIdentity"] * 2
    seen = unbroken(w.terminal.transcript.decode())
    assert seen.count("(try 2 of 3)") == 4
    assert "no secret" not in seen
    assert (
        _config(w)
        .read_text()
        .endswith(
            f"[profile user2]\ncredproc_access_key_id = {w.user.access_key_id}\nmfa_serial = {w.user.mfa_serial}\n"
        )
    )
    assert set(_secrets(service)) == {w.user.access_key_id}


@pytest.mark.parametrize("line", ["mfa_serial = arn:aws:iam::123456789012:mfa/other", "credproc_mfa_serial = none"])
def test_add_does_not_ask_for_a_device_that_the_profile_names_or_declines(
    w: World, service: SecretService, line: str
) -> None:
    _config(w).write_text(f"[profile user2]\n{line}\n")
    assert _added(w).outcome(30).status == 0
    setting = f"credproc_access_key_id = {w.user.access_key_id}"
    assert _config(w).read_text() == f"[profile user2]\n{setting}\n{line}\n"
    assert service.items()


def test_add_waits_for_a_keyring_on_a_busy_machine(w: World, service: SecretService) -> None:
    job = w.start("keys", "add", "user2", "--offline")
    w.terminal.expect("AWS access key id for profile 'user2': ")
    w.terminal.send(f"{w.user.access_key_id}\n")
    with service.busy():
        w.terminal.expect("(not shown): ")
        w.terminal.send(f"{w.user.secret_access_key}\n")
        _asked_device(w)
        time.sleep(1.6)  # jeepney gives D-Bus one second
    assert job.outcome(30).status == 0
    assert set(_secrets(service)) == {w.user.access_key_id}


@pytest.mark.parametrize("action", ["add", "import"])
def test_without_a_keyring_add_and_import_ask_for_nothing(w: World, action: str) -> None:
    files = {path: path.read_bytes() for path in (w.home.path / ".aws").iterdir()}
    job = w.start("keys", action, "user2" if action == "add" else "user1")
    ran = job.outcome()
    assert (ran.status, ran.stdout) == (1, "")
    error, hint = ran.stderr.splitlines()
    assert error == f"credproc: error: keys {action}: there is no keyring here: no D-Bus session"
    assert_names(hint, "credproc: hint: ", "desktop session", "~/.aws/credentials")
    assert w.terminal.unseen.strip() == ""
    if action == "import":
        assert w.home.run("keys", "import", "user1", "--yes").stderr == ran.stderr
    assert {path: path.read_bytes() for path in (w.home.path / ".aws").iterdir()} == files


def test_add_without_a_terminal_says_so(w: World) -> None:
    ran = w.home.run("keys", "add", "user2", start_new_session=True)
    assert ran.status == 3
    assert ran.stderr.startswith("credproc: error: keys add: there is no terminal")


# import


def test_import_moves_the_two_lines_and_nothing_else(w: World, service: SecretService) -> None:
    keys = f"aws_access_key_id = {w.user.access_key_id}\naws_secret_access_key = {w.user.secret_access_key}\n"
    text = "# keep\n[a]\naws_access_key_id=x\n\n[user1]\n; mine\n%sregion = x\n[b]\n  \naws_secret_access_key = y"
    _credentials(w).write_text(text % keys)
    _credentials(w).chmod(0o600)
    before = _config(w).read_text()
    ran = w.home.run("keys", "import", "user1", "--yes")
    assert (ran.status, ran.stderr) == (0, "")
    said, warning = ran.stdout.splitlines()
    assert said.startswith(f"{w.user.access_key_id} is in the keyring; ")
    assert "~/.aws/credentials" in said
    assert "no file beside it" in said
    assert warning.startswith("warning: tools ")
    assert "~/.aws/credentials" in warning
    assert _credentials(w).read_text() == text % ""
    assert stat.S_IMODE(_credentials(w).stat().st_mode) == 0o600
    line = f"credproc_access_key_id = {w.user.access_key_id}\n"
    assert _config(w).read_text() == before.replace("[profile user1]\n", f"[profile user1]\n{line}")
    assert _secrets(service)[w.user.access_key_id]["secret_access_key"] == w.user.secret_access_key
    for found in w.home.path.rglob("*"):
        if found.is_file() and ".local" not in found.parts:
            assert w.user.secret_access_key.encode() not in found.read_bytes(), found
    again = w.home.run("keys", "import", "user1", "--yes")
    assert (again.status, again.stdout) == (0, f"{w.user.access_key_id} is already in the keyring\n")


def test_import_from_the_config_file_says_in_place_where_the_keys_are(w: World, service: SecretService) -> None:
    _credentials(w).unlink()
    text = "[profile user1]\nregion = x\n%s\n# end\n[profile c]\nd = e\n"
    secret = f"aws_secret_access_key = {w.user.secret_access_key}\noutput = json"
    _config(w).write_text(text % f"aws_access_key_id = {w.user.access_key_id}\n{secret}")
    _import(w.home)
    assert _config(w).read_text() == text % f"credproc_access_key_id = {w.user.access_key_id}\noutput = json"
    assert not _credentials(w).exists()
    assert service.items()


def test_import_tells_of_the_copy_that_setup_has_kept(w: World, service: SecretService) -> None:
    copy = _config(w).with_name("config.credproc-backup")
    copy.write_text(f"aws_secret_access_key = {w.user.secret_access_key}\n" * 2)
    ran = w.home.run("keys", "import", "user1", "--yes")
    assert "no file" not in ran.stdout
    assert [
        int(line) for line in re.findall(r"\nwarning: ~/.aws/config.credproc-backup:(\d) .* secret", ran.stdout)
    ] == [1, 2]
    assert copy.exists()
    assert service.items()


def test_import_says_which_files_it_could_not_search(w: World, service: SecretService) -> None:
    aws = w.home.path / ".aws"
    with open(aws / "large", "wb") as file:
        file.truncate((8 << 20) + 1)
    os.mkfifo(aws / "fifo")  # which must not be waited for
    (aws / "link").symlink_to("nowhere")
    (aws / "again").symlink_to("config")
    ran = w.home.run("keys", "import", "user1", "--yes")
    assert (ran.status, ran.stderr) == (0, "")
    assert "no file" not in ran.stdout
    assert re.findall(r"^warning: (~\S+)", ran.stdout, re.MULTILINE) == ["~/.aws/large"]
    assert service.items()


def test_import_searches_where_the_files_link_to(w: World, service: SecretService) -> None:
    real = w.home.path / "dotfiles"
    real.mkdir()
    _credentials(w).rename(real / "credentials")
    _credentials(w).symlink_to(real / "credentials")
    copy = real / "credentials.orig\x1b[2J"
    copy.write_text(w.user.secret_access_key)
    ran = w.home.run("keys", "import", "user1", "--yes")
    assert (ran.status, ran.stderr) == (0, "")
    assert re.findall(r"^warning: (~\S+) still", ran.stdout, re.MULTILINE) == ["~/dotfiles/credentials.orig\\x1b[2J:1"]
    copy.unlink()
    assert service.items()


def test_import_asks_and_a_no_changes_nothing(w: World, service: SecretService) -> None:
    before = (_config(w).read_bytes(), _credentials(w).read_bytes())
    job = w.start("keys", "import", "user1")
    w.terminal.expect("credproc: tools ")
    w.terminal.expect(f"Move {w.user.access_key_id} of profile 'user1' ")
    w.terminal.expect("? [y/N] ")
    w.terminal.send("n\n")
    ran = job.outcome()
    assert ran.status == 3
    assert ran.stderr.startswith("credproc: keys import: declined; ")
    assert (_config(w).read_bytes(), _credentials(w).read_bytes()) == before
    assert service.items() == []


def test_import_refuses_temporary_keys(w: World, service: SecretService) -> None:
    _credentials(w).write_text(_credentials(w).read_text() + "aws_session_token = x\n")
    ran = w.home.run("keys", "import", "user1", "--yes")
    assert ran.status == 1
    assert re.match("credproc: error: ~/.aws/credentials:4: .*temporary", ran.stderr)
    assert service.items() == []


def test_import_with_a_locked_keyring_changes_nothing(w: World, service: SecretService) -> None:
    before = (_config(w).read_bytes(), _credentials(w).read_bytes())
    service.lock()
    ran = w.home.run("keys", "import", "user1", "--yes", start_new_session=True)
    assert ran.status == 1
    assert re.match(f"credproc: error: keyring: {w.user.access_key_id}: .*locked", ran.stderr)
    assert (_config(w).read_bytes(), _credentials(w).read_bytes()) == before


_KILLED = """
import os, sys
sys.argv = ["credproc", "keys", "import", "user1", "--yes"]
from credproc.stores import keyring
count = int(os.environ["KILL_AT"])
def counted(real):
    def call(*arguments, **options):
        global count
        count -= 1
        if count == 0: os._exit(137)
        return real(*arguments, **options)
    return call
keyring.KeyringStore.set = counted(keyring.KeyringStore.set)
keyring.KeyringStore.get = counted(keyring.KeyringStore.get)
os.fsync = counted(os.fsync)
os.replace = counted(os.replace)
from credproc.cli import main
main()
"""


@pytest.mark.crowd
def test_import_that_is_killed_between_any_two_steps_never_loses_the_keys(w: World, service: SecretService) -> None:
    _without_mfa(w)
    assert service.items() == []
    before = (_config(w).read_text(), _credentials(w).read_text())
    killed = 0
    for number in range(1, 30):
        w.home.config(before[0])
        w.home.credentials(before[1])
        command = [sys.executable, "-c", _KILLED]
        status = subprocess.run(
            command, env={**w.home.environ, "KILL_AT": str(number)}, check=False, capture_output=True
        )
        assert w.home.run("--profile", "user1").document["SessionToken"]
        _import(w.home)
        assert w.user.secret_access_key not in _credentials(w).read_text()
        assert w.home.run("--profile", "plain").document
        if status.returncode == 0:
            break
        killed += 1
    assert killed >= 8


# list and remove


def test_list_says_where_the_keys_are_and_reads_no_secret(w: World, service: SecretService) -> None:
    assert w.home.run("keys", "list").stdout.startswith("no profile ")
    _import(w.home)
    service.lock()
    assert w.home.run("keys", "list").stdout == f"user1  {w.user.access_key_id}\n"
    assert json.loads(w.home.run("keys", "list", "--json").stdout) == {
        "keys": [{"profile": "user1", "access_key_id": w.user.access_key_id, "pending": False}]
    }


@pytest.mark.parametrize("noted", [True, False])
def test_remove_takes_the_keys_and_what_hangs_on_them(
    w: World,
    service: SecretService,
    noted: bool,  # noqa: FBT001 - whether the session has its index file
) -> None:
    before = _config(w).read_bytes()
    _import(w.home)
    w.answered("admin")
    for index in [] if noted else list(w.home.cache.glob("*.session")):
        index.unlink()
    job = w.start("keys", "remove", "user1")
    w.terminal.expect(f"{w.user.access_key_id} of profile 'user1' from the keyring? [y/N] ")
    w.terminal.send("y\n")
    ran = job.outcome(30)
    assert (ran.status, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert lines[:2] == [f"deleted: {w.user.access_key_id} from the keyring", f"signed out: {w.user.mfa_serial}"]
    assert lines[2].startswith("deleted: cached credentials of profile 'admin' ")
    assert lines[3:] == ["removed: credproc_access_key_id from profile 'user1'"]
    assert _config(w).read_bytes() == before
    assert service.items() == []
    assert not w.home.entries
    assert not list(w.home.cache.glob("*.session"))
    assert not list(w.home.cache.glob("*.key"))


def test_remove_of_a_key_that_two_profiles_have_leaves_it_to_the_other(w: World, service: SecretService) -> None:
    _import(w.home)
    _config(w).write_text(_config(w).read_text() + f"[profile twin]\ncredproc_access_key_id = {w.user.access_key_id}\n")
    ran = w.home.run("keys", "remove", "user1", "--yes")
    removed, kept = ran.stdout.splitlines()
    assert removed == "removed: credproc_access_key_id from profile 'user1'"
    assert kept.startswith(f"{w.user.access_key_id} stays ")
    assert "'twin'" in kept
    assert _secrets(service)


# remove --restore


def _import_from_private_file(w: World) -> None:
    _credentials(w).chmod(0o600)
    _import(w.home)


def _restore(w: World, typed: str = "user1") -> Outcome:
    job = w.start("keys", "remove", "user1", "--restore")
    w.terminal.expect("Type the profile's name to go on: ")
    w.terminal.send(f"{typed}\n")
    return job.outcome(30)


def test_restore_brings_the_credentials_file_back_and_takes_the_key_out_of_the_keyring(
    w: World, service: SecretService
) -> None:
    _without_mfa(w)
    config, credentials = _config(w).read_bytes(), _credentials(w).read_text()
    _import_from_private_file(w)
    ran = _restore(w)
    assert (ran.status, ran.stderr) == (0, "")
    assert w.user.secret_access_key not in ran.stdout + w.terminal.transcript.decode()
    assert _config(w).read_bytes() == config
    assert _credentials(w).read_text().split() == credentials.split()
    assert stat.S_IMODE(_credentials(w).stat().st_mode) == 0o600
    assert service.items() == []
    assert w.home.run("keys", "list").stdout.startswith("no profile ")
    assert w.home.run("--profile", "plain").document


def test_restore_makes_a_private_credentials_file_where_there_is_none(w: World, service: SecretService) -> None:
    _import_from_private_file(w)
    _credentials(w).unlink()
    assert _restore(w).status == 0
    assert stat.S_IMODE(_credentials(w).stat().st_mode) == 0o600
    assert w.user.secret_access_key in _credentials(w).read_text()
    assert service.items() == []


def test_restore_of_a_key_that_two_profiles_have_leaves_it_in_the_keyring_too(w: World, service: SecretService) -> None:
    _import_from_private_file(w)
    _config(w).write_text(_config(w).read_text() + f"[profile twin]\ncredproc_access_key_id = {w.user.access_key_id}\n")
    ran = _restore(w)
    assert ran.stdout.splitlines()[-1].endswith("because profile 'twin' uses it too")
    assert w.user.secret_access_key in _credentials(w).read_text()
    assert _secrets(service)


@pytest.mark.parametrize("typed", ["", "y", "User1"])
def test_restore_wants_the_name_of_the_profile(w: World, service: SecretService, typed: str) -> None:
    _import_from_private_file(w)
    before = _credentials(w).read_bytes()
    ran = _restore(w, typed)
    assert (ran.status, ran.stdout) == (3, "")
    assert _credentials(w).read_bytes() == before
    assert _secrets(service)


def test_restore_takes_no_yes_and_no_missing_terminal(w: World, service: SecretService) -> None:
    _import_from_private_file(w)
    assert w.home.run("keys", "remove", "user1", "--restore", "--yes").status == 2
    assert w.home.run("keys", "remove", "user1", "--restore").status == 3
    assert _secrets(service)


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _let_others_read(path: Path) -> None:
    path.chmod(0o644)


def _hold_other_keys(path: Path) -> None:
    path.write_text(f"[user1]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {'k' * 40}\n")
    path.chmod(0o600)


@pytest.mark.parametrize("spoil", [_link, _let_others_read, _hold_other_keys])
def test_restore_refuses_a_file_where_the_secret_does_not_belong(
    w: World, service: SecretService, spoil: Callable[[Path], None]
) -> None:
    _import_from_private_file(w)
    spoil(_credentials(w))
    before = _credentials(w).read_bytes()
    ran = w.home.run("keys", "remove", "user1", "--restore")
    assert ran.status == 1, ran
    assert "~/.aws/credentials" in ran.stderr
    assert _credentials(w).read_bytes() == before
    assert w.user.access_key_id in _secrets(service)


@pytest.mark.root("gives a file to another user")
def test_restore_refuses_the_file_of_another_user(w: World, service: SecretService) -> None:
    _import_from_private_file(w)
    os.chown(_credentials(w), 12345, -1)
    ran = w.home.run("keys", "remove", "user1", "--restore")
    assert ran.status == 1
    assert "another user" in ran.stderr
    assert w.user.access_key_id in _secrets(service)


def test_restore_goes_on_where_it_was_interrupted(w: World, service: SecretService) -> None:
    credentials = _credentials(w).read_text()
    _import_from_private_file(w)
    _credentials(w).write_text(credentials)
    _credentials(w).chmod(0o600)
    assert _restore(w).status == 0
    assert service.items() == []


# rotate, with moto's IAM


class Cloud(NamedTuple):
    """A home whose user1 has keys in the keyring, and moto's IAM."""

    home: Home
    iam: Any
    first: str  # the access key id
    service: SecretService

    @property
    def keys(self) -> dict[str, str]:
        """The user's access keys, and whether they are active, as IAM has them."""
        found = self.iam.list_access_keys(UserName="user1")["AccessKeyMetadata"]
        return {key["AccessKeyId"]: key["Status"] for key in found}

    @property
    def config(self) -> str:
        """The config file's text."""
        return (self.home.path / ".aws" / "config").read_text()

    def rotated(self, run: Callable[..., Outcome] | None = None) -> str:
        """Rotate, and return the id of the only key that is left; ``run`` runs credproc, Home.run if it is None."""
        run = run or self.home.run
        ran = run("keys", "rotate", "user1", "--yes")
        assert (ran.status, ran.stderr) == (0, ""), ran
        ((new, status),) = self.keys.items()
        assert status == "Active"
        last = ran.stdout.splitlines(keepends=True)[-1]  # before it stands what was cached between
        assert last.startswith(f"{new} has replaced {self.first}")
        assert self.config == CLOUD % new
        assert set(_secrets(self.service)) == {new}
        assert run("--profile", "user1").document["SessionToken"]
        listed = json.loads(run("keys", "list", "--json").stdout)
        assert listed == {"keys": [{"profile": "user1", "access_key_id": new, "pending": False}]}
        return new


CLOUD = "# mine\n[profile user1]\ncredproc_access_key_id = %s\nregion = us-east-1\n"


@pytest.fixture(name="moto", scope="module")
def _moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - a second of imports

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(name="cloud")
def _cloud(tmp_path: Path, moto: str) -> Iterator[Cloud]:
    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST")).close()  # noqa: S310 - moto's
    given = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
    iam = boto3.client("iam", endpoint_url=moto, **given)  # type: ignore[call-overload]
    iam.create_user(UserName="user1")
    first = iam.create_access_key(UserName="user1")["AccessKey"]
    home = Home(tmp_path / "home", AWS_ENDPOINT_URL_STS=moto, AWS_ENDPOINT_URL_IAM=moto)
    with SecretService(home.path) as service:
        home.environ.update(service.environ)
        home.config("# mine\n[profile user1]\nregion = us-east-1\n")
        home.credentials(
            f"[user1]\naws_access_key_id={first['AccessKeyId']}\naws_secret_access_key={first['SecretAccessKey']}\n"
        )
        _import(home)
        yield Cloud(home, iam, first["AccessKeyId"], service)
    iam.close()


@pytest.fixture(name="warm", scope="module")
def _warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with Forks(tmp_path_factory.mktemp("forks")) as forks:
        yield forks


@pytest.fixture(name="forks")
def _forks(warm: Forks, tmp_path: Path) -> Forks:
    warm.directory = tmp_path
    return warm


def test_rotate_puts_a_new_key_in_the_place_of_the_old_one(cloud: Cloud) -> None:
    new = cloud.rotated()
    assert new != cloud.first
    assert _secrets(cloud.service)[new]["access_key_id"] == new


# Ends the process at one of its steps: at the call of the keyring, of IAM or of rename that KILL_AT counts
_COUNTED = """
import os
from credproc.aws import iam
from credproc.stores import keyring
count = int(os.environ["KILL_AT"])
def counted(real):
    def call(*arguments, **options):
        global count
        count -= 1
        if count == 0 and os.environ["KILL"] == "before": os._exit(137)
        answer = real(*arguments, **options)
        if count == 0: os._exit(137)
        return answer
    return call
keyring.KeyringStore.set = counted(keyring.KeyringStore.set)
keyring.KeyringStore.delete = counted(keyring.KeyringStore.delete)
iam.Iam._call = counted(iam.Iam._call)
os.replace = counted(os.replace)
"""
_ROTATE_KILLED = f"""
import sys
sys.argv = ["credproc", "keys", "rotate", "user1", "--yes"]
{_COUNTED}
from credproc.cli import main
main()
"""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", range(1, 13))
def test_a_rotation_that_is_killed_at_any_step_is_gone_on_with(
    cloud: Cloud, forks: Forks, moment: str, step: int
) -> None:
    killing = {**cloud.home.environ, "KILL_AT": str(step), "KILL": moment}
    killed = forks.run("keys", "rotate", "user1", "--yes", environ=killing, before=_COUNTED)
    assert killed.status == 137, killed
    assert len(cloud.keys) <= 2
    run = partial(forks.run, environ=cloud.home.environ)
    assert run("--profile", "user1").document["SessionToken"]
    named = json.loads(run("keys", "list", "--json").stdout)["keys"][0]["access_key_id"]
    assert cloud.keys[named] == "Active"
    assert named in _secrets(cloud.service)
    is_lost = (step, moment) in {(3, "after"), (4, "before")}  # the key was created, and its secret is nowhere
    if (step, moment) != (12, "after"):  # which was the end
        cloud.rotated(partial(_run_agreeing, cloud) if is_lost else run)


def _run_agreeing(cloud: Cloud, *arguments: str) -> Outcome:
    """Run credproc; where it rotates, answer yes about the lost key, as ``--yes`` does not."""
    if arguments[:2] != ("keys", "rotate"):
        return cloud.home.run(*arguments)
    (lost,) = set(cloud.keys) - {cloud.first}
    ran = cloud.home.run(*arguments, start_new_session=True)
    assert (ran.status, ran.stdout) == (3, "")
    assert lost in ran.stderr
    with Terminal() as terminal:
        job = terminal.start([PROGRAM, *arguments], cloud.home.environ, stdout="pipe", stderr="pipe")
        terminal.expect(f"{lost} was created ")
        terminal.expect(f"Delete {lost}? [y/N] ")
        assert lost in cloud.keys
        terminal.send("y\n")
        ran = job.outcome(30)
    assert lost not in cloud.keys
    return ran


def test_a_rotation_whose_pending_key_cannot_be_kept_leaves_no_key_behind(cloud: Cloud) -> None:
    code = _ROTATE_KILLED.replace(
        "from credproc.cli import main",
        """
from credproc.errors import SessionStoreError
def refused(*_):
    def again(*_):
        raise SessionStoreError("the keyring is full")
    keyring.KeyringStore.set = again
    return real(*_)
real, keyring.KeyringStore.set = keyring.KeyringStore.set, refused
from credproc.cli import main""",
    )
    environ = {**cloud.home.environ, "KILL_AT": "1000", "KILL": ""}
    ran = subprocess.run([sys.executable, "-c", code], env=environ, check=False, capture_output=True, text=True)
    assert ran.stderr.startswith("credproc: error: keys rotate: profile 'user1': the keyring is full\n")
    assert cloud.keys == {cloud.first: "Active"}
    cloud.rotated()


def test_a_pending_key_that_was_deleted_meanwhile_is_replaced_by_another(cloud: Cloud) -> None:
    environ = {**cloud.home.environ, "KILL_AT": "4", "KILL": "after"}
    subprocess.run([sys.executable, "-c", _ROTATE_KILLED], env=environ, check=False, capture_output=True)
    assert re.fullmatch(rf"user1  {cloud.first}  .*credproc keys rotate.*\n", cloud.home.run("keys", "list").stdout)
    ran = cloud.home.run("keys", "remove", "user1", "--yes")
    assert ran.status == 1
    assert re.search(rf"error: ~/.aws/config:3: .*{cloud.first}.*\n.*credproc keys rotate user1", ran.stderr)
    (pending,) = set(cloud.keys) - {cloud.first}
    cloud.iam.delete_access_key(UserName="user1", AccessKeyId=pending)
    assert cloud.rotated() not in (pending, cloud.first)


def test_rotate_waits_until_sts_knows_the_new_key(cloud: Cloud) -> None:
    code = _ROTATE_KILLED.replace(
        "from credproc.cli import main",
        f"""
from credproc.errors import ServiceError
from credproc.aws.sts import Sts
def whose(self, keys, times=[0]):
    times[0] += keys.access_key_id != {cloud.first!r}
    if 0 < times[0] < 3: raise ServiceError("not yet", None, "InvalidClientTokenId")
    return real(self, keys)
real, Sts.get_caller_identity = Sts.get_caller_identity, whose
from credproc.cli import main""",
    )
    environ = {**cloud.home.environ, "KILL_AT": "1000", "KILL": ""}
    began = time.monotonic()
    ran = subprocess.run([sys.executable, "-c", code], env=environ, check=False, capture_output=True, text=True)
    assert time.monotonic() - began > 2
    ((new, _),) = cloud.keys.items()
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"{new} has replaced {cloud.first}")


def test_rotate_touches_no_key_that_is_somebody_elses(cloud: Cloud) -> None:
    other = cloud.iam.create_access_key(UserName="user1")["AccessKey"]["AccessKeyId"]
    ran = cloud.home.run("keys", "rotate", "user1", "--yes")
    assert ran.status == 1
    assert re.search(rf"error: profile 'user1': .*{other}.*{cloud.first}\n.*delete-access-key .*{other}\n", ran.stderr)
    assert cloud.keys == {cloud.first: "Active", other: "Active"}


def test_rotate_asks_before_it_replaces_and_deletes_and_a_no_changes_nothing(cloud: Cloud) -> None:
    without = cloud.home.run("keys", "rotate", "user1", start_new_session=True)
    assert without.status == 3
    assert "--yes" in without.stderr
    with Terminal() as terminal:
        for answer, status in (("n", 3), ("", 3), ("y", 0)):
            job = terminal.start([PROGRAM, "keys", "rotate", "user1"], cloud.home.environ, stdout="pipe", stderr="pipe")
            terminal.expect(f"credproc: {cloud.first} was created ")
            terminal.expect(" ago)\r")
            terminal.expect(f"Replace {cloud.first} with a new access key, and delete it? [y/N] ")
            assert cloud.keys == {cloud.first: "Active"}
            assert set(_secrets(cloud.service)) == {cloud.first}
            terminal.send(f"{answer}\n")
            assert job.outcome(30).status == status
    ((new, _),) = cloud.keys.items()
    assert new != cloud.first


def test_rotate_asks_again_before_it_deletes_a_key_that_it_has_replaced_before(cloud: Cloud) -> None:
    environ = {**cloud.home.environ, "KILL_AT": "9", "KILL": "before"}
    subprocess.run([sys.executable, "-c", _ROTATE_KILLED], env=environ, check=False, capture_output=True)
    (new,) = set(cloud.keys) - {cloud.first}
    assert cloud.config == CLOUD % new
    with Terminal() as terminal:
        for answer, status in (("n", 3), ("y", 0)):
            job = terminal.start([PROGRAM, "keys", "rotate", "user1"], cloud.home.environ, stdout="pipe", stderr="pipe")
            terminal.expect(f"Delete {cloud.first}, which {new} has replaced? [y/N] ")
            assert set(cloud.keys) == {cloud.first, new}
            terminal.send(f"{answer}\n")
            assert job.outcome(30).status == status
    assert cloud.keys == {new: "Active"}
    assert set(_secrets(cloud.service)) == {new}


def test_a_key_is_not_removed_while_it_is_rotated(cloud: Cloud) -> None:
    with Terminal() as terminal:
        job = terminal.start([PROGRAM, "keys", "rotate", "user1"], cloud.home.environ, stdout="pipe", stderr="pipe")
        terminal.expect("[y/N] ")
        ran = cloud.home.run("keys", "remove", "user1", "--yes")
        assert ran.status == 1
        assert re.match(r"credproc: error: keys remove: process \d+ ", ran.stderr)
        terminal.send("y\n")
        assert job.outcome(30).status == 0
    ((new, _),) = cloud.keys.items()
    assert set(_secrets(cloud.service)) == {new}


def test_rotate_signs_in_with_mfa_once_and_ends_the_session_of_the_old_key(cloud: Cloud) -> None:
    serial = "arn:aws:iam::123456789012:mfa/user1"
    config = cloud.home.path / ".aws" / "config"
    config.write_text(f"{cloud.config}mfa_serial = {serial}\n")
    with Terminal() as terminal:
        job = terminal.start(
            [PROGRAM, "keys", "rotate", "user1", "--yes"], cloud.home.environ, stdout="pipe", stderr="pipe"
        )
        terminal.expect(f"Enter MFA code for {serial} (profile user1")
        terminal.send("123456\n")
        ran = job.outcome(30)
        assert "creating" not in terminal.unseen
    ((new, _),) = cloud.keys.items()
    assert (ran.status, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"signed out: {serial}\n{new} has replaced {cloud.first}")
    assert not list(cloud.home.cache.glob("*.session"))


def test_rotate_says_on_a_terminal_how_far_it_is(cloud: Cloud) -> None:
    with Terminal() as terminal:
        job = terminal.start([PROGRAM, "keys", "rotate", "user1", "--yes"], cloud.home.environ)
        terminal.expect("credproc: creating a new access key\r")
        terminal.expect("credproc: waiting until AWS knows AKIA")
        terminal.expect(f"credproc: switching from {cloud.first} to ")
        terminal.expect(f"credproc: deactivating {cloud.first}\r")
        terminal.expect(f"credproc: deleting {cloud.first}\r")
        terminal.expect(f" has replaced {cloud.first}")
        assert job.wait() == 0


def test_rotate_sends_no_key_over_plain_http(cloud: Cloud) -> None:
    ran = cloud.home.run("keys", "rotate", "user1", environ={"AWS_ENDPOINT_URL_IAM": "http://iam.example.com"})
    assert ran.status == 1
    assert re.match("credproc: error: AWS_ENDPOINT_URL_IAM: .*iam.example.com.*\n.*https", ran.stderr)
    assert cloud.keys == {cloud.first: "Active"}


# rotate, with an IAM that is as strict as AWS


def _keys_of(w: World) -> dict[str, bool]:
    return {key.access_key_id: w.sts.iam.is_active(key.access_key_id) for key in w.sts.iam.keys_of(w.user.arn)}


def test_rotate_works_where_the_users_policy_requires_mfa(w: World, service: SecretService) -> None:
    w.home.environ["AWS_ENDPOINT_URL_IAM"] = w.sts.url
    w.sts.iam.mfa_for_keys = True
    _import(w.home)
    job = w.start("keys", "rotate", "user1", "--yes")
    w.terminal.expect(PROMPT)
    w.type_code()
    ran = job.outcome(30)
    ((new, is_active),) = _keys_of(w).items()
    assert (ran.status, ran.stderr) == (0, "")
    assert f"{new} has replaced {w.user.access_key_id}" in ran.stdout
    assert is_active
    assert set(_secrets(service)) == {new}
    assert w.actions == [
        "GetCallerIdentity",
        "GetSessionToken",
        "ListAccessKeys",
        "CreateAccessKey",
        "GetCallerIdentity",
        "GetCallerIdentity",
        "UpdateAccessKey",
        "DeleteAccessKey",
    ]


def test_rotate_without_the_mfa_that_the_policy_requires_says_what_is_missing(w: World, service: SecretService) -> None:
    w.home.environ["AWS_ENDPOINT_URL_IAM"] = w.sts.url
    w.sts.iam.mfa_for_keys = True
    _without_mfa(w)
    _import(w.home)
    before = _config(w).read_bytes()
    ran = w.home.run("keys", "rotate", "user1", "--yes")
    assert (ran.status, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"credproc: error: user1: ListAccessKeys: AccessDenied: User: {w.user.arn} is not")
    assert re.search(r"\ncredproc: hint: .*iam:ListAccessKeys.* mfa_serial", ran.stderr)
    assert _config(w).read_bytes() == before
    assert _keys_of(w) == {w.user.access_key_id: True}
    assert set(_secrets(service)) == {w.user.access_key_id}


def test_a_refused_rotation_leaves_no_announcement_behind(w: World, service: SecretService) -> None:
    w.home.environ["AWS_ENDPOINT_URL_IAM"] = w.sts.url
    _without_mfa(w)
    _import(w.home)
    w.sts.once(fail(409, "LimitExceeded", "no"), action="CreateAccessKey")
    ran = w.home.run("keys", "rotate", "user1", "--yes")
    assert ran.status == 1
    assert "LimitExceeded" in ran.stderr
    assert set(_secrets(service)) == {w.user.access_key_id}
    assert not json.loads(w.home.run("keys", "list", "--json").stdout)["keys"][0]["pending"]
    w.sts.once(fail(503, "ServiceUnavailable", "later"), action="CreateAccessKey")
    assert w.home.run("keys", "rotate", "user1", "--yes").status == 1
    assert f"{w.user.access_key_id} pending" in _secrets(service)
    assert w.home.run("keys", "rotate", "user1", "--yes").status == 0
    assert set(_secrets(service)) == set(_keys_of(w))
