"""Starts a program under ptrace, and lists its system calls or does something at one of them.

    python -I -S tracer.py LOG list [BUT ...] -- PROGRAM ...
    python -I -S tracer.py LOG signal=9 THREAD NUMBER CALL ABOUT -- PROGRAM ...
    python -I -S tracer.py LOG error=5 THREAD NUMBER CALL ABOUT -- PROGRAM ...
    python -I -S tracer.py LOG storm=4 -- PROGRAM ...
    python -I -S tracer.py LOG pause=FILE ABOUT CALL ... -- PROGRAM ...

The program takes the place of this process, so that parent, group and terminal are its own; a grandchild traces it, as
`strace -D` does. What strace cannot do is to name a call of a thread: its `when=K` counts in each thread by itself,
and the first of them that has made K such calls is hit, which is mostly the one that has started Python. Here a call's
name is its thread (`0.3.1` is the first that the third has made which the first has made), its system call, what that
is about (a path, a descriptor's), and how many of the same there were before it; so what is hit is what was meant, or
nothing is, and the log says which.

Listed are the calls from when the main module is opened. At a pause a line goes into the log, and the thread goes on
when the file has as many bytes as there were pauses. A seccomp filter stops the program at the calls that are looked
for alone, before they are made; it needs x86-64.
"""

import ctypes
import os
import re
import signal
import struct
import sys
import time

SEIZE, INTERRUPT, LISTEN, CONTINUE, POKE_USER, GET_EVENT, GET_SYSCALL = 0x4206, 0x4207, 0x4208, 7, 6, 0x4201, 0x420E
OPTIONS = 2 | 4 | 8 | 128  # follow fork, vfork and clone; stop where the filter says so
MADE, CALLED, STOPPED = (1, 2, 3), 7, 128  # PTRACE_EVENT_FORK, VFORK, CLONE; SECCOMP; STOP
ALL = 0x40000000  # __WALL
ANY = "*"  # in the place of a thread, where any may be the one
RAX, ORIG_RAX = 10 * 8, 15 * 8  # in struct user
NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2
LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # of BPF
STOP, ALLOW = 0x7FF00000, 0x7FFF0000  # SECCOMP_RET_TRACE, ALLOW
PATH_BYTES = 4096
STARTS = re.compile(r"/credproc/(__pycache__/)?cli\.|/\.cache/credproc$")  # main module, or what it opens first
VARYING = ("/tmp/fault-", "/proc/", "/dev/pts/", "socket:", "pipe:")  # noqa: S108 - names only
SLOW = re.compile(r"^(socket|pipe):|^/dev/(tty|pts)|^stdout$")
NAMES = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"

# What a call is about: the descriptor in its first argument, the path in its first, or that in its second
BY_FD = frozenset(
    "read write pread64 pwrite64 readv writev lseek close fstat fsync fdatasync flock ioctl fcntl getdents64 ftruncate"
    " fchmod fchown dup dup2 dup3 connect bind sendto recvfrom sendmsg recvmsg shutdown getsockopt setsockopt"
    " getsockname getpeername".split()
)
BY_PATH = frozenset("open stat lstat access readlink unlink rename mkdir rmdir execve chdir statfs".split())
BY_DIRECTORY = frozenset(
    "openat newfstatat unlinkat mkdirat readlinkat faccessat faccessat2 statx renameat renameat2".split()
)
STORM = (  # what a signal may interrupt (signal(7)), and openat, by which the main module's opening is seen;
    # not connect, which goes on when it is interrupted, and would have to be made
    "openat read write sendto recvfrom sendmsg recvmsg poll pselect6 wait4 fsync flock".split()
)
WITH_NUMBER = frozenset(("ioctl", "fcntl", "flock"))  # the second argument says what is done
BY_NUMBER = frozenset(("rt_sigaction", "kill", "tgkill", "prctl", "prlimit64", "umask", "socket"))


