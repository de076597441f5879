"""Sign in whatever needs it, one after the other: users with MFA, IAM Identity Center's sessions, aws login's."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from credproc.commands.profile_state import ProfileInspector, profile_names
from credproc.commands.ui.progress import show_now
from credproc.commands.ui.times import format_until
from credproc.errors import ConfigError, CredprocError, PersonNeededError, quoted
from credproc.plan import Plan
from credproc.plan.steps import is_long

Login = Callable[[str], list[str]]  # signs in for a profile, and returns lines with what was done


class SignIn(NamedTuple):
    """What one signs in to, and the profile by which that is done."""

    subject: str  # for a message
    profile: str
    plan: Plan


def login_all(inspector: ProfileInspector, login: Login, min_session_seconds: float) -> tuple[list[str], int]:
    """Sign in to all that needs it; return lines with what was done, and the exit status of what failed, or 0.

    On a terminal the lines are written there, each behind what it is about.

    A session with ``min_session_seconds`` left is not renewed. Raises PersonNeededError if nobody can be asked, and
    SignalError.
    """
    lines: list[str] = []
    status = 0
    wanted = list(sign_ins(inspector))
    for sign_in in wanted:
        lasting = _lasting(sign_in.plan, inspector, min_session_seconds)
        if lasting is not None:
            lines += show_now([f"{sign_in.subject}: {lasting}"])
            continue
        try:
            lines += show_now(login(sign_in.profile))
        except CredprocError as error:
            if isinstance(error, PersonNeededError) and error.kind == "no terminal":
                raise
            status = max(status, error.exit_code)
            hint = f"; {error.hint}" if error.hint else ""
            reason = str(error).removeprefix("login: ")
            said = f"{sign_in.subject}: not signed in with profile {quoted(sign_in.profile)}: {reason}{hint}"
            lines += show_now([said])
    return lines if wanted else ["no profile signs in with MFA, IAM Identity Center or aws login"], status


def sign_ins(inspector: ProfileInspector) -> Iterator[SignIn]:
    """Yield what the profiles sign in to, each once, in the order of the files.

    A role of more than an hour is the last choice: its code is for that role alone.
    """
    found: dict[object, SignIn] = {}
    for name in profile_names(inspector.config):
        try:
            plan = inspector.plan(name)
        except ConfigError:
            continue
        identity = dict(plan.source.identity)
        subject, key = "", object()
        if plan.mfa is not None and plan.source.access_key_id is not None:
            subject = plan.mfa.serial.rpartition(":")[2]
            key = (plan.source.access_key_id, plan.mfa.serial, plan.endpoint.issuer)
        elif plan.source.kind == "IdentityCenter":
            session = identity.get("sso_session") or identity["sso_start_url"]
            subject = f"Identity Center session {session}"
            key = ("IdentityCenter", session)
        elif plan.source.kind == "LoginSession":
            session = plan.source.field("login_session")  # an ARN
            subject = f"aws login of {session.rpartition(':')[2]}"
            key = ("LoginSession", session)
        if subject and (key not in found or (is_long(found[key].plan) and not is_long(plan))):
            found[key] = SignIn(subject, name, plan)
    yield from found.values()


def _lasting(plan: Plan, inspector: ProfileInspector, min_session_seconds: float) -> str | None:
    """Return that the sign-in lasts, in words, or None if it is to be renewed."""
    if plan.mfa is None:  # the files do not say how long it lasts
        return "signed in" if inspector.is_signed_in(plan) and min_session_seconds < float("inf") else None
    session = inspector.session(plan)
    if session is None or session.expiration - inspector.now < min_session_seconds:
        return None
    return f"signed in {format_until(session.expiration, inspector.now)}"
