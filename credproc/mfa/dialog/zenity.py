"""zenity, the window of GNOME: the text is an argument, what is typed its output."""

from collections.abc import Mapping

from credproc.mfa.dialog.question import TITLE, Question, printed

# Its own status for a window that was closed is that of a display which it cannot reach (zenity(1), "ENVIRONMENT")
_CLOSED = 101
# Its label reads a backslash as C does and an underscore as the key for the entry, and both doubled as themselves
_LABEL = str.maketrans({"\\": "\\\\", "_": "__"})


class Zenity:
    """See ``DialogProgram``."""

    names: tuple[str, ...] = ("zenity",)
    variables: Mapping[str, str] = {
        "ZENITY_OK": "0",
        "ZENITY_CANCEL": str(_CLOSED),
        "ZENITY_ESC": str(_CLOSED),
        "ZENITY_ERROR": "1",
    }
    removed: tuple[str, ...] = ()

    def arguments(self, question: Question) -> list[str]:
        """Return its arguments: an entry that hides what is typed."""
        return ["--entry", "--hide-text", f"--title={TITLE}", f"--text={question.text.translate(_LABEL)}"]

    def stdin(self, _question: Question) -> bytes:
        """Return nothing."""
        return b""

    def answer(self, status: int, output: str) -> str | None:
        """Return what was typed; see ``DialogProgram``."""
        return printed(status, output, _CLOSED)
