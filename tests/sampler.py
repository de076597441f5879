"""Looks at the processes of this machine many times a second.

`python sampler.py MARK PAUSE FILE` does until its stdin ends; it says on stdout when it begins.

A line of JSON goes to the file for each command line and environment, once, of a process that has the mark in its
environment. It is a process of its own, so that busy tests do not keep it from looking.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class Samples:
    """What a sampler sees, once this is entered, of the processes that carry this mark."""

    def __init__(self, path: str, mark: str) -> None:
        """Take the sampler's file, and what must be in an environment: its mark, or a longer one."""
        self._path, self._mark = path, json.dumps(mark)[1:-1]

    def __enter__(self) -> Self:
        self._file = open(self._path, encoding="utf-8")
        self._file.seek(0, os.SEEK_END)
        self._rest = ""  # of a line that is not written whole
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def new(self) -> list[dict[str, str]]:
        """Return what was seen since the last call, `argv` and `environ` as /proc has them."""
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        return [json.loads(line) for line in lines if self._mark in line]


class Sampler:
    """Sees the command lines and environments of all processes that carry the mark; `pause` is in seconds.

    One is enough for many readers: it reads the environment of each process at each look.
    """

    def __init__(self, mark: str, pause: float) -> None:
        """Take what must be in an environment, and the time between looks."""
        self._mark, self._pause = mark, pause

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory()
        self.path = os.path.join(self._directory.name, "samples")
        argv = [sys.executable, "-I", "-S", __file__, self._mark, str(self._pause), self.path]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout
        assert self._process.stdout.readline()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._directory.cleanup()


def main(mark: str, pause: str, path: str) -> None:
    """Look until stdin ends."""
    others = _processes()  # those that were there before what is tried
    seen: set[tuple[bytes, bytes]] = set()
    with open(path, "a", encoding="utf-8") as file:
        os.write(1, b"looking\n")
        while not select.select([0], [], [], float(pause))[0]:
            for name in started(others, _processes()):
                found = look(name, mark.encode())
                if found is not None and found not in seen:
                    seen.add(found)
                    argv, environ = (part.decode("utf-8", "surrogateescape") for part in found)
                    file.write(json.dumps({"argv": argv, "environ": environ}) + "\n")
                    file.flush()


def _processes() -> set[str]:
    return {name for name in os.listdir("/proc") if name.isdigit()}


def started(others: set[str], there: set[str]) -> set[str]:
    """Return who of those there is none of the others; who is not there leaves these, as its number may come again."""
    others &= there
    return there - others


def look(name: str, mark: bytes) -> tuple[bytes, bytes] | None:
    """Return the command line and the environment of a process with the mark, or None."""
    try:
        with open(f"/proc/{name}/environ", "rb") as file:
            environ = file.read()
        if mark not in environ:
            return None
        with open(f"/proc/{name}/cmdline", "rb") as file:
            return file.read(), environ
    except OSError:
        return None


if __name__ == "__main__":
    main(*sys.argv[1:])
