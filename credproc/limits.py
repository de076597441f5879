"""How much credproc reads of an answer, and of what a program prints. What is longer is an error, and is not read.

So neither a service that something else answers for, nor a program gone wrong, costs more memory than this.
"""

from collections.abc import Iterable

ANSWER = 64 * 1024  # bytes, of STS, IAM and the console's sign-in; the longest answer has ten thousand
SOURCE = 1024 * 1024  # bytes, of a container's or instance's endpoint, Identity Center, or a source program


class TooLongError(Exception):
    """There is more to read than the limit; the text reads well after "the answer is"."""

    def __init__(self, limit: int) -> None:
        """Take the limit in bytes."""
        super().__init__(f"longer than {limit // 1024} KiB")


def whole(pieces: Iterable[bytes], limit: int) -> bytes:
    """Return the pieces joined; take none after those that are longer than ``limit`` bytes.

    Raises TooLongError.
    """
    kept = bytearray()
    for piece in pieces:
        kept += piece
        if len(kept) > limit:
            raise TooLongError(limit)
    return bytes(kept)
