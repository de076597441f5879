"""MFA sessions in a real keyring, and what comes of one that is locked, silent, absent or full of rubbish."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from credproc.credentials import Credentials
from credproc.errors import SessionStoreError
from credproc.files import PrivateDirectory
from credproc.stores.file import FileStore, NoStore
from credproc.stores.keyring import KeyringStore
from credproc.stores.mfa_sessions import MIN_SECONDS_LEFT, SessionIndex, StoredSession, read_index, session_id
from tests.mfa import PROMPT, World, profile, user_profile, world
from tests.sts import Trust, hold

if sys.platform != "linux":
    pytest.skip("the keyrings are made for Linux", allow_module_level=True)

from tests.keyrings import NO_BUS, STALE_BUS, NoSecretService, SecretService, SilentBus, SilentSecretService
from tests.wording import assert_names

SESSION = Credentials("ASIAX", "a secret", "a token", 1_900_000_000, None)
ID = session_id("AKIAX", "arn:aws:iam::123456789012:mfa/user1", "aws")


@pytest.fixture(name="w")
def _world(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home", ("admin", "other"), CREDPROC_SESSION_STORE="keyring") as found:
        yield found


def _with(w: World, environ: Mapping[str, str]) -> World:
    """Let the world's programs see this bus."""
    w.home.environ.update(environ)
    return w


def test_a_session_is_kept_in_the_keyring_and_noted_without_a_secret(w: World) -> None:
    with SecretService(w.home.path) as service:
        _with(w, service.environ).answered("admin")
        w.unasked("other")
        (item,) = service.items()
    kept = json.loads(item.secret)
    assert kept["access_key_id"] == w.sts.calls[1].access_key_id
    files = {path.name: path.read_bytes() for path in w.home.cache.iterdir() if not path.name.endswith(".entry")}
    assert not [name for name, data in files.items() if kept["secret_access_key"].encode() in data]
    assert not [name for name, data in files.items() if kept["session_token"].encode() in data]
    (index,) = w.home.cache.glob("*.session")
    about = json.loads(index.read_bytes())
    assert about["serial"] == w.user.mfa_serial
    assert about["name"] == item.attributes["username"]
    assert item.label == f"Password for '{about['name']}' on 'credproc MFA session'"
    assert w.actions == ["GetSessionToken", "AssumeRole", "AssumeRole"]


def test_a_keyring_that_ends_while_it_is_asked_is_started_again_by_the_next_call(w: World) -> None:
    with SecretService(w.home.path) as service:
        _with(w, service.environ).answered("admin")
        with service.ending():
            job = w.start("--profile", "other")
            time.sleep(1)  # until its call waits
        assert job.outcome().document["Version"] == 1
        assert service.items()
    assert w.actions == ["GetSessionToken", "AssumeRole", "AssumeRole"]


def test_status_reads_no_secret_and_logout_removes_session_and_credentials(w: World) -> None:
    with SecretService(w.home.path) as service:
        _with(w, service.environ).answered("admin")
        service.lock()
        status = w.home.run("status")
        assert status.stdout.startswith(f"MFA sessions in the keyring:\n  {w.user.mfa_serial}  until ")
        refused = w.home.run("logout", "--all")
        assert refused.status == 1
        assert refused.stderr.startswith(f"credproc: error: logout: {w.user.mfa_serial}: the keyring is locked")
        assert w.home.run("status").stdout == status.stdout
        service.unlock()
        gone = w.home.run("logout", "--all").stdout
        assert gone.startswith(f"signed out: {w.user.mfa_serial}\ndeleted: cached credentials of profile 'admin' ")
        assert service.items() == []
    assert not w.home.entries
    assert w.home.run("status").stdout == "not signed in with MFA\nno credentials are cached\n"


