"""What this process has on its terminal: whole lines, and below them the prompt.

A line may come from another thread while a prompt is up, such as the notice that the keyring is locked. It then goes
below the prompt, and the prompt is written anew behind it: the last thing on the terminal is what a person is asked.
"""

import threading
from collections.abc import Callable, Iterable

from credproc.errors import inert

_lock = threading.Lock()
_prompt = ""  # what is on the line of the prompt; empty while none is up


def show_prompt(write: Callable[[str], None], prompt: str) -> None:
    """Write the prompt at the left. It is up until ``end_prompt``."""
    global _prompt  # noqa: PLW0603 - a process has one terminal
    with _lock:
        _prompt = inert(prompt)
        write(f"\r{_prompt}")


def echo(write: Callable[[str], None], text: str) -> None:
    """Write what a typed key shows behind the prompt, and again whenever the prompt is written anew."""
    global _prompt  # noqa: PLW0603 - a process has one terminal
    with _lock:
        _prompt += text
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
    from credproc.glyphs import paragraphs  # noqa: PLC0415 - not for a prompt alone

    text = "".join(f"\r{line}\r\n" for line in paragraphs(lines, fd))
    with _lock:
        write(f"\r\n{text}\r{_prompt}" if _prompt else text)
