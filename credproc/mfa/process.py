"""The profile's own program for MFA codes: ``mfa_process = ykman oath accounts code -s aws`` and its like."""

import errno
import os
import re
import shutil
import stat
import subprocess
import threading
import time
from collections.abc import Mapping

from credproc import terminal
from credproc.errors import ConfigError, PersonNeededError, SourceError, inert
from credproc.mfa.code import CodeRequest, code_in
from credproc.mfa.used_codes import UsedCodes, seconds_to_next_step, wait_for_next_step
from credproc.process import command_line, recursion
from credproc.request import Request

_SECONDS = 30  # for one run
_OUTPUT_LIMIT = 4096  # bytes; a code has six
_AFTER_EXIT = 0.1  # seconds for what is left in the pipe, which a child of the program's may hold open for ever
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# What no program that computes a code needs to know
_SECRETS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
)


class ProgramCodes:
    """CodeProvider that a program prints."""

    def __init__(self, wanted: CodeRequest, command: str, used: UsedCodes) -> None:
        """Take the command, which is split as a credential_process line is."""
        self._wanted = wanted
        self._where = f"{wanted.where}: mfa_process"
        self._words = _split(command, self._where)
        self._environ = _environment(wanted.request)
        self._used = used
        self._asked = False

    def next_code(self, remark: str | None) -> str:
        """Return the code that the program prints; see ``mfa.CodeProvider``."""
        if self._asked:  # it has no other one before the next step
            raise PersonNeededError(f"{self._where}: {remark}", "compare what it prints with the device", "wrong")
        self._asked = True
        code = self._printed()
        now = self._wanted.request.clock()
        if self._used.holds(code, now):
            if time.monotonic() + seconds_to_next_step(now) > self._wanted.deadline - 1:
                raise PersonNeededError(f"{self._where}: printed a code that has been used", _LATER, "wrong")
            wait_for_next_step(now)
            code = self._printed()
            if self._used.holds(code, self._wanted.request.clock()):
                raise PersonNeededError(f"{self._where}: printed a code that has been used", _LATER, "wrong")
        return code

    def notice(self, line: str) -> None:
        """Say nothing: nobody may be there."""

    def close(self) -> None:
        """Hold nothing."""

    def _printed(self) -> str:
        output, status = self._run(min(time.monotonic() + _SECONDS, self._wanted.deadline))
        if status != 0:
            how = f"was ended by signal {-status}" if status < 0 else f"exited with status {status}"
            raise SourceError(f"{self._where}: {how}", "run the command by hand")
        code = code_in(_COLOUR.sub("", output))
        if code is None:
            raise SourceError(f"{self._where}: printed no code of six digits", "it must print the code alone")
        return code

    def _run(self, deadline: float) -> tuple[str, int]:
        """Run the program in our process group; return its output and exit status. It is killed at the deadline.

        In another group it would be stopped by the terminal, which is its stdin and stderr: it may ask there.
        """
        try:
            child = self._started()
        except OSError as error:
            reason = (error.strerror or "error").lower()
            raise SourceError(
                f"{self._where}: cannot be started: {inert(self._words[0], 200)}: {reason}", "check the path"
            ) from None
        try:
            reading = _Reading(child)
        except RuntimeError:
            child.kill()
            child.wait()
            raise SourceError(
                f"{self._where}: cannot be read: too many processes", "end some, or raise their limit (ulimit -u)"
            ) from None
        try:
            status = child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise PersonNeededError(
                f"{self._where}: did not end in time, and was killed", "run the command by hand", "late"
            ) from None
        return reading.text(), status

    def _started(self) -> "subprocess.Popen[bytes]":
        """Start the program. Raises OSError, ConfigError."""
        program = _program(self._words[0], self._environ)
        self._check_place(program)
        try:
            console = terminal.open_for_child()
        except PersonNeededError:
            console = os.open(os.devnull, os.O_RDWR)
        try:
            return subprocess.Popen(  # noqa: S603 - the user's own line
                [program, *self._words[1:]],
                stdin=console,
                stdout=subprocess.PIPE,
                stderr=console,
                env=self._environ,
            )
        finally:
            os.close(console)

    def _check_place(self, program: str) -> None:
        """Raise ConfigError if any user may put another program in the place of this one."""
        if os.name != "posix":
            return
        for place in (program, os.path.dirname(program)):
            try:
                mode = os.stat(place).st_mode
            except OSError:  # the start will say so
                continue
            if mode & stat.S_IWOTH:
                what = f"anybody may write to it (mode {stat.S_IMODE(mode):04o}), so the program is not run"
                raise ConfigError(f"{self._where}: {inert(place, 200)}: {what}", "chmod o-w, or move the program")


class _Reading:
    """What a program prints, drained to its end and kept to a limit. Raises RuntimeError where no thread can be had."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self._pipe = child.stdout
        self._kept = bytearray()
        self._thread = threading.Thread(target=self._drain, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            if self._pipe is not None:
                self._pipe.close()
            raise

    def text(self) -> str:
        """Return what has come, soon after the program's exit."""
        self._thread.join(_AFTER_EXIT)
        return self._kept.decode("utf-8", "replace")

    def _drain(self) -> None:
        while self._pipe is not None:
            read = os.read(self._pipe.fileno(), _OUTPUT_LIMIT)
            if not read:
                self._pipe.close()
                return
            self._kept += read[: _OUTPUT_LIMIT - len(self._kept)]


_LATER = "try again when the device shows the next code"


def _split(command: str, where: str) -> list[str]:
    """Split the command without a shell, as botocore splits a credential_process line. Raises ConfigError."""
    try:
        words = command_line.split(command)
    except ValueError:
        words = []
    if not words:
        raise ConfigError(f"{where}: names no program, or a quotation in it does not end", "correct the line")
    return words


def _program(word: str, environ: Mapping[str, str]) -> str:
    """Return the path of the program; raises FileNotFoundError.

    Never one in the working directory, which is anybody's: neither by a relative path nor by an entry of PATH.
    """
    if os.path.isabs(word):
        return word
    directories = [directory for directory in os.get_exec_path(environ) if os.path.isabs(directory)]
    found = None if os.path.dirname(word) else shutil.which(word, path=os.pathsep.join(directories))
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), word)
    return found


def _environment(request: Request) -> dict[str, str]:
    """Return what a program may know: no keys, and that no credproc that it starts may ask anybody."""
    passed = recursion.extend_chain(request.environ, request.profile)
    for variable in _SECRETS:
        passed.pop(variable, None)
    passed["CREDPROC_INTERACTIVE"] = "never"
    return passed
