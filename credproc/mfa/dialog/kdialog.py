"""kdialog, the window of KDE: the text is an argument, what is typed its output."""

from collections.abc import Mapping

from credproc.mfa.dialog.question import TITLE, Question, printed

_CLOSED = 1


class Kdialog:
    """See ``DialogProgram``."""

    names: tuple[str, ...] = ("kdialog",)
    variables: Mapping[str, str] = {}
    removed: tuple[str, ...] = ()

    def arguments(self, question: Question) -> list[str]:
        """Return its arguments: a password's window, which reads a backslash as C does and has no line ends."""
        text = question.text.replace("\n\n", ". ").replace("\\", "\\\\")
        return ["--title", TITLE, "--password", text]

    def stdin(self, _question: Question) -> bytes:
        """Return nothing."""
        return b""

    def answer(self, status: int, output: str) -> str | None:
        """Return what was typed; see ``DialogProgram``."""
        return printed(status, output, _CLOSED)
