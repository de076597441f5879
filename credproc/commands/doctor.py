"""credproc doctor: what has gone wrong lately, for those whose SDK has not told them."""

from collections.abc import Mapping

from credproc import log, paths
from credproc.files import open_directory

_LAST = 10  # failures


def doctor(environ: Mapping[str, str]) -> str:
    """Return the last failures, oldest first, in words."""
    path = paths.cache_directory(environ)
    directory = open_directory(path)
    found = log.failures(directory, _LAST)
    place = "the log" if path is None else f"{paths.shown(path, environ)}/{log.NAME}"
    if not found:
        return f"no failures in {place}\n"
    return f"the last failures in {place} (time, process, profile):\n" + "".join(f"  {line}\n" for line in found)
