"""The controlling terminal. All that credproc does to a terminal stands here; this is the whole policy:

- It is ``/dev/tty``, never a standard stream: those are the caller's, who may pipe, drop or never close them.
- Only in its foreground process group; from the background it is not there. SIGTTIN and SIGTTOU are ignored meanwhile,
  so that no moment stops us.
- What is typed is not shown, as with the AWS CLI, unless it is no secret; the line end is, so that the cursor stands at
  the left again.
- Its settings are restored on every way out: return, deadline, INT, TERM, HUP, QUIT, TSTP (and set anew when
  continued), by a watcher process even after KILL. What was typed and not read is flushed: the next shell would get it.
- Text from outside is made inert by who composes it; a line begins at the left and ends in a line end or a prompt.
- Waiting is ``select``: poll and kqueue do not work on a terminal on macOS.
"""

import os
import select
import signal
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from credproc.errors import PersonNeededError, SignalError
from credproc.terminal.watchdog import Attributes, Watcher

_CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP)
_IGNORED = (signal.SIGTTIN, signal.SIGTTOU)
_HANGUP_SECONDS = 0.5  # in which a shell whose window was closed tells its jobs
_LOOK_SECONDS = 0.25  # between looks whether the caller still lives
_SETTLING_LOOKS, _SETTLING_SECONDS = 40, 0.025  # that a killed prompt's watcher gets
_LINE_LIMIT = 4096  # bytes; a terminal in canonical mode gives no longer line
_CONSOLE = "/dev/tty"
_BACKGROUND = "this process runs in the background of its terminal"


class Terminal:
    """The terminal of this process, open, with a watcher that restores it should we be killed."""

    def __init__(self) -> None:
        """Open it; to be done before any thread is started, as the watcher is a fork.

        Raises PersonNeededError, whose message is the reason, where there is none or we are in its background.
        """
        self._fd = _open(os.O_NONBLOCK)
        self._saved: Attributes = []  # the settings as they were before a question
        self._while_asking: Attributes = []
        self._is_hidden = False
        self._watcher = Watcher(self._fd)

    def close(self) -> None:
        """Let go of it; the watcher ends, and restores the settings first where that has failed here."""
        self._watcher.dismiss()
        os.close(self._fd)

    def say(self, line: str) -> None:
        """Write one line."""
        self._write(_whole(line))

    def ask(self, prompt: str, deadline: float, is_wanted: Callable[[], bool], *, shown: bool = False) -> str:
        """Return the line that a person types behind the prompt, unseen unless ``shown``, without its end.

        ``deadline`` is in seconds of ``time.monotonic()``; ``is_wanted`` is asked a few times a second. Raises
        PersonNeededError if none is typed (``cancelled``, ``late``, ``withdrawn``, ``no terminal``), SignalError if a
        signal comes.
        """
        # Now, not when it was opened: another credproc's prompt may have been up then
        self._saved = _settled(self._fd)
        self._while_asking = _hiding(self._saved)
        if shown:
            self._while_asking[3] |= termios.ECHO
        self._watcher.watch(self._saved, self._while_asking)
        with _signals_noted() as noted:
            try:
                self._hide()
                self._write(f"\r{prompt}")
                typed = self._typed(prompt, deadline, is_wanted, noted)
                if not typed.endswith(b"\n"):  # ended by Ctrl-D, which shows nothing
                    self._write("\n")
            except (PersonNeededError, SignalError):
                if self._is_hidden or shown:
                    self._write("\n")
                raise
            finally:
                self._show()
                if not self._is_hidden:  # or else the watcher has it to do
                    self._watcher.rest()
        return typed.decode("utf-8", "replace").rstrip("\r\n")

    def _typed(self, prompt: str, deadline: float, is_wanted: Callable[[], bool], noted: int) -> bytes:
        line = b""
        while True:
            left = deadline - time.monotonic()
            try:
                ready = select.select([self._fd, noted], [], [], max(0.0, min(left, _LOOK_SECONDS)))[0]
            except OSError as error:
                raise _unusable(error) from None
            if noted in ready:
                self._heed(os.read(noted, 1)[0], prompt)
            elif self._fd in ready:
                read = self._read(noted)
                if read == b"" and not line:
                    raise PersonNeededError("cancelled", kind="cancelled")
                line += read or b""
                if read == b"" or line.endswith(b"\n") or len(line) >= _LINE_LIMIT:
                    return line
            elif left <= 0:
                raise PersonNeededError("no code was typed in time", kind="late")
            elif not is_wanted():
                raise PersonNeededError("the program that asked has gone", kind="withdrawn")

    def _read(self, noted: int) -> bytes | None:
        """Return what is there: nothing at all is the end of the input, None that another reader was faster."""
        try:
            read = os.read(self._fd, _LINE_LIMIT)
        except BlockingIOError:
            return None
        except OSError:
            read = b""
        if not read and _is_gone(self._fd):
            if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
                # The shell hands its hangup on a moment later, and that is how the run is to end
                with suppress(OSError):
                    select.select([noted], [], [], _HANGUP_SECONDS)
            raise _closed()
        if not read and not _is_foreground(self._fd):
            raise PersonNeededError(_BACKGROUND)
        return read

    def _heed(self, number: int, prompt: str) -> None:
        """Stop when told to and go on when continued; raise SignalError for any other signal."""
        if number != signal.SIGTSTP:
            raise _ending(number)
        self._show()
        self._write("\n")
        caught = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)  # at this thread: it stops right here
        signal.signal(signal.SIGTSTP, caught)
        if not _is_foreground(self._fd):
            raise PersonNeededError(_BACKGROUND)
        self._hide()
        self._write(f"\r{prompt}")

    def _hide(self) -> None:
        """Take the settings of a question, and drop what was typed before anybody asked."""
        try:
            self._is_hidden = True
            termios.tcsetattr(self._fd, termios.TCSANOW, self._while_asking)
            termios.tcflush(self._fd, termios.TCIFLUSH)
        except termios.error:
            raise _closed() from None

    def _show(self) -> None:
        """Restore the settings, and drop what was typed and not read.

        TCSANOW and a flush, not TCSAFLUSH: that would wait until the output has gone, which Ctrl-S prevents. In the
        background only if the settings are still those of the prompt: the shell may have its own by then.
        """
        if not self._is_hidden:
            return
        try:
            if _is_foreground(self._fd) or termios.tcgetattr(self._fd) == self._while_asking:
                termios.tcsetattr(self._fd, termios.TCSANOW, self._saved)
                self._is_hidden = False
                termios.tcflush(self._fd, termios.TCIFLUSH)
            self._is_hidden = False
        except termios.error:  # hung up: there is nothing left to restore; or else the watcher does it
            pass

    def _write(self, text: str) -> None:
        try:
            os.write(self._fd, text.encode("utf-8", "replace"))
        except OSError:  # hung up, or stopped by Ctrl-S: the answer counts, not the words
            pass


