"""What build/frozen makes of the parser, in the tests' own process."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path += [str(ROOT / "build" / "frozen"), str(ROOT / "build" / "backend")]

import authorities  # noqa: E402 - found by the line above
import backend  # noqa: E402 - the same
import manual  # noqa: E402 - the same
import package  # noqa: E402 - the same
import search_paths  # noqa: E402 - the same

from credproc.commands.completion import command_line  # noqa: E402

MAIN, *COMMANDS = command_line.commands()

__all__ = ["COMMANDS", "MAIN", "ROOT", "authorities", "backend", "command_line", "manual", "package", "search_paths"]
