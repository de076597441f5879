"""What an entry depends on besides the two AWS files: a token's file, variables, the directory, this machine.

A dependency is a text, ``KIND:ARGUMENT``; its state is a text that differs once another identity may stand behind it.
An entry's header holds each as ``DEPENDENCY=STATE``. A hit imports this module only for an entry that names some; no
secret is written, only digests.
"""

import os
import sys

from credproc.files import digest
from credproc.paths import UNSURE, file_state

TYPE_CHECKING = False  # typing itself would cost a hit more than all of credproc
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ENVIRONMENT = "environment:"  # all variables that another program may answer by
DIRECTORY = "directory:"  # where relative paths begin
MACHINE = "machine:"  # who answers at this machine's own addresses

_BOOT_ID = "/proc/sys/kernel/random/boot_id"  # random(4); containers of one machine have the same
# Variables that tell of the shell, the window or the caller; a program that answers by one of them would give every
# window credentials of its own
_OF_THE_CALLER = frozenset(
    (
        "_ SHLVL PWD OLDPWD COLUMNS LINES WINDOWID TERM_SESSION_ID CREDPROC_PROFILE_CHAIN _AWS_CLI_PROFILE_CHAIN"
        " AWS_EXECUTION_ENV"
    ).split()
)
_QUOTED = (("%", "%25"), (" ", "%20"), ("\n", "%0A"), ("=", "%3D"))


def file(path: str) -> str:
    """Return the dependency on a file, links followed; ``~`` is the home directory at the time of a look."""
    return f"file:{path}"


def variables(*names: str) -> str:
    """Return the dependency on the values of these variables."""
    return f"variables:{','.join(names)}"


def state(dependency: str, environ: "Mapping[str, str]", now: float) -> str:
    """Return the state of a dependency at ``now`` (epoch seconds); UNSURE where it cannot be told from a later one."""
    kind, _, argument = dependency.partition(":")
    if kind == "file":
        try:
            path = os.path.expanduser(argument)
        except ValueError:  # no path
            return UNSURE
        return file_state(path, now)
    if kind == "variables":
        return _digest(environ, argument.split(","))
    if kind == "environment":
        return _digest(environ, sorted(environ.keys() - _OF_THE_CALLER))
    if kind == "directory":
        return _directory()
    return _machine(environ) if kind == "machine" else UNSURE


def header_fields(dependencies: "Iterable[str]", environ: "Mapping[str, str]", now: float) -> "tuple[str, ...]":
    """Return what an entry's header holds of the dependencies; take it before what they stand for is read."""
    return tuple(f"{_quote(one)}={state(one, environ, now)}" for one in dependencies)


def are_unchanged(fields: "Iterable[str]", environ: "Mapping[str, str]", now: float) -> bool:
    """Return whether all dependencies that an entry's header holds are in the same state, for sure."""
    for field in fields:
        dependency, _, was = field.rpartition("=")
        if was == UNSURE or was != state(_unquote(dependency), environ, now):
            return False
    return True


def _digest(environ: "Mapping[str, str]", names: "Iterable[str]") -> str:
    # NUL cannot occur in a variable; a missing variable differs from an empty one
    return digest("\0".join(f"{name}={environ[name]}" if name in environ else name for name in names))


def _directory() -> str:
    try:
        status = os.stat(".")
        return digest(f"{os.getcwd()}\0{status.st_dev}.{status.st_ino}")
    except OSError:  # it is deleted, or on a dead mount
        return UNSURE


def _machine(environ: "Mapping[str, str]") -> str:
    boot_id = b""
    if sys.platform == "linux":  # on Windows anybody may make C:\proc
        try:
            with open(_BOOT_ID, "rb") as file:
                boot_id = file.read(64)
        except OSError:  # a sandbox
            pass
    name = os.uname().nodename if hasattr(os, "uname") else environ.get("COMPUTERNAME", "")
    return digest(boot_id + b"\0" + os.fsencode(name))


def _quote(text: str) -> str:
    for character, quoted in _QUOTED:
        text = text.replace(character, quoted)
    return text


def _unquote(text: str) -> str:
    for character, quoted in reversed(_QUOTED):
        text = text.replace(quoted, character)
    return text
