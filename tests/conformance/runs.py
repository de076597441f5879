"""One run of a program as an SDK would start it, without a terminal, and what it left: bytes, times, processes."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import select
import selectors
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BOM = b"\xef\xbb\xbf"
_MARK = "CONFORMANCE_RUN"  # a variable by which a run's processes are known, whoever has adopted them
_GRACE = 0.5  # seconds after the exit in which what was written has to be here, and the streams released


class Run(NamedTuple):
    """What a run left. ``status`` is negative for a signal, and None where the limit has ended it."""

    status: int | None
    stdout: bytes
    stderr: bytes
    seconds: float  # to the exit
    lingered: float = 0.0  # seconds from the end of stdout to the exit
    held: bool = False  # a process that outlives the run has its stdout or stderr
    left: int = 0  # processes that had to be killed

    @property
    def document(self) -> dict[str, Any] | None:
        """The JSON object on stdout of a run that succeeded, be its form good or bad; None where there is none."""
        return as_object(self.stdout) if self.status == 0 else None


class Started:
    """A program in a session of its own, its stdout and stderr captured."""

    def __init__(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        *,
        stdin: int = subprocess.DEVNULL,
        stdout: int | None = None,
        cwd: str = "/",
    ) -> None:
        """Start it; ``stdout`` is a descriptor that the caller reads in place of this object."""
        self._mark = secrets.token_hex(8)
        self._ends: dict[str, int] = {}
        theirs: dict[str, int] = {}
        for name in ("stdout", "stderr") if stdout is None else ("stderr",):
            self._ends[name], theirs[name] = os.pipe()
        self._began = time.monotonic()
        try:
            self.process = subprocess.Popen(
                argv,
                stdin=stdin,
                stdout=theirs.get("stdout", stdout),
                stderr=theirs["stderr"],
                cwd=cwd,
                env={**environ, _MARK: self._mark},
                start_new_session=True,
            )
        except OSError:
            for end in self._ends.values():
                os.close(end)
            raise
        finally:
            for end in theirs.values():
                os.close(end)

    def living(self) -> list[int]:
        """Return the pids of all processes of this run."""
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if self._is_ours(pid)]

    def _is_ours(self, pid: int) -> bool:
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                return f"{_MARK}={self._mark}".encode() in file.read().split(b"\0")
        except OSError:
            return False

    def outcome(self, limit: float) -> Run:
        """Wait for the end, ``limit`` seconds from the start at most, and end whatever is left."""
        captured = {name: bytearray() for name in ("stdout", "stderr")}
        ended: dict[str, float] = {}
        with selectors.DefaultSelector() as selector:
            pidfd = os.pidfd_open(self.process.pid)
            selector.register(pidfd, selectors.EVENT_READ, "exit")
            for name, end in self._ends.items():
                selector.register(end, selectors.EVENT_READ, name)
            while selector.get_map():
                until = ended["exit"] + _GRACE if "exit" in ended else self._began + limit
                ready = selector.select(max(0.0, until - time.monotonic()))
                if not ready:
                    break
                for key, _ in ready:
                    data = os.read(key.fd, 65536) if key.data != "exit" else b""
                    if data:
                        captured[key.data] += data
                    else:
                        ended[key.data] = time.monotonic()
                        selector.unregister(key.fd)
            held = "exit" in ended and any(name not in ended for name in self._ends)
        # Who has closed both streams and stays is a daemon, and no concern of a caller that has got its answer
        answered = "exit" in ended and "stdout" in ended and not held
        left = 0 if answered else self._end_all(_GRACE if "exit" in ended and not held else 0)
        self.process.wait()
        for end in (pidfd, *self._ends.values()):
            os.close(end)
        exit_time = ended.get("exit", time.monotonic())
        return Run(
            self.process.returncode if "exit" in ended else None,
            bytes(captured["stdout"]),
            bytes(captured["stderr"]),
            exit_time - self._began,
            max(0.0, exit_time - ended.get("stdout", exit_time)),
            held,
            left,
        )

    def has_ended(self) -> bool:
        """Tell whether the program has ended, and leave its status to be waited for."""
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _end_all(self, grace: float) -> int:
        """Kill what lives on after ``grace`` seconds; return how many there were beside the program itself."""
        killed = {self.process.pid}
        end = time.monotonic() + grace
        while living := self.living():
            for pid in living if time.monotonic() >= end else ():
                killed.add(pid)
                _kill(pid)
            time.sleep(0.01)
        return len(killed) - 1


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def as_object(data: bytes) -> dict[str, Any] | None:
    """Return the JSON object that these bytes are, white space and a BOM aside; None where they are something else."""
    try:
        found = json.loads(data.removeprefix(BOM).decode().strip())  # of bytes, json would guess the encoding
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def run(
    argv: Sequence[str],
    environ: Mapping[str, str],
    limit: float,
    *,
    stdin: int = subprocess.DEVNULL,
    cwd: str = "/",
) -> Run:
    """Run a program to its end, ``limit`` seconds at most."""
    return Started(argv, environ, stdin=stdin, cwd=cwd).outcome(limit)


def run_counted(argv: Sequence[str], environ: Mapping[str, str], limit: float) -> tuple[Run, list[int]]:
    """Run a program and return also the sizes in bytes of its writes to stdout.

    stdout is a socket of packets, and a packet is a write: the kernel counts, no tracer is needed.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            started = Started(argv, environ, stdout=theirs.fileno())
        ran = started.outcome(limit)
        packets = []
        while packet := ours.recv(1 << 20):
            packets.append(packet)
    return ran._replace(stdout=b"".join(packets)), [len(packet) for packet in packets]


