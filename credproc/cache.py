"""The cache: credential documents in files. A hit reads one file and compares a few values; all else is a miss.

An entry is one file with three lines:

1. a digest of the rest of the file, then format, name, served from, served until (epoch seconds), fingerprint, and what
   else the document depends on (dependencies.py), if anything;
2. the document exactly as it is printed;
3. JSON that a refresh compares: profile, plan, identity, issued and expiration (epoch seconds).

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
_FORMAT = b"credproc-2"
_HEADER_LIMIT = 4096  # bytes; int raises for numbers of thousands of digits
UNSURE = paths.UNSURE

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
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_EC2_METADATA_V1_DISABLED",
    "AWS_IMDS_USE_IPV6",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_ENDPOINT_URL_SSO_OIDC",
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
    """Return the states of the two AWS files at ``now`` (epoch seconds); call this before the files are read.

    Where one of them can change again without a trace, the result is UNSURE, which ``fresh`` never accepts.
    """
    config = paths.file_state(paths.config_file(environ), now)
    credentials = paths.file_state(paths.credentials_file(environ), now)
    return UNSURE if UNSURE in (config, credentials) else f"{config},{credentials}"


def hit(profile: "str | None", environ: "Mapping[str, str]", now: float) -> "bytes | None":
    """Return the document of the profile (None: none is named) at ``now`` (epoch seconds), or None on a miss."""
    name = entry_name(profile, environ)
    for path in paths.cache_directories(environ):
        directory = open_directory(path)
        if directory is None:
            continue
        document = fresh(directory, name, environ, now)
        directory.close()
        if document is not None:
            return document
    return None


def fresh(directory: "PrivateDirectory", name: str, environ: "Mapping[str, str]", now: float) -> "bytes | None":
    """Return the entry's document if it may be served at ``now`` and what it depends on is unchanged, or None."""
    entry = load(directory, name)
    if entry is None or not entry.served_from <= now < entry.served_until:
        return None
    if entry.fingerprint == UNSURE or entry.fingerprint != fingerprint(environ, now):
        return None
    if entry.depends_on:
        from credproc import dependencies  # noqa: PLC0415 - most entries depend on the two files alone

        if not dependencies.are_unchanged(entry.depends_on, environ, now):
            return None
    return entry.document


class Entry:
    """A document, the times between which it is served, and the JSON that a refresh compares."""

    __slots__ = ("compared", "depends_on", "document", "fingerprint", "served_from", "served_until")

    def __init__(  # noqa: PLR0913 - the parts of an entry
        self,
        *,
        served_from: int,
        served_until: int,
        fingerprint: str,
        document: bytes,
        compared: bytes,
        depends_on: "tuple[str, ...]" = (),
    ) -> None:
        """Store times in epoch seconds, the document with its newline, and the compared JSON, one line without one.

        ``depends_on`` is what ``dependencies.header_fields`` returns.
        """
        self.served_from = served_from
        self.served_until = served_until
        self.fingerprint = fingerprint
        self.document = document
        self.compared = compared
        self.depends_on = depends_on


def load(directory: "PrivateDirectory", name: str) -> "Entry | None":
    """Return the entry in the file ``name``, whatever its age; None if it is missing or damaged."""
    data = directory.read(name, LIMIT)
    if data is None or data[:33] != _digest(data[33:]):
        return None
    lines = data[33:].split(b"\n")
    fields = lines[0].split(b" ")
    if len(lines) != 4 or len(fields) < 5 or fields[0] != _FORMAT or fields[1] != name.encode():
        return None
    if not (fields[2].isdigit() and fields[3].isdigit()) or len(lines[0]) > _HEADER_LIMIT:
        return None
    return Entry(
        served_from=int(fields[2]),
        served_until=int(fields[3]),
        fingerprint=fields[4].decode("latin-1"),  # any bytes: it is only compared
        document=lines[1] + b"\n",
        compared=lines[2],
        depends_on=tuple(field.decode("utf-8", "surrogateescape") for field in fields[5:]),
    )


def store(directory: "PrivateDirectory", name: str, entry: Entry) -> None:
    """Write the entry. Raises OSError if that fails; then the old entry is unchanged."""
    fields = [entry.fingerprint, *entry.depends_on]
    header = b"%s %s %d %d %s" % (
        _FORMAT,
        name.encode(),
        entry.served_from,
        entry.served_until,
        " ".join(fields).encode("utf-8", "surrogateescape"),
    )
    if len(header) > _HEADER_LIMIT:
        raise OSError(f"entry with a header of {len(header)} bytes is over the limit of {_HEADER_LIMIT}")
    rest = header + b"\n" + entry.document + entry.compared + b"\n"
    if len(rest) + 33 > LIMIT:
        raise OSError(f"entry of {len(rest)} bytes is over the limit of {LIMIT}")
    directory.write(name, _digest(rest) + rest)


def _digest(data: bytes) -> bytes:
    return digest(data).encode() + b" "
