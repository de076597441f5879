"""The Credential Manager, which takes 2,560 bytes a value, as the store of sessions and of access keys."""

import json
from typing import Any

import pytest

from tests.sts import Trust, User
from tests.windows.world import ADMIN, OTHER, START, World, demand_mfa

LIMIT = 2560  # bytes of UTF-16 that a value may have: CRED_MAX_CREDENTIAL_BLOB_SIZE of wincred.h
# What the manager holds of credproc: name, user and size of each; with an argument that is deleted
_LIST = """
import ctypes, json, sys
from ctypes.wintypes import DWORD, FILETIME, LPWSTR
class Credential(ctypes.Structure):
    _fields_ = [
        ("flags", DWORD), ("type", DWORD), ("target", LPWSTR), ("comment", LPWSTR), ("written", FILETIME),
        ("size", DWORD), ("blob", ctypes.c_void_p), ("persist", DWORD), ("attributes", DWORD),
        ("attribute", ctypes.c_void_p), ("alias", LPWSTR), ("user", LPWSTR),
    ]
count, found = DWORD(), ctypes.POINTER(ctypes.POINTER(Credential))()
listed = ctypes.WinDLL("advapi32").CredEnumerateW(None, 0, ctypes.byref(count), ctypes.byref(found))
every = [found[number].contents for number in range(count.value)] if listed else []
if len(sys.argv) > 1:
    for each in every:
        if "credproc" in (each.target or ""):
            ctypes.WinDLL("advapi32").CredDeleteW(each.target, each.type, 0)
print(json.dumps([[each.target, each.user, each.size] for each in every if "credproc" in (each.target or "")]))
"""


def held(w: World) -> list[Any]:
    """Return what the manager holds of credproc."""
    found: list[Any] = json.loads(w.python(_LIST).stdout)
    return found


@pytest.fixture(name="keeping")
def _keeping(w: World) -> World:
    """Return a world with MFA whose sessions go to the Credential Manager, which is empty."""
    demand_mfa(w)
    w.home.environ["CREDPROC_SESSION_STORE"] = "keyring"
    w.python(_LIST, "delete")  # what a test that failed has left
    assert held(w) == []
    return w


def test_a_session_above_the_limit_is_kept_in_parts_and_none_is_left_after_logout(keeping: World) -> None:
    w = keeping
    w.sts.iam.token_bytes = 3 * LIMIT // 4
    assert len(str(w.signed_in()["SessionToken"])) * 2 > LIMIT
    assert w.credproc("--profile", "other").outcome(START).document["Version"] == 1
    assert w.helped == ["GetSessionToken", "AssumeRole", "AssumeRole"]
    assert all(0 < size <= LIMIT for _, _, size in held(w))
    assert sum(size for _, _, size in held(w)) > LIMIT
    assert w.credproc("logout", "--all").outcome(START).status == 0
    assert held(w) == []


def _with_two_users(w: World) -> dict[str, User]:
    """Give the two roles a user each, with keys in the credentials file."""
    users = {"user1": w.user, "user2": w.sts.user("user2")}
    config = keys = ""
    for (name, user), (profile, role) in zip(users.items(), (("admin", ADMIN), ("other", OTHER)), strict=True):
        w.sts.role(role, Trust((user.arn,)))
        config += f"[profile {profile}]\nregion = us-west-2\nrole_arn = {role}\nsource_profile = {name}\n"
        keys += f"[{name}]\naws_access_key_id = {user.access_key_id}\n"
        keys += f"aws_secret_access_key = {user.secret_access_key}\n"
    w.home.config(config)
    w.home.credentials(keys)
    return users


def test_two_users_that_import_their_keys_at_once_lose_none_and_remove_them_again(keeping: World) -> None:
    w = keeping
    users = _with_two_users(w)
    at_once = {name: w.credproc("keys", "import", name, "--yes") for name in users}
    for name, job in at_once.items():
        ended = job.outcome(START)
        if "was changed by another program; nothing was written" in ended.stderr:  # who writes second may be told so
            ended = w.credproc("keys", "import", name, "--yes").outcome(START)
        assert ended.status == 0, ended
    left = (w.home.path / ".aws" / "credentials").read_text()
    assert not any(user.secret_access_key in left for user in users.values())
    for profile in ("admin", "other"):
        assert w.credproc("--profile", profile).outcome(START).document["Version"] == 1
    for name in users:
        assert w.credproc("keys", "remove", name, "--yes").outcome(START).status == 0
    assert held(w) == []
