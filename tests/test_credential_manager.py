"""The Windows Credential Manager: items keep apart, long ones lie in parts, nothing is left or lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credproc.stores.credential_manager import CredentialManager
from credproc.stores.keyring import KeyringStore

if TYPE_CHECKING:
    from collections.abc import Callable

SERVICE = "credproc MFA session"


class Vault:
    """As keyring's WinVaultKeyring: an item under a service's name goes to NAME@SERVICE before one is set there.

    That is also done with the value of before of the same item, which only its deletion removes.
    """

    def __init__(self, limit: int = 1200) -> None:
        self.kept: dict[str, tuple[str, str]] = {}
        self.limit = limit
        self.moving: Callable[[], None] = lambda: None  # what another program does while an item makes way

    def get_password(self, service: str, username: str) -> str | None:
        found = self._read(service, username)
        return None if found is None else self.kept[found][1]

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password) > self.limit:
            raise OSError("the stub received bad data")  # as Windows says it
        before = self.kept.get(service)
        if before is not None:
            if before[0] != username:
                self.moving()
            self.kept[f"{before[0]}@{service}"] = before
        self.kept[service] = (username, password)

    def delete_password(self, service: str, username: str) -> None:
        assert self._read(service, username) is not None, "keyring raises PasswordDeleteError"
        while (found := self._read(service, username)) is not None:
            del self.kept[found]

    @property
    def items(self) -> dict[str, tuple[str, str]]:
        """What is kept, without values of before."""
        return {target: item for target, item in self.kept.items() if "@" not in target}

    def _read(self, service: str, username: str) -> str | None:
        names = (service, f"{username}@{service}")
        return next((name for name in names if name in self.kept and self.kept[name][0] == username), None)


def text(length: int) -> str:
    return "".join(chr(33 + number % 90) for number in range(length))


@pytest.mark.parametrize("length", [0, 1, 1199, 1200, 1201, 2400, 2401, 5000])
def test_a_value_of_any_length_is_kept_and_nothing_is_left_of_it(length: int) -> None:
    vault = Vault()
    manager = CredentialManager(vault)
    manager.set_password(SERVICE, "name", text(length))
    assert manager.get_password(SERVICE, "name") == text(length)
    manager.set_password(SERVICE, "name", "short")
    assert manager.get_password(SERVICE, "name") == "short"
    assert vault.items == {f"{SERVICE} name": ("name", "short")}
    assert not [target for target in vault.kept if "/" in target]
    manager.set_password(SERVICE, "name", text(length))
    manager.delete_password(SERVICE, "name")
    assert vault.kept == {}
    manager.delete_password(SERVICE, "name")


def test_a_shorter_value_in_parts_leaves_no_part_of_the_longer_one() -> None:
    vault = Vault()
    manager = CredentialManager(vault, limit=10)
    for length, parts in ((95, 10), (35, 4), (20, 2), (10, 0)):
        manager.set_password(SERVICE, "name", text(length))
        assert manager.get_password(SERVICE, "name") == text(length)
        assert len(vault.items) == parts + 1


def test_an_item_of_another_program_never_has_to_make_way() -> None:
    vault = Vault()
    ours, theirs = CredentialManager(vault), CredentialManager(vault)
    vault.moving = lambda: pytest.fail("an item makes way for another")
    ours.set_password(SERVICE, "one", "1")
    theirs.set_password(SERVICE, "two", text(5000))
    ours.set_password("credproc access key", "one", "3")
    assert ours.get_password(SERVICE, "two") == text(5000)
    assert theirs.get_password(SERVICE, "one") == "1"
    assert theirs.get_password("credproc access key", "one") == "3"


@pytest.fixture(name="old")
def _old() -> Vault:
    """A vault as an earlier credproc has left it: two items under the service, one in parts, of which one too many."""
    vault = Vault()
    for name, value in (("AKIA1", "a key"), ("long/1", "first "), ("long/2", "second"), ("long/3", "of before")):
        vault.set_password(SERVICE, name, value)
    vault.set_password(SERVICE, "long", "credproc-parts:2")
    return vault


def test_items_of_an_earlier_credproc_are_found(old: Vault) -> None:
    manager = CredentialManager(old)
    assert manager.get_password(SERVICE, "AKIA1") == "a key"
    assert manager.get_password(SERVICE, "long") == "first second"


def test_an_item_of_an_earlier_credproc_is_replaced_once_the_new_one_is_there(old: Vault) -> None:
    manager = CredentialManager(old)
    manager.set_password(SERVICE, "long", "new")
    manager.set_password(SERVICE, "AKIA1", "the key")
    assert sorted(old.kept.values()) == [("AKIA1", "the key"), ("long", "new")]
    assert sorted(old.kept) == [f"{SERVICE} AKIA1", f"{SERVICE} long"]


def test_an_item_of_an_earlier_credproc_stays_if_the_new_one_cannot_be_stored(old: Vault) -> None:
    old.limit = 3
    with pytest.raises(OSError, match="bad data"):
        CredentialManager(old).set_password(SERVICE, "AKIA1", "a longer key")
    assert CredentialManager(old).get_password(SERVICE, "AKIA1") == "a key"


def test_an_item_of_an_earlier_credproc_is_deleted_with_all_of_its_parts(old: Vault) -> None:
    manager = CredentialManager(old)
    manager.delete_password(SERVICE, "long")
    assert list(old.kept.values()) == [("AKIA1", "a key")]
    manager.delete_password(SERVICE, "AKIA1")
    assert old.kept == {}


def test_a_removal_that_is_interrupted_leaves_what_the_next_one_finds() -> None:
    vault = Vault()
    manager = CredentialManager(vault, limit=10)
    manager.set_password(SERVICE, "name", text(55))
    kept = vault.delete_password
    calls: list[str] = []

    def interrupted(service: str, username: str) -> None:
        calls.append(username)
        if len(calls) == 3:
            raise OSError("killed")
        kept(service, username)

    vault.delete_password = interrupted  # type: ignore[method-assign]  # the double of what ends the process
    with pytest.raises(OSError, match="killed"):
        manager.delete_password(SERVICE, "name")
    assert manager.get_password(SERVICE, "name") is None
    vault.delete_password = kept  # type: ignore[method-assign]  # as above
    manager.delete_password(SERVICE, "name")
    assert vault.kept == {}


@pytest.mark.parametrize("rubbish", ["credproc-parts:", "credproc-parts:x", "credproc-parts:99"])
def test_an_item_without_its_parts_is_no_item(rubbish: str) -> None:
    vault = Vault()
    vault.set_password(f"{SERVICE} name", "name", rubbish)
    assert CredentialManager(vault).get_password(SERVICE, "name") is None


def test_the_store_of_sessions_deletes_parts_whose_item_is_gone() -> None:
    vault = Vault()
    vault.set_password(SERVICE, "name/1", "left by an earlier credproc")
    store = KeyringStore(None, {})
    store._backend = CredentialManager(vault)
    store.delete("name")
    assert vault.kept == {}
