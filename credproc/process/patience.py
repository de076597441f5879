"""How long the program that asks waits for a helper: AWS's SDK for Rust gives up before a prompt closes.

A Rust program has the paths of its crates' sources, with their versions, in its executable, for the messages of panics.
The time is the SDK's own default; a program may set another.
"""

import re
import time

from credproc.errors import DeadlineError
from credproc.process.deadline import within

_RUNTIME = re.compile(rb"/aws-smithy-runtime-1\.([0-9]{1,4})\.([0-9]{1,4})/")
_RUNTIME_START = b"/aws-smithy-runtime-1."
_MAX_LENGTH = 40  # bytes of what matches
_COMPUTED_SINCE = (12, 1)  # since 1.12.1 its identity cache waits for as long as three attempts to reach AWS could take
_FIXED_SECONDS, _COMPUTED_SECONDS = 5.0, 21.6
_MAX_SIZE = 64 << 20  # bytes of the executable that are searched; the texts of a program stand before its debug data
_PART = 1 << 20  # bytes that are read at once
_SEARCH_SECONDS = 0.25  # a cold disk must not hold up the prompt


def patience_of(process: int) -> float | None:
    """Return the seconds after which the program of this process gives up on a helper, or None if that is unknown."""
    try:
        version = within(time.monotonic() + _SEARCH_SECONDS, lambda: _runtime_version(f"/proc/{process}/exe"))
    except (OSError, DeadlineError):  # no /proc (macOS, Windows), or another user's program
        return None
    if version is None:
        return None
    return _COMPUTED_SECONDS if version >= _COMPUTED_SINCE else _FIXED_SECONDS


def _runtime_version(executable: str) -> tuple[int, int] | None:
    """Return N and M of the aws-smithy-runtime 1.N.M that is in the program, or None if none is found."""
    part = b""
    with open(executable, "rb", buffering=0) as file:
        for _ in range(0, _MAX_SIZE, _PART):
            read = file.read(_PART)
            part = part[-_MAX_LENGTH:] + read
            found = _RUNTIME.search(part) if _RUNTIME_START in part else None  # faster
            if found is not None:
                return int(found[1]), int(found[2])
            if not read:
                break
    return None
