r"""A pseudo-terminal with a shell's job control, for programs that talk to the terminal.

    with Terminal() as terminal:
        job = terminal.start([PROGRAM, "get"], home.environ, stdout="pipe")
        terminal.expect("code: ")
        terminal.send("123456\n")
        assert job.outcome() == (0, document, "")

Three processes stand behind it. The keeper is outside of the session; it adopts orphans, as init would, and kills all
descendants when the terminal is closed or the tests have died. The leader is its child: session leader on the terminal
and parent of every job, as a shell without a line editor. It never touches the terminal's attributes, so that what a
job leaves behind is there to be seen. In the tests' process one thread reads all that comes.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import re
import selectors
import socket
import struct
import subprocess
import sys
import threading
import time
import unicodedata
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from tests.program import Outcome

if sys.platform != "win32":  # there, the tests that make a terminal are left out
    import fcntl
    import termios

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typing_extensions import Self

    # terminal: the terminal. pipe: captured, an output only. null: /dev/null. open: a pipe that stays empty and open.
    # closed: no descriptor at all. A number: this descriptor, which stays the caller's.
    Stream: TypeAlias = Literal["terminal", "pipe", "null", "open", "closed"] | int

TIMEOUT = 10.0  # seconds; only a failing test waits so long

# Written into the terminal behind all output, never shown: once it is back, so is what was before it. Control
# characters only, since these leave the kernel's column alone.
_MARK = b"\0\x1e\x1f\x1e\0"

_SHELL = r"""
import ctypes, fcntl, json, os, select, signal, socket, sys, termios

control = socket.socket(fileno=int(sys.argv[1]))
control.set_inheritable(False)


def tell(**event):
    try:
        control.send(json.dumps(event).encode())
    except OSError:  # the tests are gone; the keeper ends all
        pass


def woken_by(*signals):
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in signals:
        signal.signal(number, lambda *_: None)
    return reader


