"""MFA codes that the user types in a window, where a setting asks for that (``credproc_prompt``)."""

import sys
from collections.abc import Mapping

from credproc.mfa.dialog.programs import find
from credproc.mfa.prompt import Asker, PromptCodeProvider
from credproc.process.child_environment import environment_for_child


class WindowCodeProvider(PromptCodeProvider):
    """A ``CodeProvider`` that asks in a window for each code, at most three times."""

    def notify(self, line: str) -> None:
        """Do nothing: a window comes up with a question alone."""

    def _say(self, line: str) -> None:
        self._terminal.say(line)  # whose title is the name of this program


def open_window(environ: Mapping[str, str]) -> Asker:
    """Return what asks in windows, of the programs that this environment has. Raises PersonNeededError.

    Call it before any thread is started.
    """
    if sys.platform == "win32":  # pragma: no cover - Windows
        from credproc.mfa.dialog.credui import CredUiWindow  # noqa: PLC0415 - of this platform

        return CredUiWindow()
    else:  # noqa: RET505 - by this mypy knows that it is not for Windows
        from credproc.mfa.dialog.window import Window  # noqa: PLC0415 - of the other platforms

        return Window(find(environ).programs, environment_for_child(environ, with_identity=False))
