"""The terminal on Windows, with doubles for ``msvcrt`` and ``CONOUT$``: what is typed, what is shown, how it ends."""

import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest

from credproc.errors import PersonNeededError, SignalError
from credproc.terminal import windows
from credproc.terminal.windows import Terminal

PROMPT = "Enter MFA code for arn:aws:iam::123456789012:mfa/user1: "


class Keyboard:
    """Stands for ``msvcrt``: keys typed before the prompt, and those after it, which come one by one."""

    def __init__(self, keys: Iterable[str] = (), before: str = "", shown: Path | None = None) -> None:
        self._keys = list(keys)
        self._before = list(before)
        self._shown = shown

    def kbhit(self) -> bool:
        """Whether a key waits; a person types when the prompt is up, and not before."""
        if self._before:
            return True
        return bool(self._keys) and self._shown is not None and self._shown.read_text() != ""

    def getwch(self) -> str:
        """Return the key."""
        return (self._before or self._keys).pop(0)

    @property
    def left(self) -> str:
        """What nobody has read."""
        return "".join((*self._before, *self._keys))


def always() -> None:
    """Say that the caller still waits."""


def ask(
    tmp_path: Path, keys: str, *, before: str = "", seconds: float = 10, withdrawal: Callable[[], str | None] = always
) -> tuple[str | Exception, str, str]:
    """Return what the prompt yields or raises, what was shown, and the keys that nobody has read."""
    shown = tmp_path / "CONOUT$"
    keyboard = Keyboard(keys, before, shown)
    terminal = Terminal(keyboard, str(shown))
    found: str | Exception
    try:
        found = terminal.ask(PROMPT, time.monotonic() + seconds, withdrawal)
    except (PersonNeededError, SignalError) as error:
        found = error
    terminal.close()
    return found, shown.read_bytes().decode(), keyboard.left


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("123456\r", "123456"),
        ("123456\n", "123456"),
        ("123 456\r", "123 456"),
        ("12\b\b\b123456\r", "123456"),
        ("\r", ""),
        ("\xe0H123\x00;456\r", "123456"),
        ("\u6f22\r", "\u6f22"),
    ],
    ids=["Enter", "line feed", "a space", "backspace", "nothing", "arrow and function keys", "another script"],
)
def test_a_line_is_read_and_not_shown(tmp_path: Path, keys: str, line: str) -> None:
    assert ask(tmp_path, keys) == (line, f"\r{PROMPT}\r\n", "")


def test_keys_from_before_the_prompt_and_behind_the_line_are_dropped(tmp_path: Path) -> None:
    assert ask(tmp_path, "123456\rreboot\r", before="9\r8") == ("123456", f"\r{PROMPT}\r\n", "")


@pytest.mark.parametrize("key", ["\x1a", "\x1b"], ids=["Ctrl-Z", "Escape"])
def test_a_key_cancels(tmp_path: Path, key: str) -> None:
    found, shown, left = ask(tmp_path, f"12{key}34\r")
    assert isinstance(found, PersonNeededError)
    assert (str(found), found.kind, shown, left) == ("cancelled", "cancelled", f"\r{PROMPT}\r\n", "")


def test_ctrl_c_is_the_signal_that_it_is_elsewhere(tmp_path: Path) -> None:
    found, shown, left = ask(tmp_path, "12\x0334\r")
    assert isinstance(found, SignalError)
    assert (found.number, found.declined.kind, shown, left) == (2, "cancelled", f"\r{PROMPT}\r\n", "")