def test_a_locked_keyring_is_not_a_missing_session_and_the_prompt_says_so(w: World) -> None:
    with SecretService(w.home.path) as service:
        _with(w, service.environ).answered("admin")
        service.lock()
        job = w.start("--profile", "other")
        w.terminal.expect("credproc: the keyring is locked")
        w.terminal.expect(PROMPT)
        w.type_code()
        assert job.outcome().document["Version"] == 1
        w.terminal.expect("the next role asks for a code again: the keyring is locked, and was not unlocked; credproc_")
    assert "cannot read the MFA session: the keyring is locked" in w.home.log
    assert "cannot store the MFA session: the keyring is locked" in w.home.log
    assert not list(w.home.cache.glob("keyring.unresponsive"))


def test_a_keyring_that_does_not_answer_is_left_alone_for_a_while(w: World) -> None:
    with SilentSecretService() as service:
        _with(w, service.environ)
        job = w.ask("admin")
        w.type_code()
        # The backend loads; it is the write that gets no answer, and the credentials come all the same
        assert w.sts.wait_for(1, "AssumeRole", "OK", timeout=30)
        assert "cannot store the MFA session" not in w.home.log
        assert job.outcome(30).document["Version"] == 1
        assert w.actions == ["GetSessionToken", "AssumeRole"]
        assert "cannot store the MFA session: the keyring did not answer in 5 s" in w.home.log
        assert service.wait_for_call() == ["Get"]
        w.answered("other")
        with pytest.raises(AssertionError):
            service.wait_for_call(timeout=0.2)
    assert w.actions[2:] == ["AssumeRole"]
    assert "no MFA session can be stored: the keyring did not answer" in w.home.log


def test_a_keyring_that_does_not_answer_delays_those_without_a_terminal_for_its_deadline_only(w: World) -> None:
    with SecretService(w.home.path) as service:
        _with(w, service.environ).answered("admin")
    with SilentSecretService() as silent:
        began = time.monotonic()
        ran = w.home.run("--profile", "other", environ=silent.environ, start_new_session=True)
        assert 3 <= time.monotonic() - began < 8
    assert ran.status == 3
    assert "cannot read the MFA session: the keyring did not answer in 3 s" in w.home.log


def test_a_person_is_told_that_the_keyring_may_be_waiting_for_them(w: World) -> None:
    with SecretService(w.home.path) as service:
        _with(w, service.environ).answered("admin")
    with SilentSecretService() as silent:
        job = w.start("--profile", "other", environ=silent.environ)
        w.terminal.expect("credproc: waiting for the keyring to be unlocked\r")
        job.signal(2)
        assert job.wait() == -2


def test_a_keyring_that_is_slow_to_load_is_not_said_to_be_locked(w: World) -> None:
    with SilentBus(admits=True) as bus:
        _with(w, bus.environ)
        job = w.ask("admin")
        time.sleep(1.5)  # in which nothing must be said
        w.type_code()
        assert job.outcome(30).document["Version"] == 1
    assert "waiting" not in w.terminal.unseen


@pytest.mark.parametrize("kind", ["no service", "stale bus", "silent bus", "deaf bus", "no bus"])
def test_without_a_keyring_the_code_goes_with_the_role_and_nothing_is_kept_elsewhere(w: World, kind: str) -> None:
    with ExitStack() as stack:
        if kind == "no service":
            _with(w, stack.enter_context(NoSecretService()).environ)
        elif kind in ("silent bus", "deaf bus"):
            _with(w, stack.enter_context(SilentBus(admits=kind == "silent bus")).environ)
        else:
            _with(w, STALE_BUS if kind == "stale bus" else NO_BUS)
        w.answered("admin")
        w.terminal.expect(f"\rcredproc: the next role asks for a code again: {_REASONS[kind]}")
        w.home.run("clear", "--all")
        job = w.start("login", "--profile", "admin")
        w.terminal.expect(PROMPT)
        w.type_code()
        ran = job.outcome(30)
        assert "the next role" not in w.terminal.unseen  # once is enough
    assert (ran.status, ran.stderr) == (0, "")
    first, second = ran.stdout.splitlines()
    assert first.startswith("signed in for one role: profile 'admin' has credentials until ")
    assert second.startswith(f"the next role asks for a code again, because {_REASONS[kind]}")
    assert second.endswith(("; credproc_session_store = file would keep it", "= kernel or file would keep it"))
    assert w.actions == ["AssumeRole"] * 2
    assert "no MFA session can be stored: " in w.home.log
    assert not list(w.home.cache.glob("*.credentials"))
    assert not list(w.home.cache.glob("*.session"))


