"""What can be said of a profile from files alone: its plan, what is kept of it, and how SDKs reach it. No secret."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from credproc import cache, paths
from credproc.commands.plan_text import Standing
from credproc.config.settings import BEFORE_PROCESS, SessionStore
from credproc.config.shared_config import Section, SharedConfig
from credproc.errors import ConfigError, CredprocError, UsageError
from credproc.files import PrivateDirectory, open_directory
from credproc.plan import Plan, plan_for
from credproc.plan.resolver import alias_target
from credproc.plan.steps import Circumstances, UseSession, is_long, steps
from credproc.refresh.entry import about_entry
from credproc.request import Request
from credproc.sources.sso_token import is_signed_in
from credproc.stores import store_for
from credproc.stores.mfa_sessions import LEAST_LEFT, Index, read_index, session_id

# How a profile stands
StateKind = Literal["cached", "signed in", "needs a code", "signed out", "bypassed", "ready", "error"]


class Cached(NamedTuple):
    """Credentials that the cache holds for a profile, by an equal plan."""

    served_until: int  # epoch seconds; then a refresh renews them
    expiration: int


class ProfileState(NamedTuple):
    """How a profile stands at a moment."""

    kind: StateKind
    until: int | None = None  # epoch seconds
    error: str | None = None


class ProfileInspector:
    """One look at the cache directory for several profiles, at ``now`` in epoch seconds."""

    def __init__(self, config: SharedConfig, request: Request) -> None:
        """Take the configuration and who asks; the directory is not made."""
        self.config = config
        self.now = request.clock()
        self._request = request
        self._directory: PrivateDirectory | None = open_directory(paths.cache_directory(request.environ))

    def plan(self, profile: str | None, environ: Mapping[str, str] | None = None) -> Plan:
        """Return the profile's plan. Raises ConfigError."""
        return plan_for(
            self.config,
            self._request._replace(profile=profile, environ=self._request.environ if environ is None else environ),
        )

    def cached(self, profile: str | None, plan: Plan) -> Cached | None:
        """Return what is cached for the profile by an equal plan and may still be served, or None."""
        if self._directory is None:
            return None
        entry = cache.load(self._directory, cache.entry_name(profile, self._request.environ))
        if entry is None or not entry.served_from <= self.now < entry.served_until:
            return None
        about = about_entry(entry)
        expiration = about.get("expiration")
        if about.get("plan") != plan.compared() or not isinstance(expiration, int):
            return None
        return Cached(entry.served_until, expiration)

    def session(self, plan: Plan) -> Index | None:
        """Return the note of the MFA session that the plan would use, or None."""
        access_key_id = plan.source.access_key_id
        if self._directory is None or plan.mfa is None or access_key_id is None or plan.mfa.session_store == "none":
            return None
        name = session_id(access_key_id, plan.mfa.serial, plan.endpoint.issuer).name
        found = read_index(self._directory, name)
        return found if found is not None and found.expiration - self.now > LEAST_LEFT else None

    def standing(self, plan: Plan, *, tries_store: bool = False) -> Standing:
        """Return what the steps of the plan's next refresh depend on.

        ``tries_store``: see whether a session could be kept, which may take as long as the keyring does.
        """
        session = self.session(plan)
        store: SessionStore = "none" if plan.mfa is None else plan.mfa.session_store
        why_no_store = None
        if tries_store and plan.mfa is not None and session is None and not is_long(plan):
            why_no_store = self._why_no_store(store)
        circumstances = Circumstances(
            is_source_temporary=plan.source.is_temporary(self._request.environ),
            has_session=session is not None,
            can_keep_session=why_no_store is None,
        )
        until = None if session is None else session.expiration
        return Standing(circumstances, store if session is None else session.store, until, why_no_store)

    def _why_no_store(self, kind: SessionStore) -> str | None:
        environ = self._request.environ
        if kind == "file" and self._directory is None and paths.cache_directory(environ) is not None:
            return None  # a refresh makes the directory
        return store_for(kind, self._directory, environ, None).why_unusable()

    def state(self, profile: str) -> tuple[Plan | None, ProfileState]:
        """Return the profile's plan, None if it has none, and how it stands."""
        try:
            plan = self.plan(profile)
        except CredprocError as error:
            return None, ProfileState("error", error=str(error))
        setting = self._winning_setting(profile)
        if setting is not None:
            return plan, ProfileState("bypassed", error=f"{setting} wins over credential_process")
        cached = self.cached(profile, plan)
        if cached is not None:
            return plan, ProfileState("cached", cached.expiration)
        try:
            standing = self.standing(plan)
            first = next(iter(steps(plan, standing.circumstances)), None)
        except ConfigError as error:
            return plan, ProfileState("error", error=str(error))
        if isinstance(first, UseSession):
            return plan, ProfileState("signed in", standing.signed_in_until)
        if first is not None and first.with_code and plan.mfa is not None and plan.mfa.process is None:
            return plan, ProfileState("needs a code")
        if plan.source.kind == "IdentityCenter" and not is_signed_in(plan.source, self.now):
            return plan, ProfileState("signed out")
        return plan, ProfileState("ready")

    def _winning_setting(self, profile: str) -> str | None:
        """Return the setting for which SDKs pass over the profile's line that starts credproc, or None."""
        section = self.config.profiles.get(profile)
        if section is None or aliased(section, self._request.program) is None:
            return None
        return next((key for key in BEFORE_PROCESS if key in section), None)

    def sdk_aliases(self) -> dict[str, str]:
        """Return for each profile that SDKs reach through credproc the name under which they do."""
        program = self._request.program
        found: dict[str, str] = {}
        for section in self.config.profiles.values():
            target = aliased(section, program)
            if target is not None and is_read_as_process(section):
                found.setdefault(target, section.name)
                found[section.name] = section.name
        return found


def aliased(section: Section, program: str | None) -> str | None:
    """Return the profile that the section's ``credential_process``, as SDKs read it, asks credproc for; or None."""
    command = section.get("credential_process")
    try:
        return None if command is None else alias_target(command.value, program)
    except UsageError:
        return None


def is_read_as_process(section: Section) -> bool:
    """Whether nothing in the section makes SDKs pass over its ``credential_process``."""
    return not any(key in section for key in BEFORE_PROCESS)


def is_typable(name: str) -> bool:
    """Whether a profile's name can be shown in a line of names and typed."""
    return bool(name) and name.isprintable()


def names(config: SharedConfig) -> Iterator[str]:
    """Yield the profiles' names, in the order of the files."""
    return (name for name in config.profiles if is_typable(name))
