"""What a window asks, and the interface of the programs that show one."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from credproc.errors import PersonNeededError, inert

TITLE = "credproc"
FIELD = "MFA code:"
_MAX_REMARK = 200  # characters
# Qt guesses from a tag whether a text is HTML, and which widget of zenity reads markup has changed before. Without
# these two characters every text is plain, in each toolkit and version
_MARKUP = str.maketrans({"<": "\\x3c", "&": "\\x26"})


class NoWindowError(Exception):
    """The program has shown no window: it cannot reach the display, for example."""


class Question(NamedTuple):
    """What a window says, for people."""

    text: str

    @classmethod
    def of(cls, remarks: list[str], prompt: str) -> "Question":
        """Return the question of the prompt, below the remarks; settings and names in it lose all that is not text."""
        shown = [inert(remark, _MAX_REMARK) for remark in remarks]
        paragraphs = (part.translate(_MARKUP) for part in (*shown, inert(prompt).rstrip(": ")))
        return cls("\n\n".join(paragraphs))


class DialogProgram(Protocol):
    """A kind of program that shows a window with one question, prints what is typed, and exits."""

    names: tuple[str, ...]  # of the executables, the first that is there is used
    variables: Mapping[str, str]  # that it is started with
    removed: tuple[str, ...]  # variables that it is started without

    def arguments(self, question: Question) -> list[str]:
        """Return its arguments."""

    def stdin(self, question: Question) -> bytes:
        """Return what it reads."""

    def answer(self, status: int, output: str) -> str | None:
        """Return what was typed, or None if the window was closed; ``status`` is negative for a signal.

        Raises NoWindowError.
        """


def printed(status: int, output: str, closed: int) -> str | None:
    """Return the line that a program has printed, or None if it exited with the status ``closed``.

    Raises NoWindowError for any other status but 0.
    """
    if status not in (0, closed):
        raise NoWindowError(f"exited with status {status}")
    return output.rstrip("\n") if status == 0 else None


def cancelled() -> PersonNeededError:
    """Return the error for a window that a person has closed."""
    return PersonNeededError("cancelled", kind="cancelled")


def late() -> PersonNeededError:
    """Return the error for a window into which nobody has typed."""
    return PersonNeededError("no code was typed in time", kind="late")
