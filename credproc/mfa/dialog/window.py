"""The window of a program, with the interface of the terminal: asked until a deadline, withdrawn, never left behind."""

import sys

assert sys.platform != "win32"  # by this mypy knows that the module is not for Windows

import os
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence

from credproc.errors import PersonNeededError
from credproc.mfa.dialog.keeper import Keeper, Order
from credproc.mfa.dialog.programs import Installed
from credproc.mfa.dialog.question import NoWindowError, Question, cancelled, late
from credproc.terminal.signals import catch_signals, ending, stop_here

_POLL_SECONDS = 0.25  # between checks whether the caller still waits
_OUTPUT_LIMIT = 4096  # bytes; a code is six of them
_SENT_BY_PEOPLE = (signal.SIGTERM, signal.SIGKILL, signal.SIGHUP, signal.SIGINT)


class Window:
    """Asks in a window of the first program that can show one."""

    def __init__(self, programs: Sequence[Installed], environ: Mapping[str, str]) -> None:
        """Take the programs and their environment. Call this before any thread starts: the keeper is a fork.

        Raises PersonNeededError, whose message is the reason, if no process can be started.
        """
        self._programs = list(programs)
        self._environ = environ
        self._remarks: list[str] = []
        self._keeper = Keeper()

    def close(self) -> None:
        """Close it."""
        self._keeper.close()

    def say(self, line: str) -> None:
        """Show the line with the next question."""
        self._remarks.append(line)

    def ask(self, prompt: str, deadline: float, withdrawal: Callable[[], str | None]) -> str:
        """Show the prompt and return what a person types; arguments and errors are those of ``terminal.Terminal``."""
        question = Question.of(self._remarks, prompt)
        self._remarks = []
        reason = "no window can be shown"
        while self._programs:
            try:
                typed = self._ask(self._programs[0], question, deadline, withdrawal)
            except NoWindowError as error:
                reason = f"{self._programs.pop(0).name} shows no window: it {error}"
                continue
            if typed is None:
                raise cancelled()
            return typed
        raise PersonNeededError(reason, kind="no window")

    def _ask(
        self, program: Installed, question: Question, deadline: float, withdrawal: Callable[[], str | None]
    ) -> str | None:
        kind = program.kind
        environ = {name: value for name, value in self._environ.items() if name not in kind.removed}
        with catch_signals() as signals:
            self._keeper.start(
                Order(program.path, kind.arguments(question), environ | dict(kind.variables), kind.stdin(question))
            )
            try:
                output = self._wait(deadline, withdrawal, signals)
            except BaseException:
                self._keeper.kill()
                self._keeper.status()  # the window has gone once this returns
                self._read()
                raise
        status = self._keeper.status()
        output += self._read()
        if -status in _SENT_BY_PEOPLE:
            return None
        return kind.answer(status, output.decode("utf-8", "replace"))

    def _wait(self, deadline: float, withdrawal: Callable[[], str | None], signals: int) -> bytes:
        """Wait until the program has ended; return what it has printed so far."""
        output = b""
        while True:
            left = deadline - time.monotonic()
            watched = [self._keeper.events, self._keeper.typed, signals]
            ready = select.select(watched, [], [], max(0.0, min(left, _POLL_SECONDS)))[0]
            if signals in ready:
                _handle_signal(os.read(signals, 1)[0])
            elif self._keeper.events in ready:
                return output
            elif self._keeper.typed in ready:
                output = (output + self._read())[:_OUTPUT_LIMIT]
            elif left <= 0:
                raise late()
            elif (reason := withdrawal()) is not None:
                raise PersonNeededError(reason, kind="withdrawn")

    def _read(self) -> bytes:
        try:
            return os.read(self._keeper.typed, _OUTPUT_LIMIT)
        except BlockingIOError:
            return b""


def _handle_signal(number: int) -> None:
    """Stop on SIGTSTP, with the window up, until continued; raise SignalError for any other signal."""
    if number != signal.SIGTSTP:
        raise ending(number)
    stop_here()
