"""The canary scan: what STS gave out, and what it was sent, stand nowhere but where they belong.

Sent are codes, and also the session tokens and web identity tokens of callers and the signatures of their requests.

Looked through after every test is what it left: what programs said on stderr, what terminals and tmux showed, the
command line and the environment of each process that was seen, and the files in the home and in the test's directory,
the log and cores among them. A secret may be in an entry, in a session that is kept in a file, in the keyring (which is
encrypted), in the two AWS files, and on stdout.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
from typing import TYPE_CHECKING

from tests.program import PROGRAM
from tests.sampler import Sampler, Samples
from tests.terminal import Terminal
from tests.tmux import Tmux

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import Any, TypeAlias

    from tests.sts import Sts

    Secret: TypeAlias = tuple[str, Callable[[bytes], object]]  # what it is, and what finds it

PAUSE = 0.02  # seconds between looks at the processes
_SHORTEST = 24  # characters of a token that is looked for: tests make up words as well
_LARGE = 50_000_000  # bytes; such a file is one that a test has made
_MAY_HOLD = {".entry", ".credentials", ".tmp", ".stdout"}  # credproc's own files, and what a test keeps of its output
_AWS_FILES = "/.aws/"
# What tests write themselves: the output of a device or of another program, and a document
_TESTS_OWN = {"token", "other", "document", "precious"}


class Canaries:
    """The scan, for the tests of one process."""

    def __init__(self, root: Path) -> None:
        """Take the directory that the homes of all tests are in: by it their processes are known."""
        self._said: list[bytes] = []
        self._root = str(root)
        self._samples: Samples | None = None
        self._before: list[Secret] = []  # the secrets of the test before

    @contextlib.contextmanager
    def watching(self, samples: str | None = None, *, processes: bool = True) -> Iterator[Canaries]:
        """Capture from here on; the command lines and environments of processes too, which takes one that looks.

        ``samples`` is the file of a sampler that looks already.
        """
        communicate = subprocess.Popen.communicate

        def listening(child: subprocess.Popen[Any], *given: Any, **named: Any) -> Any:
            found = communicate(child, *given, **named)
            self.say(found[1])
            return found

        subprocess.Popen.communicate = listening  # type: ignore[assignment,method-assign]
        with contextlib.ExitStack() as stack:
            stack.callback(setattr, subprocess.Popen, "communicate", communicate)
            if processes:
                path = samples or stack.enter_context(Sampler(self._root, PAUSE)).path
                self._samples = stack.enter_context(Samples(path, self._root))
            yield self

    def say(self, text: str | bytes | None) -> None:
        """Take what a program has said on stderr."""
        if text:
            self._said.append(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))

    def found(self, stss: Iterable[Sts], directories: Iterable[Path], *, handed_out: bool = False) -> list[str]:
        """Return a sentence for each secret of these STS that stands where it must not; forget what was captured.

        Where credentials are handed out, to a command's environment or to a person, that is not looked at.
        """
        secrets = _secrets(stss)
        seen = [("stderr", said) for said in self._said]
        for terminal in Terminal.made:
            seen += [("stderr", job.stderr.encode()) for job in terminal.jobs]
            if not handed_out:
                seen.append(("a terminal", terminal.transcript))
        seen += [("tmux", screen.encode()) for tmux in Tmux.made for screen in tmux.screens]
        seen += [(str(path), path.read_bytes()) for directory in directories for path in _files(directory)]
        found = [f"{what} in {where}" for where, data in seen for what, is_in in secrets if is_in(data)]
        # A process that was seen at the end of a test may be told of in the next
        both = self._before + secrets
        for sample in self._samples.new() if self._samples is not None else ():
            parts = {"the command line": sample["argv"]}
            if PROGRAM not in sample["argv"] and not handed_out:  # credproc itself has what its caller gave it
                parts["the environment"] = sample["environ"]
            for name, text in parts.items():
                data = text.encode("utf-8", "surrogateescape")
                found += [f"{what} in {name} of {sample['argv']!r}" for what, is_in in both if is_in(data)]
        self._before = secrets
        self._said.clear()
        Terminal.made.clear()
        Tmux.made.clear()
        return found


def _secrets(stss: Iterable[Sts]) -> list[Secret]:
    found: list[Secret] = []
    for sts in stss:
        for keys in sts.iam.given():
            found.append((f"the secret key of {keys.access_key_id}", _held(keys.secret_access_key)))
            if keys.session_token:
                found.append((f"the session token of {keys.access_key_id}", _held(keys.session_token)))
        found += [(what, _held(secret)) for what, secret in _sent(sts)]
        codes = {code for _, code in sts.codes if code.isdigit()}
        found += [(f"MFA code {code}", re.compile(rb"(?<!\d)%s(?!\d)" % code.encode()).search) for code in codes]
    return found


def _sent(sts: Sts) -> Iterator[tuple[str, str]]:
    """Yield what callers have proved themselves by."""
    for call in list(sts.calls):
        header = call.request.header if call.request is not None else lambda _name: None
        token = call.parameters.get("WebIdentityToken")
        if token is not None and len(token) >= _SHORTEST:
            yield f"the web identity token that was sent with {call.action}", token
        token = header("X-Amz-Security-Token")
        if token is not None and len(token) >= _SHORTEST:
            yield f"the session token that was sent with {call.action}", token
        signature = (header("Authorization") or "").rpartition("Signature=")[2]
        if signature:
            yield f"the signature that was sent with {call.action}", signature


def _held(secret: str) -> Callable[[bytes], object]:
    """Return what finds the secret; a long one is found by a part of it, but for the beginning, which tokens share."""
    parts = [secret[start : start + _SHORTEST] for start in range(_SHORTEST, len(secret) - _SHORTEST, _SHORTEST)]
    found = [part.encode() for part in parts] if len(secret) > 4 * _SHORTEST else [secret.encode()]
    return lambda data: any(part in data for part in found)


def _files(directory: Path) -> Iterator[Path]:
    for path in directory.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGE:
                continue
            if path.suffix not in _MAY_HOLD and path.name not in _TESTS_OWN and _AWS_FILES not in path.as_posix():
                yield path