class Syscall(ctypes.Structure):
    """struct ptrace_syscall_info, as far as an entry has it."""

    _fields_ = (
        ("op", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("place", ctypes.c_uint64 * 2),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
    )


libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
libc.ptrace.restype = ctypes.c_long


def ptrace(request: int, thread: int, address: int = 0, data: "int | object" = 0) -> bool:
    """Make the request; return whether the thread was still there for it."""
    return bool(libc.ptrace(request, thread, address, data) != -1)


def names() -> "dict[int, str]":
    """Return the names of the system calls by their numbers."""
    with open(NAMES, encoding="ascii") as file:
        return {int(number): name for name, number in re.findall(r"#define __NR_(\w+) (\d+)", file.read())}


def install(named: "list[int]", *, these: bool) -> None:
    """Let this process, and all that comes of it, stop before these calls, or else before all but these."""
    checks = [(IF_EQUAL, len(named) - place, 0, number) for place, number in enumerate(named)]
    ends = [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, STOP)]
    code = [(LOAD, 0, 0, 0), *checks, *(ends if these else ends[::-1])]
    packed = b"".join(struct.pack("HBBI", *instruction) for instruction in code)
    instructions = ctypes.create_string_buffer(packed)
    program = struct.pack("HP", len(code), ctypes.addressof(instructions))
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if libc.prctl(SET_SECCOMP, FILTER, ctypes.create_string_buffer(program), 0, 0) != 0:
        os._exit(126)


class Tracer:
    """Follows a process and all that comes of it."""

    def __init__(self, log: int, action: str, point: "tuple[str, ...]") -> None:
        self.log = log
        self.action, _, self.value = action.partition("=")
        self.point = point
        self.names = names()
        self.threads: dict[int, str] = {}  # their names
        self.made: dict[int, int] = {}  # how many each has made
        self.stops: dict[int, int] = {}  # the status of those that have stopped; of a new one until its maker has
        self.counts: dict[tuple[str, ...], int] = {}
        self.started = False
        self.done = False
        self.pauses = 0

    def follow(self) -> None:
        """Trace until all have ended."""
        while True:
            try:
                thread, status = os.waitpid(-1, ALL)
            except ChildProcessError:
                return
            if os.WIFSIGNALED(status):  # whoever has made one may not be able to say so any more
                self.threads.update(dict.fromkeys(self.stops, ANY))
            elif os.WIFSTOPPED(status):
                self.stops[thread] = status
            while known := [thread for thread in self.stops if thread in self.threads]:
                for thread in known:
                    status = self.stops.pop(thread)
                    self.stopped(thread, os.WSTOPSIG(status), status >> 16)

    def stopped(self, thread: int, number: int, event: int) -> None:
        """Deal with a stop, and let the thread go on."""
        if event in MADE:
            made = ctypes.c_ulong()
            ptrace(GET_EVENT, thread, 0, ctypes.addressof(made))
            self.made[thread] = self.made.get(thread, 0) + 1
            self.threads[made.value] = f"{self.threads[thread]}.{self.made[thread]}"
        elif event == CALLED and not self.done:
            self.called(thread)
        if event == STOPPED and number != signal.SIGTRAP:
            ptrace(LISTEN, thread)  # stopped as jobs are, until it is continued
        else:
            ptrace(CONTINUE, thread, 0, 0 if event else number)

    def called(self, thread: int) -> None:
        """Look at a call that is about to be made."""
        info = Syscall()
        ptrace(GET_SYSCALL, thread, ctypes.sizeof(info), ctypes.addressof(info))
        call, name = self.names.get(info.number, str(info.number)), self.threads[thread]
        if self.action in ("signal", "error") and self.point[0] != name:
            if self.point[0] != ANY:
                return
            name = ANY
        about = self.about(thread, call, info.arguments)
        number = self.counts.get((name, call, about), 0)
        self.counts[name, call, about] = number + 1
        self.started = self.started or (call == "openat" and bool(STARTS.search(about)))
        self.met(thread, (name, str(number), call, about))

    def met(self, thread: int, name: "tuple[str, ...]") -> None:
        """Do what is to be done at this call."""
        if self.action == "list":
            if self.started:
                self.note(name)
        elif self.action == "storm":
            if int(name[1]) % 2 == 0 and self.started and waits(name):
                self.fail(thread)
        elif self.action == "pause":
            if self.started and self.point[0] in name[3]:
                self.note(name)
                self.pauses += 1
                while os.stat(self.value).st_size < self.pauses:
                    time.sleep(0.002)
        elif name == self.point:
            self.note(name)
            self.done = True
            if self.action == "signal":
                os.kill(process_of(thread), int(self.value))
            else:
                self.fail(thread)

    def fail(self, thread: int) -> None:
        """Let the call fail, without being made."""
        ptrace(POKE_USER, thread, ORIG_RAX, -1)
        ptrace(POKE_USER, thread, RAX, -int(self.value))

    def note(self, name: "tuple[str, ...]") -> None:
        """Write a call's name into the log."""
        os.write(self.log, ("\t".join(name) + "\n").encode("utf-8", "surrogateescape"))

    def about(self, thread: int, call: str, arguments: "ctypes.Array[ctypes.c_uint64]") -> str:
        """Return what a call is about, without what differs from run to run."""
        if call in BY_FD:
            more = f" {arguments[1]:x}" if call in WITH_NUMBER else ""
            return same(descriptor(thread, arguments[0])) + more
        if call in BY_PATH:
            return same(text(thread, arguments[0]))
        if call in BY_DIRECTORY:
            path = text(thread, arguments[1])
            if path.startswith("/"):
                return same(path)
            return same(f"{descriptor(thread, arguments[0])}/{path}" if path else descriptor(thread, arguments[0]))
        return f"{arguments[0]:x}" if call in BY_NUMBER else ""


