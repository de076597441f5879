"""The programs that a source has started."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess  # not at run time: 7 ms, which most sources do without


class ChildProcesses(list["subprocess.Popen[bytes]"]):
    """The programs that a source has started, to be killed at its deadline."""

    def kill(self) -> None:
        """Kill those that still run."""
        for child in self:
            if child.poll() is None:
                child.kill()
