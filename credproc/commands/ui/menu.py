"""A numbered menu at the terminal: a number chooses, letters narrow it down, Enter takes the only one left."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from credproc.commands.ui.prompt import Prompter
from credproc.commands.ui.table import GAP, fit_widths, natural_widths, pad_cells, shown_cells
from credproc.errors import quoted

_COLUMNS, _ROWS = 80, 24  # of a terminal that does not know its size
_MIN_WIDTH = 12  # columns to which what is said of an item is cut


class Item(NamedTuple):
    """What can be chosen, and what is said of it; typed letters are looked for in both."""

    name: str
    about: str


def choose(items: Sequence[Item], prompter: Prompter, subject: str, hint: str) -> str | None:
    """Return the name of the item that the user chooses; None if the answer is empty.

    ``subject`` is what an item is: ``profile``; ``hint`` says what to do where nobody can be asked. Raises
    PersonNeededError then, and SignalError.
    """
    left, said = list(items), ""
    while True:
        lines, shown = _lines(left, said)
        typed = prompter.ask(_question(left, shown, subject), lines=lines, hint=hint)
        if not typed:
            return left[0].name if len(left) == 1 else None
        if typed.isascii() and typed.isdigit() and 1 <= int(typed[:9]) <= shown:
            return left[int(typed[:9]) - 1].name
        if any(item.name == typed for item in items):
            return typed
        narrowed = _narrowed(left, typed) or _narrowed(items, typed)
        said = "" if narrowed else f"no {subject} has {quoted(typed[:40])} in its line"
        left = narrowed or left


def _narrowed(items: Sequence[Item], typed: str) -> list[Item]:
    """Return the items that contain each of the typed words."""
    words = typed.casefold().split()
    return [item for item in items if all(word in f"{item.name} {item.about}".casefold() for word in words)]


def _question(left: Sequence[Item], shown: int, subject: str) -> str:
    if len(left) == 1:
        return f"which {subject}? [Enter takes {left[0].name}] "
    return f"which {subject}? [1-{shown}, or letters to narrow it down] "


def _lines(left: Sequence[Item], said: str) -> tuple[list[str], int]:
    """Return the lines of the menu, which fit the terminal, and how many items they show."""
    columns, rows = _size()
    room = max(5, rows - 4)  # for the command line above, the question, what is said, and how many more there are
    shown = left if len(left) <= room else left[:room]
    cells = shown_cells([[f"{number:>3}", item.name, item.about] for number, item in enumerate(shown, 1)])
    widths = natural_widths(cells)
    fitted = fit_widths(widths, [widths[0], widths[1], min(widths[2], _MIN_WIDTH)], columns - 1)
    lines = [GAP.join(row).rstrip() for row in pad_cells(cells, fitted)]
    lines += [f"     and {len(left) - len(shown)} more"] if len(shown) < len(left) else []
    return ([*lines, said] if said else lines), len(shown)


def _size() -> tuple[int, int]:
    """Return columns and rows of the terminal behind a standard stream."""
    for fd in (2, 1, 0):
        try:
            size = os.get_terminal_size(fd)
        except OSError:
            continue
        if size.columns and size.lines:
            return size.columns, size.lines
    return _COLUMNS, _ROWS
