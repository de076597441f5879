"""Which tests start a process: read from their code, so that a new test is in the right class by itself.

`pytest --fast` runs those that start none, `pytest --each-once` of each that does its first case alone. A test starts
one if a call in `CALLS` can be reached from it, its fixtures and its parameters, through the functions of `FOLLOWED`. A
method is reached where its name occurs and its class is used: that says "starts" of a few tests that do not. It says
"starts none" of no test that does, as far as Python's audit events tell: a fast test that starts a process has failed.
"""

from __future__ import annotations

import dis
import functools
import importlib
import sys
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pytest

FOLLOWED = ("tests", "credproc")
CALLS = {
    "subprocess": {"Popen", "run", "call", "check_call", "check_output"},
    "os": {"fork", "forkpty", "posix_spawn", "posix_spawnp", "popen", "spawnv", "spawnve", "startfile", "system"},
    "pty": {"fork", "spawn"},
    "multiprocessing": {"Pool", "Process"},
}
EVENTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system"}
# What every test has. The canary scan looks at processes, and has nothing to look at where there are none
_EVERYWHERE = {"home", "canaries", "_looked_back_at", "_starts_none"}
_CALLED_BY_SYNTAX = {
    "__init__",
    "__post_init__",
    "__enter__",
    "__exit__",
    "__iter__",
    "__next__",
    "__call__",
    "__del__",
}


def starting(items: Iterable[pytest.Item]) -> dict[str, str]:
    """Return the tests that start a process, by node id, with the function that would."""
    known: dict[tuple[int, ...], str | None] = {}
    found = {}
    for item in items:
        roots = list(_roots(item))
        key = tuple(id(root) for root in roots)
        if key not in known:
            known[key] = reach(roots, item.function.__module__)  # type: ignore[attr-defined]
        if (where := known[key]) is not None:
            found[item.nodeid] = where
    return found


def again(items: Iterable[pytest.Item]) -> set[str]:
    """Return the further cases of the tests that start a process, by node id."""
    seen: set[str] = set()
    found = set()
    for name in starting(items):
        test = name.partition("[")[0]
        if test in seen:
            found.add(name)
        seen.add(test)
    return found


def reach(roots: Iterable[object], module: str = "tests") -> str | None:
    """Return the name of a function that starts a process and can be reached, or None; the roots are of ``module``."""
    return _Reach(roots, {*FOLLOWED, _top(module)}).start()


def _roots(item: Any) -> Iterator[object]:
    yield item.function
    if hasattr(item.function, "hypothesis"):  # @given puts a function of its own in the test's place
        yield item.function.hypothesis.inner_test
    for name, definitions in item._fixtureinfo.name2fixturedefs.items():
        if name not in _EVERYWHERE:
            yield from (definition.func for definition in definitions)
    if hasattr(item, "callspec"):
        yield from (value for value in item.callspec.params.values() if not _is_plain(value))


class _Reach:
    """What can be reached from some functions, classes and values."""

    def __init__(self, roots: Iterable[object], followed: set[str]) -> None:
        self._followed = followed
        self._names: set[str] = set()  # all that occur in the functions
        self._spaces: list[Mapping[str, object]] = []  # the classes and modules where a name may be one of theirs
        self._seen: set[int] = set()
        self._open: list[FunctionType] = []
        for root in roots:
            self._add(root)

    def start(self) -> str | None:
        while self._open:
            function = self._open.pop()
            names, starts = _read(function)
            if starts:
                return f"{function.__module__}.{function.__qualname__}"
            for name in names - self._names:
                self._names.add(name)
                for space in self._spaces:
                    self._add(space.get(name))
            for name in names & function.__globals__.keys():
                self._add(function.__globals__[name])
            for name in _imports(function):
                if self._follows(name):
                    self._add(_module(name))
            for cell in function.__closure__ or ():
                self._add(_content(cell))
        return None

    def _add(self, thing: object) -> None:
        if id(thing) in self._seen or _is_plain(thing):
            return
        self._seen.add(id(thing))
        thing = _bare(thing)
        if isinstance(thing, FunctionType):
            self._open += [thing] if self._follows(thing.__module__) else []
        elif isinstance(thing, type):
            for one in thing.__mro__:
                self._enter(one.__module__, vars(one), _CALLED_BY_SYNTAX)
        elif isinstance(thing, ModuleType):
            self._enter(thing.__name__, vars(thing))
        else:
            for value in [type(thing), *_values(thing)]:
                self._add(value)

    def _follows(self, module: str | None) -> bool:
        return _top(module) in self._followed

    def _enter(self, module: str, space: Mapping[str, object], called: Iterable[str] = ()) -> None:
        if self._follows(module):
            self._spaces.append(space)
            for name in [*self._names, *called]:
                self._add(space.get(name))


