"""An SDK for Windows that knows nothing of credproc gets its credentials through one line of the config file."""

from pathlib import PureWindowsPath

from tests.sdk.sdks import Sdk
from tests.sts import Trust
from tests.windows.world import ADMIN, PROMPT, START, World
from tests.windows_console import NO_WINDOW, windows_path

NOBODY = "an MFA code is needed, and its console has no window"
DENIED = f"{ADMIN}: AssumeRole: AccessDenied: "


def test_the_first_call_is_signed_with_the_role_and_a_second_costs_no_call_of_sts(w: World, sdk: Sdk) -> None:
    for _ in range(2):
        w.assert_caller(w.start(*sdk.command).outcome(START))
    assert w.helped == ["AssumeRole"]
    assert len(set(w.signers)) == 1


def test_ten_processes_at_once_cost_one_call_of_sts(w: World, sdk: Sdk) -> None:
    for job in [w.start(*sdk.command) for _ in range(10)]:
        w.assert_caller(job.outcome(2 * START))
    assert w.helped == ["AssumeRole"]
    assert (len(w.signers), len(set(w.signers))) == (10, 1)


def test_a_person_at_the_console_is_asked_once(with_mfa: World, sdk: Sdk) -> None:
    w = with_mfa
    job = w.asked(*sdk.command)
    code = w.type_code()
    w.assert_caller(job.outcome(START))
    w.assert_caller(w.start(*sdk.command).outcome(START))
    screen = w.console.screen()
    assert code not in screen
    assert screen.count(PROMPT) == 1
    assert w.helped == ["GetSessionToken", "AssumeRole"]


def test_without_a_console_it_fails_at_once_and_says_what_to_do(with_mfa: World, sdk: Sdk) -> None:
    w = with_mfa
    ended = w.start(*sdk.command, flags=NO_WINDOW).outcome(START)
    w.assert_message(sdk, ended, NOBODY)
    assert w.sts.calls == []


def test_a_role_that_is_denied_ends_the_sdk_with_the_reason(w: World, sdk: Sdk) -> None:
    w.sts.role(ADMIN, Trust(("nobody",)))
    w.assert_message(sdk, w.start(*sdk.command).outcome(START), DENIED)


def test_a_helper_with_a_space_in_its_path_is_quoted_where_the_sdk_lets_it_be(w: World, sdk: Sdk) -> None:
    place = w.home.path / "a place"
    there = PureWindowsPath(w.helper)
    place.symlink_to(there.parent.as_posix().removeprefix("Z:"))
    w.write(helper=f'"{windows_path(place / there.name)}"')
    ended = w.start(*sdk.command).outcome(START)
    if sdk.quotes:
        w.assert_caller(ended)
    else:
        assert ended.status != 0
        assert w.signers == []
