"""A plan, carried out: the source's credentials, the user signed in, one role after the other, all in time."""

import time
from collections.abc import Callable

from credproc import log
from credproc.config.parser import SharedConfig
from credproc.credentials import Credentials
from credproc.errors import (
    ConfigError,
    CredprocError,
    DeadlineError,
    NetworkError,
    PersonNeededError,
    ServiceError,
    SourceError,
)
from credproc.plan import Plan
from credproc.plan.mfa import Mfa
from credproc.plan.role import Role
from credproc.process.deadline import BackgroundCall
from credproc.refresh.entry import Fetched
from credproc.request import Attempt

NETWORK_SECONDS = 9  # for source and STS together: a dead network must be noticed within ten
PROCESS_SECONDS = 40  # for another program, which may ask a person in its turn
_NO_SESSION = ("ExpiredToken", "InvalidClientTokenId", "UnrecognizedClientException")
_OLD_SESSION = 300  # seconds; younger than that, a trust policy's bound on the age of the MFA is not the reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    import botocore.session

    from credproc.aws.sts import Sts
    from credproc.mfa.signin import SignedIn, SignIn


class _Budget:
    """How long may be worked: a few seconds from a beginning, which a person or a program may put off."""

    def __init__(self, began: float, last: float) -> None:
        self._began = began
        self._last = last

    def deadline(self, seconds: float = NETWORK_SECONDS) -> float:
        return min(self._began + seconds, self._last)

    def begin_anew(self) -> None:
        self._began = time.monotonic()


