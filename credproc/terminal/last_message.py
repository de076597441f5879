"""The last error that was shown on a terminal: an SDK that runs a failing helper four times shows the error once."""

from credproc import notes, terminal
from credproc.files import PrivateDirectory, digest

_MAX_NAMES = 256  # bounds the number of files; two terminals with one name take turns


def terminal_lock_name() -> str:
    """Return the name of the lock of this process's terminal, and of the terminal's other files."""
    return f"terminal-{terminal.session_id() % _MAX_NAMES:02x}"


def is_new(directory: PrivateDirectory | None, text: str, now: float, group: int) -> bool:
    """Return whether the text differs from the last one shown to this group here; record it as shown.

    ``now`` is in epoch seconds; ``group`` is a number that the runs of one command have in common.
    """
    note = notes.Note(directory, notes.SHOWN, terminal_lock_name())
    shown = {"group": group, "digest": digest(text)}
    last = note.load()
    if last is not None and 0 <= now - last.pop("at") < notes.SHOWN_SECONDS and last == shown:
        return False
    try:
        note.save({**shown, "at": int(now)})
    except OSError:  # then the next run shows it once more
        pass
    return True
