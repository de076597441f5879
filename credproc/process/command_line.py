"""The program that the first word of a command names, and what starts it with the other words.

No shell has a hand in it. A program is looked for in absolute directories of PATH only, as the working directory may be
another user's, and is not started from where another user can put one. On Windows its name may lack the extension, and
a .bat or .cmd file is read by cmd.exe, which splits and expands a command line by rules of its own.
"""

import errno
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence

from credproc.errors import ConfigError, inert
from credproc.trust import untrusted_place

_PATH_LIMIT = 200  # characters of a path in a message
_QUOTATION = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.""")
_EXPANSION = re.compile(r"(?<!\S)~(?=/|\s|$)|\$\{?[A-Za-z_]\w{0,40}\}?")
_QUOTED_EXPANSION = re.compile(r"(?<!\S)\"(\$\{?[A-Za-z_]\w{0,40}\}?)")  # as the first thing in double quotes
# A single & may stand in a word, of a URL say
_OPERATOR = re.compile(r"^[A-Za-z_]\w{0,40}=|[|]+|&&|(?<!\S)&(?=\s|$)|;|(?<!\S)\d?&?[<>]+|`|\$\(")
# cmd.exe's; within double quotes it expands too. A % may stand in a word, of a URL say
_WINDOWS_QUOTATION = re.compile(r'"[^"]*"')
_WINDOWS_OPERATOR = re.compile(r"[|]+|&&|(?<!\S)&(?=\s|$)|(?<!\S)\d?[<>]+|\^")
_WINDOWS_EXPANSION = re.compile(r"%[A-Za-z_]\w{0,40}%")
_EXTENSIONS = ".COM;.EXE;.BAT;.CMD"  # PATHEXT where it is not set
_BATCH = (".bat", ".cmd")
# Nothing else is left without quotes for cmd.exe, as in Rust's standard library (CVE-2024-24576)
_BARE_IN_CMD = re.compile(r"[A-Za-z0-9#$*+\-./:?@\\_]*[A-Za-z0-9#$*+\-./:?@_]")
_BEFORE_QUOTE = re.compile(r'(\\*)("|\Z)')
BATCH_HINT = "name the program that the file starts"


class BatchArgumentError(ValueError):
    """cmd.exe cannot be given the path or an argument of a batch file without changing it; the text says why."""


def shell_hint(command: str, platform: str = sys.platform) -> str | None:
    """Return what to write if the command has something in it that a shell alone would follow; None if it has not.

    It is for a command that has failed: what a shell would follow may also be meant as it stands.
    """
    if platform == "win32":
        operator = _WINDOWS_OPERATOR.search(_WINDOWS_QUOTATION.sub("x", command.strip()))
        expansion = _WINDOWS_EXPANSION.search(command)
    else:
        bare = _QUOTATION.sub("x", command.strip())
        operator, expansion = _OPERATOR.search(bare), _EXPANSION.search(bare)
    if operator:
        return f"no shell reads this line, so {operator[0]} does nothing in it: name a script that has the command"
    if expansion:
        return f"nothing expands {expansion[0]} in this line: write what it stands for"
    if platform != "win32" and (quoted := _QUOTED_EXPANSION.search(command)):
        return f"nothing expands {quoted[1]} in this line: write what it stands for"
    return None


def find_program(word: str, environ: Mapping[str, str], where: str) -> str:
    """Return the path of the program: the word itself if it has a directory, else the first in PATH.

    Raises FileNotFoundError, and ConfigError at ``where`` if another user can put another program in its place.
    """
    if os.path.dirname(word):
        program = executable_at(word, environ) or word
    elif (found := next(programs_in_path(word, environ), None)) is not None:
        program = found
    else:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), word)
    if untrusted := untrusted_place(program):
        raise ConfigError(
            f"{where}: {inert(untrusted.path, _PATH_LIMIT)}: {untrusted.reason}, so credproc does not run the program",
            untrusted.hint,
        )
    return program


def programs_in_path(name: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the programs of this name in the absolute directories of PATH, in its order."""
    for directory in os.get_exec_path(environ):
        if os.path.isabs(directory) and (found := executable_at(os.path.join(directory, name), environ)):
            yield found


def executable_at(path: str, environ: Mapping[str, str], platform: str = sys.platform) -> str | None:
    """Return the path of the program there, or None; on Windows it may have one of PATHEXT's extensions more.

    In place of ``shutil.which``, which on Windows looks into the working directory first, and before Python 3.12 adds
    no extension to a path.
    """
    if platform != "win32":
        return path if os.path.isfile(path) and os.access(path, os.X_OK) else None
    extensions = [extension.lower() for extension in (environ.get("PATHEXT") or _EXTENSIONS).split(";") if extension]
    candidates = [path] if path.lower().endswith(tuple(extensions)) else []
    candidates += [path + extension for extension in extensions]
    return next((candidate for candidate in candidates if os.path.isfile(candidate)), None)


def start_arguments(
    program: str, words: Sequence[str], environ: Mapping[str, str], platform: str = sys.platform
) -> tuple[str, list[str] | str]:
    """Return the file to start, and the arguments that ``subprocess.Popen`` gets with it.

    ``words`` begins with argv[0]. A batch file is started through cmd.exe, each argument quoted for it. Raises
    BatchArgumentError if it holds a line end or a null character, with which the line would end, or a %: within quotes
    too cmd.exe puts variables in place of names, and where the file has ``call`` it does so once more.
    """
    if platform != "win32" or not program.rstrip(". ").lower().endswith(_BATCH):
        return program, list(words)
    if any(character in word for word in words[1:] for character in "\r\n\0"):
        raise BatchArgumentError("an argument of a .bat or .cmd file contains a line end")
    if "%" in program:
        raise BatchArgumentError("the path of a .bat or .cmd file contains a %, which cmd.exe would expand")
    if any("%" in word for word in words[1:]):
        raise BatchArgumentError("an argument of a .bat or .cmd file contains a %, which cmd.exe would expand")
    root = environ.get("SYSTEMROOT") or "C:\\Windows"
    arguments = "".join(f" {_quoted_for_cmd(word)}" for word in words[1:])
    # /e:on: batch files may rely on it; /v:off: ! expands nothing; /d: no AutoRun commands
    return f"{root}\\System32\\cmd.exe", f'cmd.exe /e:on /v:off /d /c ""{program}"{arguments}"'


def _quoted_for_cmd(word: str) -> str:
    """Return the word as one argument for cmd.exe, and for the program that a batch file passes it on to.

    A quote is doubled, which both take for a quote within quotes; backslashes before it are doubled for the program.
    """
    if _BARE_IN_CMD.fullmatch(word):
        return word
    quotable = _BEFORE_QUOTE.sub(lambda found: found[1] * 2 + '""' * (found[2] == '"'), word)
    return f'"{quotable}"'
