"""A kind that is added and forgotten somewhere is an error of mypy, at each place where it is missing."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "credproc"
# Where the kinds are listed, what the list is called, and places at which one more must be noticed
LISTS = [
    (
        "plan/source.py",
        "SourceKind",
        {"sources/__init__.py", "commands/plan_text.py", "commands/profile_state.py", "commands/policy.py"},
    ),
    ("config/settings.py", "CredentialSource", {"plan/source.py", "sources/__init__.py"}),
    ("sources/machine.py", "MachineKind", {"sources/machine.py"}),
    (
        "config/settings.py",
        "StoreKind",
        {"stores/__init__.py", "commands/plan_text.py", "commands/status.py", "commands/doctor/services.py"},
    ),
    ("config/settings.py", "SessionStore", {"stores/__init__.py"}),
    ("config/settings.py", "Shown", {"commands/plan_text.py"}),
    ("errors.py", "PersonNeededKind", {"locking/refusal.py"}),
    ("commands/profile_state.py", "StateKind", {"commands/profile_table.py"}),
]


@pytest.fixture(name="cache", scope="module")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of mypy's cache, so that only what depends on the list is read anew."""
    path = tmp_path_factory.mktemp("mypy")
    if (ROOT / "build" / "work" / "mypy").exists():
        shutil.copytree(ROOT / "build" / "work" / "mypy", path, dirs_exist_ok=True)
    return path


@pytest.mark.parametrize(("file", "name", "places"), LISTS, ids=[name for _, name, _ in LISTS])
def test_mypy_names_each_place_where_a_new_kind_is_missing(
    file: str, name: str, places: set[str], cache: Path, tmp_path: Path
) -> None:
    longer, count = re.subn(rf"({name} = [^#]*?\bLiteral\[)", r'\1"one more", ', (PACKAGE / file).read_text())
    assert count == 1
    (tmp_path / "longer.py").write_text(longer)
    shadow = ["--shadow-file", f"credproc/{file}", str(tmp_path / "longer.py")]
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(cache), *shadow, "credproc"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^credproc/(\S+?):\d+: error: .*one more.*\[exhaustive-match\]$", ran.stdout, re.MULTILINE)
    assert places <= set(found), ran.stdout


def _kinds(file: str, name: str) -> set[str]:
    """Return the texts in the list."""
    for node in ast.walk(ast.parse((PACKAGE / file).read_text())):
        if isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == [name]:
            texts = (one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant))
            return {text for text in texts if isinstance(text, str)}
    raise AssertionError(name)


def test_no_dictionary_stands_for_a_match_over_kinds() -> None:
    lists = [_kinds(file, name) for file, name, _ in LISTS]
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Dict) and len(node.keys) > 1:
                keys = {one.value for one in node.keys if isinstance(one, ast.Constant)}
                assert not any(keys <= kinds for kinds in lists if keys), f"{path}:{node.lineno}"
