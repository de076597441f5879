"""The credentials that an endpoint serves: from memory, renewed in the background, and never by asking a person."""

import gc
import json
import os
import threading
import time

from credproc import cache, log, terminal
from credproc.credentials import epoch_seconds
from credproc.errors import ConfigError, CredprocError, PersonNeededError, for_shell, inert
from credproc.glyphs import paragraphs
from credproc.locking.directory import own_directory
from credproc.refresh import FOR_SDKS, refresh
from credproc.refresh.entry import MIN_SECONDS_LEFT, served_until
from credproc.request import Request

_LONGEST_SLEEP = 30  # seconds; this machine may sleep, and then no timer of ours goes on
_LOOK_SECONDS = 1  # between looks for what a login in another terminal has stored
_RETRY_SECONDS = 5  # between attempts, where nothing valid is left and somebody asks
_FIELDS = {  # of the endpoint's answer (ECS developer guide, "Task IAM role"), by those of the document
    "AccessKeyId": "AccessKeyId",
    "SecretAccessKey": "SecretAccessKey",
    "SessionToken": "Token",
    "Expiration": "Expiration",
    "AccountId": "AccountId",
}


class RenewedCredentials:
    """The credentials of one profile, as long as this process lives; one thread renews them, and another reads."""

    def __init__(self, document: bytes, request: Request) -> None:
        """Take the document that there is. Raises ConfigError if it has no Expiration, which SDKs demand here."""
        # Whoever is at the terminal uses the command, and SDKs wait for two seconds
        self._request = request._replace(environ={**request.environ, "CREDPROC_INTERACTIVE": "never"})
        self._wanted = threading.Event()
        self._failure: CredprocError | None = None
        self._is_reported = False
        self._attempt_at = 0.0  # epoch seconds before which no refresh is tried again
        self._keep(document)

    def current(self) -> bytes | None:
        """Return the endpoint's answer, or None if no valid credentials are left; wait for nothing."""
        now = self._request.clock()
        if now >= self._renewal_at:
            self._wanted.set()
        return self._answer if now < self._valid_until else None

    def report(self) -> None:
        """Write one line for the person at the terminal: why there are no credentials. Only once until there are."""
        if self._is_reported:
            return
        self._is_reported = True
        line = f"credproc: error: {inert(self._reason(), 1500)}"
        if os.isatty(2):  # also where a shell has given the terminal's foreground to another process group
            text = "".join(f"\r{part}\r\n" for part in paragraphs([line], 2))
            os.write(2, text.encode("utf-8", "backslashreplace"))
        else:
            terminal.notify(line)

    def renew_in_background(self) -> None:
        """Start the thread that renews them."""
        threading.Thread(target=self._run, daemon=True).start()

    def _reason(self) -> str:
        request, failure = self._request, self._failure
        if failure is None or isinstance(failure, PersonNeededError):
            option = "" if request.profile is None else f" --profile {for_shell(request.profile)}"
            return f"exec: {request.subject}: the credentials have expired; sign in: credproc login{option}"
        return str(failure)

    def _run(self) -> None:
        while True:
            now = self._request.clock()
            if now >= self._renewal_at:
                self._renew(now)
                gc.collect()  # a refresh leaves a directory open in a cycle of objects, and this lives for days
            self._wanted.clear()
            self._wanted.wait(self._pause(self._request.clock()))

    def _pause(self, now: float) -> float:
        """Return the seconds until there is something to do, unless somebody asks for credentials before."""
        if now >= self._valid_until:
            return _LOOK_SECONDS
        return min(_LONGEST_SLEEP, max(_LOOK_SECONDS / 10, self._renewal_at - now))

    def _renew(self, now: float) -> None:
        """Keep what the cache has by now, or what a refresh brings; a failure is kept for whoever asks."""
        request = self._request._replace(started=time.monotonic(), deadlines=FOR_SDKS)
        document = cache.hit(request.profile, request.environ, now)
        if document is None and now >= self._attempt_at and (now < self._valid_until or self._wanted.is_set()):
            try:
                document = refresh(request).document
            except CredprocError as error:
                self._failure = error
            except Exception as error:  # noqa: BLE001 - a thread's traceback would land on the command's terminal
                log.write_traceback(own_directory(request.environ), error)
            self._attempt_at = 0 if document is not None else self._request.clock() + _RETRY_SECONDS
        if document is not None:
            self._keep(document)

    def _keep(self, document: bytes) -> None:
        fields = json.loads(document)
        if "Expiration" not in fields:
            raise ConfigError(
                f"exec: {self._request.subject} has credentials without an expiry time, which cannot be served",
                "run the command without --serve",
            )
        now = self._request.clock()
        expiration = epoch_seconds(fields["Expiration"])
        answer = {name: fields[field] for field, name in _FIELDS.items() if field in fields}
        self._renewal_at = float(_served_until(document, self._request, expiration, now))
        self._valid_until = expiration - min(MIN_SECONDS_LEFT, max(0.0, expiration - now) / 6)
        self._answer = json.dumps(answer).encode()
        self._failure, self._is_reported = None, False


def _served_until(document: bytes, request: Request, expiration: int, now: float) -> int:
    """Return from when the document is to be renewed, in epoch seconds: as its cache entry says, where it has one."""
    directory = own_directory(request.environ)
    entry = None
    if directory is not None:
        entry = cache.load(directory, cache.entry_name(request.profile, request.environ))
        directory.close()
    if entry is not None and entry.document == document:
        return entry.served_until
    return served_until(expiration, now, renewable=True)
