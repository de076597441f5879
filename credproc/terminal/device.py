"""/dev/tty and its settings: opened, compared, written. Only ``posix``, which has the policy, uses this module."""

import sys

assert sys.platform != "win32"  # by this mypy knows that the module is not for Windows

import os
import select
import termios
import time

from credproc.errors import PersonNeededError
from credproc.terminal.watchdog import Attributes

BACKGROUND = "this process runs in the background of its terminal"
_PATH = "/dev/tty"
WRITE_SECONDS = 0.5  # without progress
_SETTLE_POLLS, _SETTLE_POLL_SECONDS = 40, 0.025  # the time that the watchdog of a killed prompt has


def open_device(flags: int) -> int:
    """Return a new descriptor of /dev/tty. Raises PersonNeededError without a terminal, or in its background."""
    try:
        fd = os.open(_PATH, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC | flags)
    except OSError:
        raise PersonNeededError("there is no terminal to ask for it on") from None
    if not is_foreground(fd):
        os.close(fd)
        raise PersonNeededError(BACKGROUND)
    return fd


def is_foreground(fd: int) -> bool:
    """Return whether this process is in the terminal's foreground process group."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False


def is_hung_up(fd: int) -> bool:
    """Return whether the terminal is gone: its window or connection was closed."""
    try:
        termios.tcgetattr(fd)
    except termios.error:
        return True
    return False


def write(fd: int, text: str, seconds: float = WRITE_SECONDS) -> None:
    """Write the text; give up after so many seconds in which the terminal takes nothing.

    A terminal that is hung up or stopped by Ctrl-S does not fail the run. One takes about 4 KiB before it is read.
    """
    data = text.encode("utf-8", "replace")
    try:
        while data:
            try:
                data = data[os.write(fd, data) :]
            except BlockingIOError:
                if not select.select([], [fd], [], seconds)[1]:
                    return
    except OSError:
        pass


def settled_attributes(fd: int) -> Attributes:
    """Return the terminal's settings; wait up to a second while they are those of a prompt that was just killed.

    The watchdog of that prompt restores them. Raises PersonNeededError if the terminal is hung up.
    """
    try:
        attributes: Attributes = termios.tcgetattr(fd)
        for _ in range(_SETTLE_POLLS):
            if attributes != without_echo(attributes):
                break
            time.sleep(_SETTLE_POLL_SECONDS)
            attributes = termios.tcgetattr(fd)
    except termios.error:
        raise hung_up() from None
    return attributes


def without_echo(attributes: Attributes) -> Attributes:
    """Return the settings for a line that is edited as usual and not shown, except for its line end.

    They also suit a terminal that the calling program has made raw.
    """
    changed = list(attributes)
    changed[0] = (changed[0] | termios.ICRNL) & ~(termios.INLCR | termios.IGNCR)
    changed[1] |= termios.OPOST | termios.ONLCR
    changed[3] = (changed[3] | termios.ICANON | termios.ISIG | termios.ECHONL) & ~termios.ECHO
    return changed


def hung_up() -> PersonNeededError:
    """Return the error for a terminal that is gone."""
    return PersonNeededError("the terminal was closed", kind="withdrawn")


def unusable(error: OSError) -> PersonNeededError:
    """Return the error for a failed system call on the terminal."""
    return PersonNeededError(f"the terminal cannot be used: {(error.strerror or 'error').lower()}")
