"""What this process has on its terminal: whole lines, and below them the prompt.

A line may come from another thread while a prompt is up, such as the notice that the keyring is locked. It then goes
below the prompt, and the prompt is written anew behind it: the last thing on the terminal is what a person is asked.
"""

import threading
from collections.abc import Callable, Iterable

_lock = threading.Lock()
_prompt = ""  # that is up; empty while none is
_typed = ""  # what typed keys show behind it


def show_prompt(write: Callable[[str], None], prompt: str, fd: int) -> None:
    """Write the prompt at the left, broken as lines are. It is up until ``end_prompt``."""
    global _prompt, _typed
    with _lock:
        _prompt, _typed = prompt, ""
        write(_behind_lines(fd))


def echo(write: Callable[[str], None], text: str) -> None:
    """Write what a typed key shows behind the prompt, and again whenever the prompt is written anew."""
    global _typed  # noqa: PLW0603 - a process has one terminal
    with _lock:
        _typed += text
        write(text)


def end_prompt() -> None:
    """Write no prompt behind a line from now on."""
    global _prompt  # noqa: PLW0603 - a process has one terminal
    with _lock:
        _prompt = ""


def write_lines(write: Callable[[str], None], lines: Iterable[str], fd: int) -> None:
    """Write the lines, broken between words to the width of the terminal ``fd``, and behind them the prompt that is up.

    Each starts and ends for any terminal: a caller such as an editor may have made it raw.
    """
    text = _broken(lines, fd)
    with _lock:
        write(f"\r\n{text}{_behind_lines(fd)}{_typed}" if _prompt else text)


def _behind_lines(fd: int) -> str:
    """Return the prompt, whose last line does not end."""
    return _broken((_prompt,), fd).removesuffix("\r\n")


def _broken(lines: Iterable[str], fd: int) -> str:
    """Return the lines as inert ones that are no wider than the terminal is now, each with its end."""
    from credproc.glyphs import paragraphs  # noqa: PLC0415 - not for what has no terminal

    return "".join(f"\r{line}\r\n" for line in paragraphs(lines, fd))
