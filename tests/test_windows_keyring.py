"""The Credential Manager itself, Wine's, through keyring's backend: writers at once, and what was there before."""

import sys
from collections.abc import Iterator

import pytest

if sys.platform != "linux":
    pytest.skip("the rigs are made for Linux", allow_module_level=True)

from tests import tmux, windows_console
from tests.windows_console import PYTHON, WindowsConsole

if not (windows_console.AVAILABLE and tmux.AVAILABLE):
    pytest.skip("build/windows installs what it needs", allow_module_level=True)

SERVICE = "credproc test of writers"
SETUP = f"""
import sys
from credproc.stores import backends
service = {SERVICE!r}
keyring = backends.load({{}})  # by itself: a busy machine takes longer than a store waits
items = [(f"{{name}}-{{number}}", name * (3 if number % 2 else 1500)) for name in sys.argv[1:] for number in range(10)]
"""
WRITE = f"""{SETUP}
for name, value in items:
    keyring.set_password(service, name, value * 2)
    keyring.set_password(service, name, value)
"""
READ = f"""{SETUP}
assert [keyring.get_password(service, name) for name, _ in items] == [value for _, value in items]
"""
DELETE = f"""{SETUP}
for name, _ in items:
    keyring.delete_password(service, name)
"""
LEFT = f"""
from win32ctypes.pywin32 import pywintypes, win32cred
try:
    items = win32cred.CredEnumerate()
except pywintypes.error as error:
    assert error.winerror == 1168, error  # ERROR_NOT_FOUND: there is none at all
    items = ()
print(sorted(item["TargetName"] for item in items if {SERVICE!r} in item["TargetName"]))
"""
BEFORE = f"""{SETUP}
from keyring.backends.Windows import WinVaultKeyring
names, old = ("AKIA1", "AKIA2"), WinVaultKeyring()
old.set_password(service, "AKIA1", "a key")
old.set_password(service, "AKIA2", "another key")  # which makes the first one move
assert [keyring.get_password(service, name) for name in names] == ["a key", "another key"]
keyring.set_password(service, "AKIA1", "a new key")
assert [keyring.get_password(service, name) for name in names] == ["a new key", "another key"]
assert old.get_password(service, "AKIA1") is None
for name in names:
    keyring.delete_password(service, name)
"""


@pytest.fixture(name="console", scope="module")
def _console() -> Iterator[WindowsConsole]:
    with WindowsConsole() as console:
        yield console


def _run(console: WindowsConsole, script: str, *arguments: str) -> str:
    """Run the script on the Python of Windows, and return what it prints."""
    ended = console.start([PYTHON, "-c", script, *arguments]).outcome()
    assert (ended.status, ended.stderr) == (0, ""), ended
    return ended.stdout


def test_two_that_write_at_once_lose_nothing_and_leave_nothing(console: WindowsConsole) -> None:
    writers = [console.start([PYTHON, "-c", WRITE, name]) for name in "ab"]
    assert [(ended.status, ended.stderr) for ended in (writer.outcome() for writer in writers)] == [(0, "")] * 2
    _run(console, READ, "a", "b")
    assert _run(console, LEFT).count(f"'{SERVICE} ") == 2 * (5 + 5 * 3)  # five items of each in two parts
    _run(console, DELETE, "a", "b")
    assert _run(console, LEFT) == "[]\n"


def test_keys_of_an_earlier_credproc_are_found_replaced_and_deleted(console: WindowsConsole) -> None:
    _run(console, BEFORE)
    assert _run(console, LEFT) == "[]\n"