def reaped(options):
    while True:
        try:
            pid, status = os.waitpid(-1, options | os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status


def read_signals(reader):
    try:
        return os.read(reader, 1024)
    except BlockingIOError:
        return b""


def keep():
    woken, poll = woken_by(signal.SIGCHLD), select.poll()
    poll.register(woken, select.POLLIN)
    poll.register(control, 0)  # hang-up only: what is said is for the leader
    hung_up = False
    while not hung_up:
        # With POLLERR beside it where the tests have closed their end without reading all that was said
        hung_up = any(number == control.fileno() and event & select.POLLHUP for number, event in poll.poll())
        read_signals(woken)
        for pid, status in reaped(0):
            tell(pid=pid, status=status)
    while True:
        for pid in descendants():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        select.select([woken], [], [], 0.05)
        read_signals(woken)


def descendants():
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/" + name + "/stat", "rb") as file:
                parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            pass
    found = {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return found - {os.getpid()}
        found |= more


def lead():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)
    woken, groups = woken_by(signal.SIGCHLD, signal.SIGHUP), {}
    tell(leader=os.getpid())
    while True:
        ready = select.select([woken, control], [], [])[0]
        hung_up = signal.SIGHUP in read_signals(woken)
        for pid, status in reaped(os.WUNTRACED | os.WCONTINUED):
            group = groups.get(pid)
            ended = os.WIFEXITED(status) or os.WIFSIGNALED(status)
            if ended:
                groups.pop(pid, None)
            if os.WIFSTOPPED(status) or (ended and group not in groups.values()):
                take_back(group)
            tell(pid=pid, status=status)
        if hung_up:
            for group in set(groups.values()):
                signal_group(group, signal.SIGHUP)
                signal_group(group, signal.SIGCONT)
            return
        if control in ready:
            message, descriptors, _, _ = socket.recv_fds(control, 1 << 20, 3)
            for descriptor in descriptors:  # recv_fds takes the flag MSG_CMSG_CLOEXEC, and drops it
                os.set_inheritable(descriptor, False)
            if not message:
                return
            try:
                obey(groups, descriptors, **json.loads(message))
            except OSError as error:
                tell(failed=str(error))
            for descriptor in descriptors:
                os.close(descriptor)


def take_back(group):
    try:
        if os.tcgetpgrp(0) == group:
            os.tcsetpgrp(0, os.getpgrp())
    except OSError:  # hung up
        pass


def signal_group(group, number):
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass


def obey(groups, descriptors, do, **order):
    if do == "start":
        pid, group = start(descriptors, **order)
        groups[pid] = group
        tell(started=pid, group=group)
        return
    group = order["group"] or os.getpgrp()
    if order["foreground"]:
        os.tcsetpgrp(0, group)
    if do == "resume":
        os.killpg(group, signal.SIGCONT)
    tell(done=do)


def start(descriptors, argv, environ, cwd, foreground, group, streams):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        try:
            os.setpgid(pid, group or pid)
        except OSError:  # the child has executed its program, having done the same
            pass
        failed = os.read(reader, 4096)
        os.close(reader)
        if failed:
            os.waitpid(pid, 0)
            take_back(pid)
            raise OSError(failed.decode())
        return pid, group or pid
    try:
        os.setpgid(0, group)
        if foreground:
            os.tcsetpgrp(0, os.getpgrp())
        for number in (
            *(signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGCHLD),
            *(signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ),
        ):
            signal.signal(number, signal.SIG_DFL)
        terminal = os.dup(0)
        for number, stream in enumerate(streams):
            if stream == "closed":
                os.close(number)
            else:
                os.dup2(terminal if stream == "terminal" else descriptors[stream], number)
        os.chdir(cwd)
        os.execvpe(argv[0], argv, environ)
    except OSError as error:
        os.write(writer, (argv[0] + ": " + str(error)).encode())
    finally:
        os._exit(127)


ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
if os.fork():
    keep()
else:
    lead()
"""


def unbroken(text: str) -> str:
    """Return what is on a terminal without carriage returns, each line whole that was broken between words."""
    return text.replace("\r", "").replace("\n  ", " ")


class Job:
    """A program that was started on the terminal. `stops` are the signals that have stopped it so far."""

    def __init__(self, terminal: Terminal, pid: int, group: int, pipes: Mapping[str, int]) -> None:
        self.pid = pid
        self.group = group
        self.status: int | None = None  # like Popen.returncode: negative for a signal
        self.stops: list[int] = []
        self.stopped: int | None = None
        self._terminal = terminal
        self._pipes = dict(pipes)
        self._captured = {name: bytearray() for name in pipes}

    @property
    def stdout(self) -> str:
        """What came through the pipe so far; after `wait`, all that the program itself has written."""
        return self._captured.get("stdout", b"").decode("utf-8", "backslashreplace")

    @property
    def stderr(self) -> str:
        """The same of stderr."""
        return self._captured.get("stderr", b"").decode("utf-8", "backslashreplace")

    @property
    def state(self) -> str:
        """The letter in /proc/PID/stat, empty when the process is gone."""
        return process_state(self.pid)

    def wait(self, timeout: float = TIMEOUT) -> int:
        """Wait until the program has ended and all its output is here; return its status."""
        self._terminal.until(lambda: self.status is not None, f"the end of {self.pid}", timeout)
        self._terminal.drain()
        assert self.status is not None
        return self.status

    def outcome(self, timeout: float = TIMEOUT) -> Outcome:
        """Wait, and return status, captured stdout and captured stderr."""
        return Outcome(self.wait(timeout), self.stdout, self.stderr)

    def wait_stopped(self, timeout: float = TIMEOUT) -> int:
        """Wait until the program is stopped, and return the signal that did it."""
        self._terminal.until(lambda: self.stopped is not None, f"a stop of {self.pid}", timeout)
        assert self.stopped is not None
        return self.stopped

    def wait_released(self, timeout: float = TIMEOUT) -> None:
        """Wait until no process, be it a grandchild, has the other end of the captured pipes any more."""
        self._terminal.until(lambda: not self._pipes, f"the pipes of {self.pid} to be closed", timeout)

    def close(self, stream: Literal["stdout", "stderr"]) -> None:
        """Close the reading end of a captured pipe, as the death of the reader does."""
        self._terminal.unregister(self, stream)

    def signal(self, number: int) -> None:
        """Send a signal to the process alone."""
        os.kill(self.pid, number)

    def signal_group(self, number: int) -> None:
        """Send a signal to the process group."""
        os.killpg(self.group, number)

    def resume(self, *, foreground: bool = True) -> None:
        """Continue the group after a stop: as `fg` does, or as `bg`."""
        self.stopped = None
        self._terminal.order("resume", group=self.group, foreground=foreground)

    # What the terminal's thread calls

    def note(self, status: int) -> None:
        """Take a status as waitpid reports it."""
        if os.WIFSTOPPED(status):
            self.stopped = os.WSTOPSIG(status)
            self.stops.append(self.stopped)
        elif os.WIFCONTINUED(status):
            self.stopped = None
        else:
            for name in tuple(self._pipes):
                while self.read(name):
                    pass
            self.status = os.waitstatus_to_exitcode(status)

    def read(self, stream: str) -> bool:
        """Read what is in the pipe, and close it at its end; False when nothing was there."""
        if stream not in self._pipes:
            return False
        try:
            data = os.read(self._pipes[stream], 65536)
        except BlockingIOError:
            return False
        self._captured[stream] += data
        if not data:
            self._terminal.forget(self._pipes.pop(stream))
        return bool(data)

    def release(self, stream: str | None = None) -> None:
        """Close one captured pipe, or all."""
        for name in tuple(self._pipes):
            if stream in {name, None}:
                self._terminal.forget(self._pipes.pop(name))


class Terminal:
    """The terminal. Its methods are for one thread. `made` are those of this process, for whoever looks back."""

    made: ClassVar[list[Terminal]] = []

    def __init__(self, rows: int = 24, columns: int = 80) -> None:
        self.made.append(self)
        self.columns = columns
        self.jobs: list[Job] = []
        self.leader = 0  # the session leader's pid
        self._output = bytearray()
        self._seen = 0  # how much of the transcript `expect` has gone past
        self._marks = 0
        self._news = threading.Condition()
        self._answers: list[dict[str, Any]] = []
        self._starting: dict[str, int] = {}
        self._held: list[int] = []  # the other ends of pipes that stay open
        self._tasks: list[Callable[[], None]] = []
        self._master, self._slave = os.openpty()  # which does not make it the tests' own terminal
        # An open file of its own: O_NONBLOCK on the first one would be the programs' as well.
        self._marker = os.open(os.ttyname(self._slave), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        self.resize(rows, columns)
        os.set_blocking(self._master, False)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _SHELL, str(theirs.fileno())],
                stdin=self._slave,
                stdout=self._slave,
                stderr=self._slave,
                cwd="/",
                env={},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._wake, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._master, selectors.EVENT_READ, self._read_master)
        self._selector.register(self._control, selectors.EVENT_READ, self._read_control)
        self._selector.register(self._woken, selectors.EVENT_READ, self._read_tasks)
        self._running = True
        self._thread = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._thread.start()
        self.until(lambda: self.leader > 0, "the session's leader")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._stop)
        self._thread.join()
        self._control.close()  # which ends the keeper, and that ends all others
        for job in self.jobs:
            job.release()
        self._selector.close()
        self._wake.close()
        self._woken.close()
        for descriptor in (self._master, self._slave, self._marker, *self._held):
            if descriptor >= 0:
                os.close(descriptor)
        self._keeper.wait(TIMEOUT)

    # Programs

    def start(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str] | None = None,
        *,
        foreground: bool = True,
        group: Job | None = None,
        stdin: Stream = "terminal",
        stdout: Stream = "terminal",
        stderr: Stream = "terminal",
        cwd: str = "/",
    ) -> Job:
        """Start a program in a process group of its own, or in that of another job; return once it is executed."""
        ends: list[int] = []
        ours: list[int] = []
        streams: list[str | int] = []
        self._starting = {}
        try:
            for name, stream in (("stdin", stdin), ("stdout", stdout), ("stderr", stderr)):
                if stream in {"terminal", "closed"}:
                    streams.append(stream)
                    continue
                streams.append(len(ends))
                if isinstance(stream, int):
                    ends.append(stream)
                else:
                    ours.append(self._open(name, stream))
                    ends.append(ours[-1])
            self.order(
                "start",
                ends,
                argv=list(argv),
                environ=dict(os.environ if environ is None else environ),
                cwd=cwd,
                foreground=foreground,
                group=group.group if group else 0,
                streams=streams,
            )
        finally:
            for end in ours:
                os.close(end)
        return self.jobs[-1]

    def _open(self, name: str, stream: str) -> int:
        """Return the job's end of this stream."""
        assert stream in ({"null", "open"} if name == "stdin" else {"null", "open", "pipe"}), f"{name} as {stream}"
        if stream == "null":
            return os.open(os.devnull, os.O_RDWR)
        reader, writer = os.pipe()
        end, other = (reader, writer) if name == "stdin" else (writer, reader)
        if stream == "pipe":
            os.set_blocking(other, False)
            self._starting[name] = other
        else:
            self._held.append(other)
        return end

    def order(self, do: str, descriptors: Sequence[int] = (), **order: object) -> None:
        """Have the leader do something, and wait until it has; raise OSError where it could not."""
        self._answers.clear()
        socket.send_fds(self._control, [json.dumps({"do": do, **order}).encode()], descriptors)
        self.until(lambda: bool(self._answers), f"the leader's {do}")
        answer = self._answers.pop()
        if "failed" in answer:
            for pipe in self._starting.values():
                os.close(pipe)
            self._starting = {}
            raise OSError(answer["failed"])

    @property
    def foreground(self) -> int:
        """The foreground process group; the leader's own when no job is in front."""
        return os.tcgetpgrp(self._master)

    def give(self, job: Job | None) -> None:
        """Make a job the foreground without continuing it, or the leader."""
        self.order("give", group=job.group if job else 0, foreground=True)

    def survivors(self) -> list[int]:
        """Return the processes that came from jobs and still run, daemons included, zombies not."""
        parents = {int(name): _stat(int(name)) for name in os.listdir("/proc") if name.isdigit()}
        family = {self._keeper.pid}
        while True:
            more = {pid for pid, stat in parents.items() if stat and int(stat[1]) in family} - family
            if not more:
                break
            family |= more
        return sorted(pid for pid in family - {self._keeper.pid, self.leader} if process_state(pid) not in {"", "Z"})

    # The keyboard

    def send(self, text: str | bytes) -> None:
        r"""Type it. A line ends in `\n`; control characters are what their keys send."""
        data = text.encode() if isinstance(text, str) else text
        end = time.monotonic() + TIMEOUT
        while data:
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                assert time.monotonic() < end, f"the terminal takes no more input\n{self.shown()}"
                time.sleep(0.01)

    def resize(self, rows: int, columns: int) -> None:
        """Change the window's size, which sends SIGWINCH to the foreground."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.columns = columns

    def hangup(self) -> None:
        """Close the terminal's window. The leader hands SIGHUP on to its jobs and ends; to read and write fails."""
        self.drain()
        self._do(self._close_master)

    # The screen

    @property
    def transcript(self) -> bytes:
        """All that was written to the terminal so far, echo included."""
        with self._news:
            return bytes(self._output).replace(_MARK, b"")

    @property
    def unseen(self) -> str:
        """What was written after the last text that was expected."""
        return self.transcript[self._seen :].decode("utf-8", "backslashreplace")

    def expect(self, text: str, timeout: float = TIMEOUT) -> str:
        """Wait until the text comes after the last one that was expected; return what was between the two.

        A line of it may be broken between words there, as credproc breaks what is too long.
        """
        wanted = re.compile(rb"(?: |[\r\n]+  )".join(map(re.escape, text.encode().split(b" "))))
        self.until(lambda: wanted.search(self.transcript, self._seen) is not None, f"the text {text!a}", timeout)
        transcript = self.transcript
        found = wanted.search(transcript, self._seen)
        assert found is not None
        between = transcript[self._seen : found.start()].decode("utf-8", "backslashreplace")
        self._seen = found.end()
        return between

    def drain(self) -> None:
        """Wait until all that has been written to the terminal is in the transcript."""
        length, end = -1, 0.0
        while self._master >= 0:
            try:
                os.write(self._marker, _MARK)
                break
            except BlockingIOError:
                if len(self._output) != length:
                    length, end = len(self._output), time.monotonic() + 0.3
                elif time.monotonic() > end:  # not full, but held by a Ctrl-S: nothing is on its way
                    return
                time.sleep(0.01)
        self._marks += 1
        self.until(lambda: self._master < 0 or bytes(self._output).count(_MARK) >= self._marks, "output to arrive")

    def column(self) -> int:
        """Return the cursor's column, 0 to `columns` - 1 (or `columns`, when the next character wraps)."""
        self.drain()
        return column_after(self.transcript.decode("utf-8", "replace"), self.columns)

    def shown(self) -> str:
        """Return the transcript without a character that would act on another terminal, and what the jobs do."""
        lines = self.transcript.decode("utf-8", "backslashreplace").splitlines(keepends=True)
        jobs = (f"{job.pid}: status {job.status}, stops {job.stops}, state {job.state or 'gone'}" for job in self.jobs)
        return "\n".join(["the terminal:", *(f"  {line!a}" for line in lines), "the jobs:", *jobs])

    # The line discipline

    @property
    def name(self) -> str:
        """The path of its device."""
        return os.ttyname(self._slave)

    def attributes(self) -> list[Any]:
        """Return the terminal's attributes (termios.tcgetattr), comparable by ==."""
        return termios.tcgetattr(self._slave)

    @property
    def echo(self) -> bool:
        """Whether what is typed is shown."""
        return bool(self.attributes()[3] & termios.ECHO)

    def pending(self, *, lines_only: bool = False) -> int:
        """Return how many typed bytes wait for a reader.

        To count an unfinished line takes leaving canonical mode for a moment, after which the kernel hands it out as
        if it were finished, and wakes who reads: ask when the program is done, or for `lines_only`, which is harmless.
        What was sent is not in the queue at once: for a count above 0, try again (`until`).
        """
        attributes = termios.tcgetattr(self._slave)
        if lines_only or not attributes[3] & termios.ICANON:
            return self._readable()
        raw = termios.tcgetattr(self._slave)
        raw[3] &= ~termios.ICANON
        termios.tcsetattr(self._slave, termios.TCSANOW, raw)
        try:
            return self._readable()
        finally:
            termios.tcsetattr(self._slave, termios.TCSANOW, attributes)

    def _readable(self) -> int:
        count = array.array("i", [0])
        fcntl.ioctl(self._slave, termios.FIONREAD, count)
        return count[0]

    # Waiting

    def until(self, condition: Callable[[], bool], what: str = "it", timeout: float = TIMEOUT) -> None:
        """Wait until the condition holds; raise AssertionError, with the transcript, after these seconds."""
        end = time.monotonic() + timeout
        with self._news:
            while not condition():
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"waited {timeout:g} s for {what}; {self.shown()}")
                self._news.wait(min(left, 0.05))  # conditions may look at more than what comes through the thread

    # The thread

    def _read(self) -> None:
        while self._running:
            for key, _ in self._selector.select():
                with self._news:
                    key.data()
                    self._news.notify_all()

    def _read_master(self) -> None:
        if self._master >= 0:
            with contextlib.suppress(BlockingIOError):
                self._output += os.read(self._master, 65536)

    def _read_control(self) -> None:
        message = self._control.recv(65536)
        if not message:
            self._selector.unregister(self._control)
            return
        event = json.loads(message)
        if "status" in event:
            for job in self.jobs:
                if job.pid == event["pid"] and job.status is None:
                    job.note(event["status"])
            return
        if "leader" in event:
            self.leader = event["leader"]
            return
        if "started" in event:
            job = Job(self, event["started"], event["group"], self._starting)
            for name, pipe in self._starting.items():
                self._selector.register(pipe, selectors.EVENT_READ, lambda name=name: job.read(name))
            self._starting = {}
            self.jobs.append(job)
        self._answers.append(event)

    def _read_tasks(self) -> None:
        self._woken.recv(1)
        self._tasks.pop(0)()

    def _do(self, task: Callable[[], None]) -> None:
        """Have the thread do it: a descriptor that it waits for is not closed under it."""
        with self._news:
            self._tasks.append(task)
            self._wake.send(b"\0")
        self.until(lambda: task not in self._tasks, "the reading thread")

    def _stop(self) -> None:
        self._running = False

    def _close_master(self) -> None:
        if self._master >= 0:
            self._selector.unregister(self._master)
            os.close(self._master)
        self._master = -1

    def unregister(self, job: Job, stream: str) -> None:
        """Close a job's pipe."""
        self._do(lambda: job.release(stream))

    def forget(self, pipe: int) -> None:
        """Close a pipe that is read no more; the thread's own, or after its end."""
        self._selector.unregister(pipe)
        os.close(pipe)


