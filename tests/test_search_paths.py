"""Search paths in the dynamic sections of libraries, which build/frozen/search_paths.py takes out."""

import struct
from pathlib import Path

import pytest

from tests.built import search_paths

NEEDED, STRTAB, RPATH, RUNPATH = 1, 5, 15, 29
AT = 0x1000  # where the file's bytes are in memory
BUILD = "/home/builder/python/lib"


def _library(*entries: tuple[int, str], bits: int = 2, end: bool = True) -> bytes:
    """Return the smallest library with such a dynamic section: header, two segments, the section, its strings."""
    strings = b"\0"
    section = b""
    size = 16 * (len(entries) + 3)
    start = 64 + 2 * 56
    for kind, text in entries:
        section += struct.pack("<qQ", kind, len(strings))
        strings += text.encode() + b"\0"
    section += struct.pack("<qQ", STRTAB, AT + start + size)
    section = section.ljust(size, b"\0" if end else b"\1")
    header = (
        b"\x7fELF"
        + bytes([bits, 1, 1])
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    )
    length = start + size + len(strings)
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, AT, AT, length, length, AT)
    dynamic = struct.pack("<IIQQQQQQ", 2, 4, start, AT + start, AT + start, size, size, 8)
    return header + load + dynamic + section + strings


@pytest.mark.parametrize("kind", [RPATH, RUNPATH])
@pytest.mark.parametrize(
    "search",
    [
        BUILD,
        f"{BUILD}:/usr/local/lib",
        "",
        "lib",
        "$ORIGIN/..",
        "$ORIGIN/../../../tmp",
        "$ORIGINAL",
        "$LIB",
        "/$ORIGIN",
    ],
)
def test_a_search_path_that_leads_out_is_taken_out_and_the_rest_stays(kind: int, search: str) -> None:
    library = _library((NEEDED, "libm.so.6"), (kind, search), (NEEDED, "libc.so.6"))
    assert search_paths.outside(library, "libx.so") == search.split(":")
    confined = search_paths.confined(library, "libx.so")
    assert search_paths.outside(confined, "libx.so") == []
    clean = _library((NEEDED, "libm.so.6"), (NEEDED, "libc.so.6"))
    start = 64 + 2 * 56
    assert [struct.unpack_from("<q", confined, start + 16 * n)[0] for n in range(6)] == [
        NEEDED,
        NEEDED,
        STRTAB,
        0,
        0,
        0,
    ]
    assert len(confined) == len(library) > len(clean)
    assert search_paths.confined(confined, "libx.so") == confined


def test_several_search_paths_are_all_taken_out() -> None:
    library = _library((RPATH, BUILD), (RUNPATH, BUILD))
    assert search_paths.outside(search_paths.confined(library, "libx.so"), "libx.so") == []


@pytest.mark.parametrize(
    ("path", "search"),
    [("a.so", "$ORIGIN"), ("a/b.so", "$ORIGIN/../c.libs"), ("a/b/c.so", "${ORIGIN}/../..:$ORIGIN")],
)
def test_a_search_path_within_the_directory_stays(path: str, search: str) -> None:
    library = _library((NEEDED, "libm.so.6"), (RUNPATH, search))
    assert search_paths.outside(library, path) == []
    assert search_paths.confined(library, path) == library


def test_a_library_that_is_named_by_a_path_ends_the_build(tmp_path: Path) -> None:
    (tmp_path / "libx.so").write_bytes(_library((NEEDED, f"{BUILD}/libm.so.6")))
    with pytest.raises(SystemExit, match=r"libx\.so: the loader would look outside of the program: /home/"):
        search_paths.confine(str(tmp_path))


@pytest.mark.parametrize(
    ("library", "said"),
    [
        (_library((RUNPATH, f"$ORIGIN:{BUILD}")), "leads both ways"),
        (_library((RUNPATH, BUILD), bits=1), "64 bits"),
        (_library((RUNPATH, BUILD), end=False), "has no end"),
        (_library((RUNPATH, BUILD))[:100], "dynamic section"),
        (_library((RUNPATH, BUILD))[:-1], "dynamic section"),
    ],
)
def test_a_library_that_is_not_understood_ends_the_build(tmp_path: Path, library: bytes, said: str) -> None:
    (tmp_path / "libx.so").write_bytes(library)
    with pytest.raises(SystemExit, match=said):
        search_paths.confine(str(tmp_path))


@pytest.mark.posix("the libraries of ELF")
def test_what_was_changed_is_said_and_nothing_else_is_touched(tmp_path: Path) -> None:
    clean, found = _library((NEEDED, "libm.so.6")), _library((RUNPATH, BUILD))
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "libx.so").write_bytes(found)
    (tmp_path / "liby.so").write_bytes(clean)
    (tmp_path / "text.so").write_bytes(BUILD.encode())
    (tmp_path / "link.so").symlink_to("below/libx.so")
    assert search_paths.confine(str(tmp_path)) == ["below/libx.so"]
    assert (tmp_path / "liby.so").read_bytes() == clean
    assert (tmp_path / "text.so").read_text() == BUILD
    assert search_paths.confine(str(tmp_path)) == []
