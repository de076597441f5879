"""A cache miss on one page: take the turn, read the files, plan, carry out the plan, store the document.

A run that waits for its turn imports nothing heavy. A run that has the turn reads the two AWS files, once.
"""

import time
from typing import NamedTuple

from credproc import log
from credproc.errors import CredprocError, DeadlineError
from credproc.refresh.turn import Turn
from credproc.request import FOR_PEOPLE, FOR_SDKS, Attempt, Request

__all__ = ["FOR_PEOPLE", "FOR_SDKS", "RefreshResult", "Request", "refresh"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credproc.config.shared_config import SharedConfig
    from credproc.files import PrivateDirectory
    from credproc.plan import Plan
    from credproc.refresh.entry import CachedEntry, EntryStore

_MAX_REMARKS = 5  # lines in the log about lines that other programs may read differently
_CLEANUP_SECONDS = 3  # a stuck disk must not cost the caller the credentials
_ASK_BELOW = 300  # seconds that cached credentials have left; with more, no code is asked for


class RefreshResult(NamedTuple):
    """The document, and the plan that it was made from; None if another run has stored the document meanwhile.

    ``no_session`` is why the MFA session of a new code could not be kept, and what would change that.
    """

    document: bytes
    plan: "Plan | None" = None
    no_session: str | None = None


def refresh(request: Request, config: "SharedConfig | None" = None) -> RefreshResult:
    """Return the document for the request, from the cache if another run has stored it meanwhile.

    ``config`` is what the two AWS files say, if the calling command has read them already. The document is stored
    before it is returned; if it cannot be stored, it is returned nevertheless. Raises CredprocError.
    """
    with Turn(request) as turn:
        document = turn.served_meanwhile()
        return RefreshResult(document) if document is not None else _refresh(turn, config)


def _refresh(turn: Turn, config: "SharedConfig | None") -> RefreshResult:
    # imported here, as a run that only waits does not need them
    from credproc.config.parser import read  # noqa: PLC0415
    from credproc.plan import plan_for  # noqa: PLC0415
    from credproc.refresh.entry import EntryStore  # noqa: PLC0415
    from credproc.sources.identity import identity_of  # noqa: PLC0415

    request, began = turn.request, time.monotonic()
    if config is None:
        config = read(request.environ, request.clock())
    for remark in (*config.warnings, *config.remarks[:_MAX_REMARKS]):
        log.write(turn.directory, f"warning: {remark}", profile=request.profile)
    plan = plan_for(config, request)
    identity = identity_of(plan, config, request.environ, request.clock())
    entries = EntryStore(turn.directory, turn.name, config.fingerprint, plan, request.profile, identity=identity)
    cached = entries.find(request.clock())
    if cached is not None and cached.is_fresh and not _is_too_old(cached, plan, request):
        entries.restamp(cached)
        log.write(turn.directory, f"{log.CONFIRMED}the cached credentials are still good", profile=request.profile)
        return RefreshResult(cached.document, plan)

    # Not for a restamp; both now, as an update may replace the installed modules while a person types
    from credproc.refresh.cleanup import clean_up  # noqa: PLC0415
    from credproc.refresh.execute import execute  # noqa: PLC0415

    if plan.is_passed_on:
        turn.release()  # nothing is stored that others could wait for
    may_ask = request.is_login or cached is None or cached.expiration - request.clock() <= _ASK_BELOW
    try:
        fetched = execute(plan, config, Attempt(request, turn.directory, began, may_ask))
        if identity_of(plan, config, request.environ, request.clock()).compared != identity.compared:
            fetched = fetched._replace(is_storable=False)  # the token was replaced while it was used
        document = entries.store(fetched, request.clock())
    except CredprocError as error:
        return RefreshResult(_serve_after(error, cached, entries, turn), plan)
    if entries.has_stored:
        _clean_up(clean_up, turn)
    expiration = fetched.credentials.expiration
    if expiration is not None and expiration <= request.clock():  # the machine may have slept
        raise DeadlineError(f"{request.subject}: the credentials expired while they were stored", "try again")
    return RefreshResult(document, plan, fetched.no_session)


def _is_too_old(cached: "CachedEntry", plan: "Plan", request: Request) -> bool:
    """Return whether ``login`` cannot use the entry: it checks the MFA session, or needs a long role for longer."""
    if request.min_session_seconds is None or plan.mfa is None:
        return False
    from credproc.plan.steps import is_long  # noqa: PLC0415 - for login alone

    return not is_long(plan) or cached.expiration - request.clock() <= request.min_session_seconds


def _serve_after(error: CredprocError, cached: "CachedEntry | None", entries: "EntryStore", turn: Turn) -> bytes:
    """Return the cached document and extend it by a minute; raise the error if none is valid for longer."""
    request = turn.request
    # The user may have taken long to decline, and the machine may have slept meanwhile
    if cached is None or not cached._replace(now=request.clock()).is_valid or request.is_login:
        raise error
    log.write(turn.directory, f"served the cached credentials: {error}", profile=request.profile)
    entries.restamp_for_a_minute(cached, request.clock())
    return cached.document


def _clean_up(clean_up: "Callable[[PrivateDirectory, float], int]", turn: Turn) -> None:
    """Remove old files, in a few seconds at most."""
    from credproc.process.deadline import within  # noqa: PLC0415 - execute has loaded it

    directory = turn.directory
    if directory is None:
        return
    try:
        within(time.monotonic() + _CLEANUP_SECONDS, lambda: clean_up(directory, turn.request.clock()))
    except (OSError, DeadlineError) as error:
        log.write(directory, f"cannot remove old files: {error}", profile=turn.request.profile)
