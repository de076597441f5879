"""The cache: credential documents in files. A hit reads one file and compares a few values; all else is a miss.

An entry is one file with three lines:

1. a digest of the rest of the file, then format, name, served from, served until (epoch seconds), fingerprint;
2. the document exactly as it is printed;
3. JSON that a refresh compares: profile, plan, issued and expiration (epoch seconds).

An entry that is unreadable, damaged, of another user, of another format or for another request is a miss, and the next
refresh replaces it. The cache only saves time: if storing fails, the caller still gets the credentials.
"""

import os

from credproc import paths
from credproc.files import digest, open_directory

TYPE_CHECKING = False  # typing itself would cost a hit more than all of credproc
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credproc.files import PrivateDirectory

SUFFIX = ".entry"
LIMIT = 64 * 1024  # bytes; a document is below 8 KiB, and the compared JSON grows with the number of roles
CLOCK_SLACK = 300  # seconds that the clock may have been ahead when the entry was written
_FORMAT = b"credproc-1"
_HEADER_LIMIT = 1024  # bytes; int raises for numbers of thousands of digits
_UNSURE_NS = 2_000_000_000  # the coarsest time stamps of a file system (FAT), within which a later edit is not visible
UNSURE = "unsure"

# What chooses the result, besides the two files: credproc/README.md, "A hit". No secret and no token is among them.
VARIABLES = (
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_ACCESS_KEY_ID",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


def profile_named(profile: "str | None", environ: "Mapping[str, str]") -> "str | None":
    """Return the requested profile: the given one, else AWS_PROFILE, else AWS_DEFAULT_PROFILE, else None.

    The name is decoded as UTF-8, as the AWS files are, whatever the locale by which Python has decoded it.
    """
    name = profile or environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or None
    if name is None or name.isascii():
        return name
    try:
        return os.fsencode(name).decode()
    except UnicodeError:
        return name


def entry_name(profile: "str | None", environ: "Mapping[str, str]") -> str:
    """Return the file name of the entry for a profile (None: no profile is named) in this environment."""
    parts = [profile, paths.config_file(environ), paths.credentials_file(environ)]
    parts.extend(environ.get(variable) for variable in VARIABLES)
    # NUL cannot occur in a variable or an argument; a missing variable differs from an empty one
    key = "\0".join("-" if part is None else "=" + part for part in parts)
    return digest(key, person=_FORMAT) + SUFFIX


def fingerprint(environ: "Mapping[str, str]", now: float) -> str:
    """Return time stamps, size and inode of the two AWS files as a string; call this before the files are read.

    A file that changed less than two seconds before ``now`` (epoch seconds) can change again with the same time stamps
    (git's "racy" rule); then the result is one that ``fresh`` never accepts.
    """
    parts = []
    for path in (paths.config_file(environ), paths.credentials_file(environ)):
        try:
            status = os.stat(path) if path else None
        except (OSError, ValueError):  # a NUL byte is in no path
            status = None
        if status is None:
            parts.append("-")
            continue
        if min(abs(now * 1e9 - status.st_mtime_ns), abs(now * 1e9 - status.st_ctime_ns)) < _UNSURE_NS:
            return UNSURE
        parts.append(f"{status.st_mtime_ns}.{status.st_ctime_ns}.{status.st_size}.{status.st_ino}")
    return ",".join(parts)


def hit(profile: "str | None", environ: "Mapping[str, str]", now: float) -> "bytes | None":
    """Return the document of the profile (None: none is named) at ``now`` (epoch seconds), or None on a miss."""
    directory = open_directory(paths.cache_directory(environ))
    if directory is None:
        return None
    document = fresh(directory, entry_name(profile, environ), environ, now)
    directory.close()
    return document


def fresh(directory: "PrivateDirectory", name: str, environ: "Mapping[str, str]", now: float) -> "bytes | None":
    """Return the entry's document if it may be served at ``now`` and the AWS files have not changed; else None."""
    entry = load(directory, name)
    if entry is None or not entry.served_from <= now < entry.served_until:
        return None
    if entry.fingerprint == UNSURE or entry.fingerprint != fingerprint(environ, now):
        return None
    return entry.document


class Entry:
    """A document, the times between which it is served, and the JSON that a refresh compares."""

    __slots__ = ("compared", "document", "fingerprint", "served_from", "served_until")

    def __init__(
        self, *, served_from: int, served_until: int, fingerprint: str, document: bytes, compared: bytes
    ) -> None:
        """Store times in epoch seconds, the document with its newline, and the compared JSON, one line without one."""
        self.served_from = served_from
        self.served_until = served_until
        self.fingerprint = fingerprint
        self.document = document
        self.compared = compared


def load(directory: "PrivateDirectory", name: str) -> "Entry | None":
    """Return the entry in the file ``name``, whatever its age; None if it is missing or damaged."""
    data = directory.read(name, LIMIT)
    if data is None or data[:33] != _digest(data[33:]):
        return None
    lines = data[33:].split(b"\n")
    fields = lines[0].split(b" ")
    if len(lines) != 4 or len(fields) != 5 or fields[0] != _FORMAT or fields[1] != name.encode():
        return None
    if not (fields[2].isdigit() and fields[3].isdigit()) or len(lines[0]) > _HEADER_LIMIT:
        return None
    return Entry(
        served_from=int(fields[2]),
        served_until=int(fields[3]),
        fingerprint=fields[4].decode("latin-1"),  # any bytes: it is only compared
        document=lines[1] + b"\n",
        compared=lines[2],
    )


def store(directory: "PrivateDirectory", name: str, entry: Entry) -> None:
    """Write the entry. Raises OSError if that fails; then the old entry is unchanged."""
    header = b"%s %s %d %d %s\n" % (
        _FORMAT,
        name.encode(),
        entry.served_from,
        entry.served_until,
        entry.fingerprint.encode(),
    )
    rest = header + entry.document + entry.compared + b"\n"
    if len(rest) + 33 > LIMIT:
        raise OSError(f"entry of {len(rest)} bytes is over the limit of {LIMIT}")
    directory.write(name, _digest(rest) + rest)


def _digest(data: bytes) -> bytes:
    return digest(data).encode() + b" "
