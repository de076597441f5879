"""What a row is played on: a home with a role profile, a strict STS, a terminal and a person, and fresh secrets."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.keyrings import SecretService
from tests.mfa import PROMPT
from tests.program import PROGRAM, ROLE, Home
from tests.sts import Sts, Trust
from tests.sts.iam import STEP
from tests.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typing_extensions import Self

    from tests.faults.rows import Case
    from tests.terminal import Job

FROZEN = Path(__file__).parent.parent.parent / "build" / "dist" / "credproc" / "credproc"
NOBODY = 65534
MARK = "CREDPROC_FAULT"  # a variable by which the processes of a case are known
_TYPED = 1.5  # seconds from the choice of a code to its use
PATIENCE = 20.0  # seconds beyond a case's limit after which a run is given up


@dataclass(frozen=True)
class Result:
    """What a run left. `typed` are the codes that were given to it, `prompts` how often it asked."""

    status: int
    stdout: bytes
    stderr: bytes
    seconds: float
    prompts: int = 0

    @property
    def said(self) -> str:
        """The text on stderr."""
        return self.stderr.decode("utf-8", "backslashreplace")


class Scene:
    """The stage of one case. `extra` are lines that go into the role profile."""

    def __init__(self, case: Case, path: Path, *, deep: bool = False) -> None:
        """Make it in this empty directory."""
        self.case = case
        self.path = path
        self.deep = deep
        self.injections = 1  # a case that does more says so
        self.mark = secrets.token_hex(16)
        self.canaries: dict[str, str] = {}  # secrets by what they are; STS's own come on top of them
        self.codes: list[str] = []
        self.strange: set[str] = set()  # names in the cache directory that the case has put there
        self.results: list[Result] = []
        self.before = b""  # what the case wants to find again
        self._stack = contextlib.ExitStack()
        self._terminal: Terminal | None = None

    def __enter__(self) -> Self:
        self.sts = self._stack.enter_context(Sts())
        self.path.chmod(0o755)
        self.work = self.path / "work"  # the working directory, where a core would fall
        self.work.mkdir()
        store = {"CREDPROC_SESSION_STORE": "file"} if self.case.mfa else {}
        self.home = Home(self.path / "home", AWS_ENDPOINT_URL_STS=self.sts.url, **store, **{MARK: self.mark})
        self.user = self.sts.user("user1", mfa=True)
        self.external_id = self.canary("external id")
        trust = Trust((self.user.arn,), mfa_required=self.case.mfa, external_id=self.external_id)
        self.role = self.sts.role(ROLE, trust, max_session_duration=12 * 3600)
        self.config()
        self.home.keys("user1", self.user)
        (self.home.path / ".aws" / "credentials").chmod(0o600)
        if self.case.nobody:
            self.hand_over(self.path)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # Set-up

    def canary(self, what: str) -> str:
        """Return a fresh secret that must turn up nowhere."""
        self.canaries[what] = f"canary{secrets.token_hex(17)}"
        return self.canaries[what]

    def config(self, *lines: str, user: Sequence[str] = (), other: str = "") -> None:
        """Write the config file: profile admin with these lines more, its user's with those, and other text."""
        serial = [f"mfa_serial = {self.user.mfa_serial}"] if self.case.mfa else []
        role = [f"role_arn = {ROLE}", "source_profile = user1", f"external_id = {self.external_id}", *lines]
        text = "\n".join(["[profile admin]", "region = us-west-2", *role, "", "[profile user1]", *serial, *user, other])
        self.home.config(text + "\n")

    def source_program(self, script: str) -> None:
        """Let profile admin be nothing but a program that runs this shell script."""
        program = self.path / "program"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        self.home.config(f"[profile admin]\ncredential_process = {program}\n")

    def hand_over(self, path: Path, uid: int = NOBODY) -> None:
        """Give what is at this path, and all below it, to another user."""
        os.chown(path, uid, uid, follow_symlinks=False)
        if path.is_dir() and not path.is_symlink():
            for child in path.iterdir():
                self.hand_over(child, uid)

    def keyring(self) -> SecretService:
        """Bring on a keyring, and let sessions be kept in it."""
        service = self._stack.enter_context(SecretService(self.home.path))
        self.home.environ.update(service.environ, CREDPROC_SESSION_STORE="keyring")
        return service

    @property
    def cache(self) -> Path:
        """Credproc's own directory."""
        return self.home.cache

    @property
    def entry(self) -> Path:
        """The only entry; it exists once credproc has run."""
        (path,) = self.home.entries
        return path

    def warm(self) -> Result:
        """Run credproc without a fault, so that there is an entry (and with MFA a session)."""
        result = self.once()
        assert result.status == 0, result
        return result

    def expire(self) -> None:
        """Make the entry too old to be served, and leave an MFA session as it is."""
        self.home.age_entry(0)

    # Runs

    @property
    def terminal(self) -> Terminal:
        """The terminal, opened when first asked for."""
        if self._terminal is None:
            self._terminal = self._stack.enter_context(Terminal())
        return self._terminal

    @property
    def program(self) -> str:
        """The program that is tried."""
        return str(FROZEN) if self.case.frozen else PROGRAM

    def argv(self, arguments: Sequence[str] | None = None, wrapper: Sequence[str] | None = None) -> list[str]:
        """Return the whole command line."""
        before = self.case.wrapper if wrapper is None else wrapper
        return [
            *(as_user(NOBODY) if self.case.nobody else ()),
            *before,
            self.program,
            *(self.case.arguments if arguments is None else arguments),
        ]

    def environ(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the variables of a run."""
        return {**self.home.environ, **self.case.environ, **(more or {})}

    def run(self) -> Result:
        """Run credproc as the case says: with a prompt on a terminal and a person, else without a terminal."""
        return self.on_terminal() if self.case.mfa else self.process(self.argv(), self.environ())

    def has_session(self) -> bool:
        """Whether a session is stored: an index that has expired is written before it, and the right one after."""
        return any(json.loads(path.read_bytes())["expiration"] > time.time() for path in self.cache.glob("*.session"))

    def once(self) -> Result:
        """Run credproc for profile admin as it is, without what the case changes at the start."""
        argv = self.argv(("--profile", "admin"), ())
        if self.case.mfa:
            return self.on_terminal(argv, self.home.environ)
        return self.process(argv, self.home.environ)

    def process(self, argv: Sequence[str], environ: Mapping[str, str], **options: object) -> Result:
        """Run a command without a terminal and with nothing on stdin."""
        began = time.monotonic()
        child = self.start(argv, environ, **options)
        try:
            stdout, stderr = child.communicate(timeout=self.case.limit + PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            stdout, stderr = child.communicate()
            stderr = (stderr or b"") + b"\n(given up by the harness)"
        return Result(child.returncode, stdout or b"", stderr or b"", time.monotonic() - began)

    def start(self, argv: Sequence[str], environ: Mapping[str, str], **options: object) -> subprocess.Popen[bytes]:
        """Start a command without a terminal; the options are Popen's."""
        defaults: dict[str, object] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "cwd": self.work,
            "start_new_session": True,
        }
        return subprocess.Popen(argv, env=dict(environ), **{**defaults, **options})  # type: ignore[call-overload,no-any-return]

    def on_terminal(
        self,
        argv: Sequence[str] | None = None,
        environ: Mapping[str, str] | None = None,
        person: Callable[[Job], object] | None = None,
        **streams: object,
    ) -> Result:
        """Run a command on the terminal; at each prompt the person acts, who types the right code unless told."""
        began = time.monotonic()
        job = self.job(argv, environ, **streams)
        prompts = self.attend(job, person)
        return self.result(job, began, prompts)

    def job(
        self, argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None, **streams: object
    ) -> Job:
        """Start a command on the terminal, with stdout and stderr captured."""
        options: dict[str, object] = {"stdin": "null", "stdout": "pipe", "stderr": "pipe", "cwd": str(self.work)}
        return self.terminal.start(
            self.argv() if argv is None else argv,
            self.environ() if environ is None else environ,
            **{**options, **streams},  # type: ignore[arg-type]
        )

    def attend(self, job: Job, person: Callable[[Job], object] | None = None) -> int:
        """Sit at the terminal until the job ends; return how many prompts there were."""
        prompts = 0
        end = time.monotonic() + self.case.limit + PATIENCE
        while job.status is None and time.monotonic() < end:
            if PROMPT in self.terminal.unseen:
                self.terminal.expect(PROMPT)
                prompts += 1
                (person or (lambda _job: self.type_code()))(job)
            time.sleep(0.01)
        return prompts

    def result(self, job: Job, began: float, prompts: int = 0) -> Result:
        """Wait for the job's end, and return what it left."""
        status = job.wait(self.case.limit + PATIENCE)
        seconds = time.monotonic() - began
        prompts += self.terminal.unseen.count(PROMPT)
        return Result(status, job.stdout.encode(), job.stderr.encode(), seconds, prompts)

    def type_code(self) -> str:
        """Type the code that the device shows, a new one each time, and return it."""
        left = STEP - self.sts.now() % STEP
        if self.codes and left < _TYPED:  # the last of a step's three codes is the one before, which must still count
            time.sleep(left)
        code = self.user.unused_code(self.codes)
        self.codes.append(code)
        self.terminal.send(f"{code}\n")
        return code

    # What must not be seen

    def secrets(self) -> dict[str, str]:
        """Return all secrets of the case by what they are; the codes apart."""
        found = dict(self.canaries)
        for credentials in self.sts.iam.given():
            found[f"secret of {credentials.access_key_id}"] = credentials.secret_access_key
            if credentials.session_token:
                found[f"token of {credentials.access_key_id}"] = credentials.session_token
        return found

    def leaks(self, data: bytes) -> list[str]:
        """Return what secrets are in the data."""
        leaked = [what for what, secret in self.secrets().items() if secret.encode() in data]
        codes = [code for code in self.codes if re.search(rb"(?<!\d)%s(?!\d)" % code.encode(), data)]
        return leaked + [f"MFA code {code}" for code in codes]

    # What was there

    def around(self) -> dict[str, tuple[object, ...]]:
        """Return what is in the home directory outside of credproc's own: modes, times, sizes and digests."""
        found: dict[str, tuple[object, ...]] = {}
        for path in sorted(self.home.path.rglob("*")):
            relative = path.relative_to(self.home.path)
            if any(path.is_relative_to(other) for other in (self.cache, self.home.path / ".local")) or relative in {
                Path(".cache"),
                Path(".aws/sso/cache"),
            }:  # its own, those of botocore's tokens, the keyring's
                continue
            with contextlib.suppress(OSError):
                status = path.lstat()
                if path.is_dir() and not path.is_symlink():  # its time changes with what is in it, which is seen below
                    found[str(relative)] = (stat.filemode(status.st_mode), status.st_uid)
                    continue
                content = os.readlink(path) if path.is_symlink() else _digest(path, status)
                found[str(relative)] = (stat.filemode(status.st_mode), status.st_uid, status.st_mtime_ns, content)
        return found


def as_user(uid: int) -> tuple[str, ...]:
    """Return what starts a command as this user.

    The interpreter may lie below a directory that is closed to others (root's home): they see it alone there.
    """
    become = ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups")
    interpreter = Path(sys.base_prefix).resolve()
    closed = [str(path) for path in interpreter.parents if not path.stat().st_mode & 0o001]
    return (*(("unshare", "-m", "sh", "-c", _OPENED, "sh", str(interpreter), closed[-1]) if closed else ()), *become)


_OPENED = """
mount --bind "$1" /mnt && mount -t tmpfs -o mode=755 none "$2" && mkdir -p "$1" && mount --move /mnt "$1" &&
shift 2 && exec "$@"
"""


def _digest(path: Path, status: os.stat_result) -> str:
    if not stat.S_ISREG(status.st_mode) or status.st_size > 100_000_000:
        return f"{status.st_rdev} {status.st_size}"
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