def column_after(text: str, columns: int = 80) -> int:
    """Return the cursor's column after this text on a terminal so wide; escape sequences count as nothing."""
    column = 0
    position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if character == "\r":
            column = 0
        elif character == "\b":
            column = max(0, min(column, columns - 1) - 1)
        elif character == "\t":
            column = min((column // 8 + 1) * 8, columns - 1)
        elif character == "\x1b":
            position = _after_escape(text, position)
        elif unicodedata.category(character) not in {"Cc", "Cf", "Mn", "Me"}:
            width = 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
            column = width if column + width > columns else column + width
    return column


def _after_escape(text: str, position: int) -> int:
    """Return where the sequence ends whose ESC stands before the position."""
    introducer = text[position : position + 1]
    position += 1
    if introducer == "[":
        while position < len(text) and not "@" <= text[position] <= "~":
            position += 1
        return position + 1
    if introducer and introducer in "]P^_X":
        while position < len(text) and text[position] not in "\a\x1b":
            position += 1
        return position + (2 if text[position : position + 2] == "\x1b\\" else 1)
    return position


def process_state(pid: int) -> str:
    """Return the letter of a process's state (R, S, T for stopped, Z, …), empty when there is no such process."""
    return (_stat(pid) or [""])[0]


def process_name(pid: int) -> str:
    """Return the name of the program that a process runs, empty when there is no such process."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n")
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat behind the program's name, state first; nothing for no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []
