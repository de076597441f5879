"""The window of Windows, with a double of CredUI's function: what it is given, what comes back, how it ends."""

import threading
import time
from collections.abc import Callable

import pytest

from credproc.errors import PersonNeededError
from credproc.mfa.dialog.credui import CredUiWindow
from credproc.mfa.dialog.programs import find

PROMPT = "Enter MFA code for arn:aws:iam::123456789012:mfa/user1 (profile <b>): "
# CredUIPromptForCredentialsW's flags (wincred.h): nothing is kept by Windows, and nothing is tried as its password
DO_NOT_PERSIST, GENERIC_CREDENTIALS = 0x2, 0x40000


class CredUi:
    """The function: it returns ``error`` and ``typed`` once a person is done."""

    def __init__(self, error: int = 0, typed: str = "", *, is_done: bool = True) -> None:
        self.calls: list[tuple[str, str, str, str, int]] = []
        self.done = threading.Event()
        if is_done:
            self.done.set()
        self._answer = error, typed

    def prompt(self, title: str, message: str, target: str, name: str, flags: int) -> tuple[int, str]:
        """Show the window."""
        self.calls.append((title, message, target, name, flags))
        self.done.wait(30)
        return self._answer


def _ask(credui: CredUi, seconds: float = 20, withdrawal: Callable[[], str | None] = lambda: None) -> str:
    window = CredUiWindow(credui)
    window.say("an MFA code has six digits")
    try:
        return window.ask(PROMPT, time.monotonic() + seconds, withdrawal)
    finally:
        credui.done.set()
        window.close()


def test_what_is_typed_comes_back_and_windows_keeps_nothing_of_it() -> None:
    credui = CredUi(typed="123456")
    assert _ask(credui) == "123456"
    ((title, message, _, _, flags),) = credui.calls
    assert title == "credproc"
    assert message.startswith("an MFA code has six digits\n\nEnter MFA code for arn:aws:iam::123456789012:mfa/user1")
    assert "<" not in message
    assert flags & DO_NOT_PERSIST
    assert flags & GENERIC_CREDENTIALS


@pytest.mark.parametrize(("error", "kind"), [(1223, "cancelled"), (1312, "no window")])
def test_a_window_that_is_closed_is_cancelled_and_one_that_is_not_shown_says_why(error: int, kind: str) -> None:
    with pytest.raises(PersonNeededError) as raised:
        _ask(CredUi(error))
    assert raised.value.kind == kind
    assert str(error) in str(raised.value) or kind == "cancelled"


def test_nobody_types_before_the_deadline() -> None:
    with pytest.raises(PersonNeededError) as raised:
        _ask(CredUi(is_done=False), 0.3)
    assert raised.value.kind == "late"


def test_the_callers_death_withdraws_the_window() -> None:
    with pytest.raises(PersonNeededError, match="it has gone") as raised:
        _ask(CredUi(is_done=False), withdrawal=lambda: "it has gone")
    assert raised.value.kind == "withdrawn"


def test_windows_needs_no_program_and_no_display() -> None:
    found = find({}, "win32")
    assert found.is_available
    assert "CredUI" in found.shown_by
