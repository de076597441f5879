"""The table of rows in code and the page that tells of them, FAULTS.md, say the same."""

import re
from pathlib import Path

import pytest

from tests.faults.rows import INVARIANTS, Kind, Row
from tests.faults.table import LETTERED, NUMBERS, ROWS, SHARED, identifiers

HERE = Path(__file__).parent
PAGE = (HERE / "FAULTS.md").read_text(encoding="utf-8")
TOLD = {
    name: (fault.replace("`", ""), set(kinds.split(", ")))
    for name, fault, kinds in re.findall(r"^\| (F\d{3}\S*) \| (.*?) \| (.*?) \|", PAGE, re.MULTILINE)
}


def _section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _first_cells(title: str) -> list[str]:
    """Return the first cells of the table below a heading, without those of its head."""
    return re.findall(r"^\| ([^|]*?) ?\|", _section(title), re.MULTILINE)[1:]


def _word(kind: Kind) -> str:
    return kind.name.lower().replace("_", " ")


def test_the_table_has_every_number_once_in_their_order() -> None:
    numbers = [f"F{number:03d}" for number in NUMBERS]
    wanted = sorted([*numbers[:87], *numbers[93:], *LETTERED])  # F087 to F093 share a row
    wanted[wanted.index("F087")] = SHARED
    assert len(wanted) == 193
    assert identifiers() == wanted
    assert [each.id for each in ROWS] == wanted


def test_the_page_has_the_rows_of_the_table_and_no_others() -> None:
    sections = [re.findall(r"^\| (F\d{3}\S*) \|", text, re.MULTILINE) for text in _section("The rows").split("\n### ")]
    assert sorted(name for section in sections for name in section) == identifiers()
    assert [sorted(section) for section in sections] == sections


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_page_tells_of_a_row_what_its_cases_try(row: Row) -> None:
    fault, kinds = TOLD[row.id]
    assert fault == row.fault
    if isinstance(row.cases, tuple):
        assert kinds == {_word(kind) for case in row.cases for kind in case.kinds}
    assert kinds <= {_word(kind) for kind in Kind}


def test_the_page_has_the_kinds_and_what_is_checked_after_every_row() -> None:
    assert _first_cells("Kinds") == [_word(kind) for kind in Kind]
    assert _first_cells("After every row") == [name for name in INVARIANTS if name != "row"]


def test_the_page_tells_of_every_vulnerability_that_is_tried_and_of_no_other() -> None:
    number = r"(?:CVE-\d{4}-\d+|GHSA(?:-\w{4}){3})"
    told = set(re.findall(number, _section("What happened to other programs")))
    tried = (HERE / "test_cve.py").read_text(encoding="utf-8").replace("_and_28487", "_CVE_2023_28487")
    assert told == set(re.findall(number, re.sub(r"CVE_(\d{4})_", r"CVE-\1-", tried)))
