"""How the user at a plan's root signs in with MFA: which call carries the code, and what is shared.

One code buys one GetSessionToken session, which every role behind the user shares (STS API reference, GetSessionToken).
Two things make AssumeRole carry the code itself: a role for more than an hour, as roles assumed with a session are
capped there, and a machine on which no session can be kept. Rows of the table in credproc/README.md,
"A sign-in".
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from credproc import log
from credproc.credentials import Credentials
from credproc.errors import DeadlineError, PersonNeededError, SessionStoreError, SignalError, TokenCodeError
from credproc.locking.lock import Lock
from credproc.locking.notice import Notice, prompt_lock
from credproc.locking.refusal import Declined
from credproc.mfa import codes
from credproc.mfa.code import Codes, Wanted, can_ask
from credproc.mfa.used_codes import UsedCodes
from credproc.plan import Plan
from credproc.plan.mfa import Mfa
from credproc.plan.role import CHAINED_DURATION_LIMIT, Role
from credproc.process.deadline import BackgroundCall
from credproc.process.recursion import OURS as CHAIN_VARIABLE
from credproc.request import Attempt
from credproc.stores import store_for
from credproc.stores.mfa_sessions import LEAST_LEFT, Index, Sessions, session_id

_ASKED_AGAIN_BELOW = 300  # seconds of a session that is printed itself; with more left nobody is asked
_CHAINED_WAIT = 2  # seconds; who started us may hold what we wait for
_STORE_SECONDS = 4  # to find out whether there is a keyring; it has its own deadline, a little before


class Calls(NamedTuple):
    """The two calls of STS that can carry a code, and what makes them ready before one is asked for."""

    prepare: Callable[[], None]
    get_session_token: Callable[[str, str], Credentials]  # serial, code
    assume_role: Callable[[Role, str, str], Credentials]  # role, serial, code


class SignedIn(NamedTuple):
    """Credentials to go on with, and the roles that are still to be assumed with them."""

    credentials: Credentials
    roles: tuple[Role, ...]
    shared_since: int | None = None  # epoch seconds; of a shared session that was there already


class SignIn:
    """The way of one user to STS, for one plan."""

    def __init__(
        self,
        plan: Plan,
        device: Mfa,
        access_key_id: str,
        turn: Attempt,
        calls: Calls,
    ) -> None:
        """Take the plan, its device and the id of the user's long-term access key.

        To be used before any thread is started: the terminal's watcher is a fork.
        """
        request, directory = turn.request, turn.directory
        self._plan = plan
        self._request = request
        self._directory = directory
        self._calls = calls
        self._may_ask = turn.may_ask
        self._is_long = is_long(plan)
        self._wanted = Wanted(
            device.serial, device.where, None if device.process is None else device.process.value, request
        )
        session = session_id(access_key_id, device.serial, plan.endpoint.issuer)
        at_terminal = turn.may_ask and can_ask(request.environ)
        unlocking = self._unlocking if at_terminal else None
        self._store = store_for(device.session_store, directory, request.environ, unlocking)
        self._sessions = Sessions(directory, session, self._store)
        self._lock = Lock(directory, session.name)
        self._declined = Declined(directory, session.name)
        self._used = UsedCodes(directory, session.name)
        self._usable = BackgroundCall(self._store.why_unusable)
        self._has_person = device.process is not None or at_terminal
        self.has_asked = False  # whether a person has seen a prompt
        self._codes: Codes | None = None
        self._remark: str | None = None  # why a person is asked again
        self._tried: Index | None = None  # a session that was noted and could not be used

    def sign_in(self) -> SignedIn:
        """Return the shared session, or what a code has bought. Raises CredprocError."""
        if self._is_long and self._may_ask and self._has_person:
            self._awaited(lambda: None)
            return self._ask()
        session = self._shared()
        return self._ask() if session is None else session

    def sign_in_anew(self, refused: Credentials) -> SignedIn:
        """Return the same when STS has refused the shared session: unless another run has, it is replaced."""
        self._awaited(lambda: None)
        index = self._sessions.index()
        if index is None or index.access_key_id == refused.access_key_id:
            try:
                self._sessions.drop()
            except SessionStoreError as error:
                log.write(self._directory, f"a session that STS refuses is not removed: {error}")
                self._tried = index
        return self.sign_in()

    def release(self) -> None:
        """Let others have their turn."""
        self._lock.close()

    def close(self) -> None:
        """Let go of the turn and of the terminal."""
        self._lock.close()
        if self._codes is not None:
            self._codes.close()
            self._codes = None

    # --- the shared session ------------------------------------------------------------------------------------

    def _shared(self) -> SignedIn | None:
        """Return the shared session, or None once it is our turn to get one."""
        while True:
            index = self._noted() or self._awaited(self._noted) or self._noted()
            if index is None:
                return None
            session = self._read(index)
            if session is not None:
                return SignedIn(session, self._plan.roles, index.issued)

    def _noted(self) -> Index | None:
        """Return what is noted of a session that will do, but for one that has been tried."""
        index = self._sessions.index()
        return index if index != self._tried and index is not None and self._will_do(index.expiration) else None

    def _will_do(self, expiration: int | None) -> bool:
        if expiration is None:
            return False
        least: float = LEAST_LEFT if self._plan.roles or not self._may_ask else _ASKED_AGAIN_BELOW
        if self._request.min_session_seconds is not None:
            least = self._request.min_session_seconds
        return expiration - self._request.clock() > least

    def _read(self, index: Index) -> Credentials | None:
        self._tried = index
        if self._may_ask and self._has_person:
            try:
                self._open_codes()  # now, as a thread reads the keyring
            except PersonNeededError:  # the session may be all that is needed
                pass
        try:
            session = self._sessions.read()
        except SessionStoreError as error:
            log.write(self._directory, f"the MFA session cannot be read: {error}", profile=self._request.profile)
            self._remark = f"{error}: a new code is needed"
            return None
        return session if session is not None and self._will_do(session.expiration) else None

    def _unlocking(self) -> None:
        if self._codes is not None:
            self._codes.notice("waiting for the keyring to be unlocked")

    # --- one after the other -----------------------------------------------------------------------------------

    def _awaited(self, look: Callable[[], Index | None]) -> Index | None:
        """Wait for our turn (None), or for what ``look`` finds; raises the refusal of who had it before."""

        def found() -> Index | None:
            self._declined.heed(self._request, lambda: self._has_person)
            return look()

        notice = Notice(self._directory, self._lock.holder)
        try:
            return self._lock.wait(found, self._patience(), notice)
        except DeadlineError as error:
            raise DeadlineError(
                f"{self._wanted.where}: MFA session: {error}", "wait until it has ended, or end that process"
            ) from None
        finally:
            notice.close()

    def _patience(self) -> float:
        """Return until when a turn is waited for, in seconds of ``time.monotonic()``."""
        is_chained = bool(self._request.environ.get(CHAIN_VARIABLE))
        return time.monotonic() + _CHAINED_WAIT if is_chained else self._wanted.deadline

    def _ask(self) -> SignedIn:
        """Return what a code buys; our turn."""
        prompt = prompt_lock(self._directory)
        try:
            self._declined.heed(self._request, lambda: self._has_person)
            codes = self._open_codes()
            self._calls.prepare()
            if not self._is_long:
                self._usable.start()
            self._wait_for_terminal(prompt)
            self._wanted.check_time()
            remark = self._remark
            while True:
                self.has_asked = self._wanted.process is None
                code = codes.next(remark)
                self._used.add(code, self._request.clock())
                try:
                    return self._bought(code)
                except TokenCodeError:
                    remark = "AWS did not take that code: it was wrong, or has been used"
        except (PersonNeededError, SignalError) as error:
            failure = error.declined if isinstance(error, SignalError) else error
            self._declined.share(failure, self._request.clock())
            raise
        finally:
            prompt.close()

    def _wait_for_terminal(self, prompt: Lock) -> None:
        try:
            prompt.wait(lambda: None, self._patience())
        except DeadlineError as error:
            raise DeadlineError(f"{self._wanted.where}: MFA code: {error}", self._wanted.hint) from None

    def _open_codes(self) -> Codes:
        """Return where codes come from; raises PersonNeededError if nobody is to be asked."""
        if not self._may_ask:
            raise PersonNeededError(
                f"{self._wanted.where}: an MFA code is needed, and nobody is asked while credentials are left",
                self._wanted.hint,
                "not asked",
            )
        if self._codes is None:
            self._codes = codes(self._wanted, self._used)
        return self._codes

    # --- what a code buys --------------------------------------------------------------------------------------

    def _bought(self, code: str) -> SignedIn:
        roles = self._plan.roles
        serial = self._wanted.serial
        if roles and not self._keeps_sessions():
            return SignedIn(self._calls.assume_role(roles[0], serial, code), roles[1:])
        session = self._calls.get_session_token(serial, code)
        log.write(self._directory, f"signed in with {serial}", profile=self._request.profile)
        try:
            self._sessions.keep(session, self._plan.source.profile, self._request.clock())
        except SessionStoreError as error:
            log.write(self._directory, f"the MFA session is not kept: {error}", profile=self._request.profile)
        return SignedIn(session, roles)

    def _keeps_sessions(self) -> bool:
        """Whether a session is of use to others: not for a long role, and not where it cannot be kept."""
        if self._is_long:
            return False
        try:
            reason = self._usable.result(time.monotonic() + _STORE_SECONDS)
        except DeadlineError as error:
            reason = str(error)
        if reason is not None:
            log.write(self._directory, f"no MFA session can be kept: {reason}", profile=self._request.profile)
        return reason is None


def is_long(plan: Plan) -> bool:
    """Whether the plan is one role for more than an hour, which only long-term keys with a code of its own get."""
    return len(plan.roles) == 1 and (plan.roles[0].duration_seconds or 0) > CHAINED_DURATION_LIMIT
