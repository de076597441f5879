"""The state of profiles, read from files and without secrets: plan, cache, MFA session, and how SDKs reach them."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from credproc import cache, paths
from credproc.commands.plan_text import PlanContext
from credproc.config.settings import BEFORE_PROCESS, SessionStore, StoreKind
from credproc.config.shared_config import Section, SharedConfig
from credproc.errors import ConfigError, CredprocError, UsageError
from credproc.files import PrivateDirectory, open_directory
from credproc.plan import Plan, plan_for
from credproc.plan.resolver import alias_target
from credproc.plan.source import SourceKind, has_source
from credproc.plan.steps import Circumstances, UseSession, is_long, steps
from credproc.refresh.denied_session import DeniedSession
from credproc.refresh.entry import entry_metadata, was_made_for
from credproc.request import Request
from credproc.sources.identity import identity_of
from credproc.sources.sign_in import is_signed_in
from credproc.stores import store_for
from credproc.stores.mfa_sessions import MIN_SECONDS_LEFT, SessionIndex, is_forgotten, read_index, session_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credproc.mfa.dialog.programs import Found

StateKind = Literal["cached", "signed in", "needs a code", "signed out", "bypassed", "ready", "settings only", "error"]


class Cached(NamedTuple):
    """Cached credentials that were obtained by an equal plan."""

    served_until: int  # epoch seconds; after that a refresh renews them
    expiration: int  # epoch seconds


class ProfileState(NamedTuple):
    """Whether a profile can be used right now, and until when that holds."""

    kind: StateKind
    until: int | None = None  # epoch seconds
    error: str | None = None


class ProfileInspector:
    """Reads the state of profiles from the configuration and the cache directory, all at one time ``now``."""

    def __init__(self, config: SharedConfig, request: Request) -> None:
        """Open the cache directory of the request, which is not created; ``now`` is in epoch seconds."""
        self.config = config
        self.now = request.clock()
        self._request = request
        self._directory: PrivateDirectory | None = open_directory(paths.cache_directory(request.environ))

    def plan(self, profile: str | None, environ: Mapping[str, str] | None = None) -> Plan:
        """Return the plan of a profile in this environment, or in that of the request. Raises ConfigError."""
        return plan_for(
            self.config,
            self._request._replace(profile=profile, environ=self._request.environ if environ is None else environ),
        )

    def cached(self, profile: str | None, plan: Plan) -> Cached | None:
        """Return the profile's cached credentials, or None if a call of an SDK would not be served from the cache."""
        if self._directory is None:
            return None
        entry = cache.load(self._directory, cache.entry_name(profile, self._request.environ))
        if entry is None or not entry.served_from <= self.now < entry.served_until:
            return None
        fields = entry_metadata(entry)
        expiration = fields.get("expiration")
        identity = identity_of(plan, self.config, self._request.environ, self.now)
        if not was_made_for(fields, plan, identity) or not isinstance(expiration, int):
            return None
        return Cached(entry.served_until, expiration)

    def session(self, plan: Plan) -> SessionIndex | None:
        """Return the index of the MFA session that the plan would use, or None."""
        access_key_id = plan.source.access_key_id
        if self._directory is None or plan.mfa is None or access_key_id is None or plan.mfa.session_store == "none":
            return None
        name = session_id(access_key_id, plan.mfa.serial, plan.endpoint.issuer).name
        found = read_index(self._directory, name)
        if found is None or found.expiration - self.now <= MIN_SECONDS_LEFT or is_forgotten(found):
            return None
        return found

    def context(self, plan: Plan, *, tries_store: bool = False) -> PlanContext:
        """Return what the steps of the plan's next refresh depend on.

        ``tries_store``: also check whether a new session could be stored, which takes as long as the keyring takes.
        """
        session = self.session(plan)
        setting: SessionStore = "none" if plan.mfa is None else plan.mfa.session_store
        store: StoreKind = "keyring" if setting == "auto" else setting
        no_store_reason = None
        if tries_store and plan.mfa is not None and session is None and not is_long(plan):
            store, no_store_reason = self._tried_store(setting)
        circumstances = Circumstances(
            is_source_temporary=plan.source.is_temporary(self._request.environ),
            has_session=session is not None,
            can_store_session=no_store_reason is None,
        )
        until = None if session is None else session.expiration
        denied_age = DeniedSession(self._directory, plan).age(self.now)
        store = store if session is None else session.store
        return PlanContext(circumstances, store, until, no_store_reason, self._windows(plan), denied_age)

    def _windows(self, plan: Plan) -> "Found | None":
        if plan.mfa is None or plan.mfa.prompt == "terminal":
            return None
        from credproc.mfa.dialog.programs import find  # noqa: PLC0415 - only where a window is wanted

        return find(self._request.environ)

    def _tried_store(self, setting: SessionStore) -> tuple[StoreKind, str | None]:
        """Return the kind of the store that a new session would be in, and why it cannot be, or None."""
        environ = self._request.environ
        if setting == "file" and self._directory is None and paths.cache_directory(environ) is not None:
            return "file", None  # a refresh creates the directory
        store = store_for(setting, self._directory, environ, None)
        reason = store.unavailable_reason()
        return store.kind, reason

    def is_signed_in(self, plan: Plan) -> bool:
        """Return whether the plan's source needs no sign-in of the AWS CLI, or has one, as far as files tell."""
        return is_signed_in(plan.source, self._request.environ, self.now)

    def state(self, profile: str) -> tuple[Plan | None, ProfileState]:
        """Return the plan of a profile (None if its settings are wrong) and its state."""
        try:
            plan = self.plan(profile)
        except CredprocError as error:
            if profile == "default" and self._has_settings_only(profile):
                return None, ProfileState("settings only")
            return None, ProfileState("error", error=str(error))
        setting = self._winning_setting(profile)
        if setting is not None:
            return plan, ProfileState("bypassed", error=f"{setting} wins over credential_process")
        cached = self.cached(profile, plan)
        if cached is not None:
            return plan, ProfileState("cached", cached.expiration)
        try:
            context = self.context(plan)
            first = next(iter(steps(plan, context.circumstances)), None)
        except ConfigError as error:
            return plan, ProfileState("error", error=str(error))
        if isinstance(first, UseSession):
            return plan, ProfileState("signed in", context.signed_in_until)
        if first is not None and first.with_code and plan.mfa is not None and plan.mfa.process is None:
            return plan, ProfileState("needs a code")
        if not self.is_signed_in(plan):
            return plan, ProfileState("signed out")
        return plan, ProfileState("ready")

    def _has_settings_only(self, profile: str) -> bool:
        """Return whether the profile says nothing of credentials: a region for all, as ``aws configure`` writes it."""
        section = self.config.profiles[profile]
        return section.error is None and not has_source(section)

    def _winning_setting(self, profile: str) -> str | None:
        """Return the setting because of which SDKs ignore the profile's credential_process line, or None.

        None also if that line does not start credproc.
        """
        section = self.config.profiles.get(profile)
        if section is None or alias_of(section, self._request.program) is None:
            return None
        return next((key for key in BEFORE_PROCESS if key in section), None)

    def sdk_aliases(self) -> dict[str, str]:
        """Return, for each profile that SDKs can reach through credproc, the profile that they have to name."""
        program = self._request.program
        found: dict[str, str] = {}
        for section in self.config.profiles.values():
            target = alias_of(section, program)
            if target is not None and is_read_as_process(section):
                found.setdefault(target, section.name)
                found[section.name] = section.name
        return found


def alias_of(section: Section, program: str | None) -> str | None:
    """Return the profile that the section's ``credential_process`` line requests from credproc, or None."""
    command = section.get("credential_process")
    try:
        return None if command is None else alias_target(command.value, program)
    except UsageError:
        return None


def is_read_as_process(section: Section) -> bool:
    """Whether no setting of the section makes SDKs ignore its ``credential_process`` line."""
    return not any(key in section for key in BEFORE_PROCESS)


def is_typable(name: str) -> bool:
    """Whether a profile's name can be printed on a line and typed."""
    return bool(name) and name.isprintable()


def source_name(kind: SourceKind) -> str:
    """Return a short name of a source that is no other profile."""
    match kind:
        case "StaticKeys" | "KeyringKeys":
            return "keys"
        case "WebIdentity":
            return "web identity"
        case "IdentityCenter":
            return "Identity Center"
        case "LoginSession":
            return "aws login"
        case "Process":
            return "program"
        case "Environment" | "Ec2InstanceMetadata" | "EcsContainer":  # the value of credential_source
            return kind


def profile_names(config: SharedConfig) -> Iterator[str]:
    """Yield the names of the profiles that can be typed, in the order of the files."""
    return (name for name in config.profiles if is_typable(name))
