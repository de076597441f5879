"""What happens on a miss, on one page: take the turn, read, plan, carry the plan out, store.

Those who wait for their turn import nothing heavy; whoever has it reads the two AWS files, once.
"""

import time
from typing import NamedTuple

from credproc import log
from credproc.errors import CredprocError, DeadlineError
from credproc.refresh.turn import Turn
from credproc.request import FOR_PEOPLE, FOR_SDKS, Attempt, Request

__all__ = ["FOR_PEOPLE", "FOR_SDKS", "Refreshed", "Request", "refresh"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credproc.config.shared_config import SharedConfig
    from credproc.plan import Plan
    from credproc.refresh.entry import CachedEntry, EntryStore, Fetched

_REMARKS = 5  # lines in the log about what other readers may read differently in the files
_CLEANING = 3  # seconds; a stuck disk must not keep the credentials from the caller
_ASK_BELOW = 300  # seconds that credentials have left; nobody is asked for new ones before


class Refreshed(NamedTuple):
    """The document, and the plan that led to it; None if another run had stored it meanwhile."""

    document: bytes
    plan: "Plan | None" = None


def refresh(request: Request, config: "SharedConfig | None" = None) -> Refreshed:
    """Return the document for the request, from the cache if another run has stored it meanwhile.

    ``config`` is what the two AWS files say, where the caller has read them already. Raises CredprocError. Credentials
    are stored before they are returned; where they cannot be stored they are returned all the same.
    """
    with Turn(request) as turn:
        document = turn.served_meanwhile()
        return Refreshed(document) if document is not None else _renewed(turn, config)


def _renewed(turn: Turn, config: "SharedConfig | None") -> Refreshed:
    # here, so that those who only wait do without them
    from credproc.config.parser import read  # noqa: PLC0415
    from credproc.plan import plan_for  # noqa: PLC0415
    from credproc.refresh.entry import EntryStore  # noqa: PLC0415

    request, began = turn.request, time.monotonic()
    if config is None:
        config = read(request.environ, request.clock())
    for remark in (*config.warnings, *config.remarks[:_REMARKS]):
        log.write(turn.directory, f"warning: {remark}", profile=request.profile)
    plan = plan_for(config, request)
    entries = EntryStore(turn.directory, turn.name, config.fingerprint, plan, request.profile)
    cached = entries.find(request.clock())
    if cached is not None and cached.is_fresh and not _is_too_old(cached, plan, request):
        entries.restamp(cached)
        return Refreshed(cached.document, plan)

    from credproc.refresh.execute import execute  # noqa: PLC0415 - not for a restamp

    may_ask = request.is_login or cached is None or cached.expiration - request.clock() <= _ASK_BELOW
    try:
        fetched = execute(plan, config, Attempt(request, turn.directory, began, may_ask))
        document = entries.store(fetched, request.clock())
    except CredprocError as error:
        return Refreshed(_served_after(error, cached, entries, turn), plan)
    _finish(fetched, entries, turn)
    return Refreshed(document, plan)


def _is_too_old(cached: "CachedEntry", plan: "Plan", request: Request) -> bool:
    """Return whether ``login`` wants more: to look at the MFA session, or a long role that lasts longer."""
    if request.min_session_seconds is None or plan.mfa is None:
        return False
    from credproc.plan.steps import is_long  # noqa: PLC0415 - for login

    return not is_long(plan) or cached.expiration - request.clock() <= request.min_session_seconds


def _served_after(error: CredprocError, cached: "CachedEntry | None", entries: "EntryStore", turn: Turn) -> bytes:
    """Return the old document for a minute more, or raise the error where there is none that lasts."""
    request = turn.request
    # A person may have taken long to decline, and the machine may have slept meanwhile
    if cached is None or not cached._replace(now=request.clock()).is_valid or request.is_login:
        raise error
    log.write(turn.directory, f"served the old credentials: {error}", profile=request.profile)
    entries.restamp_for_a_minute(cached, request.clock())
    return cached.document


def _finish(fetched: "Fetched", entries: "EntryStore", turn: Turn) -> None:
    """Remove old files, and raise DeadlineError if the credentials have ended while they were stored."""
    request = turn.request
    if turn.directory is not None and entries.has_stored:
        from credproc.process.deadline import within  # noqa: PLC0415 - not for a restamp
        from credproc.refresh.cleanup import clean_up  # noqa: PLC0415 - the same

        directory = turn.directory
        try:
            within(time.monotonic() + _CLEANING, lambda: clean_up(directory, request.clock()))
        except (OSError, DeadlineError) as error:
            log.write(directory, f"not cleaned up: {error}", profile=request.profile)
    expiration = fetched.credentials.expiration
    if expiration is not None and expiration <= request.clock():  # the machine may have slept
        raise DeadlineError(f"{request.subject}: the credentials have expired while they were stored", "try again")
