"""The calls of STS that a plan takes: each row of the table in credproc/README.md, "A sign-in"."""

from typing import NamedTuple

import pytest

from credproc.config.parser import parse
from credproc.errors import ConfigError
from credproc.plan import Plan, plan_for
from credproc.plan.steps import AssumeRole, Circumstances, GetSession, Step, UseSession, steps
from credproc.request import Request

KEYS = """
[user1]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = secret
"""
USER = "[profile user1]\nmfa_serial = arn:aws:iam::123456789012:mfa/user1\n"
ROLE = "arn:aws:iam::123456789012:role/{}"
LONG_TERM = Circumstances(is_source_temporary=False)


def plan(roles: int = 1, seconds: int | None = None, *, mfa: bool = True) -> Plan:
    """Return the plan of so many roles, each of them for so many seconds, behind a user with or without a device."""
    text = USER if mfa else ""
    for number in range(1, roles + 1):
        source = "user1" if number == 1 else f"role{number - 1}"
        text += f"[profile role{number}]\nrole_arn = {ROLE.format(number)}\nsource_profile = {source}\n"
        text += "" if seconds is None else f"duration_seconds = {seconds}\n"
    name = f"role{roles}" if roles else "user1"
    return plan_for(parse(text, KEYS), Request(name, {}, 0.0))


class Row(NamedTuple):
    """A case: the plan, what the circumstances are, and the calls in short."""

    plan: Plan
    circumstances: Circumstances
    calls: list[str]


NO_STORE = LONG_TERM._replace(can_store_session=False)
SIGNED_IN = LONG_TERM._replace(has_session=True)
NOBODY = LONG_TERM._replace(can_ask=False)
TEMPORARY = Circumstances(is_source_temporary=True)
ROWS = {
    "no role": Row(plan(0), LONG_TERM, ["session 43200 code kept"]),
    "no role, signed in": Row(plan(0), SIGNED_IN, ["use session"]),
    "one role": Row(plan(), LONG_TERM, ["session 43200 code kept", "role 1"]),
    "one role, signed in": Row(plan(), SIGNED_IN, ["use session", "role 1"]),
    "one role of an hour": Row(plan(seconds=3600), LONG_TERM, ["session 43200 code kept", "role 1 3600"]),
    "one long role": Row(plan(seconds=3601), LONG_TERM, ["role 1 3601 code"]),
    "one long role, signed in": Row(plan(seconds=43200), SIGNED_IN, ["role 1 43200 code"]),
    "one long role, nobody to ask, signed in": Row(
        plan(seconds=43200), NOBODY._replace(has_session=True), ["use session", "role 1 3600"]
    ),
    "one long role, nobody to ask": Row(plan(seconds=43200), NOBODY, ["role 1 43200 code"]),
    "two roles": Row(plan(2), LONG_TERM, ["session 43200 code kept", "role 1", "role 2"]),
    "two long roles": Row(plan(2, 43200), LONG_TERM, ["session 43200 code kept", "role 1 3600", "role 2 3600"]),
    "no store, one role": Row(plan(), NO_STORE, ["role 1 code"]),
    "no store, two long roles": Row(plan(2, 43200), NO_STORE, ["role 1 43200 code", "role 2 3600"]),
    "no store, no role": Row(plan(0), NO_STORE, ["session 43200 code"]),
    "no device, no role": Row(plan(0, mfa=False), LONG_TERM, ["session 43200"]),
    "no device, a long role": Row(plan(seconds=43200, mfa=False), LONG_TERM, ["role 1 43200"]),
    "no device, two long roles": Row(plan(2, 43200, mfa=False), LONG_TERM, ["role 1 43200", "role 2 3600"]),
    "temporary keys": Row(plan(0), TEMPORARY, []),
    "temporary keys, one long role": Row(plan(seconds=43200), TEMPORARY, ["role 1 3600"]),
    "temporary keys, two roles": Row(plan(2), TEMPORARY, ["role 1", "role 2"]),
}


def said(step: Step) -> str:
    """Return a step in short."""
    if isinstance(step, UseSession):
        return "use session"
    code = " code" if step.with_code else ""
    if isinstance(step, GetSession):
        return f"session {step.duration_seconds}{code}{' kept' if step.is_shared else ''}"
    seconds = "" if step.duration_seconds is None else f" {step.duration_seconds}"
    return f"role {step.role.role_arn.rpartition('/')[2]}{seconds}{code}"


@pytest.mark.parametrize("name", ROWS)
def test_a_plan_takes_the_calls_of_its_row(name: str) -> None:
    row = ROWS[name]
    assert [said(step) for step in steps(row.plan, row.circumstances)] == row.calls


def test_temporary_keys_cannot_use_a_device_that_a_role_names() -> None:
    found = plan()
    assert found.mfa is not None
    on_role = found._replace(mfa=found.mfa._replace(on_role=True))
    with pytest.raises(ConfigError, match="temporary"):
        steps(on_role, TEMPORARY)


@pytest.mark.parametrize("name", ROWS)
def test_one_step_at_the_most_carries_the_code_and_it_is_the_first(name: str) -> None:
    row = ROWS[name]
    found = steps(row.plan, row.circumstances)
    with_code = [
        number for number, step in enumerate(found) if isinstance(step, GetSession | AssumeRole) and step.with_code
    ]
    assert with_code in ([], [0])
