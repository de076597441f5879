"""MFA codes that a program prints: the profile's ``mfa_process``, such as ``ykman oath accounts code -s aws``."""

import errno
import os
import re
import subprocess
import time

from credproc import terminal
from credproc.config import grammar
from credproc.errors import ConfigError, PersonNeededError, SourceError, inert
from credproc.mfa.code import CodeRequest, parse_code
from credproc.mfa.used_codes import UsedCodes, seconds_to_next_step, wait_for_next_step
from credproc.process import command_line, recursion
from credproc.process.output import NO_THREAD_HINT, Output
from credproc.request import Request

_RUN_SECONDS = 30
_OUTPUT_LIMIT = 4096  # bytes; a code is six of them
_DRAIN_SECONDS = 0.1  # for the rest of the output, after the exit: a child of the program may keep the pipe open
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class ProcessCodeProvider:
    """A ``CodeProvider`` that runs the profile's ``mfa_process``, once."""

    def __init__(self, code_request: CodeRequest, command: str, used: UsedCodes) -> None:
        """Take what the code is for, the command, which is split like a credential_process line, and the used codes."""
        self._code_request = code_request
        self._where = f"{code_request.where}: mfa_process"
        self._words = _split(command, self._where)
        self._shell_hint = command_line.shell_hint(command)
        self._environ = _child_environment(code_request.request)
        self._used = used
        self._has_run = False

    def next_code(self, remark: str | None) -> str:
        """Return the code that the program prints; see ``CodeProvider``."""
        if self._has_run:  # it would print the same code again
            raise PersonNeededError(
                f"{self._where}: {remark}", "compare the code that it prints with the one on the device", "wrong"
            )
        self._has_run = True
        code = self._read_code()
        now = self._code_request.request.clock()
        if self._used.contains(code, now):
            if time.monotonic() + seconds_to_next_step(now) > self._code_request.deadline - 1:
                raise PersonNeededError(
                    f"{self._where}: printed a code that has been used already", _RETRY_LATER, "wrong"
                )
            wait_for_next_step(now)
            code = self._read_code()
            if self._used.contains(code, self._code_request.request.clock()):
                raise PersonNeededError(
                    f"{self._where}: printed a code that has been used already", _RETRY_LATER, "wrong"
                )
        return code

    def notify(self, line: str) -> None:
        """Do nothing: there may be no user at a terminal."""

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def _read_code(self) -> str:
        output, status = self._run(min(time.monotonic() + _RUN_SECONDS, self._code_request.deadline))
        if status != 0:
            how = f"was ended by signal {-status}" if status < 0 else f"exited with status {status}"
            raise SourceError(f"{self._where}: {how}", self._shell_hint or "run the command by hand")
        code = parse_code(_COLOUR.sub("", output))
        if code is None:
            raise SourceError(
                f"{self._where}: printed something else than a code of six digits",
                self._shell_hint or "it must print the code and nothing else",
            )
        return code

    def _run(self, deadline: float) -> tuple[str, int]:
        """Run the program until ``deadline`` (seconds of ``time.monotonic()``); return its output and exit status.

        It runs in credproc's process group, as the terminal stops a process of another group that reads from it, and
        the terminal is the program's stdin and stderr, where it may ask the user. Raises SourceError, ConfigError, and
        PersonNeededError if it was killed at the deadline.
        """
        try:
            child = self._start()
        except command_line.BatchArgumentError as error:
            raise self._not_started(str(error), command_line.BATCH_HINT) from None
        except (OSError, ValueError) as error:  # ValueError: a null character
            raise self._not_started(
                (getattr(error, "strerror", None) or str(error)).lower(), "check the path"
            ) from None
        try:
            output = Output(child.stdout, _OUTPUT_LIMIT)
        except RuntimeError:
            child.kill()
            child.wait()
            raise SourceError(f"{self._where}: cannot be read: too many processes", NO_THREAD_HINT) from None
        try:
            status = child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise PersonNeededError(
                f"{self._where}: did not end in time, and was killed", "run the command by hand", "late"
            ) from None
        return output.text(_DRAIN_SECONDS), status

    def _not_started(self, reason: str, hint: str) -> SourceError:
        where = f"{self._where}: cannot be started: {inert(self._words[0], 200)}"
        return SourceError(f"{where}: {reason}", self._shell_hint or hint)

    def _start(self) -> "subprocess.Popen[bytes]":
        """Start the program. Raises OSError, ValueError, ConfigError."""
        word = self._words[0]
        if os.path.dirname(word) and not os.path.isabs(word):  # in the working directory, which may be another user's
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), word)
        program = command_line.find_program(word, self._environ, self._where)
        program, arguments = command_line.start_arguments(program, [program, *self._words[1:]], self._environ)
        try:
            keys, screen = terminal.open_for_child()
        except PersonNeededError:
            keys, screen = os.open(os.devnull, os.O_RDONLY), os.open(os.devnull, os.O_WRONLY)
        try:
            return subprocess.Popen(  # noqa: S603 - the user's own command
                arguments,
                executable=program,
                stdin=keys,
                stdout=subprocess.PIPE,
                stderr=screen,
                env=self._environ,
            )
        finally:
            os.close(keys)
            os.close(screen)


_RETRY_LATER = "try again when the device shows the next code"


def _split(command: str, where: str) -> list[str]:
    """Split the command without a shell, as botocore splits a credential_process line. Raises ConfigError."""
    try:
        words = grammar.split_command(command)
    except ValueError:
        raise ConfigError(f"{where}: {grammar.NO_END}", grammar.CLOSE_HINT) from None
    if not words:
        raise ConfigError(f"{where}: names no program", "write the program's path")
    return words


def _child_environment(request: Request) -> dict[str, str]:
    """Return the program's environment, with a variable that forbids prompts to a nested credproc."""
    environ = recursion.extend_chain(request.environ, request.profile, with_identity=False)
    return environ | {"CREDPROC_INTERACTIVE": "never"}
