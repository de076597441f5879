"""A program that prints credentials, such as a source profile's ``credential_process``: run as botocore runs it."""

import json
import subprocess
from collections.abc import Mapping, Sequence

from credproc import limits
from credproc.config import grammar
from credproc.credentials import Credentials
from credproc.errors import SourceError, inert, quoted
from credproc.plan.source import Source
from credproc.process import command_line, recursion
from credproc.process.child_environment import is_secret
from credproc.process.output import NO_THREAD_HINT, Output, pieces
from credproc.sources.children import ChildProcesses
from credproc.sources.expiration import FORM, ExpiredError, parse_expiration

_STDERR_LIMIT = 4096  # bytes that are kept of a program's stderr
_TEXT_LIMIT = 200  # characters of it in a message
_DRAIN_SECONDS = 1  # for the rest of stderr, after the exit: a child of the program may keep the pipe open
_HINT = "run the program by hand and look at what it prints"


def fetch(source: Source, environ: Mapping[str, str], children: ChildProcesses) -> Credentials:
    """Run the program and return the credentials that it prints; add it to ``children``.

    Raises SourceError, and ConfigError if another user can put another program in its place.
    """
    where = f"{source.where}: credential_process of {quoted(source.profile or '')}"
    try:
        words = grammar.split_command(source.field("command"))
    except ValueError:
        raise SourceError(f"{where}: {grammar.NO_END}", grammar.CLOSE_HINT) from None
    if not words:
        raise SourceError(f"{where}: names no program", "write the program's path")
    chain = recursion.extend_chain(environ, source.profile, with_identity=True)
    shell_hint = command_line.shell_hint(source.field("command"))
    hints = (shell_hint or "check the path", shell_hint or _HINT)
    given = [value for variable, value in environ.items() if is_secret(variable)]
    return printed_by(words, where, chain, children, hints=hints, given=given)


def printed_by(  # noqa: PLR0913 - what is run, and what is said if it fails
    words: Sequence[str],
    where: str,
    environ: Mapping[str, str],
    children: ChildProcesses,
    *,
    hints: tuple[str, str],
    given: Sequence[str] = (),
) -> Credentials:
    """Run the program that the words name, in this environment, and return the credentials that it prints.

    ``hints`` are for one that cannot be started, and for one that fails. ``given`` are secrets that are not quoted.
    Raises SourceError, and ConfigError if another user can put another program in its place.
    """
    start_hint, hint = hints
    try:
        program, arguments = command_line.start_arguments(
            command_line.find_program(words[0], environ, where), words, environ
        )
        # not the caller's stdin, which may stay open for ever; argv[0] is the word, as with botocore
        child = subprocess.Popen(  # noqa: S603 - the user's own command
            arguments,
            executable=program,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
        )
        children.append(child)
    except command_line.BatchArgumentError as error:
        raise SourceError(f"{where}: cannot be started: {error}", command_line.BATCH_HINT) from None
    except (OSError, ValueError) as error:  # ValueError: a null character
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise SourceError(f"{where}: cannot be started: {reason}", start_hint) from None
    return _credentials(_output(child, where, given, hint), where, hint)


def _output(child: "subprocess.Popen[bytes]", where: str, given: Sequence[str], hint: str) -> bytes:
    """Return what the program prints, once it has succeeded; kill one that prints too much.

    Raises SourceError with ``hint``, which quotes the program's stderr without the secrets that it was given.
    """
    try:
        stderr = Output(child.stderr, _STDERR_LIMIT)
        stdout = limits.whole(pieces(child.stdout), limits.SOURCE)
    except RuntimeError:
        child.kill()
        raise SourceError(f"{where}: cannot be read: too many processes", NO_THREAD_HINT) from None
    except limits.TooLongError as error:
        child.kill()
        raise SourceError(f"{where}: the output is {error}", _HINT) from None
    if child.wait() != 0:
        from credproc.masking import masked  # noqa: PLC0415 - only for a failure

        failure = SourceError(f"{where}: {_exit_text(child.returncode)}", hint)
        failure.quotation = inert(masked(stderr.text(_DRAIN_SECONDS), given).strip(), _TEXT_LIMIT)
        raise failure
    return stdout


def _credentials(output: bytes, where: str, hint: str) -> Credentials:
    """Return the credentials in a Version 1 document. Raises SourceError with ``hint``, which quotes nothing of it."""
    try:
        fields = json.loads(output.decode("utf-8"))
        if fields.get("Version") != 1:
            what = "has another Version than 1, the only one there is" if "Version" in fields else "has no Version"
            raise SourceError(f"{where}: the document that it printed {what}", hint)
        for name in ("AccessKeyId", "SecretAccessKey"):
            if name not in fields:
                raise SourceError(f"{where}: Missing required key in response: {name!r}", hint)
        keys = tuple(
            map(_checked_str, (fields["AccessKeyId"], fields["SecretAccessKey"], fields.get("SessionToken") or ""))
        )
        expiration = _expiration(fields.get("Expiration"), where)
        account_id = fields.get("AccountId")
    except ExpiredError:
        raise SourceError(f"{where}: printed credentials that have expired", _HINT) from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise SourceError(f"{where}: printed something else than a Version 1 document", hint) from None
    return Credentials(
        keys[0],
        keys[1],
        keys[2] or None,
        expiration,
        account_id if isinstance(account_id, str) and account_id else None,
    )


def _expiration(value: object, where: str) -> int | None:
    if value is None:
        return None
    try:
        return parse_expiration(_checked_str(value))
    except (ValueError, TypeError, OverflowError):
        raise SourceError(f"{where}: Expiration must be {FORM}", "let the program print it so") from None


def _checked_str(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _exit_text(status: int) -> str:
    return f"was ended by signal {-status}" if status < 0 else f"exited with status {status}"