def open_for_child() -> int:
    """Return a descriptor of the terminal for a program of the user's, or raise PersonNeededError as Terminal does.

    One of its own: ours does not block, and that would show through a shared one.
    """
    return _open(0)


def why_not() -> str | None:
    """Return why there is no terminal on which this process could ask, or None: there is one."""
    try:
        os.close(_open(0))
    except PersonNeededError as error:
        return str(error)
    return None


def is_there() -> bool:
    """Whether there is a terminal on which this process could ask."""
    return why_not() is None


def notify(line: str) -> None:
    """Write one line to the terminal, if there is one and we are in its foreground."""
    try:
        fd = _open(os.O_NONBLOCK)
    except PersonNeededError:
        return
    try:
        os.write(fd, _whole(line).encode("utf-8", "replace"))
    except OSError:  # hung up, or stopped by Ctrl-S
        pass
    finally:
        os.close(fd)


def _whole(line: str) -> str:
    """Return the line from the left to its end, on a terminal that is raw too (a caller's editor)."""
    return "\r" + line.replace("\n", "\r\n") + "\r\n"


def session_number() -> int:
    """Return the number of the session that the terminal belongs to: every /dev/tty has the same device number."""
    return os.getsid(0)


def _open(flags: int) -> int:
    try:
        fd = os.open(_CONSOLE, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC | flags)
    except OSError:
        raise PersonNeededError("there is no terminal to ask for it on") from None
    if not _is_foreground(fd):
        os.close(fd)
        raise PersonNeededError(_BACKGROUND)
    return fd


def _is_foreground(fd: int) -> bool:
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False


def _is_gone(fd: int) -> bool:
    try:
        termios.tcgetattr(fd)
    except termios.error:
        return True
    return False


def _settled(fd: int) -> Attributes:
    """Return the terminal's settings; those of a prompt that was killed just now are its watcher's to restore first."""
    try:
        attributes: Attributes = termios.tcgetattr(fd)
        for _ in range(_SETTLING_LOOKS):
            if attributes != _hiding(attributes):
                break
            time.sleep(_SETTLING_SECONDS)
            attributes = termios.tcgetattr(fd)
    except termios.error:
        raise _closed() from None
    return attributes


def _hiding(attributes: Attributes) -> Attributes:
    """Return the settings with which lines are edited and not shown, but for their ends.

    Sound also where the program that called us has made the terminal raw.
    """
    hiding = list(attributes)
    hiding[0] = (hiding[0] | termios.ICRNL) & ~(termios.INLCR | termios.IGNCR)
    hiding[1] |= termios.OPOST | termios.ONLCR
    hiding[3] = (hiding[3] | termios.ICANON | termios.ISIG | termios.ECHONL) & ~termios.ECHO
    return hiding


@contextmanager
def _signals_noted() -> Iterator[int]:
    """Give a descriptor on which the number of each signal can be read that comes meanwhile, instead of its effect.

    What the caller ignores (nohup) stays ignored; what it has blocked, for itself and by inheritance, comes through.
    """
    try:
        reader, writer = os.pipe()
    except OSError as error:
        raise _unusable(error) from None
    try:
        os.set_blocking(writer, False)
        wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    except OSError as error:
        os.close(reader)
        os.close(writer)
        raise _unusable(error) from None
    before = {}
    blocked: set[int] = set()
    try:
        for number in _CAUGHT:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, _note)
        for number in _IGNORED:
            before[number] = signal.signal(number, signal.SIG_IGN)
        blocked = signal.pthread_sigmask(signal.SIG_UNBLOCK, _CAUGHT)
        yield reader
    finally:
        if blocked:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        os.close(writer)
        # A stop that comes just then is dropped: whoever wants it presses the key again
        missed = os.read(reader, 64).replace(bytes([signal.SIGTSTP]), b"")
        os.close(reader)
        if missed:  # between the last key and here
            raise _ending(missed[0])


def _closed() -> PersonNeededError:
    return PersonNeededError("the terminal was closed", kind="withdrawn")


def _unusable(error: OSError) -> PersonNeededError:
    return PersonNeededError(f"the terminal cannot be used: {(error.strerror or 'error').lower()}")


def _ending(number: int) -> SignalError:
    if number in (signal.SIGINT, signal.SIGQUIT):
        return SignalError(number, "cancelled", "cancelled")
    return SignalError(number)


def _note(_number: int, _frame: object) -> None:
    """Do nothing: the number is in the pipe already."""