def _is_plain(thing: object) -> bool:
    """Whether it is a value in which no function can be."""
    kind = type(thing)
    if kind in {list, tuple, dict}:
        return all(_is_plain(value) for value in _values(thing))
    return thing is None or kind in {str, bytes, int, float, bool}


def _values(thing: object) -> list[object]:
    """Return what a container holds."""
    if isinstance(thing, dict):
        return list(thing.values())
    return list(thing) if isinstance(thing, (list, tuple, set, frozenset)) else []


@functools.cache
def _read(function: FunctionType) -> tuple[frozenset[str], bool]:
    """Return the names that occur in a function and in those inside it, and whether it starts a process itself."""
    names = frozenset(name for code in _codes(function) for name in code.co_names)
    modules = (function.__globals__.get(name) for name in names)
    found = {module.__name__ for module in modules if isinstance(module, ModuleType)} | names
    return names, any(module in found and names & calls for module, calls in CALLS.items())


@functools.cache
def _imports(function: FunctionType) -> list[str]:
    """Return the full names of what a function imports itself, modules or not."""
    found: list[str] = []
    module = ""
    for code in _codes(function):
        for step in dis.get_instructions(code):
            if step.opname == "IMPORT_NAME":
                module = step.argval
                found.append(module)
            elif step.opname == "IMPORT_FROM":
                found.append(f"{module}.{step.argval}")
    return found


@functools.cache
def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except (ImportError, AssertionError, AttributeError):  # no module, or one of another system
        return None


def _codes(function: FunctionType) -> list[CodeType]:
    """Return the code of a function and of those inside it."""
    codes = [function.__code__]
    for code in codes:
        codes += [one for one in code.co_consts if isinstance(one, CodeType)]
    return codes


def _bare(thing: Any) -> Any:
    """Return the function in a method, property, partial or fixture; else the thing."""
    inner = {staticmethod: "__func__", classmethod: "__func__", MethodType: "__func__", property: "fget"}
    inner |= {functools.partial: "func", functools.cached_property: "func"}
    while True:
        name = inner.get(type(thing))
        if name is None:
            name = next((one for one in ("__wrapped__", "_fixture_function") if one in _attributes(thing)), None)
        if name is None:
            return thing
        thing = getattr(thing, name)


def _attributes(thing: object) -> Iterable[str]:
    return getattr(thing, "__dict__", ())


def _content(cell: Any) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _top(module: str | None) -> str:
    return (module or "").partition(".")[0]


class Watch:
    """Python's own audit events of processes that are started, for as long as a test listens."""

    def __init__(self) -> None:
        self._heard: list[str] | None = None
        sys.addaudithook(self._hear)  # for good: a hook cannot be taken away

    def begin(self) -> None:
        """Listen from here on."""
        self._heard = []

    def end(self) -> list[str]:
        """Return what was started, and listen no longer."""
        heard, self._heard = self._heard or [], None
        return heard

    def _hear(self, event: str, given: tuple[object, ...]) -> None:
        if self._heard is not None and event in EVENTS:
            self._heard.append(f"{event} {given[:2]!r:.200}")
