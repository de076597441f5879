"""What a terminal shows, as a picture: the text and colours of `tmux capture-pane -e`, readable on light and dark."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH, _HEIGHT = 8.43, 19  # of a character, for a font of 14 pixels
_MARGIN = 16
_GRAPHIC = re.compile(r"\x1b\[([0-9;]*)m")
_CLASSES = {"1": "b", "31": "r", "32": "g", "33": "y", "34": "l", "35": "m", "36": "c"}
_RESETS = {"", "0", "39", "49"}  # 49: of the background, which nothing of ours sets
_FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
# Light stands in the attributes, for what shows pictures without knowing media queries
_STYLE = """\
.b,.p{font-weight:bold}.r{fill:#cf222e}.g{fill:#116329}.y{fill:#7d4e00}.l{fill:#0550ae}.m{fill:#8250df}.c{fill:#1b7c83}
@media(prefers-color-scheme:dark){
g{fill:#e6edf3}rect{fill:#0d1117;stroke:#3d444d}
.r{fill:#ff7b72}.g{fill:#3fb950}.y{fill:#d29922}.l{fill:#79c0ff}.m{fill:#d2a8ff}.c{fill:#76e3ea}
}"""


class Piece(NamedTuple):
    """Text of one look; the classes are those of the style."""

    text: str
    classes: frozenset[str]


def pieces(line: str) -> Iterator[Piece]:
    """Yield what a captured line consists of. Raises KeyError for a look that the style does not know."""
    classes: frozenset[str] = frozenset()
    for number, part in enumerate(_GRAPHIC.split(line)):
        if number % 2:
            for code in part.split(";"):
                classes = frozenset() if code in _RESETS else classes | {_CLASSES[code]}
        elif part:
            yield Piece(part, classes)


def picture(screen: str, title: str, columns: int, prompt: str) -> str:
    """Return the SVG of a captured screen; what stands behind the prompt is bold, as a person has typed it."""
    lines = screen.rstrip("\n").split("\n")
    width, height = round(columns * _WIDTH) + 2 * _MARGIN, len(lines) * _HEIGHT + 2 * _MARGIN
    body = "\n".join(
        f'<text x="{_MARGIN}" y="{_MARGIN + number * _HEIGHT + 14}">{_spans(line, prompt)}</text>'
        for number, line in enumerate(lines)
        if line
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_STYLE}\n</style>\n"
        f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="6" fill="#f6f8fa" stroke="#d1d9e0"/>\n'
        f'<g font-family="{_FONTS}" font-size="14" fill="#1f2328" xml:space="preserve">\n{body}\n</g>\n</svg>\n'
    )


def text(svg: str) -> list[str]:
    """Return the lines of text in such a picture."""
    shown = (re.sub(r"<[^>]*>", "", line) for line in svg.splitlines() if line.startswith("<text"))
    return [line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for line in shown]


def _spans(line: str, prompt: str) -> str:
    return "".join(_span(piece, is_typed=line.startswith(prompt)) for piece in pieces(line))


def _span(piece: Piece, *, is_typed: bool) -> str:
    shown = escape(piece.text, quote=False)
    classes = {*piece.classes, "p"} if is_typed else piece.classes
    return f'<tspan class="{" ".join(sorted(classes))}">{shown}</tspan>' if classes else shown
