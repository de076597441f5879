"""MFA sessions in the Linux kernel's keyring: who finds them, who does not, and what comes of a kernel that refuses."""

from __future__ import annotations

import binascii
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if sys.platform != "linux":
    pytest.skip("the keyring is Linux's", allow_module_level=True)

from credproc.process.container import is_container
from credproc.stores import keyctl
from credproc.stores.kernel import KernelStore
from credproc.stores.mfa_sessions import session_id
from tests import crowd, kernel_keys
from tests.kernel_keys import ENOSYS, EPERM, as_user, forbidden, in_another_session, new_uid
from tests.mfa import PROMPT, World, profile, user_profile, world
from tests.program import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.terminal import Job

if not kernel_keys.WORKS:
    pytest.skip("this kernel lets nobody keep keys", allow_module_level=True)

AS_ANOTHER = pytest.mark.root("becomes another user")
SECONDS = 600


@pytest.fixture(name="w")
def _world(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home", ("admin", "other"), CREDPROC_SESSION_STORE="kernel") as found:
        yield found
        for path in found.home.cache.glob("*.session"):  # else they stay in the kernel of whoever runs the tests
            KernelStore().delete(path.stem)


@pytest.fixture(name="uid")
def _uid() -> int:
    return new_uid()


@pytest.fixture(name="theirs")
def _theirs(uid: int) -> Iterator[World]:
    """Give a world whose home is that user's; no setting names a store."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    with world(path / "home", ("admin", "other"), CREDPROC_SESSION_STORE="") as found:
        for one in (path / "home", *(path / "home").rglob("*")):
            os.chown(one, uid, uid)
        yield found
    shutil.rmtree(path)


def _start(w: World, beginning: Sequence[str], *arguments: str) -> Job:
    """Start credproc on the world's terminal by a command that begins so."""
    command = [*beginning, PROGRAM, *arguments]
    return w.terminal.start(command, w.home.environ, stdout="pipe", stderr="pipe", stdin="null")


def _answered(w: World, beginning: Sequence[str], name: str) -> None:
    job = _start(w, beginning, "--profile", name)
    w.terminal.expect(PROMPT)
    w.type_code()
    assert job.outcome(30).document["Version"] == 1


def _unasked(w: World, beginning: Sequence[str], name: str) -> None:
    assert _start(w, beginning, "--profile", name).outcome(30).document["Version"] == 1
    assert PROMPT not in w.terminal.unseen


def _index(w: World) -> dict[str, str]:
    (path,) = w.home.cache.glob("*.session")
    assert path.stat().st_mode & 0o777 == 0o600
    found: dict[str, str] = json.loads(path.read_bytes())
    return found


def _kept(name: str) -> int:
    """Keep the session's key in a keyring of this thread too, and return its number."""
    key = keyctl.find(f"credproc MFA session {name}")
    keyctl._keyctl(keyctl._LINK, key, keyctl._THREAD_KEYRING)
    return key


def _row(key: int) -> list[str]:
    """Return what the kernel says of a key: its number, flags, links, end, rights, user, group, type, description."""
    rows = [line.split(None, 8) for line in Path("/proc/keys").read_text().splitlines()]
    return next(row for row in rows if int(row[0], 16) == key)


# Who finds it


def test_a_session_is_in_two_halves_of_which_either_alone_is_worth_nothing(w: World) -> None:
    w.answered("admin")
    w.unasked("other")
    assert w.actions == ["GetSessionToken", "AssumeRole", "AssumeRole"]
    index = _index(w)
    assert index["store"] == "kernel"
    halves = [KernelStore().get(index["name"]), index["other_half"]]
    data = [binascii.a2b_base64(half or "") for half in halves]
    whole = json.loads(bytes(one ^ other for one, other in zip(*data, strict=True)))
    assert whole["access_key_id"] == w.sts.calls[1].access_key_id
    for half in data:
        assert not [value for value in whole.values() if isinstance(value, str) and value.encode() in half]
        assert len(set(half)) > 100  # of 256 bytes: a text has fewer
    assert not list(w.home.cache.glob("*.credentials"))


def test_each_session_has_another_pad(w: World) -> None:
    w.answered("admin")
    first = _index(w)["other_half"]
    job = w.start("login", "--renew", "--profile", "admin")
    w.terminal.expect(PROMPT)
    w.type_code()
    assert job.outcome(30).status == 0
    assert _index(w)["other_half"][:20] != first[:20]
    w.unasked("other")


def test_a_key_and_what_replaces_it_are_this_users_alone_and_end_with_the_session(w: World) -> None:
    w.answered("admin")
    for renews in (False, True):
        if renews:
            job = w.start("login", "--renew", "--profile", "admin")
            w.terminal.expect(PROMPT)
            w.type_code()
            assert job.outcome(30).status == 0
        key = keyctl.find(f"credproc MFA session {_index(w)['name']}")
        _, _, _, end, rights, user, *_ = _row(key)
        assert end in {"11h", "12h"}
        assert (rights, user) == ("3f3f0000", str(os.geteuid()))


def test_a_process_with_another_session_keyring_stores_finds_and_replaces_it(w: World) -> None:
    _answered(w, in_another_session(), "admin")
    _unasked(w, in_another_session(), "other")
    w.home.run("clear", "--all")
    _unasked(w, [], "admin")
    w.sts.expire(w.sts.calls[1].access_key_id or "")
    _answered(w, in_another_session(), "other")
    assert w.sts.count("GetSessionToken") == 2


def test_the_kernel_forgets_a_value_at_its_end() -> None:
    store, name = KernelStore(), os.urandom(16).hex()
    store.set(name, "a value", 1)
    assert store.get(name) == "a value"
    assert not store.has_forgotten(name)
    end = time.monotonic() + 30
    while store.get(name) is not None and time.monotonic() < end:
        time.sleep(0.05)
    assert store.get(name) is None
    assert store.has_forgotten(name)
    store.delete(name)


def test_a_forgotten_session_is_shown_nowhere_and_costs_a_code(w: World) -> None:
    w.answered("admin")
    name = _index(w)["name"]
    said = w.home.run("status").stdout
    assert said.startswith(f"MFA sessions in the kernel's keyring:\n  {w.user.mfa_serial}  until ")
    assert "with an MFA session in the kernel's keyring" in w.home.run("explain", "other").stdout
    KernelStore().delete(name)  # as at the end of the machine
    assert w.home.run("status").stdout.startswith("not signed in with MFA\n")
    assert "an MFA session in the kernel's keyring until" not in w.home.run("explain", "other").stdout
    w.answered("other")
    assert w.sts.count("GetSessionToken") == 2


def test_a_value_is_replaced_listed_and_deleted_with_whatever_still_leads_to_it() -> None:
    store, name = KernelStore(), os.urandom(16).hex()
    for value in ("one", "x" * 5000, "two"):
        store.set(name, value, SECONDS)
        assert store.get(name) == value
    assert name in store.names([])
    key = _kept(name)
    store.delete(name)
    assert store.get(name) is None
    assert name not in store.names([name])
    with pytest.raises(OSError, match=os.strerror(errno.EKEYREVOKED)):
        keyctl.read(key)
    store.delete(name)


def test_logout_revokes_it_also_where_the_cache_is_gone(w: World) -> None:
    w.answered("admin")
    key = _kept(_index(w)["name"])
    shutil.rmtree(w.home.cache)
    assert w.home.run("logout", "--profile", "admin").stdout == f"signed out: {w.user.mfa_serial}\n"
    with pytest.raises(OSError, match=os.strerror(errno.EKEYREVOKED)):
        keyctl.read(key)


def test_it_is_found_whatever_the_setting_says_later_and_not_with_none(w: World) -> None:
    w.answered("admin")
    for store in ("auto", "keyring", "file"):
        w.unasked("other", CREDPROC_SESSION_STORE=store)
        w.home.run("clear", "--all")
    job = w.ask("other", CREDPROC_SESSION_STORE="none")
    w.terminal.send("\x04")
    assert job.wait() == 3
    w.home.config(profile("other", w.role("other"), "user1", "credproc_session_store = none") + user_profile(w.user))
    w.answered("other")
    assert w.sts.count("GetSessionToken") == 1


def test_a_session_in_the_kernel_needs_the_directory_of_its_other_half(w: World) -> None:
    w.answered("admin", CREDPROC_CACHE_DIR="/dev/null")
    assert w.actions == ["AssumeRole"]
    w.terminal.expect("there is no private directory for the other half of the session; set CREDPROC_CACHE_DIR")


@pytest.mark.crowd
def test_fifty_processes_behind_one_user_cost_one_code(tmp_path: Path) -> None:
    roles = [f"role{number}" for number in range(5)]
    with world(tmp_path / "home", roles, CREDPROC_SESSION_STORE="kernel") as w:
        crowd.behind_one_user(w, tmp_path / "crowd", 50, 5)
        assert w.home.run("logout", "--profile", "role0").status == 0


# Who does not


@AS_ANOTHER
def test_another_user_finds_no_session_and_can_read_none_whose_number_they_know(theirs: World, uid: int) -> None:
    theirs.home.environ["CREDPROC_SESSION_STORE"] = "kernel"
    _answered(theirs, as_user(uid), "admin")
    (name,) = kernel_keys.names(uid)
    code = (
        "import sys; from credproc.stores import keyctl\n"
        "for call in (keyctl.find, lambda name: len(keyctl.read(int(sys.argv[2])))):\n"
        "    try: print(call(sys.argv[1]))\n"
        "    except OSError as error: print(-error.errno)"
    )

    def tried(who: int, key: str) -> list[str]:
        command = [*as_user(who), sys.executable, "-c", code, f"credproc MFA session {name}", key]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout.split()

    key = tried(uid, "0")[0]
    assert int(tried(uid, key)[1]) > 100
    assert tried(new_uid(), key) == [str(-errno.ENOKEY), str(-errno.EACCES)]


# A kernel that refuses


@pytest.mark.parametrize(
    "beginning",
    [forbidden(EPERM), forbidden(ENOSYS), kernel_keys.without_rights(), kernel_keys.without_end()],
    ids=["EPERM", "ENOSYS", "no rights", "no end"],
)
def test_where_the_kernel_refuses_nothing_stays_in_it_and_the_person_is_told(w: World, beginning: list[str]) -> None:
    _answered(w, beginning, "admin")
    assert w.actions == ["AssumeRole"]
    told = "the next role asks for a code again: the kernel's keyring is forbidden here; credproc_session_store = file"
    w.terminal.expect(told)
    assert "no MFA session can be stored: the kernel's keyring is forbidden here" in w.home.log
    names = {session_id(w.user.access_key_id, w.user.mfa_serial or "", w.sts.url).name, "trial"}
    assert not names & {*KernelStore().names([])}
    assert not list(w.home.cache.glob("*.session"))


def test_a_session_that_cannot_be_read_is_told_from_none() -> None:
    name = os.urandom(16).hex()
    code = (
        "import sys; from credproc.stores.kernel import KernelStore\n"
        "store = KernelStore(); print(store.unavailable_reason()); print(store.names([]))\n"
        "for call in (lambda: store.get('x'), lambda: store.set('x', 'y', 9), lambda: store.delete('x')):\n"
        "    try: call()\n"
        "    except Exception as error: print(error)"
    )
    read, write = os.pipe()
    command = [*forbidden(), sys.executable, "-c", code, name]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)])
    os.close(write)
    assert os.waitpid(pid, 0)[1] == 0
    with open(read, encoding="ascii") as file:
        lines = file.read().splitlines()
    assert lines[0] == lines[2] == lines[3] == lines[4] == "the kernel's keyring is forbidden here"
    assert lines[1] == "[]"


