"""The table of credproc list: a row for each profile, laid out for the width of a terminal.

Where the whole table is too wide, what is the same in every row is said once below it, and so are errors, and which few
profiles are used through credproc; long names are cut last. Where a source has many profiles, or several and the table
is too wide, they stand together below its name.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from credproc.commands.profile_state import StateKind, source_name
from credproc.commands.ui.output import Coloured, Line
from credproc.commands.ui.table import GAP, fit_widths, natural_widths, pad_cells, shown_cells
from credproc.glyphs import wrapped
from credproc.plan.source import SourceKind

_HEADINGS = ("PROFILE", "ROLE", "ACCOUNT", "SOURCE", "MFA", "CREDPROC", "STATE")
_PROFILE, _ROLE, _SOURCE, _CREDPROC, _STATE = 0, 1, 3, 5, 6
_OF_SOURCE = {3, 4}  # the columns that stand above a group
# The least width, in columns, to which a cell is cut; with all of these, a line fits 80 columns
_MIN_WIDTHS = dict.fromkeys(("PROFILE", "ROLE", "SOURCE", "MFA", "CREDPROC"), 7)
_MIN_ERROR_WIDTH = 18
_MOST_NAMED = 5  # profiles in a line
_MANY, _SEVERAL = 5, 3  # profiles of one source, which are grouped; several, where the table is too wide
# The role that IAM Identity Center makes for a permission set (its user guide, "Referencing permission sets")
_PERMISSION_SET = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}")


class Row(NamedTuple):
    """A row of the table, and an object of the JSON output."""

    profile: str
    role_arn: str | None
    account_id: str | None
    source: SourceKind | None
    source_profile: str | None
    mfa_serial: str | None
    through_credproc: str | None  # the profile that SDKs use to get these credentials from credproc
    state: StateKind
    until: int | None  # epoch seconds
    error: str | None
    permission_set: str | None = None  # of IAM Identity Center


class _Layout(NamedTuple):
    """Which columns a table has, and how wide they are."""

    columns: tuple[int, ...]
    widths: tuple[int, ...]
    is_grouped: bool


def table(found: Sequence[Row], now: float, *, colour: bool, columns: int | None = None) -> list[Line]:
    """Return the rows as aligned lines below a heading; ``now`` is in epoch seconds.

    ``columns`` is the width of the terminal, which the lines fit; None: nothing is cut, left out or grouped.
    """
    cells, layout = _laid_out(found, now, columns)
    errors: list[str] = []  # which are below the table, and whole
    at_state = layout.columns.index(_STATE) if _STATE in layout.columns else None
    if at_state is not None and layout.widths[at_state] < _natural(cells, [_STATE])[0]:
        errors = [
            f"{row[_PROFILE]}: {row[_STATE]}" for row, of in zip(cells, found, strict=True) if of.error is not None
        ]
        found = [row if row.error is None else row._replace(error="error") for row in found]
        cells, layout = _laid_out(found, now, columns)
    through = _through(found, cells)
    if through and _CREDPROC in layout.columns and layout.widths != _natural(cells, layout.columns):
        found = [row._replace(through_credproc=None) for row in found]
        cells, layout = _laid_out(found, now, columns)
    else:
        through = ""
    lines = _lines(found, cells, layout, colour=colour)
    for notes in ([_same_in_all(cells, layout)], [through], errors):
        if any(notes):
            lines += ["", *(line for note in notes for line in wrapped(note, columns, 2))]
    return lines


def _laid_out(found: Sequence[Row], now: float, columns: int | None) -> tuple[list[list[str]], _Layout]:
    cells = shown_cells([_cells(row, now, is_short=columns is not None) for row in found])
    return cells, _layout(found, cells, now, columns)


def _lines(found: Sequence[Row], cells: Sequence[Sequence[str]], layout: _Layout, *, colour: bool) -> list[Line]:
    lines: list[Line] = [_line(_HEADINGS, layout, None)]
    for title, members in _groups(cells, layout):
        if title:
            lines += ["", title]
        for at in members:
            lines.append(_line(cells[at], layout, _colour(found[at].state) if colour else None))
    return lines


def _same_in_all(cells: Sequence[Sequence[str]], layout: _Layout) -> str:
    """Return what all rows with a role have in the columns that are left out, as a line; nothing if they share none."""
    shown = {*layout.columns, *(_OF_SOURCE if layout.is_grouped else ())}
    values = {at: _common(cells, at) for at in range(len(_HEADINGS)) if at not in shown}
    same = ", ".join(f"{_HEADINGS[at]} {value}" for at, value in values.items() if value not in {None, "-"})
    everywhere = all(row[at] == value for row in cells for at, value in values.items() if value is not None)
    rows = "in every row" if everywhere else "in every row with a role"
    return f"{rows}: {same}" if same else ""


def _layout(found: Sequence[Row], cells: Sequence[Sequence[str]], now: float, columns: int | None) -> _Layout:
    chosen = tuple(range(len(_HEADINGS)))
    if columns is None:
        return _Layout(chosen, _natural(cells, chosen), is_grouped=False)
    sources = [tuple(row[at] for at in sorted(_OF_SOURCE)) for row in cells]
    most = max(map(sources.count, set(sources)))
    is_grouped = len(set(sources)) > 1 and most >= (_MANY if _fits(cells, chosen, columns) else _SEVERAL)
    if is_grouped:
        chosen = tuple(at for at in chosen if at not in _OF_SOURCE)
    if len(cells) > 1 and not _fits(cells, chosen, columns):
        chosen = tuple(at for at in chosen if at == _PROFILE or _common(cells, at) is None)
    natural = _natural(cells, chosen)
    least = _min_widths(found, cells, chosen, now)
    whole_names = [natural[0], *least[1:]]
    widths = fit_widths(natural, whole_names, columns)
    return _Layout(chosen, tuple(fit_widths(widths, least, columns)), is_grouped)


def _fits(cells: Sequence[Sequence[str]], chosen: Sequence[int], columns: int) -> bool:
    return sum(_natural(cells, chosen)) + len(GAP) * (len(chosen) - 1) <= columns


def _common(cells: Sequence[Sequence[str]], at: int) -> str | None:
    """Return the cell that all rows with a role have in a column, where those without it have the same or none."""
    with_role = [row for row in cells if row[_ROLE] != "-"] or cells
    values = {row[at] for row in with_role}
    return values.pop() if len(values) == 1 and {row[at] for row in cells} <= {*values, "-"} else None


def _natural(cells: Sequence[Sequence[str]], chosen: Sequence[int]) -> tuple[int, ...]:
    return tuple(natural_widths([[row[at] for at in chosen] for row in (_HEADINGS, *cells)]))


def _min_widths(found: Sequence[Row], cells: Sequence[Sequence[str]], chosen: Sequence[int], now: float) -> list[int]:
    """Return the least width of each column; accounts, and states that are not errors, are never cut."""
    state = max(_MIN_ERROR_WIDTH if row.error is not None else len(_state(row, now)) for row in found)
    least = dict(_MIN_WIDTHS, STATE=state)
    widths = zip(chosen, _natural(cells, chosen), strict=True)
    return [min(width, least.get(_HEADINGS[at], width)) for at, width in widths]


def _through(found: Sequence[Row], cells: Sequence[Sequence[str]]) -> str:
    """Return which profiles are used through credproc, as a line for the column; nothing if they are many."""
    names: dict[str, list[str]] = {"yes": [], "-": []}
    for row, cell in zip(found, cells, strict=True):
        names.setdefault(cell[_CREDPROC], []).append(row.profile)
    used, others = names.pop("yes"), names.pop("-")
    if names or min(len(used), len(others)) > _MOST_NAMED:  # a profile that people know by another name has the column
        return ""
    which = ", ".join(used) if len(used) <= len(others) else f"all but {', '.join(others)}"
    return f"through credproc: {which}"


def _groups(cells: Sequence[Sequence[str]], layout: _Layout) -> Iterator[tuple[str, list[int]]]:
    """Yield the places of the rows of each source, and the line above them; all of them without one if not grouped.

    Rows that are the only ones of their sources, or have none, come together, last.
    """
    if not layout.is_grouped:
        yield "", list(range(len(cells)))
        return
    members: dict[str, list[int]] = {}
    for at, row in enumerate(cells):
        source, device = (row[column] for column in sorted(_OF_SOURCE))
        title = f"source {source}" + ("" if device == "-" else f", MFA {device}")
        members.setdefault(title, []).append(at)
    single = [title for title, found in members.items() if len(found) == 1 or title == "source -"]
    others = sorted(at for title in single for at in members.pop(title)) if len(single) > 1 else []
    yield from members.items()
    if others:
        yield "other profiles", others


def _line(row: Sequence[str], layout: _Layout, code: str | None) -> Line:
    cells = pad_cells([[row[at] for at in layout.columns]], layout.widths)[0]
    if code is None or layout.columns[-1] != _STATE:
        return GAP.join(cells).rstrip()
    *names, state = cells
    return Coloured(GAP.join((*names, "")), state.rstrip(), code)


def _cells(row: Row, now: float, *, is_short: bool) -> tuple[str, ...]:
    source = row.source_profile if row.source_profile not in (None, row.profile) else None
    through = "-" if row.through_credproc is None else "yes"
    if row.through_credproc not in (None, row.profile):
        through = f"as {row.through_credproc}"
    return (
        row.profile,
        row.permission_set or role_name(row.role_arn, is_short=is_short),
        row.account_id or "-",
        source or ("-" if row.source is None else source_name(row.source)),
        (row.mfa_serial or "-").rpartition("/")[2],
        through,
        _state(row, now),
    )


def role_name(arn: str | None, *, is_short: bool) -> str:
    """Return the role's name with its path; ``is_short``: without it, and of Identity Center's the permission set."""
    name = (arn or "-").partition("role/")[2] or arn or "-"
    if not is_short:
        return name
    name = name.rpartition("/")[2]
    permission_set = _PERMISSION_SET.fullmatch(name)
    return name if permission_set is None else permission_set[1]


def _colour(state: StateKind) -> str | None:
    """Return the SGR code for green, bold or red, or None; yellow is unreadable on white."""
    match state:
        case "cached" | "signed in":
            return "32"
        case "needs a code":
            return "1"
        case "error":
            return "31"
        case "signed out" | "bypassed" | "ready" | "settings only":
            return None


def _state(row: Row, now: float) -> str:
    if row.error is not None:
        return row.error
    return row.state if row.until is None else f"{row.state} for {_time_left(row.until - now)}"


def _time_left(seconds: float) -> str:
    """Return a duration in one unit, because the column is narrow; ``credproc status`` prints the exact time."""
    hours, minutes = int(seconds) // 3600, max(1, int(seconds) // 60)
    return f"{hours} h" if hours else f"{minutes} min"
