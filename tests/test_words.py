"""Words of messages by platform: what Windows does not have is said on other systems only."""

import ast
import re
from pathlib import Path

import pytest

import credproc
from credproc.errors import by_platform

PACKAGE = Path(credproc.__file__).parent
POSIX_WORDS = re.compile(r"\b(?:chmod|chown|chgrp|ulimit|sudo|umask|eval|owner and mode)\b|/usr/|\$USER|set HOME\b")
# What these say, they say on POSIX only
POSIX_ONLY = {
    "commands/completion/__init__.py": "the lines of bash and zsh, named as such",
    "glyphs.py": "what is pasted, into any shell",
    "trust.py": "owners and modes",
    "config/writer.py": "who runs it as root",
    "commands/doctor/files.py": "modes",
    "commands/keys/restore.py": "modes",
}


def _docstrings(tree: ast.Module) -> set[ast.expr]:
    found: set[ast.expr] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(first.value)
    return found


def _posix_words(path: Path) -> list[str]:
    """Return the texts of the file with words of POSIX that are not the ``posix`` of ``by_platform``."""
    tree = ast.parse(path.read_text())
    left_out = _docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "posix":
            left_out |= {part for part in ast.walk(node.value) if isinstance(part, ast.Constant)}
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [str(node.value) for node in texts if node not in left_out and POSIX_WORDS.search(str(node.value))]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_message_tells_windows_what_it_does_not_have(path: Path) -> None:
    found = _posix_words(path)
    assert bool(found) == (path.relative_to(PACKAGE).as_posix() in POSIX_ONLY), found


def test_the_words_are_the_platforms() -> None:
    words = {
        platform: by_platform(posix="a", windows="b", platform=platform) for platform in ("linux", "darwin", "win32")
    }
    assert words == {"linux": "a", "darwin": "a", "win32": "b"}
