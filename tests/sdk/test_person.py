"""A code that a person has to type: on the terminal that the SDK was started on, or not at all."""

from tests.mfa import PROMPT
from tests.sdk.world import START, World
from tests.terminal import Terminal

CANCELLED = "credproc: error: ~/.aws/config:5: MFA code: cancelled"
NOBODY = "credproc: error: ~/.aws/config:5: an MFA code is needed, and there is no terminal to ask for it on"
HINT = "credproc: hint: run credproc login --profile admin in a terminal"
NO_TERMINAL_HINT = f"{HINT}, or set credproc_prompt = dialog to be asked in a window"


def test_a_person_at_the_terminal_is_asked_once(with_mfa: World, terminal: Terminal) -> None:
    w = with_mfa
    job = w.on(terminal)
    terminal.expect(f"\r{PROMPT}{w.user.mfa_serial} (profile admin, for ", START)
    assert not terminal.echo
    code = w.user.unused_code()
    terminal.send(f"{code}\n")
    assert w.caller(job.outcome(START)).startswith(w.session())
    assert code.encode() not in terminal.transcript
    asked = terminal.transcript
    assert w.caller(w.on(terminal).outcome(START)).startswith(w.session())
    assert terminal.transcript == asked
    assert [call.action for call in w.sts.calls if call.action != "GetCallerIdentity"] == [
        "GetSessionToken",
        "AssumeRole",
    ]
    issued = w.sts.iam.credentials(w.signers[-1] or "")
    assert issued is not None
    assert issued.mfa_at is None  # a role's session does not tell; the role would not have been given without
    assert w.runs == 2 * w.sdk.starts


def test_a_declined_prompt_is_not_shown_again_however_often_the_helper_is_run(
    with_mfa: World, terminal: Terminal
) -> None:
    w = with_mfa
    job = w.on(terminal)
    terminal.expect(PROMPT, START)
    terminal.send("\x04")
    ended = job.outcome(START)
    assert ended.status != 0
    w.assert_message(ended, f"{CANCELLED}\n{HINT}\n")
    assert CANCELLED in terminal.unseen
    assert PROMPT not in terminal.unseen
    assert w.runs == w.sdk.failing
    assert w.sts.count() == 0


def test_without_a_terminal_it_fails_at_once_and_says_what_to_do(with_mfa: World) -> None:
    w = with_mfa
    w.assert_fails(f"{NOBODY}\n{NO_TERMINAL_HINT}\n")
    assert w.sts.count() == 0
    assert w.helper() == (3, "", f"{NOBODY}\n{NO_TERMINAL_HINT}\n")
