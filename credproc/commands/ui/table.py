"""Cells in aligned columns, as wide as they are, or cut to fit a terminal."""

import unicodedata
from collections.abc import Sequence

GAP = "  "
_CUT = "…"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line for each row, its cells padded to the widest of their column."""
    return [GAP.join(cells).rstrip() for cells in padded(rows, natural(rows))]


def padded(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> list[list[str]]:
    """Return the cells, each exactly as wide as its column is to be: filled up, or cut."""
    return [[_padded(cell, width) for cell, width in zip(row, widths, strict=True)] for row in rows]


def natural(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the width of the widest cell of each column, in columns of a terminal."""
    return [max(map(_width, column)) for column in zip(*rows, strict=True)]


def fitting(widths: Sequence[int], least: Sequence[int], columns: int) -> list[int]:
    """Return widths with which a line fits so many columns: the widest are cut first, none below its least."""
    found = list(widths)
    over = sum(found) + len(GAP) * (len(found) - 1) - columns
    for _ in range(over):
        slack = [width if width > low else 0 for width, low in zip(found, least, strict=True)]
        if not any(slack):
            break
        found[slack.index(max(slack))] -= 1
    return found


def _padded(cell: str, width: int) -> str:
    if _width(cell) > width:
        while _width(cell) >= width and cell:
            cell = cell[:-1]
        cell += _CUT
    return cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
