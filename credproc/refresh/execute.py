"""Carry a plan out: get the source's credentials, sign the user in, make the plan's calls, each in its time."""

import time
from collections.abc import Callable

from credproc import log
from credproc.config.shared_config import SharedConfig
from credproc.credentials import Credentials
from credproc.errors import CredprocError, DeadlineError, NetworkError, PersonNeededError, ServiceError, SourceError
from credproc.plan import Plan
from credproc.plan.mfa import Mfa
from credproc.plan.role import Role
from credproc.plan.steps import AssumeRole, Circumstances, GetSession, Step, steps, usable_device
from credproc.process.deadline import BackgroundCall
from credproc.refresh.entry import Fetched
from credproc.request import Attempt

NETWORK_SECONDS = 9  # for the container's endpoint, the instance's, Identity Center: a dead network ends within ten
PROCESS_SECONDS = 40  # for another program, which may ask a person itself
_NO_SESSION = ("ExpiredToken", "InvalidClientTokenId", "UnrecognizedClientException")
_OLD_SESSION = 300  # seconds; a trust policy that bounds the age of the MFA does not bound it to less

TYPE_CHECKING = False
if TYPE_CHECKING:
    import botocore.session

    from credproc.aws.sts import MfaCode, Sts
    from credproc.mfa.signin import SignedIn, SignIn


def execute(plan: Plan, config: SharedConfig, attempt: Attempt) -> Fetched:
    """Return the credentials that the plan leads to. Raises CredprocError."""
    return PlanRun(plan, config, attempt).fetched()


