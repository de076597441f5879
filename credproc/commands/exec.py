"""credproc exec: run a program that does not know credential_process, with the credentials in its environment."""

import argparse
import os
import shutil
import signal
from collections.abc import Mapping, Sequence

from credproc.commands.arguments import add_name
from credproc.commands.ui.output import Said
from credproc.commands.variables import resolve, with_variables
from credproc.errors import CredprocError, UsageError, quoted
from credproc.process.child_environment import environment_for_child
from credproc.request import ProcessState, Request

_FORM = "write credproc exec NAME -- COMMAND ..."

GROUP = "use"
HELP = "run a command with the credentials"
DESCRIPTION = (
    "Run a program with the profile's credentials in its environment, for programs that do not know"
    " credential_process. They end with the credentials: a program that runs for hours is better off with the profile."
)


class CommandError(CredprocError):
    """The command cannot be run; the exit status is the one that shells give for it."""

    def __init__(self, message: str, hint: str | None, exit_code: int) -> None:
        """Take the exit status too: 127 where there is no such command, 126 where it cannot be executed."""
        super().__init__(message, hint)
        self.exit_code = exit_code


def run_command(command: Sequence[str], request: Request) -> int:
    """Run the command with the credentials of the request's profile.

    On POSIX it takes the place of this process, so that signals, terminal and exit status are its own; elsewhere its
    exit status is returned. Raises CredprocError.
    """
    environ = environment_for_child(request.environ)
    _check(command[0], environ)  # before a person is asked for a code
    environ = with_variables(environ, resolve(request).variables())
    if os.name == "posix":
        _restore(request.process_state)
        try:
            os.execvpe(command[0], list(command), environ)  # noqa: S606 - no shell, which is what is wanted
        except OSError as error:
            raise _failed(command[0], error) from None
    import subprocess  # noqa: PLC0415 - Windows only

    try:
        return subprocess.run(list(command), env=environ, check=False).returncode  # noqa: S603 - it is what is wanted
    except OSError as error:
        raise _failed(command[0], error) from None


def _check(program: str, environ: Mapping[str, str]) -> None:
    path = environ.get("PATH", os.defpath)
    if shutil.which(program, path=path) is not None:
        return
    if shutil.which(program, os.F_OK, path) is not None or os.path.isdir(program):
        raise _failed(program, PermissionError())
    raise _failed(program, FileNotFoundError())


def _failed(program: str, error: OSError) -> CommandError:
    where = f"exec: {quoted(program)}"
    if isinstance(error, FileNotFoundError):
        return CommandError(f"{where}: no such command", "check the spelling, or give its path", 127)
    if isinstance(error, PermissionError):
        return CommandError(f"{where}: cannot be executed", "check its mode: chmod +x makes a file executable", 126)
    reason = (error.strerror or "cannot be started").lower()
    return CommandError(f"{where}: {reason}", "a script needs a first line such as #!/bin/sh", 126)


def _restore(state: ProcessState | None) -> None:
    """Give the program back what credproc, and Python, have changed of this process."""
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, and what is ignored stays so (subprocess does the same)
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    if state is None:
        return
    os.umask(state.umask)
    if state.core_limit is not None:
        from resource import RLIMIT_CORE, getrlimit, setrlimit  # noqa: PLC0415 - POSIX only

        setrlimit(RLIMIT_CORE, (state.core_limit, getrlimit(RLIMIT_CORE)[1]))


def add(one: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    one.usage = "credproc exec [--help] NAME -- COMMAND ..."
    add_name(one, "the profile whose credentials the command gets")
    # What stands behind -- never comes here; what comes here has lost its --
    one.add_argument("command_line", metavar="-- COMMAND", nargs="*", help="the command to run")


def run(options: argparse.Namespace, request: Request) -> Said:
    """Run the command."""
    if options.command_line:
        raise UsageError("usage: exec: there is no -- in front of the command", _FORM)
    if not options.behind or not options.behind[0]:
        raise UsageError("usage: exec: a command is needed", _FORM)
    return Said("", run_command(options.behind, request))
