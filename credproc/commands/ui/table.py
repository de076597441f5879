"""Rows of cells as aligned lines, cut to the width of a terminal where one is given."""

from collections.abc import Sequence

from credproc.errors import inert
from credproc.glyphs import cut, ellipsis, width

GAP = "  "


def align_rows(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return one line per row, each cell padded to the widest cell of its column."""
    rows = shown_cells(rows)
    return [GAP.join(cells).rstrip() for cells in pad_cells(rows, natural_widths(rows))]


def shown_cells(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the rows with cells as wide as they are on the screen: escaped where they leave for a person."""
    return [[inert(cell) for cell in row] for row in rows]


def pad_cells(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> list[list[str]]:
    """Return the cells, each padded or cut to the width of its column."""
    end = ellipsis()
    return [[_pad(cell, columns, end) for cell, columns in zip(row, widths, strict=True)] for row in rows]


def natural_widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the width of the widest cell of each column, in terminal columns."""
    return [max(map(width, column)) for column in zip(*rows, strict=True)]


def fit_widths(widths: Sequence[int], minimum: Sequence[int], columns: int) -> list[int]:
    """Return widths with which a line fits into ``columns``: the widest are cut first, none below its minimum."""
    fitted = list(widths)
    excess = sum(fitted) + len(GAP) * (len(fitted) - 1) - columns
    for _ in range(excess):
        slack = [wide if wide > low else 0 for wide, low in zip(fitted, minimum, strict=True)]
        if not any(slack):
            break
        fitted[slack.index(max(slack))] -= 1
    return fitted


def _pad(cell: str, columns: int, end: str) -> str:
    cell = cut(cell, columns, end)
    return cell + " " * (columns - width(cell))
