"""Which message a terminal has shown last: an SDK that runs a failing helper four times shows it once."""

import os

from credproc import notes, terminal
from credproc.files import PrivateDirectory, digest

_TERMINALS = 256  # names, so that their number is bounded; two terminals of one name take turns


def terminal_name() -> str:
    """Return the name that this process's terminal has among the files."""
    return f"terminal-{terminal.session_number() % _TERMINALS:02x}"


def is_new(directory: PrivateDirectory | None, text: str, now: float) -> bool:
    """Return whether this text was not shown here just now, to the same process group, and note it as shown.

    ``now`` is in epoch seconds. A new command of a shell has a process group of its own.
    """
    note = notes.Note(directory, notes.SHOWN, terminal_name())
    shown = {"group": os.getpgrp() if hasattr(os, "getpgrp") else 0, "digest": digest(text)}
    last = note.load()
    if last is not None and 0 <= now - last.pop("at") < notes.SHOWN_SECONDS and last == shown:
        return False
    try:
        note.save({**shown, "at": int(now)})
    except OSError:  # then it is shown once more
        pass
    return True
