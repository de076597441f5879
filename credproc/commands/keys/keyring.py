"""Keys in the keyring, as a person's command meets them: with messages of its own, and what hangs on a key."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from credproc.commands.inventory import described, remove, sessions
from credproc.commands.logout import sign_out
from credproc.config.shared_config import Section, SharedConfig
from credproc.credentials import Credentials
from credproc.errors import CredprocError, SessionStoreError
from credproc.locking.directory import own_directory
from credproc.request import Request
from credproc.sources.keyring import open_keyring
from credproc.stores import access_keys
from credproc.stores.mfa_sessions import session_id

SECRET = re.compile(r"[!-~]{16,256}")
CALL_SECONDS = 10


def keep_key(request: Request, keys: Credentials) -> None:
    """Put the keys into the keyring. Raises CredprocError."""
    with naming_errors("keyring", keys.access_key_id):
        open_keyring(None, request.environ).keep(keys)
    access_keys.note(own_directory(request.environ), keys.access_key_id, pending=False)


@contextmanager
def naming_errors(command: str, access_key_id: str) -> Iterator[None]:
    """Let a keyring that fails within be a CredprocError that names the command and the key."""
    try:
        yield
    except SessionStoreError as error:
        raise CredprocError(
            f"{command}: {access_key_id}: {error}", "unlock the keyring, or start it, and try again"
        ) from None


def arn_of(keys: Credentials, profile: str, config: SharedConfig, environ: Mapping[str, str]) -> str:
    """Return the ARN of whose keys these are, as the STS of the profile says it. Raises CredprocError."""
    from credproc.aws.client import Settings  # noqa: PLC0415 - ssl
    from credproc.aws.sts import Sts  # noqa: PLC0415
    from credproc.plan.endpoint import endpoint_for  # noqa: PLC0415

    endpoint = endpoint_for(config.profiles.get(profile, Section(profile, profile)), config, environ, None)
    sts = Sts(endpoint, Settings.of(config, profile, environ, CALL_SECONDS), mfa=False)
    return sts.get_caller_identity(keys)


def end_sessions(request: Request, access_key_id: str, command: str) -> list[str]:
    """End the MFA sessions of the key and the cached credentials behind it; return what was done, in words.

    Raises CredprocError, named after the command.
    """
    directory = own_directory(request.environ)
    if directory is None:
        return []
    said = [
        sign_out(index, request, directory, command)
        for index in sessions(directory)
        if session_id(access_key_id, index.serial, index.issuer).name == index.name
    ]
    entries = [entry for entry in described(directory) if entry.source_access_key_id == access_key_id]
    return said + [f"removed: {entry.words}" for entry in entries if remove(directory, entry.name, command)]
