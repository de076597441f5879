"""The programs that a source has started."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess  # not at run time: 7 ms, which most sources do without


class Started(list["subprocess.Popen[bytes]"]):
    """The children that a source has started, so that a deadline can end them."""

    def end(self) -> None:
        """Kill those that still run."""
        for child in self:
            if child.poll() is None:
                child.kill()
