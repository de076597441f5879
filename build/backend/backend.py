"""Build wheel and source distribution: as flit_core does, with man page and completions among the wheel's data.

Both are made from the parser of this checkout, before flit_core looks for them. A source distribution brings them: its
wheel has the same bytes, whoever builds it. The man page bears the date of SOURCE_DATE_EPOCH, else of the last commit.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

from flit_core import buildapi

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PREFIX = os.path.join(ROOT, "build", "work", "prefix")  # pyproject.toml, tool.flit.external-data
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "credproc", "build/backend/backend.py", "build/work/prefix")
MANUAL = "share/man/man1/credproc.1"
# Where the shells look below a prefix; PowerShell looks nowhere
COMPLETIONS = {
    "bash": "share/bash-completion/completions/credproc",
    "zsh": "share/zsh/site-functions/_credproc",
    "fish": "share/fish/vendor_completions.d/credproc.fish",
}


def build_wheel(directory: str, settings: object = None, metadata: str | None = None) -> str:
    """Build the wheel; return its name."""
    _make_data()
    name: str = buildapi.build_wheel(directory, settings, metadata)
    return name


def build_editable(directory: str, settings: object = None, metadata: str | None = None) -> str:
    """Build a wheel that leads to this directory; return its name."""
    _make_data()
    name: str = buildapi.build_editable(directory, settings, metadata)
    return name


def build_sdist(directory: str, settings: object = None) -> str:
    """Build the source distribution, of a copy of what is in it; return its name.

    flit_core looks for what to leave out in all of the directory, along links: in build/work, where Wine has one to
    "/", it would not end.
    """
    _make_data()
    place = os.path.abspath(directory)
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as copy:
        for path in SOURCES:
            _copy(path, copy)
        os.chdir(copy)
        try:
            name: str = buildapi.build_sdist(place, settings)
        finally:
            os.chdir(before)
    return name


def _copy(path: str, copy: str) -> None:
    source, target = os.path.join(ROOT, path), os.path.join(copy, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(source):
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def _make_data() -> None:
    """Make what flit_core takes for the wheel's data. Each file is renamed into place, as several may build at once."""
    if os.path.exists(os.path.join(ROOT, "PKG-INFO")):  # a source distribution
        return
    sys.path.insert(0, ROOT)  # before an older one that is installed
    sys.path.append(os.path.join(ROOT, "build", "frozen"))
    sys.dont_write_bytecode = True
    import manual  # noqa: PLC0415 - found by the lines above

    from credproc import __version__  # noqa: PLC0415 - the same
    from credproc.commands.completion import script  # noqa: PLC0415 - the same

    _write(MANUAL, manual.page(__version__, time.strftime("%Y-%m-%d", time.gmtime(_epoch()))))
    for shell, path in COMPLETIONS.items():
        _write(path, script(shell))
    for directory, _, names in os.walk(PREFIX):
        for name in names:
            inside = os.path.relpath(os.path.join(directory, name), PREFIX).replace(os.sep, "/")
            if inside not in (MANUAL, *COMPLETIONS.values()):
                os.unlink(os.path.join(directory, name))  # an older checkout's


def _write(path: str, text: str) -> None:
    place = os.path.join(PREFIX, path)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    new = f"{PREFIX}.{os.getpid()}"  # beside it, where nothing is taken from
    with open(new, "w", encoding="ascii", newline="\n") as file:
        file.write(text)
    os.replace(new, place)


def _epoch() -> int:
    """Return the time of what is built, in seconds since 1970."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is not None:
        return int(given)
    try:
        command = ["git", "-C", ROOT, "log", "-1", "--format=%ct"]
        return int(subprocess.run(command, capture_output=True, check=True).stdout)
    except (OSError, subprocess.CalledProcessError, ValueError):  # no git, or no checkout
        return int(time.time())
