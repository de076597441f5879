"""Unpack the archive that build/freeze has made and try it in an empty home; exit status 1 if anything is not right.

Here is what must hold wherever it is built, on each platform of a release; the test suite, which needs more, runs
against the same program by build/test --frozen. With --root the program runs in the root directory of another system,
in which the temporary directory has the same path (build/arm).
"""

import argparse
import glob
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import project

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SETTLED = 2.1  # seconds after which credproc believes that a file which looks unchanged is unchanged
AT_ONCE = 5  # runs
NO_NETWORK = 10  # seconds for a run that cannot reach anything, besides its start
STARTS = 5  # a refresh loads so many times as much as --version, at most
CONFIG = """\
[profile role]
region = us-west-2
role_arn = {role_arn}
source_profile = user1
"""
CREDENTIALS = """\
[user1]
aws_access_key_id = {access_key_id}
aws_secret_access_key = {secret_access_key}
"""


class WrongError(Exception):
    """The program did something else than it should."""


class Tried:
    """The program and an empty home."""

    def __init__(self, program: str, directory: str, about: Mapping[str, str], store: str) -> None:
        """Make the home, with a role profile of the STS that ``about`` describes; MFA sessions go to ``store``."""
        self.program, self.about, self.store = program, about, store
        home = os.path.join(directory, "home")
        os.makedirs(os.path.join(home, ".aws"))
        self._write(os.path.join(home, ".aws", "config"), CONFIG.format_map(about))
        self._write(os.path.join(home, ".aws", "credentials"), CREDENTIALS.format_map(about))
        kept = ("SYSTEMROOT", "SYSTEMDRIVE", "PATHEXT", "COMSPEC", "TEMP", "TMP", "TMPDIR", "DBUS_SESSION_BUS_ADDRESS")
        self.environ = {name: os.environ[name] for name in kept if name in os.environ}
        self.environ |= {"HOME": home, "USERPROFILE": home, "LOCALAPPDATA": home, "PATH": os.defpath}
        self.environ["AWS_ENDPOINT_URL_STS"] = about["url"]
        time.sleep(SETTLED)

    def _write(self, path: str, text: str) -> None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        """Run the program to its end."""
        return subprocess.run(
            [self.program, *arguments],
            env=self.environ | environ,
            cwd=self.environ["HOME"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def document(self, **environ: str) -> str:
        """Run the main form and return the document. Raises WrongError if there is none, or a word beside it."""
        ran = self.run("--profile", "role", **environ)
        if ran.returncode or ran.stderr or json.loads(ran.stdout)["Version"] != 1:
            raise WrongError(f"exit status {ran.returncode}: {ran.stderr or ran.stdout[:20]!r}")
        return ran.stdout


# --- what is tried, in this order --------------------------------------------------------------------------------


def version(tried: Tried) -> None:
    """It starts and says its version, which is the source's."""
    said = tried.run("--version").stdout.split()
    if said[1:] != [project.read(ROOT).version]:
        raise WrongError(f"said {said}")


def refresh(tried: Tried) -> None:
    """It asks STS and prints a document."""
    tried.document()


def hit(tried: Tried) -> None:
    """It prints the same document again; STS would give another."""
    if tried.document() != tried.document():
        raise WrongError("two documents where one was kept")


def at_once(tried: Tried) -> None:
    """Of five runs at once one asks STS, and all print its document: there are locks."""
    environ = {"CREDPROC_CACHE_DIR": os.path.join(tried.environ["HOME"], "cold")}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        documents = set(pool.map(lambda _: tried.document(**environ), range(AT_ONCE)))
    if len(documents) != 1:
        raise WrongError(f"{len(documents)} documents of {AT_ONCE} runs at once")


def no_network(tried: Tried) -> None:
    """It fails in time and in our words where nothing answers."""
    began = time.monotonic()
    tried.run("--version")
    start = time.monotonic() - began
    ran = tried.run("--profile", "role", AWS_ENDPOINT_URL_STS="http://127.0.0.1:9")
    took = time.monotonic() - began - start
    first = ran.stderr.partition("\n")[0]
    if ran.returncode != 1 or ran.stdout or not first.startswith("credproc: error: http://127.0.0.1:9: "):
        raise WrongError(f"exit status {ran.returncode}: {ran.stderr!r}")
    if took > NO_NETWORK + max(2, STARTS * start):
        raise WrongError(f"took {took:.1f} s, where --version took {start:.1f}")


def prompt_and_session(tried: Tried) -> None:
    """It asks for an MFA code in a terminal, and keeps the session for the next role."""
    environ = tried.environ | {"CREDPROC_TEST_PROGRAM": tried.program, "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "tests.tried", tried.store]
    ran = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, encoding="utf-8", timeout=60, check=False)
    if ran.returncode:
        raise WrongError(ran.stderr.strip()[-1000:])


# The rigs for terminal and keyring are Linux's
TRIED: tuple[Callable[[Tried], None], ...] = (version, refresh, hit, at_once, no_network) + (
    (prompt_and_session,) if sys.platform == "linux" else ()
)


def archive_in(dist: str) -> str:
    """Return the path of the one archive of this platform that lies in the directory."""
    system = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    found = [
        path
        for ending in (".tar.gz", ".zip")
        for path in glob.glob(os.path.join(dist, f"credproc-*-{system}-*{ending}"))
    ]
    if len(found) != 1:
        sys.exit(f"freeze: error: {len(found)} archives in {dist}, and one is wanted")
    return found[0]


def unpacked(archive: str, directory: str) -> str:
    """Unpack it into a path with a space and letters that are not ASCII; return a link to the program."""
    place = os.path.join(directory, "an ünusual plaçe")
    os.mkdir(place)
    shutil.unpack_archive(archive, place)
    if sys.platform == "win32":
        return os.path.join(place, "credproc", "credproc.exe")
    link = os.path.join(directory, "credproc")
    os.symlink(os.path.join(place, "credproc", "credproc"), link)
    return link


def inside(root: str, program: str, directory: str) -> str:
    """Return a program that starts this one in another system's root directory, and becomes it."""
    path = os.path.join(directory, "inside")
    words = [shutil.which("chroot") or "/usr/sbin/chroot", root, program]
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    os.chmod(path, 0o755)  # noqa: S103 - a program
    return path


@contextmanager
def sts() -> Iterator[Mapping[str, str]]:
    """Run the tests' STS on the loopback; gives what it says of itself: url, keys, role."""
    with subprocess.Popen([sys.executable, "-m", "tests.sts"], cwd=ROOT, stdout=subprocess.PIPE) as server:
        try:
            yield json.loads(server.stdout.readline() if server.stdout else b"")
        finally:
            server.terminate()


def main() -> None:
    """Try all and say how it went."""
    parser = argparse.ArgumentParser(prog="try_out.py", description=__doc__)
    parser.add_argument("--dist", metavar="DIRECTORY", default=os.path.join(ROOT, "build", "dist"))
    parser.add_argument("--root", metavar="DIRECTORY", help="the root directory of the system in which it runs")
    parser.add_argument("--program", metavar="PATH", help="try this one, which is installed, in place of the archive")
    what = "where the MFA session is kept: in a file where a keyring would not answer in time"
    parser.add_argument("--store", choices=("keyring", "file"), default="keyring", help=what)
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="credproc-") as directory, sts() as about:
        program = options.program or unpacked(archive_in(options.dist), directory)
        started = inside(options.root, program, directory) if options.root else program
        tried = Tried(started, directory, about, options.store)
        for each in TRIED:
            try:
                each(tried)
            except (WrongError, ValueError, OSError, subprocess.SubprocessError) as error:
                failed = True
                print(f"freeze: error: {each.__name__}: {error}", file=sys.stderr)
    if failed:
        sys.exit("freeze: hint: what was made lies beside the archive, and is not fit to be given away")
    what_was_tried = options.program or os.path.basename(archive_in(options.dist))
    print(f"{what_was_tried}, tried in an empty home: {', '.join(each.__name__ for each in TRIED)}")


if __name__ == "__main__":
    main()