@AS_ANOTHER
def test_where_the_users_quota_is_full_the_code_is_for_one_role_and_login_says_so(theirs: World, uid: int) -> None:
    kernel_keys.fill(uid)
    theirs.home.environ["CREDPROC_SESSION_STORE"] = "kernel"
    job = _start(theirs, as_user(uid), "login", "--profile", "admin")
    theirs.terminal.expect(PROMPT)
    theirs.type_code()
    ran = job.outcome(30)
    assert (ran.status, ran.stderr) == (0, "")
    first, second = ran.stdout.splitlines()
    assert first.startswith("signed in for one role: profile 'admin' has credentials until ")
    assert second == (
        "the next role asks for a code again, because the kernel's keyring of this user is full;"
        " credproc_session_store = file would keep it"
    )
    assert theirs.actions == ["AssumeRole"]
    _answered(theirs, as_user(uid), "other")


# Where no setting names a store


@AS_ANOTHER
def test_without_a_desktop_the_kernel_keeps_it(theirs: World, uid: int, tmp_path: Path) -> None:
    outside = [*kernel_keys.outside_of_containers(tmp_path), *as_user(uid)]
    if os.readlink("/proc/self/ns/pid") != "pid:[4026531836]":
        pytest.skip("these tests run in a container, and no process of theirs is outside of it")
    _answered(theirs, outside, "admin")
    _unasked(theirs, [*as_user(uid), *in_another_session()], "other")
    assert kernel_keys.names(uid) == [_index(theirs)["name"]]
    assert theirs.actions == ["GetSessionToken", "AssumeRole", "AssumeRole"]
    ran = _start(theirs, as_user(uid), "logout", "--all").outcome()
    assert ran.stdout.startswith(f"signed out: {theirs.user.mfa_serial}\n")
    assert kernel_keys.names(uid) == []


