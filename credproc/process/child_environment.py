"""The environment of programs that credproc starts: the user's, without what the frozen program's loader has set.

PyInstaller's bootloader puts the frozen program's directory in front of the loader's search path: a child that
inherited it would load our OpenSSL in the place of its own. It also leaves variables by which it knows its own
children, and by which another frozen program would be led astray.
"""

import sys
from collections.abc import Mapping

_SEARCH_PATH = "LD_LIBRARY_PATH"  # macOS's and Windows's bootloaders set none
_BEFORE = "LD_LIBRARY_PATH_ORIG"  # what the bootloader found there (PyInstaller manual, "Bootloader")
_BOOTLOADERS = ("_PYI_", "_MEIPASS2")


def environment_for_child(environ: Mapping[str, str], *, inside: str | None = None) -> dict[str, str]:
    """Return the environment to start another program with, given that of this process.

    ``inside`` is the directory of the frozen program (default: that of this one). Without one this is a copy.
    """
    inside = inside or getattr(sys, "_MEIPASS", None)
    if inside is None:
        return dict(environ)
    passed = {name: value for name, value in environ.items() if not name.startswith(_BOOTLOADERS)}
    path = passed.get(_SEARCH_PATH, "")
    if path == inside or path.startswith(f"{inside}:"):
        # Not simply what _BEFORE says: where nothing was found the bootloader leaves one that somebody else had set
        before = passed.pop(_SEARCH_PATH)[len(inside) + 1 :]
        if before:
            passed[_SEARCH_PATH] = before
            passed.pop(_BEFORE, None)
    return passed
