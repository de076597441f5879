"""Sign the user at a plan's root in with MFA: use the session that other runs share, or ask for a code and get one.

``plan/steps.py`` says which call carries the code and what is shared; this module waits for its turn, reads the store,
asks, and lets the plan's run make the call.
"""

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from credproc import log, terminal
from credproc.config.settings import SessionStore
from credproc.credentials import Credentials
from credproc.errors import DeadlineError, PersonNeededError, SessionStoreError, SignalError, TokenCodeError
from credproc.locking.lock import Lock
from credproc.locking.notice import prompt_lock, wait_with_notice, waits_until
from credproc.locking.refusal import SharedRefusal
from credproc.mfa import code_provider
from credproc.mfa.code import CodeProvider, CodeRequest
from credproc.mfa.used_codes import UsedCodes
from credproc.plan import Plan
from credproc.plan.mfa import Mfa
from credproc.plan.steps import Circumstances, GetSession, Step, UseSession, steps
from credproc.process.deadline import BackgroundCall
from credproc.request import Attempt
from credproc.stores import Store, store_for
from credproc.stores.mfa_sessions import LEAST_LEFT, Index, Sessions, session_id

_ASKED_AGAIN_BELOW = 300  # seconds of a session that is printed itself; with more left nobody is asked
_STORE_SECONDS = 4  # to find out whether there is a keyring; it has its own deadline, a little before


class Caller(Protocol):
    """Who makes the calls of STS: the plan's run."""

    def prepare(self) -> None:
        """Make ready what a call with a code needs, the user's keys too, before the code is asked for."""

    def call_with_code(self, step: Step, serial: str, code: str) -> Credentials:
        """Make the call with the user's long-term keys and the code of the device."""


class SignedIn(NamedTuple):
    """Credentials to go on with, and the steps that are still to be made with them."""

    credentials: Credentials
    rest: tuple[Step, ...]
    shared_since: int | None = None  # epoch seconds; of a shared session that was there already


