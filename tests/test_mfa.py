"""A token code: what counts as one, until when one is asked for, and what is to be done where nobody can be asked."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from credproc.errors import PersonNeededError
from credproc.mfa import code_provider
from credproc.mfa.code import CodeRequest, parse_code
from credproc.mfa.used_codes import UsedCodes
from credproc.request import FOR_PEOPLE, FOR_SDKS, Deadlines, Request
from tests.wording import assert_names

WHERE = "~/.aws/config:5"


def wanted(profile: str | None = "admin", *, seconds: float = 40, deadlines: Deadlines = FOR_SDKS) -> CodeRequest:
    """Return what a code is wanted for, in a run that has so many seconds left for a prompt."""
    started = time.monotonic() - deadlines.prompt + seconds
    request = Request(profile, {"CREDPROC_INTERACTIVE": "never"}, started, deadlines=deadlines)
    return CodeRequest("arn:aws:iam::123456789012:mfa/user1", WHERE, None, request)


@pytest.mark.parametrize("text", ["123456", " 123 456\t", "\x1b[200~123456\x1b[201~", "\x1b[200~123\x1b[201~456"])
def test_a_code_is_six_digits_but_for_spaces_and_the_marks_of_a_paste(text: str) -> None:
    assert parse_code(text) == "123456"


@pytest.mark.parametrize("text", ["", "12345", "1234567", "a123456", "123456b", "\x1b[202~123456", "１２３４５６"])  # noqa: RUF001
def test_anything_else_is_no_code(text: str) -> None:
    assert parse_code(text) is None


def test_with_fifteen_seconds_left_a_person_is_asked() -> None:
    wanted(seconds=15.5).check_time()


@pytest.mark.parametrize("deadlines", [FOR_SDKS, FOR_PEOPLE], ids=["SDKs", "people"])
def test_with_less_than_fifteen_seconds_left_nobody_is_asked(deadlines: Deadlines) -> None:
    with pytest.raises(PersonNeededError, match=f"^{re.escape(WHERE)}: MFA code: .*time") as raised:
        wanted(seconds=14.9, deadlines=deadlines).check_time()
    assert raised.value.kind == "no time"
    assert_names(raised.value.hint, "", "credproc login --profile admin")


@pytest.mark.parametrize(
    ("profile", "hint"),
    [
        ("admin", "credproc login --profile admin in a terminal"),
        ("my role", "credproc login --profile 'my role' in a terminal"),
        ("x" * 80, f"credproc login --profile {'x' * 80} in a terminal"),
        ("x" * 81, "the same --profile"),
        ("a\x1bb", "the same --profile"),
        (None, "credproc login in a terminal"),
    ],
)
def test_the_hint_is_a_command_that_can_be_typed(profile: str | None, hint: str) -> None:
    assert_names(wanted(profile).hint, "", hint)
    with pytest.raises(PersonNeededError) as raised:
        code_provider(wanted(profile), UsedCodes(None, "session"))
    assert_names(raised.value.hint, "", hint)
    assert_names(str(raised.value), f"{WHERE}: ", "MFA code", "CREDPROC_INTERACTIVE=never")


if sys.platform != "linux":
    pytest.skip("the rigs are made for Linux", allow_module_level=True)

from tests.terminal import Job, Terminal  # noqa: E402 - termios, which not all have

CAN_ASK = """
from credproc.terminal import noninteractive_reason
environs = {}, {"CREDPROC_INTERACTIVE": ""}, {"CREDPROC_INTERACTIVE": "never"}
print(*(noninteractive_reason(environ) is None for environ in environs))
"""


def test_only_who_has_a_terminal_and_may_ask_can_ask(terminal: Terminal) -> None:
    command = [sys.executable, "-c", CAN_ASK]
    assert terminal.start(command, dict(os.environ), stdout="pipe").outcome().stdout == "True True False\n"
    ran = subprocess.run(command, start_new_session=True, stdout=subprocess.PIPE, text=True, check=True)
    assert ran.stdout == "False False False\n"


# Asks for codes as long as there are any; to be told the profile, and how many seconds there are for it
ASK = """
import os, sys, time
from credproc.errors import PersonNeededError, SignalError
from credproc.mfa import code_provider
from credproc.mfa.code import CodeRequest
from credproc.request import Request
from credproc.mfa.used_codes import UsedCodes