_REASONS = {
    "no service": "there is no keyring here: nothing on D-Bus offers one",
    "stale bus": "there is no keyring here: D-Bus cannot be reached",
    "silent bus": "the keyring did not answer",
    "deaf bus": "the keyring did not answer",
    "no bus": "there is no keyring here: no D-Bus session",
}


def test_a_session_that_is_not_wanted_is_not_spoken_of_at_the_prompt(w: World) -> None:
    w.answered("admin", CREDPROC_SESSION_STORE="none")
    assert "the next role" not in w.terminal.unseen
    job = w.start("login", "--profile", "admin", environ={"CREDPROC_SESSION_STORE": "none"})
    w.terminal.expect(PROMPT)
    w.type_code()
    assert job.outcome(30).stdout.splitlines()[1] == (
        "the next role asks for a code again, because the session store is none"
    )


def test_login_says_where_the_session_is_and_that_a_long_role_takes_a_code_of_its_own(w: World) -> None:
    w.home.config(
        profile("long", w.role("long"), "user1", "duration_seconds = 7200")
        + profile("admin", w.role("admin"))
        + user_profile(w.user)
    )
    for name, said in (
        ("long", "the next role asks for a code again, because a role for more than 1 h takes a code of its own"),
        ("admin", "with a session in a private file"),
    ):
        job = w.start("login", "--profile", name, environ={"CREDPROC_SESSION_STORE": "file"})
        w.terminal.expect(PROMPT)
        w.type_code()
        assert said in job.outcome(30).stdout


@pytest.mark.parametrize("rubbish", ["", "x", "{}", "[]", "null", '{"format":1}', "[" * 5000, "credproc-parts:99"])
def test_rubbish_in_the_keyring_is_no_session_and_is_replaced(w: World, rubbish: str) -> None:
    with SecretService(w.home.path) as service:
        _with(w, service.environ).answered("admin")
        (item,) = service.items()
        _write_to(service, item.attributes["username"], rubbish)
        w.answered("other")
        (item,) = service.items()
        assert json.loads(item.secret)["format"] == 1
    assert w.sts.count("GetSessionToken") == 2


@pytest.mark.parametrize(
    "name", ["evil.Keyring", "keyrings.alt.file.PlaintextKeyring", "keyring.backends.null.Keyring"]
)
def test_a_keyring_that_is_none_of_the_librarys_own_is_not_loaded(w: World, tmp_path: Path, name: str) -> None:
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'canary')!r}, 'w')\nclass Keyring: pass\n")
    config = w.home.path / ".config" / "python_keyring"
    config.mkdir(parents=True)
    (config / "keyringrc.cfg").write_text(f"[backend]\ndefault-keyring=evil.Keyring\nkeyring-path={tmp_path}\n")
    w.answered("admin", PYTHON_KEYRING_BACKEND=name, PYTHONPATH=str(tmp_path))
    assert not (tmp_path / "canary").exists()
    assert w.actions == ["AssumeRole"]


# Sessions without a note


def test_logout_finds_a_session_in_the_keyring_once_the_cache_is_gone(w: World) -> None:
    with SecretService(w.home.path) as service:
        _with(w, service.environ).answered("admin")
        shutil.rmtree(w.home.cache)
        assert w.home.run("logout", "--profile", "other").stdout == f"signed out: {w.user.mfa_serial}\n"
        assert service.items() == []
        assert w.home.run("logout", "--profile", "other").stdout == "nobody is signed in for profile 'other'\n"
        w.answered("admin")
        shutil.rmtree(w.home.cache)
        assert w.home.run("logout", "--all").stdout == f"signed out: {w.user.mfa_serial}\n"
        assert service.items() == []
        assert w.home.run("logout", "--all").stdout == "nobody is signed in\n"