@AS_ANOTHER
@pytest.mark.parametrize("who", ["root", "a container"])
def test_root_and_containers_name_it_themselves(theirs: World, uid: int, who: str) -> None:
    theirs.home.environ["container"] = "podman"
    if who == "root":
        for one in (theirs.home.path, *theirs.home.path.rglob("*")):
            os.chown(one, 0, 0)
    _answered(theirs, [] if who == "root" else as_user(uid), "admin")
    assert theirs.actions == ["AssumeRole"]
    told = f"{who}'s kernel keyring is used only if a setting names it; credproc_session_store = kernel or file"
    theirs.terminal.expect(told)


def _tree(path: Path, *, pid: str = "pid:[4026531836]", release: str = "6.1.0", **files: str) -> str:
    (path / "proc/self/ns").mkdir(parents=True)
    (path / "proc/self/ns/pid").symlink_to(pid)
    (path / "proc/sys/kernel").mkdir(parents=True)
    (path / "proc/sys/kernel/osrelease").write_text(release)
    for name, text in files.items():
        file = path / name.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return str(path)


def test_a_container_is_told_from_a_machine_and_from_wsl(tmp_path: Path) -> None:
    other = "pid:[4026532000]"
    wsl = "5.15.90.1-microsoft-standard-WSL2"
    trees = {
        False: [
            _tree(tmp_path / "machine"),
            _tree(tmp_path / "wsl", pid=other, release=wsl),
            _tree(tmp_path / "systemd in wsl", pid=other, release=wsl, run__systemd__container="wsl\n"),
        ],
        True: [
            _tree(tmp_path / "docker", _dot_dockerenv=""),
            _tree(tmp_path / "docker in wsl", pid=other, release=wsl, _dot_dockerenv=""),
            _tree(tmp_path / "podman", run___dot_containerenv=""),
            _tree(tmp_path / "nspawn", run__systemd__container="systemd-nspawn\n"),
            _tree(tmp_path / "another namespace", pid=other),
            str(tmp_path / "without proc"),
        ],
    }
    for expected, roots in trees.items():
        assert [root for root in roots if is_container({}, root) is not expected] == []
    assert is_container({"container": "lxc"}, trees[False][0])
    assert is_container({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, trees[False][0])
