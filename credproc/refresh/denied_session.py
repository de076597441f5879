"""An MFA session that AWS has denied a role: what to do if it was too old, and that ``explain`` can say so later.

A trust policy may limit the age of the MFA (``aws:MultiFactorAuthAge``). AWS does not tell that from other reasons.
"""

from credproc import notes
from credproc.errors import ServiceError, for_shell
from credproc.files import PrivateDirectory, digest
from credproc.plan import Plan
from credproc.request import Request

_OLD = 300  # seconds; no trust policy that limits the age of the MFA sets a lower limit
ADVICE = "credproc_session_store = none in the role's profile asks for a code each time"


class DeniedSession:
    """The last denial of a plan's roles to an MFA session that was not new."""

    def __init__(self, directory: PrivateDirectory | None, plan: Plan) -> None:
        """Take credproc's directory, and the plan with its MFA device and roles."""
        serial = "" if plan.mfa is None else plan.mfa.serial
        name = digest("\0".join((serial, *(role.role_arn for role in plan.roles))))
        self._note = notes.Note(directory, notes.DENIED_SESSION, name)

    def explain(self, error: ServiceError, issued: float, request: Request) -> None:
        """Add the session's age to the hint of AWS's error, and note it, if the age can be the reason.

        ``issued`` is in epoch seconds.
        """
        now = request.clock()
        age = now - issued
        if error.code != "AccessDenied" or age <= _OLD:
            return
        option = "" if request.profile is None else f" --profile {for_shell(request.profile[:80])}"
        error.hint = (
            f"{error.hint}; the MFA session is {age / 60:.0f} minutes old, and the trust policy of the role may require"
            f" a newer one: run credproc login --renew{option}; {ADVICE}"
        )
        try:
            self._note.save({"at": now, "age": int(age)})
        except OSError:  # then explain does not say it
            pass

    def age(self, now: float) -> int | None:
        """Return how old the session was, in seconds, if that is less than half a day ago at ``now``, else None."""
        found = self._note.load()
        is_recent = found is not None and 0 <= now - found["at"] < notes.DENIED_SESSION_SECONDS
        return found["age"] if found is not None and is_recent else None