def test_the_signal_of_ctrl_c_ends_it_and_gets_its_handler_back(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def withdrawal() -> str | None:
        signal.raise_signal(signal.SIGINT)
        return None

    try:
        found, shown, left = ask(tmp_path, "12", withdrawal=withdrawal)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert isinstance(found, SignalError)
    assert (found.number, found.declined.kind, shown, left) == (2, "cancelled", f"\r{PROMPT}\r\n", "")


def test_a_signal_that_the_caller_ignores_stays_ignored(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        found, _, _ = ask(tmp_path, "1\r", withdrawal=lambda: signal.raise_signal(signal.SIGINT))
    finally:
        signal.signal(signal.SIGINT, before)
    assert found == "1"


@pytest.mark.parametrize("typed", ["", "123"])
def test_it_ends_at_its_deadline(tmp_path: Path, typed: str) -> None:
    found, shown, left = ask(tmp_path, typed, seconds=0.2)
    assert isinstance(found, PersonNeededError)
    assert (str(found), found.kind) == ("no code was typed in time", "late")
    assert (shown, left) == (f"\r{PROMPT}\r\n", "")


def test_a_key_held_down_does_not_hold_up_the_deadline(tmp_path: Path) -> None:
    found, _, _ = ask(tmp_path, "1" * 1000, seconds=0)
    assert isinstance(found, PersonNeededError)
    assert found.kind == "late"


def test_the_callers_death_withdraws_it(tmp_path: Path) -> None:
    found, shown, _ = ask(tmp_path, "123", withdrawal=lambda: "the caller has gone")
    assert isinstance(found, PersonNeededError)
    assert (str(found), found.kind) == ("the caller has gone", "withdrawn")
    assert shown == f"\r{PROMPT}\r\n\rcredproc: the caller has gone\r\n"


def test_a_line_is_said_from_the_left(tmp_path: Path) -> None:
    terminal = Terminal(Keyboard(), str(tmp_path / "CONOUT$"))
    terminal.say("credproc: cafe \ud800\x1b[2J\u202e\n")
    terminal.close()
    assert (tmp_path / "CONOUT$").read_bytes() == b"\rcredproc: cafe \\ud800\\x1b[2J\\u202e \r\n"


@pytest.mark.parametrize("is_shown", [False, True])
def test_a_line_that_comes_meanwhile_goes_below_the_prompt_which_is_written_anew(
    tmp_path: Path, *, is_shown: bool
) -> None:
    shown = tmp_path / "CONOUT$"
    keyboard = Keyboard("12\b3", shown=shown)
    terminal = Terminal(keyboard, str(shown))

    def withdrawal() -> str | None:
        if "waiting" in shown.read_text():
            return "the caller has gone"
        terminal.say("credproc: waiting")  # as another thread does
        return None

    with pytest.raises(PersonNeededError):
        terminal.ask("Name: ", time.monotonic() + 10, withdrawal, shown=is_shown)
    terminal.say("credproc: the end")
    terminal.close()
    line = "\rName: 12\b \b3" if is_shown else "\rName: "
    below = "\r\n\rcredproc: waiting\r\n"
    last = "\r\n\rcredproc: the caller has gone\r\n\rcredproc: the end\r\n"
    assert shown.read_bytes().decode() == f"{line}{below}{line}{last}"


def test_a_prompt_does_nothing_to_the_terminal(tmp_path: Path) -> None:
    terminal = Terminal(Keyboard("1\r", shown=tmp_path / "CONOUT$"), str(tmp_path / "CONOUT$"))
    assert terminal.ask("\x1b[2J? ", time.monotonic() + 10, always) == "1"
    terminal.close()
    assert (tmp_path / "CONOUT$").read_bytes() == b"\r\\x1b[2J? \r\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_terminal_that_takes_no_output_still_gives_the_line() -> None:
    terminal = Terminal(Keyboard(), "/dev/full")
    terminal.say("credproc: nobody sees this")
    with pytest.raises(PersonNeededError) as raised:
        terminal.ask(PROMPT, time.monotonic(), always)
    assert raised.value.kind == "late"
    terminal.close()


def test_no_output_is_no_terminal(tmp_path: Path) -> None:
    with pytest.raises(PersonNeededError, match="no terminal") as raised:
        Terminal(Keyboard(), str(tmp_path / "no" / "CONOUT$"))
    assert raised.value.kind == "no terminal"


@pytest.mark.skipif(sys.platform == "win32", reason="there is one on Windows")
def test_no_msvcrt_is_no_terminal(tmp_path: Path) -> None:
    with pytest.raises(PersonNeededError, match="no terminal"):
        Terminal(None, str(tmp_path / "CONOUT$"))


def test_keys_come_from_msvcrt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = tmp_path / "CONOUT$"
    keyboard = Keyboard("123456\r", shown=shown)
    module = SimpleNamespace(kbhit=keyboard.kbhit, getwch=keyboard.getwch)
    monkeypatch.setitem(sys.modules, "msvcrt", module)
    terminal = Terminal(None, str(shown))
    assert terminal.ask(PROMPT, time.monotonic() + 10, always) == "123456"
    terminal.close()


def test_the_devices_are_opened_by_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where CONIN$ and CONOUT$ are names of files like any other
    assert not windows.is_available()
    with pytest.raises(PersonNeededError, match="no terminal"):
        windows.open_for_child()
    (tmp_path / "CONIN$").touch()
    assert windows.is_available()
    with pytest.raises(PersonNeededError, match="no terminal"):  # what a program writes has nowhere to go
        windows.open_for_child()
    (tmp_path / "CONOUT$").touch()
    keys, screen = windows.open_for_child()
    with open(keys, "rb") as file:
        assert file.read() == b""
    with open(screen, "wb") as file:
        file.write(b"touch the key")
    assert (tmp_path / "CONOUT$").read_bytes() == b"touch the key"
    (tmp_path / "CONOUT$").unlink()
    windows.notify("credproc: waiting")
    assert (tmp_path / "CONOUT$").read_bytes() == b"\rcredproc: waiting\r\n"
    assert windows.session_id() == 0


def test_a_word_for_nobody_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "CONOUT$").mkdir()
    monkeypatch.chdir(tmp_path)
    windows.notify("credproc: waiting")
