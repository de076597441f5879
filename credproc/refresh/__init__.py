"""What happens on a miss, on one page: look, lock, look again, read, plan, obtain, keep.

Waiters wait before anything heavy is imported; the files are read and the plan is made by the one who has the lock.
"""

import os
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from credproc import cache, log, paths
from credproc.errors import ConfigError, CredprocError, DeadlineError
from credproc.files import PrivateDirectory, make_directory
from credproc.refresh.lock import Lock

# Seconds from the start of the process; Go's SDKs kill their helper at 60 (contract.md, 1.1)
WORK_ENDS = 48
WAITING_ENDS = 50
_REMARKS = 5  # lines in the log about what was passed over in the files
CHAINED_WAIT = 2  # for who was started by a credproc, which may hold what we wait for


class Request(NamedTuple):
    """What is asked for, and by whom."""

    profile: str | None  # None: none is named
    environ: Mapping[str, str]
    started: float  # of the process, in seconds of time.monotonic()
    clock: Callable[[], float] = time.time
    program: str | None = None  # path of this credproc


def refresh(request: Request) -> bytes:
    """Return the document for the request, from the cache if another run has brought it meanwhile.

    Raises CredprocError. Credentials are stored before they are returned; where they cannot be stored they are
    returned all the same.
    """
    directory = own_directory(request.environ)
    name = cache.entry_name(request.profile, request.environ)
    lock = Lock(directory, name)

    def look() -> bytes | None:
        return None if directory is None else cache.fresh(directory, name, request.environ, request.clock())

    try:
        _check_chain(request)
        return _awaited(lock, look, request) or look() or _answered(request, directory, name)
    except CredprocError as error:
        log.write(directory, f"failed: {error}", profile=request.profile)
        raise
    finally:
        lock.close()


def own_directory(environ: Mapping[str, str]) -> PrivateDirectory | None:
    """Return credproc's own directory, made if need be, or None where it cannot be had: then nothing is kept."""
    path = paths.cache_directory(environ)
    try:
        return None if path is None else make_directory(path)
    except OSError:
        return None


def _answered(request: Request, directory: PrivateDirectory | None, name: str) -> bytes:
    """Return the document by reading, planning and obtaining; called by the holder of the lock."""
    # here, so that those who only wait do without them
    from credproc.refresh.keep import Keeper  # noqa: PLC0415
    from credproc.refresh.plan import Asker, plan_for  # noqa: PLC0415
    from credproc.refresh.sharedconfig import read  # noqa: PLC0415

    began = time.monotonic()
    fingerprint = cache.fingerprint(request.environ, request.clock())  # before the files are read
    config = read(request.environ)
    for remark in config.remarks[:_REMARKS]:
        log.write(directory, f"passed over: {remark}", profile=request.profile)
    plan = plan_for(config, request.profile, request.environ, Asker(_user(request.environ), request.program))
    keeper = Keeper(directory, name, fingerprint, plan, request.profile)
    kept = keeper.kept(request.clock())
    if kept is not None and kept.fresh:
        keeper.stamp(kept)
        return kept.document

    from credproc.refresh.obtain import obtain  # noqa: PLC0415 - botocore, after all

    try:
        obtained = obtain(plan, config, request, began)
        return keeper.keep(obtained, request.clock())
    except CredprocError as error:
        if kept is None or not kept.alive:
            raise
        log.write(directory, f"served the old credentials: {error}", profile=request.profile)
        keeper.stamp_for_a_minute(kept, request.clock())
        return kept.document


def _awaited(lock: Lock, look: Callable[[], bytes | None], request: Request) -> bytes | None:
    """Return the document that another run has brought, or None once the lock is ours."""
    chained = bool(request.environ.get("CREDPROC_PROFILE_CHAIN"))
    deadline = time.monotonic() + CHAINED_WAIT if chained else request.started + WAITING_ENDS
    try:
        return lock.wait(look, deadline)
    except DeadlineError as error:
        who = "the environment" if request.profile is None else f"profile {request.profile[:80]!a}"
        raise DeadlineError(f"{who}: {error}", "wait until it has ended, or end that process") from None


def _check_chain(request: Request) -> None:
    """Raise ConfigError if resolving this very profile has led here, through programs that started programs."""
    if not request.environ.get("CREDPROC_PROFILE_CHAIN") or request.profile is None:
        return
    import csv  # noqa: PLC0415 - only where a program was started by a credproc

    chain = next(csv.reader([request.environ["CREDPROC_PROFILE_CHAIN"]]), [])
    if request.profile in chain:
        circle = " -> ".join([*chain[chain.index(request.profile) :], request.profile])
        raise ConfigError(
            f"CREDPROC_PROFILE_CHAIN: the profiles form a circle: {circle}",
            "a credential_process line leads back to the profile that it belongs to",
        )


def _user(environ: Mapping[str, str]) -> str:
    """Return the name of the operating system's user, for the session name."""
    if os.name != "posix":
        return environ.get("USERNAME", "")
    import pwd  # noqa: PLC0415 - POSIX only

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container that runs as a user without an entry
        return f"uid-{os.getuid()}"