def test_logout_without_a_directory_asks_the_keyring_all_the_same(w: World) -> None:
    with SecretService(w.home.path) as service:
        _with(w, service.environ).answered("admin", CREDPROC_CACHE_DIR="/dev/null")
        assert len(service.items()) == 1
        ran = w.home.run("logout", "--profile", "admin", environ={"CREDPROC_CACHE_DIR": "/dev/null"})
        assert ran.stdout == f"signed out: {w.user.mfa_serial}\n"
        assert service.items() == []


def test_logout_of_a_profile_finds_the_sessions_of_its_user_with_every_issuer_and_of_nobody_else(w: World) -> None:
    key, serial = w.user.access_key_id, w.user.mfa_serial or ""
    with SecretService(w.home.path) as service:
        _with(w, service.environ)
        for issuer in ("aws", "global", "aws-cn", "aws-us-gov", w.sts.url):
            _write_to(service, session_id(key, serial, issuer).name, "{}")
        other = session_id("AKIAOTHER", serial, "aws").name
        for name in (other, "doctor-0123456789abcdef", "../escaped"):
            _write_to(service, name, "{}")
        assert w.home.run("logout", "--profile", "admin").stdout == f"signed out: {serial}\n" * 5
        assert len(service.items()) == 3
        said = w.home.run("logout", "--all").stdout
        assert said == "signed out: an MFA session that no profile leads to\n"
        assert {item.attributes["username"] for item in service.items()} == {"doctor-0123456789abcdef", "../escaped"}


def test_logout_that_cannot_ask_the_keyring_does_not_say_that_nobody_is_signed_in(w: World) -> None:
    with SecretService(w.home.path) as service:
        _with(w, service.environ).answered("admin")
        shutil.rmtree(w.home.cache)
        service.lock()
        for which in (["--profile", "admin"], ["--all"]):
            ran = w.home.run("logout", *which)
            assert (ran.status, ran.stdout) == (1, "")
            assert "the keyring is locked" in ran.stderr
        service.unlock()
        assert len(service.items()) == 1


def test_logout_finds_a_session_in_a_file_without_its_note(w: World) -> None:
    w.home.environ["CREDPROC_SESSION_STORE"] = "file"
    w.answered("admin")
    for index in w.home.cache.glob("*.session"):
        index.unlink()
    said = w.home.run("logout", "--profile", "admin").stdout
    assert said.startswith(f"signed out: {w.user.mfa_serial}\ndeleted: cached credentials of profile 'admin' ")
    assert not list(w.home.cache.glob("*.credentials"))


def test_a_run_that_is_killed_while_it_stores_a_session_leaves_a_note_that_no_run_uses(w: World) -> None:
    with SecretService(w.home.path) as service:
        answer = threading.Event()
        w.sts.hold(answer, "GetSessionToken")
        job = _with(w, service.environ).ask("admin")
        w.type_code()
        assert w.sts.wait_for(1, "GetSessionToken")
        with service.busy():
            answer.set()
            end = time.monotonic() + 10
            while not (indexes := list(w.home.cache.glob("*.session"))) and time.monotonic() < end:
                time.sleep(0.01)
            assert job.status is None
            job.signal(signal.SIGKILL)
            assert job.wait() == -signal.SIGKILL
        assert len(indexes) == 1
        w.sts.heal()
        assert w.home.run("status").stdout.startswith("not signed in with MFA\n")
        w.answered("other")
        assert len(service.items()) == 1


# A new session is stored beside the calls that are made with it


