"""A person's no, shared: whoever waits for the same answer ends with it instead of asking again.

Left in a file by the one who asked. It ends every waiter that had started before; and for ten seconds a new run in the
same process group, which is an SDK that tries again at once, while a new command of a shell has a group of its own.
That there was no terminal ends only those who have none either.
"""

import os
from collections.abc import Callable
from typing import Any

from credproc import log
from credproc.errors import PersonNeededError
from credproc.files import PrivateDirectory
from credproc.request import Request

_SUFFIX = ".declined"
_LIMIT = 8192  # bytes
_FORMAT = 1
_REFUSALS = ("cancelled", "wrong", "late")
_NO_TERMINAL = "no terminal"
_AGAIN_SECONDS = 10


class Declined:
    """The last no for one entry, or for one MFA session."""

    def __init__(self, directory: PrivateDirectory | None, name: str) -> None:
        """Take the name of the entry or session."""
        self._directory = directory
        self._name = name + _SUFFIX

    def share(self, error: PersonNeededError, now: float) -> None:
        """Leave the error for those who wait, if it concerns them too; ``now`` in epoch seconds."""
        if self._directory is None or error.kind not in (*_REFUSALS, _NO_TERMINAL):
            return
        import json  # noqa: PLC0415 - a thousand wait for each one that declines

        about = {
            "format": _FORMAT,
            "at": now if error.declined_at is None else error.declined_at,  # one heeded is not made younger by that
            "group": _process_group(),
            "kind": error.kind,
            "message": str(error),
            "hint": error.hint,
        }
        try:
            self._directory.write(self._name, json.dumps(about).encode())
        except OSError as failure:
            log.write(self._directory, f"a refusal is not shared: {failure}")

    def heed(self, request: Request, can_ask: Callable[[], bool]) -> None:
        """Raise PersonNeededError if somebody has declined for this request too.

        ``can_ask`` tells whether this process has a terminal of its own.
        """
        about = None if request.is_login else self._about()
        if about is None:
            return
        at, kind, group = about.get("at"), about.get("kind"), about.get("group")
        message, hint = about.get("message"), about.get("hint")
        if not isinstance(at, (int, float)) or not isinstance(message, str) or not isinstance(kind, str):
            return
        waited = request.started_at < at <= request.clock()
        again = group == _process_group() and 0 <= request.clock() - at < _AGAIN_SECONDS
        concerned = (waited or again) if kind in _REFUSALS else waited and kind == _NO_TERMINAL and not can_ask()
        if concerned:
            error = PersonNeededError(message, hint if isinstance(hint, str) else None, kind)
            error.declined_at = at
            raise error

    def _about(self) -> dict[str, Any] | None:
        data = None if self._directory is None else self._directory.read(self._name, _LIMIT)
        if data is None:
            return None
        import json  # noqa: PLC0415 - a thousand wait for each one that declines

        try:
            about = json.loads(data)
        except (ValueError, RecursionError):
            return None
        return about if isinstance(about, dict) and about.get("format") == _FORMAT else None


def _process_group() -> int:
    return os.getpgrp() if hasattr(os, "getpgrp") else 0
