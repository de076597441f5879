"""Which files are credproc's own: whole names of these forms, private and of this user.

Whatever lists its directory asks here, so that nothing else in it is ever shown as credproc's or removed.
"""

import os
import re
from typing import NamedTuple

from credproc import cache, log, notes
from credproc.files import TEMPORARY, PrivateDirectory, is_private

TRIAL = "doctor-"  # what the name of a file begins with that ``credproc doctor`` removes at once
# As docs/security.md, "What is stored where", writes them
FORMS = (
    f"HASH{cache.SUFFIX}",
    "HASH.credentials",
    *(kind.file for kind in notes.KINDS),
    "….lock",
    log.NAME,
    f"{TRIAL}RANDOM",
    f"{TRIAL}RANDOM.credentials",
)
_HASH = "[0-9a-f]{32}"
_PARTS = {
    "HASH": _HASH,
    "NN": "[0-9a-f]{2}",
    "RANDOM": "[0-9a-f]{16}",
    "…": rf"(?:(?:[a-z]+-)?{_HASH}(?:\{cache.SUFFIX})?|terminal-[0-9a-f]{{2}}(?:\.notice)?|window)",
}
_BEING_WRITTEN = rf"(?:\.(?P<writer>[0-9]{{1,10}})-[0-9a-f]{{8}}{re.escape(TEMPORARY)})?"


def _pattern(form: str) -> str:
    return re.sub("|".join(_PARTS), lambda part: _PARTS[part[0]], re.escape(form))


_NAME = re.compile(f"(?:{'|'.join(map(_pattern, FORMS))}){_BEING_WRITTEN}")
_SESSION_NAME = re.compile(_HASH)


class OwnFile(NamedTuple):
    """One file of credproc's own."""

    name: str
    status: os.stat_result
    writer: int | None  # the process that is writing it, if it is a temporary file


def own_file(directory: PrivateDirectory, name: str) -> OwnFile | None:
    """Return the file with this name, or None if it is missing or is not credproc's own."""
    found = _NAME.fullmatch(name)
    status = None if found is None else directory.status(name)
    if found is None or status is None or not is_private(status):
        return None
    return OwnFile(name, status, None if found["writer"] is None else int(found["writer"]))


def own_names(directory: PrivateDirectory, suffix: str) -> list[str]:
    """Return the sorted names of credproc's own files that end with ``suffix``. Raises OSError."""
    return [name for name in directory.names() if name.endswith(suffix) and own_file(directory, name) is not None]


def is_own_name(name: str) -> bool:
    """Return whether a file of credproc's own can have this name."""
    return _NAME.fullmatch(name) is not None


def is_session_name(name: str) -> bool:
    """Return whether an MFA session can have this name in a store."""
    return _SESSION_NAME.fullmatch(name) is not None
