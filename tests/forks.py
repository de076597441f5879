"""Many runs of credproc out of one process that has imported it: a fork each, where a start would cost ten times that.

For a test that tries a command at each of many moments and looks at what comes of it. It shows nothing of what a start
itself is about.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.program import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

# Reads a line of JSON for each run, and answers with its exit status
_SERVER = """
import importlib, json, os, pkgutil, sys
import credproc, keyring.backends.SecretService
for module in pkgutil.walk_packages(credproc.__path__, "credproc."):
    try:
        importlib.import_module(module.name)
    except ImportError:  # another system's
        pass
from credproc.cli import main
for line in sys.stdin:
    arguments, environ, before, directory = json.loads(line)
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for fd, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(f"{directory}/run.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), fd)
        os.environ.clear()
        os.environ.update(environ)
        sys.argv = ["credproc", *arguments]
        exec(before, {})
        main()
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class Forks:
    """The process that forks.

    Its runs leave their output in `directory`, which should be the test's, as that is looked through for secrets.
    """

    def __init__(self, directory: Path, environ: Mapping[str, str] | None = None) -> None:
        """Name the directory; it may be another one later. ``environ`` counts for what is read by an import."""
        self.directory = directory
        self._environ = {**os.environ, **(environ or {})}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVER],
            env=self._environ,
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # without a terminal
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, *arguments: str, environ: Mapping[str, str], before: str = "") -> Outcome:
        """Run credproc to its end; ``before`` is code that runs in it first."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = [arguments, dict(environ), before, str(self.directory)]
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        left = ((self.directory / f"run.{name}").read_bytes() for name in ("stdout", "stderr"))
        stdout, stderr = (data.decode("utf-8", "backslashreplace") for data in left)
        return Outcome(status, stdout, stderr)
