"""X. Names and values that nobody means."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from tests.built import package
from tests.completed import NAMES, SHORT, begun, interactive, quotes_of
from tests.faults import odd
from tests.faults.rows import Case, row, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.faults.rows import Amount
    from tests.faults.scene import Result, Scene

_SAMPLE = 40  # tries for each kind of source
_ANY = 1_000_000  # calls of STS


def _completed(quote: str, scene: Scene) -> Result:
    """Complete all names within the quote, in bash on a terminal, and run what stands there then."""
    scripts, home = scene.path / "completions", scene.path / "shell"
    package.write_completions(str(scripts))
    home.mkdir()
    with interactive("bash", scripts, home) as shell:
        for name in NAMES:
            typed = begun(name, quote, 1 if name in SHORT else 2, "bash")
            assert shell.started(f"credproc setup {typed}") == ["setup", name], f"{typed}: {shell.shown()}"
        assert not shell.has_run, "a part of a name was run"
    scene.injections = len(NAMES)
    return scene.run()


class _Sweep:
    """The tries of one kind of source: all, or a sample."""

    def __init__(self, tries: Callable[[odd.World, str], Iterable[odd.Odd]], kind: str, amount: Amount) -> None:
        self._tries, self._kind, self._amount = tries, kind, amount
        self._found: list[str] = []

    def run(self, scene: Scene) -> Result:
        """Play them in a world of their own, and credproc once more in the scene's."""
        amount = self._amount
        chance = random.Random(amount.seed)  # noqa: S311 - a sample, no secret
        path = scene.path / "odd"
        path.mkdir()
        with odd.World(path, scene.sts) as world:
            tries = list(self._tries(world, self._kind))[amount.part - 1 :: amount.parts]
            chosen = tries if amount.deep else chance.sample(tries, _SAMPLE)
            tally = odd.play(world, odd.with_commands(chosen, chance))
        self._found = tally.found
        scene.injections = tally.ends.total()
        return scene.run()

    def check(self, _scene: Scene, _result: Result) -> None:
        assert not self._found, f"{len(self._found)} tries: {self._found[:3]}"


def _tried(tries: Callable[[odd.World, str], Iterable[odd.Odd]], amount: Amount) -> Iterator[Case]:
    for kind in odd.World.kinds:
        played = _Sweep(tries, kind, amount)
        yield Case(kind, run=played.run, check=played.check, calls=_ANY)


ROWS = (
    row(
        "F186",
        "a name that a shell would run, completed in bash",
        *(Case(quote or "no quote", run=partial(_completed, quote)) for quote in quotes_of("bash")),
    ),
    sweep("F187", "a variable with a value that nobody means", partial(_tried, odd.odd_variables)),
    sweep("F188", "a setting with a value that nobody means", partial(_tried, odd.odd_settings)),
)
