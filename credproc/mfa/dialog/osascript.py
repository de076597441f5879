"""osascript, the window of macOS. Tested with a double; untried on macOS itself.

The texts are arguments of the script's ``run`` handler, so that nothing in them is read as AppleScript.
"""

from collections.abc import Mapping

from credproc.mfa.dialog.question import TITLE, NoWindowError, Question

_TYPED, _CLOSED = "typed ", "closed"
_SCRIPT = f"""\
on run argv
    try
        set answer to display dialog (item 2 of argv) with title (item 1 of argv) default answer "" with hidden answer
        return "{_TYPED}" & (text returned of answer)
    on error number -128
        return "{_CLOSED}"
    end try
end run
"""


class Osascript:
    """See ``DialogProgram``."""

    names: tuple[str, ...] = ("osascript",)
    variables: Mapping[str, str] = {}
    removed: tuple[str, ...] = ()

    def arguments(self, question: Question) -> list[str]:
        """Return its arguments: the script is its stdin, the texts follow (osascript(1))."""
        return ["-", TITLE, question.text]

    def stdin(self, _question: Question) -> bytes:
        """Return the script."""
        return _SCRIPT.encode()

    def answer(self, status: int, output: str) -> str | None:
        """Return what was typed; see ``DialogProgram``."""
        said = output.rstrip("\n")
        if status == 0 and said == _CLOSED:
            return None
        if status != 0 or not said.startswith(_TYPED):
            raise NoWindowError(f"exited with status {status}")
        return said.removeprefix(_TYPED)
