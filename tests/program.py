"""The program, run as a process in a home of its own: the installed one, or the frozen one of build/test --frozen."""

import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from credproc import cache
from credproc.cache import Entry
from credproc.files import PrivateDirectory
from tests.sts import Sts, User

# Python on Windows, outside of a virtual environment, has its programs in Scripts
INSTALLED = os.path.join(sysconfig.get_path("scripts"), "credproc.exe" if sys.platform == "win32" else "credproc")
PROGRAM = os.environ.get("CREDPROC_TEST_PROGRAM") or INSTALLED
FROZEN = PROGRAM != INSTALLED
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
ROLE = "arn:aws:iam::123456789012:role/marketingadmin"
_SURE = 2.1  # seconds after which an unchanged file is believed to be unchanged

# What starts a program for which a file's mode means what it says, also where root runs the tests
BOUND_BY_MODES = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if IS_ROOT else ("env",)


# Starts the credproc that is its first argument, which waits for a source longer than for a person's sake
_PATIENT = """
import sys
from credproc import cli
from credproc.refresh import execute
execute.NETWORK_SECONDS = 60
sys.argv = sys.argv[1:]
cli.main()
"""
_LOST_BY_WINE = 1359  # ERROR_INTERNAL_ERROR: on a busy machine a process of Wine's may end before its program begins
_STARTS = 3

_started: "weakref.WeakSet[subprocess.Popen[str]]" = weakref.WeakSet()


def end_started() -> None:
    """End what `Home.start` has started and nobody has waited for: of a test that is left out halfway."""
    for child in list(_started):
        if child.returncode is None:
            child.kill()
            child.communicate()


def heed_signals() -> None:
    """Have what is started heed the signals that we ignore, as a command in the background of a script does.

    What is ignored stays so in another program, and what has a handler does not.
    """
    for name in ("SIGHUP", "SIGINT", "SIGQUIT"):
        number = getattr(signal, name, None)  # Windows has one of them
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def _start(words: list[str], options: dict[str, Any]) -> "subprocess.Popen[str]":
    for _ in range(_STARTS - 1):
        try:
            return subprocess.Popen(words, **options)
        except OSError as error:
            if getattr(error, "winerror", None) != _LOST_BY_WINE:
                raise
    return subprocess.Popen(words, **options)


class Outcome(NamedTuple):
    """What a run left."""

    status: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The document, of a run that succeeded in silence."""
        assert (self.status, self.stderr) == (0, ""), self
        assert self.stdout.endswith("\n")
        assert self.stdout.count("\n") == 1
        found: dict[str, Any] = json.loads(self.stdout)
        return found


def _of_windows(home: Path) -> dict[str, str]:
    """Return the variables without which programs for Windows cannot do; elsewhere none."""
    if sys.platform == "win32":
        names = ("SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERNAME")
        found = {name: os.environ[name] for name in names if name in os.environ}
        return {"USERPROFILE": str(home), "LOCALAPPDATA": str(home / "AppData" / "Local"), **found}
    return {}


class Home:
    """A home directory with the two AWS files, and the environment that credproc is run in."""

    def __init__(self, path: Path, **environ: str) -> None:
        """Make it at ``path``; the keywords are variables."""
        self.path = path
        of_system = {"HOME": str(path), "PATH": os.environ["PATH"], **_of_windows(path)}
        self.environ = {**of_system, "LC_ALL": "C.UTF-8", "TZ": "UTC", **environ}
        (path / ".aws").mkdir(parents=True)
        self.program = [PROGRAM]
        self._written = 0.0

    def give_time_to_sources(self) -> None:
        """Have credproc wait longer for a source on Windows: on a busy machine Wine is slow to load botocore."""
        if sys.platform == "win32":
            self.program = [sys.executable, "-I", "-c", _PATIENT, PROGRAM]

    @property
    def cache(self) -> Path:
        """Credproc's own directory."""
        if sys.platform == "win32":
            return self.path / "AppData" / "Local" / "credproc" / "Cache"
        return self.path / ".cache" / "credproc"

    @property
    def entries(self) -> list[Path]:
        """The cache's entries."""
        return sorted(self.cache.glob("*.entry"))

    @property
    def log(self) -> str:
        """The log's text."""
        path = self.cache / "credproc.log"
        return path.read_text() if path.exists() else ""

    def config(self, text: str) -> None:
        """Write the config file."""
        (self.path / ".aws" / "config").write_text(text)
        self._written = time.time()

    def credentials(self, text: str) -> None:
        """Write the credentials file."""
        (self.path / ".aws" / "credentials").write_text(text)
        self._written = time.time()

    def keys(self, profile: str, user: User) -> None:
        """Write the credentials file with this user's keys."""
        self.credentials(
            f"[{profile}]\naws_access_key_id = {user.access_key_id}\naws_secret_access_key = {user.secret_access_key}\n"
        )

    def settle(self) -> None:
        """Wait until the files are old enough to be told from later edits."""
        time.sleep(max(0.0, self._written + _SURE - time.time()))

    @contextmanager
    def edited_entry(self) -> Iterator[tuple[Entry, dict[str, Any]]]:
        """Give the only entry and what it says about itself; both are stored as they are in the end."""
        directory = PrivateDirectory(str(self.cache))
        (path,) = self.entries
        entry = cache.load(directory, path.name)
        assert entry is not None
        about: dict[str, Any] = json.loads(entry.compared)
        yield entry, about
        entry.compared = json.dumps(about).encode()
        cache.store(directory, path.name, entry)
        directory.close()

    def age_entry(self, seconds_left: int) -> None:
        """Rewrite the only entry as it will be when its credentials have so many seconds left."""
        with self.edited_entry() as (entry, about):
            about["expiration"] = int(time.time()) + seconds_left
            entry.served_until = about["expiration"] - 960

    def start(
        self, *arguments: str, environ: Mapping[str, str] | None = None, **options: Any
    ) -> "subprocess.Popen[str]":
        """Start credproc; its output is captured and its stdin empty unless the options say otherwise."""
        defaults: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "cwd": os.path.abspath(os.sep),
            "text": True,
        }
        defaults["env"] = {**self.environ, **(environ or {})}
        child = _start([*self.program, *arguments], defaults | options)
        _started.add(child)
        return child

    def run(self, *arguments: str, environ: Mapping[str, str] | None = None, **options: Any) -> Outcome:
        """Run credproc to its end."""
        with self.start(*arguments, environ=environ, **options) as child:
            stdout, stderr = child.communicate(timeout=60)
        return Outcome(child.returncode, stdout or "", stderr or "")


def role_home(path: Path, sts: Sts, user: User, extra: str = "", **environ: str) -> Home:
    """Return a home with profile ``admin``, a role with the keys of ``user1``; ``extra`` are more lines of it."""
    home = Home(path, AWS_ENDPOINT_URL_STS=sts.url, **environ)
    home.config(f"[profile admin]\nregion = us-west-2\nrole_arn = {ROLE}\nsource_profile = user1\n{extra}")
    home.keys("user1", user)
    return home
