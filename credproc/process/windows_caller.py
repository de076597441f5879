"""The program that started credproc, on Windows: which it is, whether it has ended, whether it reads our stdout.

SDKs start ``cmd.exe /C LINE``, which outlives them, and pip's ``credproc.exe`` starts a Python. So the program is the
nearest ancestor that is none of these. A process id alone says little: the ids of ended processes are given out again,
and what Windows calls a parent may be a younger process. Hence the creation time and an open handle.
"""

import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

from credproc.request import Caller

_SHELL = "cmd.exe"
_MAX_ANCESTORS = 32
_SYNCHRONIZE, _QUERY_LIMITED_INFORMATION = 0x100000, 0x1000
_SNAPPROCESS = 2  # CreateToolhelp32Snapshot: TH32CS_SNAPPROCESS
_NAME_LENGTH = 260  # characters: MAX_PATH
_PIPE_LOCAL_INFORMATION, _PIPE_CLOSING = 24, 4  # NtQueryInformationFile: FilePipeLocalInformation, its NamedPipeState
_STDOUT = 1


class Ancestor(NamedTuple):
    """A process that led to this one."""

    name: str  # of its program, without a directory
    caller: Caller


class Launcher(NamedTuple):
    """The names of the programs that do nothing but start this Python, None where there is none."""

    redirector: str | None  # python.exe of a virtual environment
    script: str | None  # credproc.exe of pip


def own_launcher(program: str) -> Launcher:
    """Return what may have started this process only to run credproc; ``program`` is the path by which it was."""
    if getattr(sys, "frozen", False):
        return Launcher(None, None)
    base = getattr(sys, "_base_executable", sys.executable)
    redirector = None if sys.executable == base else os.path.basename(sys.executable)
    return Launcher(redirector, os.path.basename(program).removesuffix(".exe") + ".exe")


def nearest_program(ancestors: Iterator[Ancestor], launcher: Launcher) -> Caller | None:
    """Return the nearest of the ancestors, the parent first, that is neither our launcher nor cmd.exe, or None.

    Each launcher counts once: another credproc above it is a caller.
    """
    expected = [name.lower() for name in launcher if name is not None]
    for name, caller in ancestors:
        if name.lower() in expected:
            del expected[: expected.index(name.lower()) + 1]
        elif name.lower() != _SHELL:
            return caller
        else:
            expected = []
    return None


if sys.platform == "win32":  # pragma: no cover - Windows
    import _winapi
    import ctypes
    import msvcrt
    from ctypes import wintypes

    def find(program: str) -> Caller | None:
        """Return the program that started credproc, or None if it has ended or cannot be seen."""
        return nearest_program(_ancestors(), own_launcher(program))

    def has_ended(caller: Caller) -> bool:
        """Return whether the process has ended."""
        return caller.handle is not None and _winapi.WaitForSingleObject(caller.handle, 0) == _winapi.WAIT_OBJECT_0

    def is_read() -> bool:
        """Return False if stdout is a pipe whose reader has closed it."""
        try:
            handle = msvcrt.get_osfhandle(_STDOUT)
        except OSError:  # closed from the start
            return True
        status, pipe = (ctypes.c_void_p * 2)(), (ctypes.c_ulong * 10)()
        query = ctypes.WinDLL("ntdll").NtQueryInformationFile
        failed = query(ctypes.c_void_p(handle), status, pipe, ctypes.sizeof(pipe), _PIPE_LOCAL_INFORMATION)
        return bool(failed) or pipe[8] != _PIPE_CLOSING

    def _ancestors() -> Iterator[Ancestor]:
        """Yield the ancestors of this process, its parent first, as far as they run and may be seen.

        The handle of each is closed once the next one is asked for.
        """
        programs = _programs()
        created = _created(_winapi.GetCurrentProcess())
        process = os.getpid()
        for _ in range(_MAX_ANCESTORS):
            process = programs.get(process, (0, ""))[0]
            if process not in programs:
                return
            try:
                handle = _winapi.OpenProcess(_SYNCHRONIZE | _QUERY_LIMITED_INFORMATION, False, process)
            except OSError:  # another user's, or ended
                return
            since = _created(handle)
            if since > created:  # the parent has ended, and its id is another's now
                _winapi.CloseHandle(handle)
                return
            created = since
            yield Ancestor(programs[process][1], Caller(process, created, handle))
            _winapi.CloseHandle(handle)

    def _created(handle: int) -> int:
        """Return when the process was created, in units of 100 ns."""
        times = [ctypes.c_uint64() for _ in range(4)]  # creation, exit, kernel, user
        ctypes.WinDLL("kernel32").GetProcessTimes(ctypes.c_void_p(handle), *map(ctypes.byref, times))
        return times[0].value

    def _programs() -> dict[int, tuple[int, str]]:
        """Return the parent and the program's name of each process, by its id."""

        class Entry(ctypes.Structure):
            """PROCESSENTRY32W."""

            _fields_ = (
                *(("size", wintypes.DWORD), ("usage", wintypes.DWORD), ("process", wintypes.DWORD)),
                *(("heap", ctypes.c_size_t), ("module", wintypes.DWORD), ("threads", wintypes.DWORD)),
                *(("parent", wintypes.DWORD), ("priority", wintypes.LONG), ("flags", wintypes.DWORD)),
                ("name", wintypes.WCHAR * _NAME_LENGTH),
            )

        kernel = ctypes.WinDLL("kernel32")
        kernel.CreateToolhelp32Snapshot.restype = wintypes.HANDLE
        snapshot = wintypes.HANDLE(kernel.CreateToolhelp32Snapshot(_SNAPPROCESS, 0))
        entry = Entry(ctypes.sizeof(Entry))
        found = {}
        more = kernel.Process32FirstW(snapshot, ctypes.byref(entry))
        while more:
            found[entry.process] = (entry.parent, entry.name)
            more = kernel.Process32NextW(snapshot, ctypes.byref(entry))
        kernel.CloseHandle(snapshot)
        return found
