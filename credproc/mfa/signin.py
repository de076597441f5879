"""Sign in with MFA: use the MFA session that runs share, or ask for a code and get a new session.

``plan/steps.py`` decides which call carries the code and which session is shared. This module waits for its turn, reads
the store, asks for the code, and lets ``refresh/execute.py`` make the call.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from credproc import log
from credproc.config.settings import SessionStore
from credproc.credentials import Credentials
from credproc.errors import DeadlineError, PersonNeededError, SessionStoreError, SignalError, TokenCodeError
from credproc.locking.lock import Lock
from credproc.locking.notice import prompt_lock, wait_deadline, wait_with_notice, window_lock
from credproc.locking.refusal import SharedRefusal
from credproc.mfa import asked_in, code_provider
from credproc.mfa.code import CodeProvider, CodeRequest
from credproc.mfa.new_session import NewSession
from credproc.mfa.used_codes import UsedCodes
from credproc.plan import Plan
from credproc.plan.mfa import Mfa
from credproc.plan.steps import Circumstances, GetSession, Step, UseSession, steps
from credproc.request import Attempt
from credproc.stores import Store, store_for
from credproc.stores.mfa_sessions import MIN_SECONDS_LEFT, SessionIndex, StoredSession, session_id

_RENEW_BELOW = 300  # seconds that a session has left which is itself the result; with more, no code is asked for


class SignInCalls(Protocol):
    """Makes the STS calls of a sign-in."""

    def prepare(self) -> None:
        """Get the long-term keys and prepare the connection, before a code is asked for. Raises CredprocError."""

    def call_with_code(self, step: Step, serial: str, code: str) -> Credentials:
        """Make the step's call with the long-term keys and the device's code; return the credentials."""


class SignInResult(NamedTuple):
    """The credentials of a sign-in, and the steps of the plan that remain to be made with them."""

    credentials: Credentials
    remaining_steps: tuple[Step, ...]
    shared_since: int | None = None  # epoch seconds at which the shared session was issued; None for a new one


class SignIn:
    """The sign-in of one user, for one plan."""

    def __init__(self, plan: Plan, device: Mfa, access_key_id: str, attempt: Attempt, calls: SignInCalls) -> None:
        """Take the plan, its device, the id of the user's long-term access key, and what makes the calls.

        Create it before any thread is started: the terminal's watchdog is a fork.
        """
        request, directory = attempt.request, attempt.directory
        self._plan = plan
        self._request = request
        self._directory = directory
        self._calls = calls
        self._may_ask = attempt.may_ask
        process = None if device.process is None else device.process.value
        self._code_request = CodeRequest(
            device.serial, device.where, process, request, bool(plan.roles) and not device.on_role, device.prompt
        )
        self._prompt_lock = prompt_lock(directory)
        can_prompt = attempt.may_ask and self._can_prompt()
        self._can_ask = attempt.may_ask and (process is not None or can_prompt)
        session = session_id(access_key_id, device.serial, plan.endpoint.issuer)
        notify_unlocking = self._notify_unlocking if can_prompt else None

        def store_of(kind: SessionStore) -> Store:
            return store_for(kind, directory, request.environ, notify_unlocking)

        self._session = StoredSession(directory, session, store_of(device.session_store), store_of)
        self._lock = Lock(directory, session.name)
        self._refusal = SharedRefusal(directory, session.name)
        self._used = UsedCodes(directory, session.name)
        self.new_session = NewSession(self._session, self._lock, plan.source.profile, device.session_store, attempt)
        self.has_asked = False  # whether the user has seen a prompt
        self._code_provider: CodeProvider | None = None
        self._remark: str | None = None  # why the user is asked for a code again
        self._tried_index: SessionIndex | None = None  # of a session that could not be used

    def sign_in(self) -> SignInResult:
        """Return the shared MFA session, or the credentials that a code gets. Raises CredprocError.

        Other runs may take their turn then, or once a new session is stored.
        """
        if not isinstance(self._steps(has_session=True)[0], UseSession):  # the session would give less than a code does
            self._wait_for_turn(lambda: None)
            return self._sign_in_with_code()
        shared = self._shared_session()
        return self._sign_in_with_code() if shared is None else shared

    def sign_in_anew(self, rejected: Credentials) -> SignInResult:
        """Do the same after STS has rejected the shared session; replace it unless another run has done so."""
        self._wait_for_turn(lambda: None)
        index = self._session.index()
        if index is None or index.access_key_id == rejected.access_key_id:
            try:
                self._session.delete()
            except SessionStoreError as error:
                log.write(self._directory, f"cannot delete a session that STS rejects: {error}")
                self._tried_index = index
        return self.sign_in()

    def close(self) -> None:
        """Wait until a new session is stored, release the lock and close the terminal, which is told if none is."""
        self.new_session.close()
        if self._code_provider is not None:
            if self.new_session.remark is not None:
                self._code_provider.notify(self.new_session.remark)
            self._code_provider.close()
            self._code_provider = None

    def _can_prompt(self) -> bool:
        """Return whether the user can be asked, and see to it that one prompt is up there at a time."""
        try:
            place = asked_in(self._code_request.prompt, self._request.environ)
        except PersonNeededError:
            return False
        if place == "window":
            self._prompt_lock = window_lock(self._directory)
        return True

    def _steps(self, *, has_session: bool, can_store: bool = True) -> tuple[Step, ...]:
        can_ask = self._can_ask or not has_session  # without a session a code is needed; asking raises the reason
        return steps(self._plan, Circumstances(False, has_session, can_store, can_ask))

    def _shared_session(self) -> SignInResult | None:
        """Return the shared MFA session, or None once this run has the turn to get one."""
        while True:
            index = self._usable_index() or self._wait_for_turn(self._usable_index) or self._usable_index()
            if index is None:
                return None
            session = self._read_session(index)
            if session is not None:
                self._lock.close()
                return SignInResult(session, self._steps(has_session=True)[1:], index.issued)

    def _usable_index(self) -> SessionIndex | None:
        """Return the index of a session that lasts long enough, unless this run has tried it already."""
        index = self._session.index()
        is_usable = index is not None and index != self._tried_index and self._lasts_long_enough(index.expiration)
        return index if is_usable else None

    def _lasts_long_enough(self, expiration: int | None) -> bool:
        if expiration is None:
            return False
        min_seconds: float = MIN_SECONDS_LEFT if self._plan.roles or not self._may_ask else _RENEW_BELOW
        if self._request.min_session_seconds is not None:
            min_seconds = self._request.min_session_seconds
        return expiration - self._request.clock() > min_seconds

    def _read_session(self, index: SessionIndex) -> Credentials | None:
        self._tried_index = index
        if self._can_ask:
            try:
                self._open_code_provider()  # now, before a thread reads the keyring
            except PersonNeededError:  # the session may make a code unnecessary
                pass
        try:
            session = self._session.read()
        except SessionStoreError as error:
            log.write(self._directory, f"cannot read the MFA session: {error}", profile=self._request.profile)
            self._remark = f"{error}: a new code is needed"
            return None
        return session if session is not None and self._lasts_long_enough(session.expiration) else None

    def _notify_unlocking(self) -> None:
        if self._code_provider is not None:
            self._code_provider.notify("waiting for the keyring to be unlocked")

    def _wait_for_turn(self, find: Callable[[], SessionIndex | None]) -> SessionIndex | None:
        """Wait for the turn and return None, or return what ``find`` finds. Raises the error of a declined prompt."""

        def poll() -> SessionIndex | None:
            self._refusal.check(self._request, lambda: self._can_ask)
            return find()

        subject = f"{self._code_request.where}: MFA session"
        return wait_with_notice(self._lock, self._directory, poll, self._wait_deadline(), subject)

    def _wait_deadline(self) -> float:
        return wait_deadline(self._request.environ, self._code_request.deadline)

    def _sign_in_with_code(self) -> SignInResult:
        """Ask for a code and return the credentials that it gets; this run has the turn."""
        prompt = self._prompt_lock
        try:
            self._refusal.check(self._request, lambda: self._can_ask)
            codes = self._open_code_provider()
            self._calls.prepare()
            if isinstance(self._steps(has_session=False)[0], GetSession):
                self.new_session.prepare()
            self._wait_for_terminal(prompt)
            self._code_request.check_time()
            return self._try_codes(codes)
        except (PersonNeededError, SignalError) as error:
            failure = error.declined if isinstance(error, SignalError) else error
            self._refusal.publish(failure, self._request)
            raise
        finally:
            prompt.close()

    def _try_codes(self, codes: CodeProvider) -> SignInResult:
        """Ask for codes until AWS accepts one; return the credentials that it gets."""
        remark = self._remark
        while True:
            self.has_asked = self._code_request.process is None
            code = codes.next_code(remark)
            self._used.add(code, self._request.clock())
            try:
                return self._call_with_code(code)
            except TokenCodeError:
                remark = "AWS rejected that code: it is wrong, or has been used already"

    def _wait_for_terminal(self, prompt: Lock) -> None:
        try:
            prompt.wait(lambda: None, self._wait_deadline())
        except DeadlineError as error:
            raise DeadlineError(f"{self._code_request.where}: MFA code: {error}", self._code_request.hint) from None

    def _open_code_provider(self) -> CodeProvider:
        """Return the provider of codes. Raises PersonNeededError if this run must not ask."""
        if not self._may_ask:
            raise PersonNeededError(
                f"{self._code_request.where}: an MFA code is needed, but the cached credentials are still valid",
                self._code_request.hint,
                "not asked",
            )
        if self._code_provider is None:
            self._code_provider = code_provider(self._code_request, self._used)
        return self._code_provider

    def _call_with_code(self, code: str) -> SignInResult:
        serial = self._code_request.serial
        first, *rest = self._steps(has_session=False)
        if isinstance(first, GetSession) and not self.new_session.can_be_stored():
            first, *rest = self._steps(has_session=False, can_store=False)
        credentials = self._calls.call_with_code(first, serial, code)
        if isinstance(first, GetSession):
            log.write(self._directory, f"signed in with {serial}", profile=self._request.profile)
        if isinstance(first, GetSession) and first.is_shared:
            self.new_session.store(credentials)
        else:
            self._lock.close()
        return SignInResult(credentials, tuple(rest))
