"""Whether another user can change a file, or put another one in its place.

One rule for all files that decide what credproc does: they and the directories on the way to them belong to this user
or root, and not everybody may write to them. A group may: where the umask is 002 it is the user's own.
"""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from typing import NamedTuple

_MOVE_HINT = "move it to directories that only you and root can change"
_MAX_LINKS = 40  # as Linux follows (path_resolution(7))


class UntrustedFile(NamedTuple):
    """Why another user can change a file, as a verb phrase for messages, and how to prevent it."""

    reason: str
    hint: str


class UntrustedPlace(NamedTuple):
    """The file, directory or link of a path at which another user can change where it leads; why, and what to do."""

    path: str
    reason: str
    hint: str


def untrusted_file(status: os.stat_result | None, shown: str) -> UntrustedFile | None:
    """Return how another user can change the file, or None if only its user and root can."""
    if sys.platform != "win32" and status is not None:
        if status.st_uid not in (os.geteuid(), 0):
            return UntrustedFile(f"belongs to another user ({status.st_uid})", f"sudo chown $USER {shown}")
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o002 and not stat.S_ISLNK(status.st_mode):  # a link's own mode says nothing
            return UntrustedFile(f"is writable by others (mode {mode:o})", f"chmod go-w {shown}")
    return None


def untrusted_place(path: str, *, sticky: bool = False) -> UntrustedPlace | None:
    """Return where on its way another user can put another file in this one's place, or None.

    A directory such as /tmp, in which nobody removes what is another's, does no harm on the way to a directory. The
    file itself may be in it with ``sticky``: other users can give a file of this user another name there (link(2)),
    which matters for a program and not for data. What is missing is judged by the directory that it is missing in.
    """
    if sys.platform != "win32":
        shared: UntrustedPlace | None = None
        try:
            for part, status in walk(path):
                if shared is not None and not sticky and not stat.S_ISDIR(status.st_mode):
                    return shared
                untrusted = untrusted_file(status, part)
                is_ours = status.st_uid in (os.geteuid(), 0)
                shared = untrusted and UntrustedPlace(part, untrusted.reason, untrusted.hint if is_ours else _MOVE_HINT)
                is_sticky = is_ours and stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
                if shared is not None and not is_sticky:
                    return shared
        except (OSError, ValueError):  # whoever opens it says why, unless another user makes it before
            return shared
    return None


def walk(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield each directory, link and file that the kernel looks at on its way to the end of the path, with its status.

    Raises OSError at what is missing or may not be seen, ValueError if the path contains a NUL character.
    """
    names = (path if path.startswith("/") else f"{os.getcwd()}/{path}").split("/")[::-1]
    here, links = "/", 0
    yield here, os.lstat(here)
    while names:
        name = names.pop()
        if name in ("", ".", ".."):
            here = os.path.dirname(here) if name == ".." else here
            continue
        found = os.path.join(here, name)
        status = os.lstat(found)
        yield found, status
        if not stat.S_ISLNK(status.st_mode):
            here = found
            continue
        links += 1
        if links > _MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        target = os.readlink(found)
        here = "/" if target.startswith("/") else here
        names += target.split("/")[::-1]
