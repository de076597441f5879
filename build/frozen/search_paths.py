"""Where the frozen libraries have the loader look for others: nowhere but in the frozen directory.

An interpreter that was built into a directory of its own, as pyenv's, leaves that directory in DT_RUNPATH of each of
its modules. The loader searches it before /lib, so whoever can write there, on a machine where credproc is installed,
would have code of theirs run. Such an entry is taken out of the dynamic section (System V ABI, "Dynamic Section";
ld.so(8)), by moving those behind it up; nothing else of the file changes.
"""

import os
import posixpath
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple

_LOAD, _DYNAMIC = 1, 2  # kinds of segments
_NULL, _NEEDED, _STRTAB, _RPATH, _RUNPATH = 0, 1, 5, 15, 29  # kinds of entries
_DEPAUDIT, _AUDIT, _AUXILIARY, _FILTER = 0x6FFFFEFB, 0x6FFFFEFC, 0x7FFFFFFD, 0x7FFFFFFF
_LIBRARIES = (_NEEDED, _DEPAUDIT, _AUDIT, _AUXILIARY, _FILTER)  # that the loader looks for by these names
_ENTRY = struct.Struct("<qQ")
_ORIGINS = ("$ORIGIN", "${ORIGIN}")


class Unknown(Exception):  # noqa: N818 - it is no fault of the file's
    """The file is of a form that is not read here, or holds what cannot be taken out."""


class Entry(NamedTuple):
    """One entry of a dynamic section."""

    position: int  # in the file
    kind: int
    value: int


def confine(directory: str) -> list[str]:
    """Take each search path that leads out of the directory out of its libraries; return what was changed.

    Paths are relative to the directory. Raises SystemExit if one is left, or a library is named by a path.
    """
    changed = []
    for path in _libraries(directory):
        full = os.path.join(directory, path)
        with open(full, "rb") as file:
            before = file.read()
        try:
            after = confined(before, path)
            left = outside(after, path)
        except (Unknown, struct.error, ValueError) as error:
            sys.exit(f"freeze: error: {path}: its dynamic section: {error}")
        if left:
            sys.exit(f"freeze: error: {path}: the loader would look outside of the program: {', '.join(left)}")
        if after != before:
            changed.append(path)
            with open(full, "r+b") as file:
                file.write(after)
    return changed


def confined(library: bytes, path: str) -> bytes:
    """Return the library without search paths that lead out of the directory; ``path``: where it lies in that.

    Raises Unknown if one entry leads both ways.
    """
    changed = bytearray(library)
    while True:
        entries = list(_entries(bytes(changed)))
        found = next((entry for entry in entries if _leads_out(bytes(changed), entries, entry, path)), None)
        if found is None:
            return bytes(changed)
        last = entries[-1]  # the one that ends the list: what lies behind it is not read
        behind = changed[found.position + _ENTRY.size : last.position + _ENTRY.size]
        changed[found.position : last.position + _ENTRY.size] = behind + bytes(_ENTRY.size)


def outside(library: bytes, path: str) -> list[str]:
    """Return the search paths that lead out of the directory, and the libraries that are named by a path."""
    entries = list(_entries(library))
    found = []
    for entry in entries:
        if entry.kind in (_RPATH, _RUNPATH):
            found += [each for each in _text(library, entries, entry).split(":") if not _is_inside(each, path)]
        elif entry.kind in _LIBRARIES and "/" in _text(library, entries, entry):
            found.append(_text(library, entries, entry))
    return found


def _leads_out(library: bytes, entries: list[Entry], entry: Entry, path: str) -> bool:
    if entry.kind not in (_RPATH, _RUNPATH):
        return False
    text = _text(library, entries, entry)
    inside = [_is_inside(each, path) for each in text.split(":")]
    if any(inside) and not all(inside):  # its text may be the end of another's, so it cannot be shortened in place
        raise Unknown(f"one search path that leads both ways: {text}")
    return not all(inside)


def _is_inside(place: str, path: str) -> bool:
    """Return whether a part of a search path leads into the directory; an empty one is the working directory."""
    origin, slash, below = place.partition("/")
    if origin not in _ORIGINS:
        return False
    there = posixpath.normpath(posixpath.join("/top", posixpath.dirname(path), below if slash else ""))
    return there == "/top" or there.startswith("/top/")


def _entries(library: bytes) -> Iterator[Entry]:
    """Yield the entries of the dynamic section to the one that ends it; nothing where the file has none."""
    for kind, offset, _, size in _segments(library):
        if kind != _DYNAMIC:
            continue
        for position in range(offset, offset + size, _ENTRY.size):
            tag, value = _ENTRY.unpack_from(library, position)
            yield Entry(position, tag, value)
            if tag == _NULL:
                return
        raise Unknown("has no end")


def _segments(library: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield kind, offset in the file, address and size in the file of each segment."""
    if library[4:6] != b"\2\1":
        raise Unknown("not of 64 bits in little endian")
    (start,) = struct.unpack_from("<Q", library, 0x20)
    size, number = struct.unpack_from("<HH", library, 0x36)
    for position in range(start, start + size * number, size):
        kind, _, offset, address, _, length = struct.unpack_from("<IIQQQQ", library, position)
        yield kind, offset, address, length


def _text(library: bytes, entries: list[Entry], entry: Entry) -> str:
    """Return the text that an entry names by its offset in the string table."""
    table = next((each.value for each in entries if each.kind == _STRTAB), None)
    for kind, offset, address, size in _segments(library):
        if kind == _LOAD and table is not None and address <= table < address + size:
            start = table - address + offset + entry.value
            return library[start : library.index(b"\0", start)].decode("utf-8", "surrogateescape")
    raise Unknown("has no strings")


def _libraries(directory: str) -> Iterator[str]:
    """Yield the ELF files of the directory, relative to it, sorted."""
    for above, directories, names in os.walk(directory):
        directories.sort()
        for name in sorted(names):
            full = os.path.join(above, name)
            if not os.path.islink(full):
                with open(full, "rb") as file:
                    if file.read(4) == b"\x7fELF":
                        yield os.path.relpath(full, directory)
