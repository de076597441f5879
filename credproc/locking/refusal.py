"""Share a declined prompt: runs that wait for the same code stop with that error instead of prompting again.

The run that was declined leaves a note. It stops every run that started before it; and for ten seconds a new run in
the same process group, which is an SDK that tries again at once, while a new command of a shell has a group of its own.
An error that says that there is no terminal stops only runs that have none either.
"""

import os
from collections.abc import Callable
from typing import Literal, cast

from credproc import log, notes
from credproc.errors import PersonNeededError
from credproc.files import PrivateDirectory
from credproc.request import Request

_AGAIN_SECONDS = 10

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credproc.errors import PersonNeededKind


class SharedRefusal:
    """The last declined prompt for one entry, or for one MFA session."""

    def __init__(self, directory: PrivateDirectory | None, name: str) -> None:
        """Take the name of the entry or session."""
        self._directory = directory
        self._note = notes.Note(directory, notes.REFUSAL, name)

    def publish(self, error: PersonNeededError, now: float) -> None:
        """Leave the error to the runs that wait, if it concerns them too; ``now`` in epoch seconds."""
        if _concerned(error.kind) == "nobody":
            return
        fields = {
            "at": now if error.declined_at is None else error.declined_at,  # passing it on makes it no younger
            "group": _process_group(),
            "kind": error.kind,
            "message": str(error),
            "hint": error.hint,
        }
        try:
            self._note.save(fields)
        except OSError as failure:
            log.write(self._directory, f"a declined prompt is not shared: {failure}")

    def check(self, request: Request, can_ask: Callable[[], bool]) -> None:
        """Raise PersonNeededError if a prompt was declined for this request too.

        ``can_ask`` tells whether this process has a terminal of its own.
        """
        note = None if request.is_login else self._note.load()
        if note is None:
            return
        at, kind = note["at"], note["kind"]
        waited = request.started_at < at <= request.clock()
        again = note["group"] == _process_group() and 0 <= request.clock() - at < _AGAIN_SECONDS
        known = cast("PersonNeededKind", kind)  # of another one, which a damaged file may name, nobody is concerned
        others = _concerned(known)
        if (waited or again) if others == "all" else others == "no terminal" and waited and not can_ask():
            error = PersonNeededError(note["message"], note["hint"], known)
            error.declined_at = at
            raise error


def _concerned(kind: "PersonNeededKind") -> Literal["all", "no terminal", "nobody"]:
    """Return which of the runs that wait for the same code end with the error too."""
    match kind:
        case "cancelled" | "wrong" | "late":
            return "all"
        case "no terminal":
            return "no terminal"
        case "withdrawn" | "no time" | "not asked":
            return "nobody"


def _process_group() -> int:
    return os.getpgrp() if hasattr(os, "getpgrp") else 0
