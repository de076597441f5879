"""credproc clear: remove cached credentials; the next caller refreshes."""

import time
from collections.abc import Mapping

from credproc import cache, paths
from credproc.errors import CredprocError, DeadlineError
from credproc.files import PrivateDirectory, open_directory
from credproc.refresh.keep import about_entry
from credproc.refresh.lock import Lock

_PATIENCE = 5  # seconds for a refresh that is under way; it may be waiting for a person


def clear(profile: str | None, environ: Mapping[str, str]) -> str:
    """Remove the entries of a profile, or all (None), in every environment; return what was done, in words."""
    path = paths.cache_directory(environ)
    directory = open_directory(path)
    removed = [] if directory is None else _removed(directory, profile)
    place = paths.shown(path, environ) if path is not None else "the cache"
    if not removed:
        subject = "" if profile is None else f" of profile {profile!a}"
        return f"nothing{subject} was cached in {place}\n"
    return "".join(f"removed: {line}\n" for line in removed)


def _removed(directory: PrivateDirectory, profile: str | None) -> list[str]:
    removed = []
    for name in directory.names():
        if not name.endswith(cache.SUFFIX):
            continue
        entry = cache.load(directory, name)
        about = {} if entry is None else about_entry(entry)
        if profile is not None and about.get("profile") != profile and not _belongs_to_default(about, profile):
            continue
        if _remove(directory, name):
            removed.append(_described(about))
    return removed


def _belongs_to_default(about: dict[str, object], profile: str) -> bool:
    """Whether an entry was made with no profile named, which is what ``default`` means then."""
    return profile == "default" and "profile" in about and about["profile"] is None


def _remove(directory: PrivateDirectory, name: str) -> bool:
    """Remove an entry under its lock, so that no run restamps what was just removed."""
    lock = Lock(directory, name)
    try:
        lock.wait(lambda: None, time.monotonic() + _PATIENCE)
    except DeadlineError as error:
        raise CredprocError(f"clear: {error}", "wait until it has ended, or end that process") from None
    try:
        return directory.remove(name)
    finally:
        lock.close()


def _described(about: dict[str, object]) -> str:
    if not about:
        return "an entry that cannot be read"
    profile = about.get("profile")
    subject = "no profile named" if profile is None else f"profile {profile!a}"
    expiration = about.get("expiration")
    until = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(expiration)) if isinstance(expiration, int) else "?"
    return f"{subject}, credentials that expire at {until}"
