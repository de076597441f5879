r"""Tmux as a terminal: a second implementation beside tests.terminal, and one that shows what a person would see.

    with Tmux(["sh"], home.environ) as tmux:
        tmux.send("credproc get\n")
        tmux.wait_for("code: ")

It runs in a server of its own, detached, without a configuration and without a shell around the program. What a program
writes right before its end, tmux 3.3a may never read, about one time in a hundred on a busy machine: a program of which
that is to be seen waits for a key.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, ClassVar

from tests.terminal import process_state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typing_extensions import Self

AVAILABLE = shutil.which("tmux") is not None
TIMEOUT = 10.0  # seconds; only a failing test waits so long


class Tmux:
    """A pane of 80 columns and 24 rows with a program in it. It stays, with its last screen, when that has ended.

    `made` are those of this process, and `screens` what was seen of one, for whoever looks back.
    """

    made: ClassVar[list[Tmux]] = []

    def __init__(
        self, argv: Sequence[str], environ: Mapping[str, str] | None = None, *, columns: int = 80, rows: int = 24
    ) -> None:
        self.made.append(self)
        self.screens: set[str] = set()
        # The locale is tmux's: it draws the characters of programs that do not care about theirs.
        self._environ = {**(os.environ if environ is None else environ), "LC_ALL": "C.UTF-8"}
        self._environ.pop("TMUX", None)
        self._argv = list(argv)
        self.pid = 0  # the program's
        self._size = ["-x", str(columns), "-y", str(rows)]

    def __enter__(self) -> Self:
        self._directory = tempfile.mkdtemp()
        self._tmux = ["tmux", "-S", os.path.join(self._directory, "socket"), "-f", os.devnull]
        # In the foreground (-D), so that it is our child and its end can be waited for.
        self._server = subprocess.Popen(
            [*self._tmux, "-D"],
            env=self._environ,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self.until(self._listens, "its server")
            for option, value in (("remain-on-exit", "on"), ("remain-on-exit-format", ""), ("status", "off")):
                self._run("set-option", "-g", option, value)
            # The title would be the host's name, and to set it late could undo what the program has set.
            self._run("new-session", "-d", *self._size, "--", "sleep", "60")
            self._run("select-pane", "-T", "")
            # Several words are executed as they stand, a single one is a shell's command line.
            program = self._argv if len(self._argv) > 1 else ["env", *self._argv]
            self._run("respawn-pane", "-k", "--", *program)
            self.pid = int(*self._show("pane_pid"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._server.poll() is None:
            with contextlib.suppress(AssertionError):  # it has not come so far
                self.screen()
        self.kill()
        self._server.wait(TIMEOUT)
        if self.pid:
            self.until(lambda: not self._end_session(), "the program's end")
        shutil.rmtree(self._directory)

    def kill(self) -> None:
        """End the server, as closing the last window does: SIGHUP for who is in it."""
        self._server.terminate()

    @property
    def status(self) -> int | None:
        """How the program has ended: its exit status, negative for a signal; None while it runs."""
        dead, status, killed_by = self._show("pane_dead", "pane_dead_status", "pane_dead_signal")
        if dead != "1":
            return None
        if not status + killed_by:
            # A pane is dead a moment before tmux has reaped its program, and tmux 3.3a now and then forgets to.
            self._server.send_signal(signal.SIGCHLD)
            return None
        return -int(killed_by) if killed_by else int(status)

    @property
    def title(self) -> str:
        """The pane's title, empty until a program sets it."""
        return self._show("pane_title")[0]

    @property
    def cursor(self) -> tuple[int, int]:
        """Column and row of the cursor, both from 0."""
        column, row = self._show("cursor_x", "cursor_y")
        return int(column), int(row)

    def send(self, text: str) -> None:
        r"""Type it; `\n` is the Enter key."""
        for number, line in enumerate(text.split("\n")):
            if number:
                self.key("Enter")
            if line:
                self._run("send-keys", "-l", "--", line)

    def key(self, name: str) -> None:
        """Press a key by tmux's name for it: Enter, C-c, C-z, Escape, BSpace."""
        self._run("send-keys", name)

    def paste(self, text: str) -> None:
        """Paste, with brackets when the program has asked for them."""
        self._run("set-buffer", "--", text)
        self._run("paste-buffer", "-p")

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size."""
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self) -> str:
        """Return the lines that are seen, spaces that were written included, without the empty ones below."""
        screen = self._run("capture-pane", "-p", "-N").rstrip("\n")
        self.screens.add(screen)
        return screen

    def captured(self) -> str:
        """Return the same with its looks, as escape sequences."""
        return self._run("capture-pane", "-p", "-e")

    def wait_for(self, text: str, timeout: float = TIMEOUT) -> str:
        """Wait until the text is on the screen, and return the screen."""
        self.until(lambda: text in self.screen(), f"the text {text!a}", timeout)
        return self.screen()

    def wait(self, timeout: float = TIMEOUT) -> int:
        """Wait until the program has ended, and return its status."""
        self.until(lambda: self.status is not None, "the program's end", timeout)
        assert self.status is not None
        return self.status

    def _listens(self) -> bool:
        """Whether the server can be talked to; its socket is there a moment before."""
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(self._tmux[2]) == 0

    def _end_session(self) -> list[int]:
        """Kill who is left, SIGHUP being no more than a request; return who that was."""
        left = []
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(pid) == self.pid and process_state(pid) not in {"", "Z"}:
                    os.kill(pid, signal.SIGKILL)
                    left.append(pid)
        return left

    def until(self, condition: Callable[[], bool], what: str, timeout: float = TIMEOUT) -> None:
        """Wait until the condition holds; ``what`` is waited for, for the error."""
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                shown = self.screen() if self._server.poll() is None else "(tmux has ended)"
                lines = "".join(f"\n  {line!a}" for line in shown.splitlines())
                raise AssertionError(f"waited {timeout:g} s for {what}; on the screen:{lines}")
            time.sleep(0.02)

    def _show(self, *names: str) -> list[str]:
        return self._run("display-message", "-p", "\x1f".join(f"#{{{name}}}" for name in names))[:-1].split("\x1f")

    def _run(self, *command: str) -> str:
        # A word that ends in a semicolon would end the command.
        words = (f"{word[:-1]}\\;" if word.endswith(";") else word for word in command)
        done = subprocess.run(
            [*self._tmux, *words],
            # A client is none of the programs that are tried; but it is its PATH that they get.
            env={name: self._environ[name] for name in ("PATH", "LC_ALL")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        assert done.returncode == 0, f"tmux {command[0]}: {done.stderr!a}"
        return done.stdout
