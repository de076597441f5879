"""credproc exec: run a command with the credentials in its environment, for programs without credential_process."""

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence

from credproc.commands import shell
from credproc.commands.arguments import add_profile_choice, add_region_option, region_in
from credproc.commands.ui.output import Output
from credproc.commands.ui.times import format_until
from credproc.commands.variables import resolve, with_variables
from credproc.errors import CredprocError, UsageError, by_platform, inert
from credproc.process import command_line
from credproc.process.child_environment import environment_for_child
from credproc.request import ProcessState, Request

_USAGE_HINT = "write credproc exec NAME -- COMMAND ..."
_PATH_HINT = by_platform(
    posix="check the spelling, or give its path",
    windows="check the spelling, or give its path; a command of cmd.exe needs cmd /c before it",
)
_MODE_HINT = by_platform(
    posix="check its mode: chmod +x makes a file executable",
    windows="name a program, or the interpreter of a script: an extension in PATHEXT makes a file executable",
)
_SCRIPT_HINT = by_platform(
    posix="a script needs a first line such as #!/bin/sh",
    windows="write the interpreter of a script before it, such as python or powershell -File",
)
_SHOWN_PROGRAM = 80  # characters of the command's name in a message

GROUP = "use"
HELP = "run a command, or your shell, with the credentials"
DESCRIPTION = (
    "Run a command with the profile's credentials in its environment, for programs that do not support"
    " credential_process; without a command, your shell. The credentials are not renewed: a program that runs for hours"
    " should use the profile, or --serve if it cannot."
)


class CommandError(CredprocError):
    """The command cannot be run; the exit status is the one that shells use for that."""

    def __init__(self, message: str, hint: str | None, exit_code: int) -> None:
        """Create the error; ``exit_code`` is 127 if the command does not exist, 126 if it cannot be executed."""
        super().__init__(message, hint)
        self.exit_code = exit_code


def run_command(command: Sequence[str], request: Request, region: str | None, *, serve: bool = False) -> int:
    """Run the command with the credentials of the request's profile and return its exit status.

    ``command`` is empty for the user's shell; ``region`` is the command's, None: the profile's. ``serve`` offers the
    credentials at an endpoint instead of in variables; then the command is a child of this process. Without it, on
    POSIX, the command replaces this process, so that it gets signals and the terminal directly, and this function does
    not return. Raises CredprocError.
    """
    environ = environment_for_child(request.environ, with_identity=False)
    chosen = command or [shell.users_shell(environ)]
    find = _find_on_windows if sys.platform == "win32" else _find
    start = _start_arguments(find(chosen[0], environ), chosen, environ)  # before a code is asked for
    if not command:
        environ[shell.VARIABLE] = request.profile or ""
    if serve:
        from credproc.commands.serve import served  # noqa: PLC0415 - sockets and threads, for --serve alone

        with served(request, environ, region) as offered:
            if not command:
                shell.announce(chosen[0], request.subject, ", renewed")
            return _run_beside(start, chosen, offered, request.process_state)
    credentials = resolve(request).in_region(region)
    environ = with_variables(environ, credentials.variables(environ))
    if not command:
        until = credentials.expiration
        shell.announce(chosen[0], request.subject, "" if until is None else f" {format_until(until, request.clock())}")
    try:
        if sys.platform == "win32":
            return _run_as_child(*start, environ)
        else:  # noqa: RET505 - by this mypy knows that it is not for Windows
            _restore(request.process_state)
            os.execvpe(chosen[0], list(chosen), environ)  # noqa: S606 - no shell is wanted
    except OSError as error:
        raise _failed(chosen[0], error) from None


def _run_beside(
    start: tuple[str, list[str] | str], command: Sequence[str], environ: Mapping[str, str], state: ProcessState | None
) -> int:
    """Run the command as a child, also where it could take this process's place."""
    try:
        if sys.platform == "win32":
            return _run_as_child(*start, environ)
        else:  # noqa: RET505 - for mypy, which leaves out what another platform has
            from credproc.commands.serve.child import run_child  # noqa: PLC0415 - for --serve alone

            if state is not None:
                _restore_state(state)  # and Popen restores the signals, in the command alone
            return run_child(command, environ)
    except OSError as error:
        raise _failed(command[0], error) from None


def _find(program: str, environ: Mapping[str, str]) -> str:
    """Return the path of the program, as ``os.execvpe`` finds it. Raises CommandError."""
    path = environ.get("PATH", os.defpath)
    if found := shutil.which(program, path=path):
        return found
    if shutil.which(program, os.F_OK, path) is not None or os.path.isdir(program):
        raise _failed(program, PermissionError())
    raise _failed(program, FileNotFoundError())


