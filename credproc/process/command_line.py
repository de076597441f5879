"""A command in a setting → its words, as botocore splits a ``credential_process`` line; no shell has a hand in it."""

import shlex
import sys


def split(command: str, platform: str = sys.platform) -> list[str]:
    """Return the words. Raises ValueError if a quotation has no end."""
    return _split_as_windows_does(command) if platform == "win32" else shlex.split(command)


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
