"""The result of a command."""

from typing import NamedTuple


class Output(NamedTuple):
    """The text for stdout, and the exit status."""

    text: str
    status: int = 0
