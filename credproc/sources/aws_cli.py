"""The AWS CLI beside us: which of those in PATH is new enough, and what is said where none is."""

import re
import subprocess
from collections.abc import Mapping, Sequence

from credproc.errors import SourceError, inert
from credproc.process import command_line
from credproc.process.child_environment import environment_for_child
from credproc.trust import untrusted_place

INSTALL_HINT = "install or update the AWS CLI: docs.aws.amazon.com/cli, Installing or updating to the latest version"
_VERSION = re.compile(r"aws-cli/(\d+)\.(\d+)")
_VERSION_SECONDS = 20  # for ``aws --version``; a cold start takes some
_SHOWN = 200  # characters of a path in a message

Version = tuple[int, int]


def find(wanted: Version, where: str, environ: Mapping[str, str], hint: str = INSTALL_HINT) -> str:
    """Return the path of the first AWS CLI of at least this version in the absolute directories of PATH.

    Raises SourceError at ``where`` if there is none, with what there is instead.
    """
    seen: list[str] = []
    for program in command_line.programs_in_path("aws", environ):
        version = _version(program, environ)
        if version is not None and version >= wanted:
            return program
        seen.append(f"{program} " + ("cannot be used" if version is None else f"is {version[0]}.{version[1]}"))
    instead = "; ".join(seen[:3]) or "there is no aws in PATH"
    raise SourceError(f"{where}: the AWS CLI {wanted[0]}.{wanted[1]} or newer is needed; {instead}", hint)


def arguments(program: str, words: Sequence[str], environ: Mapping[str, str]) -> tuple[str, list[str] | str]:
    """Return the file to start and the arguments, for ``aws`` with these words. Raises SourceError."""
    try:
        return command_line.start_arguments(program, ["aws", *words], environ)
    except command_line.BatchArgumentError as error:
        raise SourceError(f"{inert(program, _SHOWN)}: {error}", "install the aws.exe of AWS") from None


def _version(program: str, environ: Mapping[str, str]) -> Version | None:
    """Return the version; None if it says none, or another user can put another program in its place."""
    if untrusted_place(program) is not None:
        return None
    try:
        executable, words = arguments(program, ["--version"], environ)
        ran = subprocess.run(  # noqa: S603 - the program that the person has installed
            words,
            executable=executable,
            env=environment_for_child(environ, with_identity=False),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_VERSION_SECONDS,
            check=False,
        )
    except (OSError, SourceError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.match(ran.stdout.decode("utf-8", "replace"))
    return None if found is None else (int(found[1]), int(found[2]))
