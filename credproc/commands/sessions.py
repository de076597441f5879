"""Delete MFA sessions: those that have an index file, and those that a store holds without one.

The index files go with the cache directory, and a keyring keeps the sessions. So the stores are asked too, for the
sessions that the profiles in the AWS files lead to, and for all that they hold where they can be listed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from credproc.commands.inventory import hold_lock, mfa_sessions
from credproc.config.settings import SESSION_STORES, SessionStore, StoreKind, session_store_named
from credproc.config.shared_config import SharedConfig
from credproc.errors import ConfigError, CredprocError, SessionStoreError
from credproc.files import PrivateDirectory
from credproc.own_files import is_session_name
from credproc.plan import Plan, plan_for
from credproc.plan.endpoint import GLOBAL_REGION, PARTITION_REGIONS, Endpoint
from credproc.request import Request
from credproc.stores import Store, store_for
from credproc.stores.backends import NoKeyringError
from credproc.stores.mfa_sessions import SessionId, StoredSession, session_id

_ISSUERS = {*PARTITION_REGIONS, Endpoint(GLOBAL_REGION).issuer}  # without the URLs of configured endpoints


def mfa_plans(config: SharedConfig, request: Request) -> Iterator[Plan]:
    """Yield the plans of all profiles that sign in with MFA; a profile with wrong settings has none."""
    for profile in config.profiles:
        try:
            plan = plan_for(config, request._replace(profile=profile))
        except ConfigError:
            continue
        if plan.mfa is not None and plan.source.access_key_id is not None:
            yield plan


class SessionRemover:
    """Deletes sessions from the places where they may be, for one command, which its errors name."""

    def __init__(
        self, request: Request, directory: PrivateDirectory | None, command: str, plans: Iterable[Plan]
    ) -> None:
        """Take credproc's directory, and the plans that lead to sessions; read the index files."""
        self._request = request
        self._directory = directory
        self._command = command
        self._indexes = mfa_sessions(directory)
        chosen = session_store_named(request.environ.get("CREDPROC_SESSION_STORE", ""))
        self._kinds: set[StoreKind] = {"file", *_kinds(chosen or SESSION_STORES[0])}
        self._issuers = _ISSUERS | {index.issuer for index in self._indexes}
        self._users: set[tuple[str, str]] = set()
        for plan in plans:
            if plan.mfa is not None and plan.source.access_key_id is not None:
                self._users.add((plan.source.access_key_id, plan.mfa.serial))
                self._kinds.update(_kinds(plan.mfa.session_store))
                self._issuers.add(plan.endpoint.issuer)
        self.has_keyring = True  # False once a keyring could not be asked, because there is none

    def remove_all(self) -> list[str]:
        """Delete all sessions and return a line for each. Raises CredprocError."""
        return self._remove(self._ids(self._users), everything=True)

    def remove_of_key(self, access_key_id: str, serial: str | None = None) -> list[str]:
        """Delete the sessions of an access key, with one device or any, and return a line for each.

        Raises CredprocError.
        """
        known = {serial for _, serial in self._users} | {index.serial for index in self._indexes}
        serials = known if serial is None else {serial}
        return self._remove(self._ids((access_key_id, one) for one in serials), everything=False)

    def _ids(self, users: Iterable[tuple[str, str]]) -> dict[str, SessionId]:
        """Return, by their names, the ids of the sessions that these keys and devices may have."""
        found = (session_id(key, serial, issuer) for key, serial in users for issuer in self._issuers)
        return {session.name: session for session in found}

    def _remove(self, wanted: Mapping[str, SessionId], *, everything: bool) -> list[str]:
        lines = [
            self._delete(SessionId(index.name, index.serial, index.issuer), self._store(index.store))
            for index in self._indexes
            if everything or index.name in wanted
        ]
        for store in map(self._store, sorted(self._kinds)):
            held = filter(is_session_name, self._names(store, [*wanted]))
            found = [wanted.get(name, SessionId(name, "", "")) for name in held if everything or name in wanted]
            lines += [self._delete(session, store) for session in found]
        return lines

    def _names(self, store: Store, candidates: Sequence[str]) -> list[str]:
        try:
            return store.names(candidates)
        except NoKeyringError:
            self.has_keyring = False
            return []
        except SessionStoreError as error:
            raise CredprocError(
                f"{self._command}: {error}", "unlock the keyring and try again: it may hold a session"
            ) from None

    def _delete(self, session: SessionId, store: Store) -> str:
        """Delete one session under its lock and return a line that says so; the index file stays if that fails."""
        subject = session.serial or "an MFA session that no profile leads to"
        with hold_lock(self._directory, session.name, self._command):
            try:
                StoredSession(self._directory, session, store).delete()
            except SessionStoreError as error:
                raise CredprocError(
                    f"{self._command}: {subject}: {error}",
                    "unlock the keyring and try again: the session still exists",
                ) from None
        return f"signed out: {subject}"

    def _store(self, kind: StoreKind) -> Store:
        return store_for(kind, self._directory, self._request.environ, lambda: None)


def _kinds(setting: SessionStore) -> tuple[StoreKind, ...]:
    """Return the stores in which sessions may be by this setting."""
    return ("keyring", "kernel") if setting == "auto" else (setting,)
