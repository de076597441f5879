"""What can be said of a profile from files alone: its plan, what is kept of it, and how SDKs reach it. No secret."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from credproc import cache, paths
from credproc.config.parser import Section, SharedConfig
from credproc.errors import CredprocError, UsageError
from credproc.files import PrivateDirectory, open_directory
from credproc.mfa.signin import is_long
from credproc.plan import Plan, plan_for
from credproc.plan.resolver import alias_target
from credproc.refresh import asker_of
from credproc.refresh.entry import about_entry
from credproc.request import Request
from credproc.stores.mfa_sessions import LEAST_LEFT, SUFFIX, Index, read_index, session_id

# What makes SDKs resolve a profile by themselves, whatever its credential_process says (CONTRACT.md, 1.6)
BEFORE_PROCESS = (
    "role_arn",
    "source_profile",
    "credential_source",
    "web_identity_token_file",
    "sso_session",
    "sso_account_id",
    "sso_role_name",
    "sso_start_url",
    "aws_access_key_id",
    "aws_secret_access_key",
)


class Cached(NamedTuple):
    """Credentials that the cache holds for a profile, by an equal plan."""

    served_until: int  # epoch seconds; then a refresh renews them
    expiration: int


class State(NamedTuple):
    """How a profile stands at a moment."""

    kind: str  # cached, signed in, needs a code, ready, error
    until: int | None = None  # epoch seconds
    error: str | None = None


class Look:
    """One look at the cache directory for several profiles, at ``now`` in epoch seconds."""

    def __init__(self, config: SharedConfig, request: Request) -> None:
        """Take the configuration and who asks; the directory is not made."""
        self.config = config
        self.now = request.clock()
        self._request = request
        self._asker = asker_of(request)
        self._directory: PrivateDirectory | None = open_directory(paths.cache_directory(request.environ))

    def plan(self, profile: str | None, environ: Mapping[str, str] | None = None) -> Plan:
        """Return the profile's plan. Raises ConfigError."""
        return plan_for(self.config, profile, self._request.environ if environ is None else environ, self._asker)

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
        if self._directory is None or plan.mfa is None or access_key_id is None:
            return None
        name = session_id(access_key_id, plan.mfa.serial, plan.endpoint.issuer).name
        found = read_index(self._directory, name + SUFFIX)
        return found if found is not None and found.expiration - self.now > LEAST_LEFT else None

    def state(self, profile: str) -> tuple[Plan | None, State]:
        """Return the profile's plan, None if it has none, and how it stands."""
        try:
            plan = self.plan(profile)
        except CredprocError as error:
            return None, State("error", error=str(error))
        cached = self.cached(profile, plan)
        if cached is not None:
            return plan, State("cached", cached.expiration)
        if plan.mfa is None:
            return plan, State("ready")
        session = self.session(plan)
        if session is not None and not is_long(plan):
            return plan, State("signed in", session.expiration)
        return plan, State("needs a code")

    def reached(self) -> dict[str, str]:
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
