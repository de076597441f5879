"""Arrows go one way (design: the rooms): what may import what, read from the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import credproc

PACKAGE = Path(credproc.__file__).parent
FILES = sorted(path for path in PACKAGE.rglob("*.py"))
AT_THE_TOP = {"os", "sys", "time", "stat", "_signal", "_blake2"}
MAY_IMPORT = {
    "__main__": {"cli"},
    "cli": {"cache"},
    "cache": {"paths", "files"},
    "paths": set(),
    "files": set(),
    "errors": set(),
    "log": {"errors", "files"},
    "__init__": set(),
}
STRANGERS = {"sts", "sources", "session", "mfa"}  # siblings that only refresh/obtain joins


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
                submodule = PACKAGE.parent / node.module.replace(".", "/") / f"{alias.name}.py"
                yield f"{node.module}.{alias.name}" if inside and submodule.exists() else node.module


def _top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Try):
            yield from node.body
        yield node


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_a_module_of_the_hit_imports_only_what_a_hit_may(name: str) -> None:
    found = set(_imports(PACKAGE / f"{name}.py", everywhere=False))
    ours = {module.removeprefix("credproc.") for module in found if module.startswith("credproc")} - {"credproc"}
    assert ours <= MAY_IMPORT[name]
    assert {module for module in found if not module.startswith("credproc")} <= AT_THE_TOP


def test_every_module_at_the_top_is_in_the_table() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_below_imports_the_command_line(path: Path) -> None:
    found = set(_imports(path, everywhere=True))
    inside = path.relative_to(PACKAGE).parts[0]
    if inside == "refresh":
        assert not any(module.startswith(("credproc.cli", "credproc.commands")) for module in found)
    if inside != "__main__.py":
        assert "credproc.cli" not in found


@pytest.mark.parametrize("name", sorted(STRANGERS))
def test_those_who_talk_to_the_outside_do_not_know_each_other(name: str) -> None:
    path = PACKAGE / "refresh" / f"{name}.py"
    found = {module.rpartition(".")[2] for module in _imports(path, everywhere=True) if "credproc.refresh" in module}
    assert not found & (STRANGERS - {name})


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_command_line_prints_exits_or_reads_arguments(path: Path) -> None:
    if path.name == "cli.py":
        return
    calls = {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}
    names = {ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    if path.name == "watcher.py":  # it is a fork, and leaves as one
        calls.discard("os._exit")
    assert not calls & {"print", "sys.exit", "os._exit", "exit"}
    assert "sys.argv" not in names
