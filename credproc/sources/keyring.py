"""Long-term access keys in the OS keyring, as a source."""

from collections.abc import Mapping

from credproc import terminal
from credproc.credentials import Credentials
from credproc.errors import SessionStoreError, SourceError
from credproc.files import PrivateDirectory
from credproc.plan.source import Source
from credproc.stores.access_keys import LongTermKeys


def open_keyring(directory: PrivateDirectory | None, environ: Mapping[str, str]) -> LongTermKeys:
    """Return the access keys in the keyring; a person at the terminal is told that it may wait for them.

    A keyring that fails is remembered in ``directory``; without one it is asked each time.
    """
    can_unlock = terminal.noninteractive_reason(environ) is None
    return LongTermKeys(directory, environ, notify_unlocking if can_unlock else None)


def keys_of(source: Source, directory: PrivateDirectory | None, environ: Mapping[str, str]) -> Credentials:
    """Return the source's keys. Raises SourceError."""
    return read(source, open_keyring(directory, environ))


def read(source: Source, keys: LongTermKeys) -> Credentials:
    """Return the source's keys from the keyring. Raises SourceError: there is no other way to them."""
    access_key_id = source.named("access_key_id")
    try:
        found = keys.read(access_key_id)
    except SessionStoreError as error:
        raise SourceError(
            f"{source.where}: the secret of {access_key_id}: {error}",
            "the keys are in the keyring alone: unlock it, or start it, and try again",
        ) from None
    if found is None:
        raise SourceError(
            f"{source.where}: the keyring holds no secret of {access_key_id}",
            f"run credproc keys add {source.profile} in a terminal, on each machine and for each user",
        )
    return found


def notify_unlocking() -> None:
    """Tell the person at the terminal that the keyring may be waiting for them."""
    terminal.notify("credproc: waiting for the keyring to be unlocked")
