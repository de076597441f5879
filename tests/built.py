"""What build/frozen makes of the parser, in the tests' own process."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "build" / "frozen"))

import authorities  # noqa: E402 - found by the line above
import commandline  # noqa: E402 - the same
import completions  # noqa: E402 - the same
import manual  # noqa: E402 - the same
import search_paths  # noqa: E402 - the same

MAIN, *COMMANDS = commandline.commands()

__all__ = ["COMMANDS", "MAIN", "ROOT", "authorities", "commandline", "completions", "manual", "search_paths"]
