"""The entry point: arguments in, a document or an error out. Only this module prints them and chooses exit statuses.

A hit ends in this module, after one read and one write. Everything else is imported where it is needed.
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

_STDERR_LIMIT = 4096  # bytes; some SDKs read stderr only after the exit, and a full pipe would block us
_WRITE_SECONDS = 30  # for a slow reader that has made the pipe non-blocking


def main() -> "NoReturn":
    """Run credproc with the arguments and environment of this process, and exit with its status."""
    started = time.monotonic()
    _restore_interrupt()
    os._exit(run(sys.argv[1:], started))  # does not wait for daemon threads, which may hang in abandoned calls


def hit() -> None:
    """Print the document and exit if the cache has it; else return, and the caller runs ``main``.

    The frozen program starts here: build/frozen/hit.py.
    """
    _restore_interrupt()
    try:
        main_form, profile = _main_form(sys.argv[1:])
        document = cache.hit(cache.profile_named(profile, os.environ), os.environ, time.time()) if main_form else None
        if document is None:
            return
        _write(document)
    except Exception as error:  # noqa: BLE001 - as in run
        os._exit(_failed(error))
    os._exit(0)


def _restore_interrupt() -> None:
    if getsignal(SIGINT) is default_int_handler:
        signal(SIGINT, SIG_DFL)  # Ctrl-C ends the process at once, by the signal, without a traceback


def run(arguments: "list[str]", started: float) -> int:
    """Run with these arguments and return the exit status; ``started`` is in seconds of ``time.monotonic()``."""
    try:
        main_form, profile = _main_form(arguments)
        if not main_form:
            return _command(arguments, started)
        document = cache.hit(cache.profile_named(profile, os.environ), os.environ, time.time())
        _write(document if document is not None else _refreshed(profile, started))
    except Exception as error:  # noqa: BLE001 - the one place that catches everything: no traceback may reach an SDK's user
        return _failed(error)
    return 0


def _main_form(arguments: "list[str]") -> "tuple[bool, str | None]":
    """Return whether these are the arguments of the form that SDKs call, and the profile in them."""
    if not arguments:
        return True, None
    if len(arguments) == 2 and arguments[0] == "--profile" and arguments[1]:
        return True, arguments[1]
    if len(arguments) == 1 and arguments[0].startswith("--profile=") and arguments[0] != "--profile=":
        return True, arguments[0][len("--profile=") :]
    return False, None


def _refreshed(profile: "str | None", started: float) -> bytes:
    import gc

    gc.disable()  # nearly all objects of a refresh live until its end, and collecting garbage takes a tenth of its time
    from credproc.errors import CredprocError
    from credproc.refresh import refresh

    request = _request(started)
    try:
        os.fstat(1)
    except OSError:
        raise CredprocError("stdout: is closed", "credproc prints the credential document there") from None
    _harden()
    return refresh(request._replace(profile=cache.profile_named(profile, os.environ))).document


def _command(arguments: "list[str]", started: float) -> int:
    if arguments in (["--version"], ["-V"], ["version"]):
        from credproc import __version__

        _write(f"credproc {__version__}\n".encode())
        return 0
    from credproc.commands import main as commands_main

    request = _request(started)
    output = commands_main(arguments, request._replace(process_state=_harden()))
    _write(output.data)
    if output.note:
        _write_stderr([output.note])
    return output.status


def _request(started: float) -> "Request":
    """Return a request without a profile, from this process."""
    from credproc.process import caller
    from credproc.request import Request

    # argv[0] unchanged: an absolute path needs the working directory, which may have been deleted
    program, user = sys.argv[0], caller.user_name()
    return Request(None, os.environ, started, program=program, user=user, caller=caller.find(program))


def _harden() -> "ProcessState":
    """Keep the memory of this process out of streams, core dumps, files and debuggers; return the previous state."""
    from credproc.process.hardening import make_undumpable
    from credproc.request import ProcessState

    make_undumpable()
    # A file that we open would get the number of a closed stream
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is fd
    state = ProcessState(os.umask(0o077))
    if sys.platform != "win32":
        from resource import RLIMIT_CORE, getrlimit, setrlimit

        try:
            soft, hard = getrlimit(RLIMIT_CORE)
            setrlimit(RLIMIT_CORE, (0, hard))
        except (OSError, ValueError):  # a sandbox that forbids it
            return state
        state = state._replace(core_limit=soft)
    return state


def _write(data: bytes) -> None:
    """Write all data to stdout, in one write if the reader accepts it. Raises CredprocError."""
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
        raise CredprocError(f"stdout: {reason}", "the caller has ended or does not read") from None


def _failed(error: Exception) -> int:
    """Report the error on stderr and return the exit status."""
    try:
        return _report(error)
    except Exception:  # noqa: BLE001 - no memory is left for the message, or a module cannot be imported
        os.write(
            2, b"credproc: error: internal: the error cannot be reported: no memory is left, or a file is missing\n"
        )
        return 1


def _report(error: Exception) -> int:
    from credproc.errors import CredprocError, SignalError

    status = None
    if isinstance(error, SignalError):
        from credproc.process.ending import end_by_signal

        status = end_by_signal(error.number)
        error = error.declined
    if not isinstance(error, CredprocError):
        error = _bug(error)
    _print_error(error)
    return error.exit_code if status is None else status


def _bug(error: Exception) -> "CredprocError":
    from credproc import log
    from credproc.errors import CredprocError
    from credproc.locking.directory import own_directory

    logged = log.write_traceback(own_directory(os.environ), error)
    where = f"the traceback is in {log.NAME} in the cache directory" if logged else "it could not be logged"
    return CredprocError(f"internal: {type(error).__name__}: this is a bug in credproc, please report it; {where}")


def _print_error(error: "CredprocError") -> None:
    from credproc.errors import inert

    text = inert(f"{error}: {error.quotation}" if error.quotation else str(error), 1500)
    lines = [f"credproc: {text}" if error.is_answer else f"credproc: error: {text}"]
    lines += [f"credproc: hint: {inert(error.hint, 1500)}"] if error.hint else []
    _write_stderr(lines)
    if not _is_seen(error):
        from credproc import terminal
        from credproc.locking.directory import own_directory
        from credproc.process import caller
        from credproc.terminal.last_message import is_new

        # After a prompt the SDK may show stderr as well; without the hint here, the hint appears once
        shown = lines[:1] if error.was_asked else lines
        may_show = terminal.noninteractive_reason(os.environ) is None
        group = caller.retry_group(caller.find(sys.argv[0]))
        if may_show and is_new(own_directory(os.environ), "\n".join(shown), time.time(), group):
            terminal.notify(*shown)


def _write_stderr(lines: "list[str]") -> None:
    """Write lines for a person, which are inert; on a terminal they are broken between words."""
    if os.isatty(2):
        from credproc.glyphs import paragraphs

        lines = paragraphs(lines, 2)
    try:
        os.write(2, ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")[:_STDERR_LIMIT])
    except OSError:  # stderr is closed; the exit status remains
        pass


def _is_seen(error: "CredprocError") -> bool:
    """Return whether a person sees the error without us: some SDKs discard stderr or mix it into stdout."""
    if os.isatty(2) or error.was_shown:
        return True
    try:
        is_lost = any(os.path.samestat(os.fstat(2), other) for other in (os.stat(os.devnull), os.fstat(1)))
    except OSError:  # closed
        is_lost = True
    return not is_lost and not error.was_asked  # after a prompt a person waits for the result, whatever the SDK shows