@contextmanager
def _slow_keyring(w: World, service: SecretService) -> Iterator[None]:
    """Type the code that is asked for, and let the keyring take nothing from STS's answer to it on."""
    answer = threading.Event()
    w.sts.once(hold(answer), action="GetSessionToken")
    w.type_code()
    assert w.sts.wait_for(1, "GetSessionToken", timeout=30)  # so there is a keyring: that is found out before
    with service.busy():
        answer.set()
        yield


def test_the_role_is_assumed_while_the_session_is_stored_and_nothing_is_printed_before_both(w: World) -> None:
    with SecretService(w.home.path) as service:
        job = _with(w, service.environ).ask("admin")
        with _slow_keyring(w, service):
            assert w.sts.wait_for(1, "AssumeRole", "OK")
            time.sleep(0.5)  # in which nothing must come
            assert (job.status, job.stdout, w.home.entries) == (None, "", [])
        assert job.outcome(30).document["Version"] == 1
        assert len(service.items()) == 1
        w.unasked("other")
    assert w.actions == ["GetSessionToken", "AssumeRole", "AssumeRole"]


def test_what_a_write_needs_is_loaded_by_the_look_at_the_keyring_while_the_code_is_typed(w: World) -> None:
    code = (
        "import os, sys, keyring.backends.SecretService;"  # which takes long, and has 3 s
        "from credproc.stores.keyring import KeyringStore; store = KeyringStore(None, os.environ);"
        "assert store.unavailable_reason() is None; before = {*sys.modules};"
        "store.set('name', 'value'); print(sorted({*sys.modules} - before))"
    )
    with SecretService(w.home.path) as service:
        environ = {"PATH": os.environ["PATH"], "HOME": str(w.home.path), **service.environ}
        ran = subprocess.run(
            [sys.executable, "-I", "-c", code], env=environ, check=True, capture_output=True, text=True
        )
    assert ran.stdout == "[]\n"


def test_a_denied_role_waits_for_the_session_to_be_stored(w: World) -> None:
    w.role("admin", Trust(("nobody",)))
    with SecretService(w.home.path) as service:
        job = _with(w, service.environ).ask("admin")
        with _slow_keyring(w, service):
            assert w.sts.wait_for(1, "AssumeRole", "AccessDenied")
        assert job.wait(30) == 1
        w.unasked("other")
    assert w.sts.count("GetSessionToken") == 1


def test_a_run_killed_before_the_session_is_stored_costs_the_next_one_a_code(w: World) -> None:
    with SecretService(w.home.path) as service:
        job = _with(w, service.environ).ask("admin")
        with _slow_keyring(w, service):
            assert w.sts.wait_for(1, "AssumeRole", "OK")
            job.signal(signal.SIGKILL)
            assert job.wait() == -signal.SIGKILL
        w.answered("admin")
        w.unasked("other")
    assert w.actions == ["GetSessionToken", "AssumeRole"] * 2 + ["AssumeRole"]


def test_those_who_wait_are_not_asked_while_the_session_is_stored(w: World) -> None:
    with SecretService(w.home.path) as service:
        job = _with(w, service.environ).ask("admin")
        with _slow_keyring(w, service):
            assert w.sts.wait_for(1, "AssumeRole", "OK")
            other = w.start("--profile", "other")
            time.sleep(1)  # in which nothing must be asked
            assert PROMPT not in w.terminal.unseen
        assert job.outcome(30).document["Version"] == 1
        assert other.outcome(30).document["Version"] == 1
    assert PROMPT not in w.terminal.unseen
    assert w.actions == ["GetSessionToken", "AssumeRole", "AssumeRole"]


# The stores by themselves


class MemoryKeyring:
    """What keyring's backends offer, in a dictionary."""

    def __init__(self, limit: int = 10**6) -> None:
        self.kept: dict[str, str] = {}
        self.limit = limit

    def get_password(self, _service: str, username: str) -> str | None:
        return self.kept.get(username)

    def set_password(self, _service: str, username: str, password: str) -> None:
        if len(password) > self.limit:
            raise OSError("the stub received bad data")  # as Windows says it
        self.kept[username] = password

    def delete_password(self, _service: str, username: str) -> None:
        del self.kept[username]


