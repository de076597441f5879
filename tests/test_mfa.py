"""A token code: what counts as one, until when one is asked for, and what is to be done where nobody can be asked."""

import os
import re
import subprocess
import sys
import time

import pytest

from credproc.errors import PersonNeededError
from credproc.refresh.mfa import Wanted, code_in, codes
from credproc.refresh.request import FOR_PEOPLE, FOR_SDKS, Deadlines, Request
from credproc.refresh.usedcodes import UsedCodes

WHERE = "~/.aws/config:5"


def wanted(profile: str | None = "admin", *, seconds: float = 40, deadlines: Deadlines = FOR_SDKS) -> Wanted:
    """Return what a code is wanted for, in a run that has so many seconds left for a prompt."""
    started = time.monotonic() - deadlines.prompt + seconds
    request = Request(profile, {"CREDPROC_INTERACTIVE": "never"}, started, deadlines=deadlines)
    return Wanted("arn:aws:iam::123456789012:mfa/user1", WHERE, None, request)


@pytest.mark.parametrize("text", ["123456", " 123 456\t", "\x1b[200~123456\x1b[201~", "\x1b[200~123\x1b[201~456"])
def test_a_code_is_six_digits_but_for_spaces_and_the_marks_of_a_paste(text: str) -> None:
    assert code_in(text) == "123456"


@pytest.mark.parametrize("text", ["", "12345", "1234567", "a123456", "123456b", "\x1b[202~123456", "１２３４５６"])  # noqa: RUF001
def test_anything_else_is_no_code(text: str) -> None:
    assert code_in(text) is None


def test_with_fifteen_seconds_left_a_person_is_asked() -> None:
    wanted(seconds=15.5).check_time()


@pytest.mark.parametrize("deadlines", [FOR_SDKS, FOR_PEOPLE], ids=["SDKs", "people"])
def test_with_less_than_fifteen_seconds_left_nobody_is_asked(deadlines: Deadlines) -> None:
    with pytest.raises(PersonNeededError, match=f"^{re.escape(WHERE)}: MFA code: too little time is left") as raised:
        wanted(seconds=14.9, deadlines=deadlines).check_time()
    assert (raised.value.kind, raised.value.hint) == ("no time", "run credproc login --profile admin in a terminal")


@pytest.mark.parametrize(
    ("profile", "hint"),
    [
        ("admin", "run credproc login --profile admin in a terminal"),
        ("my role", "run credproc login --profile 'my role' in a terminal"),
        ("x" * 80, f"run credproc login --profile {'x' * 80} in a terminal"),
        ("x" * 81, "run credproc login in a terminal, with the same --profile"),
        ("a\x1bb", "run credproc login in a terminal, with the same --profile"),
        (None, "run credproc login in a terminal"),
    ],
)
def test_the_hint_is_a_command_that_can_be_typed(profile: str | None, hint: str) -> None:
    assert wanted(profile).hint == hint
    with pytest.raises(PersonNeededError) as raised:
        codes(wanted(profile), UsedCodes(None, "session"))
    assert raised.value.hint == hint
    assert str(raised.value) == f"{WHERE}: an MFA code is needed, and CREDPROC_INTERACTIVE=never forbids to ask"


CAN_ASK = """
from credproc.refresh.mfa import can_ask
print(*(can_ask(environ) for environ in ({}, {"CREDPROC_INTERACTIVE": ""}, {"CREDPROC_INTERACTIVE": "never"})))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the rigs are made for Linux")
def test_only_who_has_a_terminal_and_may_ask_can_ask() -> None:
    from tests.terminal import Terminal  # noqa: PLC0415 - termios, which not all have

    command = [sys.executable, "-c", CAN_ASK]
    with Terminal() as terminal:
        assert terminal.start(command, dict(os.environ), stdout="pipe").outcome().stdout == "True True False\n"
    ran = subprocess.run(command, start_new_session=True, stdout=subprocess.PIPE, text=True, check=True)
    assert ran.stdout == "False False False\n"
