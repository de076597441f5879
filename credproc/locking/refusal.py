"""Share a declined prompt: runs that wait for the same code stop with that error instead of prompting again.

The run whose prompt was declined leaves a note. The note stops every run that started before it, and for ten seconds
each new run of the same command, which is its process group (on Windows the calling program): an SDK that retries at
once is in the group, a new command in a shell is not. An error that says that there is no terminal stops only runs that
have no terminal either; one that says that there is no window either stops none that has a display.
"""

from collections.abc import Callable
from typing import Literal, cast

from credproc import log, notes
from credproc.errors import PersonNeededError
from credproc.files import PrivateDirectory
from credproc.process.caller import retry_group
from credproc.request import Request

_RETRY_SECONDS = 10

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credproc.errors import PersonNeededKind


class SharedRefusal:
    """The last declined prompt for one entry, or for one MFA session."""

    def __init__(self, directory: PrivateDirectory | None, name: str) -> None:
        """Take the name of the entry or session."""
        self._directory = directory
        self._note = notes.Note(directory, notes.REFUSAL, name)

    def publish(self, error: PersonNeededError, request: Request) -> None:
        """Write the error of this request for the runs that wait, if it applies to them too."""
        if _applies_to(error.kind) == "none":
            return
        fields = {
            # An error that was read from a note keeps its time
            "at": request.clock() if error.declined_at is None else error.declined_at,
            "group": retry_group(request.caller),
            "kind": error.kind,
            "message": str(error),
            "hint": error.hint,
        }
        try:
            self._note.save(fields)
        except OSError as failure:
            log.write(self._directory, f"cannot share a declined prompt: {failure}")

    def check(self, request: Request, can_ask: Callable[[], bool]) -> None:
        """Raise PersonNeededError if a declined prompt applies to this request too.

        ``can_ask`` returns whether this process has a terminal of its own.
        """
        note = None if request.is_login else self._note.load()
        if note is None:
            return
        at, kind = note["at"], note["kind"]
        has_waited = request.started_at < at <= request.clock()
        is_retry = note["group"] == retry_group(request.caller) and 0 <= request.clock() - at < _RETRY_SECONDS
        declined = cast("PersonNeededKind", kind)  # an unknown kind, from a damaged file, applies to no run
        applies = False
        match _applies_to(declined):
            case "all":
                applies = has_waited or is_retry
            case "no terminal":
                applies = has_waited and not can_ask()
            case "no display":
                applies = has_waited and not can_ask() and not _has_display(request)
            case "none":
                pass
        if applies:
            error = PersonNeededError(note["message"], note["hint"], declined)
            error.declined_at = at
            raise error


def _applies_to(kind: "PersonNeededKind") -> Literal["all", "no terminal", "no display", "none"]:
    """Return which of the runs that wait for the same code end with the error too."""
    match kind:
        case "cancelled" | "wrong" | "late":
            return "all"
        case "no terminal":
            return "no terminal"
        case "no window":
            return "no display"
        case "withdrawn" | "no time" | "not asked":
            return "none"


def _has_display(request: Request) -> bool:
    from credproc.process.display import has_display  # noqa: PLC0415 - after a declined prompt

    return has_display(request.environ)
