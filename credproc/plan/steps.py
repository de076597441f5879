"""Which calls of STS a plan takes, in order, and which of them carries the MFA code. Pure, as the plan is.

One code buys one GetSessionToken session, which every role behind the user shares (STS API reference, GetSessionToken).
Two things make AssumeRole carry the code itself: a role for more than an hour, because STS caps the roles of a session
at one hour, and a machine on which no session can be kept.

``refresh/execute.py`` makes these calls; ``explain``, ``list`` and ``login`` show the very same ones.
"""

from typing import NamedTuple

from credproc.errors import ConfigError
from credproc.plan import Plan
from credproc.plan.mfa import Mfa
from credproc.plan.role import CHAINED_DURATION_LIMIT, Role


class Circumstances(NamedTuple):
    """What the calls depend on besides the plan."""

    is_source_temporary: bool  # whether the source's credentials have a session token
    has_session: bool = False  # whether a store holds an MFA session that the plan can use
    can_keep_session: bool = True  # whether a store would take one
    can_ask: bool = True  # whether a person, or the profile's mfa_process, can give a code


class UseSession(NamedTuple):
    """Use the MFA session that a store holds."""


class GetSession(NamedTuple):
    """Call GetSessionToken with the source's long-term keys."""

    duration_seconds: int
    with_code: bool = False
    is_kept: bool = False  # whether it is put into the store, for every role behind these keys


class AssumeRole(NamedTuple):
    """Call AssumeRole with the credentials of the step before, or of the source."""

    role: Role
    duration_seconds: int | None  # what is sent; None: nothing, and STS gives one hour
    with_code: bool = False


Step = UseSession | GetSession | AssumeRole


def steps(plan: Plan, circumstances: Circumstances) -> tuple[Step, ...]:
    """Return the calls that lead from the source's credentials to the plan's; none where these are the source's own.

    Raises ConfigError if an MFA device is set on a role, and the source's credentials are temporary.
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
    if plan.roles and not circumstances.can_keep_session:
        return _with_code(plan.roles)
    session = GetSession(plan.session_seconds, with_code=True, is_kept=circumstances.can_keep_session)
    return (session, *_assume(plan.roles, is_chained=True))


def usable_device(plan: Plan, *, is_source_temporary: bool) -> Mfa | None:
    """Return the plan's MFA device, or None where there is none or it belongs to keys that the source did not give.

    Raises ConfigError if it is set on a role: the role asks for a code that temporary credentials cannot send.
    """
    device = plan.mfa
    if device is not None and is_source_temporary and device.on_role:
        raise ConfigError(
            f"{device.where}: mfa_serial, but the source's credentials are temporary, and those cannot use an MFA"
            " device",
            "remove mfa_serial, or let source_profile name the user whose device it is",
        )
    return None if is_source_temporary else device


def is_long(plan: Plan) -> bool:
    """Return whether the plan is one role for more than an hour, which STS gives for a code of its own alone."""
    return len(plan.roles) == 1 and (plan.roles[0].duration_seconds or 0) > CHAINED_DURATION_LIMIT


def _with_code(roles: tuple[Role, ...]) -> tuple[Step, ...]:
    first, *rest = roles
    return (AssumeRole(first, first.duration_seconds, with_code=True), *_assume(tuple(rest), is_chained=True))


def _assume(roles: tuple[Role, ...], *, is_chained: bool) -> tuple[Step, ...]:
    """Return the calls; ``is_chained``: the first one is made with temporary credentials, as all others are."""
    return tuple(
        AssumeRole(role, _capped(role.duration_seconds) if is_chained or number else role.duration_seconds)
        for number, role in enumerate(roles)
    )


def _capped(seconds: int | None) -> int | None:
    return None if seconds is None else min(seconds, CHAINED_DURATION_LIMIT)
