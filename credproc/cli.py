"""Arguments in, a document or an error out; the only place that prints documents and chooses exit statuses.

A hit ends here, after a read and a write. Everything else is imported where it is needed.
"""

import os
import sys
import time

# signal itself would import enum
from _signal import (  # type: ignore[import-not-found]
    SIG_DFL,
    SIGINT,
    default_int_handler,
    getsignal,
    signal,
)

from credproc import cache

TYPE_CHECKING = False  # typing itself would cost a hit more than all of credproc
if TYPE_CHECKING:
    from typing import NoReturn

    from credproc.errors import CredprocError
    from credproc.request import ProcessState, Request

_STDERR_LIMIT = 4096  # bytes; some SDKs read stderr only after the exit, and a full pipe would stop us
_WRITE_SECONDS = 30  # for a reader that is slow and has made the pipe non-blocking


def main() -> "NoReturn":
    """Run credproc with the arguments and environment of this process, and leave with its exit status."""
    started = time.monotonic()
    _end_by_interrupt()
    os._exit(run(sys.argv[1:], started))  # daemon threads may hang in calls that nobody waits for any more


def hit() -> None:
    """Print the document and leave if the cache has it; else return, for ``main`` to do the whole.

    The frozen program begins so: build/frozen/hit.py.
    """
    _end_by_interrupt()
    try:
        main_form, profile = _main_form(sys.argv[1:])
        document = cache.hit(cache.profile_named(profile, os.environ), os.environ, time.time()) if main_form else None
        if document is None:
            return
        _write(document)
    except Exception as error:  # noqa: BLE001 - as in run, for a start that does not get there
        os._exit(_failed(error))
    os._exit(0)


def _end_by_interrupt() -> None:
    if getsignal(SIGINT) is default_int_handler:
        signal(SIGINT, SIG_DFL)  # Ctrl-C ends us as it ends others: at once, by the signal, without a traceback


def run(arguments: "list[str]", started: float) -> int:
    """Do what the arguments ask for and return the exit status; ``started`` is in seconds of ``time.monotonic()``."""
    try:
        main_form, profile = _main_form(arguments)
        if not main_form:
            return _command(arguments, started)
        document = cache.hit(cache.profile_named(profile, os.environ), os.environ, time.time())
        _write(document if document is not None else _refreshed(profile, started))
    except Exception as error:  # noqa: BLE001 - the one boundary: no traceback may reach an SDK's user
        return _failed(error)
    return 0


def _main_form(arguments: "list[str]") -> "tuple[bool, str | None]":
    """Return whether these are the arguments that SDKs call with, and the profile in them."""
    if not arguments:
        return True, None
    if len(arguments) == 2 and arguments[0] == "--profile" and arguments[1]:
        return True, arguments[1]
    if len(arguments) == 1 and arguments[0].startswith("--profile=") and arguments[0] != "--profile=":
        return True, arguments[0][len("--profile=") :]
    return False, None


def _refreshed(profile: "str | None", started: float) -> bytes:
    import gc

    gc.disable()  # nearly all that a refresh makes stays until its end; looking for garbage takes a tenth of its time
    from credproc.errors import CredprocError
    from credproc.refresh import refresh

    request = _request(started)
    try:
        os.fstat(1)
    except OSError:
        raise CredprocError("stdout: is closed", "credproc prints the credential document there") from None
    _keep_secrets_in()
    return refresh(request._replace(profile=cache.profile_named(profile, os.environ))).document


def _command(arguments: "list[str]", started: float) -> int:
    if arguments == ["--version"]:
        from credproc import __version__

        _write(f"credproc {__version__}\n".encode())
        return 0
    from credproc.commands import main as commands_main

    request = _request(started)
    said = commands_main(arguments, request._replace(process_state=_keep_secrets_in()))
    _write(said.text.encode("utf-8", "backslashreplace"))
    return said.status


def _request(started: float) -> "Request":
    """Return a request of no profile yet, from this process."""
    from credproc.request import Request

    caller = os.getppid() if hasattr(os, "getppid") else None
    # argv[0] as it is: a path made absolute needs a working directory, and that may have been deleted
    return Request(None, os.environ, started, program=sys.argv[0], user=_user(), caller=caller)


