"""Access keys in the keyring: storing one, asking STS whose it is, and deleting the sessions made with it."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from credproc.commands.inventory import cache_entries, hold_lock, remove_entries
from credproc.commands.sessions import SessionRemover, mfa_plans
from credproc.config.parser import read
from credproc.config.shared_config import Section, SharedConfig
from credproc.credentials import Credentials
from credproc.errors import CREDENTIALS_FILE, CredprocError, SessionStoreError, by_platform
from credproc.files import PrivateDirectory, digest
from credproc.locking.directory import own_directory
from credproc.request import Request
from credproc.sources.keyring import open_keyring
from credproc.stores import access_keys
from credproc.stores.backends import NoKeyringError

CALL_SECONDS = 10  # for one call of STS or IAM


def check_keyring(command: str, request: Request) -> None:
    """Raise CredprocError, which names ``command``, if no keyring can be used: before anything is asked for."""
    try:
        open_keyring(None, request.environ).check()
    except NoKeyringError as error:
        raise CredprocError(
            f"{command}: {error}",
            "run it in a desktop session with a keyring; access keys are kept nowhere else. Without one leave them in"
            f" {CREDENTIALS_FILE}{by_platform(posix=', with mode 0600', windows='')}",
        ) from None
    except SessionStoreError as error:
        raise CredprocError(f"{command}: {error}", "start or unlock the keyring, and try again") from None


def store_key(request: Request, keys: Credentials) -> None:
    """Store an access key in the keyring. Raises CredprocError."""
    with raise_with_key("keyring", keys.access_key_id):
        open_keyring(None, request.environ).save(keys)
    access_keys.save_note(own_directory(request.environ), keys.access_key_id, pending=False)


def key_lock(directory: PrivateDirectory | None, access_key_id: str, command: str) -> AbstractContextManager[None]:
    """Return the lock of an access key: who replaces or deletes the key holds it, for whichever profile.

    Entering it raises CredprocError, which names ``command``, if another run has the lock.
    """
    return hold_lock(directory, f"keys-{digest(access_key_id)}", command)


@contextmanager
def raise_with_key(command: str, access_key_id: str) -> Iterator[None]:
    """Turn a SessionStoreError of the ``with`` block into a CredprocError that names the command and the access key."""
    try:
        yield
    except SessionStoreError as error:
        raise CredprocError(
            f"{command}: {access_key_id}: {error}", "start or unlock the keyring, and try again"
        ) from None


def identity_arn(keys: Credentials, profile: str, config: SharedConfig, environ: Mapping[str, str]) -> str:
    """Return the ARN of the identity to which the keys belong, from the STS of the profile. Raises CredprocError."""
    from credproc.aws.client import Settings  # noqa: PLC0415 - ssl
    from credproc.aws.sts import Sts  # noqa: PLC0415
    from credproc.plan.endpoint import endpoint_for  # noqa: PLC0415

    endpoint = endpoint_for(config.profiles.get(profile, Section(profile, profile)), config, environ, None)
    sts = Sts(endpoint, Settings.of(config, profile, environ, CALL_SECONDS), mfa=False)
    return sts.get_caller_identity(keys)


def delete_sessions(request: Request, access_key_id: str, command: str) -> list[str]:
    """Delete the MFA sessions and the cached credentials made with the access key; return lines with what was done.

    Raises CredprocError, which names ``command``.
    """
    directory = own_directory(request.environ)
    remover = SessionRemover(request, directory, command, mfa_plans(read(request.environ), request))
    lines = remover.remove_of_key(access_key_id)
    entries = [entry for entry in cache_entries(directory) if entry.source_access_key_id == access_key_id]
    return [*lines, *remove_entries(directory, entries, command)]
