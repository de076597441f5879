"""Another program: the ``credential_process`` of a source profile."""

import subprocess
from collections.abc import Mapping
from typing import Any

import botocore.exceptions as boto
import botocore.session
from botocore.credentials import ProcessProvider

from credproc.credentials import Credentials
from credproc.errors import SourceError, inert, quoted
from credproc.plan.source import Source
from credproc.process import recursion
from credproc.sources.provider import FAILURES, load

_STDERR_LIMIT = 200  # characters of what a program said
_HINT = "run the program by hand and look at what it prints"


def fetch(
    source: Source, session: botocore.session.Session, environ: Mapping[str, str], started: "Started"
) -> Credentials:
    """Return what the program prints; it is put into ``started``. Raises SourceError."""
    try:
        found = load(_provider(source, session, environ, started))
    except FAILURES as error:
        raise _explained(source, error) from None
    if found is None:
        raise SourceError(f"{source.where}: the program gave no credentials", _HINT)
    return found


class Started(list["subprocess.Popen[bytes]"]):
    """The children that a source has started, so that a deadline can end them."""

    def end(self) -> None:
        """Kill those that still run."""
        for child in self:
            if child.poll() is None:
                child.kill()


def _provider(
    source: Source, session: botocore.session.Session, environ: Mapping[str, str], started: Started
) -> ProcessProvider:
    def popen(command: list[str], **options: Any) -> "subprocess.Popen[bytes]":  # noqa: ANN401 - passed on
        # stdin is the caller's, who may leave it open for ever: the program gets none
        passed = recursion.extended(environ, source.profile)
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=passed, **options)  # noqa: S603 - the user's own line
        started.append(child)
        return child

    return ProcessProvider(profile_name=source.profile or "", load_config=lambda: session.full_config, popen=popen)


def _explained(source: Source, error: Exception) -> SourceError:
    where = f"{source.where}: credential_process of {quoted(source.profile or '')}"
    if isinstance(error, OSError):
        return SourceError(f"{where}: cannot be started: {(error.strerror or 'error').lower()}", "check the path")
    if isinstance(error, boto.CredentialRetrievalError):
        said = inert(str(error).partition("custom-process: ")[2].strip(), _STDERR_LIMIT)
        return SourceError(f"{where}: {said or 'failed without a word'}", _HINT)
    if isinstance(error, RuntimeError) and not isinstance(error, RecursionError):
        return SourceError(f"{where}: printed credentials that have expired", _HINT)
    return SourceError(f"{where}: printed no Version 1 document", _HINT)
