"""The helper that is examined, and each way of running it: run once, when the first rule asks what came of it."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import tempfile
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from tests.conformance.runs import (
    Run,
    run,
    run_at_once,
    run_counted,
    run_orphaned,
    run_read_slowly,
    run_unread,
)
from tests.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

USER_DATA = b"what the user types for another program\n" * 20
# A key id, a secret or a token of AWS; not a digest in lower case
_LOOKS_SECRET = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}|(?=[a-z0-9+/=]*[A-Z])[A-Za-z0-9+/=]{40,}")


class Limits(NamedTuple):
    """Seconds, and how many run at once."""

    bounded: float = 10  # in which a run that asks nobody ends: CONTRACT.md, R4
    gone: float = 5  # in which it ends once its caller has gone
    lingering: float = 0.2  # from the end of stdout to the exit: CONTRACT.md, R6: fluent-bit
    fast: float = 1  # CONTRACT.md, R8
    deadline: float = 55  # in which a prompt closes: CONTRACT.md, R7: Go kills at 60
    parallel: int = 10


class OnTerminal(NamedTuple):
    """What came of a run on a terminal on which something had been typed before."""

    run: Run
    typed: int  # bytes that were typed ahead
    pending: int  # of these, still to be read
    settings_kept: bool
    in_front: bool  # the foreground is its caller's again


class Subject:
    """A helper: its line, its environment, and commands of it that fail, ask a person or empty its cache."""

    def __init__(
        self,
        line: str,
        environ: Mapping[str, str],
        *,
        failing: str | None = None,
        asking: str | None = None,
        reset: str | None = None,
        short_lived: bool = False,
        patient: bool = False,
        limits: Limits | None = None,
    ) -> None:
        """Take them as lines; with ``reset``, which is run before each run, the cold path is examined."""
        self.line = line
        self.argv = shlex.split(line)
        self.environ = dict(environ)
        self.failing = failing
        self.asking = asking
        self.short_lived = short_lived
        self.patient = patient
        self.limits = limits or Limits()
        self.is_cold = reset is not None
        self._reset = shlex.split(reset or "")

    # Runs without a terminal

    def reset(self) -> None:
        """Empty the helper's cache, where the command for it is known."""
        if self._reset:
            subprocess.run(self._reset, env=self.environ, cwd="/", capture_output=True, check=True, timeout=60)

    def run(self, *extra: str, stdin: int = subprocess.DEVNULL, environ: Mapping[str, str] | None = None) -> Run:
        """Run the helper with ``extra`` arguments behind its own."""
        self.reset()
        return run([*self.argv, *extra], environ or self.environ, self.limits.bounded, stdin=stdin)

    def _run_through(self, script: str, *arguments: str) -> Run:
        self.reset()
        return run(["sh", "-c", script, "sh", *arguments, *self.argv], self.environ, self.limits.bounded)

    @cached_property
    def plain(self) -> Run:
        """A run as cron would: no terminal, stdin /dev/null, stdout and stderr pipes."""
        return self.run()

    @cached_property
    def again(self) -> list[Run]:
        """Two more."""
        return [run(self.argv, self.environ, self.limits.bounded) for _ in range(2)]

    @cached_property
    def counted(self) -> tuple[Run, list[int]]:
        """A run whose writes are counted."""
        self.reset()
        return run_counted(self.argv, self.environ, self.limits.bounded)

    @cached_property
    def read_slowly(self) -> Run:
        """A run whose stdout is full at first."""
        self.reset()
        return run_read_slowly(self.argv, self.environ, self.limits.bounded)

    @cached_property
    def unread(self) -> Run:
        """A run whose reader has gone."""
        self.reset()
        return run_unread(self.argv, self.environ, self.limits.gone)

    @cached_property
    def orphaned(self) -> tuple[int, float]:
        """A run whose parent is killed: processes left, and seconds until there were none."""
        self.reset()
        return run_orphaned(self.argv, self.environ, self.limits.gone)

    @cached_property
    def at_once(self) -> list[Run]:
        """Many runs at the same time."""
        self.reset()
        return run_at_once(self.argv, self.environ, self.limits.bounded, self.limits.parallel)

    @cached_property
    def stdin_closed(self) -> Run:
        """A run without a descriptor 0."""
        return self._run_through('exec "$@" <&-')

    @cached_property
    def stdin_at_end(self) -> Run:
        """A run whose stdin is a pipe at its end."""
        reader, writer = os.pipe()
        os.close(writer)
        try:
            return self.run(stdin=reader)
        finally:
            os.close(reader)

    @cached_property
    def stdin_open(self) -> Run:
        """A run whose stdin is a socket on which nothing ever comes, as Node gives it."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            return self.run(stdin=theirs.fileno())

    @cached_property
    def stdin_pipe(self) -> tuple[Run, bytes]:
        """A run whose stdin is a pipe with the user's data, and what is in the pipe afterwards."""
        reader, writer = os.pipe()
        os.write(writer, USER_DATA)
        os.close(writer)
        with open(reader, "rb", buffering=0) as file:
            ran = self.run(stdin=reader)
            return ran, file.readall() or b""

    @cached_property
    def stdin_file(self) -> tuple[Run, int]:
        """A run whose stdin is a file with the user's data, and the file's position afterwards."""
        with tempfile.TemporaryFile() as file:
            file.write(USER_DATA)
            file.seek(0)
            ran = self.run(stdin=file.fileno())
            return ran, os.lseek(file.fileno(), 0, os.SEEK_CUR)

    @cached_property
    def through_shell(self) -> Run:
        """A run by ``sh -c LINE``."""
        self.reset()
        return run(["sh", "-c", self.line], self.environ, self.limits.bounded)

    @cached_property
    def commented(self) -> Run:
        """A run with the words of a comment behind the line, as botocore passes them."""
        return self.run("#", "a", "comment")

    @cached_property
    def elsewhere(self) -> Run:
        """A run in a directory that has been removed."""
        return self._run_through('cd "$1" && rmdir "$1" && shift && exec "$@"', tempfile.mkdtemp())

    @cached_property
    def homeless(self) -> Run:
        """A run without HOME."""
        return self.run(environ={name: value for name, value in self.environ.items() if name != "HOME"})

    @cached_property
    def with_profile(self) -> Run:
        """A run in which AWS_PROFILE names a profile that does not exist."""
        return self.run(environ={**self.environ, "AWS_PROFILE": "conformance-caller"})

    @cached_property
    def without_stderr(self) -> Run:
        """A run in which only stdout is there."""
        return self._run_through('exec "$@" <&- 2>&-')

    @cached_property
    def without_streams(self) -> Run:
        """A run in which none is."""
        return self._run_through('exec "$@" <&- >&- 2>&-')

    @cached_property
    def failed(self) -> Run | None:
        """A run of the command that fails."""
        return run(shlex.split(self.failing), self.environ, self.limits.bounded) if self.failing else None

    # Runs on a terminal

    def _on_terminal(self, *, foreground: bool) -> OnTerminal:
        self.reset()
        with Terminal() as terminal:
            before = terminal.attributes()
            terminal.send(USER_DATA)
            terminal.until(lambda: terminal.pending(lines_only=True) == len(USER_DATA), "what was typed")
            job = terminal.start(self.argv, self.environ, stdout="pipe", stderr="pipe", foreground=foreground)
            status: int | None = None
            try:
                terminal.until(
                    lambda: job.status is not None or job.stopped is not None, "the end", self.limits.bounded
                )
                status = job.status
                terminal.drain()
            except AssertionError:  # it goes on and on
                status = None
            kept, front = terminal.attributes() == before, terminal.foreground == terminal.leader
            ran = Run(status, job.stdout.encode(), job.stderr.encode(), 0)
            return OnTerminal(ran, len(USER_DATA), terminal.pending(lines_only=True), kept, front)

    @cached_property
    def in_front(self) -> OnTerminal:
        """A run in the terminal's foreground, stdin the terminal."""
        return self._on_terminal(foreground=True)

    @cached_property
    def behind(self) -> OnTerminal:
        """A run in its background."""
        return self._on_terminal(foreground=False)

    # What may be said

    def shown(self, text: bytes | str, limit: int = 90) -> str:
        """Return the text quoted, on one line, without anything that is or looks like a secret."""
        if isinstance(text, bytes):
            text = text.decode("utf-8", "backslashreplace")
        for secret in self.secrets:
            text = text.replace(secret, "***")
        text = _LOOKS_SECRET.sub("***", text)
        return ascii(text if len(text) <= limit else text[:limit] + "...")

    @cached_property
    def secrets(self) -> list[str]:
        """The secrets of the document and of the environment; the longest first, as one may hold another."""
        values = [
            value for key, value in (self.plain.document or {}).items() if key in {"SecretAccessKey", "SessionToken"}
        ]
        values += [value for name, value in self.environ.items() if re.match(r"AWS_.*(SECRET|SESSION_TOKEN)", name)]
        return sorted((value for value in values if isinstance(value, str) and len(value) >= 8), key=len, reverse=True)
