"""The environment of programs that credproc starts: the user's, without the variables of PyInstaller's bootloader.

The bootloader of the frozen program puts the program's directory first in the dynamic loader's search path: a child
that inherits the path loads our OpenSSL instead of its own. The bootloader also sets variables that it reads in child
processes and that would mislead another frozen program.
"""

import sys
from collections.abc import Mapping

_SEARCH_PATH = "LD_LIBRARY_PATH"  # the bootloaders of macOS and Windows set none
_ORIGINAL = "LD_LIBRARY_PATH_ORIG"  # the value that the bootloader found (PyInstaller manual, "Bootloader")
_BOOTLOADER_PREFIXES = ("_PYI_", "_MEIPASS2")


def environment_for_child(environ: Mapping[str, str], *, program_directory: str | None = None) -> dict[str, str]:
    """Return the environment for another program, made from that of this process.

    ``program_directory`` is the directory of the frozen program (default: of this one). An ordinary Python has none;
    then the result is a copy.
    """
    program_directory = program_directory or getattr(sys, "_MEIPASS", None)
    if program_directory is None:
        return dict(environ)
    passed = {name: value for name, value in environ.items() if not name.startswith(_BOOTLOADER_PREFIXES)}
    path = passed.get(_SEARCH_PATH, "")
    if path == program_directory or path.startswith(f"{program_directory}:"):
        # Not the value of _ORIGINAL: the bootloader does not remove one that it inherits when it finds no search path
        original = passed.pop(_SEARCH_PATH)[len(program_directory) + 1 :]
        if original:
            passed[_SEARCH_PATH] = original
            passed.pop(_ORIGINAL, None)
    return passed