class PlanRun:
    """One plan, carried out step by step."""

    def __init__(self, plan: Plan, config: SharedConfig, attempt: Attempt) -> None:
        """Take the plan, the configuration that it was made from, and whose attempt it is."""
        self._plan = plan
        self._config = config
        self._attempt = attempt
        self._request = attempt.request
        self._last = attempt.request.started + attempt.request.deadlines.work
        self._source_keys: Callable[[], Credentials] = self._keys_in_keyring  # a user's, which sign in with MFA
        self._keys: Credentials | None = None  # from the keyring
        # In a thread, so that a person can type meanwhile; nothing of TLS is imported before
        self._client = BackgroundCall(self._new_client)

    def fetched(self) -> Fetched:
        """Return what the plan leads to."""
        plan = self._plan
        if plan.source.kind == "KeyringKeys":
            access_key_id = plan.source.named("access_key_id")
            credentials = self._carry_out(access_key_id, self._keys_in_keyring, is_temporary=False)
            return Fetched(self._with_account(credentials), renewable=True)
        found = self._web_identity(plan.source.role) if plan.source.role else plan.source.keys or self._source()
        credentials = self._carry_out(found.access_key_id, lambda: found, is_temporary=found.temporary)
        renewable = plan.source.role is not None or bool(plan.roles) or not found.temporary
        return Fetched(self._with_account(credentials), renewable)

    def _with_account(self, credentials: Credentials) -> Credentials:
        if credentials.account_id is None and self._plan.account_id is not None:
            return credentials._replace(account_id=self._plan.account_id)
        return credentials

    def _carry_out(self, access_key_id: str, keys: Callable[[], Credentials], *, is_temporary: bool) -> Credentials:
        """Return what the plan's steps lead to from the keys, which a shared MFA session does without."""
        plan = self._plan
        device = usable_device(plan, is_source_temporary=is_temporary)
        if device is not None:
            return self._with_mfa(device, access_key_id, keys)
        if plan.mfa is not None:
            remark = f"ignored: {plan.mfa.where}: mfa_serial: the credentials beside it are temporary"
            log.write(self._attempt.directory, remark, profile=self._request.profile)
        return self._make(steps(plan, Circumstances(is_source_temporary=is_temporary)), keys())

    def _make(self, calls: tuple[Step, ...], credentials: Credentials) -> Credentials:
        """Make the calls, each with the credentials that the one before has returned."""
        for step in calls:
            credentials = self._call(step, credentials)
        return credentials

    def _call(self, step: Step, credentials: Credentials, code: "MfaCode | None" = None) -> Credentials:
        if isinstance(step, GetSession):
            return self._sts().get_session_token(credentials, step.duration_seconds, code)
        if isinstance(step, AssumeRole):
            role = step.role._replace(duration_seconds=step.duration_seconds)
            return self._sts().assume_role(credentials, role, code)
        return credentials

    # The source

    def _web_identity(self, role: Role) -> Credentials:
        from credproc.sources.web_identity import read_token  # noqa: PLC0415 - only where there is one

        return self._sts().assume_role_with_web_identity(role, read_token(self._plan.source))

    def _source(self) -> Credentials:
        from credproc.sources import fetch  # noqa: PLC0415 - not for keys that the plan holds
        from credproc.sources.started import Started  # noqa: PLC0415

        source = self._plan.source
        seconds = NETWORK_SECONDS
        if source.kind == "Process":
            self._config.check_program("credential_process", source.where)
            seconds = PROCESS_SECONDS
        started = Started()
        fetching = BackgroundCall(lambda: fetch(source, self._botocore_session, self._request.environ, started))
        try:
            return fetching.result(min(time.monotonic() + seconds, self._last))
        except DeadlineError:
            started.end()
            raise SourceError(
                f"{source.where}: {source.kind}: no answer in time", "check what the source needs to answer"
            ) from None

    def _keys_in_keyring(self) -> Credentials:
        if self._keys is None:
            from credproc.sources.keyring import keys_of  # noqa: PLC0415 - only where keys are in the keyring

            # a person who has mended the keyring need not wait until it is asked again
            directory = None if self._request.is_login else self._attempt.directory
            self._keys = keys_of(self._plan.source, directory, self._request.environ)
        return self._keys

    def _botocore_session(self) -> "botocore.session.Session":
        from credproc.aws.session import botocore_session  # noqa: PLC0415 - botocore

        return botocore_session(self._config, self._plan.profile)

    # MFA

    def prepare(self) -> None:
        """Make ready what the call with the code needs, before one is asked for, so that none is wasted."""
        device = self._plan.mfa
        if device is not None and device.process is not None:
            self._config.check_program("mfa_process", device.process.where)
        self._client.start()
        self._source_keys()

    def call_with_code(self, step: Step, serial: str, code: str) -> Credentials:
        """Make the step's call with the source's long-term keys and the code of the device."""
        return self._call(step, self._source_keys(), (serial, code))

    def _with_mfa(self, device: Mfa, access_key_id: str, keys: Callable[[], Credentials]) -> Credentials:
        from credproc.mfa.signin import SignIn  # noqa: PLC0415 - only where there is a device

        self._source_keys = keys
        sign_in = SignIn(self._plan, device, access_key_id, self._attempt, self)
        try:
            return self._signed_in(sign_in)
        except CredprocError as error:
            has_left = isinstance(error, PersonNeededError) and error.kind == "withdrawn"
            error.was_asked = sign_in.has_asked and not has_left
            raise
        finally:
            sign_in.close()

    def _signed_in(self, sign_in: "SignIn") -> Credentials:
        """Return what the steps give to the signed in user; a session that STS refuses is replaced once."""
        signed_in = sign_in.sign_in()
        sign_in.release()
        try:
            return self._make(signed_in.rest, signed_in.credentials)
        except ServiceError as error:
            if signed_in.shared_since is None:
                raise
            if error.code not in _NO_SESSION:
                raise self._explained(error, signed_in) from None
        signed_in = sign_in.sign_in_anew(signed_in.credentials)
        sign_in.release()
        return self._make(signed_in.rest, signed_in.credentials)

    def _explained(self, error: ServiceError, signed_in: "SignedIn") -> ServiceError:
        """Return AWS's error with a word about the session's age, where that may be the reason."""
        age = self._request.clock() - (signed_in.shared_since or 0)
        if error.code == "AccessDenied" and age > _OLD_SESSION:
            option = "" if self._request.profile is None else f" --profile {self._request.profile[:80]}"
            error.hint = (
                f"{error.hint}; the role may ask for a younger MFA session than this one of {age / 60:.0f} minutes:"
                f" credproc login --renew{option} starts a new one"
            )
        return error

    # STS

    def _sts(self) -> "Sts":
        try:
            return self._client.result(min(time.monotonic() + NETWORK_SECONDS, self._last))
        except DeadlineError:
            raise NetworkError("STS: no connection in time", "this machine is busy: try again") from None

    def _new_client(self) -> "Sts":
        from credproc.aws.client import Settings  # noqa: PLC0415 - ssl
        from credproc.aws.sts import Sts  # noqa: PLC0415

        plan, request, directory = self._plan, self._request, self._attempt.directory
        last = self._last
        if plan.mfa is None and plan.source.kind not in ("Process", "KeyringKeys"):
            # nobody is waited for: a dead network must be noticed within ten seconds, imports and all calls together
            last = min(last, self._attempt.began + NETWORK_SECONDS)
        settings = Settings.of(self._config, plan.profile, request.environ)._replace(
            note=lambda text: log.write(directory, text, profile=request.profile), last=last
        )
        sts = Sts(plan.endpoint, settings, mfa=plan.mfa is not None)
        if plan.mfa is not None:  # a person may be typing, and will wait for what comes after
            sts.warm()
        return sts