profile, seconds = sys.argv[1] or None, float(sys.argv[2])
used = UsedCodes(None, "session")
open_before = os.listdir("/proc/self/fd")
request = Request(profile, {}, time.monotonic() - 40 + seconds)
found = code_provider(CodeRequest("serial", "config:5", None, request), used)
try:
    found.notify("told")
    while True:
        code = found.next_code(None)
        used.add(code, time.time())
        print(code, flush=True)
except SignalError as error:
    print(error.number, error, error.declined.kind, sep="; ")
except PersonNeededError as error:
    print(error, error.kind, error.hint, sep="; ")
finally:
    found.close()
print(len(os.listdir("/proc/self/fd")) - len(open_before))
"""
LOGIN = "credproc login --profile admin"


@pytest.fixture(name="terminal")
def _terminal() -> Iterator[Terminal]:
    with Terminal() as terminal:
        yield terminal


def asked(terminal: Terminal, *lines: str, profile: str = "admin", seconds: float = 40) -> Job:
    """Start what asks for codes, and type each of these lines at a prompt."""
    job = terminal.start([sys.executable, "-c", ASK, profile, str(seconds)], dict(os.environ), stdout="pipe")
    for line in lines:
        terminal.expect("Enter MFA code for serial")
        terminal.send(line)
    return job


def test_three_codes_are_asked_for_and_no_more(terminal: Terminal) -> None:
    job = asked(terminal, "111111\n", "222222\n", "333333\n")
    *codes, end, leaked = job.outcome().stdout.splitlines()
    assert (codes, leaked) == (["111111", "222222", "333333"], "0")
    assert re.fullmatch(rf"config:5: MFA code: .*three tries; wrong; .*{LOGIN}.*", end)
    assert terminal.transcript.decode().replace("\r", "") == (
        "credproc: told\n" + "Enter MFA code for serial (profile admin): \n" * 3
    )


def test_what_was_no_code_and_what_was_used_is_said_before_the_next_is_asked_for(terminal: Terminal) -> None:
    job = asked(terminal, "111111\n", "12\n", "111111\n")
    code, end, leaked = job.outcome().stdout.splitlines()
    assert (code, leaked) == ("111111", "0")
    assert re.fullmatch(rf"config:5: MFA code: .*three tries: .*used.* \d+ s; wrong; .*{LOGIN}.*", end)
    assert re.search(r"\rcredproc: [^\r]*six digits \(try \d of 3\)\r", terminal.transcript.decode())


@pytest.mark.parametrize(
    ("key", "seconds", "said"),
    [
        ("\x03", 40, "2; config:5: MFA code: .*; cancelled"),
        ("\x04", 40, f"config:5: MFA code: .*; cancelled; .*{LOGIN}.*"),
        ("", 0.7, f"config:5: MFA code: .*time; late; .*{LOGIN}.*"),
    ],
    ids=["Ctrl-C", "Ctrl-D", "nothing"],
)
def test_why_there_is_no_code_is_told_to_those_who_wait_for_it_too(
    terminal: Terminal, key: str, seconds: float, said: str
) -> None:
    assert re.fullmatch(f"{said}\n0\n", asked(terminal, key, seconds=seconds).outcome().stdout)


def test_where_no_profile_is_named_none_is_shown(terminal: Terminal) -> None:
    asked(terminal, "\x04", profile="").wait()
    assert "\rEnter MFA code for serial: \r" in terminal.transcript.decode()