def _find_on_windows(program: str, environ: Mapping[str, str]) -> str:
    """Return the path of the program: in the directory that it is given with, else in PATH. Raises CommandError.

    A program in the working directory, where cmd.exe looks first, needs its path: it would get the credentials.
    """
    if os.path.dirname(program):
        found = command_line.executable_at(program, environ)
    else:
        found = next(command_line.programs_in_path(program, environ), None)
    if found is not None:
        return found
    if os.path.dirname(program) and os.path.exists(program):
        raise _failed(program, PermissionError())
    raise _failed(program, FileNotFoundError(), is_here=command_line.executable_at(program, environ) is not None)


def _start_arguments(program: str, command: Sequence[str], environ: Mapping[str, str]) -> tuple[str, list[str] | str]:
    try:
        return command_line.start_arguments(program, command, environ)
    except command_line.BatchArgumentError as error:
        where = f"exec: '{inert(program, _SHOWN_PROGRAM)}'"
        raise CommandError(f"{where}: {error}", command_line.BATCH_HINT, 126) from None


def _run_as_child(program: str, arguments: list[str] | str, environ: Mapping[str, str]) -> int:
    """Run the program to its end and return its exit status. Raises OSError.

    Ctrl-C and Ctrl-Break reach all processes of the console: they are the program's, and this process waits for it.
    What a process ignores by ``signal`` is not ignored by its children (Microsoft, "signal", SetConsoleCtrlHandler).
    """
    import subprocess  # noqa: PLC0415 - Windows only

    for name in ("SIGINT", "SIGBREAK"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    with subprocess.Popen(arguments, executable=program, env=environ) as child:  # noqa: S603 - the user's own command
        status = child.wait()
    return status - (1 << 32) if status >> 31 else status  # os._exit takes the 32 bits as a signed number


def _failed(program: str, error: OSError, *, is_here: bool = False) -> CommandError:
    where = f"exec: '{inert(program, _SHOWN_PROGRAM)}'"
    if isinstance(error, FileNotFoundError):
        hint = f"write .\\{inert(program, _SHOWN_PROGRAM)} for the one in this directory" if is_here else _PATH_HINT
        return CommandError(f"{where}: no such command", hint, 127)
    if isinstance(error, PermissionError):
        return CommandError(f"{where}: cannot be executed", _MODE_HINT, 126)
    reason = (error.strerror or "cannot be started").lower()
    return CommandError(f"{where}: {reason}", _SCRIPT_HINT, 126)


def _restore(state: ProcessState | None) -> None:
    """Restore what credproc and Python have changed in this process."""
    for name in (
        "SIGPIPE",
        "SIGXFSZ",
    ):  # Python ignores them, and a new program inherits that; subprocess restores the same two
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    if state is not None:
        _restore_state(state)


def _restore_state(state: ProcessState) -> None:
    os.umask(state.umask)
    if sys.platform != "win32" and state.core_limit is not None:
        from resource import RLIMIT_CORE, getrlimit, setrlimit  # noqa: PLC0415 - POSIX only

        setrlimit(RLIMIT_CORE, (state.core_limit, getrlimit(RLIMIT_CORE)[1]))


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.usage = "credproc exec [--help] [--region REGION] [--serve] [NAME] [-- COMMAND]"
    add_profile_choice(parser, "the profile whose credentials the command gets")
    add_region_option(parser, "the region for the command (default: the profile's)")
    parser.add_argument(
        "--serve",
        action="store_true",
        help="offer the credentials at an endpoint on this machine, as containers have it, and renew them there",
    )
    # For the help alone: the arguments after -- are split off before parsing, so any value here lacks a --
    parser.add_argument(
        "command_line", metavar="-- COMMAND", nargs="*", help="the command to run (default: your shell)"
    )


def run(options: argparse.Namespace, request: Request) -> Output:
    """Run the command."""
    if options.command_line:
        raise UsageError("usage: exec: -- is missing before the command", _USAGE_HINT)
    command: list[str] = options.after_dashes or []
    if options.after_dashes is None:
        shell.check_not_nested(request.environ)
    # A script that has lost its command must not end in a shell that reads what comes next
    if command[:1] == [""] or (not command and (options.after_dashes is not None or not os.isatty(0))):
        raise UsageError("usage: exec: the command is missing", _USAGE_HINT)
    return Output((), run_command(command, request, region_in(options), serve=options.serve))
