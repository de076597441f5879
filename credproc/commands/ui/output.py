"""The result of a command, and the gate by which text leaves for a person: whatever is in it, it is lines of glyphs."""

from collections.abc import Sequence
from typing import NamedTuple

from credproc.errors import inert
from credproc.glyphs import Whole, paragraphs


class Coloured(NamedTuple):
    """A line whose end has a colour; ``code`` is that of SGR (ECMA-48): 31 is red."""

    before: str
    text: str
    code: str


Line = str | Coloured


class Output(NamedTuple):
    """The lines for a person, and the exit status."""

    lines: Sequence[Line]
    status: int = 0
    note: str = ""  # as that of a Document

    @property
    def data(self) -> bytes:
        """What is written to stdout: lines without control characters but colours, broken at words on a terminal."""
        return "".join(f"{line}\n" for line in paragraphs(map(_shown, self.lines), 1)).encode("utf-8")


class Document(NamedTuple):
    """Text that a program reads (JSON, commands of a shell, a URL), written as it is, and the exit status."""

    text: str
    status: int = 0
    note: str = ""  # a line on stderr behind it, where a person sees both

    @property
    def data(self) -> bytes:
        """What is written to stdout."""
        return self.text.encode("utf-8", "backslashreplace")


def _shown(line: Line) -> str:
    if isinstance(line, Coloured):
        return Whole(f"{inert(line.before)}\x1b[{line.code}m{inert(line.text)}\x1b[0m")
    return line
