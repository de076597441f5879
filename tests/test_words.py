"""Words of messages by platform: what a system does not have is said on the others only.

A text is for one kind of system if it is the ``posix``, ``macos`` or ``windows`` of ``by_platform``, or if it stands
where ``sys.platform`` says so. All other texts are read on every system.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import credproc
from credproc.errors import by_platform, removing

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = Path(credproc.__file__).parent
POSIX_WORDS = re.compile(
    r"\b(?:chmod|chown|chgrp|ulimit|sudo|umask|eval|unset|stty|timedatectl|systemctl|apt-get|owner and mode)\b"
    r"|\bmode 0|\bexport [A-Z_]+=|\bset -gx [A-Z]|\bkill -|~/|\$USER|set HOME\b|/usr/|(?<!\[)/PATH"
    r"| .*/(?:dev|proc|etc|tmp)/"
)
WINDOWS_WORDS = re.compile(
    r" .*\.(?:exe|bat|cmd)\b|\bcmd /c|\bPATHEXT .|\b(?:icacls|w32tm|set \"[A-Z])|\$Env:[A-Z]|[A-Z]:\\\w|~\\"
    r"|\bproperties, Security|\bCredential Manager\b| .*\b(?:USERPROFILE|LOCALAPPDATA)\b"
)
# What these say, they say on one kind of system only, as their callers see to it; or they name what it is for
POSIX_ONLY = {
    "commands/completion/__init__.py": "the lines of bash and zsh, named as such",
    "commands/completion/bash.py": "what bash runs",
    "commands/completion/fish.py": "what fish runs",
    "commands/completion/zsh.py": "what zsh runs",
    "commands/export.py": "what bash runs",
    "glyphs.py": "what is pasted, into any shell",
}
WINDOWS_ONLY = {
    "commands/doctor/environment.py": "of two homes, which there are on Windows",
    "process/command_line.py": "of batch files, which cmd.exe runs",
    "sources/aws_cli.py": "of the AWS CLI as a batch file",
}


class Text(NamedTuple):
    """A text of the source, with {} for what is put into it, and the kinds of systems on which it can be shown."""

    words: str
    posix: bool
    windows: bool


class Texts(ast.NodeVisitor):
    """Finds the texts of a module, but its docstrings."""

    def __init__(self, tree: ast.Module) -> None:
        self.found: list[Text] = []
        self._on = (True, True)  # on POSIX, on Windows
        self._docstrings = {_docstring(node) for node in ast.walk(tree)}
        tests = [statement.test for statement in tree.body if isinstance(statement, ast.Assert)]
        self._visit_on(tree.body, _systems(tests))

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.found.append(Text(node.value, *self._on))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        words = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        self.found.append(Text(words, *self._on))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def visit_keyword(self, node: ast.keyword) -> None:
        self._visit_on([node.value], (node.arg != "windows", node.arg not in ("posix", "macos")))

    def visit_If(self, node: ast.If) -> None:
        self._branches(node.test, node.body, node.orelse)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._branches(node.test, [node.body], [node.orelse])

    def visit_Expr(self, node: ast.Expr) -> None:
        if node not in self._docstrings:
            self.generic_visit(node)

    def _branches(self, test: ast.expr, body: Sequence[ast.AST], others: Sequence[ast.AST]) -> None:
        parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]
        posix, windows = _systems(parts)
        self.visit(test)
        self._visit_on(body, (posix, windows))
        # Where more is asked than the system, the rest runs everywhere
        is_either = len(parts) == 1 and posix != windows
        self._visit_on(others, (windows, posix) if is_either else (True, True))

    def _visit_on(self, nodes: Sequence[ast.AST], systems: tuple[bool, bool]) -> None:
        before = self._on
        self._on = (before[0] and systems[0], before[1] and systems[1])
        for node in nodes:
            self.visit(node)
        self._on = before


def _systems(tests: Sequence[ast.expr]) -> tuple[bool, bool]:
    """Return whether all of these can be true on POSIX, and on Windows."""
    written = [ast.unparse(test).removeprefix("sys.") for test in tests]
    return "platform == 'win32'" not in written, "platform != 'win32'" not in written


def _docstring(node: ast.AST) -> ast.stmt | None:
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            return first
    return None


def _shown(path: Path) -> list[Text]:
    return Texts(ast.parse(path.read_text(encoding="utf-8"))).found


def _files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", _files(), ids=_name)
def test_no_message_tells_windows_what_it_does_not_have(path: Path) -> None:
    found = [text.words for text in _shown(path) if text.windows and POSIX_WORDS.search(text.words)]
    assert bool(found) == (_name(path) in POSIX_ONLY), found


@pytest.mark.parametrize("path", _files(), ids=_name)
def test_no_message_tells_others_what_windows_alone_has(path: Path) -> None:
    found = [text.words for text in _shown(path) if text.posix and WINDOWS_WORDS.search(text.words)]
    assert bool(found) == (_name(path) in WINDOWS_ONLY), found


@pytest.mark.parametrize(
    ("source", "systems"),
    [
        ("'chmod'", (True, True)),
        ("f'chmod {x}'", (True, True)),
        ("by_platform(posix='chmod', windows='')", (True, False)),
        ("by_platform(posix='', macos='chmod', windows='')", (True, False)),
        ("by_platform(posix='', windows='chmod')", (False, True)),
        ("if sys.platform != 'win32':\n  x\n  x('chmod')", (True, False)),
        ("if sys.platform == 'win32':\n  x\nelse:\n  x('chmod')", (True, False)),
        ("if platform != 'win32' and x:\n  x(f'chmod {x}')", (True, False)),
        ("if platform != 'win32' and x:\n  x\nelse:\n  x('chmod')", (True, True)),
        ("if platform == 'win32':\n  if x:\n    x('chmod')", (False, True)),
        ("x('chmod' if sys.platform != 'win32' else 1)", (True, False)),
        ("assert sys.platform != 'win32'\nx('chmod')", (True, False)),
    ],
)
def test_a_text_is_for_the_systems_that_the_source_says(source: str, systems: tuple[bool, bool]) -> None:
    tree = ast.parse(f"'''A docstring.'''\n{source}")
    assert [text[1:] for text in Texts(tree).found if "chmod" in text.words] == [systems]


@pytest.mark.parametrize("source", ["'chmod'", "def f():\n  'chmod'", "class C:\n  'chmod'"])
def test_a_docstring_is_no_message(source: str) -> None:
    assert not Texts(ast.parse(source)).found


@pytest.mark.parametrize(("platform", "words"), [("linux", "a"), ("freebsd14", "a"), ("darwin", "a"), ("win32", "b")])
def test_the_words_are_the_platforms(platform: str, words: str) -> None:
    assert by_platform(posix="a", windows="b", platform=platform) == words
    on_macos = "c" if platform == "darwin" else words
    assert by_platform(posix="a", macos="c", windows="b", platform=platform) == on_macos


def test_a_variable_is_removed_in_the_words_of_the_platform() -> None:
    assert removing("A", platform="linux") == "unset A"
    assert removing("A", "B", "C", platform="darwin") == "unset A B C"
    assert removing("A", platform="win32") == "remove the variable A"
    assert removing("A", "B", "C", platform="win32") == "remove the variables A, B and C"
