"""Carry out a plan: get the source's credentials, sign the user in, make the plan's calls, each with a deadline."""

import time
from collections.abc import Callable

from credproc import log
from credproc.config.shared_config import SharedConfig
from credproc.credentials import UNSENDABLE, Credentials
from credproc.errors import CredprocError, DeadlineError, NetworkError, ServiceError, SourceError, for_shell
from credproc.plan import Plan
from credproc.plan.mfa import Mfa
from credproc.plan.role import Role
from credproc.plan.steps import AssumeRole, Circumstances, GetSession, Step, steps, usable_device
from credproc.process.deadline import BackgroundCall
from credproc.refresh.entry import Fetched
from credproc.request import Attempt

NETWORK_SECONDS = 9  # for a container, an instance, Identity Center: on a dead network a run ends within 10 s
PROCESS_SECONDS = 40  # for a credential_process, which may ask the user itself
_INVALID_SESSION = ("ExpiredToken", "InvalidClientTokenId", "UnrecognizedClientException")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credproc.aws.sts import MfaCode, Sts
    from credproc.mfa.signin import SignIn


def execute(plan: Plan, config: SharedConfig, attempt: Attempt) -> Fetched:
    """Return the credentials of the plan. Raises CredprocError."""
    return PlanRun(plan, config, attempt).fetch()


