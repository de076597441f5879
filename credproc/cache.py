"""Documents in files: a hit is one read and a few comparisons, anything else is a miss.

An entry is one file with three lines:

1. a digest of all that follows it, then format, name, served from, served until (epoch seconds), fingerprint;
2. the document as it is to be printed;
3. JSON for a refresh to compare: profile, plan, issued and expiration (epoch seconds).

Unreadable, damaged, foreign, of another version or about something else: each is a miss, and the next refresh writes
the entry anew. Storing can only save time: where it fails the caller still has the credentials.
"""

import os

from credproc import paths
from credproc.files import digest, open_directory

TYPE_CHECKING = False  # typing itself would cost a hit more than all of credproc
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credproc.files import PrivateDirectory

SUFFIX = ".entry"
LIMIT = 64 * 1024  # bytes; a document is below 8 KiB and what is compared grows with the chain
CLOCK_SLACK = 300  # seconds by which the clock may have been ahead when the entry was written
_FORMAT = b"credproc-1"
_HEADER_LIMIT = 1024  # bytes; int refuses numbers of thousands of digits
_UNSURE_NS = 2_000_000_000  # coarsest time stamps of a file system (FAT); a later edit could look the same
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
    """Return the profile that is asked for: the given one, else AWS_PROFILE, else AWS_DEFAULT_PROFILE, else None.

    The files are UTF-8 whatever the locale is by which Python has decoded the name.
    """
    name = profile or environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or None
    if name is None or name.isascii():
        return name
    try:
        return os.fsencode(name).decode()
    except UnicodeError:
        return name


def entry_name(profile: "str | None", environ: "Mapping[str, str]") -> str:
    """Return the name of the entry's file for a profile (None: none is named) in this environment."""
    parts = [profile, paths.config_file(environ), paths.credentials_file(environ)]
    parts.extend(environ.get(variable) for variable in VARIABLES)
    # NUL cannot occur in a variable or an argument, and a missing one differs from an empty one
    key = "\0".join("-" if part is None else "=" + part for part in parts)
    return digest(key, person=_FORMAT) + SUFFIX


def fingerprint(environ: "Mapping[str, str]", now: float) -> str:
    """Return what the two AWS files look like from outside, to be taken before they are read.

    A file that changed less than two seconds before ``now`` (epoch seconds) may change again without a trace in its
    times (git's "racy" rule): then the answer matches no other.
    """
    seen = []
    for path in (paths.config_file(environ), paths.credentials_file(environ)):
        try:
            status = os.stat(path) if path else None
        except (OSError, ValueError):  # a NUL byte is in no path
            status = None
        if status is None:
            seen.append("-")
            continue
        if min(abs(now * 1e9 - status.st_mtime_ns), abs(now * 1e9 - status.st_ctime_ns)) < _UNSURE_NS:
            return UNSURE
        seen.append(f"{status.st_mtime_ns}.{status.st_ctime_ns}.{status.st_size}.{status.st_ino}")
    return ",".join(seen)


def hit(profile: "str | None", environ: "Mapping[str, str]", now: float) -> "bytes | None":
    """Return the document to print for the profile (None: none is named) at ``now`` (epoch seconds), or None."""
    directory = open_directory(paths.cache_directory(environ))
    if directory is None:
        return None
    document = fresh(directory, entry_name(profile, environ), environ, now)
    directory.close()
    return document


def fresh(directory: "PrivateDirectory", name: str, environ: "Mapping[str, str]", now: float) -> "bytes | None":
    """Return the entry's document if it may be served at ``now`` and the AWS files are the ones it was made from."""
    entry = load(directory, name)
    if entry is None or not entry.served_from <= now < entry.served_until:
        return None
    if entry.fingerprint == UNSURE or entry.fingerprint != fingerprint(environ, now):
        return None
    return entry.document


class Entry:
    """One document with the times between which it is served and the text that a refresh compares."""

    __slots__ = ("compared", "document", "fingerprint", "served_from", "served_until")

    def __init__(
        self, *, served_from: int, served_until: int, fingerprint: str, document: bytes, compared: bytes
    ) -> None:
        """Take times in epoch seconds, the document with its newline, and what is compared, one line of JSON."""
        self.served_from = served_from
        self.served_until = served_until
        self.fingerprint = fingerprint
        self.document = document
        self.compared = compared


def load(directory: "PrivateDirectory", name: str) -> "Entry | None":
    """Return the entry in the file ``name``, whatever its age, or None where there is none that is whole."""
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
        fingerprint=fields[4].decode("latin-1"),  # whatever it is, it is only compared
        document=lines[1] + b"\n",
        compared=lines[2],
    )


def store(directory: "PrivateDirectory", name: str, entry: Entry) -> None:
    """Write the entry; raises OSError if that fails, and then the old one stands."""
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