class Watched(KeyringStore):
    """A keyring of which is known what stands in the note when a session is stored, and which then may fail."""

    error: SessionStoreError | None = None

    def __init__(self, directory: PrivateDirectory) -> None:
        super().__init__(None, {})
        self._backend = MemoryKeyring()
        self.directory_of_note = directory
        self.seen: list[SessionIndex | None] = []

    def set(self, name: str, value: str, seconds: int = 0) -> None:
        self.seen.append(read_index(self.directory_of_note, name))
        if self.error is not None:
            raise self.error
        super().set(name, value, seconds)


def _store(backend: MemoryKeyring) -> KeyringStore:
    store = KeyringStore(None, {})
    store._backend = backend
    return store


def test_a_keyring_that_refuses_to_write_is_told_from_one_that_holds_nothing() -> None:
    store = _store(MemoryKeyring(limit=3))
    with pytest.raises(SessionStoreError, match="failed: the stub received bad data"):
        store.set("name", "long")
    assert store.get("name") is None


@pytest.mark.parametrize("kind", ["file", "keyring"])
def test_a_session_comes_back_as_it_was(tmp_path: Path, kind: str) -> None:
    directory = PrivateDirectory(_private(tmp_path))
    store = FileStore(directory) if kind == "file" else _store(MemoryKeyring())
    sessions = StoredSession(directory, ID, store)
    assert sessions.index() is None
    assert sessions.read() is None
    sessions.save(SESSION, "user1", 1_800_000_000)
    assert sessions.read() == SESSION
    index = sessions.index()
    assert index is not None
    assert (index.serial, index.issued, index.expiration) == (ID.serial, 1_800_000_000, 1_900_000_000)
    assert (index.profile, index.store, index.access_key_id) == ("user1", kind, "ASIAX")
    assert SESSION.secret_access_key not in (tmp_path / "own" / f"{ID.name}.session").read_text()
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "own").iterdir()} == {0o600}
    sessions.delete()
    assert (sessions.index(), sessions.read()) == (None, None)
    directory.close()


def test_a_session_is_noted_before_it_is_stored_and_not_looked_for_until_it_is(tmp_path: Path) -> None:
    directory = PrivateDirectory(_private(tmp_path))
    store = Watched(directory)
    sessions = StoredSession(directory, ID, store)
    sessions.save(SESSION, "user1", 1_800_000_000)
    (before,), after = store.seen, sessions.index()
    assert before is not None
    assert after is not None
    assert before == after._replace(expiration=1_800_000_000)  # it has expired, so nobody uses it
    assert after.expiration == SESSION.expiration
    sessions.save(SESSION._replace(access_key_id="ASIAY"), "user1", 1_800_000_100)
    assert store.seen[1:] == [after]
    directory.close()


def test_a_session_that_has_no_end_is_not_stored(tmp_path: Path) -> None:
    directory = PrivateDirectory(_private(tmp_path))
    store = Watched(directory)
    StoredSession(directory, ID, store).save(SESSION._replace(expiration=None), None, 0)
    assert store.seen == []
    assert directory.names() == []
    directory.close()


@pytest.mark.parametrize("had_one", [False, True])
@pytest.mark.parametrize("answered", [False, True])
def test_a_session_that_was_not_stored_leaves_the_note_of_before_unless_it_may_be_stored_later(
    tmp_path: Path,
    had_one: bool,  # noqa: FBT001
    answered: bool,  # noqa: FBT001
) -> None:
    directory = PrivateDirectory(_private(tmp_path))
    if had_one:
        StoredSession(directory, ID, FileStore(directory)).save(SESSION, None, 0)
    store = Watched(directory)
    sessions = StoredSession(directory, ID, store)
    before = sessions.index()
    store.error = SessionStoreError("failed")
    store.error.has_answered = answered
    with pytest.raises(SessionStoreError):
        sessions.save(SESSION, None, 1_800_000_000)
    found = sessions.index()
    if answered:
        assert found == before
    else:
        assert found is not None
        assert (found.store, found.expiration) == ("keyring", 1_800_000_000)
    directory.close()


