"""Users and systems for whom the Linux kernel keeps keys: with another session keyring, another number, or forbidden.

Each is the beginning of a command line. ``WORKS`` is whether this kernel takes the calls at all.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from credproc.stores import keyctl
from credproc.stores.kernel import KernelStore

if TYPE_CHECKING:
    from pathlib import Path

WORKS = KernelStore().unavailable_reason() is None
EPERM, ENOSYS, EDQUOT = 1, 38, 122
_SETPERM, _SET_TIMEOUT = 5, 15
_UIDS = range(60_100, 64_000)  # of nobody; a user's keys are told from another's by the number alone

# Joins a new session keyring, in which the user's own is not linked, as a process of cron or of systemd has it; or lets
# the kernel refuse calls, all of a number or those whose first argument is that
_START = """
import ctypes, os, struct, sys

how, number, *command = sys.argv[1:]
numbers = {add}, {keyctl}
libc = ctypes.CDLL(None, use_errno=True)
if how == "session":
    assert libc.syscall(numbers[1], 1, None) > 0  # KEYCTL_JOIN_SESSION_KEYRING
else:
    refuse = 0x00050000 | int(number)  # SECCOMP_RET_ERRNO
    loads = [(0x20, 0, 0, 0)]
    if how == "all":
        loads += [(0x15, 1, 0, numbers[0]), (0x15, 0, 1, numbers[1])]
    else:
        loads += [(0x15, 0, 3, numbers[1]), (0x20, 0, 0, 16), (0x15, 0, 1, int(how))]
    loads += [(0x06, 0, 0, refuse), (0x06, 0, 0, 0x7FFF0000)]
    code = b"".join(struct.pack("HBBI", *one) for one in loads)
    buffer = ctypes.create_string_buffer(code)
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(loads), ctypes.addressof(buffer)))
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, program, 0, 0) == 0, os.strerror(ctypes.get_errno())  # PR_SET_SECCOMP
os.execvp(command[0], command)
"""


def _started(how: str, number: int) -> list[str]:
    add, control = keyctl.numbers() or (0, 0)
    return [sys.executable, "-I", "-S", "-c", _START.format(add=add, keyctl=control), how, str(number)]


def in_another_session() -> list[str]:
    """Start a command with a new session keyring."""
    return _started("session", 0)


def forbidden(error: int = EPERM) -> list[str]:
    """Start a command that gets this error from each call."""
    return _started("all", error)


def without_rights(error: int = EPERM) -> list[str]:
    """Start a command that cannot set the rights of a key."""
    return _started(str(_SETPERM), error)


def without_end(error: int = EPERM) -> list[str]:
    """Start a command that cannot set the end of a key."""
    return _started(str(_SET_TIMEOUT), error)


def new_uid() -> int:
    """Return the number of a user that has no keys."""
    with open("/proc/key-users", encoding="ascii") as file:
        taken = {int(line.partition(":")[0]) for line in file}
    start = os.getpid() % len(_UIDS)
    others: list[int] = [uid for uid in (*_UIDS[start:], *_UIDS[:start]) if uid not in taken]
    return others[0]


def as_user(uid: int) -> list[str]:
    """Start a command as the user of this number, for root; it may read files, as the Python may be in root's home."""
    capability = "+dac_read_search"
    who = [f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    return [shutil.which("setpriv") or "", *who, f"--inh-caps={capability}", f"--ambient-caps={capability}"]


def outside_of_containers(path: Path) -> list[str]:
    """Start a command, for root, where no file says that this is a container, whatever it is: under another root.

    ``path`` is an empty directory.
    """
    script = f"""
        mount -t tmpfs root {path}
        for name in /*; do
            if [ -L $name ]; then ln -s $(readlink $name) {path}$name
            elif [ -d $name ]; then mkdir {path}$name && mount --rbind $name {path}$name
            fi
        done
        exec chroot {path} "$@"
    """
    return [shutil.which("unshare") or "", "--mount", "sh", "-ec", script, "sh"]


def fill(uid: int) -> None:
    """Let the user have as many keys as the kernel gives one user, for root."""
    code = "from credproc.stores import keyctl\nfor number in range(10**6): keyctl.put(f'full {number}', b'x', 600)"
    command = [*as_user(uid), sys.executable, "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert "Disk quota exceeded" in ran.stderr, ran.stderr


def names(uid: int) -> list[str]:
    """Return the names of the sessions that the user has in the kernel, for root; nobody else is shown them."""
    code = "from credproc.stores.kernel import KernelStore\nprint(*KernelStore().names([]))"
    ran = subprocess.run(
        [*as_user(uid), sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )
    return ran.stdout.split()