class _Obtaining:
    """One plan on its way."""

    def __init__(self, plan: Plan, config: SharedConfig, turn: Attempt) -> None:
        self._plan = plan
        self._config = config
        self._turn = turn
        self._request = turn.request
        self._budget = _Budget(turn.began, turn.request.started + turn.request.deadlines.work)
        self._keyring_keys: Credentials | None = None
        # In a thread, so that a person can type meanwhile; nothing of TLS is imported before
        self._connection = BackgroundCall(self._connect)

    def obtained(self) -> Fetched:
        if self._plan.source.kind == "KeyringKeys":
            return Fetched(self._completed(self._of_keyring(self._plan.source.named("access_key_id"))), renewable=True)
        plan = self._plan
        credentials = self._web_identity(plan.source.role) if plan.source.role else plan.source.keys or self._fetched()
        renewable = plan.source.role is not None or bool(plan.roles) or not credentials.temporary
        return Fetched(self._completed(self._with_roles(credentials)), renewable)

    def _completed(self, credentials: Credentials) -> Credentials:
        if credentials.account_id is None and self._plan.account_id is not None:
            return credentials._replace(account_id=self._plan.account_id)
        return credentials

    # --- the source --------------------------------------------------------------------------------------------

    def _web_identity(self, role: Role) -> Credentials:
        from credproc.sources.web_identity import read_token  # noqa: PLC0415 - only where there is one

        token = read_token(self._plan.source)
        return self._sts().assume_role_with_web_identity(role, token, self._budget.deadline())

    def _fetched(self) -> Credentials:
        from credproc.sources import fetch  # noqa: PLC0415 - not for keys that the plan holds
        from credproc.sources.started import Started  # noqa: PLC0415

        source = self._plan.source
        is_process = source.kind == "Process"
        if is_process:
            self._config.check_program("credential_process", source.where)
        started = Started()
        fetching = BackgroundCall(lambda: fetch(source, self._botocore_session, self._request.environ, started))
        try:
            credentials = fetching.result(self._budget.deadline(PROCESS_SECONDS if is_process else NETWORK_SECONDS))
        except DeadlineError:
            started.end()
            raise SourceError(
                f"{source.where}: {source.kind}: no answer in time", "check what the source needs to answer"
            ) from None
        if is_process:
            self._budget.begin_anew()
        return credentials

    def _of_keyring(self, access_key_id: str) -> Credentials:
        """Return what the plan leads to from keys in the keyring; a shared session does without their secret."""
        if self._plan.mfa is None:
            return self._with_roles(self._from_keyring())
        return self._with_mfa(self._plan.mfa, access_key_id, self._from_keyring)

    def _from_keyring(self) -> Credentials:
        if self._keyring_keys is None:
            from credproc import terminal  # noqa: PLC0415 - only where keys are in the keyring
            from credproc.sources.keyring import notify_unlocking  # noqa: PLC0415
            from credproc.sources.keyring import read as read_keys  # noqa: PLC0415
            from credproc.stores import access_keys  # noqa: PLC0415

            request = self._request
            at_terminal = request.environ.get("CREDPROC_INTERACTIVE") != "never" and terminal.is_there()
            unlocking = notify_unlocking if at_terminal else None
            # a person who has mended the keyring need not wait until it is asked again
            directory = None if request.is_login else self._turn.directory
            keys = access_keys.LongTermKeys(directory, request.environ, unlocking)
            self._keyring_keys = read_keys(self._plan.source, keys)
            self._budget.begin_anew()
        return self._keyring_keys

    # --- MFA, and the roles ------------------------------------------------------------------------------------

    def _with_roles(self, credentials: Credentials) -> Credentials:
        mfa = self._plan.mfa
        if mfa is not None and credentials.temporary and mfa.on_role:
            raise ConfigError(
                f"{mfa.where}: mfa_serial, but the source's credentials are temporary, and those cannot use an MFA"
                " device",
                "remove mfa_serial, or let source_profile name the user whose device it is",
            )
        if mfa is not None and not credentials.temporary:
            return self._with_mfa(mfa, credentials.access_key_id, lambda: credentials)
        if mfa is not None:
            remark = f"ignored: {mfa.where}: mfa_serial: the credentials beside it are temporary"
            log.write(self._turn.directory, remark, profile=self._request.profile)
        if not self._plan.roles and not credentials.temporary:
            return self._sts().get_session_token(credentials, self._plan.session_seconds, self._budget.deadline())
        return self._through(self._plan.roles, credentials)

    def _with_mfa(self, device: Mfa, access_key_id: str, keys: Callable[[], Credentials]) -> Credentials:
        from credproc.mfa.signin import Calls, SignIn  # noqa: PLC0415 - only where there is a device

        plan = self._plan

        def prepare() -> None:
            if device.process is not None:
                self._config.check_program("mfa_process", device.process.where)
            self._connection.start()
            keys()  # before a code is asked for: without them it would be spent for nothing

        calls = Calls(
            prepare=prepare,
            get_session_token=lambda serial, code: self._after_code().get_session_token(
                keys(), plan.session_seconds, self._budget.deadline(), (serial, code)
            ),
            assume_role=lambda role, serial, code: self._after_code().assume_role(
                keys(), role, self._budget.deadline(), (serial, code)
            ),
        )
        sign_in = SignIn(plan, device, access_key_id, self._turn, calls)
        try:
            return self._signed_in(sign_in)
        except CredprocError as error:
            has_left = isinstance(error, PersonNeededError) and error.kind == "withdrawn"
            error.was_asked = sign_in.has_asked and not has_left
            raise
        finally:
            sign_in.close()

    def _signed_in(self, sign_in: "SignIn") -> Credentials:
        """Return what the plan's roles give to the signed in user; a session that STS refuses is replaced once."""
        signed_in = sign_in.sign_in()
        sign_in.release()
        self._budget.begin_anew()
        try:
            return self._through(signed_in.roles, signed_in.credentials)
        except ServiceError as error:
            if signed_in.shared_since is None:
                raise
            if error.code not in _NO_SESSION:
                raise self._explained(error, signed_in) from None
        signed_in = sign_in.sign_in_anew(signed_in.credentials)
        sign_in.release()
        self._budget.begin_anew()
        return self._through(signed_in.roles, signed_in.credentials)

    def _explained(self, error: ServiceError, signed_in: "SignedIn") -> ServiceError:
        """Return the refusal with a word about the session's age, where that may be the reason."""
        age = self._request.clock() - (signed_in.shared_since or 0)
        if error.code == "AccessDenied" and age > _OLD_SESSION:
            option = "" if self._request.profile is None else f" --profile {self._request.profile[:80]}"
            error.hint = (
                f"{error.hint}; the role may ask for a younger MFA session than this one of {age / 60:.0f} minutes:"
                f" credproc login --renew{option} starts a new one"
            )
        return error

    def _through(self, roles: tuple[Role, ...], credentials: Credentials) -> Credentials:
        for role in roles:
            credentials = self._sts().assume_role(credentials, role, self._budget.deadline())
        return credentials

    # --- STS ---------------------------------------------------------------------------------------------------

    def _after_code(self) -> "Sts":
        self._budget.begin_anew()
        return self._sts()

    def _sts(self) -> "Sts":
        try:
            return self._connection.result(self._budget.deadline())
        except DeadlineError:
            raise NetworkError("STS: no connection in time", "this machine is busy: try again") from None

    def _botocore_session(self) -> "botocore.session.Session":
        from credproc.aws.session import botocore_session  # noqa: PLC0415 - botocore

        return botocore_session(self._config, self._plan.profile)

    def _connect(self) -> "Sts":
        from credproc.aws.client import Settings  # noqa: PLC0415 - ssl
        from credproc.aws.sts import Sts  # noqa: PLC0415

        plan, request = self._plan, self._request

        def note(text: str) -> None:
            log.write(self._turn.directory, text, profile=request.profile)

        settings = Settings.of(self._config, plan.profile, request.environ, note)
        sts = Sts(plan.endpoint, settings, mfa=plan.mfa is not None)
        if plan.mfa is not None:  # a person may be typing, and will wait for what comes after
            sts.warm()
        return sts


def execute(plan: Plan, config: SharedConfig, turn: Attempt) -> Fetched:
    """Return the credentials that the plan leads to. Raises CredprocError.

    The deadlines count from when this run's turn came: imports, which can take a second on a busy machine, are
    part of what must end in time.
    """
    return _Obtaining(plan, config, turn).obtained()
