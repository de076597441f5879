r"""A console of Windows: Wine's conhost on a pane of tmux, in which programs for Windows run and a person types.

    with WindowsConsole() as console:
        job = console.start([CREDPROC, "--profile", "admin"], windows_environ(home))
        console.wait_for("Enter MFA code")
        console.send("123456\n")
        assert job.outcome() == (0, document, "")

It is a Tmux, with its screen, keys and waiting. What is started has the console, no stdin, and its output captured;
any number of programs may run in it at once. ``build/windows`` installs what it needs.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.program import Outcome
from tests.tmux import Tmux

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.program import Home

ROOT = Path(__file__).resolve().parent.parent
WINDOWS = Path(os.environ.get("CREDPROC_WINDOWS") or ROOT / "build" / "work" / "windows")  # as build/windows makes it
AVAILABLE = (WINDOWS / "python" / "Scripts" / "credproc.exe").exists() and shutil.which("wine") is not None
TIMEOUT = 60.0  # seconds; only a failing test waits so long
NO_WINDOW, NEW_GROUP, DETACHED = 0x08000000, 0x200, 0x8  # creation flags of CreateProcess
# What a program for Windows has from Windows itself
_INHERITED = ("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "PATH", "TEMP", "TMP", "USERNAME")


def windows_path(path: Path | str) -> str:
    """Return a path of this machine as a program for Windows names it."""
    return "Z:" + str(path).replace("/", "\\")


PYTHON = windows_path(WINDOWS / "python" / "python.exe")
CREDPROC = windows_path(WINDOWS / "python" / "Scripts" / "credproc.exe")


def wine_environ() -> dict[str, str]:
    """Return the variables for ``wine`` itself; what it starts gets its own."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "WINEPREFIX": str(WINDOWS / "prefix"),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",
    }


def windows_environ(home: Home, **environ: str) -> dict[str, str]:
    r"""Return the variables of this home for a program for Windows; its cache is ``AppData\Local\credproc\Cache``."""
    own = {name: value for name, value in home.environ.items() if name not in ("HOME", "PATH")}
    profile = windows_path(home.path)
    return {**own, "USERPROFILE": profile, "LOCALAPPDATA": rf"{profile}\AppData\Local", **environ}


class WindowsJob(NamedTuple):
    """A program that was started in the console."""

    console: WindowsConsole
    name: str

    @property
    def has_ended(self) -> bool:
        """Whether the program has ended and its output with it."""
        return self.console.left(self.name, "outcome") is not None

    def outcome(self, timeout: float = TIMEOUT) -> Outcome:
        """Wait for its end, and return what it left. The status is Windows' own, from 0 to 2**32 - 1."""
        self.console.until(lambda: self.has_ended, f"the end of {self.name}", timeout)
        left = self.console.left(self.name, "outcome")
        assert left is not None
        return Outcome(left["status"], left["stdout"], left["stderr"])


class WindowsConsole(Tmux):
    """A console with a Windows process in it that starts what it is told: tests/windows_starter.py."""

    def __init__(self, *, columns: int = 120, rows: int = 24) -> None:
        self._orders = Path(tempfile.mkdtemp(prefix="console-"))
        self._count = 0
        starter = windows_path(Path(__file__).with_name("windows_starter.py"))
        super().__init__(
            ["wine", PYTHON, starter, windows_path(self._orders)], wine_environ(), columns=columns, rows=rows
        )

    def __exit__(self, *details: object) -> None:
        (self._orders / "end").touch()
        if self.pid:
            deadline = time.monotonic() + TIMEOUT
            while self.status is None and time.monotonic() < deadline:
                time.sleep(0.05)
        super().__exit__(*details)
        shutil.rmtree(self._orders)

    def start(
        self,
        command: Sequence[str],
        environ: Mapping[str, str] | None = None,
        *,
        flags: int = 0,
        cwd: str = "C:\\",
    ) -> WindowsJob:
        """Start a program with these variables, and no others but Windows' own; ``flags`` as CreateProcess has them."""
        self._count += 1
        name = f"job{self._count}"
        order = {
            "command": list(command),
            "environ": dict(environ or {}),
            "inherited": _INHERITED,
            "flags": flags,
            "cwd": cwd,
        }
        path = self._orders / f"{name}.order"
        path.with_suffix(".new").write_text(json.dumps(order), encoding="utf-8")
        path.with_suffix(".new").rename(path)
        self.until(lambda: self.left(name, "started") is not None, f"the start of {name}", TIMEOUT)
        return WindowsJob(self, name)

    def left(self, name: str, kind: str) -> dict[str, Any] | None:
        """Return what the starter has left about a program, or None."""
        try:
            found: dict[str, Any] = json.loads((self._orders / f"{name}.{kind}").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return found
