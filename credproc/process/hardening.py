"""The memory of this process, which holds secrets, kept from debuggers and other programs of the same user."""

import sys

_SET_DUMPABLE = 4  # PR_SET_DUMPABLE of prctl(2); undone by the kernel in a child that executes a program
_NOW = 2  # RTLD_NOW


def keep_private() -> None:
    """Refuse whoever wants to attach to this process or to read its memory, but for root (Linux).

    Where that cannot be had, nothing is lost that was there before.
    """
    if sys.platform != "linux":
        return
    try:
        import _ctypes  # noqa: PLC0415 - ctypes, which wraps it, costs fifty times as much to import

        program = _ctypes.dlopen(None, _NOW)  # type: ignore[arg-type]  # typeshed leaves out None: what is loaded
        prctl = _ctypes.dlsym(program, "prctl")
        _ctypes.call_function(prctl, (_SET_DUMPABLE, 0, 0, 0, 0))
    except (ImportError, AttributeError, OSError):  # an interpreter without it, or a C library of another kind
        pass
