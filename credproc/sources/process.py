"""Another program: the ``credential_process`` of a source profile, split, run and read as botocore does it."""

import json
import subprocess
from collections.abc import Mapping

from credproc.credentials import Credentials
from credproc.errors import SourceError, inert, quoted
from credproc.plan.source import Source
from credproc.process import command_line, recursion
from credproc.sources.expiration import ExpiredError, expiration_in
from credproc.sources.started import Started

_STDERR_LIMIT = 200  # characters of what a program said
_HINT = "run the program by hand and look at what it prints"


def fetch(source: Source, environ: Mapping[str, str], started: Started) -> Credentials:
    """Return what the program prints; it is put into ``started``. Raises SourceError."""
    where = f"{source.where}: credential_process of {quoted(source.profile or '')}"
    try:
        words = command_line.split(source.named("command"))
    except ValueError as error:
        raise SourceError(f"{where}: {str(error).lower()}", "close the quotes") from None
    if not words:
        raise SourceError(f"{where}: is empty", "write the program's path")
    try:
        # stdin is the caller's, who may leave it open for ever: the program gets none
        child = subprocess.Popen(  # noqa: S603 - the user's own line
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=recursion.extend_chain(environ, source.profile),
        )
        started.append(child)
        stdout, stderr = child.communicate()
    except (OSError, ValueError) as error:  # ValueError: a null character
        reason = (getattr(error, "strerror", None) or "error").lower()
        raise SourceError(f"{where}: cannot be started: {reason}", "check the path") from None
    if child.returncode != 0:
        said = inert(stderr.decode("utf-8", "replace").strip(), _STDERR_LIMIT)
        raise SourceError(f"{where}: {said or 'failed without a word'}", _HINT)
    return _credentials(stdout, where)


def _credentials(output: bytes, where: str) -> Credentials:
    """Return the credentials in a Version 1 document; nothing of it is quoted but its version."""
    try:
        fields = json.loads(output.decode("utf-8"))
        version = fields.get("Version", "<Version key not provided>")
        if version != 1:
            said = f"Unsupported version '{inert(str(version), 40)}' for credential process provider"
            raise SourceError(f"{where}: {said}, supported versions: 1", _HINT)
        for name in ("AccessKeyId", "SecretAccessKey"):
            if name not in fields:
                raise SourceError(f"{where}: Missing required key in response: {name!r}", _HINT)
        texts = tuple(map(_text, (fields["AccessKeyId"], fields["SecretAccessKey"], fields.get("SessionToken") or "")))
        end, account_id = fields.get("Expiration"), fields.get("AccountId")
        expiration = None if end is None else expiration_in(end)
    except ExpiredError:
        raise SourceError(f"{where}: printed credentials that have expired", _HINT) from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise SourceError(f"{where}: printed no Version 1 document", _HINT) from None
    return Credentials(
        texts[0],
        texts[1],
        texts[2] or None,
        expiration,
        account_id if isinstance(account_id, str) and account_id else None,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
