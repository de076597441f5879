"""Looks at the processes of this machine many times a second: `python sampler.py MARK FILE`, until its stdin ends.

A line of JSON goes to the file for each command line and environment, once, of a process that has the mark in its
environment. It is a process of its own, so that a busy harness does not keep it from looking.
"""

import json
import os
import select
import sys

PAUSE = 0.004  # seconds


def main(mark: str, path: str) -> None:
    """Look until stdin ends."""
    mine, seen = os.getpid(), set()
    with open(path, "a", encoding="utf-8") as file:
        while not select.select([0], [], [], PAUSE)[0]:
            for name in os.listdir("/proc"):
                # What is tried started after us; when the numbers have come round, look at all
                if not name.isdigit() or (int(name) <= mine and max(seen_pids, default=0) > mine):
                    continue
                found = look(name, mark.encode())
                if found is not None and found not in seen:
                    seen.add(found)
                    seen_pids.add(int(name))
                    argv, environ = (part.decode("utf-8", "surrogateescape") for part in found)
                    file.write(json.dumps({"pid": int(name), "argv": argv, "environ": environ}) + "\n")
                    file.flush()


seen_pids: "set[int]" = set()


def look(name: str, mark: bytes) -> "tuple[bytes, bytes] | None":
    """Return the command line and the environment of a process with the mark, or None."""
    try:
        with open(f"/proc/{name}/environ", "rb") as file:
            environ = file.read()
        if mark + b"=" not in environ:
            return None
        with open(f"/proc/{name}/cmdline", "rb") as file:
            return file.read(), environ
    except OSError:
        return None


if __name__ == "__main__":
    main(*sys.argv[1:])
