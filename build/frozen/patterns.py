"""Write Python's compiler of regular expressions together with the expressions that a refresh compiles, compiled.

Run by credproc.spec with the interpreter that is frozen; prints the source of a module that takes the place of
``re._compiler``. Some 30 expressions are compiled by Python code at every start: measured, 2 ms of processor time, of
50. What stands in the module is what that very interpreter would compile, and is compared with it here; an expression
that is not there is compiled as ever.
"""

import _sre  # type: ignore[import-not-found]
import os
import re
import re._compiler as compiler  # type: ignore[import-not-found]
import sys
from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, ROOT)

ADDED = """

# --- added by credproc's build/frozen/patterns.py ---

_COMPILED = {compiled}

_compile_now = compile


def compile(p, flags=0):
    found = _COMPILED.get((p, flags)) if isinstance(p, (str, bytes)) else None
    if found is None:
        return _compile_now(p, flags)
    whole, code, groups, groupindex, indexgroup = found
    return _sre.compile(p, whole, memoryview(code).cast("I").tolist(), groups, groupindex, indexgroup)
"""

Compiled = dict[tuple[str | bytes, int], tuple[int, bytes, int, dict[str, int], tuple[str | None, ...]]]


def recorded() -> Compiled:
    """Import and do what a refresh does, as far as it needs no network, and return what was compiled."""
    found: Compiled = {}
    ours = compiler.compile

    def compile_and_record(p: Any, flags: int = 0) -> Any:  # noqa: ANN401 - as the one that it stands for
        parts: list[Any] = []

        def take(*arguments: Any) -> Any:  # noqa: ANN401
            parts[:] = arguments
            return _sre.compile(*arguments)

        compiler._sre = _Taking(take)  # noqa: SLF001 - nothing else shows the code
        try:
            pattern = ours(p, flags)
        finally:
            compiler._sre = _sre  # noqa: SLF001
        if isinstance(p, (str, bytes)):
            _, whole, code, groups, groupindex, indexgroup = parts
            packed = b"".join(word.to_bytes(4, sys.byteorder) for word in code)
            found[p, int(flags)] = (int(whole), packed, groups, dict(groupindex), tuple(indexgroup))
        return pattern

    compiler.compile = compile_and_record
    re.purge()
    _refresh()
    compiler.compile = ours
    return found


class _Taking:
    """Stands for the module _sre while one expression is compiled."""

    def __init__(self, compile_with: Any) -> None:  # noqa: ANN401
        self.compile = compile_with

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(_sre, name)


def _refresh() -> None:
    from credproc import plan  # noqa: F401, PLC0415 - recorded from here on
    from credproc.aws import direct, sts  # noqa: F401, PLC0415
    from credproc.config import parser  # noqa: PLC0415
    from credproc.mfa import signin  # noqa: F401, PLC0415
    from credproc.refresh import entry, execute  # noqa: F401, PLC0415
    from credproc.sources import process  # noqa: F401, PLC0415

    parser.parse("", "")


def main() -> None:
    """Print the module."""
    if _sre.CODESIZE != 4:
        sys.exit(f"patterns: error: code words of {_sre.CODESIZE} bytes")
    compiled = recorded()
    for (p, flags), (whole, code, groups, groupindex, indexgroup) in compiled.items():
        again = _sre.compile(p, whole, memoryview(code).cast("I").tolist(), groups, groupindex, indexgroup)
        if again != compiler.compile(p, flags):
            sys.exit(f"patterns: error: compiled differently: {p!r}")
    with open(compiler.__file__, encoding="utf-8") as file:
        source = file.read()
    lines = [f"    {key!r}: {value!r},\n" for key, value in sorted(compiled.items(), key=repr)]
    sys.stdout.write(source + ADDED.replace("{compiled}", "{\n" + "".join(lines) + "}"))


if __name__ == "__main__":
    main()
