"""A helper that fails: the SDK ends with an error, without half a document, and where it can it says why."""

import pytest

from tests.sdk.world import START, World
from tests.sts import Trust
from tests.terminal import Terminal

DENIED = "credproc: error: arn:aws:iam::123456789012:role/admin: AssumeRole: AccessDenied: "


@pytest.fixture(name="denied")
def _denied(w: World) -> World:
    w.role(trust=Trust(("nobody",)))
    return w


def test_a_role_that_is_denied_ends_the_sdk_with_the_reason(denied: World) -> None:
    denied.assert_fails(DENIED)
    helper = denied.helper()
    assert (helper.status, helper.stdout) == (1, "")
    assert helper.stderr.startswith(DENIED)
    assert "\ncredproc: hint: " in helper.stderr


def test_on_a_terminal_the_reason_is_seen_once_unless_the_sdk_swallows_it(denied: World, terminal: Terminal) -> None:
    job = terminal.start(denied.argv, denied.home.environ, stdout="pipe")
    assert job.wait(START) != 0
    said = " ".join(terminal.transcript.decode().split())  # lines are broken there, for its width
    assert said.count(DENIED) == (0 if denied.sdk.message == "lost" else 1)