def _user() -> str:
    """Return the name of the operating system's user."""
    if os.name != "posix":
        return os.environ.get("USERNAME", "")
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container that runs as a user without an entry
        return f"uid-{os.getuid()}"


def _keep_secrets_in() -> "ProcessState":
    """See to it that what is in memory reaches no stream, core, file or debugger; return what was so before."""
    from credproc.process.hardening import make_undumpable
    from credproc.request import ProcessState

    make_undumpable()
    # A file of ours would take the number of a closed stream
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is fd
    state = ProcessState(os.umask(0o077))
    if os.name == "posix":
        from resource import RLIMIT_CORE, getrlimit, setrlimit

        try:
            soft, hard = getrlimit(RLIMIT_CORE)
            setrlimit(RLIMIT_CORE, (0, hard))
        except (OSError, ValueError):  # a sandbox that forbids it
            return state
        state = state._replace(core_limit=soft)
    return state


def _write(data: bytes) -> None:
    """Write all of it to stdout, in one write where the reader takes it so. Raises CredprocError."""
    try:
        while data:
            try:
                data = data[os.write(1, data) :]
            except BlockingIOError:
                import select

                if not select.select([], [1], [], _WRITE_SECONDS)[1]:
                    raise
    except OSError as error:
        from credproc.errors import CredprocError

        reason = (error.strerror or "cannot be written").lower()
        raise CredprocError(f"stdout: {reason}", "the caller has gone or does not read") from None


def _failed(error: Exception) -> int:
    """Say what has failed, on stderr, and return the exit status."""
    try:
        return _told(error)
    except Exception:  # noqa: BLE001 - there is no memory to tell it in, or no module to tell it by
        os.write(2, b"credproc: error: internal: failed, and could not tell why: no memory, or a part is missing\n")
        return 1


def _told(error: Exception) -> int:
    from credproc.errors import CredprocError, SignalError

    if isinstance(error, SignalError):
        signal(error.number, SIG_DFL)
        if os.name == "posix":
            from _signal import SIG_UNBLOCK, pthread_sigmask

            pthread_sigmask(SIG_UNBLOCK, (error.number,))  # who started us may have blocked it, for itself
        os.kill(os.getpid(), error.number)
        error = error.declined  # still here: process 1 of a container, whom no signal of its own ends
    if not isinstance(error, CredprocError):
        error = _bug(error)
    _complain(error)
    return error.exit_code


def _bug(error: Exception) -> "CredprocError":
    from credproc import log
    from credproc.errors import CredprocError
    from credproc.locking.directory import own_directory

    logged = log.write_traceback(own_directory(os.environ), error)
    where = f"the traceback is in {log.NAME} in the cache directory" if logged else "it could not be logged"
    return CredprocError(f"internal: {type(error).__name__}: this is a bug in credproc, please report it; {where}")


def _complain(error: "CredprocError") -> None:
    from credproc.errors import inert

    lines = [f"credproc: error: {inert(str(error), 1500)}"]
    if error.hint:
        lines.append(f"credproc: hint: {inert(error.hint, 1500)}")
    data = ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")[:_STDERR_LIMIT]
    try:
        os.write(2, data)
    except OSError:  # nobody listens there; the exit status tells
        pass
    if not _is_seen(error):
        from credproc import terminal
        from credproc.locking.directory import own_directory
        from credproc.terminal.last_message import is_new

        # Of those who show stderr some pass it on behind a prompt too; the hint at least is then there once
        text = lines[0] if error.was_asked else "\n".join(lines)
        if terminal.noninteractive_reason(os.environ) is None and is_new(own_directory(os.environ), text, time.time()):
            terminal.notify(text)


def _is_seen(error: "CredprocError") -> bool:
    """Whether who is at the terminal sees stderr, or need not: some SDKs drop it, or mix it into stdout.

    Who has just answered a prompt waits for what comes of it, and an SDK may show it or not.
    """
    if os.isatty(2):
        return True
    try:
        status = os.fstat(2)
        lost = os.path.samestat(status, os.stat(os.devnull)) or os.path.samestat(status, os.fstat(1))
    except OSError:  # closed
        lost = True
    return not lost and not error.was_asked
