"""What the pages and the comments refer to is there: files, headings, folders of the program."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "credproc"
MADE = {".git", ".venv", "__pycache__", "build/work", "build/dist"}  # what is no part of the repository
TEXTS = {".py", ".md", ".toml", ".yml", ".spec", ""}
# A page, then "a heading" or the number of one: CONTRACT.md, R6
CITED = re.compile(r'(?<![\w/.-])((?:[\w.-]+/)*\w+\.md)\b(?:,? "([^"]+)"|,? (R\d+|\d+(?:\.\d+)?)\b)?')


def _files() -> Iterator[Path]:
    for directory, folders, names in os.walk(ROOT):
        here = Path(directory).relative_to(ROOT)
        folders[:] = [name for name in folders if not MADE & {name, (here / name).as_posix()}]
        yield from (Path(directory, name) for name in names)


FILES = sorted(path for path in _files() if path.suffix in TEXTS)
PAGES = [path for path in FILES if path.suffix == ".md"]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _headings(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [title.strip() for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)]


def _anchor(heading: str) -> str:
    """Return a heading's address as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _page(name: str, cited_in: Path) -> Path | None:
    """Return the page of this name: from the root, from beside the one that cites it, or the only one of its name."""
    for page in (ROOT / name, cited_in.parent / name):
        if page.exists():
            return page
    named = [page for page in PAGES if page.name == name]
    return named[0] if len(named) == 1 else None


def _is_in(page: Path, title: str, number: str) -> bool:
    """Whether the page has a heading of this title, its number left out or not, or of this number."""
    headings = _headings(page)
    if title:
        return title in {*headings, *(heading.partition(" ")[2] for heading in headings)}
    return not number or number in {heading.partition(" ")[0] for heading in headings}


def _wrong(path: Path) -> list[str]:
    """Return the citations in a file that lead nowhere."""
    text = re.sub(r"\n\s*(?:# )?", " ", path.read_text(encoding="utf-8"))  # one may go on in the next line of a comment
    found = []
    for name, title, number in CITED.findall(text):
        page = _page(name, path)
        if page is None or not _is_in(page, title, number):
            found.append(" ".join(filter(None, (name, title, number))))
    return found


@pytest.mark.parametrize("path", [path for path in FILES if b".md" in path.read_bytes()], ids=_name)
def test_what_a_file_cites_is_there(path: Path) -> None:
    assert not _wrong(path)


@pytest.mark.parametrize("suffix", ["", ", R1", ", 1.3", ' "Rules"', ', "When SDKs run the helper again"', ",\n# R6"])
def test_a_citation_is_found_by_page_number_and_heading(tmp_path: Path, suffix: str) -> None:
    page = "CONTRACT" + ".md"  # a name in one piece would be a citation of this file
    (tmp_path / "right.py").write_text(f"x = 1  # so it is ({page}{suffix})\n", encoding="utf-8")
    assert _wrong(tmp_path / "right.py") == []
    for wrong in (f"{page}, R99", f"{page}, 1.99", f'{page} "Rule"', f"contact{page}{suffix}", f"docs/{page}{suffix}"):
        (tmp_path / "wrong.py").write_text(f"x = 1  # so it is ({wrong})\n", encoding="utf-8")
        assert len(_wrong(tmp_path / "wrong.py")) == 1, wrong


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_a_link_leads_to_a_file_and_a_heading_that_there_are(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        to = (page.parent / path).resolve() if path else page
        assert to.exists(), link
        assert not anchor or anchor in map(_anchor, _headings(to)), link


def test_each_rule_of_the_kit_comes_from_headings_of_the_contract() -> None:
    kit = ROOT / "tests" / "conformance"
    sources = re.findall(r'source="([^"]+)"', (kit / "rules.py").read_text(encoding="utf-8"))
    assert len(sources) > 50
    assert [source for source in " ".join(sources).split() if not _is_in(kit / "CONTRACT.md", "", source)] == []


# credproc/README.md


def _table(title: str) -> list[list[str]]:
    """Return the cells of the rows of the table below a heading, without its head."""
    section = (PACKAGE / "README.md").read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def test_the_tree_has_every_folder_and_file_of_the_program_and_no_others() -> None:
    told = {
        folder.strip("`").rstrip("/"): set(re.findall(r"`([^`]+)`", files)) for folder, _, files in _table("The tree")
    }
    there: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            folder = path.parent.relative_to(ROOT).as_posix()
            there.setdefault(folder.removeprefix("credproc/"), set()).add(path.name.removesuffix(".py"))
    assert told.keys() == there.keys()
    for folder, names in there.items():
        assert told[folder] == names - {"__init__"} | (names if folder == "credproc" else set()), folder


@pytest.mark.parametrize("row", _table("Where ten usual changes go"), ids=lambda row: row[0])
def test_a_usual_change_goes_to_at_most_four_files_that_there_are(row: list[str]) -> None:
    paths = re.findall(r"`([\w/]+\.\w+)`", row[1])
    assert 1 <= len(paths) <= 4
    for path in paths:
        is_new = "NAME" in path
        assert (PACKAGE / path).parent.is_dir() if is_new else (PACKAGE / path).exists(), path


def test_ten_usual_changes_have_a_place() -> None:
    assert len(_table("Where ten usual changes go")) == 10