class SignIn:
    """One user signing in, for one plan."""

    def __init__(self, plan: Plan, device: Mfa, access_key_id: str, attempt: Attempt, caller: Caller) -> None:
        """Take the plan, its device, and the id of the user's long-term access key.

        To be used before any thread is started: the terminal's watchdog is a fork.
        """
        request, directory = attempt.request, attempt.directory
        self._plan = plan
        self._request = request
        self._directory = directory
        self._caller = caller
        self._may_ask = attempt.may_ask
        process = None if device.process is None else device.process.value
        self._code_request = CodeRequest(device.serial, device.where, process, request)
        is_person_there = attempt.may_ask and terminal.noninteractive_reason(request.environ) is None
        self._can_ask = attempt.may_ask and (process is not None or is_person_there)
        session = session_id(access_key_id, device.serial, plan.endpoint.issuer)
        unlocking = self._unlocking if is_person_there else None

        def store_named(kind: SessionStore) -> Store:
            return store_for(kind, directory, request.environ, unlocking)

        store = store_named(device.session_store)
        self._sessions = Sessions(directory, session, store, store_named)
        self._lock = Lock(directory, session.name)
        self._refusal = SharedRefusal(directory, session.name)
        self._used = UsedCodes(directory, session.name)
        self._why_no_store = BackgroundCall(store.why_unusable)
        self.has_asked = False  # whether a person has seen a prompt
        self._codes: CodeProvider | None = None
        self._remark: str | None = None  # why a person is asked again
        self._tried: Index | None = None  # a session that was noted and could not be used

    def sign_in(self) -> SignedIn:
        """Return the shared session, or what a code has bought. Raises CredprocError."""
        if not isinstance(self._steps(has_session=True)[0], UseSession):  # a code buys more than the session does
            self._wait_for_turn(lambda: None)
            return self._ask()
        session = self._shared()
        return self._ask() if session is None else session

    def sign_in_anew(self, refused: Credentials) -> SignedIn:
        """Return the same when STS has refused the shared session: unless another run has, it is replaced."""
        self._wait_for_turn(lambda: None)
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

    def _steps(self, *, has_session: bool, can_keep: bool = True) -> tuple[Step, ...]:
        can_ask = self._can_ask or not has_session  # without a session only a code helps, and asking says why it fails
        return steps(self._plan, Circumstances(False, has_session, can_keep, can_ask))

    # The shared session

    def _shared(self) -> SignedIn | None:
        """Return the shared session, or None once it is our turn to get one."""
        while True:
            index = self._noted() or self._wait_for_turn(self._noted) or self._noted()
            if index is None:
                return None
            session = self._read(index)
            if session is not None:
                return SignedIn(session, self._steps(has_session=True)[1:], index.issued)

    def _noted(self) -> Index | None:
        """Return what is noted of a session that lasts long enough, but for one that has been tried."""
        index = self._sessions.index()
        return index if index != self._tried and index is not None and self._lasts(index.expiration) else None

    def _lasts(self, expiration: int | None) -> bool:
        if expiration is None:
            return False
        least: float = LEAST_LEFT if self._plan.roles or not self._may_ask else _ASKED_AGAIN_BELOW
        if self._request.min_session_seconds is not None:
            least = self._request.min_session_seconds
        return expiration - self._request.clock() > least

    def _read(self, index: Index) -> Credentials | None:
        self._tried = index
        if self._can_ask:
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
        return session if session is not None and self._lasts(session.expiration) else None

    def _unlocking(self) -> None:
        if self._codes is not None:
            self._codes.notice("waiting for the keyring to be unlocked")

    # One after the other

    def _wait_for_turn(self, look: Callable[[], Index | None]) -> Index | None:
        """Wait for our turn (None), or for what ``look`` finds; raises the refusal of who had it before."""

        def found() -> Index | None:
            self._refusal.check(self._request, lambda: self._can_ask)
            return look()

        where = f"{self._code_request.where}: MFA session"
        return wait_with_notice(
            self._lock, self._directory, found, waits_until(self._request.environ, self._code_request.deadline), where
        )

    # The code, and what it buys

    def _ask(self) -> SignedIn:
        """Return what a code buys; our turn."""
        prompt = prompt_lock(self._directory)
        try:
            self._refusal.check(self._request, lambda: self._can_ask)
            codes = self._open_codes()
            self._caller.prepare()
            if isinstance(self._steps(has_session=False)[0], GetSession):
                self._why_no_store.start()
            self._wait_for_terminal(prompt)
            self._code_request.check_time()
            return self._buy(codes)
        except (PersonNeededError, SignalError) as error:
            failure = error.declined if isinstance(error, SignalError) else error
            self._refusal.publish(failure, self._request.clock())
            raise
        finally:
            prompt.close()

    def _buy(self, codes: CodeProvider) -> SignedIn:
        remark = self._remark
        while True:
            self.has_asked = self._code_request.process is None
            code = codes.next_code(remark)
            self._used.add(code, self._request.clock())
            try:
                return self._bought(code)
            except TokenCodeError:
                remark = "AWS did not take that code: it was wrong, or has been used"

    def _wait_for_terminal(self, prompt: Lock) -> None:
        try:
            prompt.wait(lambda: None, waits_until(self._request.environ, self._code_request.deadline))
        except DeadlineError as error:
            raise DeadlineError(f"{self._code_request.where}: MFA code: {error}", self._code_request.hint) from None

    def _open_codes(self) -> CodeProvider:
        """Return where codes come from; raises PersonNeededError if nobody is to be asked."""
        if not self._may_ask:
            raise PersonNeededError(
                f"{self._code_request.where}: an MFA code is needed, and nobody is asked while credentials are left",
                self._code_request.hint,
                "not asked",
            )
        if self._codes is None:
            self._codes = code_provider(self._code_request, self._used)
        return self._codes

    def _bought(self, code: str) -> SignedIn:
        serial, directory, profile = self._code_request.serial, self._directory, self._request.profile
        first, *rest = self._steps(has_session=False)
        if isinstance(first, GetSession) and not self._can_keep():
            first, *rest = self._steps(has_session=False, can_keep=False)
        credentials = self._caller.call_with_code(first, serial, code)
        if not isinstance(first, GetSession):
            return SignedIn(credentials, tuple(rest))
        log.write(directory, f"signed in with {serial}", profile=profile)
        if first.is_kept:
            try:
                self._sessions.keep(credentials, self._plan.source.profile, self._request.clock())
            except SessionStoreError as error:
                log.write(directory, f"the MFA session is not kept: {error}", profile=profile)
        return SignedIn(credentials, tuple(rest))

    def _can_keep(self) -> bool:
        try:
            reason = self._why_no_store.result(time.monotonic() + _STORE_SECONDS)
        except DeadlineError as error:
            reason = str(error)
        if reason is not None:
            log.write(self._directory, f"no MFA session can be kept: {reason}", profile=self._request.profile)
        return reason is None
