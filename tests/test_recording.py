"""The pictures in the README and in docs/ show what the program prints, and so does the text that stands for one."""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

if sys.platform != "linux":
    pytest.skip("the rigs are made for Linux", allow_module_level=True)

from tests import keyrings, tmux
from tests.recording import AWS, ROOT, SCENES, record
from tests.svg import Piece, picture, pieces, text

PICTURES = ROOT / "build" / "recording"
README = (ROOT / "README.md").read_text()
PAGES = {"build": README, "../build": (ROOT / "docs" / "setup.md").read_text()}  # by their way to the pictures
NAMES = [scene.name for scene in SCENES]
SLOW = "waiting for the keyring to be unlocked"
# What differs from run to run: moments, and how long something took or lasts
PASSING = (
    (r"(\d{4}-\d\d-\d\d )?\d\d:\d\dZ", "MOMENT"),
    (r"\d+ (h|min)\b", r"N \1"),
    (r"\b\d+\.\d+ s\b", "N s"),
)


@pytest.fixture(name="recorded", scope="module")
def _recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert tmux.AVAILABLE, "build/test installs tmux"
    assert keyrings.AVAILABLE, "build/test installs dbus-daemon and gnome-keyring-daemon"
    assert AWS.exists(), "build/test installs the AWS CLI"
    directory = tmp_path_factory.mktemp("recorded")
    record(directory)
    return directory


def _lasting(svg: str) -> list[str]:
    """Return the lines of a picture without what passes; a keyring that is slow on a busy machine makes a line more."""
    for passing, shown in PASSING:
        svg = re.sub(passing, shown, svg)
    has_height = ("<svg", "<rect")
    return [
        re.sub(r' y="\d+"', "", line)
        for line in svg.splitlines()
        if not line.startswith(has_height) and SLOW not in line
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_what_the_program_prints_now(name: str, recorded: Path) -> None:
    kept, now = ((directory / f"{name}.svg").read_text() for directory in (PICTURES, recorded))
    assert _lasting(kept) == _lasting(now), "run build/record"
    assert SLOW not in kept, "run build/record when the machine is less busy"


def test_there_are_no_other_pictures_and_the_pages_show_each_once() -> None:
    assert sorted(path.name for path in PICTURES.iterdir()) == sorted(f"{name}.svg" for name in NAMES)
    found = (re.findall(rf"\]\({re.escape(way)}/recording/(\w+)\.svg\)", page) for way, page in PAGES.items())
    assert sorted(name for names in found for name in names) == sorted(NAMES)


def test_the_readme_has_the_picture_of_setup_as_text() -> None:
    (block,) = re.findall(r"```console\n(\$ credproc setup .*?)```", README, re.DOTALL)
    assert list(filter(None, block.splitlines())) == text((PICTURES / "setup.svg").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_small_holds_no_secret_and_nothing_of_the_machine(name: str) -> None:
    svg = (PICTURES / f"{name}.svg").read_text()
    assert len(svg) < 40_000
    assert {element.tag.rpartition("}")[2] for element in ET.fromstring(svg).iter()} <= {  # noqa: S314 - ours
        "svg",
        "title",
        "style",
        "rect",
        "g",
        "text",
        "tspan",
    }
    assert not re.search(r"ASIA|AKIA(?!IOSFODNN7EXAMPLE)|/tmp|/home|/root|/work", svg)
    assert "prefers-color-scheme:dark" in svg


def test_a_captured_line_keeps_its_looks_and_its_text() -> None:
    assert list(pieces("\x1b[1ma\x1b[31mb\x1b[0mc\x1b[39m<")) == [
        Piece("a", frozenset("b")),
        Piece("b", frozenset("br")),
        Piece("c", frozenset()),
        Piece("<", frozenset()),
    ]
    svg = picture("$ a <b> && c\n  \x1b[32mok\x1b[39m\n\n", "t", 20, "$ ")
    assert text(svg) == ["$ a <b> && c", "  ok"]
    assert '<tspan class="p">$ a' in svg
    assert '<tspan class="g">ok' in svg
    with pytest.raises(KeyError, match="95"):
        list(pieces("\x1b[95mbright"))
