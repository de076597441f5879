"""A command in a setting → its words, as botocore splits a ``credential_process`` line, and the program that they name.

No shell has a hand in it. A program is looked for in absolute directories of PATH only, as the working directory may be
another user's, and is not started from where another user can put one.
"""

import errno
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping

from credproc.errors import ConfigError, inert
from credproc.trust import untrusted_place

NO_END = "has a quotation that does not end, so nothing was started"
CLOSE_HINT = "close the quotes, or write a backslash before a quote that is part of a word"
_PATH_LIMIT = 200  # characters of a path in a message
_QUOTATION = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.""")
_EXPANSION = re.compile(r"(?<!\S)~(?=/|\s|$)|\$\{?[A-Za-z_]\w{0,40}\}?")
_QUOTED_EXPANSION = re.compile(r"(?<!\S)\"(\$\{?[A-Za-z_]\w{0,40}\}?)")  # as the first thing in double quotes
# A single & may stand in a word, of a URL say
_OPERATOR = re.compile(r"^[A-Za-z_]\w{0,40}=|[|]+|&&|(?<!\S)&(?=\s|$)|;|(?<!\S)\d?&?[<>]+|`|\$\(")


def split(command: str, platform: str = sys.platform) -> list[str]:
    """Return the words. Raises ValueError if a quotation has no end."""
    return _split_as_windows_does(command) if platform == "win32" else shlex.split(command)


def shell_hint(command: str) -> str | None:
    """Return what to write if the command has something in it that a shell alone would follow; None if it has not.

    It is for a command that has failed: what a shell would follow may also be meant as it stands.
    """
    bare = _QUOTATION.sub("x", command.strip())
    if operator := _OPERATOR.search(bare):
        return f"no shell reads this line, so {operator[0]} does nothing in it: name a script that has the command"
    if expansion := _EXPANSION.search(bare):
        return f"nothing expands {expansion[0]} in this line: write what it stands for"
    if quoted := _QUOTED_EXPANSION.search(command):
        return f"nothing expands {quoted[1]} in this line: write what it stands for"
    return None


def find_program(word: str, environ: Mapping[str, str], where: str) -> str:
    """Return the path of the program: the word itself if it has a directory, else the first in PATH.

    Raises FileNotFoundError, and ConfigError at ``where`` if another user can put another program in its place.
    """
    program = word if os.path.dirname(word) else next(programs_in_path(word, environ), None)
    if program is None:
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
        if os.path.isabs(directory) and (found := shutil.which(name, path=directory)) and os.path.isabs(found):
            yield found  # on Windows shutil.which looks into the working directory too


def _split_as_windows_does(command: str) -> list[str]:
    """Return the words by the rules of Microsoft's C runtime.

    Blanks and tabs part words, double quotes hold them together, and a backslash means something before a double quote
    alone: two are one, and an odd one makes the quote a character (Microsoft, "Parsing C command-line arguments").
    """
    words: list[str] = []
    word: str | None = None
    backslashes, is_quoted = 0, False
    for character in f"{command} ":
        if character == "\\":
            backslashes += 1
            continue
        if character == '"':
            word = (word or "") + "\\" * (backslashes // 2) + '"' * (backslashes % 2)
            is_quoted ^= backslashes % 2 == 0
        else:
            if backslashes:
                word = (word or "") + "\\" * backslashes
            if character in " \t" and not is_quoted:
                words += [] if word is None else [word]
                word = None
            else:
                word = (word or "") + character
        backslashes = 0
    if is_quoted:
        raise ValueError("No closing quotation")
    return words
