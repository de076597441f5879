"""Decide which STS calls a plan takes, in order, and which of them carries the MFA code.

One code gets one GetSessionToken session, which all roles of the user share (STS API reference, GetSessionToken). Two
things make AssumeRole carry the code itself: a role for more than an hour, because STS limits a role that is assumed
with a session to one hour, and a machine that cannot store a session.

``refresh/execute.py`` makes these calls; ``explain``, ``list`` and ``login`` show the same ones.
"""

from typing import NamedTuple

from credproc.errors import ConfigError
from credproc.plan import Plan
from credproc.plan.mfa import Mfa
from credproc.plan.role import CHAINED_DURATION_LIMIT, Role


class Circumstances(NamedTuple):
    """What the calls depend on, besides the plan."""

    is_source_temporary: bool  # whether the source's credentials have a session token
    has_session: bool = False  # whether a store holds an MFA session that the plan can use
    can_store_session: bool = True  # whether the store can be used
    can_ask: bool = True  # whether the user or the profile's mfa_process can provide a code


class UseSession(NamedTuple):
    """Use the MFA session that a store holds."""


class GetSession(NamedTuple):
    """Call GetSessionToken with the source's long-term keys."""

    duration_seconds: int
    with_code: bool = False
    is_shared: bool = False  # whether it is stored for all roles of the user


class AssumeRole(NamedTuple):
    """Call AssumeRole with the credentials of the previous step, or of the source."""

    role: Role
    duration_seconds: int | None  # None is not sent, and STS takes one hour
    with_code: bool = False


Step = UseSession | GetSession | AssumeRole


def steps(plan: Plan, circumstances: Circumstances) -> tuple[Step, ...]:
    """Return the calls that get the plan's credentials from the source's; none if the source's are the result.

    Raises ConfigError if a role names an MFA device and the source's credentials are temporary.
    """
    device = usable_device(plan, is_source_temporary=circumstances.is_source_temporary)
    if device is None:
        if not plan.roles and not circumstances.is_source_temporary:
            return (GetSession(plan.session_seconds),)
        return _assume(plan.roles, is_chained=circumstances.is_source_temporary)
    if is_long(plan) and (circumstances.can_ask or not circumstances.has_session):
        return _with_code(plan.roles)
    if circumstances.has_session:
        return (UseSession(), *_assume(plan.roles, is_chained=True))
    if plan.roles and not circumstances.can_store_session:
        return _with_code(plan.roles)
    session = GetSession(plan.session_seconds, with_code=True, is_shared=circumstances.can_store_session)
    return (session, *_assume(plan.roles, is_chained=True))


def usable_device(plan: Plan, *, is_source_temporary: bool) -> Mfa | None:
    """Return the plan's MFA device, or None without one or if the source's credentials are temporary.

    Raises ConfigError if a role names the device then: temporary credentials cannot send the code that the role needs.
    """
    device = plan.mfa
    if device is not None and is_source_temporary and device.on_role:
        raise ConfigError(
            f"{device.where}: mfa_serial is set, but the source's credentials are temporary, and those cannot be used"
            " with an MFA device",
            "remove mfa_serial, or let source_profile name the profile with the keys of the device's user",
        )
    return None if is_source_temporary else device


def is_long(plan: Plan) -> bool:
    """Return whether the plan is one role for more than an hour, for which AssumeRole must carry the code."""
    return len(plan.roles) == 1 and (plan.roles[0].duration_seconds or 0) > CHAINED_DURATION_LIMIT


def _with_code(roles: tuple[Role, ...]) -> tuple[Step, ...]:
    first, *rest = roles
    return (AssumeRole(first, first.duration_seconds, with_code=True), *_assume(tuple(rest), is_chained=True))


def _assume(roles: tuple[Role, ...], *, is_chained: bool) -> tuple[Step, ...]:
    """Return one call a role; ``is_chained`` says that the first, too, is made with temporary credentials."""
    return tuple(
        AssumeRole(role, _capped(role.duration_seconds) if is_chained or number else role.duration_seconds)
        for number, role in enumerate(roles)
    )


def _capped(seconds: int | None) -> int | None:
    return None if seconds is None else min(seconds, CHAINED_DURATION_LIMIT)
