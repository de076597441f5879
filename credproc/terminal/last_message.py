"""Which failure a terminal has shown last: an SDK that runs a failing helper four times makes one screen of it."""

import os

from credproc import terminal
from credproc.files import PrivateDirectory, digest

_SUFFIX = ".shown"
_LIMIT = 200  # bytes
_TERMINALS = 256  # names, so that their number is bounded; two terminals of one name take turns
_AGAIN_SECONDS = 10  # from the same process group; a new command of a shell has one of its own


def terminal_name() -> str:
    """Return the name that this process's terminal has among the files."""
    return f"terminal-{terminal.session_number() % _TERMINALS:02x}"


def is_news(directory: PrivateDirectory | None, text: str, now: float) -> bool:
    """Whether this text was not shown here just now, to the same process group; it is noted as shown at ``now``."""
    if directory is None:
        return True
    name = terminal_name() + _SUFFIX
    group = os.getpgrp() if hasattr(os, "getpgrp") else 0
    mark = f"{group} {digest(text)}"
    last, _, at = (directory.read(name, _LIMIT) or b"").decode("ascii", "replace").strip().rpartition(" ")
    if last == mark and at.isdigit() and 0 <= now - int(at) < _AGAIN_SECONDS:
        return False
    try:
        directory.write(name, f"{mark} {int(now)}\n".encode("ascii"))
    except OSError:  # then it is shown once more
        pass
    return True
