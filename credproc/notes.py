"""Notes: one kind of small file that runs leave each other, in one format.

A note is one JSON object: the format, the note's name and the fields of its kind. The reader trusts nothing: a file
that is absent, longer than the limit, no JSON, of another format or name, or with a field too many, too few or of
another type is no note. No note holds a secret, and a note that is lost costs time at most.

The record in a lock file (locking/lock.py) is no note: the locked file must stay the same file, so its 128 bytes are
overwritten in place, while a note is replaced by a new file.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from credproc.files import PrivateDirectory
from credproc.request import FOR_PEOPLE

_FORMAT = 2  # 1 was what each kind wrote on its own
_LIMIT = 8192  # bytes
_LAST_MOMENT = 1 << 53  # epoch seconds; above it a float would round them


class Kind(NamedTuple):
    """What the notes of one kind hold, and how long they are worth keeping.

    The table in docs/security.md, "What is stored where", says the same; a test compares the two.
    """

    suffix: str  # of the file's name
    file: str  # its name as the documentation shows it
    holds: str  # in words, for the documentation
    fields: Mapping[str, Callable[[Any], bool]]  # each with what tells whether a value is of its type
    kept: int | str  # seconds that it is worth keeping, or in words until when

    @property
    def is_ephemeral(self) -> bool:
        """Whether it is worth nothing some seconds after it was written."""
        return isinstance(self.kept, int)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_moment(value: object) -> bool:
    """Whether it is a number of epoch seconds; NaN is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _LAST_MOMENT


def _is_moments(value: object) -> bool:
    return isinstance(value, dict) and all(_is_moment(moment) for moment in value.values())


REFUSAL = Kind(
    ".declined",
    "….declined",
    "a declined prompt, for the runs that waited for it",
    {
        "at": _is_moment,
        "group": _is_number,
        "kind": _is_text,
        "message": _is_text,
        "hint": _is_text_or_none,
    },
    int(FOR_PEOPLE.waiting),  # no run waits longer
)
SHOWN_SECONDS = 10  # an SDK that runs a failing helper four times does so at once
SHOWN = Kind(
    ".shown",
    "terminal-NN.shown",
    "a digest of the message that a terminal has shown last",
    {"at": _is_moment, "group": _is_number, "digest": _is_text},
    SHOWN_SECONDS,
)
USED_CODE_SECONDS = 90  # three steps (RFC 6238): STS takes the code before and the one after the current one too
USED_CODES = Kind(
    ".used",
    "HASH.used",
    "digests of the MFA codes that were sent",
    {"codes": _is_moments},
    USED_CODE_SECONDS,
)
SESSION = Kind(
    ".session",
    "HASH.session",
    "that there is an MFA session in a session store, of which device and until when; with the store `kernel` half of"
    " the session, which is worth nothing by itself",
    {
        "serial": _is_text,
        "issuer": _is_text,
        "profile": _is_text_or_none,
        "access_key_id": _is_text,
        "issued": _is_number,
        "expiration": _is_number,
        "store": _is_text,
        "other_half": _is_text_or_none,
    },
    "until `credproc logout`",
)
ACCESS_KEY = Kind(
    ".key",
    "HASH.key",
    "that an access key is in the keyring, and whether it is being rotated",
    {"access_key_id": _is_text, "pending": _is_flag},
    "until `credproc keys remove`",
)
UNRESPONSIVE_SECONDS = 300
UNRESPONSIVE = Kind(
    ".unresponsive",
    "keyring.unresponsive",
    "that a keyring did not answer, so that it is left alone for a while",
    {"since": _is_moment, "bus": _is_text},
    UNRESPONSIVE_SECONDS,
)
DENIED_SESSION_SECONDS = 12 * 3600  # as long as a session lasts
DENIED_SESSION = Kind(
    ".denied",
    "HASH.denied",
    "that AWS denied a role to an MFA session, and how old that was",
    {"at": _is_moment, "age": _is_number},
    DENIED_SESSION_SECONDS,
)
KINDS = (SESSION, ACCESS_KEY, REFUSAL, USED_CODES, SHOWN, UNRESPONSIVE, DENIED_SESSION)


class Note:
    """One note; where there is no directory there never is one, and saving it does nothing."""

    def __init__(self, directory: PrivateDirectory | None, kind: Kind, name: str) -> None:
        """Take credproc's directory, and the name without the kind's suffix."""
        self._directory = directory
        self._kind = kind
        self._name = name
        self._file = name + kind.suffix

    def load(self) -> dict[str, Any] | None:
        """Return the note's fields, or None where there is no note that can be used."""
        data = None if self._directory is None else self._directory.read(self._file, _LIMIT)
        if data is None:
            return None
        import json  # noqa: PLC0415 - a thousand that wait look for notes that are not there

        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict) or found.pop("format", None) != _FORMAT or found.pop("name", None) != self._name:
            return None
        fields = self._kind.fields
        is_sound = found.keys() == fields.keys() and all(is_typed(found[key]) for key, is_typed in fields.items())
        return found if is_sound else None

    def save(self, fields: Mapping[str, Any]) -> None:
        """Put these fields in the place of the note. Raises OSError if that fails, and then the old one stands."""
        if self._directory is None:
            return
        import json  # noqa: PLC0415 - as in load

        data = json.dumps({"format": _FORMAT, "name": self._name, **fields}).encode() + b"\n"
        if len(data) > _LIMIT:
            raise OSError(f"a note of {len(data)} bytes is over the limit of {_LIMIT}")
        self._directory.write(self._file, data)

    def remove(self) -> None:
        """Remove the note, if there is one."""
        if self._directory is not None:
            self._directory.remove(self._file)


def kind_of(file: str) -> Kind | None:
    """Return the kind of note that a file with this name holds, or None: it is no note's name."""
    return next((kind for kind in KINDS if file.endswith(kind.suffix)), None)