def waits(name: "tuple[str, ...]") -> bool:
    """Whether a signal may interrupt this call: reads of files on a disk cannot be (signal(7))."""
    return name[2] in ("poll", "pselect6", "wait4", "fsync", "flock") or bool(SLOW.search(name[3]))


def same(about: str) -> str:
    """Return it without numbers, random names, and where the case is played."""
    if not about.startswith(VARYING):
        return about
    about = re.sub(r"^/tmp/fault-[^/]+", "", about)
    about = re.sub(r"[0-9a-f]{16,}|\d+-[0-9a-f]{8}\b|(?<=/terminal-)[0-9a-f]{2}", "#", about)
    return re.sub(r"\d+", "#", re.sub(r"[\t\n]", " ", about))


def descriptor(thread: int, number: int) -> str:
    """Return what a thread's descriptor leads to."""
    number &= 0xFFFFFFFF
    if number == 0xFFFFFF9C:  # AT_FDCWD
        return "."
    try:
        return "stdout" if number == 1 else os.readlink(f"/proc/{thread}/fd/{number}")
    except OSError:
        return "closed"


def text(thread: int, address: int) -> str:
    """Return the text at an address."""
    try:
        memory = os.open(f"/proc/{thread}/mem", os.O_RDONLY)
        try:
            first = os.pread(memory, PATH_BYTES - address % PATH_BYTES, address)
            if b"\0" not in first:  # what is behind the page may not be there
                first += os.pread(memory, PATH_BYTES, address + len(first))
        finally:
            os.close(memory)
    except (OSError, OverflowError):
        return ""
    return first.partition(b"\0")[0].decode("utf-8", "replace")


def process_of(thread: int) -> int:
    """Return the process of a thread."""
    with open(f"/proc/{thread}/status", encoding="utf-8") as file:
        return int(re.findall(r"^Tgid:\t(\d+)$", file.read(), re.MULTILINE)[0])


def main(arguments: "list[str]") -> None:
    """Start the tracer, and become the program once it is there."""
    split = arguments.index("--")
    log, action, *point = arguments[:split]
    program = arguments[split + 1 :]
    reader, writer = os.pipe()
    me = os.getpid()
    if os.fork() == 0:
        if os.fork() == 0:
            trace(me, writer, log, action, tuple(point))
        os._exit(0)
    os.wait()
    os.close(writer)
    if os.read(reader, 1) != b".":
        os._exit(126)
    os.close(reader)
    numbers = {name: number for number, name in names().items()}
    kind = action.partition("=")[0]
    named = {"signal": point[2:3], "error": point[2:3], "storm": STORM, "list": point, "pause": point[1:]}[kind]
    install([numbers[name] for name in named], these=kind != "list")
    os.execvp(program[0], program)  # noqa: S606 - no shell, which is what is wanted


def trace(pid: int, writer: int, log: str, action: str, point: "tuple[str, ...]") -> None:
    """Be the tracer."""
    try:
        os.setsid()
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):  # of the program's streams none is held open, nor written to
            os.dup2(nowhere, number)
        tracer = Tracer(file, action, point)
        if ptrace(SEIZE, pid, 0, OPTIONS) and ptrace(INTERRUPT, pid):
            os.write(writer, b".")
            os.close(writer)
            tracer.threads[pid] = "0"
            tracer.follow()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