def test_a_session_is_not_stored_where_its_note_cannot_be_written(tmp_path: Path) -> None:
    directory = PrivateDirectory(_private(tmp_path))
    (tmp_path / "own" / f"{ID.name}.session").mkdir()
    store = Watched(directory)
    with pytest.raises(SessionStoreError):
        StoredSession(directory, ID, store).save(SESSION, None, 0)
    assert store.seen == []
    directory.close()


def test_a_store_gives_the_names_that_it_holds(tmp_path: Path) -> None:
    directory = PrivateDirectory(_private(tmp_path))
    file, keyring = FileStore(directory), _store(MemoryKeyring())
    for store in (file, keyring):
        store.set(ID.name, "value")
    directory.write("foreign.credentials", b"")
    assert file.names([]) == [ID.name]
    assert keyring.names(["f" * 32, ID.name]) == [ID.name]
    assert keyring.names([]) == []
    assert NoStore().names([ID.name]) == []
    assert FileStore(None).names([ID.name]) == []
    directory.close()


def test_a_session_of_another_user_device_or_issuer_is_another_one() -> None:
    parts = ("AKIAX", "serial", "aws")
    names = {session_id(*parts).name}
    for number in range(3):
        changed = list(parts)
        changed[number] += "x"
        names.add(session_id(*changed).name)
    assert len(names) == 4
    assert session_id("a", "bc", "d").name != session_id("ab", "c", "d").name


@pytest.mark.parametrize(
    "change",
    [
        {"format": 1},
        {"name": "0" * 32},
        {"serial": 1},
        {"expiration": "1"},
        {"expiration": 253_402_300_800},
        {"issued": None},
        {"issued": -1},
        {"store": None},
        {"more": 1},
    ],
)
def test_an_index_that_says_something_else_is_none(tmp_path: Path, change: dict[str, Any]) -> None:
    directory = PrivateDirectory(_private(tmp_path))
    sessions = StoredSession(directory, ID, _store(MemoryKeyring()))
    sessions.save(SESSION, None, 0)
    path = tmp_path / "own" / f"{ID.name}.session"
    about = json.loads(path.read_bytes())
    path.write_text(json.dumps(about | change))
    assert sessions.index() is None
    path.write_text(json.dumps(about))
    assert sessions.index() is not None
    directory.close()


def test_without_a_directory_the_store_is_asked() -> None:
    sessions = StoredSession(None, ID, _store(MemoryKeyring()))
    index = sessions.index()
    assert index is not None
    assert index.expiration > time.time() + MIN_SECONDS_LEFT
    assert sessions.read() is None
    sessions.save(SESSION, None, 0)
    assert sessions.read() == SESSION


def test_no_store_keeps_nothing() -> None:
    store = NoStore()
    assert store.get("x") is None
    assert_names(store.unavailable_reason(), "", "none")
    with pytest.raises(SessionStoreError):
        store.set("x", "y", 1)
    store.delete("x")
    assert_names(FileStore(None).unavailable_reason(), "", "directory")


def _private(path: Path) -> str:
    own = path / "own"
    own.mkdir(0o700)
    return str(own)


def _write_to(service: SecretService, name: str, value: str) -> None:
    """Put a value into the keyring as keyring's backend does."""
    code = (
        "import sys; from keyring.core import load_keyring;"
        " load_keyring('keyring.backends.SecretService.Keyring')"
        ".set_password('credproc MFA session', sys.argv[1], sys.argv[2])"
    )
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **service.environ}
    subprocess.run([sys.executable, "-c", code, name, value], env=environ, check=True)
