"""Make the mutants of a module: mutmut's, and two kinds more."""

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutant import ROOT, Mutant
from mutmut.mutation.mutators import mutation_operators

NOT_CALLED_WRONG = {"len", "isinstance"}  # with other arguments they raise TypeError in any test


def negated(node: cst.If) -> Iterator[cst.If]:
    """Yield the ``if`` with its condition negated, where mutmut has no operator for the condition."""
    if isinstance(node.test, (cst.Name, cst.Attribute, cst.Call, cst.NamedExpr)):
        inner = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.with_changes(test=cst.UnaryOperation(operator=cst.Not(), expression=inner))


def without_call(node: cst.Expr) -> Iterator[cst.Pass]:
    """Yield ``pass`` in place of a call whose result is not used."""
    if isinstance(node.value, cst.Call):
        yield cst.Pass()


OPERATORS: Sequence[tuple[type, Callable[..., Iterable[cst.CSTNode]]]] = [
    *mutation_operators,
    (cst.If, negated),
    (cst.Expr, without_call),
]


class MutationFinder(cst.CSTVisitor):  # type: ignore[misc] # libcst is not there where mypy is
    """Find the replacements for each node that runs on this platform."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, source: str) -> None:
        """Create the finder for a module's source text."""
        super().__init__()
        self.found: list[tuple[str, cst.CSTNode, cst.CSTNode]] = []
        self._lines = source.splitlines()
        self._names: list[str] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Record the replacements of this node; return whether to visit its children."""
        if isinstance(node, (cst.Annotation, cst.Decorator)) or self._never_runs(node):
            return False
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in NOT_CALLED_WRONG:
            return False
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            self._names.append(node.name.value)
        where = ".".join(self._names) or "the module"
        for kind, operator in OPERATORS:
            if isinstance(node, kind):
                self.found.extend((where, node, other) for other in operator(node))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Forget the name of a function or class at its end."""
        if isinstance(original_node, (cst.FunctionDef, cst.ClassDef)):
            self._names.pop()

    def _never_runs(self, node: cst.CSTNode) -> bool:
        if not isinstance(node, (cst.BaseStatement, cst.SimpleStatementLine, cst.Else, cst.ExceptHandler)):
            return False
        line = self._lines[self.get_metadata(PositionProvider, node).start.line - 1]
        return "pragma: no cover" in line or line.startswith("if TYPE_CHECKING:")


def mutants(module: str) -> list[Mutant]:
    """Return all mutants of the module, in the order of the source."""
    source = (ROOT / module).read_text()
    wrapper = MetadataWrapper(cst.parse_module(source))
    finder = MutationFinder(source)
    wrapper.visit(finder)
    made: list[Mutant] = []
    seen: Counter[tuple[str, tuple[str, ...]]] = Counter()
    codes = {source}
    for where, node, other in finder.found:
        code = wrapper.module.deep_replace(node, other)
        text = code.code if isinstance(code, cst.Module) else ""
        if text in codes or not _compiles(text):
            continue
        codes.add(text)
        difference = difflib.unified_diff(source.splitlines(), text.splitlines(), n=0, lineterm="")
        lines = tuple(line for line in difference if not line.startswith(("---", "+++", "@@")))
        seen[where, lines] += 1
        made.append(Mutant(module, where, lines, seen[where, lines], text))
    return made


def _compiles(code: str) -> bool:
    try:
        compile(code, "mutant", "exec")
    except SyntaxError:
        return False
    return True
