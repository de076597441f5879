"""The key management of the Linux kernel (keyrings(7)), by its system calls: add_key(2) and keyctl(2).

The C library has no functions for them, so they are called by number; ``_ctypes`` alone is imported, as ctypes, which
wraps it, costs a refresh fifty times as much. Each function raises OSError if its call fails.
"""

import errno
import os
import sys

_CALLS_64 = {  # add_key, keyctl; the kernel's tables of system calls
    "x86_64": (248, 250),
    "aarch64": (217, 219),
    "riscv64": (217, 219),
    "loongarch64": (217, 219),
    "ppc64": (269, 271),
    "ppc64le": (269, 271),
    "s390x": (278, 280),
}
# On a 64-bit kernel too, where the program has 32 bits; not on x86-64, whose x32 programs have other numbers
_CALLS_32 = {
    "i386": (286, 288),
    "i686": (286, 288),
    "armv6l": (309, 311),
    "armv7l": (309, 311),
    "armv8l": (309, 311),
    "aarch64": (309, 311),
}
_THREAD_KEYRING, USER_KEYRING = -1, -4
_REVOKE, _SETPERM, _DESCRIBE, _LINK, _UNLINK = 3, 5, 6, 8, 9
_SEARCH, _READ, _SET_TIMEOUT = 10, 11, 15
_TYPE = b"user"
_OF_THE_USER = 0x3F3F0000  # all rights for who possesses the key and for its user, none for anybody else
_MAX_TRIES = 5  # a key may grow between the call that tells its size and the one that reads it
_RTLD_NOW = 2


def are_known() -> bool:
    """Return whether this system has the calls, and their numbers are known."""
    return numbers() is not None


def put(description: str, payload: bytes, seconds: int, keyring: int = USER_KEYRING) -> None:
    """Put a key into the keyring, in the place of one with this description; the kernel forgets it after ``seconds``.

    It is made in the keyring of this thread: a process that another login session has started does not possess what
    is in the user's keyring, and could not change a new key's rights there (it is EACCES). So no key is ever in the
    user's keyring without its rights and its end.
    """
    key = _call(0, _TYPE, description.encode(), payload, len(payload), _THREAD_KEYRING)
    try:
        _keyctl(_SETPERM, key, _OF_THE_USER)
        _keyctl(_SET_TIMEOUT, key, seconds)
        if keyring != _THREAD_KEYRING:
            _keyctl(_LINK, key, keyring)
    finally:
        _keyctl(_UNLINK, key, _THREAD_KEYRING)


def try_out(description: str, payload: bytes) -> None:
    """Do all that ``put`` does, but leave the key in no keyring."""
    put(description, payload, 1, _THREAD_KEYRING)


def find(description: str) -> int:
    """Return the number of the key in the user's keyring."""
    return _keyctl(_SEARCH, USER_KEYRING, _TYPE, description.encode(), 0)


def read(key: int) -> bytes:
    """Return what the key holds; of a keyring the numbers of its keys."""
    return _read(_READ, key)


def describe(key: int) -> str:
    """Return the key's description."""
    return _read(_DESCRIBE, key).rstrip(b"\0").split(b";", 4)[-1].decode("utf-8", "replace")


def revoke(key: int) -> None:
    """Let nobody use the key any more, wherever else it is linked, and take it out of the user's keyring."""
    _keyctl(_REVOKE, key)
    _keyctl(_UNLINK, key, USER_KEYRING)


def numbers() -> tuple[int, int] | None:
    """Return the numbers of add_key and keyctl on this machine, or None if they are not known."""
    if sys.platform == "linux":
        return (_CALLS_64 if sys.maxsize > 1 << 32 else _CALLS_32).get(os.uname().machine)
    else:  # noqa: RET505 - mypy calls what stands behind it unreachable
        return None


def _keyctl(operation: int, *arguments: "int | bytes | object") -> int:
    return _call(1, operation, *arguments)


def _read(operation: int, key: int) -> bytes:
    import _ctypes  # noqa: PLC0415 - see above

    class Character(_ctypes._SimpleCData):  # type: ignore[type-arg]  # noqa: SLF001 - c_char, without ctypes
        _type_ = "c"

    size = 2048
    for _ in range(_MAX_TRIES):
        buffer = (Character * size)()
        length = _keyctl(operation, key, buffer, size)
        if length <= size:
            return bytes(memoryview(buffer).cast("B")[:length])
        size = length
    raise OSError("grows while it is read")


def _call(which: int, *arguments: "int | bytes | object") -> int:
    """Make one of the two calls and return its result."""
    calls = numbers()
    if sys.platform == "linux" and calls is not None:
        import _ctypes  # noqa: PLC0415 - see above

        class Long(_ctypes._SimpleCData):  # type: ignore[type-arg]  # noqa: SLF001 - c_long, without ctypes
            _type_ = "l"

        class Function(_ctypes.CFuncPtr):
            _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
            _restype_ = Long

        program = _ctypes.dlopen(None, _RTLD_NOW)  # type: ignore[arg-type]  # typeshed does not know None: this program
        syscall = Function(_ctypes.dlsym(program, "syscall"))
        words = [Long(word) if isinstance(word, int) else word for word in (calls[which], *arguments)]
        result = int(syscall(*words))
        if result >= 0:
            return result
        raise OSError(_ctypes.get_errno(), os.strerror(_ctypes.get_errno()))
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
