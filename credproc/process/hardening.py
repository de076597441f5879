"""Protect the memory of this process, which holds secrets, from debuggers and other programs of the same user."""

import sys

_PR_SET_DUMPABLE = 4  # prctl(2); the kernel resets it when a child executes a program
_RTLD_NOW = 2


def make_undumpable() -> None:
    """Forbid other processes but root's to trace this one or to read its memory, and write no core dump (Linux).

    Where the call is not available, the process stays as it is.
    """
    if sys.platform == "linux":
        try:
            import _ctypes  # noqa: PLC0415 - ctypes, which wraps it, costs fifty times as much to import

            program = _ctypes.dlopen(None, _RTLD_NOW)  # type: ignore[arg-type]  # None, this program, is not in typeshed
            prctl = _ctypes.dlsym(program, "prctl")
            _ctypes.call_function(prctl, (_PR_SET_DUMPABLE, 0, 0, 0, 0))
        except (ImportError, AttributeError, OSError):  # an interpreter without _ctypes, or a C library without prctl
            pass
