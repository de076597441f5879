"""The programs that show windows, in the order in which they are tried."""

import os
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from credproc.errors import inert
from credproc.mfa.dialog.kdialog import Kdialog
from credproc.mfa.dialog.osascript import Osascript
from credproc.mfa.dialog.pinentry import Pinentry
from credproc.mfa.dialog.question import DialogProgram
from credproc.mfa.dialog.zenity import Zenity
from credproc.process.command_line import programs_in_path
from credproc.process.display import has_display
from credproc.trust import untrusted_place

_PATH_LIMIT = 200  # characters of a path in a message
PROGRAMS: tuple[DialogProgram, ...] = (Pinentry(), Zenity(), Kdialog(), Osascript())


class Installed(NamedTuple):
    """A program that can be started; ``path`` is absolute."""

    path: str
    kind: DialogProgram

    @property
    def name(self) -> str:
        """The name of its executable, for people."""
        return os.path.basename(self.path)


class Found(NamedTuple):
    """The programs that may be started, and of the others which there is and why it may not be."""

    programs: tuple[Installed, ...]  # none on Windows, which shows windows itself
    unavailable_reason: str | None = None  # why no window can be shown
    hint: str | None = None

    @property
    def is_available(self) -> bool:
        """Whether a window can be shown."""
        return self.unavailable_reason is None

    @property
    def shown_by(self) -> str:
        """Return what shows it, for people."""
        return self.programs[0].path if self.programs else "Windows (CredUI)"


def find(environ: Mapping[str, str], platform: str = sys.platform) -> Found:
    """Return the programs that show a window, each in an absolute directory of PATH, the one to try first at the start.

    A program is left out if another user can put another one in its place.
    """
    if platform == "win32":
        return Found(())
    if not has_display(environ, platform):
        return Found((), "there is no display to show a window on")
    found: list[Installed] = []
    refused: list[Found] = []
    for path, kind in _in_path(environ):
        if untrusted := untrusted_place(path):
            shown = inert(untrusted.path, _PATH_LIMIT)
            reason = f"{shown}: {untrusted.reason}, so credproc does not run {os.path.basename(path)}"
            refused.append(Found((), reason, untrusted.hint))
        else:
            found.append(Installed(path, kind))
    if found:
        return Found(tuple(found))
    return refused[0] if refused else Found((), "there is no program that shows a window", f"install {_WANTED}")


_WANTED = "a pinentry with windows (pinentry-gtk-2, for example), zenity or kdialog"


def _in_path(environ: Mapping[str, str]) -> Iterator[tuple[str, DialogProgram]]:
    for kind in PROGRAMS:
        for name in kind.names:
            path = next(programs_in_path(name, environ), None)
            if path is not None:
                yield path, kind