def run_read_slowly(argv: Sequence[str], environ: Mapping[str, str], limit: float) -> Run:
    """Run a program whose stdout is a full pipe of one page, from which nobody reads for a while, and then slowly."""
    reader, writer = os.pipe()
    try:
        filled = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        os.write(writer, b"-" * filled)
        started = Started(argv, environ, stdout=writer)
    finally:
        os.close(writer)
    time.sleep(_SLOW)
    data = bytearray()
    os.set_blocking(reader, False)
    end = time.monotonic() + limit
    while time.monotonic() < end and select.select([reader], [], [], max(0.0, end - time.monotonic()))[0]:
        piece = os.read(reader, 512)
        if not piece:
            break
        data += piece
        time.sleep(0.002)
    ran = started.outcome(limit)
    os.close(reader)
    return ran._replace(stdout=bytes(data[filled:]))


_SLOW = 0.3  # seconds in which nothing is read


def run_unread(argv: Sequence[str], environ: Mapping[str, str], limit: float) -> Run:
    """Run a program whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    gone = select.poll()
    gone.register(writer, 0)
    gone.poll(limit * 1000)  # a child of another thread has it too, until that has loaded its own program
    try:
        started = Started(argv, environ, stdout=writer)
    finally:
        os.close(writer)
    return started.outcome(limit)


def run_orphaned(argv: Sequence[str], environ: Mapping[str, str], limit: float) -> tuple[int, float]:
    """Run a program under a shell that is killed when the program has run for 0.2 s, as Go kills it.

    Return how many processes are left after ``limit`` seconds, and the seconds until there were none.
    """
    started = Started(["sh", "-c", '"$@"; :', "sh", *argv], environ)
    began = time.monotonic()
    while len(started.living()) < 2 and not started.has_ended() and time.monotonic() - began < limit:
        time.sleep(0.01)
    time.sleep(0.2)
    _kill(started.process.pid)
    began = time.monotonic()
    while len(started.living()) and time.monotonic() - began < limit:
        time.sleep(0.02)
    seconds = time.monotonic() - began
    return started.outcome(0).left, seconds


def run_at_once(argv: Sequence[str], environ: Mapping[str, str], limit: float, number: int) -> list[Run]:
    """Start a program ``number`` times before the first one is waited for."""
    all_started = [Started(argv, environ) for _ in range(number)]
    return [started.outcome(limit) for started in all_started]
