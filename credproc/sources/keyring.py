"""Long-term access keys in the OS keyring, as a source."""

from collections.abc import Mapping

from credproc import terminal
from credproc.credentials import Credentials
from credproc.errors import SessionStoreError, SourceError, for_shell
from credproc.files import PrivateDirectory
from credproc.plan.source import Source
from credproc.stores.access_keys import AccessKeyStore


def open_keyring(directory: PrivateDirectory | None, environ: Mapping[str, str]) -> AccessKeyStore:
    """Return the access keys in the keyring; the user at the terminal is told if it may be waiting to be unlocked.

    With a ``directory`` a keyring that does not answer is not asked again for some minutes.
    """
    can_unlock = terminal.noninteractive_reason(environ) is None
    return AccessKeyStore(directory, environ, notify_unlocking if can_unlock else None)


def fetch(source: Source, directory: PrivateDirectory | None, environ: Mapping[str, str]) -> Credentials:
    """Return the source's keys. Raises SourceError."""
    return read_keys(source, open_keyring(directory, environ))


def read_keys(source: Source, keys: AccessKeyStore) -> Credentials:
    """Return the source's keys from an open keyring. Raises SourceError, as the keys are nowhere else."""
    access_key_id = source.field("access_key_id")
    try:
        found = keys.read(access_key_id)
    except SessionStoreError as error:
        raise SourceError(
            f"{source.where}: cannot read the secret access key of {access_key_id}: {error}",
            "the key is in the keyring only: start or unlock the keyring, and try again",
        ) from None
    if found is None:
        raise SourceError(
            f"{source.where}: the keyring holds no secret access key of {access_key_id}",
            f"run credproc keys add {for_shell(source.profile or '')} in a terminal, on each machine and for each user",
        )
    return found


def notify_unlocking() -> None:
    """Tell the user at the terminal that the keyring may be waiting to be unlocked."""
    terminal.notify("credproc: waiting for the keyring to be unlocked")
