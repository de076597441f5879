"""pinentry, the window of GnuPG: a conversation in Assuan's lines, all of ours written before the first is answered.

It may keep what is typed in an external cache only where it is told so (``OPTION allow-external-password-cache``), and
asks in the terminal only where it is told which (``OPTION ttyname``) or has one as its stdin. We tell it neither.
"""

import re
from collections.abc import Mapping

from credproc.mfa.dialog.question import FIELD, TITLE, NoWindowError, Question

_CODES = 0xFFFF  # an error's source is in the bits above (libgpg-error)
_CANCELLED, _CLOSED = 99, 198  # GPG_ERR_CANCELED, GPG_ERR_FULLY_CANCELED
_MAX_ARGUMENT = 980  # bytes; a line has 1000 (ASSUAN_LINELENGTH)
_CUT = 20  # characters that are cut at once, more than the dots that take their place
_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_RESPONSE = re.compile(r"(?:OK|ERR)(?: |$)")
# No grab of the keyboard: the code may be in a program on the same screen
_BEFORE = ("OPTION no-grab", f"SETTITLE {TITLE}", f"SETPROMPT {FIELD}")


class Pinentry:
    """The pinentries that show windows; the plain name is left out, as it may be the one for terminals."""

    names: tuple[str, ...] = ("pinentry-gnome3", "pinentry-qt", "pinentry-gtk-2", "pinentry-mac")
    variables: Mapping[str, str] = {}
    removed: tuple[str, ...] = ("GPG_TTY", "PINENTRY_USER_DATA", "INSIDE_EMACS")  # which choose another place to ask

    def arguments(self, _question: Question) -> list[str]:
        """Return none."""
        return []

    def stdin(self, question: Question) -> bytes:
        """Return the whole conversation."""
        lines = [line.encode() for line in _BEFORE]
        lines += [b"SETDESC " + _escaped(question.text), b"GETPIN", b"BYE"]
        return b"".join(line + b"\n" for line in lines)

    def answer(self, status: int, output: str) -> str | None:
        """Return what it says to GETPIN; see ``DialogProgram``."""
        typed = ""
        responses = 0
        for line in output.splitlines():
            if line.startswith("D "):
                typed += _unescaped(line[2:])
            if not _RESPONSE.match(line):  # a status or a comment
                continue
            responses += 1
            if responses <= len(_BEFORE) + 2:  # its greeting, and the answers to what is set
                continue
            if line.startswith("OK"):
                return typed
            if _error_code(line) in (_CANCELLED, _CLOSED):
                return None
            break
        raise NoWindowError(f"exited with status {status}")


def _error_code(line: str) -> int:
    number = line.split()[1] if len(line.split()) > 1 else ""
    return int(number) & _CODES if number.isdecimal() else 0


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)


def _escaped(text: str) -> bytes:
    """Return the text as an argument of a line, cut to what a line holds (Assuan manual, "Client requests")."""
    data = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").encode("utf-8", "replace")
    return data if len(data) <= _MAX_ARGUMENT else _escaped(f"{text[: len(text) - _CUT]}...")
