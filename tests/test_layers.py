"""Imports only go down (credproc/README.md, "The tree"): what may import what, read from the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import credproc

PACKAGE = Path(credproc.__file__).parent
FILES = sorted(path for path in PACKAGE.rglob("*.py"))
AT_THE_TOP = {"os", "sys", "time", "stat", "_signal", "_blake2"}

# The modules of a hit: which of ours each imports when it is loaded
HIT = {
    "__init__": set(),
    "__main__": {"cli"},
    "cli": {"cache"},
    "cache": {"paths", "files"},
    "paths": set(),
    "files": set(),
    "errors": set(),
    "log": {"errors", "files"},
}
# Each folder, from the top: which others its modules import, at the top or within a function. All may import ROOT.
ROOT = {
    *(
        "cache",
        "credentials",
        "dependencies",
        "errors",
        "files",
        "glyphs",
        "limits",
        "log",
        "masking",
        "notes",
        "own_files",
    ),
    *("notes", "own_files", "paths", "request", "trust", ""),
}
FOLDERS = {
    "commands": {"aws", "config", "locking", "mfa", "plan", "process", "refresh", "sources", "stores", "terminal"},
    "refresh": {"aws", "config", "locking", "mfa", "plan", "process", "sources", "terminal"},
    "sources": {"aws", "config", "plan", "process", "stores", "terminal"},
    "mfa": {"config", "locking", "plan", "process", "stores", "terminal"},
    "stores": {"config", "process"},
    "locking": {"process", "terminal"},
    "aws": {"config", "plan", "process"},
    "terminal": set[str](),
    "plan": {"config"},
    "config": set[str](),
    "process": set[str](),
}


def _imports(path: Path, *, everywhere: bool) -> Iterator[str]:
    """Yield the full names of the modules that a file imports; at run time, at the top or anywhere."""
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if everywhere else iter(_top(tree.body))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = node.module == "credproc" or node.module.startswith("credproc.")
            for alias in node.names:
                submodule = PACKAGE.parent / node.module.replace(".", "/") / alias.name
                is_module = submodule.is_dir() or submodule.with_suffix(".py").exists()
                yield f"{node.module}.{alias.name}" if inside and is_module else node.module


def _top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Try):
            yield from node.body
        yield node


def _module(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _ours(path: Path) -> set[str]:
    """Return the modules of ours that the file imports anywhere, without ``credproc.`` before them."""
    found = {module for module in _imports(path, everywhere=True) if module.partition(".")[0] == "credproc"}
    return {module.partition(".")[2] for module in found}


def _folder(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("name", sorted(HIT))
def test_a_module_of_the_hit_imports_only_what_a_hit_may(name: str) -> None:
    found = set(_imports(PACKAGE / f"{name}.py", everywhere=False))
    ours = {module.removeprefix("credproc.") for module in found if module.startswith("credproc")} - {"credproc"}
    assert ours <= HIT[name]
    assert {module for module in found if not module.startswith("credproc")} <= AT_THE_TOP


def test_every_folder_and_every_module_at_the_root_is_in_a_table() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(FOLDERS)
    assert {path.stem for path in PACKAGE.glob("*.py")} == set(HIT) | (ROOT - {""})


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_the_folders_that_the_table_gives_it(path: Path) -> None:
    own = _folder(_module(path))
    if own in FOLDERS:
        assert {_folder(module) for module in _ours(path)} <= FOLDERS[own] | ROOT | {own}
    elif own in ROOT:
        assert {_folder(module) for module in _ours(path)} <= ROOT


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_the_table_gives_a_folder_no_more_than_it_imports(folder: str) -> None:
    paths = [path for path in FILES if _folder(_module(path)) == folder]
    found = {_folder(module) for path in paths for module in _ours(path)}
    assert FOLDERS[folder] <= found


def test_the_tables_folders_stand_in_the_order_in_which_they_import() -> None:
    below = set(FOLDERS)
    for folder, imports in FOLDERS.items():
        below.remove(folder)
        assert imports <= below


def test_no_module_imports_itself_through_others() -> None:
    imports = {_module(path): _ours(path) - {""} for path in FILES}
    done: set[str] = set()

    def follow(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way, module))
        if module not in done:
            for one in imports.get(module, ()):
                follow(one, (*way, module))
            done.add(module)

    for module in imports:
        follow(module, ())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_command_line_prints_exits_or_reads_arguments(path: Path) -> None:
    if path.name == "cli.py":
        return
    calls = {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}
    names = {ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    if path.name in ("watchdog.py", "keeper.py"):  # they are forks, and leave as those
        calls.discard("os._exit")
    assert not calls & {"print", "sys.exit", "os._exit", "exit"}
    assert "sys.argv" not in names
