"""The two AWS files, changed by lines: what is not meant stays as it was, byte for byte.

The lines are found by the grammar with which ``sharedconfig`` reads them. A file is replaced at once or not at all,
where it really lies (a link into a directory of dotfiles stays one), with its mode, and no copy of it is left.
"""

import os
import re
import shlex
import stat
from collections.abc import Callable, Iterator
from typing import NamedTuple

from credproc.errors import ConfigError, quoted
from credproc.refresh.sharedconfig import LINE_END, config_header, header_in

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_\-/.%@:+]+")
_BOM = "\ufeff"


class _Line(NamedTuple):
    text: str  # with its end
    section: str | None  # the profile below whose header it stands, or whose header it is
    key: str | None  # that it sets, or goes on with
    is_header: bool


def with_setting(  # noqa: PLR0913 - a line, and where it stands
    text: str, profile: str, key: str, value: str, *, of_credentials: bool = False, instead_of: str | None = None
) -> str:
    """Return the text with ``key = value`` in the profile, in the place of the key's line or as its first setting.

    A profile that is not there is appended. ``instead_of`` is a key in whose place it stands, if its own is not there.
    """
    lines = list(_lines(text, of_credentials=of_credentials))
    end = _end_of(text)
    header = max(
        (number for number, line in enumerate(lines) if line.is_header and line.section == profile), default=None
    )
    if any(line.section == profile and line.key == key for line in lines):
        return _replaced(lines, profile, key, f"{key} = {value}")
    if instead_of is not None and any(line.section == profile and line.key == instead_of for line in lines):
        return _replaced(lines, profile, instead_of, f"{key} = {value}")
    if header is None:
        gap = "" if not text.strip(_BOM) else end if text.endswith(("\n", "\r")) else end + end
        return f"{text}{gap}{_header_of(profile, of_credentials=of_credentials)}{end}{key} = {value}{end}"
    texts = [line.text for line in lines]
    if not texts[header].endswith(("\n", "\r")):  # the last line of the file
        texts[header] += end
        return "".join(texts) + f"{key} = {value}"
    texts.insert(header + 1, f"{key} = {value}{end}")
    return "".join(texts)


def without_settings(text: str, profile: str, keys: set[str], *, of_credentials: bool = False) -> str:
    """Return the text without the lines that set these keys in the profile, and those that go on with them."""
    lines = _lines(text, of_credentials=of_credentials)
    return "".join(line.text for line in lines if line.section != profile or line.key not in keys or line.is_header)


def lines_of(text: str, profile: str, keys: set[str], *, of_credentials: bool = False) -> list[int]:
    """Return the numbers of the lines that set these keys in the profile, from 1."""
    lines = enumerate(_lines(text, of_credentials=of_credentials), start=1)
    return [number for number, line in lines if line.section == profile and line.key in keys]


def edit(path: str, shown: str, change: Callable[[str], str]) -> bool:
    """Change the file's text; return whether there was anything to change. An absent file is an empty one.

    Raises ConfigError, with the file's name as ``shown``; then the file is as it was.
    """
    real = os.path.realpath(path)
    try:
        data, status = _read(real)
        changed = change(data.decode()).encode()
        if changed == data:
            return False
        _replace(real, changed, status)
    except UnicodeDecodeError:
        raise ConfigError(f"{shown}: is not UTF-8", "save it as UTF-8") from None
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        raise ConfigError(
            f"{shown}: cannot be changed: {reason}", "check the owner and mode of file and directory"
        ) from None
    return True


def _read(real: str) -> tuple[bytes, os.stat_result | None]:
    try:
        with open(real, "rb") as file:
            return file.read(), os.fstat(file.fileno())
    except FileNotFoundError:
        return b"", None


def _replace(real: str, data: bytes, status: os.stat_result | None) -> None:
    directory = os.path.dirname(real)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    temporary = os.path.join(directory, f".{os.path.basename(real)}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            if status is not None and os.name == "posix":
                os.fchmod(file.fileno(), stat.S_IMODE(status.st_mode))
            os.fsync(file.fileno())
        _check_unchanged(real, status)
        os.replace(temporary, real)
    except OSError:
        os.unlink(temporary)
        raise
    if os.name == "posix":  # so that the order of two changes holds after a power loss too
        fd = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _check_unchanged(real: str, status: os.stat_result | None) -> None:
    """Raise OSError if somebody else has changed the file since it was read."""
    now = None if status is None else os.stat(real)
    if now is not None and status is not None and (now.st_mtime_ns, now.st_ino) != (status.st_mtime_ns, status.st_ino):
        raise OSError(0, "it was changed meanwhile")


def _lines(text: str, *, of_credentials: bool) -> Iterator[_Line]:
    """Yield each line with what it belongs to."""
    starts = [0, *(found.end() for found in LINE_END.finditer(text))]
    section: str | None = None
    key: str | None = None
    found = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        whole = text[start:end]
        line = LINE_END.sub("", whole).removeprefix(_BOM if start == 0 else "")
        stripped = line.strip(" \t")
        is_header = line[:1] == "["
        of: str | None = None
        if is_header:
            section, key = _section(header_in(stripped, "line"), of_credentials=of_credentials), None
        elif stripped and stripped[0] not in "#;":
            if line[0] not in " \t":
                key = stripped.partition("=")[0].strip(" \t").lower()
            of = key
        if whole:
            found.append(_Line(whole, section, of, is_header))
    # "[profile default]" wins over "[default]", and only the winner is read
    if not of_credentials and any(line.section == "profile default" for line in found):
        found = [line._replace(section=None) if line.section == "default" else line for line in found]
    yield from (line._replace(section="default") if line.section == "profile default" else line for line in found)


def _section(header: str, *, of_credentials: bool) -> str | None:
    if of_credentials:
        return header
    kind, name = config_header(header)
    if kind != "profile":
        return None
    return "profile default" if name == "default" and header != "default" else name


def _replaced(lines: list[_Line], profile: str, key: str, setting: str) -> str:
    """Return the text with the setting in the place of the key's first line; of others nothing is left."""
    texts = []
    is_there = False
    for line in lines:
        if line.section != profile or line.key != key or line.is_header:
            texts.append(line.text)
        elif not is_there:
            is_there = True
            texts.append(setting + line.text[len(line.text.rstrip("\r\n")) :])
    return "".join(texts)


def _end_of(text: str) -> str:
    found = LINE_END.search(text)
    return found[0] if found else "\n"


def _header_of(profile: str, *, of_credentials: bool) -> str:
    if any(not character.isprintable() for character in profile) or "]" in profile or not profile.strip():
        raise ConfigError(f"{quoted(profile)}: no profile can have this name", "use letters, digits, and . _ - / @ : +")
    if profile == "default" or of_credentials:
        return f"[{profile}]"
    return f"[profile {profile if _PLAIN_NAME.fullmatch(profile) else shlex.quote(profile)}]"
