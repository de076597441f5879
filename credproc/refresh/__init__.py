"""What happens on a miss, on one page: look, lock, look again, read, plan, obtain, keep.

Waiters wait before anything heavy is imported; the files are read and the plan is made by the one who has the lock.
"""

import time
from collections.abc import Callable

from credproc import cache, log
from credproc.errors import CredprocError, DeadlineError, PersonNeededError, SignalError
from credproc.files import PrivateDirectory
from credproc.locking.directory import own_directory
from credproc.locking.lock import Lock
from credproc.locking.refusal import Declined
from credproc.request import FOR_PEOPLE, FOR_SDKS, Request, Turn

__all__ = ["FOR_PEOPLE", "FOR_SDKS", "Request", "refresh"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credproc.plan import Plan
    from credproc.refresh.entry import Kept

_REMARKS = 5  # lines in the log about what others may read differently in the files
_CLEANING = 3  # seconds; a stuck disk must not keep the credentials from the caller
_CHAINED_WAIT = 2  # seconds; who started us may hold what we wait for
_ASK_BELOW = 300  # seconds that credentials have left; a person is not asked for new ones before


def refresh(request: Request) -> bytes:
    """Return the document for the request, from the cache if another run has brought it meanwhile.

    Raises CredprocError. Credentials are stored before they are returned; where they cannot be stored they are
    returned all the same.
    """
    directory = own_directory(request.environ)
    name = cache.entry_name(request.profile, request.environ)
    lock = Lock(directory, name)
    declined = Declined(directory, name)
    try:
        _check_chain(request)
        found = _awaited(lock, declined, directory, request)
        return found if found is not None else _answered(request, directory, name)
    except (CredprocError, SignalError) as error:
        failure = error.declined if isinstance(error, SignalError) else error
        if isinstance(failure, PersonNeededError):
            declined.share(failure, request.clock())
        log.write_failure(directory, failure, profile=request.profile)
        raise
    finally:
        lock.close()


def _answered(request: Request, directory: PrivateDirectory | None, name: str) -> bytes:
    """Return the document by reading, planning and obtaining; called by the holder of the lock."""
    # here, so that those who only wait do without them
    from credproc.config.parser import read  # noqa: PLC0415
    from credproc.plan import plan_for  # noqa: PLC0415
    from credproc.refresh.entry import Keeper  # noqa: PLC0415

    began = time.monotonic()
    fingerprint = cache.fingerprint(request.environ, request.clock())  # before the files are read
    config = read(request.environ)
    for remark in (*config.warnings, *config.remarks[:_REMARKS]):
        log.write(directory, f"warning: {remark}", profile=request.profile)
    plan = plan_for(config, request)
    keeper = Keeper(directory, name, fingerprint, plan, request.profile)
    kept = keeper.kept(request.clock())
    if kept is not None and kept.fresh and not _is_renewed(kept, plan, request):
        keeper.stamp(kept)
        return kept.document

    from credproc.refresh.execute import execute  # noqa: PLC0415 - what only a refresh needs

    may_ask = request.is_login or kept is None or kept.expiration - request.clock() <= _ASK_BELOW
    try:
        obtained = execute(plan, config, Turn(request, directory, began, may_ask))
        document = keeper.keep(obtained, request.clock())
    except CredprocError as error:
        # A person may have taken long to decline, and the machine may have slept meanwhile
        if kept is None or not kept._replace(now=request.clock()).alive or request.is_login:
            raise
        log.write(directory, f"served the old credentials: {error}", profile=request.profile)
        keeper.stamp_for_a_minute(kept, request.clock())
        return kept.document
    if directory is not None and keeper.has_stored:
        _clean_up(directory, request)
    _check_end(obtained.credentials.expiration, request)
    return document


def _clean_up(directory: PrivateDirectory, request: Request) -> None:
    from credproc.process.deadline import within  # noqa: PLC0415 - what only a refresh needs
    from credproc.refresh.cleanup import clean_up  # noqa: PLC0415 - the same

    try:
        within(time.monotonic() + _CLEANING, lambda: clean_up(directory, request.clock()))
    except (OSError, DeadlineError) as error:
        log.write(directory, f"not cleaned up: {error}", profile=request.profile)


def _check_end(expiration: int | None, request: Request) -> None:
    """Raise DeadlineError if the credentials have ended since STS gave them: the machine may have slept."""
    if expiration is not None and expiration <= request.clock():
        raise DeadlineError(f"{request.subject}: the credentials have expired while they were stored", "try again")


def _is_renewed(kept: "Kept", plan: "Plan", request: Request) -> bool:
    """Whether a person who signs in wants more than what is kept: the session looked at, or a long role renewed."""
    if request.min_session_seconds is None or plan.mfa is None:
        return False
    from credproc.mfa.signin import is_long  # noqa: PLC0415 - for those who sign in

    return not is_long(plan) or kept.expiration - request.clock() <= request.min_session_seconds


def _awaited(lock: Lock, declined: Declined, directory: PrivateDirectory | None, request: Request) -> bytes | None:
    """Return the document that another run has brought, or None once the lock is ours and there is none."""
    name = cache.entry_name(request.profile, request.environ)

    def look() -> bytes | None:
        if request.is_login or directory is None:
            return None
        return cache.fresh(directory, name, request.environ, request.clock())

    if lock.try_acquire():
        return look()
    return _waited(lock, declined, look, directory, request)


def _waited(
    lock: Lock,
    declined: Declined,
    look: Callable[[], bytes | None],
    directory: PrivateDirectory | None,
    request: Request,
) -> bytes | None:
    from credproc.locking.notice import Notice  # noqa: PLC0415 - only those who wait say so

    def is_person_there() -> bool:
        from credproc.mfa.code import can_ask  # noqa: PLC0415 - once somebody has declined

        return can_ask(request.environ)

    def found() -> bytes | None:
        document = look()
        if document is None:
            declined.heed(request, is_person_there)
        return document

    is_chained = bool(request.environ.get("CREDPROC_PROFILE_CHAIN"))
    deadline = time.monotonic() + _CHAINED_WAIT if is_chained else request.started + request.deadlines.waiting
    notice = Notice(directory, lock.holder)
    try:
        return lock.wait(found, deadline, notice) or found()
    except DeadlineError as error:
        raise DeadlineError(f"{request.subject}: {error}", "wait until it has ended, or end that process") from None
    finally:
        notice.close()


def _check_chain(request: Request) -> None:
    """Raise ConfigError if resolving this very profile has led here, through programs that started programs."""
    if request.environ.get("CREDPROC_PROFILE_CHAIN"):
        from credproc.process import recursion  # noqa: PLC0415 - only where a program was started by a credproc

        recursion.check(request.profile, request.environ)
