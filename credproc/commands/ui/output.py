"""What a command gives back."""

from typing import NamedTuple


class Said(NamedTuple):
    """What is to be printed on stdout, and the exit status."""

    text: str
    status: int = 0