class PlanRun:
    """Carries out one plan, step by step."""

    def __init__(self, plan: Plan, config: SharedConfig, attempt: Attempt) -> None:
        """Take the plan, the configuration that it was made from, and the attempt that needs the credentials."""
        self._plan = plan
        self._config = config
        self._attempt = attempt
        self._request = attempt.request
        self._deadline = attempt.request.started + attempt.request.deadlines.work
        self._source_keys: Callable[[], Credentials] = self._keys_in_keyring  # the long-term keys of a sign-in
        self._keys: Credentials | None = None  # as read from the keyring
        self._no_session: str | None = None  # why the MFA session of a new code could not be kept
        # In a thread, so that the user can type meanwhile; before it starts, nothing of TLS is imported
        self._client = BackgroundCall(self._new_client)

    def fetch(self) -> Fetched:
        """Return the credentials of the plan. Raises CredprocError."""
        plan = self._plan
        if plan.source.kind == "KeyringKeys":
            access_key_id = plan.source.field("access_key_id")
            credentials = self._make_steps(access_key_id, self._keys_in_keyring, is_temporary=False)
            return Fetched(self._with_account(credentials), renewable=True, no_session=self._no_session)
        found = self._web_identity(plan.source.role) if plan.source.role else plan.source.keys or self._source()
        if found.unsendable is not None:
            raise SourceError(f"{plan.source.where}: {found.unsendable} {UNSENDABLE}", "check what the source gives")
        credentials = self._make_steps(found.access_key_id, lambda: found, is_temporary=found.temporary)
        renewable = plan.source.role is not None or bool(plan.roles) or not found.temporary
        # what is local may be another's the next time, and SDKs do not store it either
        is_storable = renewable or not plan.source.is_local
        return Fetched(self._with_account(credentials), renewable, is_storable, self._no_session)

    def _with_account(self, credentials: Credentials) -> Credentials:
        if credentials.account_id is None and self._plan.account_id is not None:
            return credentials._replace(account_id=self._plan.account_id)
        return credentials

    def _make_steps(self, access_key_id: str, keys: Callable[[], Credentials], *, is_temporary: bool) -> Credentials:
        """Return the credentials of the last step; ``keys`` is not called where a shared MFA session is used."""
        plan = self._plan
        device = usable_device(plan, is_source_temporary=is_temporary)
        if device is not None:
            return self._make_steps_with_mfa(device, access_key_id, keys)
        if plan.mfa is not None:
            remark = f"ignored: {plan.mfa.where}: mfa_serial: the credentials in the same profile are temporary"
            log.write(self._attempt.directory, remark, profile=self._request.profile)
        return self._call_each(steps(plan, Circumstances(is_source_temporary=is_temporary)), keys())

    def _call_each(self, calls: tuple[Step, ...], credentials: Credentials) -> Credentials:
        """Make the calls, each with the credentials that the one before returns; return those of the last."""
        for step in calls:
            credentials = self._call(step, credentials)
        return credentials

    def _call(self, step: Step, credentials: Credentials, code: "MfaCode | None" = None) -> Credentials:
        if isinstance(step, GetSession):
            return self._sts().get_session_token(credentials, step.duration_seconds, code)
        if isinstance(step, AssumeRole):
            role = step.role._replace(duration_seconds=step.duration_seconds)
            try:
                return self._sts().assume_role(credentials, role, code)
            except ServiceError as error:
                self._name_policies(error)
                raise
        return credentials

    def _name_policies(self, error: ServiceError) -> None:
        """Add to the hint of a role that AWS denies which command prints the policies that it needs."""
        profile = self._request.profile
        is_device = "MultiFactorAuthentication failed" in str(error)
        if error.code == "AccessDenied" and profile is not None and not is_device:
            error.hint = f"{error.hint}; credproc policy {for_shell(profile[:80])} prints both policies"

    # The source

    def _web_identity(self, role: Role) -> Credentials:
        from credproc.sources.web_identity import read_token  # noqa: PLC0415 - for a web identity alone

        return self._sts().assume_role_with_web_identity(role, read_token(self._plan.source))

    def _source(self) -> Credentials:
        from credproc.sources import fetch  # noqa: PLC0415 - not for keys that the plan holds
        from credproc.sources.children import ChildProcesses  # noqa: PLC0415

        source = self._plan.source
        seconds = NETWORK_SECONDS
        if source.program is not None:
            source.program.trusted("credential_process")
        if source.program is not None or source.kind == "LoginSession":
            seconds = PROCESS_SECONDS
        children = ChildProcesses()
        fetching = BackgroundCall(lambda: fetch(self._plan, self._config, self._request.environ, children))
        try:
            return fetching.result(min(time.monotonic() + seconds, self._deadline))
        except DeadlineError:
            children.kill()
            raise SourceError(
                f"{source.where}: {source.kind}: no answer in time",
                "check that the source can answer from this machine",
            ) from None

    def _keys_in_keyring(self) -> Credentials:
        if self._keys is None:
            from credproc.sources import keyring  # noqa: PLC0415 - for keys in the keyring

            # login reads the keyring at once, even if it did not answer a minute ago: the user may have fixed it
            directory = None if self._request.is_login else self._attempt.directory
            self._keys = keyring.fetch(self._plan.source, directory, self._request.environ)
        return self._keys

    # MFA

    def prepare(self) -> None:
        """Prepare the call with the code before a code is asked for, so that a failure costs no code."""
        device = self._plan.mfa
        if device is not None and device.process is not None:
            device.process.trusted("mfa_process")
        self._client.start()
        self._source_keys()

    def call_with_code(self, step: Step, serial: str, code: str) -> Credentials:
        """Make the step's call with the source's long-term keys and a code; return the credentials."""
        return self._call(step, self._source_keys(), (serial, code))

    def _make_steps_with_mfa(self, device: Mfa, access_key_id: str, keys: Callable[[], Credentials]) -> Credentials:
        from credproc.mfa.signin import SignIn  # noqa: PLC0415 - for a plan with an MFA device

        self._source_keys = keys
        sign_in = SignIn(self._plan, device, access_key_id, self._attempt, self)
        try:
            return self._sign_in_and_call(sign_in)
        except CredprocError as error:
            error.was_asked = sign_in.has_asked
            raise
        finally:
            sign_in.close()
            self._no_session = sign_in.new_session.not_stored

    def _sign_in_and_call(self, sign_in: "SignIn") -> Credentials:
        """Sign in and return the credentials of the last step; replace a session that STS rejects, once."""
        signed_in = sign_in.sign_in()
        try:
            return self._call_each(signed_in.remaining_steps, signed_in.credentials)
        except ServiceError as error:
            if signed_in.shared_since is None:
                raise
            if error.code not in _INVALID_SESSION:
                from credproc.refresh.denied_session import DeniedSession  # noqa: PLC0415 - for a denial

                DeniedSession(self._attempt.directory, self._plan).explain(error, signed_in.shared_since, self._request)
                raise
        signed_in = sign_in.sign_in_anew(signed_in.credentials)
        return self._call_each(signed_in.remaining_steps, signed_in.credentials)

    # STS

    def _sts(self) -> "Sts":
        try:
            return self._client.result(min(time.monotonic() + NETWORK_SECONDS, self._deadline))
        except DeadlineError:
            raise NetworkError("STS: no connection in time", "this machine is busy: try again") from None

    def _new_client(self) -> "Sts":
        from credproc.aws.client import Settings  # noqa: PLC0415 - ssl
        from credproc.aws.sts import Sts  # noqa: PLC0415

        plan, request, directory = self._plan, self._request, self._attempt.directory
        settings = Settings.of(self._config, plan.profile, request.environ)._replace(
            note=lambda text: log.write(directory, text, profile=request.profile), last=self._deadline
        )
        from_environment = plan.source.kind == "Environment"
        sts = Sts(plan.endpoint, settings, mfa=plan.mfa is not None, from_environment=from_environment)
        if plan.mfa is not None:  # what the connection needs is loaded while the user types
            sts.warm()
        return sts
